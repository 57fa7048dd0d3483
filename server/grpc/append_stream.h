// Appends over one stream, as a reactor of gRPC's callback interface.
//
// It belongs to one call, deletes itself when gRPC is done with it, and may be ended at any time by
// the client, by the relay, or by an error.
#ifndef PARLEY_SERVER_GRPC_APPEND_STREAM_H_
#define PARLEY_SERVER_GRPC_APPEND_STREAM_H_

#include <grpcpp/support/server_callback.h>

#include "parley/relay/v1/relay.pb.h"
#include "server/core/relay.h"
#include "server/core/unread_answers.h"
#include "server/grpc/streams.h"

namespace parley::server {

grpc::ServerBidiReactor<relay::v1::AppendStreamRequest, relay::v1::AppendStreamResponse>*
NewAppendStream(Relay& relay, OpenStreams& streams, UnreadAnswers& unread,
                grpc::CallbackServerContext& context);

}  // namespace parley::server

#endif  // PARLEY_SERVER_GRPC_APPEND_STREAM_H_

// DownloadBlob as a reactor of gRPC's callback interface, on the messages' bytes: a chunk goes out
// from where the store has it, without being copied into a message and out of it again.
#ifndef PARLEY_SERVER_GRPC_DOWNLOAD_STREAM_H_
#define PARLEY_SERVER_GRPC_DOWNLOAD_STREAM_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "server/core/relay.h"
#include "server/core/unread_answers.h"
#include "server/grpc/streams.h"

namespace parley::server {

// Answers a DownloadBlobRequest with DownloadBlobResponses; told to end, after the one that is
// under way. The reactor deletes itself when gRPC is done with it; what it is given outlives it.
grpc::ServerWriteReactor<grpc::ByteBuffer>* NewDownloadStream(Relay& relay, OpenStreams& streams,
                                                              UnreadAnswers& unread,
                                                              grpc::CallbackServerContext& context,
                                                              const grpc::ByteBuffer& request);

}  // namespace parley::server

#endif  // PARLEY_SERVER_GRPC_DOWNLOAD_STREAM_H_

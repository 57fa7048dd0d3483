// The relay's two-way streams as reactors of gRPC's callback interface.
//
// Each belongs to one call, deletes itself when gRPC is done with it, and may be ended at any time
// by the client, by the relay, or by an error.
#ifndef PARLEY_SERVER_GRPC_STREAMS_H_
#define PARLEY_SERVER_GRPC_STREAMS_H_

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <mutex>
#include <unordered_map>

#include "parley/relay/v1/relay.pb.h"
#include "server/core/relay.h"
#include "server/core/unread_answers.h"

namespace parley::server {

// A stream that can be told to end. Threading: any thread.
class EndableStream {
 public:
  virtual ~EndableStream() = default;
  virtual void End(const grpc::Status& status) = 0;
  // The same, once what the stream owes its client has gone.
  virtual void Drain(const grpc::Status& status) { End(status); }
};

// The streams that are open, so that a relay that shuts down can end them.
// Threading: any thread.
class OpenStreams {
 public:
  // Ends it at once when `most` are open, or after EndAll.
  void Add(const std::shared_ptr<EndableStream>& stream, size_t most);
  void Remove(const EndableStream* stream);
  // Lets them drain. Also every stream that is added later ends so.
  void EndAll(const grpc::Status& status);

 private:
  std::mutex mutex_;
  std::unordered_map<const EndableStream*, std::weak_ptr<EndableStream>> streams_;
  bool ended_ = false;
  grpc::Status end_status_;
};

grpc::ServerBidiReactor<relay::v1::SubscribeRequest, relay::v1::SubscribeEvent>* NewSubscribeStream(
    Relay& relay, OpenStreams& streams, UnreadAnswers& unread,
    grpc::CallbackServerContext& context);

grpc::ServerBidiReactor<relay::v1::UploadBlobRequest, relay::v1::UploadBlobResponse>*
NewUploadStream(Relay& relay, OpenStreams& streams, grpc::CallbackServerContext& context);

}  // namespace parley::server

#endif  // PARLEY_SERVER_GRPC_STREAMS_H_

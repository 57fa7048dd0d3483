// A call whose answers are counted while they are on their way, and that is cancelled when its
// client leaves them unread while all calls together keep too much (server/core/unread_answers.h).
#ifndef PARLEY_SERVER_GRPC_COUNTED_CALL_H_
#define PARLEY_SERVER_GRPC_COUNTED_CALL_H_

#include <grpcpp/server_context.h>

#include <memory>
#include <string>

#include "server/core/unread_answers.h"

namespace parley::server {

// What gRPC calls a peer, as one that answers are counted for: without its port, and for IPv6 its
// network of 64 bits, since one customer has as many addresses there as he likes.
std::string AddressOfPeer(const std::string& peer);

// Threading: one thread at a time. Lifetime: `unread` outlives it; `context` until Close.
class CountedCall {
 public:
  CountedCall(UnreadAnswers& unread, grpc::CallbackServerContext& context);

  // An answer of `bytes` is about to be written, and the one before it has gone. The call may be
  // cancelled by this.
  void Sending(size_t bytes);
  void Sent() { ticket_ = {}; }
  // gRPC is done with the call: in OnDone.
  void Close();

 private:
  struct Handle;

  UnreadAnswers& unread_;
  const std::string address_;
  const std::shared_ptr<Handle> handle_;
  UnreadAnswers::Ticket ticket_;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_GRPC_COUNTED_CALL_H_

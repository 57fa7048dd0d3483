// A call whose answers are counted while they are on their way, and that is cancelled when its
// client leaves them unread while all calls together keep too much (server/core/unread_answers.h).
#ifndef PARLEY_SERVER_GRPC_COUNTED_CALL_H_
#define PARLEY_SERVER_GRPC_COUNTED_CALL_H_

#include <grpcpp/server_context.h>

#include <memory>
#include <mutex>
#include <string>

#include "server/core/unread_answers.h"

namespace parley::server {

// What gRPC calls a peer, as one that answers are counted for: without its port, and for IPv6 its
// network of 64 bits, since one customer has as many addresses there as he likes.
std::string AddressOfPeer(const std::string& peer);

// Threading: any thread; what is still being sent when the call is closed isn't counted. Lifetime:
// `unread` outlives it; `context` until Close.
class CountedCall {
 public:
  CountedCall(UnreadAnswers& unread, grpc::CallbackServerContext& context);

  // An answer of `bytes` is about to be written, and the one before it has gone. The call may be
  // cancelled by this.
  void Sending(size_t bytes);
  void Sent() { Keep({}); }
  // gRPC is done with the call: in OnDone.
  void Close();

 private:
  struct Handle;

  // Ends the ticket that was kept, and keeps another unless the call is closed.
  void Keep(UnreadAnswers::Ticket ticket);

  UnreadAnswers& unread_;
  const std::string address_;
  const std::shared_ptr<Handle> handle_;
  std::mutex mutex_;  // held for moves alone: cancelling another call may close this one
  UnreadAnswers::Ticket ticket_;
  bool closed_ = false;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_GRPC_COUNTED_CALL_H_

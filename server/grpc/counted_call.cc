#include "server/grpc/counted_call.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <mutex>
#include <utility>

namespace parley::server {
namespace {

// There may be as many of them as streams, which are bounded.
constexpr size_t kTooSmallToCount = 1024;

}  // namespace

std::string AddressOfPeer(const std::string& peer) {
  const std::string host = peer.substr(0, peer.rfind(':'));
  constexpr char kV6[] = "ipv6:%5B";
  constexpr char kV6End[] = "%5D";
  if (!host.starts_with(kV6) || !host.ends_with(kV6End)) return host;
  const size_t begin = sizeof(kV6) - 1;
  const std::string text = host.substr(begin, host.size() - begin - (sizeof(kV6End) - 1));
  in6_addr address{};
  if (::inet_pton(AF_INET6, text.c_str(), &address) != 1) return host;
  if (IN6_IS_ADDR_V4MAPPED(&address)) return host;
  constexpr size_t kNetworkBytes = 8;
  return std::string(reinterpret_cast<const char*>(&address), kNetworkBytes);
}

struct CountedCall::Handle {
  // Cancelling may call OnDone, and so Close, before it returns.
  std::recursive_mutex mutex;
  grpc::CallbackServerContext* context = nullptr;
};

CountedCall::CountedCall(UnreadAnswers& unread, grpc::CallbackServerContext& context)
    : unread_(unread),
      address_(AddressOfPeer(context.peer())),
      handle_(std::make_shared<Handle>()) {
  handle_->context = &context;
}

void CountedCall::Sending(size_t bytes) {
  Keep({});
  if (bytes < kTooSmallToCount) return;
  Keep(unread_.Add(address_, bytes, [handle = handle_] {
    std::lock_guard lock(handle->mutex);
    if (handle->context != nullptr) handle->context->TryCancel();
  }));
}

void CountedCall::Keep(UnreadAnswers::Ticket ticket) {
  // The one that leaves ends with the argument, after the lock.
  std::lock_guard lock(mutex_);
  if (!closed_) std::swap(ticket_, ticket);
}

void CountedCall::Close() {
  UnreadAnswers::Ticket last;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    std::swap(ticket_, last);
  }
  std::lock_guard lock(handle_->mutex);
  handle_->context = nullptr;
}

}  // namespace parley::server

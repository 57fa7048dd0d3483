#include "server/grpc/acceptor.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

#include "server/grpc/peer_names.h"

namespace parley::server {
namespace {

constexpr int kBacklog = 256;
// When the process or the machine is short of something, until it may have some again.
constexpr std::chrono::milliseconds kPause{50};
// So many more than the bound of all, as some are ended for others and not closed yet.
constexpr size_t kMostBeyond = 64;
// Also when no connection comes, so that nothing stays known of those who are gone.
constexpr std::chrono::milliseconds kTidyAgain{60 * 1000};

// `error`: why not, of errno.
absl::Status CantListen(const std::string& address, int error) {
  std::string why = std::strerror(error);
  if (error == EADDRINUSE) why = "the port is in use, perhaps by a relay that runs already";
  if (error == EACCES) why = "a port below 1024 needs the right to it";
  if (error == EADDRNOTAVAIL) why = "the address is not this machine's";
  return absl::UnavailableError("can't listen on " + address + ": " + why);
}

// -1, with errno, when it can't.
int ListenOn(const addrinfo& at) {
  const int fd = ::socket(at.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  const int on = 1;
  const int off = 0;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (at.ai_family == AF_INET6) {
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  }
  if (::bind(fd, at.ai_addr, at.ai_addrlen) == 0 && ::listen(fd, kBacklog) == 0) return fd;
  const int error = errno;
  ::close(fd);
  errno = error;
  return -1;
}

int PortOf(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  // The port stands at the same place in both.
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Acceptor>> Acceptor::Listen(const std::string& address,
                                                           const Limits& limits, Metrics* metrics) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) {
    return absl::InvalidArgumentError("\"" + address + "\" is not an address with a port");
  }
  std::string host = address.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), address.substr(colon + 1).c_str(), &hints, &found) != 0) {
    return CantListen(address, EADDRNOTAVAIL);
  }
  int listener = -1;
  int error = EADDRNOTAVAIL;
  for (const addrinfo* at = found; at != nullptr && listener < 0; at = at->ai_next) {
    listener = ListenOn(*at);
    if (listener < 0) error = errno;
  }
  ::freeaddrinfo(found);
  if (listener < 0) return CantListen(address, error);
  return std::unique_ptr<Acceptor>(new Acceptor(listener, PortOf(listener), limits, metrics));
}

Acceptor::Acceptor(int listener, int port, const Limits& limits, Metrics* metrics)
    : listener_(listener),
      port_(port),
      limits_(limits),
      metrics_(metrics),
      stop_(::eventfd(0, EFD_CLOEXEC)),
      held_([this](const HeldConnections::Gone& gone) { TellGone(gone); }),
      rates_(limits) {}

Acceptor::~Acceptor() {
  Stop();
  if (stop_ >= 0) ::close(stop_);
}

void Acceptor::Start(std::function<void(int fd)> take,
                     std::function<void(const std::string& peer)> new_name) {
  take_ = std::move(take);
  new_name_ = std::move(new_name);
  thread_ = std::thread([this] { Work(); });
}

void Acceptor::Stop() {
  if (std::exchange(stopped_, true)) return;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(stop_, &one, sizeof(one));
  if (thread_.joinable()) thread_.join();
  ::close(listener_);
}

void Acceptor::Work() {
  while (true) {
    pollfd ready[2] = {{listener_, POLLIN, 0}, {stop_, POLLIN, 0}};
    const int count = ::poll(ready, 2, static_cast<int>(kTidyAgain.count()));
    if (count < 0) continue;
    if (ready[1].revents != 0) return;
    if (count > 0) Accept();
    Tidy();
  }
}

void Acceptor::Accept() {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  const int fd = ::accept4(listener_, reinterpret_cast<sockaddr*>(&address), &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) {
    const bool short_of = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    if (short_of) std::this_thread::sleep_for(kPause);
    return;
  }
  const std::string from = AddressOf(address);
  struct stat status {};
  std::unique_lock lock(mutex_);
  // The system gives the lowest one that is free: as a rule, that of who has left a place.
  held_.ForgetEarlierOf(fd);
  if (!MayCome(from)) {
    ::close(fd);
    return;
  }
  if (!HasRoomFor(from)) {
    CountRefused();
    ::close(fd);
    return;
  }
  if (::fstat(fd, &status) != 0) {
    ::close(fd);
    return;
  }
  MakeRoomForUnproven();
  if (metrics_ != nullptr) metrics_->connections.Add();
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const std::string name = GrpcNameOf(address);
  held_.Add(fd, status.st_ino, from, name);
  lock.unlock();
  if (new_name_) new_name_(name);
  take_(fd);
}

void Acceptor::End(const std::string& peer, Hits hits) {
  std::lock_guard lock(mutex_);
  const std::optional<EndingConnection> ending = held_.End(peer);
  if (!ending.has_value()) return;
  if (hits == Hits::kAddress) rates_.Bar(ending->address());
  if (metrics_ != nullptr) metrics_->connections_ended.Add();
}

bool Acceptor::MarkProven(const std::string& peer) {
  std::lock_guard lock(mutex_);
  std::string address;
  const HeldConnections::Marked marked = held_.MarkProven(peer, &address);
  if (marked == HeldConnections::Marked::kFirstTime) rates_.Proved(address);
  return marked != HeldConnections::Marked::kNotHeld;
}

void Acceptor::TellGone(const HeldConnections::Gone& gone) {
  if (gone.is_proven) rates_.ProvenOneClosed(gone.address);
  if (gone.is_name_free && new_name_) new_name_(gone.name);
}

bool Acceptor::MayCome(const std::string& address) {
  const ConnectionRates::Verdict verdict = rates_.Take(address);
  if (verdict == ConnectionRates::Verdict::kTaken) return true;
  if (metrics_ == nullptr) return false;
  if (verdict == ConnectionRates::Verdict::kBarred) {
    metrics_->connections_barred.Add();
  } else if (verdict == ConnectionRates::Verdict::kAddressTooOften) {
    metrics_->connections_too_often.Add();
  } else {
    metrics_->connections_too_often_in_all.Add();
  }
  return false;
}

bool Acceptor::HasRoomFor(const std::string& address) {
  const auto address_has_room = [&] {
    return held_.OfAddress(address) < limits_.max_connections_per_address;
  };
  const auto has_room = [&] { return held_.size() < limits_.max_connections; };
  if (has_room() && address_has_room()) return true;
  held_.ForgetClosedNowAndThen();
  if (!address_has_room()) return false;
  if (has_room()) return true;
  // Else strangers who come early enough would keep members out.
  return held_.size() < limits_.max_connections + kMostBeyond && EndOldestUnproven();
}

void Acceptor::CountRefused() const {
  if (metrics_ == nullptr) return;
  const bool all_taken = held_.size() >= limits_.max_connections;
  (all_taken ? metrics_->connections_over_limit : metrics_->connections_over_address_limit).Add();
}

void Acceptor::MakeRoomForUnproven() {
  if (held_.unproven() < limits_.max_unproven_connections) return;
  held_.ForgetClosedNowAndThen();
  while (held_.unproven() >= limits_.max_unproven_connections && EndOldestUnproven()) {
  }
}

bool Acceptor::EndOldestUnproven() {
  std::optional<EndingConnection> ended;
  if (!held_.RemoveOldestUnproven(ended)) return false;
  if (ended.has_value() && metrics_ != nullptr) metrics_->connections_unproven.Add();
  return true;
}

void Acceptor::Tidy() {
  const auto now = std::chrono::steady_clock::now();
  std::lock_guard lock(mutex_);
  if (now - tidied_ < kTidyAgain) return;
  tidied_ = now;
  held_.ForgetClosed();
  rates_.ForgetOld();
}

}  // namespace parley::server

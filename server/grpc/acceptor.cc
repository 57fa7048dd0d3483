#include "server/grpc/acceptor.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <set>
#include <utility>

namespace parley::server {
namespace {

constexpr int kBacklog = 256;
// When the process or the machine is short of something, until it may have some again.
constexpr std::chrono::milliseconds kPause{50};
// What comes in so much time may come at once.
constexpr double kBurstSeconds = 10;
// Of so many addresses it is remembered what they have used; beyond, all begin anew.
constexpr size_t kMostAllowances = 65536;
// So many more than the bound of all, as some are ended for others and not closed yet.
constexpr size_t kMostBeyond = 64;
// Looking for closed connections takes a system call for each that is held: it is done after so
// much time, or so that a new connection costs no more than so many on average.
constexpr std::chrono::milliseconds kLookAgain{50};
constexpr size_t kLooksForEach = 32;
// Also when no connection comes, so that nothing stays known of those who are gone.
constexpr std::chrono::milliseconds kTidyAgain{60 * 1000};

absl::Status CantListen(const std::string& address) {
  return absl::UnavailableError(
      "can't listen on " + address +
      ": the address is not this machine's, or the port is in use or needs more rights");
}

// An address, or for IPv6 its network, since one customer has as many addresses there as he likes.
std::string PeerOf(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return std::string(reinterpret_cast<const char*>(&v4.sin_addr), sizeof(v4.sin_addr));
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  const bool mapped = IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr);
  return std::string(reinterpret_cast<const char*>(&v6.sin6_addr) + (mapped ? 12 : 0),
                     mapped ? 4 : 8);
}

// What gRPC calls it in a call's context.
std::string GrpcNameOf(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  const std::string port = std::to_string(ntohs(v4.sin_port));  // the same place in both
  const bool mapped = address.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr);
  if (address.ss_family == AF_INET || mapped) {
    const void* bytes = mapped ? static_cast<const void*>(&v6.sin6_addr.s6_addr[12])
                               : static_cast<const void*>(&v4.sin_addr);
    ::inet_ntop(AF_INET, bytes, text.data(), text.size());
    return std::string("ipv4:") + text.data() + ":" + port;
  }
  ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
  return std::string("ipv6:%5B") + text.data() + "%5D:" + port;
}

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
  ::close(fd);
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
    return CantListen(address);
  }
  int listener = -1;
  for (const addrinfo* at = found; at != nullptr && listener < 0; at = at->ai_next) {
    listener = ListenOn(*at);
  }
  ::freeaddrinfo(found);
  if (listener < 0) return CantListen(address);
  return std::unique_ptr<Acceptor>(new Acceptor(listener, PortOf(listener), limits, metrics));
}

Acceptor::Acceptor(int listener, int port, const Limits& limits, Metrics* metrics)
    : listener_(listener),
      port_(port),
      limits_(limits),
      metrics_(metrics),
      stop_(::eventfd(0, EFD_CLOEXEC)) {}

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
  std::string peer = PeerOf(address);
  struct stat status {};
  std::unique_lock lock(mutex_);
  if (IsBarred(peer)) {
    if (metrics_ != nullptr) metrics_->connections_barred.Add();
    ::close(fd);
    return;
  }
  // First, since looking for room may mean looking through all that are held.
  if (ComesTooOften(peer)) {
    if (metrics_ != nullptr) metrics_->connections_too_often.Add();
    ::close(fd);
    return;
  }
  if (!HasRoomFor(peer)) {
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
  ++per_peer_[peer];
  ++unproven_;
  const std::string name = GrpcNameOf(address);
  held_.push_back({fd, status.st_ino, std::move(peer), name});
  lock.unlock();
  if (new_name_) new_name_(name);
  take_(fd);
}

int Acceptor::Borrow(const Held& held) {
  const int fd = ::fcntl(held.fd, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return -1;
  struct stat status {};
  if (::fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) && status.st_ino == held.inode) {
    return fd;
  }
  ::close(fd);
  errno = EBADF;
  return -1;
}

void Acceptor::End(const std::string& peer, Hits hits) {
  std::lock_guard lock(mutex_);
  for (Held& held : held_) {
    // One that was ended may still have calls refused, each of which comes here.
    if (held.name != peer || held.is_ended) continue;
    const int fd = Borrow(held);
    if (fd < 0) continue;
    if (IsUnproven(held)) --unproven_;
    held.is_ended = true;
    if (hits == Hits::kAddress) barred_[held.peer] = std::chrono::steady_clock::now();
    if (metrics_ != nullptr) metrics_->connections_ended.Add();
    ::shutdown(fd, SHUT_RDWR);  // last: whoever sees the end finds all of it done
    ::close(fd);
    return;
  }
}

void Acceptor::MakeRoomForUnproven() {
  if (unproven_ < limits_.max_unproven_connections) return;
  ForgetClosedNowAndThen();
  size_t at = 0;
  while (unproven_ >= limits_.max_unproven_connections && EndOldestUnproven(at)) {
  }
}

bool Acceptor::EndOldestUnproven(size_t& at) {
  while (at < held_.size() && !IsUnproven(held_[at])) ++at;
  if (at == held_.size()) return false;
  const int fd = Borrow(held_[at]);
  if (fd < 0 && errno != EBADF) return false;  // out of descriptors: it can't be ended
  held_[at].is_ended = true;
  --unproven_;
  if (fd < 0) return true;  // it was closed already
  if (metrics_ != nullptr) metrics_->connections_unproven.Add();
  ::shutdown(fd, SHUT_RDWR);
  ::close(fd);
  return true;
}

void Acceptor::MarkProven(const std::string& peer) {
  std::lock_guard lock(mutex_);
  // The latest is the likeliest, and one that is closed may have had the same name before it.
  const auto held = std::find_if(held_.rbegin(), held_.rend(),
                                 [&](const Held& each) { return each.name == peer; });
  if (held == held_.rend() || held->is_proven) return;
  if (IsUnproven(*held)) --unproven_;
  held->is_proven = true;
  const auto allowance = allowances_.find(held->peer);
  if (allowance != allowances_.end()) allowance->second.connections += 1;
}

double Acceptor::Refilled(const Allowance& allowance,
                          std::chrono::steady_clock::time_point now) const {
  const auto rate = static_cast<double>(limits_.address_connections_per_second);
  const double passed = std::chrono::duration<double>(now - allowance.filled).count();
  return std::min(allowance.connections + passed * rate, kBurstSeconds * rate);
}

bool Acceptor::ComesTooOften(const std::string& peer) {
  const auto rate = static_cast<double>(limits_.address_connections_per_second);
  if (rate == 0) return false;
  const auto now = std::chrono::steady_clock::now();
  if (allowances_.size() >= kMostAllowances && !allowances_.contains(peer)) {
    ForgetFullAllowances();
    // Half at least, so that looking through all doesn't come with each connection.
    if (allowances_.size() > kMostAllowances / 2) allowances_.clear();
  }
  Allowance& allowance =
      allowances_.try_emplace(peer, Allowance{kBurstSeconds * rate, now}).first->second;
  allowance.connections = Refilled(allowance, now);
  allowance.filled = now;
  if (allowance.connections < 1) return true;
  allowance.connections -= 1;
  return false;
}

void Acceptor::ForgetFullAllowances() {
  const auto now = std::chrono::steady_clock::now();
  const auto rate = static_cast<double>(limits_.address_connections_per_second);
  std::erase_if(allowances_, [&](const auto& entry) {
    return Refilled(entry.second, now) >= kBurstSeconds * rate;
  });
}

void Acceptor::Tidy() {
  const auto now = std::chrono::steady_clock::now();
  std::lock_guard lock(mutex_);
  if (now - tidied_ < kTidyAgain) return;
  tidied_ = now;
  ForgetClosed();
  ForgetFullAllowances();
  ForgetBarredLongAgo();
}

void Acceptor::ForgetBarredLongAgo() {
  const auto over = std::chrono::steady_clock::now() -
                    std::chrono::seconds(static_cast<int64_t>(limits_.barred_seconds));
  std::erase_if(barred_, [over](const auto& entry) { return entry.second <= over; });
}

bool Acceptor::IsBarred(const std::string& peer) {
  ForgetBarredLongAgo();
  return barred_.contains(peer);
}

bool Acceptor::HasRoomFor(const std::string& peer) {
  const auto address_has_room = [&] {
    const auto found = per_peer_.find(peer);
    return found == per_peer_.end() || found->second < limits_.max_connections_per_address;
  };
  const auto has_room = [&] { return held_.size() < limits_.max_connections; };
  if (has_room() && address_has_room()) return true;
  ForgetClosed();
  if (!address_has_room()) return false;
  if (has_room()) return true;
  // Else strangers who come early enough would keep members out.
  size_t at = 0;
  return held_.size() < limits_.max_connections + kMostBeyond && EndOldestUnproven(at);
}

void Acceptor::CountRefused() const {
  if (metrics_ == nullptr) return;
  const bool all_taken = held_.size() >= limits_.max_connections;
  (all_taken ? metrics_->connections_over_limit : metrics_->connections_over_address_limit).Add();
}

void Acceptor::ForgetClosedNowAndThen() {
  const bool is_long_ago = std::chrono::steady_clock::now() - looked_ >= kLookAgain;
  if (is_long_ago || ++since_looked_ * kLooksForEach >= held_.size()) ForgetClosed();
}

void Acceptor::ForgetClosed() {
  looked_ = std::chrono::steady_clock::now();
  since_looked_ = 0;
  std::set<std::string> gone;
  std::erase_if(held_, [&](const Held& held) {
    struct stat status {};
    if (::fstat(held.fd, &status) == 0 && S_ISSOCK(status.st_mode) && status.st_ino == held.inode) {
      return false;
    }
    if (--per_peer_[held.peer] == 0) per_peer_.erase(held.peer);
    if (IsUnproven(held)) --unproven_;
    gone.insert(held.name);
    return true;
  });
  if (!new_name_ || gone.empty()) return;
  for (const Held& held : held_) gone.erase(held.name);  // another one's by now
  for (const std::string& name : gone) new_name_(name);
}

}  // namespace parley::server

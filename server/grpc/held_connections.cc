#include "server/grpc/held_connections.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <limits>
#include <utility>

namespace parley::server {
namespace {

using std::chrono::steady_clock;

// Looking whether a connection is closed takes a system call. All are looked at after so much time,
// longer where there are so many that it takes long; or so that a new connection costs no more than
// so many on average.
constexpr std::chrono::milliseconds kLookAgain{50};
constexpr int kMostOfTheTime = 10;  // one part in so many goes into looking
constexpr size_t kLooksForEach = 32;
constexpr size_t kAll = std::numeric_limits<size_t>::max();

}  // namespace

EndingConnection::EndingConnection(int descriptor, std::string address)
    : descriptor_(descriptor), address_(std::move(address)) {}

EndingConnection::EndingConnection(EndingConnection&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), address_(std::move(other.address_)) {}

EndingConnection::~EndingConnection() {
  if (descriptor_ < 0) return;
  ::shutdown(descriptor_, SHUT_RDWR);
  ::close(descriptor_);
}

size_t HeldConnections::OfAddress(const std::string& address) const {
  const auto found = per_address_.find(address);
  return found == per_address_.end() ? 0 : found->second;
}

void HeldConnections::ForgetEarlierOf(int fd) {
  const auto earlier = by_descriptor_.find(fd);
  if (earlier != by_descriptor_.end()) Forget(earlier->second);
}

void HeldConnections::Add(int fd, ino_t inode, std::string address, std::string name) {
  ForgetEarlierOf(fd);
  ++per_address_[address];
  unproven_.push_back({fd, inode, std::move(address), std::move(name)});
  const Place place = std::prev(unproven_.end());
  by_descriptor_.emplace(fd, place);
  by_name_.emplace(place->name, place);
}

std::list<HeldConnections::Held>& HeldConnections::ListOf(const Held& held) {
  if (held.is_ended) return ended_;
  return held.is_proven ? proven_ : unproven_;
}

template <typename Change>
void HeldConnections::Move(Place place, Change change) {
  std::list<Held>& from = ListOf(*place);
  change(*place);
  std::list<Held>& to = ListOf(*place);
  if (&from != &to) to.splice(to.end(), from, place);
}

HeldConnections::Marked HeldConnections::MarkProven(const std::string& name, std::string* address) {
  const auto [begin, end] = by_name_.equal_range(name);
  if (begin == end) return Marked::kNotHeld;
  const Place latest = std::prev(end)->second;
  if (latest->is_proven) return Marked::kAgain;
  Move(latest, [](Held& held) { held.is_proven = true; });
  *address = latest->address;
  return Marked::kFirstTime;
}

int HeldConnections::Borrow(const Held& held) {
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

EndingConnection HeldConnections::EndBy(int descriptor, Place place) {
  Move(place, [](Held& held) { held.is_ended = true; });
  return {descriptor, place->address};
}

std::optional<EndingConnection> HeldConnections::End(const std::string& name) {
  const auto [begin, end] = by_name_.equal_range(name);
  for (auto at = begin; at != end; ++at) {
    // One that was ended may still have calls refused, each of which comes here.
    if (at->second->is_ended) continue;
    const int fd = Borrow(*at->second);
    if (fd >= 0) return EndBy(fd, at->second);
  }
  return std::nullopt;
}

bool HeldConnections::RemoveOldestUnproven(std::optional<EndingConnection>& ended) {
  if (unproven_.empty()) return false;
  const Place oldest = unproven_.begin();
  const int fd = Borrow(*oldest);
  if (fd >= 0) {
    ended.emplace(EndBy(fd, oldest));
    return true;
  }
  if (errno != EBADF) return false;
  Forget(oldest);
  return true;
}

bool HeldConnections::IsClosed(const Held& held) {
  struct stat status {};
  return ::fstat(held.fd, &status) != 0 || !S_ISSOCK(status.st_mode) || status.st_ino != held.inode;
}

void HeldConnections::Forget(Place place) {
  const auto of_address = per_address_.find(place->address);
  if (--of_address->second == 0) per_address_.erase(of_address);
  by_descriptor_.erase(place->fd);
  const auto [begin, end] = by_name_.equal_range(place->name);
  const bool is_name_free = std::next(begin) == end;
  by_name_.erase(std::find_if(begin, end, [&](const auto& each) { return each.second == place; }));
  std::list<Held> gone;  // out of the way before anybody is told
  gone.splice(gone.end(), ListOf(*place), place);
  if (told_) told_({place->address, place->name, place->is_proven, is_name_free});
}

void HeldConnections::ForgetClosedOf(std::list<Held>& list, size_t most) {
  for (auto at = list.begin(); at != list.end() && most > 0; --most) {
    const Place place = at++;
    if (IsClosed(*place)) Forget(place);
  }
}

void HeldConnections::ForgetClosedNowAndThen() {
  ++since_looked_;
  const bool is_time =
      steady_clock::now() >= look_again_ || since_looked_ * kLooksForEach >= size();
  if (is_time) return ForgetClosed();
  ForgetClosedOf(ended_, kLooksForEach);
}

void HeldConnections::ForgetClosed() {
  const auto begun = steady_clock::now();
  for (std::list<Held>* list : {&ended_, &unproven_, &proven_}) ForgetClosedOf(*list, kAll);
  const auto over = steady_clock::now();
  const steady_clock::duration rest = kMostOfTheTime * (over - begun);
  look_again_ = over + std::max<steady_clock::duration>(kLookAgain, rest);
  since_looked_ = 0;
}

}  // namespace parley::server

// The connections that were handed to gRPC, in the order in which they came: how many there are, on
// which of them a key was shown, and which have been closed since. gRPC closes them without a word,
// so that is found out by looking at their descriptors, a bounded number of them for each that
// comes.
//
//   HeldConnections held([](const HeldConnections::Gone& gone) { ... });
//   held.Add(fd, inode, address, name);
//   std::optional<EndingConnection> ended;   // shut down when that goes out of scope
//   if (held.RemoveOldestUnproven(ended)) ...
//
// Threading: guarded by its owner, callbacks included.
#ifndef PARLEY_SERVER_GRPC_HELD_CONNECTIONS_H_
#define PARLEY_SERVER_GRPC_HELD_CONNECTIONS_H_

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace parley::server {

// A connection that is being ended: it is shut down, which whoever took it notices, by the
// destructor; so whoever sees the end finds all done that follows from it.
class EndingConnection {
 public:
  // `descriptor` is the connection's, and closed with this.
  EndingConnection(int descriptor, std::string address);
  ~EndingConnection();
  EndingConnection(EndingConnection&& other) noexcept;
  EndingConnection& operator=(EndingConnection&&) = delete;

  // The client's (AddressOf).
  const std::string& address() const { return address_; }

 private:
  int descriptor_;
  std::string address_;
};

class HeldConnections {
 public:
  // One that is closed.
  struct Gone {
    const std::string& address;
    const std::string& name;
    bool is_proven;
    bool is_name_free;  // no other is called so
  };
  explicit HeldConnections(std::function<void(const Gone& gone)> told) : told_(std::move(told)) {}

  size_t size() const { return unproven_.size() + proven_.size() + ended_.size(); }
  // Those on which no key was shown and that weren't ended.
  size_t unproven() const { return unproven_.size(); }
  size_t OfAddress(const std::string& address) const;

  // Forgets what had that descriptor, which is another connection's by now.
  void ForgetEarlierOf(int fd);
  // `inode` tells the connection from another one that has its descriptor later; whatever had it
  // before is forgotten. `name`: as gRPC calls it.
  void Add(int fd, ino_t inode, std::string address, std::string name);

  enum class Marked : uint8_t { kNotHeld, kAgain, kFirstTime };
  // A key was shown on it; for the first time: gives its address. Of several of that name, all but
  // the latest of which are closed as a rule, it is the latest's.
  Marked MarkProven(const std::string& name, std::string* address);

  // Ends the one of that name. Nothing when it was ended already, or is closed.
  std::optional<EndingConnection> End(const std::string& name);
  // Whether the one without a key that came first was ended, or found to be closed, so that there
  // is one less. `ended`: what ends it, if it was there. False: there is none, or the process has
  // no descriptor left to end it by.
  bool RemoveOldestUnproven(std::optional<EndingConnection>& ended);

  // Looks at all of them.
  void ForgetClosed();
  // Looks at some of those that were ended, of which most will be closed; at all others from time
  // to time, or so that a new connection costs no more than some looks on average.
  void ForgetClosedNowAndThen();

 private:
  // Another connection may have its descriptor by now, but not its inode.
  struct Held {
    int fd;
    ino_t inode;
    std::string address;
    std::string name;
    bool is_ended = false;
    bool is_proven = false;
  };
  using Place = std::list<Held>::iterator;

  std::list<Held>& ListOf(const Held& held);
  // To the list where it belongs once `change` is made of it.
  template <typename Change>
  void Move(Place place, Change change);
  // A descriptor of the connection, to be closed, of which nobody makes another one's while it is
  // shut down. -1, with errno: EBADF when it is closed already.
  static int Borrow(const Held& held);
  static bool IsClosed(const Held& held);
  EndingConnection EndBy(int descriptor, Place place);
  void Forget(Place place);
  // The first so many.
  void ForgetClosedOf(std::list<Held>& list, size_t most);

  const std::function<void(const Gone& gone)> told_;
  // Each in the order in which they came, or were ended.
  std::list<Held> unproven_;
  std::list<Held> proven_;
  std::list<Held> ended_;
  std::unordered_map<int, Place> by_descriptor_;
  std::multimap<std::string_view, Place> by_name_;  // the latest of a name is the last
  std::unordered_map<std::string, size_t> per_address_;
  std::chrono::steady_clock::time_point look_again_;  // when closed ones are looked for anyway
  size_t since_looked_ = 0;                           // how often that was put off since
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_GRPC_HELD_CONNECTIONS_H_

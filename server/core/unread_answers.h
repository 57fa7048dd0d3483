// What is on its way to clients and not read yet, over all of the relay's streams, in bytes.
//
// Whoever holds a key may open many streams and read from none of them; each then keeps an answer
// in memory. When all of them together exceed the bound, the address that holds most of them loses
// the answers that have waited longest, until the rest is within the bound. Nobody waits for
// anybody: who reads what it has asked for goes on, whatever the others do.
//
//   UnreadAnswers::Ticket ticket = unread.Add(address, bytes, [..] { /* end the stream */ });
//   ...                        // the answer is written
//   ticket = {};               // it has been read
//
// Threading: any thread; a ticket belongs to one at a time. Lifetime: outlives its tickets.
#ifndef PARLEY_SERVER_CORE_UNREAD_ANSWERS_H_
#define PARLEY_SERVER_CORE_UNREAD_ANSWERS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "server/core/live.h"
#include "server/core/metrics.h"

namespace parley::server {

class UnreadAnswers {
 public:
  // Counts an answer for as long as it exists.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(Ticket&& other) noexcept { *this = std::move(other); }
    Ticket& operator=(Ticket&& other) noexcept;
    ~Ticket();

   private:
    friend class UnreadAnswers;
    UnreadAnswers* unread_ = nullptr;
    std::string holder_;
    uint64_t serial_ = 0;
  };

  // `metrics` may be null, else it outlives this.
  explicit UnreadAnswers(Live<size_t> most_bytes, Metrics* metrics = nullptr)
      : most_bytes_(most_bytes), metrics_(metrics) {}

  // Counts an answer of `bytes` to `holder`, an address. `give_up` may be called once, by any
  // thread that adds an answer, under no lock, and also shortly after the ticket's end; it must be
  // quick. What was given up isn't counted any more.
  Ticket Add(const std::string& holder, size_t bytes, std::function<void()> give_up);

  size_t BytesForTest() const;

 private:
  struct Answer {
    size_t bytes = 0;
    std::function<void()> give_up;
  };
  struct Holder {
    size_t bytes = 0;
    std::map<uint64_t, Answer> answers;  // the oldest first
  };

  void Remove(const std::string& holder, uint64_t serial);
  // Takes out the oldest answer of the holder that has most. Under the lock.
  std::function<void()> TakeVictim();

  const Live<size_t> most_bytes_;
  Metrics* const metrics_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Holder> holders_;
  size_t bytes_ = 0;
  uint64_t next_serial_ = 1;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_UNREAD_ANSWERS_H_

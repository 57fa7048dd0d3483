#include "server/core/unread_answers.h"

#include <algorithm>
#include <vector>

namespace parley::server {

UnreadAnswers::Ticket& UnreadAnswers::Ticket::operator=(Ticket&& other) noexcept {
  if (this == &other) return *this;
  if (unread_ != nullptr) unread_->Remove(holder_, serial_);
  unread_ = std::exchange(other.unread_, nullptr);
  holder_ = std::move(other.holder_);
  serial_ = other.serial_;
  return *this;
}

UnreadAnswers::Ticket::~Ticket() {
  if (unread_ != nullptr) unread_->Remove(holder_, serial_);
}

UnreadAnswers::Ticket UnreadAnswers::Add(const std::string& holder, size_t bytes,
                                         std::function<void()> give_up) {
  Ticket ticket;
  std::vector<std::function<void()>> victims;
  {
    std::lock_guard lock(mutex_);
    ticket.unread_ = this;
    ticket.holder_ = holder;
    ticket.serial_ = next_serial_++;
    Holder& held = holders_[holder];
    held.answers.emplace(ticket.serial_, Answer{bytes, std::move(give_up)});
    held.bytes += bytes;
    bytes_ += bytes;
    while (bytes_ > most_bytes_) victims.push_back(TakeVictim());
  }
  for (const std::function<void()>& victim : victims) victim();
  return ticket;
}

size_t UnreadAnswers::BytesForTest() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

void UnreadAnswers::Remove(const std::string& holder, uint64_t serial) {
  std::lock_guard lock(mutex_);
  const auto held = holders_.find(holder);
  if (held == holders_.end()) return;
  const auto answer = held->second.answers.find(serial);
  if (answer == held->second.answers.end()) return;  // given up
  held->second.bytes -= answer->second.bytes;
  bytes_ -= answer->second.bytes;
  held->second.answers.erase(answer);
  if (held->second.answers.empty()) holders_.erase(held);
}

std::function<void()> UnreadAnswers::TakeVictim() {
  const auto most = std::max_element(
      holders_.begin(), holders_.end(),
      [](const auto& a, const auto& b) { return a.second.bytes < b.second.bytes; });
  const auto oldest = most->second.answers.begin();
  std::function<void()> give_up = std::move(oldest->second.give_up);
  most->second.bytes -= oldest->second.bytes;
  bytes_ -= oldest->second.bytes;
  most->second.answers.erase(oldest);
  if (most->second.answers.empty()) holders_.erase(most);
  return give_up;
}

}  // namespace parley::server

// A relay in memory for tests: keeps mailboxes as the real one does, and fails or lies on request.
// Only tests include it.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_TEST_RELAY_H_
#define PARLEY_CLIENT_LIB_CHANNELS_TEST_RELAY_H_

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "client-lib/channels/mailboxes.h"
#include "crypto/base/check.h"

namespace parley::client {

class TestRelay final : public Mailboxes {
 public:
  struct Generation {
    GenerationKeys keys;
    uint64_t first = 1;
    std::optional<uint64_t> last;  // when closed
  };
  struct Mailbox {
    std::vector<Generation> generations;
    std::vector<Entry> entries;  // entry n at index n - 1

    const Generation& current() const { return generations.back(); }
    uint64_t head() const { return entries.size(); }
  };

  // Called before and after each append, with the reply that is about to be given; an error is
  // given instead. Before: the request was lost; after: the answer.
  std::function<absl::Status()> before_append;
  std::function<absl::Status()> after_append;
  std::function<absl::Status()> before_read;
  // May change what a read gives.
  std::function<void(ReadResult&)> alter;
  size_t entries_per_page = 16;
  // Appends that don't close, in one generation; then ResourceExhausted.
  uint64_t allowance = 1 << 20;
  // Then closings alone are taken, as long as the real relay has slack for them.
  bool quota_used_up = false;

  absl::Status Create(const Credential& credential, const ObjectId& id,
                      const GenerationKeys& keys) override {
    if (credential.bytes.empty()) return absl::UnauthenticatedError("no token");
    auto [place, made] = mailboxes.try_emplace(id);
    if (made) {
      place->second.generations.push_back({keys, 1, std::nullopt});
    } else if (place->second.generations[0].keys != keys) {
      return absl::AlreadyExistsError("mailbox");
    }
    return absl::OkStatus();
  }

  absl::StatusOr<AppendOutcome> Append(const ObjectId& id, uint64_t generation,
                                       const crypto::SignatureKey& append_key,
                                       const AppendId& append_id, crypto::ByteView payload,
                                       const std::optional<Closing>& closing) override {
    attempts.push_back({generation, Bytes(payload.begin(), payload.end())});
    if (before_append) {
      const absl::Status lost = before_append();
      if (!lost.ok()) return lost;
    }
    absl::StatusOr<AppendOutcome> outcome =
        Store(id, generation, append_key, append_id, payload, closing);
    if (outcome.ok() && after_append) {
      const absl::Status lost = after_append();
      if (!lost.ok()) return lost;
    }
    return outcome;
  }

  absl::StatusOr<ReadResult> Read(const ObjectId& id, uint64_t generation,
                                  const crypto::SignatureKey& read_key, uint64_t from) override {
    if (before_read) {
      const absl::Status lost = before_read();
      if (!lost.ok()) return lost;
    }
    const auto found = mailboxes.find(id);
    if (found == mailboxes.end() || generation == 0 ||
        generation > found->second.generations.size()) {
      return absl::NotFoundError("no such mailbox");
    }
    const Mailbox& mailbox = found->second;
    const Generation& at = mailbox.generations[generation - 1];
    if (at.keys.read_key != read_key.public_key()) return absl::NotFoundError("no such mailbox");
    ReadResult page;
    page.generation_head = at.last.value_or(mailbox.head());
    page.closed = at.last.has_value();
    page.first_position = 1;
    if (from > page.generation_head + 1) return absl::OutOfRangeError("beyond the head");
    for (uint64_t position = std::max(from, at.first);
         position <= page.generation_head && page.entries.size() < entries_per_page; ++position) {
      page.entries.push_back(mailbox.entries[position - 1]);
    }
    if (alter) alter(page);
    return page;
  }

  Mailbox& Only() {
    PARLEY_CHECK(mailboxes.size() == 1);
    return mailboxes.begin()->second;
  }

  std::map<ObjectId, Mailbox> mailboxes;

  // All that ever left a machine, also what was lost or refused.
  struct Attempt {
    uint64_t generation = 0;
    Bytes payload;
  };
  std::vector<Attempt> attempts;

 private:
  absl::StatusOr<AppendOutcome> Store(const ObjectId& id, uint64_t generation,
                                      const crypto::SignatureKey& append_key,
                                      const AppendId& append_id, crypto::ByteView payload,
                                      const std::optional<Closing>& closing) {
    const auto found = mailboxes.find(id);
    if (found == mailboxes.end() || generation == 0 ||
        generation > found->second.generations.size()) {
      return absl::NotFoundError("no such mailbox");
    }
    Mailbox& mailbox = found->second;
    const GenerationKeys& keys = mailbox.generations[generation - 1].keys;
    if (std::find(keys.append_keys.begin(), keys.append_keys.end(), append_key.public_key()) ==
        keys.append_keys.end()) {
      return absl::NotFoundError("no such mailbox");
    }
    for (const Entry& entry : mailbox.entries) {
      if (entry.append_id != append_id) continue;
      if (crypto::PublicEquals(entry.payload, payload) && entry.closing == closing &&
          entry.generation == generation) {
        return Appended{entry.position};
      }
      return absl::AlreadyExistsError("append id");
    }
    if (generation != mailbox.generations.size()) {
      return StaleGeneration{mailbox.generations.size()};
    }
    if (payload.size() > kMaxEntryBytes) return absl::InvalidArgumentError("too long");
    if (closing.has_value()) {
      PARLEY_RETURN_IF_ERROR(VerifyClosing(id, generation, keys.control_key, payload, *closing));
    } else if (mailbox.head() + 1 - mailbox.current().first >= allowance) {
      return ShortageError(Shortage::kAllowance, "the mailbox's allowance is used up");
    } else if (quota_used_up) {
      return ShortageError(Shortage::kQuota, "the sponsor's quota of bytes is used up");
    }
    Entry entry;
    entry.position = mailbox.head() + 1;
    entry.generation = generation;
    entry.append_id = append_id;
    entry.payload.assign(payload.begin(), payload.end());
    entry.closing = closing;
    mailbox.entries.push_back(entry);
    if (closing.has_value()) {
      mailbox.generations.back().last = entry.position;
      mailbox.generations.push_back({closing->next_keys, entry.position + 1, std::nullopt});
    }
    return Appended{entry.position};
  }
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_TEST_RELAY_H_

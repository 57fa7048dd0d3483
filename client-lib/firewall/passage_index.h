// Where the fingerprints of a case's messages are kept: sealed lists in the profile, from which the
// messages that may share a passage with a text are found without reading the others.
//
// Records (class index): "firewall/CASE" (the head: channels, and up to which number each is taken
// in), "firewall/CASE/LIST" (a list's length and its last entries) and "firewall/CASE/LIST/PAGE"
// (kPageEntries earlier ones). A list is of one sort (passages, short messages, documents) and one
// kListBits-bit beginning of fingerprints, so that a look-up reads a few short records however long
// the history is. Names of records are keyed hashes in the profile, and values are sealed: outside
// them there is no hash of what was said.
//
// The index is brought up to date before it is used, from what is stored: whatever took a message
// in (a sync, another process), it can't be missed. Memory is bounded by a batch of entries and a
// page. Each batch writes most lists anew, so batches are large.
//
// Threading: belongs to its transaction's thread.
// Errors: DataLoss for a damaged record; the store's.
#ifndef PARLEY_CLIENT_LIB_FIREWALL_PASSAGE_INDEX_H_
#define PARLEY_CLIENT_LIB_FIREWALL_PASSAGE_INDEX_H_

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/channels/channel.h"
#include "client-lib/store/profile_store.h"
#include "parley/ids.h"

namespace parley::client {

// A message that has a fingerprint.
struct IndexedPlace {
  ChannelId channel;
  uint64_t index = 0;       // among the channel's messages
  bool own_saying = false;  // the profile's owner says it, and nobody else through them
  friend auto operator<=>(const IndexedPlace&, const IndexedPlace&) = default;
};

class PassageIndex {
 public:
  // `own_id`: the profile's owner.
  static absl::StatusOr<PassageIndex> Load(const ReadTransaction& step, const CaseId& id,
                                           const ParticipantId& own_id);

  // Takes in what the channel, whose latest number is `head`, has and the index hasn't, and stores
  // it: up to the message that has `room` filled, which is lessened by each entry. Whether that is
  // all.
  absl::StatusOr<bool> Update(Transaction& step, const Channel& channel, uint64_t head,
                              size_t& room);

  // Removes all of it. What is brought up to date next is taken in anew, from what the profile
  // still has then.
  absl::Status Reset(Transaction& step);

  // Calls `found` with every message that has one of the fingerprints (sorted); a message may come
  // several times.
  using Found = std::function<void(const IndexedPlace&)>;
  absl::Status FindPassages(const ReadTransaction& step, const std::vector<uint64_t>& fingerprints,
                            const Found& found) const;
  // The same of messages shorter than a passage, by ShortFingerprint.
  absl::Status FindShort(const ReadTransaction& step, const std::vector<uint64_t>& fingerprints,
                         const Found& found) const;
  // The same of documents, by DocumentFingerprint.
  absl::Status FindDocuments(const ReadTransaction& step, uint64_t fingerprint,
                             const Found& found) const;

 private:
  struct Entry {
    uint64_t key = 0;
    uint32_t channel = 0;  // its place in Head::channels
    uint64_t index = 0;    // of the message
    uint8_t own_saying = 0;
    template <typename F>
    static auto Fields(F& self) {
      return std::tie(self.key, self.channel, self.index, self.own_saying);
    }
  };
  struct Page {
    std::vector<Entry> entries;
    template <typename F>
    static auto Fields(F& self) {
      return std::tie(self.entries);
    }
  };
  struct List {
    uint64_t pages = 0;  // full ones before these
    std::vector<Entry> entries;
    template <typename F>
    static auto Fields(F& self) {
      return std::tie(self.pages, self.entries);
    }
  };
  struct IndexedChannel {
    ChannelId id;
    uint64_t up_to = 0;  // the number up to which it is taken in
    template <typename F>
    static auto Fields(F& self) {
      return std::tie(self.id, self.up_to);
    }
  };
  struct Head {
    std::vector<IndexedChannel> channels;
    template <typename F>
    static auto Fields(F& self) {
      return std::tie(self.channels);
    }
  };
  using Pending = std::map<uint32_t, std::vector<Entry>>;  // by list

  static constexpr uint32_t kListBits = 12;
  // The sorts: the number of their first list.
  static constexpr uint32_t kPassages = 0;
  static constexpr uint32_t kShort = 1u << kListBits;
  static constexpr uint32_t kDocuments = 2u << kListBits;
  static constexpr uint64_t kPageEntries = 400;

  PassageIndex(const CaseId& id, const ParticipantId& own_id)
      : root_("firewall/" + id.ToString()), own_id_(own_id) {}

  static uint32_t ListOf(uint32_t sort, uint64_t key) {
    return sort + static_cast<uint32_t>(key >> (64 - kListBits));
  }
  std::string ListName(uint32_t list) const;
  std::string PageName(uint32_t list, uint64_t page) const;
  // An empty one when there is none.
  absl::StatusOr<List> LoadList(const ReadTransaction& step, uint32_t list) const;
  uint32_t SlotOf(const ChannelId& channel);
  // Puts the entries that a message has into `pending`; gives their number.
  size_t Add(const ChannelMessage& message, uint32_t slot, Pending& pending) const;
  absl::Status Append(Transaction& step, Pending& pending);
  absl::Status SaveHead(Transaction& step) const;
  // Of one list, by fingerprints that belong to it.
  absl::Status FindIn(const ReadTransaction& step, uint32_t list,
                      std::span<const uint64_t> fingerprints, const Found& found) const;
  absl::Status Find(const ReadTransaction& step, uint32_t sort,
                    std::span<const uint64_t> fingerprints, const Found& found) const;
  absl::Status Report(const std::vector<Entry>& entries, std::span<const uint64_t> fingerprints,
                      const Found& found) const;

  std::string root_;
  ParticipantId own_id_;
  Head head_;
};

// By which a document is found: of its plaintext root's bytes.
uint64_t DocumentFingerprint(crypto::ByteView plaintext_root);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_FIREWALL_PASSAGE_INDEX_H_

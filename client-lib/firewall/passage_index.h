// Where the fingerprints of a case's messages are kept: sealed lists in the profile, from which the
// messages that may share a passage with a text are found without reading the others.
//
// Records (class index): "firewall/CASE" (the head: channels, up to which number each is taken in,
// how long each list is) and "firewall/CASE/LIST/PAGE". There is a list for each first byte of a
// fingerprint, one for short messages and one for documents, in pages of kPageEntries.
//
// The index is brought up to date before it is used, from what is stored: whatever took a message
// in (a sync, another process), it can't be missed. Memory is bounded by a batch of messages and a
// page.
//
// Threading: belongs to its transaction's thread.
// Errors: DataLoss for a damaged record; the store's.
#ifndef PARLEY_CLIENT_LIB_FIREWALL_PASSAGE_INDEX_H_
#define PARLEY_CLIENT_LIB_FIREWALL_PASSAGE_INDEX_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
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
  uint64_t number = 0;
  friend auto operator<=>(const IndexedPlace&, const IndexedPlace&) = default;
};

class PassageIndex {
 public:
  static absl::StatusOr<PassageIndex> Load(const ReadTransaction& step, const CaseId& id);

  // Takes in what the channel has that isn't in the index yet, and stores it.
  absl::Status Update(Transaction& step, const Channel& channel);

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
    uint64_t number = 0;
    template <typename F>
    static auto Fields(F& self) {
      return std::tie(self.key, self.channel, self.number);
    }
  };
  struct Page {
    std::vector<Entry> entries;
    template <typename F>
    static auto Fields(F& self) {
      return std::tie(self.entries);
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
    std::vector<uint64_t> sizes;  // entries of each list
    template <typename F>
    static auto Fields(F& self) {
      return std::tie(self.channels, self.sizes);
    }
  };
  using Pending = std::map<uint32_t, std::vector<Entry>>;  // by list

  static constexpr uint32_t kFirstByteLists = 256;
  static constexpr uint32_t kShortList = 256;
  static constexpr uint32_t kDocumentList = 257;
  static constexpr uint32_t kLists = 258;
  static constexpr uint64_t kPageEntries = 400;

  explicit PassageIndex(const CaseId& id) : root_("firewall/" + id.ToString()) {}

  std::string PageName(uint32_t list, uint64_t page) const;
  absl::StatusOr<Page> LoadPage(const ReadTransaction& step, uint32_t list, uint64_t page) const;
  uint32_t SlotOf(const ChannelId& channel);
  // Puts the entries that a message has into `pending`; gives their number.
  static size_t Add(const ChannelMessage& message, uint32_t slot, Pending& pending);
  absl::Status Append(Transaction& step, Pending& pending);
  absl::Status SaveHead(Transaction& step) const;
  absl::Status Find(const ReadTransaction& step, uint32_t list,
                    const std::vector<uint64_t>& fingerprints, const Found& found) const;

  std::string root_;
  Head head_;
};

// By which a document is found: of its plaintext root's bytes.
uint64_t DocumentFingerprint(crypto::ByteView plaintext_root);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_FIREWALL_PASSAGE_INDEX_H_

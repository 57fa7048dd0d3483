// Documents of a channel as its log has them: versions, ends, and what is due by them. Everything
// is noted when an entry is taken in, in the log's order, so that every member notes the same.
//
// Records beside the channel's (channel_records.h), class index: `…/documents` and
// `…/documents/PAGE`, the indices of its documents; `…/message/N/version`, of one that names an
// earlier one; `…/message/N/retracted-brief`; `…/message/N/chain`, of the first of a chain; and
// `…/expiring`. Blobs of what has ended are noted in blobs_due.h.
//
// Threading: free functions on a transaction.
// Errors: the store's.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_DOCUMENT_LOG_H_
#define PARLEY_CLIENT_LIB_CHANNELS_DOCUMENT_LOG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/channels/channel_step.h"
#include "client-lib/channels/channel_types.h"

namespace parley::content::v1 {
class Document;
class DocumentEnd;
}  // namespace parley::content::v1

namespace parley::client {

// How a document stands to the earlier one that it names.
enum class VersionStanding : uint8_t {
  kFirst = 0,     // it names none
  kCounts = 1,    // it is the chain's next version
  kUnknown = 2,   // from before this device came: numbered by its author's word
  kOfOthers = 3,  // that is another side's: it stands alone
  kNotThere = 4,  // there is no such document: it stands alone
};

// Where a document stands in its chain.
struct DocumentVersion {
  uint64_t first = 0;      // index of the chain's first document, as far as this device has it
  uint32_t number = 1;     // of this version
  uint32_t latest = 1;     // of the chain's latest version
  uint64_t made_from = 0;  // index of the document that it names; 0: none, or unknown
  VersionStanding standing = VersionStanding::kFirst;
};

// A document whose time is to end.
struct ExpiringDocument {
  uint64_t index = 0;  // among the channel's messages
  uint64_t expires_at = 0;
  ParticipantId author;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.index, self.expires_at, self.author);
  }
};

// At most so many are watched for their end, so that nobody can fill a profile: of one author, and
// in all. Others end when their author's program says so.
inline constexpr size_t kMostExpiring = 1024;
inline constexpr size_t kMostExpiringOfOne = 128;

// The channel's first message: from here on its documents are listed.
absl::Status BeginDocuments(ChannelStep& step);

// A document has come, as the message of that index. Who may add a version to a chain: its side
// (of a neutral's document any neutral; of one by who has no side, themselves).
absl::Status NoteDocument(ChannelStep& step, uint64_t index, const RosterMember& author, bool own,
                          uint64_t position, const content::v1::Document& document);

// Takes the keys of the document that is named away, if its author, or for one that expires a
// neutral, says so. What is left shows that it was there, its name, size and the hash of its
// content (by which the firewall knows it again).
absl::Status EndDocument(ChannelStep& step, const RosterMember& by, uint64_t position,
                         const content::v1::DocumentEnd& end);

// A document is being taken back as a whole, by the message that is coming. Of an exchanged brief
// it stays known that it was one: it keeps the place of the one before it.
absl::Status NoteRetracted(ChannelStep& step, const ChannelMessage& message);
// It has ended, in either way.
absl::Status NoteDocumentGone(ChannelStep& step, const ChannelMessage& message);
// The same of many.
absl::Status NoteDocumentsGone(ChannelStep& step, const std::vector<ChannelMessage>& messages);

// ---- Reading ----

absl::StatusOr<DocumentVersion> LoadVersion(const ReadTransaction& tx, const ChannelId& channel,
                                            uint64_t index);

// The indices of all messages that are, or were, documents, in order, without reading them. In a
// profile of an earlier build others are among them.
absl::StatusOr<std::vector<uint64_t>> DocumentIndices(const ReadTransaction& tx,
                                                      const ChannelId& channel);

// The channel's documents (kDocument) in order, without reading other messages. Those that were
// retracted are not among them.
absl::StatusOr<std::vector<ChannelMessage>> ListDocuments(const ReadTransaction& tx,
                                                          const ChannelId& channel);

// A document that was handed in as a brief, or what is left of a retracted exchanged one.
struct HandedIn {
  ChannelMessage message;
  uint64_t retracted = 0;  // the index of the retraction
};
// In order, without reading other documents. In a profile of an earlier build other documents are
// among them.
absl::StatusOr<std::vector<HandedIn>> ListHandedIn(const ReadTransaction& tx,
                                                   const ChannelId& channel);
// Whether a document of that content, which wasn't retracted, stands in the caucus of `side` by a
// party or counsel of it.
absl::StatusOr<bool> StandsConfided(const ReadTransaction& tx, const ChannelId& channel,
                                    const std::string& side, const std::string& plaintext_root);

absl::StatusOr<std::vector<ExpiringDocument>> ListExpiring(const ReadTransaction& tx,
                                                           const ChannelId& channel);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_DOCUMENT_LOG_H_

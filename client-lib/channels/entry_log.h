// What is kept of every entry of a channel's log for its timeline and to recompute its hash chain:
// what the transcript hash is made of, who did what, and a hash of the content. No content.
//
// Threading: functions on a transaction.
// Errors: DataLoss for a damaged record; the store's.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_ENTRY_LOG_H_
#define PARLEY_CLIENT_LIB_CHANNELS_ENTRY_LOG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/channels/channel_step.h"

namespace parley::content::v1 {
class Content;
}  // namespace parley::content::v1

namespace parley::client {

// Notes in `noted` that the entry is a content of the member's.
void NoteContent(EntryRecord& noted, const RosterMember& author,
                 const content::v1::Content& content, ByteView serialized);
// That it is a commit of the member's (null: of nobody who is known), between these states.
void NoteCommit(EntryRecord& noted, const RosterMember* committer,
                const std::vector<RosterMember>& before, const std::vector<RosterMember>& after);

// Keeps what was noted of the entry that the step has moved to.
absl::Status KeepEntry(ChannelStep& step, const Entry& entry);
// Of an entry whose content was taken back, or lost its keys: nothing is kept of what it was, not
// even a hash; only of what is left of it, and of a document its size.
absl::Status ReplaceContentHash(ChannelStep& step, uint32_t incarnation, uint64_t position,
                                ByteView left, uint64_t size = 0);
// Of an entry whose content was destroyed: what it was stays, and a hash of what is left of it
// takes the place of that of the content.
absl::Status ForgetContentHash(ChannelStep& step, uint32_t incarnation, uint64_t position,
                               ByteView left);
// Keeps who began the incarnation that this step created.
absl::Status KeepOpening(ChannelStep& step);

// ---- Reading ----

// An incarnation as its log is kept.
struct LoggedIncarnation {
  uint32_t incarnation = 1;
  ObjectId mailbox_id{};
  LogHead joined;
  LogHead head;
};

// All incarnations that this device was in, in order.
absl::StatusOr<std::vector<LoggedIncarnation>> ListIncarnations(const ReadTransaction& tx,
                                                                const ChannelId& channel);
// Position 0: who began it. Nothing for an entry that an earlier version took in, or nobody has.
absl::StatusOr<std::optional<EntryRecord>> LoadEntry(const ReadTransaction& tx,
                                                     const ChannelId& channel, uint32_t incarnation,
                                                     uint64_t position);

// What recomputing an incarnation's chain finds.
struct ChainFinding {
  uint64_t not_recorded = 0;
  uint64_t broken_at = 0;
  std::string problem;  // empty: it is whole, as far as the own records can tell
};
// From where this device joined to the head: every hash from the one before and the entry, compared
// with the stored history and the head; every message that an entry names is there, with all that
// was noted of it; and none else is. An author's message that they took back is compared with what
// was left of it. Of a damaged message that no entry names, its neighbours say whose it is.
// Errors: DataLoss where the channel's own record is damaged; damage elsewhere is a finding.
absl::StatusOr<ChainFinding> VerifyChain(const ReadTransaction& tx, const ChannelId& channel,
                                         const LoggedIncarnation& log);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_ENTRY_LOG_H_

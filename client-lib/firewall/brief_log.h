// Briefs as the caucuses' logs have them, and whether a release of them is what was allowed
// (docs/protocol.md section 13).
//
// An exchanged brief is leave that takes effect by itself: a neutral may release it in the joint
// channel when every side that it names has handed one in, together with theirs and not before.
// A neutral's client marks each brief in its caucus (BriefUse), then says one BriefRelease with all
// of them. Between the logs there is no order; so what makes a release right is in the log of each
// caucus alone: that the brief stood there, was the side's latest and not withdrawn, when the mark
// for this release came.
//
//   PARLEY_ASSIGN_OR_RETURN(const BriefLog log, BriefLog::Load(step, context));
//   for (const ReleaseRecord& release : log.releases()) if (release.fault.empty()) …
//
// Threading: BriefLog is a plain value; what takes a transaction belongs to its thread.
// Errors: the store's.
#ifndef PARLEY_CLIENT_LIB_FIREWALL_BRIEF_LOG_H_
#define PARLEY_CLIENT_LIB_FIREWALL_BRIEF_LOG_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/cases/case_context.h"
#include "client-lib/firewall/disclosures.h"
#include "parley/content/v1/content.pb.h"
#include "parley/documents.h"

namespace parley::client {

// At most so many sides are named by a brief, or are in a release.
inline constexpr int kMostBriefs = 64;

// That a neutral is about to release a brief.
struct BriefMark {
  ParticipantId by;
  MessageId release;
  uint64_t index = 0;  // of the mark, among the caucus' messages
};

struct BriefRecord {
  ChannelId channel;  // the caucus
  std::string side;
  uint64_t index = 0;  // among the caucus' messages
  LogPlace place;
  MessageId id;
  ChannelMessage message;
  BriefKind kind = BriefKind::kNone;
  std::vector<std::string> sides;
  content::v1::Document document;  // without its keys when it has ended
  // Index of the record that withdrew it, and of the side's next exchanged one; 0: none.
  uint64_t ended = 0;
  uint64_t replaced = 0;
  std::vector<BriefMark> marks;
  bool released = false;  // by a release that counts
  // Taken back as a whole: nobody has it to compare any more. `ended` is that record.
  bool retracted = false;

  // Whether it could be released when the message of that index came.
  bool StoodAt(uint64_t at) const {
    return index < at && (ended == 0 || at < ended) && (replaced == 0 || at < replaced);
  }
  // The side's present one: for the next release.
  bool IsHeld() const {
    return kind == BriefKind::kExchanged && ended == 0 && document.ended() == 0 && replaced == 0 &&
           !released;
  }
};

struct ReleaseRecord {
  ChannelMessage message;
  content::v1::BriefRelease said;
  std::string fault;       // why nothing of it is shown; empty: it counts
  bool unchecked = false;  // this device came too late to check all of it
  // One of the briefs was released before. That harms nobody, and isn't refused: else a release
  // that some devices can't see through would keep these from taking the right one.
  bool repeated = false;
};

class BriefLog {
 public:
  static absl::StatusOr<BriefLog> Load(const ReadTransaction& step, const CaseContext& context);

  // Of the caucuses that this device reads: in the order of sides, then of their logs.
  const std::vector<BriefRecord>& briefs() const { return briefs_; }
  // In the joint channel's order.
  const std::vector<ReleaseRecord>& releases() const { return releases_; }
  const std::optional<ChannelId>& joint() const { return joint_; }
  // The sides of parties and counsel in the joint channel now.
  const std::set<std::string>& sides() const { return sides_; }
  // A side's brief that waits to be released; null for none.
  const BriefRecord* HeldOf(const std::string& side) const;

 private:
  absl::Status LoadCaucus(const ReadTransaction& step, const CaseContext& context,
                          const ChannelId& id, const std::string& side);
  absl::Status LoadReleases(const ReadTransaction& step, const CaseContext& context);
  absl::Status LoadConfided(const ReadTransaction& step, const ReleaseRecord& release);
  void Judge(ReleaseRecord& release);
  // The same of one that this device doesn't know: of a side whose caucus it doesn't read, say.
  std::string FaultOfUnknown(const ReleaseRecord& release,
                             const content::v1::BriefRelease::Brief& said, bool& unchecked) const;
  // What is wrong with one brief of a release; empty for nothing.
  std::string FaultOf(const ReleaseRecord& release, const content::v1::BriefRelease::Brief& said,
                      const std::set<std::string>& sides, bool& unchecked, bool& repeated) const;

  bool is_neutral_ = false;
  std::string own_side_;
  std::optional<ChannelId> joint_;
  std::set<std::string> sides_;
  std::map<std::string, std::vector<ChannelId>> caucuses_;  // that this device reads, by side
  // Marks of briefs from before this device came, or that it has destroyed: the release, the
  // brief's author and its id.
  std::vector<std::tuple<MessageId, ParticipantId, MessageId>> unknown_marks_;
  std::vector<BriefRecord> briefs_;
  // In whose caucuses parties and counsel shared a content, by its root: of the contents of
  // releases.
  std::map<std::string, std::set<std::string>> confided_;
  std::set<std::string> confided_looked_for_;
  std::vector<ReleaseRecord> releases_;
};

// What is wrong with releases in the joint channel that hasn't been settled: a line each.
absl::StatusOr<std::vector<std::pair<ChannelId, std::string>>> RefusedReleases(
    const ReadTransaction& step, const CaseContext& context);
// They have been seen.
absl::Status SettleRefusedReleases(const CaseContext& context);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_FIREWALL_BRIEF_LOG_H_

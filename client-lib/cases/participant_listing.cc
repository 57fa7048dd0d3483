#include "client-lib/cases/participant_listing.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "client-lib/channels/entry_log.h"
#include "client-lib/content/parse.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

using content::v1::Content;

// Whether an own list of participants waits to be sent.
absl::StatusOr<bool> ListWaits(const ReadTransaction& step, const CaseContext& context,
                               const ChannelId& joint) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<ChannelMessage> unsent, context.Channel(joint).Unsent(step));
  return std::any_of(unsent.begin(), unsent.end(), [](const ChannelMessage& message) {
    Content content;
    return message.kind == ContentKind::kProcedure &&
           ParseFromPeer(content, message.content.Reveal()) && content.has_case_overview();
  });
}

// Whether somebody has come (back) into the channel, or it was opened anew, beyond where the
// histories reach that were told: they may have missed something. What a list says, and where it
// stands, doesn't matter: a list without a history, or with one that ends before they came, is
// nothing that they could go by.
bool OwesHistory(const LoadedProcedure& procedure, const ChannelInfo& info) {
  const JointPosition told = procedure.log.ToldThrough();
  if (told.incarnation < info.state.incarnation) return true;
  const uint64_t number = info.number - info.head.position + told.position;
  return std::any_of(info.since.begin(), info.since.end(), [&](const MemberSince& since) {
    return since.number > number && info.state.FindMember(since.participant_id) != nullptr;
  });
}

}  // namespace

absl::StatusOr<bool> ListParticipants(Transaction& step, const CaseContext& context,
                                      const LoadedProcedure& procedure) {
  if (!procedure.log.has_begun()) return false;
  PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context.Channel(*procedure.joint).Info(step));
  const bool is_listed = procedure.log.procedure().participants() == procedure.roster;
  if (is_listed && !OwesHistory(procedure, info)) return false;
  PARLEY_ASSIGN_OR_RETURN(const bool waits, ListWaits(step, context, *procedure.joint));
  if (waits) return false;
  Content content;
  *content.mutable_case_overview() = procedure.log.MakeOverview(procedure.roster, procedure.head);
  PARLEY_RETURN_IF_ERROR(context.Channel(*procedure.joint).Queue(step, content).status());
  return true;
}

namespace {

// A neutral's program lists whom it lets in, or puts out, at once: what it hasn't mended so many
// entries later, it doesn't.
constexpr uint64_t kPatience = 256;

struct Difference {
  ParticipantId who;
  bool is_in = false;  // in the channel
  CaseProcedure::Missing mend;
};

std::vector<Difference> DifferencesIn(const LoadedProcedure& procedure) {
  std::vector<Difference> differences;
  if (!procedure.log.has_begun()) return differences;
  const CaseProcedure& now = procedure.log.procedure();
  for (const Actor& member : procedure.roster) {
    const auto listed = std::find_if(now.participants().begin(), now.participants().end(),
                                     [&](const Actor& one) { return one.id == member.id; });
    const bool is_listed = listed != now.participants().end();
    if (is_listed && *listed == member) continue;
    const RosterMember shown{member.id, member.name, member.role, member.side, {}};
    differences.push_back(
        {member.id,
         true,
         {"a neutral", "lists " + Describe(shown) +
                           (is_listed ? " as what they are" : " among the case's participants")}});
  }
  for (const Actor& listed : now.participants()) {
    const bool is_in = std::any_of(procedure.roster.begin(), procedure.roster.end(),
                                   [&](const Actor& member) { return member.id == listed.id; });
    if (is_in) continue;
    differences.push_back({listed.id,
                           false,
                           {"a neutral", "takes " + listed.name +
                                             ", who isn't in the joint channel, off the list of "
                                             "the case's participants"}});
  }
  return differences;
}

std::vector<CaseProcedure::Missing> MendsOf(std::vector<Difference> differences) {
  std::vector<CaseProcedure::Missing> mends;
  for (Difference& one : differences) {
    if (mends.size() == kMostListedOtherwise) {
      mends.push_back({"a neutral", "mends " + std::to_string(differences.size() - mends.size()) +
                                        " more entries of the list of the case's participants"});
      break;
    }
    mends.push_back(std::move(one.mend));
  }
  return mends;
}

// Who has just been put out of the joint channel, or left it, after the latest list.
absl::StatusOr<std::vector<ParticipantId>> JustGone(const ReadTransaction& step,
                                                    const LoadedProcedure& procedure,
                                                    const ChannelInfo& info) {
  const uint32_t incarnation = info.state.incarnation;
  uint64_t from = info.head.position > kPatience ? info.head.position - kPatience : 0;
  if (procedure.listed_at.incarnation == incarnation) {
    from = std::max(from, procedure.listed_at.position);
  }
  std::vector<ParticipantId> gone;
  for (uint64_t position = from + 1; position <= info.head.position; ++position) {
    PARLEY_ASSIGN_OR_RETURN(const std::optional<EntryRecord> entry,
                            LoadEntry(step, *procedure.joint, incarnation, position));
    if (!entry.has_value()) continue;
    for (const EntryChange& change : entry->changes) {
      if (change.joined == 0) gone.push_back(change.id);
    }
  }
  return gone;
}

}  // namespace

std::vector<CaseProcedure::Missing> ListedOtherwise(const LoadedProcedure& procedure) {
  return MendsOf(DifferencesIn(procedure));
}

absl::StatusOr<std::vector<CaseProcedure::Missing>> ListedWrongly(
    const ReadTransaction& step, const CaseContext& context, const LoadedProcedure& procedure) {
  std::vector<Difference> differences = DifferencesIn(procedure);
  if (differences.empty()) return std::vector<CaseProcedure::Missing>();
  PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context.Channel(*procedure.joint).Info(step));
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ParticipantId> gone, JustGone(step, procedure, info));
  // Opened anew, the channel may still wait for who was listed before.
  const bool is_new =
      procedure.listed_at.incarnation < info.state.incarnation && info.head.position <= kPatience;
  const auto has_just_come = [&](const ParticipantId& id) {
    return std::any_of(info.since.begin(), info.since.end(), [&](const MemberSince& since) {
      return since.participant_id == id && since.number > procedure.listed_number &&
             since.number + kPatience >= info.number;
    });
  };
  const auto has_just_gone = [&](const ParticipantId& id) {
    return std::find(gone.begin(), gone.end(), id) != gone.end();
  };
  std::erase_if(differences, [&](const Difference& one) {
    return one.is_in ? has_just_come(one.who) : is_new || has_just_gone(one.who);
  });
  return MendsOf(std::move(differences));
}

}  // namespace parley::client

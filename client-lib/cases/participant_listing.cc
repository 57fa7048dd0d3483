#include "client-lib/cases/participant_listing.h"

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
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
// entries later, or after so long in a quiet channel, it doesn't.
constexpr uint64_t kPatience = 256;
constexpr uint64_t kPatienceSeconds = 24 * 60 * 60;

struct Difference {
  ParticipantId who;
  bool is_in = false;  // in the channel
  CaseProcedure::Missing mend;
};

// A difference that was waited for when the channel was read to its end.
struct Awaited {
  ParticipantId who;
  uint8_t is_in = 0;
  uint64_t since = 0;   // by this device's clock
  uint8_t overdue = 0;  // it was still there when the channel was read after the time was over
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.who, self.is_in, self.since, self.overdue);
  }
  friend bool operator==(const Awaited&, const Awaited&) = default;
};
// "case/<id>/awaited-list".
struct AwaitedList {
  std::vector<Awaited> differences;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.differences);
  }
};

std::string AwaitedName(const CaseContext& context) {
  return "case/" + context.id.ToString() + "/awaited-list";
}

absl::StatusOr<std::vector<Awaited>> LoadAwaited(const ReadTransaction& step,
                                                 const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(
      std::optional<AwaitedList> list,
      GetRecord<AwaitedList>(step, RecordClass::kContent, AwaitedName(context)));
  return list.has_value() ? std::move(list->differences) : std::vector<Awaited>();
}

const Awaited* FindAwaited(const std::vector<Awaited>& awaited, const Difference& one) {
  const auto found = std::find_if(awaited.begin(), awaited.end(), [&](const Awaited& other) {
    return other.who == one.who && (other.is_in != 0) == one.is_in;
  });
  return found == awaited.end() ? nullptr : &*found;
}

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
         {kAnyNeutral,
          "lists " + Describe(shown) +
              (is_listed ? " as what they are" : " among the case's participants"),
          kProgramsDoIt}});
  }
  for (const Actor& listed : now.participants()) {
    const bool is_in = std::any_of(procedure.roster.begin(), procedure.roster.end(),
                                   [&](const Actor& member) { return member.id == listed.id; });
    if (is_in) continue;
    differences.push_back({listed.id,
                           false,
                           {kAnyNeutral,
                            "takes " + listed.name +
                                ", who isn't in the joint channel, off the list of the case's "
                                "participants",
                            kProgramsDoIt}});
  }
  return differences;
}

std::vector<CaseProcedure::Missing> MendsOf(std::vector<Difference> differences) {
  std::vector<CaseProcedure::Missing> mends;
  for (Difference& one : differences) {
    if (mends.size() == kMostListedOtherwise) {
      mends.push_back({kAnyNeutral,
                       "mends " + std::to_string(differences.size() - mends.size()) +
                           " more entries of the list of the case's participants",
                       kProgramsDoIt});
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

// The differences, and of each whether it may be on its way to be mended, by how many entries came.
struct Judged {
  Difference difference;
  bool may_be_mended = false;
};
absl::StatusOr<std::vector<Judged>> JudgeByEntries(const ReadTransaction& step,
                                                   const CaseContext& context,
                                                   const LoadedProcedure& procedure) {
  std::vector<Judged> judged;
  std::vector<Difference> differences = DifferencesIn(procedure);
  if (differences.empty()) return judged;
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
  for (Difference& one : differences) {
    const bool may_be_mended =
        one.is_in ? has_just_come(one.who) : is_new || has_just_gone(one.who);
    judged.push_back({std::move(one), may_be_mended});
  }
  return judged;
}

}  // namespace

std::vector<CaseProcedure::Missing> ListedOtherwise(const LoadedProcedure& procedure) {
  return MendsOf(DifferencesIn(procedure));
}

absl::StatusOr<std::vector<CaseProcedure::Missing>> ListedWrongly(
    const ReadTransaction& step, const CaseContext& context, const LoadedProcedure& procedure) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<Judged> judged, JudgeByEntries(step, context, procedure));
  if (judged.empty()) return std::vector<CaseProcedure::Missing>();
  PARLEY_ASSIGN_OR_RETURN(const std::vector<Awaited> awaited, LoadAwaited(step, context));
  std::vector<Difference> wrong;
  for (Judged& one : judged) {
    const Awaited* const noted = FindAwaited(awaited, one.difference);
    const bool is_overdue = noted != nullptr && noted->overdue != 0;
    if (!one.may_be_mended || is_overdue) wrong.push_back(std::move(one.difference));
  }
  return MendsOf(std::move(wrong));
}

absl::Status NoteAwaitedLists(Transaction& step, const CaseContext& context,
                              const LoadedProcedure& procedure) {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<Judged> judged,
                          JudgeByEntries(step, context, procedure));
  PARLEY_ASSIGN_OR_RETURN(const std::vector<Awaited> before, LoadAwaited(step, context));
  const uint64_t now = context.now_seconds();
  AwaitedList list;
  for (const Judged& one : judged) {
    if (!one.may_be_mended) continue;
    const Awaited* const noted = FindAwaited(before, one.difference);
    Awaited awaited =
        noted != nullptr
            ? *noted
            : Awaited{one.difference.who, static_cast<uint8_t>(one.difference.is_in), now, 0};
    // It may have been noted by a clock that was ahead.
    awaited.since = std::min(awaited.since, now);
    if (awaited.since + kPatienceSeconds <= now) awaited.overdue = 1;
    list.differences.push_back(awaited);
  }
  if (list.differences == before) return absl::OkStatus();
  return PutRecord(step, RecordClass::kContent, AwaitedName(context), list);
}

}  // namespace parley::client

// What happened in a case, from what the channels keep of their logs' entries.
#include <algorithm>
#include <bit>
#include <map>
#include <tuple>
#include <utility>

#include "client-lib/api/profile_impl.h"
#include "client-lib/cases/calendar_work.h"
#include "client-lib/cases/session_work.h"
#include "client-lib/channels/entry_log.h"
#include "client-lib/channels/hash_history.h"
#include "crypto/base/status_macros.h"

namespace parley {

const char* TimelineKindName(TimelineKind kind) {
  switch (kind) {
    case TimelineKind::kOpened:
      return "opened";
    case TimelineKind::kJoined:
      return "joined";
    case TimelineKind::kLeft:
      return "left";
    case TimelineKind::kText:
      return "text";
    case TimelineKind::kDocument:
      return "document";
    case TimelineKind::kAuthorisation:
      return "authorisation";
    case TimelineKind::kAuthorisationEnd:
      return "authorisation-end";
    case TimelineKind::kDisclosureUse:
      return "disclosure-use";
    case TimelineKind::kDisclosure:
      return "disclosure";
    case TimelineKind::kAct:
      return "act";
    case TimelineKind::kOffer:
      return "offer";
    case TimelineKind::kOfferAnswer:
      return "offer-answer";
    case TimelineKind::kOfferEnd:
      return "offer-end";
    case TimelineKind::kOptions:
      return "options";
    case TimelineKind::kSession:
      return "session";
    case TimelineKind::kFloor:
      return "floor";
    case TimelineKind::kMeeting:
      return "meeting";
    case TimelineKind::kReminder:
      return "reminder";
    case TimelineKind::kRetraction:
      return "retraction";
    case TimelineKind::kDocumentEnd:
      return "document-end";
    case TimelineKind::kBriefUse:
      return "brief-use";
    case TimelineKind::kBriefRelease:
      return "brief-release";
    case TimelineKind::kOverride:
      return "override";
    case TimelineKind::kUnknown:
      return "unknown";
    case TimelineKind::kPassedOver:
      return "passed-over";
  }
  return "unknown";
}

namespace {

using client::ChannelNames;
using client::EntryKind;
using client::EntryRecord;
using client::LoggedIncarnation;
using client::ReadTransaction;
using content::v1::Content;

// The next power of two, from 1 KiB on: the exact size says more than a record needs.
uint64_t SizeClass(uint64_t size) {
  constexpr uint64_t kLeast = 1024;
  constexpr uint64_t kMost = uint64_t{1} << 62;
  return size >= kMost ? kMost : std::bit_ceil(std::max(size, kLeast));
}

TimelinePerson AuthorOf(const EntryRecord& entry) {
  return {entry.author, entry.author_name, static_cast<Role>(entry.author_role), entry.author_side,
          false};
}

// The act of a content; kUnknown for one that is none.
CaseAct ActOf(const EntryRecord& entry) {
  switch (static_cast<Content::BodyCase>(entry.body)) {
    case Content::kCaseAct: {
      const bool known = entry.detail <= static_cast<uint64_t>(CaseAct::kReportDestruction);
      return known ? static_cast<CaseAct>(entry.detail) : CaseAct::kUnknown;
    }
    case Content::kAgreementProposal:
      return CaseAct::kProposeAgreement;
    case Content::kAgreementSignature:
      return CaseAct::kSign;
    default:
      return CaseAct::kUnknown;
  }
}

// What a content is in the timeline; nothing for what clients say among themselves.
std::optional<TimelineKind> KindOf(const EntryRecord& entry) {
  switch (static_cast<Content::BodyCase>(entry.body)) {
    case Content::kText:
      return TimelineKind::kText;
    case Content::kDocument:
      return TimelineKind::kDocument;
    case Content::kDisclosureAuthorisation:
      return TimelineKind::kAuthorisation;
    case Content::kAuthorisationEnd:
      return TimelineKind::kAuthorisationEnd;
    case Content::kDisclosureUse:
      return TimelineKind::kDisclosureUse;
    case Content::kDisclosure:
      return TimelineKind::kDisclosure;
    case Content::kCaseAct:
    case Content::kAgreementProposal:
    case Content::kAgreementSignature:
      return TimelineKind::kAct;
    case Content::kOffer:
      return TimelineKind::kOffer;
    case Content::kOfferAnswer:
      return TimelineKind::kOfferAnswer;
    case Content::kOfferEnd:
      return TimelineKind::kOfferEnd;
    case Content::kOptionSheet:
    case Content::kOptionEvaluation:
      return TimelineKind::kOptions;
    case Content::kSessionText:
    case Content::kSessionAnswer:
    case Content::kIssue:
    case Content::kIssueRanking:
      return TimelineKind::kSession;
    case Content::kFloorGrant:
    case Content::kRaisedHand:
      return TimelineKind::kFloor;
    case Content::kCalendarEntry:
    case Content::kCalendarAnswer:
      return entry.detail == content::v1::CalendarEntry::KIND_REMINDER ? TimelineKind::kReminder
                                                                       : TimelineKind::kMeeting;
    case Content::kRetraction:
      return TimelineKind::kRetraction;
    case Content::kDocumentEnd:
      return TimelineKind::kDocumentEnd;
    case Content::kBriefUse:
      return TimelineKind::kBriefUse;
    case Content::kBriefRelease:
      return TimelineKind::kBriefRelease;
    case Content::kFirewallOverride:
      return TimelineKind::kOverride;
    case Content::BODY_NOT_SET:
      return TimelineKind::kUnknown;
    default:
      return std::nullopt;
  }
}

// Adds what an entry is in the timeline. `common`: where it stands, and its hash.
void AddEvents(const EntryRecord& entry, TimelineEvent common, std::vector<TimelineEvent>& events) {
  common.author = AuthorOf(entry);
  switch (entry.kind) {
    case EntryKind::kPassedOver:
      common.kind = TimelineKind::kPassedOver;
      events.push_back(std::move(common));
      return;
    case EntryKind::kOpening:
      common.kind = TimelineKind::kOpened;
      events.push_back(std::move(common));
      return;
    case EntryKind::kProposal:
      return;
    case EntryKind::kContent: {
      const std::optional<TimelineKind> kind = KindOf(entry);
      if (!kind.has_value()) return;
      common.kind = *kind;
      common.act = ActOf(entry);
      common.time = static_cast<int64_t>(entry.claimed_time);
      if (*kind == TimelineKind::kDocument) common.size = SizeClass(entry.detail);
      events.push_back(std::move(common));
      return;
    }
    case EntryKind::kCommit:
      for (const client::EntryChange& change : entry.changes) {
        TimelineEvent event = common;
        event.kind = change.joined != 0 ? TimelineKind::kJoined : TimelineKind::kLeft;
        event.subject = TimelinePerson{change.id, change.name, static_cast<Role>(change.role),
                                       change.side, false};
        events.push_back(std::move(event));
      }
  }
}

absl::Status AddIncarnation(const ReadTransaction& step, const ChannelId& channel,
                            const LoggedIncarnation& log, ChannelTimeline& timeline) {
  TimelineChain chain{
      log.incarnation,   log.joined.position,          crypto::ToHex(log.joined.hash),
      log.head.position, crypto::ToHex(log.head.hash), log.head.position + 1};
  client::HashHistory hashes([names = ChannelNames(channel), n = log.incarnation](uint64_t block) {
    return names.Hashes(n, block);
  });
  for (uint64_t at = 0; at <= log.head.position; ++at) {
    PARLEY_ASSIGN_OR_RETURN(const std::optional<EntryRecord> entry,
                            client::LoadEntry(step, channel, log.incarnation, at));
    if (!entry.has_value()) continue;
    if (at > log.joined.position) chain.recorded_from = std::min(chain.recorded_from, at);
    PARLEY_ASSIGN_OR_RETURN(const std::optional<client::TranscriptHash> hash, hashes.Get(step, at));
    TimelineEvent common;
    common.incarnation = log.incarnation;
    common.position = at;
    if (hash.has_value()) common.hash = crypto::ToHex(*hash);
    AddEvents(*entry, std::move(common), timeline.events);
  }
  timeline.chains.push_back(std::move(chain));
  return absl::OkStatus();
}

std::vector<TimelineAct> ActsOf(const client::LoadedProcedure& procedure) {
  std::vector<TimelineAct> acts;
  for (const client::ProcedureLog::Step& step : procedure.log.steps()) {
    TimelineAct& act = acts.emplace_back();
    act.incarnation = step.record.at.incarnation;
    act.position = step.record.at.position;
    const client::Actor& author = step.record.author;
    act.author = {author.id, author.name, author.role, author.side, false};
    act.act = step.read.act.kind;
    act.time = step.read.time;
    act.counts = step.refused.empty();
    if (act.counts) act.state = step.afterwards.state();
  }
  return acts;
}

// What of a channel's log counts, where that can be told.
using Counts = std::map<client::JointPosition, bool>;

bool IsOfOffers(TimelineKind kind) {
  return kind == TimelineKind::kOffer || kind == TimelineKind::kOfferAnswer ||
         kind == TimelineKind::kOfferEnd;
}

void Mark(const Counts& counts, ChannelTimeline& channel) {
  for (TimelineEvent& event : channel.events) {
    const auto found = counts.find({event.incarnation, event.position});
    const bool judged = event.kind >= TimelineKind::kAct && event.kind < TimelineKind::kRetraction;
    if (judged && found != counts.end()) event.counts = found->second;
  }
}

void AddActs(const std::vector<TimelineAct>& acts, Counts& counts) {
  for (const TimelineAct& act : acts) counts[{act.incarnation, act.position}] = act.counts;
}

absl::Status AddSession(const ReadTransaction& step, const client::CaseContext& context,
                        const client::LoadedProcedure* procedure,
                        std::map<ChannelId, Counts>& counts) {
  PARLEY_ASSIGN_OR_RETURN(const std::optional<client::LoadedSession> session,
                          client::LoadSession(step, context, procedure));
  if (!session.has_value() || !session->log.is_based()) return absl::OkStatus();
  for (const client::SessionLog::Step& one : session->log.steps()) {
    counts[session->joint][one.at] = one.refused.empty();
  }
  return absl::OkStatus();
}

absl::Status AddCalendars(const ReadTransaction& step, const client::CaseContext& context,
                          std::map<ChannelId, Counts>& counts) {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<client::LoadedCalendar> calendars,
                          client::LoadCalendars(step, context));
  for (const client::LoadedCalendar& calendar : calendars) {
    for (const client::CalendarLog::Step& one : calendar.log.steps) {
      if (!one.undecided) counts[calendar.channel][one.at] = one.refused.empty();
    }
  }
  return absl::OkStatus();
}

// Of offers it is known which ones don't count.
absl::Status AddOffers(const ReadTransaction& step, const client::CaseContext& context,
                       CaseTimeline& timeline) {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<client::ChannelOffers> all,
                          client::LoadOffers(step, context));
  for (ChannelTimeline& channel : timeline.channels) {
    const auto offers = std::find_if(all.begin(), all.end(), [&](const auto& one) {
      return one.channel == channel.channel.channel_id;
    });
    if (offers == all.end()) continue;
    std::map<client::JointPosition, bool> undecided;  // of those that were passed over
    for (const client::PassedOverOffer& one : offers->passed_over) {
      undecided[one.at] = one.undecided;
    }
    for (TimelineEvent& event : channel.events) {
      if (!IsOfOffers(event.kind)) continue;
      const auto passed = undecided.find({event.incarnation, event.position});
      if (passed == undecided.end()) {
        event.counts = true;
      } else if (!passed->second) {
        event.counts = false;
      }
    }
  }
  return absl::OkStatus();
}

void MarkPeople(const client::CaseView& view, CaseTimeline& timeline) {
  const auto mark = [&](TimelinePerson& person) {
    client::RosterMember member;
    member.participant_id = person.id;
    person.compared = view.PersonOf(member).compared;
  };
  for (ChannelTimeline& channel : timeline.channels) {
    for (TimelineEvent& event : channel.events) {
      mark(event.author);
      if (event.subject.has_value()) mark(*event.subject);
    }
  }
  for (TimelineAct& act : timeline.acts) mark(act.author);
}

// The case's channels by name, without anything that the case's other records could spoil: those
// that can't be read come last.
struct NamedChannel {
  ChannelId id;
  std::string name;
};
absl::StatusOr<std::vector<NamedChannel>> NamesOf(const ReadTransaction& step,
                                                  const client::CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord record, context.Records().Case(step));
  std::vector<std::tuple<bool, ChannelKind, std::string, ChannelId>> order;
  for (const ChannelId& id : record.channels) {
    const absl::StatusOr<client::ChannelInfo> info = context.Channel(id).Info(step);
    if (absl::IsDataLoss(info.status())) {
      order.emplace_back(true, ChannelKind::kUnknown, "", id);
      continue;
    }
    PARLEY_RETURN_IF_ERROR(info.status());
    order.emplace_back(false, info->state.kind, info->state.side, id);
  }
  std::sort(order.begin(), order.end());
  std::vector<NamedChannel> named;
  for (const auto& [unreadable, kind, side, id] : order) {
    named.push_back({id, unreadable ? "the channel " + id.ToString().substr(0, 8)
                                    : client::DescribeChannel(kind, side)});
  }
  return named;
}

// What verifying an incarnation finds; damage is a finding.
absl::Status AddCheck(const ReadTransaction& step, const LoggedIncarnation& log, ChainCheck check,
                      std::vector<ChainCheck>& checks) {
  check.incarnation = log.incarnation;
  check.from = log.joined.position;
  check.head = log.head.position;
  check.head_hash = crypto::ToHex(log.head.hash);
  const absl::StatusOr<client::ChainFinding> finding =
      client::VerifyChain(step, check.channel.channel_id, log);
  if (finding.ok()) {
    check.not_recorded = finding->not_recorded;
    check.whole = finding->problem.empty();
    check.broken_at = finding->broken_at;
    check.problem = finding->problem;
  } else if (absl::IsDataLoss(finding.status())) {
    check.problem = std::string(finding.status().message());
  } else {
    return finding.status();
  }
  checks.push_back(std::move(check));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CaseTimeline> Profile::Impl::Timeline(const CaseId& id) {
  PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, store_->Read());
  const client::CaseContext context = LocalContext(id);
  PARLEY_ASSIGN_OR_RETURN(const client::CaseView view, client::CaseView::Create(read, context));
  PARLEY_ASSIGN_OR_RETURN(const std::vector<Channel> channels, view.Channels(read));
  CaseTimeline timeline;
  for (const Channel& channel : channels) {
    ChannelTimeline& one = timeline.channels.emplace_back();
    one.channel = channel.ref;
    one.channel_name = channel.name;
    PARLEY_ASSIGN_OR_RETURN(const std::vector<LoggedIncarnation> logs,
                            client::ListIncarnations(read, channel.ref.channel_id));
    for (const LoggedIncarnation& log : logs) {
      PARLEY_RETURN_IF_ERROR(AddIncarnation(read, channel.ref.channel_id, log, one));
    }
  }
  PARLEY_ASSIGN_OR_RETURN(const std::optional<client::LoadedProcedure> procedure,
                          client::LoadProcedure(read, context));
  std::map<ChannelId, Counts> counts;
  if (procedure.has_value()) {
    timeline.acts = ActsOf(*procedure);
    if (procedure->joint.has_value()) AddActs(timeline.acts, counts[*procedure->joint]);
  }
  PARLEY_RETURN_IF_ERROR(
      AddSession(read, context, procedure.has_value() ? &*procedure : nullptr, counts));
  PARLEY_RETURN_IF_ERROR(AddCalendars(read, context, counts));
  for (ChannelTimeline& channel : timeline.channels) {
    Mark(counts[channel.channel.channel_id], channel);
  }
  PARLEY_RETURN_IF_ERROR(AddOffers(read, context, timeline));
  MarkPeople(view, timeline);
  PARLEY_ASSIGN_OR_RETURN(timeline.alarms, client::ViewAlarms(read, context));
  return timeline;
}

absl::StatusOr<std::vector<ChainCheck>> Profile::Impl::VerifyTimeline(const CaseId& id) {
  PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, store_->Read());
  PARLEY_ASSIGN_OR_RETURN(const std::vector<NamedChannel> channels,
                          NamesOf(read, LocalContext(id)));
  std::vector<ChainCheck> checks;
  for (const NamedChannel& channel : channels) {
    ChainCheck check;
    check.channel = {id, channel.id};
    check.channel_name = channel.name;
    const absl::StatusOr<std::vector<LoggedIncarnation>> logs =
        client::ListIncarnations(read, channel.id);
    if (absl::IsDataLoss(logs.status())) {
      check.problem = std::string(logs.status().message());
      checks.push_back(std::move(check));
      continue;
    }
    PARLEY_RETURN_IF_ERROR(logs.status());
    for (const LoggedIncarnation& log : *logs) {
      PARLEY_RETURN_IF_ERROR(AddCheck(read, log, check, checks));
    }
  }
  return checks;
}

}  // namespace parley

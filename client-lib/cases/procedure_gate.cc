#include "client-lib/cases/procedure_gate.h"

#include <algorithm>

#include "client-lib/channels/log_hash.h"
#include "client-lib/content/parse.h"
#include "client-lib/procedure/procedure_table.h"
#include "client-lib/procedure/session_log.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

constexpr size_t kShownId = 8;

bool IsOfOffer(ContentKind kind) {
  return kind == ContentKind::kOffer || kind == ContentKind::kOfferAnswer;
}

// What people say, as opposed to what programs and the procedure say.
bool IsSaid(ContentKind kind) {
  return kind == ContentKind::kText || kind == ContentKind::kDocument ||
         kind == ContentKind::kDisclosure || kind == ContentKind::kBriefRelease ||
         kind == ContentKind::kDisclosureAuthorisation || kind == ContentKind::kOptionSheet ||
         kind == ContentKind::kOptionEvaluation || kind == ContentKind::kCalendar ||
         kind == ContentKind::kFirewallOverride || kind == ContentKind::kUnknown || IsOfOffer(kind);
}

}  // namespace

std::string MissingText(const std::vector<CaseProcedure::Missing>& missing) {
  std::string text;
  for (const CaseProcedure::Missing& entry : missing) {
    text += (text.empty() ? "" : "; ") + entry.who + " " + entry.what;
  }
  return text;
}

std::string WhyNoOffers(CaseState state) {
  switch (state) {
    case CaseState::kEngaged:
    case CaseState::kInSession:
    case CaseState::kSuspended:
    case CaseState::kAgreedInPrinciple:
    case CaseState::kSigning:
    case CaseState::kReopened:
      return {};
    default:
      return std::string("the case is ") + NameOf(state) +
             "; offers are made and answered while it is under way";
  }
}

std::string WhyNoMeetings(CaseState state) {
  if (!IsAtRest(state)) return {};
  return std::string("the case is ") + NameOf(state) +
         "; until it goes on, meetings and reminders can only be cancelled";
}

absl::Status CheckIsBound(const ReadTransaction& step, const CaseContext& context,
                          const ParticipantId& id, const std::string& name) {
  PARLEY_ASSIGN_OR_RETURN(const std::optional<LoadedProcedure> procedure,
                          LoadProcedure(step, context));
  if (!procedure.has_value()) return absl::OkStatus();
  const bool is_in = std::any_of(procedure->roster.begin(), procedure->roster.end(),
                                 [&id](const Actor& member) { return member.id == id; });
  if (!is_in) {
    return absl::FailedPreconditionError(
        name +
        " isn't in the joint channel, where everybody signs the agreement to mediate, and who "
        "hasn't signed keeps the others of a channel from talk; let them into the joint channel "
        "first (parley channel admit " +
        context.id.ToString().substr(0, kShownId) + " joint " + id.ToString().substr(0, kShownId) +
        ")");
  }
  const CaseProcedure::Proposal* const agreement = procedure->log.procedure().in_force();
  if (agreement == nullptr || agreement->signers.contains(id)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      name + " hasn't signed the agreement to mediate, version " +
      std::to_string(agreement->version) +
      "; they sign first (parley case agreement sign), and can be let in then");
}

absl::Status CheckMayRead(const ReadTransaction& step, const CaseContext& context,
                          const RosterMember& member, ChannelKind kind) {
  PARLEY_ASSIGN_OR_RETURN(const std::optional<ConfidentialityPolicy> policy,
                          PolicyInForce(step, context));
  if (!policy.has_value() || policy->MayRead(member.role, kind)) return absl::OkStatus();
  std::string lines;
  for (const Access& one : policy->access) {
    if (one.what != kind || one.roles.contains(member.role)) continue;
    lines += (lines.empty() ? "" : ", ") + std::string("access ") + ChannelKindName(kind) + ": " +
             one.who;
  }
  return absl::FailedPreconditionError(
      Describe(member) + " may not read " + ChannelKindName(kind) +
      " by the agreement to mediate (" + lines +
      "), and nobody could say anything there while they do; have all sign an amended agreement "
      "first (parley case agreement propose)");
}

absl::Status CheckMayReadByRole(const ReadTransaction& step, const CaseContext& context,
                                const PersonRecord& person) {
  RosterMember member;
  member.name = person.name;
  member.role = person.role;
  member.side = person.side;
  const bool neutral = IsNeutral(member.role);
  std::vector<ChannelKind> kinds;
  if (neutral) kinds.push_back(ChannelKind::kNeutrals);
  if (neutral || !member.side.empty()) {
    kinds.push_back(ChannelKind::kJoint);
    kinds.push_back(ChannelKind::kCaucus);
  }
  for (const ChannelKind kind : kinds) {
    PARLEY_RETURN_IF_ERROR(CheckMayRead(step, context, member, kind));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> WhyAgainst(const ReadTransaction& step,
                                       const LoadedProcedure& procedure,
                                       const ChannelState& channel, const ChannelMessage& message,
                                       bool* pending) {
  if (pending != nullptr) *pending = false;
  if (!procedure.joint.has_value()) return std::string();
  content::v1::Content content;
  const bool parsed = ParseFromPeer(content, message.content.Reveal());
  // An offer ends without words whatever has become of the case; with words it is said.
  const bool is_said = message.kind == ContentKind::kOfferEnd ? !content.offer_end().note().empty()
                                                              : IsSaid(message.kind);
  // So does a meeting; and what programs tell who comes later is nobody's word.
  const bool only_ends = content.calendar_entry().cancelled() || content.has_calendar_standing();
  if (!is_said || only_ends) return std::string();
  JointPosition at{message.incarnation, message.position};
  if (channel.kind != ChannelKind::kJoint) {
    // Channels have no common order. So the author says how far they had read the joint channel,
    // with the hash there, which nobody knows who hasn't read so far.
    if (!parsed || !content.has_case_position()) {
      return std::string("the author doesn't say under which agreement it was said");
    }
    at = {content.case_position().incarnation(), content.case_position().at().position()};
    if (at > procedure.head) {
      if (pending != nullptr) *pending = true;
      return std::string("the author claims to have read what the joint channel doesn't show here");
    }
    PARLEY_ASSIGN_OR_RETURN(const std::optional<TranscriptHash> own,
                            LogHashAt(step, *procedure.joint, at.incarnation, at.position));
    // Where this device has come in later it goes by the others' word.
    if (own.has_value() &&
        crypto::ToString(*own) != content.case_position().at().transcript_hash()) {
      return std::string("the author claims to have read what the joint channel doesn't show here");
    }
  }
  // Who came later than the case's beginning waits for a neutral's overview.
  if (pending != nullptr) *pending = !procedure.log.has_begun();
  const CaseProcedure then = procedure.log.At(at);
  const std::vector<CaseProcedure::Missing> missing =
      then.KeepsFromTalk(message.author.participant_id, channel.kind, channel.side);
  if (!missing.empty()) {
    return "said before it was allowed; missing was: " + MissingText(missing);
  }
  const bool is_offer = IsOfOffer(message.kind) || (parsed && content.disclosure().has_offer() &&
                                                    !content.disclosure().offer().has_end());
  if (parsed && content.has_calendar_entry()) return WhyNoMeetings(then.state());
  return is_offer ? WhyNoOffers(then.state()) : std::string();
}

}  // namespace parley::client

#include "client-lib/procedure/case_procedure.h"

#include <algorithm>
#include <bit>

#include "client-lib/procedure/procedure_table.h"

namespace parley::client {
namespace {

// From here on a conflict that comes up suspends.
bool IsUnderWay(CaseState state) {
  return state == CaseState::kEngaged || state == CaseState::kInSession ||
         state == CaseState::kAgreedInPrinciple || state == CaseState::kSigning;
}

// Over this a list is no list of a case's participants.
constexpr size_t kMostParticipants = 1000;

}  // namespace

Verdict CaseProcedure::Apply(const Actor& author, const Act& act) {
  Verdict verdict{Refusal(author, act)};
  if (!verdict.counts()) return verdict;
  Carry(author, act);
  FollowUp();
  return verdict;
}

std::string CaseProcedure::Refusal(const Actor& author, const Act& act) const {
  const ActRule* const rule = FindRule(act.kind);
  if (rule == nullptr) return "may not: the procedure has no such act";
  if ((rule->who & SetOf(author.role)) == 0) {
    const bool one_role = std::has_single_bit(rule->who);
    return std::string("may not ") + rule->name + ": only " + (one_role ? "a " : "") +
           DescribeWho(*rule) + " may";
  }
  if ((rule->from & SetOf(state_)) == 0) {
    return std::string("may not ") + rule->name + " now: the case is " + NameOf(state_) +
           ", and this can be done while it is " + DescribeFrom(*rule);
  }
  std::string condition = ConditionOf(author, act);
  if (condition.empty()) return condition;
  return std::string("may not ") + rule->name + ": " + condition;
}

std::string CaseProcedure::ConditionOf(const Actor& author, const Act& act) const {
  if (!act.fault.empty()) return act.fault;
  if (FindRule(act.kind)->who == (SetOf(Role::kParty) | SetOf(Role::kCounsel)) &&
      author.side.empty()) {
    return "who has no side can't speak for one";
  }
  switch (act.kind) {
    case CaseAct::kListParticipants:
      return act.participants.empty() || act.participants.size() > kMostParticipants
                 ? "it is no list of participants"
                 : "";
    case CaseAct::kAccept:
      return consented_.contains(author.side) ? "the side " + author.side + " has accepted already"
                                              : "";
    case CaseAct::kReopen:
      return reopening_.contains(author.side) ? "the side " + author.side + " has asked already"
                                              : "";
    case CaseAct::kStartSigning:
      return act.document == DocumentHash{} ? "it doesn't name the settlement" : "";
    case CaseAct::kConfirmSettlement:
      if (act.document != settlement_) return "it is another settlement than is to be signed";
      return settled_.contains(author.id) ? "this participant has confirmed it already" : "";
    case CaseAct::kReportDestruction:
      return FaultOfReport(author, act);
    case CaseAct::kWaive:
    case CaseAct::kObject: {
      const auto found =
          std::find_if(disclosures_.begin(), disclosures_.end(),
                       [&](const Disclosure& disclosure) { return disclosure.id == act.about; });
      if (found == disclosures_.end()) return "there is no such disclosure";
      // So a side can't fill the case's history by changing its mind again and again.
      const auto answer = found->answers.find(author.side);
      if (answer == found->answers.end()) return "";
      if (answer->second.waived) {
        return "the side " + author.side + " has waived already, and that stands";
      }
      if (act.kind == CaseAct::kObject) {
        return "the side " + author.side + " has objected already";
      }
      return "";
    }
    case CaseAct::kProposeAgreement: {
      const Proposal* const same = ProposalOf(act.document);
      return same == nullptr ? "" : "this very text is " + VersionText(same->version) + " already";
    }
    case CaseAct::kSign: {
      const Proposal* const proposal = ProposalOf(act.document);
      if (proposal == nullptr) return "it is the signature of another text than was proposed";
      if (proposal != in_force() && proposal != &proposals_.back()) {
        return VersionText(proposal->version) + " was replaced by " +
               VersionText(proposals_.back().version);
      }
      return proposal->signers.contains(author.id) ? "this participant has signed it already" : "";
    }
    case CaseAct::kBeginSession: {
      const std::vector<Missing> missing = WaitsFor();
      return missing.empty() ? "" : missing.front().who + " " + missing.front().what + " first";
    }
    default:
      return "";
  }
}

// So nobody can fill the case's history by reporting again and again.
std::string CaseProcedure::FaultOfReport(const Actor& author, const Act& act) const {
  if (act.destroyed.empty() || act.destroyed.size() > kMostClasses) {
    return "it names no classes of record";
  }
  const std::set<std::string> known = DestroyedBy(author.id);
  for (const std::string& name : act.destroyed) {
    if (name.empty() || name.size() > kMostClassBytes) return "it names no class of record";
    if (known.contains(name)) return "this participant has reported it already";
  }
  return known.size() + act.destroyed.size() > kMostClasses ? "it names more classes than can be"
                                                            : "";
}

std::set<std::string> CaseProcedure::DestroyedBy(const ParticipantId& id) const {
  const auto found = destroyed_.find(id);
  return found == destroyed_.end() ? std::set<std::string>() : found->second;
}

void CaseProcedure::Carry(const Actor& author, const Act& act) {
  switch (act.kind) {
    case CaseAct::kOpen:
      participants_ = {author};
      break;
    case CaseAct::kListParticipants:
      participants_ = act.participants;
      std::sort(participants_.begin(), participants_.end());
      participants_.erase(std::unique(participants_.begin(), participants_.end(),
                                      [](const Actor& a, const Actor& b) { return a.id == b.id; }),
                          participants_.end());
      break;
    case CaseAct::kRequest:
      consented_ = {author.side};
      break;
    case CaseAct::kAccept:
      consented_.insert(author.side);
      break;
    case CaseAct::kDiscloseConflict:
      disclosures_.push_back({act.id, author, {}});
      break;
    case CaseAct::kWaive:
    case CaseAct::kObject:
      for (Disclosure& disclosure : disclosures_) {
        if (disclosure.id != act.about) continue;
        disclosure.answers[author.side] = {author, act.kind == CaseAct::kWaive, act.id};
      }
      break;
    case CaseAct::kProposeAgreement:
      proposals_.push_back(
          {act.document, static_cast<uint32_t>(proposals_.size() + 1), author, act.id, {}});
      break;
    case CaseAct::kSign:
      ProposalOf(act.document)->signers.insert(author.id);
      break;
    case CaseAct::kStartSigning:
      settled_.clear();
      settlement_ = act.document;
      settlement_item_ = act.about;
      break;
    case CaseAct::kReportDestruction:
      destroyed_[author.id].insert(act.destroyed.begin(), act.destroyed.end());
      break;
    case CaseAct::kConfirmSettlement:
      settled_.insert(author.id);
      break;
    case CaseAct::kReopen:
      reopening_.insert(author.side);
      break;
    case CaseAct::kClose:
      reopening_.clear();
      break;
    default:
      break;
  }
  const ActRule& rule = *FindRule(act.kind);
  if (rule.to == CaseState::kNone) return;
  if (act.kind == CaseAct::kReopen && !EverySide(reopening_)) return;
  if (act.kind == CaseAct::kConfirmSettlement &&
      !std::all_of(participants_.begin(), participants_.end(), [this](const Actor& participant) {
        return participant.role != Role::kParty || settled_.contains(participant.id);
      })) {
    return;
  }
  state_ = rule.to;
  if (act.kind == CaseAct::kReopen) destroyed_.clear();
}

// What the table's second part says. Lists and signatures can complete more than one step at once.
void CaseProcedure::FollowUp() {
  if (state_ == CaseState::kRequested && Sides().size() >= 2 && EverySide(consented_)) {
    state_ = CaseState::kConsented;
  }
  if (!proposals_.empty() && state_ != CaseState::kOpened && state_ != CaseState::kRequested &&
      EverySigned(proposals_.back())) {
    in_force_ = proposals_.back().version;
  }
  if (state_ == CaseState::kConsented && in_force_.has_value() && EverySigned(*in_force()) &&
      !ConflictOpen()) {
    state_ = CaseState::kEngaged;
  } else if (IsUnderWay(state_) && ConflictOpen()) {
    state_ = CaseState::kSuspended;
  }
}

const CaseProcedure::Proposal* CaseProcedure::in_force() const {
  return in_force_.has_value() ? &proposals_[*in_force_ - 1] : nullptr;
}

const CaseProcedure::Proposal* CaseProcedure::proposed() const {
  if (proposals_.empty() || in_force_ == proposals_.back().version) return nullptr;
  return &proposals_.back();
}

const Actor* CaseProcedure::Find(const ParticipantId& id) const {
  const auto found = std::find_if(participants_.begin(), participants_.end(),
                                  [&](const Actor& participant) { return participant.id == id; });
  return found == participants_.end() ? nullptr : &*found;
}

std::set<std::string> CaseProcedure::Sides() const {
  std::set<std::string> sides;
  for (const Actor& participant : participants_) {
    if (SpeaksForSide(participant)) sides.insert(participant.side);
  }
  return sides;
}

bool CaseProcedure::EverySide(const std::set<std::string>& done) const {
  const std::set<std::string> sides = Sides();
  return std::includes(done.begin(), done.end(), sides.begin(), sides.end());
}

bool CaseProcedure::EverySigned(const Proposal& proposal) const {
  return WhoHasNotSigned(proposal).empty();
}

std::vector<std::string> CaseProcedure::WhoHasNotSigned(const Proposal& proposal) const {
  std::vector<std::string> names;
  for (const Actor& participant : participants_) {
    if (!proposal.signers.contains(participant.id)) names.push_back(participant.name);
  }
  return names;
}

bool CaseProcedure::IsSettled(const Disclosure& disclosure) const {
  if (Find(disclosure.by.id) == nullptr) return true;
  for (const std::string& side : Sides()) {
    const auto answer = disclosure.answers.find(side);
    if (answer == disclosure.answers.end() || !answer->second.waived) return false;
  }
  return true;
}

bool CaseProcedure::ConflictOpen() const {
  return std::any_of(disclosures_.begin(), disclosures_.end(),
                     [this](const Disclosure& disclosure) { return !IsSettled(disclosure); });
}

CaseProcedure::Proposal* CaseProcedure::ProposalOf(const DocumentHash& document) {
  return const_cast<Proposal*>(static_cast<const CaseProcedure*>(this)->ProposalOf(document));
}

const CaseProcedure::Proposal* CaseProcedure::ProposalOf(const DocumentHash& document) const {
  const auto found =
      std::find_if(proposals_.begin(), proposals_.end(),
                   [&](const Proposal& proposal) { return proposal.document == document; });
  return found == proposals_.end() ? nullptr : &*found;
}

void CaseProcedure::AddUnsigned(const Proposal& proposal, std::vector<Missing>& missing) const {
  const char* const command = IsOpenTo(CaseAct::kSign, state_) ? kSignCommand : "";
  for (const std::string& name : WhoHasNotSigned(proposal)) {
    missing.push_back(
        {name, "signs the agreement to mediate (" + VersionText(proposal.version) + ")", command});
  }
}

std::vector<CaseProcedure::Missing> CaseProcedure::WaitsFor() const {
  std::vector<Missing> missing;
  const bool is_live = state_ == CaseState::kOpened || state_ == CaseState::kRequested ||
                       IsOpenTo(CaseAct::kSign, state_);
  if (!is_live) return missing;
  if (state_ == CaseState::kOpened) {
    missing.push_back({kAnySide, "requests mediation", "parley case request"});
  }
  if (state_ == CaseState::kRequested) {
    const std::set<std::string> sides = Sides();
    for (const std::string& side : sides) {
      if (consented_.contains(side)) continue;
      missing.push_back({side, "accepts the request", "parley case accept, decline"});
    }
    if (sides.size() < 2) missing.push_back({"another side", "joins the case"});
  }
  for (const Disclosure& disclosure : disclosures_) {
    if (IsSettled(disclosure)) continue;
    for (const std::string& side : Sides()) {
      const auto answer = disclosure.answers.find(side);
      if (answer != disclosure.answers.end() && answer->second.waived) continue;
      if (answer == disclosure.answers.end()) {
        missing.push_back({side, "answers what " + disclosure.by.name + " has disclosed",
                           "parley case waive, object"});
      } else {
        missing.push_back({side,
                           "waives its objection to " + disclosure.by.name + ", or " +
                               disclosure.by.name + " leaves",
                           "parley case waive"});
      }
    }
  }
  if (proposals_.empty()) {
    missing.push_back(
        {kAnyNeutral, "proposes the agreement to mediate", "parley case agreement propose"});
  } else {
    AddUnsigned(in_force() == nullptr ? proposals_.back() : *in_force(), missing);
  }
  if (state_ != CaseState::kSigning) return missing;
  for (const Actor& participant : participants_) {
    if (participant.role != Role::kParty || settled_.contains(participant.id)) continue;
    missing.push_back({participant.name, "confirms the settlement that is to be signed",
                       "parley case act confirm-settlement --settlement"});
  }
  return missing;
}

bool HasEnded(CaseState state) {
  return (FindRule(CaseAct::kReportDestruction)->from & SetOf(state)) != 0;
}

bool Reads(const Actor& participant, ChannelKind kind, const std::string& side) {
  switch (kind) {
    case ChannelKind::kJoint:
    case ChannelKind::kGroup:  // whoever the neutrals admit
      return true;
    case ChannelKind::kCaucus:
      return IsNeutral(participant.role) || participant.side == side;
    case ChannelKind::kTeam:
      return participant.side == side;
    case ChannelKind::kCounsel:
      return IsNeutral(participant.role) || participant.role == Role::kCounsel;
    default:
      return IsNeutral(participant.role);
  }
}

std::vector<CaseProcedure::Missing> CaseProcedure::KeepsFromTalk(const ParticipantId& speaker,
                                                                 ChannelKind kind,
                                                                 const std::string& side) const {
  const Proposal* const agreement = in_force();
  if (agreement == nullptr) {
    std::vector<Missing> missing = WaitsFor();
    if (missing.empty()) {
      missing.push_back(
          {"an agreement to mediate", "that everybody has signed; the case has ended without one"});
    }
    return missing;
  }
  std::vector<Missing> missing;
  if (Find(speaker) == nullptr) {
    missing.push_back(
        {kAnyNeutral, "lists who wants to speak among the case's participants", kProgramsDoIt});
  }
  const char* const command = IsOpenTo(CaseAct::kSign, state_) ? kSignCommand : "";
  for (const Actor& participant : participants_) {
    if (participant.id != speaker && !Reads(participant, kind, side)) continue;
    if (agreement->signers.contains(participant.id)) continue;
    missing.push_back({participant.name,
                       "signs the agreement to mediate (" + VersionText(agreement->version) + ")",
                       command});
  }
  return missing;
}

}  // namespace parley::client

#include "client-lib/api/procedure_view.h"

#include <algorithm>

#include "client-lib/api/views.h"
#include "client-lib/cases/participant_listing.h"
#include "client-lib/cases/procedure_gate.h"
#include "client-lib/cases/record_keys.h"

namespace parley::client {
namespace {

// Of one case, with those of its channels; more acts are counted.
constexpr size_t kMostAlarms = 64;
// More than any case has: a neutral's list can make people up.
constexpr size_t kMostMissing = 128;

class ProgressView {
 public:
  ProgressView(const LoadedProcedure& procedure, std::map<ParticipantId, KnownKey> keys,
               const ParticipantId& self, std::set<ParticipantId> compared)
      : procedure_(procedure),
        keys_(std::move(keys)),
        self_(self),
        compared_(std::move(compared)) {}

  void Show(CaseProgress& progress) const {
    const CaseProcedure& now = procedure_.log.procedure();
    progress.state = now.state();
    for (const CaseProcedure::Disclosure& disclosure : now.disclosures()) {
      progress.disclosures.push_back(ShowDisclosure(disclosure));
    }
    if (now.settlement() != DocumentHash{}) {
      progress.settlement = crypto::ToHex(now.settlement());
      progress.settlement_item = now.settlement_item();
    }
    if (now.in_force() != nullptr) progress.in_force = ShowAgreement(*now.in_force());
    if (now.proposed() != nullptr) progress.proposed = ShowAgreement(*now.proposed());
    for (const ProcedureLog::Step& step : procedure_.log.steps()) {
      progress.entries.push_back(ShowStep(step));
    }
  }

 private:
  Person Show(const Actor& actor) const {
    Person person;
    person.id = actor.id;
    person.name = actor.name;
    person.role = actor.role;
    person.side = actor.side;
    person.self = actor.id == self_;
    person.compared = person.self || compared_.contains(actor.id);
    return person;
  }

  std::string WordsOf(const MessageId& record) const {
    for (const ProcedureLog::Step& step : procedure_.log.steps()) {
      if (step.read.act.id == record) return step.read.words;
    }
    return {};
  }

  ConflictDisclosure ShowDisclosure(const CaseProcedure::Disclosure& disclosure) const {
    ConflictDisclosure shown;
    shown.id = disclosure.id;
    shown.by = Show(disclosure.by);
    shown.words = WordsOf(disclosure.id);
    shown.settled = procedure_.log.procedure().IsSettled(disclosure);
    for (const auto& [side, answer] : disclosure.answers) {
      shown.answers.push_back({side, Show(answer.by), answer.waived, WordsOf(answer.record)});
    }
    return shown;
  }

  bool IsVouched(const ParticipantId& signer, const DocumentHash& document) const {
    const auto key = keys_.find(signer);
    if (key == keys_.end() || key->second.key.empty()) return false;
    for (const SignatureRecord& signature : procedure_.log.Signatures()) {
      if (signature.signer == signer && signature.document == document) {
        return signature.record_key == key->second.key;
      }
    }
    return false;
  }

  Agreement ShowAgreement(const CaseProcedure::Proposal& proposal) const {
    Agreement shown;
    shown.version = proposal.version;
    shown.hash = crypto::ToHex(proposal.document);
    shown.proposed_by = Show(proposal.by);
    if (const auto* text = procedure_.log.TextOf(proposal.record)) {
      shown.text = text->text();
      shown.policy = text->policy();
    }
    for (const Actor& participant : procedure_.log.procedure().participants()) {
      AgreementSigner signer;
      signer.person = Show(participant);
      signer.signed_it = proposal.signers.contains(participant.id);
      signer.vouched = signer.signed_it && IsVouched(participant.id, proposal.document);
      shown.signers.push_back(std::move(signer));
    }
    return shown;
  }

  CaseEntry ShowStep(const ProcedureLog::Step& step) const {
    CaseEntry entry;
    entry.id = step.read.act.id;
    entry.by = Show(step.record.author);
    entry.act = step.read.act.kind;
    entry.words = step.read.words;
    entry.time = step.read.time;
    entry.refused = step.refused;
    if (step.refused.empty()) entry.state = step.afterwards.state();
    return entry;
  }

  const LoadedProcedure& procedure_;
  std::map<ParticipantId, KnownKey> keys_;
  ParticipantId self_;
  std::set<ParticipantId> compared_;
};

std::vector<CaseMissing> ForPeople(const std::vector<CaseProcedure::Missing>& missing) {
  std::vector<CaseMissing> shown;
  for (const CaseProcedure::Missing& entry : missing) {
    if (shown.size() == kMostMissing) {
      shown.push_back(
          {"others",
           "do " + std::to_string(missing.size() - shown.size()) + " more things that are missing",
           ""});
      break;
    }
    shown.push_back({entry.who, entry.what, entry.command});
  }
  return shown;
}

}  // namespace

absl::StatusOr<CaseProgress> ViewProgress(const ReadTransaction& step, const CaseContext& context) {
  CaseProgress progress;
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  PARLEY_ASSIGN_OR_RETURN(std::optional<LoadedProcedure> procedure, LoadProcedure(step, context));
  if (!procedure.has_value()) return progress;
  progress.with_procedure = true;
  PARLEY_ASSIGN_OR_RETURN(auto keys, KnownRecordKeys(step, context, *procedure));
  PARLEY_ASSIGN_OR_RETURN(std::set<ParticipantId> compared, ComparedPeers(step, context));
  ProgressView(*procedure, std::move(keys), record.own_id, std::move(compared)).Show(progress);
  std::vector<CaseProcedure::Missing> missing;
  if (procedure->joint.has_value()) {
    PARLEY_ASSIGN_OR_RETURN(missing, KeepsFromTalk(step, context, *procedure, *procedure->joint));
  } else {
    missing.push_back({kAnyNeutral, "lets you into the joint channel"});
  }
  progress.may_speak = missing.empty();
  PARLEY_ASSIGN_OR_RETURN(const std::vector<CaseProcedure::Missing> elsewhere,
                          WhoCanNotSign(step, context, *procedure));
  missing.insert(missing.end(), elsewhere.begin(), elsewhere.end());
  const std::vector<CaseProcedure::Missing> unlisted = ListedOtherwise(*procedure);
  missing.insert(missing.end(), unlisted.begin(), unlisted.end());
  // What keeps the case from going on, beside what keeps people from talk.
  for (const CaseProcedure::Missing& other : procedure->log.procedure().WaitsFor()) {
    if (std::find(missing.begin(), missing.end(), other) == missing.end()) missing.push_back(other);
  }
  progress.missing = ForPeople(missing);
  return progress;
}

namespace {

absl::Status AddWrongList(const ReadTransaction& step, const CaseContext& context,
                          const LoadedProcedure& procedure, std::vector<Alarm>& alarms) {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<CaseProcedure::Missing> wrong,
                          ListedWrongly(step, context, procedure));
  for (const CaseProcedure::Missing& one : wrong) {
    alarms.push_back({AlarmKind::kRefused, context.id, ChannelRef{context.id, *procedure.joint},
                      std::nullopt,
                      "the neutrals' list of who takes part isn't who is in joint; agreements come "
                      "into force by it, so it has to be mended: " +
                          one.who + " " + one.what +
                          ". Their programs do that by themselves. If it stays so, ask them, by "
                          "another way: the "
                          "relay may also be keeping back what they have mended"});
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status AddProcedureAlarms(const ReadTransaction& step, const CaseContext& context,
                                std::vector<Alarm>& alarms) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<LoadedProcedure> procedure, LoadProcedure(step, context));
  if (!procedure.has_value() || !procedure->joint.has_value()) return absl::OkStatus();
  const ChannelRef joint{context.id, *procedure->joint};
  PARLEY_ASSIGN_OR_RETURN(uint64_t seen, SeenPassedOver(step, context));
  size_t more = 0;
  for (const ProcedureLog::Step& passed : procedure->log.steps()) {
    if (passed.refused.empty()) continue;
    if (seen > 0) {
      --seen;
      continue;
    }
    if (alarms.size() >= kMostAlarms) {
      ++more;
      continue;
    }
    alarms.push_back(
        {AlarmKind::kRefused, context.id, joint, passed.record.author.id,
         passed.record.author.name + " " + passed.refused + "; every client has passed it over"});
  }
  if (more > 0) {
    alarms.push_back({AlarmKind::kRefused, context.id, joint, std::nullopt,
                      std::to_string(more) + " more acts against the procedure were passed over"});
  }
  PARLEY_RETURN_IF_ERROR(AddWrongList(step, context, *procedure, alarms));
  PARLEY_ASSIGN_OR_RETURN(const auto keys, KnownRecordKeys(step, context, *procedure));
  for (const SignatureRecord& signature : procedure->log.Signatures()) {
    const auto key = keys.find(signature.signer);
    if (key == keys.end()) continue;
    const bool wrong = !key->second.key.empty() && key->second.key != signature.record_key;
    if (!wrong && !key->second.contradicted) continue;
    std::string name = signature.signer.ToString().substr(0, 8);
    for (const Actor& member : procedure->roster) {
      if (member.id == signature.signer) name = member.name;
    }
    alarms.push_back(
        {AlarmKind::kRefused, context.id, joint, signature.signer,
         wrong ? "the agreement's signature by " + name +
                     " is made with another key than theirs: speak with them"
               : "the neutrals say different things about the key of " + name + ": ask them"});
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> CaseView::AgainstProcedure(const ReadTransaction& step,
                                                       const ChannelState& channel,
                                                       const ChannelMessage& message) const {
  if (procedure_ == nullptr) return std::string();
  return WhyAgainst(step, *procedure_, channel, message);
}

}  // namespace parley::client

#include "client-lib/procedure/procedure_log.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "client-lib/channels/channel_ids.h"
#include "client-lib/content/parse.h"
#include "client-lib/content/shown_text.h"
#include "client-lib/procedure/agreement.h"
#include "client-lib/procedure/procedure_table.h"

namespace parley::client {
namespace {

using content::v1::CaseOverview;
using content::v1::Content;

// Of an act's own words.
constexpr size_t kMostWords = 4 * 1024;
constexpr std::string_view kOtherHistory =
    "it tells another history of the case than this channel shows";

std::optional<Actor> ReadParticipant(const CaseOverview::Participant& said) {
  const std::optional<ParticipantId> id = IdFrom<ParticipantId>(said.participant_id());
  const int role = static_cast<int>(said.role());
  const bool fits = role > 0 && role <= static_cast<int>(Role::kSupportPerson);
  if (!id.has_value() || !fits || !IsGoodName(said.name()) ||
      (!said.side().empty() && !IsGoodName(said.side()))) {
    return std::nullopt;
  }
  return Actor{*id, said.name(), static_cast<Role>(role), said.side()};
}

CaseOverview::Participant WriteParticipant(const Actor& participant) {
  CaseOverview::Participant said;
  said.set_participant_id(ToField(participant.id));
  said.set_name(participant.name);
  said.set_role(static_cast<content::v1::Role>(participant.role));
  said.set_side(participant.side);
  return said;
}

void ReadOverview(const CaseOverview& overview, Act& act) {
  act.kind = CaseAct::kListParticipants;
  for (const CaseOverview::Participant& said : overview.participants()) {
    std::optional<Actor> participant = ReadParticipant(said);
    if (!participant.has_value()) {
      act.fault = "it lists somebody without a proper name, role or id";
      return;
    }
    act.participants.push_back(std::move(*participant));
  }
}

// What only some acts have.
void ReadCaseAct(const content::v1::CaseActRecord& said, Act& act) {
  if (said.settlement_hash().size() == act.document.size()) {
    std::copy_n(said.settlement_hash().begin(), act.document.size(), act.document.begin());
  }
  // One more than counts is enough to be refused.
  for (const std::string& name : said.destroyed()) {
    if (act.destroyed.size() > kMostClasses) break;
    act.destroyed.push_back(name);
  }
}

void ReadSignature(const CaseId& id, const content::v1::AgreementSignature& signature,
                   ReadAct& read) {
  read.act.kind = CaseAct::kSign;
  read.record_key = crypto::ToBytes(signature.record_key());
  if (signature.document_hash().size() != read.act.document.size()) {
    read.act.fault = "it names no document";
    return;
  }
  std::copy_n(signature.document_hash().begin(), read.act.document.size(),
              read.act.document.begin());
  if (!VerifyAgreement(read.record_key, id, read.act.document,
                       crypto::ViewOf(signature.signature()))) {
    read.act.fault = "the signature doesn't verify";
  }
}

// As it stands in a history: without a history of its own.
crypto::Bytes ForHistory(const LoggedRecord& record) {
  Content content;
  if (!ParseFromPeer(content, record.content) || !content.has_case_overview()) {
    return record.content;
  }
  content.mutable_case_overview()->clear_history();
  return crypto::ToBytes(content.SerializeAsString());
}

JointPosition ThroughOf(const CaseOverview& overview) {
  return {overview.through_incarnation(), overview.through_position()};
}

// Of a record that may be gone by: a neutral's overview that reaches at least as far as `joined`.
std::optional<CaseOverview> OverviewIn(const LoggedRecord& record, const JointPosition& joined) {
  Content content;
  if (!IsNeutral(record.author.role) || !ParseFromPeer(content, record.content) ||
      !content.has_case_overview()) {
    return std::nullopt;
  }
  const JointPosition through = ThroughOf(content.case_overview());
  if (through < joined || through >= record.at) return std::nullopt;
  return std::move(*content.mutable_case_overview());
}

std::optional<LoggedRecord> ReadPast(const CaseOverview::Past& past) {
  std::optional<Actor> author = ReadParticipant(past.author());
  if (!author.has_value()) return std::nullopt;
  return LoggedRecord{
      {past.incarnation(), past.position()}, *std::move(author), crypto::ToBytes(past.content())};
}

}  // namespace

std::optional<ReadAct> ReadActOf(const CaseId& id, const LoggedRecord& record) {
  Content content;
  if (!ParseFromPeer(content, record.content)) return std::nullopt;
  const std::optional<MessageId> message_id = IdFrom<MessageId>(content.message_id());
  if (!message_id.has_value()) return std::nullopt;
  ReadAct read;
  read.act.id = *message_id;
  read.time = static_cast<int64_t>(content.claimed_time());
  switch (content.body_case()) {
    case Content::kCaseAct: {
      const content::v1::CaseActRecord& said = content.case_act();
      const bool known = said.act() <= static_cast<uint32_t>(CaseAct::kReportDestruction);
      read.act.kind = known ? static_cast<CaseAct>(said.act()) : CaseAct::kUnknown;
      read.act.about = IdFrom<MessageId>(said.about()).value_or(MessageId());
      read.words = said.words();
      ReadCaseAct(said, read.act);
      // These have records of their own kinds.
      if (read.act.kind == CaseAct::kListParticipants ||
          read.act.kind == CaseAct::kProposeAgreement || read.act.kind == CaseAct::kSign) {
        read.act.fault = "the record is of another kind";
      } else if (said.words().size() > kMostWords) {
        read.act.fault = "the record is too long";
      }
      return read;
    }
    case Content::kAgreementProposal: {
      read.act.kind = CaseAct::kProposeAgreement;
      read.proposal = content.agreement_proposal();
      read.act.document = AgreementHash(id, read.proposal.text(), read.proposal.policy());
      const absl::Status good = CheckAgreement(read.proposal.text(), read.proposal.policy());
      if (!good.ok()) read.act.fault = std::string(good.message());
      return read;
    }
    case Content::kAgreementSignature:
      ReadSignature(id, content.agreement_signature(), read);
      return read;
    case Content::kCaseOverview:
      ReadOverview(content.case_overview(), read.act);
      return read;
    default:
      return std::nullopt;
  }
}

ProcedureLog ProcedureLog::Play(const CaseId& id, const std::vector<LoggedRecord>& records,
                                const JointPosition& joined, const std::vector<Absence>& absences) {
  ProcedureLog log(id);
  JointPosition from = joined;  // an overview must reach as far
  if (joined.position != 0) log.unread_.push_back({{}, joined});
  std::vector<ReadRecord> own;
  auto absence = absences.begin();
  const auto leave = [&] {
    from = absence->back;
    log.unread_.push_back(*absence);
    log.waits_ = log.procedure_.state() != CaseState::kNone;
    ++absence;
  };
  for (const LoggedRecord& record : records) {
    while (absence != absences.end() && record.at > absence->left) leave();
    std::optional<ReadAct> read = ReadActOf(id, record);
    if (!read.has_value()) continue;
    const bool opens = read->act.kind == CaseAct::kOpen && from.position == 0;
    if (opens || log.has_begun()) {
      log.Take(record, *read);
    } else if (std::optional<ProcedureLog> whole = log.Completed({&record, *read}, from, own)) {
      log = *std::move(whole);
    }
    own.push_back({&record, *std::move(read)});
  }
  while (absence != absences.end()) leave();
  if (log.waits_) log.NameLiars(own, from);
  return log;
}

// What this device has read itself, and what the overview tells of the places that it hasn't;
// nothing where the record is no such overview, or that isn't the overview's history. What earlier
// overviews told has no part in it: the first of them may have been the false one.
std::optional<ProcedureLog> ProcedureLog::Completed(const ReadRecord& by, const JointPosition& from,
                                                    const std::vector<ReadRecord>& own) const {
  const JointPosition& told_at = by.record->at;
  const std::optional<CaseOverview> overview = OverviewIn(*by.record, from);
  if (!overview.has_value()) return std::nullopt;
  const JointPosition through = ThroughOf(*overview);
  ProcedureLog whole(id_);
  whole.unread_ = unread_;
  auto next = own.begin();
  const auto take_own = [&](const JointPosition& before) {
    for (; next != own.end() && next->record->at < before; ++next) {
      whole.Take(*next->record, next->read);
    }
  };
  for (const CaseOverview::Past& past : overview->history()) {
    const JointPosition at{past.incarnation(), past.position()};
    if (!IsUnread(at) || at > through) continue;
    const std::optional<LoggedRecord> earlier = ReadPast(past);
    if (!earlier.has_value()) return std::nullopt;
    take_own(at);
    // A restored profile has read some of it.
    const bool is_read = next != own.end() && next->record->at == at;
    if (!is_read && !whole.TakeTold(*earlier, told_at)) return std::nullopt;
  }
  take_own(told_at);
  if (!whole.has_begun() || !whole.TellsOurHistory(*overview)) return std::nullopt;
  whole.NoteKnown(steps_, told_at);
  whole.Take(*by.record, by.read);
  return whole;
}

// Of what was judged in the same way `before`, nothing is new; the rest wasn't known until now.
void ProcedureLog::NoteKnown(const std::vector<Step>& before, const JointPosition& told_at) {
  auto old = before.begin();
  for (Step& step : steps_) {
    while (old != before.end() && old->record.at < step.record.at) ++old;
    const bool is_known = old != before.end() && old->record.at == step.record.at &&
                          old->record.content == step.record.content &&
                          old->refused == step.refused && old->afterwards == step.afterwards;
    step.known_at = is_known ? old->known_at : told_at;
  }
}

// While something is missing: overviews by which one would go on if they told what this device has
// read. Later, each is compared when it is played.
void ProcedureLog::NameLiars(const std::vector<ReadRecord>& own, const JointPosition& back) {
  for (const ReadRecord& one : own) {
    const std::optional<CaseOverview> overview = OverviewIn(*one.record, back);
    if (!overview.has_value() || overview->history().empty()) continue;
    ReadAct read = one.read;
    if (read.act.fault.empty()) read.act.fault = kOtherHistory;
    Take(*one.record, std::move(read));
  }
}

bool ProcedureLog::IsUnread(const JointPosition& at) const {
  return std::any_of(unread_.begin(), unread_.end(), [&](const Absence& absence) {
    return at > absence.left && at <= absence.back;
  });
}

// Whether it comes after what was taken before; then it is taken.
bool ProcedureLog::TakeTold(const LoggedRecord& record, const JointPosition& told_at) {
  std::optional<ReadAct> read = ReadActOf(id_, record);
  if (!read.has_value() || (!steps_.empty() && record.at <= steps_.back().record.at)) return false;
  Take(record, *std::move(read));
  steps_.back().told_at = told_at;
  return true;
}

void ProcedureLog::Take(const LoggedRecord& record, ReadAct read) {
  if (read.act.kind == CaseAct::kListParticipants && read.act.fault.empty()) {
    Content content;
    // In a told history an overview stands without the history that it told.
    if (ParseFromPeer(content, record.content) && content.case_overview().history_size() > 0 &&
        !TellsOurHistory(content.case_overview())) {
      read.act.fault = kOtherHistory;
    }
  }
  Verdict verdict = procedure_.Apply(record.author, read.act);
  const bool counts = verdict.counts();
  steps_.push_back({record, std::move(read), std::move(verdict.refusal),
                    counts ? procedure_ : CaseProcedure(), JointPosition(), record.at});
}

bool ProcedureLog::TellsOurHistory(const CaseOverview& overview) const {
  const JointPosition through = ThroughOf(overview);
  int next = 0;
  for (const Step& step : steps_) {
    if (!step.refused.empty() || step.record.at > through) continue;
    if (next == overview.history_size()) return false;
    const CaseOverview::Past& past = overview.history(next++);
    const std::optional<Actor> author = ReadParticipant(past.author());
    const JointPosition at{past.incarnation(), past.position()};
    if (author != step.record.author || at != step.record.at ||
        crypto::ToBytes(past.content()) != ForHistory(step.record)) {
      return false;
    }
  }
  return next == overview.history_size();
}

CaseProcedure ProcedureLog::At(const JointPosition& at) const {
  const CaseProcedure* latest = nullptr;
  for (const Step& step : steps_) {
    if (step.record.at > at) break;
    if (step.refused.empty()) latest = &step.afterwards;
  }
  return latest == nullptr ? CaseProcedure() : *latest;
}

JointPosition ProcedureLog::ToldThrough() const {
  JointPosition told;
  for (const Step& step : steps_) {
    if (!step.refused.empty()) continue;
    if (step.read.act.kind == CaseAct::kOpen) told = std::max(told, step.record.at);
    Content content;
    if (step.read.act.kind != CaseAct::kListParticipants ||
        !ParseFromPeer(content, step.record.content)) {
      continue;
    }
    // By one that claims to reach beyond itself nobody goes.
    const JointPosition through = ThroughOf(content.case_overview());
    const bool tells = content.case_overview().history_size() > 0 && through < step.record.at;
    if (tells) told = std::max(told, through);
  }
  return told;
}

const content::v1::AgreementProposal* ProcedureLog::TextOf(const MessageId& record) const {
  for (const Step& step : steps_) {
    if (step.read.act.kind == CaseAct::kProposeAgreement && step.read.act.id == record &&
        step.refused.empty()) {
      return &step.read.proposal;
    }
  }
  return nullptr;
}

std::vector<SignatureRecord> ProcedureLog::Signatures() const {
  std::vector<SignatureRecord> signatures;
  for (const Step& step : steps_) {
    if (step.read.act.kind != CaseAct::kSign || !step.refused.empty()) continue;
    signatures.push_back({step.read.act.document, step.record.author.id, step.read.record_key});
  }
  return signatures;
}

CaseOverview ProcedureLog::MakeOverview(const std::vector<Actor>& participants,
                                        const JointPosition& through) const {
  CaseOverview overview;
  for (const Actor& participant : participants) {
    *overview.add_participants() = WriteParticipant(participant);
  }
  overview.set_through_incarnation(through.incarnation);
  overview.set_through_position(through.position);
  for (const Step& step : steps_) {
    if (!step.refused.empty() || step.record.at > through) continue;
    CaseOverview::Past& past = *overview.add_history();
    *past.mutable_author() = WriteParticipant(step.record.author);
    past.set_incarnation(step.record.at.incarnation);
    past.set_position(step.record.at.position);
    past.set_content(crypto::ToString(ForHistory(step.record)));
  }
  return overview;
}

}  // namespace parley::client

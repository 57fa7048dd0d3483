// People of a case and records of theirs, for tests of the procedure without a relay.
#ifndef PARLEY_CLIENT_LIB_PROCEDURE_PROCEDURE_FOR_TEST_H_
#define PARLEY_CLIENT_LIB_PROCEDURE_PROCEDURE_FOR_TEST_H_

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "client-lib/channels/channel_ids.h"
#include "client-lib/procedure/agreement.h"
#include "client-lib/procedure/procedure_log.h"

namespace parley::client::testing {

// The record keys are derived from the ids, so that histories repeat.
inline crypto::SignatureKey RecordKeyOf(const ParticipantId& id) {
  crypto::ByteArray<32> seed{};
  std::copy_n(id.bytes().begin(), 16, seed.begin());
  return *crypto::SignatureKey::FromSeed(seed);
}

inline Actor Person(uint8_t number, const std::string& name, Role role,
                    const std::string& side = {}) {
  return {ParticipantId(crypto::ByteArray<16>{number}), name, role, side};
}

inline const Actor kMira = Person(1, "Mira", Role::kMediator);
inline const Actor kTomas = Person(2, "Tomas", Role::kCoMediator);
inline const Actor kAna = Person(3, "Ana", Role::kParty, "Harbor");
inline const Actor kLee = Person(4, "Lee", Role::kCounsel, "Harbor");
inline const Actor kBen = Person(5, "Ben", Role::kParty, "Northline");
inline const Actor kShah = Person(6, "Shah", Role::kCounsel, "Northline");
inline const Actor kEva = Person(7, "Eva", Role::kExpert);

inline std::vector<Actor> Everybody() { return {kMira, kTomas, kAna, kLee, kBen, kShah}; }

// A joint channel's log of procedure records.
class Log {
 public:
  const CaseId& case_id() const { return case_id_; }
  const std::vector<LoggedRecord>& records() const { return records_; }
  JointPosition head() const { return {1, position_}; }
  // What other entries take.
  void Pass(uint64_t entries = 1) { position_ += entries; }

  MessageId Say(const Actor& author, content::v1::Content content) {
    ++said_;
    MessageId::Bytes id{};
    for (size_t i = 0; i < 8; ++i) id[i] = static_cast<uint8_t>(said_ >> (8 * i));
    content.set_message_id(crypto::ToString(id));
    records_.push_back({{1, ++position_}, author, crypto::ToBytes(content.SerializeAsString())});
    return MessageId(id);
  }
  MessageId Do(const Actor& author, CaseAct act, const MessageId& about = {}) {
    content::v1::Content content;
    content.mutable_case_act()->set_act(static_cast<uint32_t>(act));
    if (!about.is_zero()) content.mutable_case_act()->set_about(ToField(about));
    if (act == CaseAct::kStartSigning || act == CaseAct::kConfirmSettlement) {
      content.mutable_case_act()->set_settlement_hash(std::string(32, settlement_));
    }
    if (act == CaseAct::kReportDestruction) content.mutable_case_act()->add_destroyed("notes");
    return Say(author, std::move(content));
  }
  // Which settlement signing starts for, and is confirmed, from now on.
  void SetSettlement(char settlement) { settlement_ = settlement; }
  DocumentHash Propose(const Actor& author, const std::string& text,
                       const std::string& policy = Templates()[0].policy) {
    content::v1::Content content;
    content.mutable_agreement_proposal()->set_text(text);
    content.mutable_agreement_proposal()->set_policy(policy);
    Say(author, std::move(content));
    return AgreementHash(case_id_, text, policy);
  }
  void Sign(const Actor& author, const DocumentHash& document, bool well = true) {
    const crypto::SignatureKey key = RecordKeyOf(author.id);
    content::v1::Content content;
    content::v1::AgreementSignature& signature = *content.mutable_agreement_signature();
    signature.set_document_hash(crypto::ToString(document));
    signature.set_record_key(crypto::ToString(key.public_key()));
    crypto::Bytes bytes = SignAgreement(key, case_id_, document);
    if (!well) bytes[0] ^= 1;
    signature.set_signature(crypto::ToString(bytes));
    Say(author, std::move(content));
  }
  // As a neutral's client that has read everything does it.
  void List(const Actor& author, const std::vector<Actor>& participants) {
    content::v1::Content content;
    *content.mutable_case_overview() = Play().MakeOverview(participants, head());
    Say(author, std::move(content));
  }

  ProcedureLog Play() const { return ProcedureLog::Play(case_id_, records_, {1, 0}); }
  // Of who came in after `joined`.
  ProcedureLog PlayFrom(const JointPosition& joined) const {
    std::vector<LoggedRecord> later;
    for (const LoggedRecord& record : records_) {
      if (record.at > joined) later.push_back(record);
    }
    return ProcedureLog::Play(case_id_, later, joined);
  }
  // Of who read from the beginning, but for what stands between `left` and `back` of each absence.
  ProcedureLog PlayAway(const std::vector<Absence>& absences) const {
    std::vector<LoggedRecord> read;
    for (const LoggedRecord& record : records_) {
      const bool missed =
          std::any_of(absences.begin(), absences.end(), [&](const Absence& absence) {
            return record.at > absence.left && record.at <= absence.back;
          });
      if (!missed) read.push_back(record);
    }
    return ProcedureLog::Play(case_id_, read, {1, 0}, absences);
  }
  CaseState State() const { return Play().procedure().state(); }
  // Why the latest act was passed over; empty: it counts.
  std::string LastRefusal() const {
    const ProcedureLog log = Play();
    return log.steps().empty() ? "nothing" : log.steps().back().refused;
  }

 private:
  CaseId case_id_{crypto::ByteArray<16>{9}};
  uint64_t position_ = 0;
  uint64_t said_ = 0;
  char settlement_ = 's';
  std::vector<LoggedRecord> records_;
};

// Steps 1 to 3 of a case, up to "engaged".
inline DocumentHash Engage(Log& log) {
  log.Do(kMira, CaseAct::kOpen);
  log.List(kMira, Everybody());
  log.Do(kAna, CaseAct::kRequest);
  log.Do(kBen, CaseAct::kAccept);
  const DocumentHash document = log.Propose(kMira, "We agree.");
  for (const Actor& person : Everybody()) log.Sign(person, document);
  return document;
}

}  // namespace parley::client::testing

#endif  // PARLEY_CLIENT_LIB_PROCEDURE_PROCEDURE_FOR_TEST_H_

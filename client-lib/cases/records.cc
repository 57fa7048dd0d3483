#include "client-lib/cases/records.h"

#include <algorithm>

namespace parley::client {
namespace {

const RecordTable<CaseRecord>& Cases() {
  static const auto* const table = new RecordTable<CaseRecord>(RecordClass::kKeys, "cases");
  return *table;
}

std::string JoinName(ByteView rendezvous_id) { return "joined/" + crypto::ToHex(rendezvous_id); }

}  // namespace

CaseRecords::CaseRecords(const CaseId& id)
    : id_(id),
      root_("case/" + id.ToString()),
      people_(RecordClass::kKeys, root_ + "/person"),
      deferred(RecordClass::kKeys, root_ + "/deferred") {}

void CaseRecord::Refuse(const std::string& line) {
  constexpr size_t kMost = 64;
  if (refused.size() >= kMost || std::find(refused.begin(), refused.end(), line) != refused.end()) {
    return;
  }
  refused.push_back(line);
}

absl::StatusOr<std::vector<CaseId>> CaseRecords::List(const ReadTransaction& step) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<std::string> keys, Cases().Keys(step));
  std::vector<CaseId> ids;
  for (const std::string& key : keys) {
    const std::optional<CaseId> id = CaseId::FromString(key);
    if (!id.has_value()) return absl::DataLossError("the profile's list of cases is damaged");
    ids.push_back(*id);
  }
  return ids;
}

absl::StatusOr<CaseRecord> CaseRecords::Case(const ReadTransaction& step) const {
  PARLEY_ASSIGN_OR_RETURN(std::optional<CaseRecord> record, Cases().Get(step, id_.ToString()));
  if (!record.has_value()) {
    return absl::NotFoundError("this profile has no case " + id_.ToString());
  }
  return std::move(*record);
}

absl::Status CaseRecords::PutCase(Transaction& step, const CaseRecord& record) const {
  return Cases().Put(step, id_.ToString(), record);
}

absl::Status CaseRecords::DeleteCase(Transaction& step) const {
  return Cases().Delete(step, id_.ToString());
}

absl::StatusOr<std::optional<PersonRecord>> CaseRecords::Person(const ReadTransaction& step,
                                                                const ParticipantId& id) const {
  return people_.Get(step, id.ToString());
}

absl::StatusOr<std::vector<PersonRecord>> CaseRecords::People(const ReadTransaction& step) const {
  return people_.All(step);
}

absl::Status CaseRecords::PutPerson(Transaction& step, const PersonRecord& person) const {
  return people_.Put(step, person.id.ToString(), person);
}

absl::StatusOr<KeyPackageStock> CaseRecords::Stock(const ReadTransaction& step,
                                                   const ParticipantId& id) const {
  PARLEY_ASSIGN_OR_RETURN(
      std::optional<KeyPackageStock> stock,
      GetRecord<KeyPackageStock>(step, RecordClass::kContent, root_ + "/stock/" + id.ToString()));
  return stock.has_value() ? std::move(*stock) : KeyPackageStock();
}

absl::Status CaseRecords::PutStock(Transaction& step, const ParticipantId& id,
                                   const KeyPackageStock& stock) const {
  return PutRecord(step, RecordClass::kContent, root_ + "/stock/" + id.ToString(), stock);
}

absl::StatusOr<std::optional<JoinRecord>> CaseRecords::Join(const ReadTransaction& step,
                                                            ByteView rendezvous_id) {
  return GetRecord<JoinRecord>(step, RecordClass::kKeys, JoinName(rendezvous_id));
}

absl::Status CaseRecords::PutJoin(Transaction& step, ByteView rendezvous_id,
                                  const JoinRecord& record) {
  return PutRecord(step, RecordClass::kKeys, JoinName(rendezvous_id), record);
}

absl::Status CaseRecords::DeleteJoin(Transaction& step, ByteView rendezvous_id) {
  return step.Delete(RecordClass::kKeys, JoinName(rendezvous_id));
}

content::v1::Role ToWire(Role role) {
  const int number = static_cast<int>(role);
  return content::v1::Role_IsValid(number) ? static_cast<content::v1::Role>(number)
                                           : content::v1::ROLE_UNSPECIFIED;
}

Role FromWire(content::v1::Role role) {
  return content::v1::Role_IsValid(role) ? static_cast<Role>(role) : Role::kUnknown;
}

}  // namespace parley::client

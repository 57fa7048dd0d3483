// The record keys that the signatures of a case are checked against. Each participant has one for
// each case. It reaches the neutrals in the device card that pairing authenticates (a participant's
// own hello, or the neutrals' channel), and the others by a neutral's word over their own pairing:
// always by MAC, never by a leaf's signature. Where two neutrals say different things about
// somebody, no key is known.
//
// Threading: functions on a transaction.
// Errors: the store's; others are named.
#ifndef PARLEY_CLIENT_LIB_CASES_RECORD_KEYS_H_
#define PARLEY_CLIENT_LIB_CASES_RECORD_KEYS_H_

#include <map>

#include "absl/status/statusor.h"
#include "client-lib/cases/procedure_work.h"
#include "parley/content/v1/control.pb.h"

namespace parley::client {

// What is known of record keys, by participant.
struct KnownKey {
  Bytes key;  // empty: nothing is known, or neutrals contradict each other
  bool contradicted = false;
};
absl::StatusOr<std::map<ParticipantId, KnownKey>> KnownRecordKeys(const ReadTransaction& step,
                                                                  const CaseContext& context,
                                                                  const LoadedProcedure& procedure);

// Of a neutral: tells those who are paired with this device the others' keys, where they aren't
// what it told last. Whether anything was told.
absl::StatusOr<bool> TellRecordKeys(Transaction& step, const CaseContext& context,
                                    const LoadedProcedure& procedure, const ParticipantId& self);

// Errors: PermissionDenied when the sender is no neutral; InvalidArgument.
absl::Status TakeRecordKeys(Transaction& step, const CaseContext& context, const Pairing& pairing,
                            const content::v1::RecordKeys& keys);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_RECORD_KEYS_H_

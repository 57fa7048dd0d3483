// Who may write into the own inbox, and into whose this device may: append keys that are handed
// out, replaced and revoked, and pairings that end. Errands (errands.h), each for one transaction;
// the result says whether anything was done.
//
// Threading: as the transaction. Errors: the store's.
#ifndef PARLEY_CLIENT_LIB_CASES_INBOX_KEYS_H_
#define PARLEY_CLIENT_LIB_CASES_INBOX_KEYS_H_

#include <optional>

#include "absl/status/statusor.h"
#include "client-lib/cases/case_context.h"

namespace parley::client {

// Whether somebody was removed or has left.
bool HasGone(const PersonRecord& person);

// The neutral to turn to: the one who invited, or another one who is still there; of those only to
// whom something can be sent now, and who can write back.
absl::StatusOr<std::optional<Pairing>> MainNeutral(const ReadTransaction& step,
                                                   const CaseContext& context);

// Somebody's inbox took no message any more, and they have sent new append keys since.
absl::StatusOr<bool> TakeNewKey(Transaction& step, const CaseContext& context,
                                const ParticipantId& id);

// Tells somebody who has gone that they were removed; once that has gone out, was turned away, or
// is a day late, or where there is no room for it, ends the pairing, so that nothing is taken from
// them.
absl::StatusOr<bool> CutOff(Transaction& step, const CaseContext& context, const ParticipantId& id);

// Of participants who aren't neutrals: ends the pairing with a neutral whom they met in a channel,
// and who is in none any more, and so has gone.
absl::StatusOr<bool> CutOffGoneNeutrals(Transaction& step, const CaseContext& context);

// Tells the person whose append key of the own inbox was revoked for a flood, and why.
absl::StatusOr<bool> ReportFlooders(Transaction& step, const CaseContext& context);

// Gives append keys of the own inbox to the neutrals who hand them on, and a new one to whose key
// was revoked together with that of a neutral who has gone.
absl::StatusOr<bool> HandOutSeeds(Transaction& step, const CaseContext& context);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_INBOX_KEYS_H_

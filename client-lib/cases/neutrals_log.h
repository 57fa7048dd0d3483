// What the neutrals tell each other in their channel: who takes part, control keys, heads. It is
// how any of them can finish what another began (docs/protocol.md section 6).
//
// Threading: functions on a transaction.
#ifndef PARLEY_CLIENT_LIB_CASES_NEUTRALS_LOG_H_
#define PARLEY_CLIENT_LIB_CASES_NEUTRALS_LOG_H_

#include <vector>

#include "client-lib/cases/case_context.h"
#include "client-lib/cases/naming.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {

// The one of this kind that was here first, or null. For the neutrals' channel; of the others
// naming.h tells which counts.
const CaseChannel* FindByKind(const std::vector<CaseChannel>& channels, ChannelKind kind);

struct NeutralsNews {
  bool anything = false;      // own contents included
  bool about_people = false;  // others' records of participants or keys among it
};

// Works through what came in the neutrals' channel since the last time. Nothing where this device
// isn't in it.
absl::StatusOr<NeutralsNews> TakeNeutralsLog(Transaction& step, const CaseContext& context);

// Queues a participant's record in the neutrals' channel, for their present state, and notes it in
// `person`, which the caller stores. `introductions` are what other neutrals pair with them by.
// Errors: FailedPrecondition when the neutrals' channel can't be written to.
absl::Status PostRecord(
    Transaction& step, const CaseContext& context, const ChannelId& neutrals, PersonRecord& person,
    const std::vector<content::v1::ParticipantRecord::Introduction>& introductions = {});

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_NEUTRALS_LOG_H_

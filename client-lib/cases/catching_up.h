// Going on with the others where the joint channel was opened anew from before what this device
// has read of it: what stood there counts for nobody else, and nobody else will ever have it.
//
// As long as the owner hasn't decided so, all that the device has read counts on it, and it goes by
// no history that leaves that out. Nothing is deleted by the decision: the messages stay, and the
// timeline goes on showing them.
//
// Threading: functions on a transaction.
// Errors: the store's; others are named.
#ifndef PARLEY_CLIENT_LIB_CASES_CATCHING_UP_H_
#define PARLEY_CLIENT_LIB_CASES_CATCHING_UP_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/cases/case_context.h"
#include "client-lib/cases/procedure_work.h"
#include "client-lib/channels/lost_end.h"

namespace parley::client {

// What the owner goes on without.
absl::StatusOr<std::vector<LostEnd>> LoadForgone(const ReadTransaction& step,
                                                 const CaseContext& context);
bool IsForgone(const std::vector<LostEnd>& forgone, const JointPosition& at);

// What counts on this device alone.
struct LostActs {
  std::vector<LostEnd> ends;
  std::vector<std::string> acts;  // a line each, in order
};
// Nothing as long as no neutral has told, in the channel and so to all alike, a history that goes
// on without them and is otherwise what this device has read: what a Welcome says is said to one
// alone.
absl::StatusOr<std::optional<LostActs>> FindLostActs(const ReadTransaction& step,
                                                     const CaseContext& context,
                                                     const LoadedProcedure& now);

// The owner's decision to go on without them; gives what they were. Errors: FailedPrecondition
// where there is nothing to decide.
absl::StatusOr<std::vector<std::string>> CatchUp(Transaction& step, const CaseContext& context);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_CATCHING_UP_H_

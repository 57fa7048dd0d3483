// The procedure as the public values show it. Nothing here uses the network.
//
// Threading: functions on a transaction.
// Errors: the store's; NotFound for an unknown case.
#ifndef PARLEY_CLIENT_LIB_API_PROCEDURE_VIEW_H_
#define PARLEY_CLIENT_LIB_API_PROCEDURE_VIEW_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/cases/procedure_work.h"
#include "parley/procedure.h"

namespace parley::client {

absl::StatusOr<CaseProgress> ViewProgress(const ReadTransaction& step, const CaseContext& context);

// Acts that were passed over, and signatures with keys that aren't their authors'.
absl::Status AddProcedureAlarms(const ReadTransaction& step, const CaseContext& context,
                                std::vector<Alarm>& alarms);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_API_PROCEDURE_VIEW_H_

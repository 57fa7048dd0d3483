// Whether somebody shows what is another's: ids and keys of devices are random, and each is one
// participant's alone. A commit that repeats one is refused by everybody, so who could repeat
// another's would keep them out of the channels.
//
// Threading: functions on a transaction.
#ifndef PARLEY_CLIENT_LIB_CASES_IDENTITY_H_
#define PARLEY_CLIENT_LIB_CASES_IDENTITY_H_

#include <string>

#include "absl/status/statusor.h"
#include "client-lib/cases/case_context.h"
#include "parley/content/v1/control.pb.h"

namespace parley::client {

// The name of who, beside `id` itself and those who have gone, has the device id, identity key,
// inbox or inbox key of this card; empty for nobody.
absl::StatusOr<std::string> WhoseCard(const ReadTransaction& step, const CaseContext& context,
                                      const ParticipantId& id, const content::v1::DeviceCard& card);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_IDENTITY_H_

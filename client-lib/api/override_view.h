// The neutrals' record of an override, in words.
//
// Threading: a function on a transaction.
// Errors: the store's.
#ifndef PARLEY_CLIENT_LIB_API_OVERRIDE_VIEW_H_
#define PARLEY_CLIENT_LIB_API_OVERRIDE_VIEW_H_

#include <string>

#include "absl/status/statusor.h"
#include "client-lib/cases/case_context.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {

// Each source by the number that this device shows it by, or by its id where it isn't here.
absl::StatusOr<std::string> DescribeOverride(const ReadTransaction& step,
                                             const CaseContext& context,
                                             const content::v1::FirewallOverride& record);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_API_OVERRIDE_VIEW_H_

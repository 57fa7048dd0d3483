// Early return for absl::Status and absl::StatusOr.
#ifndef PARLEY_CRYPTO_BASE_STATUS_MACROS_H_
#define PARLEY_CRYPTO_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define PARLEY_STATUS_CONCAT_INNER(a, b) a##b
#define PARLEY_STATUS_CONCAT(a, b) PARLEY_STATUS_CONCAT_INNER(a, b)

// Returns from the enclosing function when `expression` (an absl::Status) is not OK.
#define PARLEY_RETURN_IF_ERROR(expression)         \
  do {                                             \
    absl::Status parley_status = (expression);     \
    if (!parley_status.ok()) return parley_status; \
  } while (false)

// Assigns the value of `expression` (an absl::StatusOr) to `target`, which may be a declaration, or
// returns its status.
#define PARLEY_ASSIGN_OR_RETURN(target, expression)                                       \
  PARLEY_ASSIGN_OR_RETURN_IMPL(PARLEY_STATUS_CONCAT(parley_status_or_, __LINE__), target, \
                               expression)

#define PARLEY_ASSIGN_OR_RETURN_IMPL(result, target, expression) \
  auto result = (expression);                                    \
  if (!result.ok()) return std::move(result).status();           \
  target = std::move(result).value()

#endif  // PARLEY_CRYPTO_BASE_STATUS_MACROS_H_

// Early return for parley::Status and parley::Result.
#ifndef PARLEY_TOOLS_PARLEY_TRY_H_
#define PARLEY_TOOLS_PARLEY_TRY_H_

#include <utility>

#include "parley/status.h"

#define PARLEY_TRY_CONCAT_INNER(a, b) a##b
#define PARLEY_TRY_CONCAT(a, b) PARLEY_TRY_CONCAT_INNER(a, b)

// Returns from the enclosing function when `expression` (a parley::Status) is not OK.
#define PARLEY_TRY(expression)                             \
  do {                                                     \
    ::parley::Status parley_try_status = (expression);     \
    if (!parley_try_status.ok()) return parley_try_status; \
  } while (false)

// Assigns the value of `expression` (a parley::Result) to `target`, which may be a declaration, or
// returns its status.
#define PARLEY_TRY_ASSIGN(target, expression) \
  PARLEY_TRY_ASSIGN_IMPL(PARLEY_TRY_CONCAT(parley_try_result_, __LINE__), target, expression)

#define PARLEY_TRY_ASSIGN_IMPL(result, target, expression) \
  auto result = (expression);                              \
  if (!result.ok()) return result.status();                \
  target = std::move(result).value()

#endif  // PARLEY_TOOLS_PARLEY_TRY_H_

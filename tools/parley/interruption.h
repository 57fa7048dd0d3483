// Ctrl-C and SIGTERM for commands that wait or transfer: they end in good order.
#ifndef PARLEY_TOOLS_PARLEY_INTERRUPTION_H_
#define PARLEY_TOOLS_PARLEY_INTERRUPTION_H_

#include "parley/profile.h"
#include "tools/parley/output/progress.h"

namespace parley::cli {

// From the first call on, SIGINT and SIGTERM cancel what is returned instead of ending the process;
// a second one ends it. Lives as long as the program.
const Cancellation& Interruption();

// For a transfer: draws the bar, and stops at an interruption. `bar` must outlive it.
ProgressCallback ShowOn(ProgressBar& bar);
// What a transfer that was stopped ends with.
Status Interrupted();

}  // namespace parley::cli

#endif  // PARLEY_TOOLS_PARLEY_INTERRUPTION_H_

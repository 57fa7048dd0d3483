// The work that follows from decisions about a team channel, from its roster and from the case's:
// on a steward's device the commits that let people in and put them out, on every device of the
// side the pairing that this needs, and the check that nobody is in the team who doesn't belong.
//
// A steward puts out who is in neither the side's caucus nor the joint channel any more. While a
// team has one steward only and others are in it, the steward's device names another.
//
// Threading: functions on a transaction. Errors: the store's.
#ifndef PARLEY_CLIENT_LIB_CASES_TEAM_WORK_H_
#define PARLEY_CLIENT_LIB_CASES_TEAM_WORK_H_

#include <set>
#include <string>
#include <vector>

#include "client-lib/cases/case_context.h"

namespace parley::client {

struct TeamWork {
  std::set<ChannelId> touched;       // channels that have something to send now
  std::vector<std::string> waiting;  // what can't be done yet, as lines for people
};

// Does what is due. `unread`: channels that couldn't be read to their heads, by which nobody is
// judged. Nothing on a neutral's device.
absl::StatusOr<TeamWork> ReconcileTeam(Transaction& step, const CaseContext& context,
                                       const std::set<ChannelId>& unread);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_TEAM_WORK_H_

// The neutrals' duty: that each channel's members are those whom the case's records name.
//
// What is to be done follows from the records and the rosters alone, so any neutral can do it at
// any time: after a crash, after a lost race, or in place of a neutral who has gone.
//
// Threading: functions on a transaction.
#ifndef PARLEY_CLIENT_LIB_CASES_RECONCILE_H_
#define PARLEY_CLIENT_LIB_CASES_RECONCILE_H_

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client-lib/cases/case_context.h"
#include "client-lib/cases/naming.h"
#include "client-lib/cases/neutrals_log.h"

namespace parley::client {

// Whether the records ask for a person to be in a channel. `signing_in` is the joint channel of a
// case that keeps a procedure (SigningIn): who isn't admitted to it, and so can't sign the
// agreement to mediate, belongs in no other channel that they were admitted to.
bool BelongsIn(const PersonRecord& person, const ChannelId& id, const ChannelState& channel,
               const std::optional<ChannelId>& signing_in);

// Nothing for a case without a procedure, or whose joint channel isn't known yet.
absl::StatusOr<std::optional<ChannelId>> SigningIn(const ReadTransaction& step,
                                                   const CaseContext& context,
                                                   const ChannelChoice& choice);

struct ReconcileResult {
  // Channels that have something to send now.
  std::set<ChannelId> touched;
  // Somebody is missing in a roster who was in it: they have left, or another neutral has removed
  // them and the neutrals' channel must be read first. Repeat with `log_is_fresh`.
  bool read_the_log_first = false;
  // What can't be done, as lines for people.
  std::vector<std::string> waiting;
};

// Prepares what is missing: records of those who left, a new side's caucus, control keys after a
// neutral has gone, commits that add and remove, and Welcomes into the inboxes. `log_is_fresh`: the
// neutrals' channel was read after the other channels.
absl::StatusOr<ReconcileResult> Reconcile(Transaction& step, const CaseContext& context,
                                          bool log_is_fresh);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_RECONCILE_H_

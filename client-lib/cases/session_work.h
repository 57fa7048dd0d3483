// What leads a session, on this device: reading it, doing something, what the neutrals' clients
// tell by themselves to who comes later, and the hold on messages while the floor is somebody
// else's.
//
// Threading: functions on a transaction.
// Errors: the store's; others are named.
#ifndef PARLEY_CLIENT_LIB_CASES_SESSION_WORK_H_
#define PARLEY_CLIENT_LIB_CASES_SESSION_WORK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/cases/case_context.h"
#include "client-lib/cases/procedure_work.h"
#include "client-lib/procedure/session_log.h"

namespace parley::client {

struct LoadedSession {
  ChannelId joint;
  std::vector<Actor> roster;  // of the joint channel, sorted
  Actor self;
  JointPosition head;
  SessionLog log;
  // Why the owner can't speak in the joint channel now, by the procedure; empty: they can.
  std::string missing;
  // Above this message number who came in was told nothing of the session yet; 0: there is nothing
  // to tell.
  uint64_t told_number = 0;
};
// Nothing before this device is in the joint channel. `procedure`: the case's, where it is loaded
// already; otherwise null, and it is loaded.
absl::StatusOr<std::optional<LoadedSession>> LoadSession(
    const ReadTransaction& step, const CaseContext& context,
    const LoadedProcedure* procedure = nullptr);

// Queues a record in the joint channel. Errors: PermissionDenied where the own role doesn't allow
// it; FailedPrecondition where it wouldn't count, saying why, and before this device is in the
// joint channel or knows how the session stands.
absl::StatusOr<MessageId> QueueSessionRecord(Transaction& step, const CaseContext& context,
                                             const content::v1::Content& content,
                                             Readers readers = Readers::kWhoeverIsIn);

// Of neutrals: tells who has come into the joint channel since how the session stands. Whether
// anything was done.
absl::StatusOr<bool> RunSessionErrands(Transaction& step, const CaseContext& context);

// Whether this device's neutral owes a standing that is too long to be sent: who came can't be
// told.
absl::StatusOr<bool> CantTell(const ReadTransaction& step, const CaseContext& context,
                              const LoadedSession& session);

// Records that were passed over: how many of them the owner has seen, the first ones.
absl::StatusOr<uint64_t> SeenOfSession(const ReadTransaction& step, const CaseContext& context);
absl::Status SettleSession(Transaction& step, const CaseContext& context);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_SESSION_WORK_H_

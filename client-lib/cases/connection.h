// What pays for the case at the relay, once the relay's operator has renewed it: the case keeps the
// relay, and takes another sponsor token.
//
// One neutral gives it to the case, which says it in the neutrals' channel. Another neutral's
// device takes it only after the relay has: a neutral who is about to be removed could say
// something that pays for nothing, or say an earlier token again.
//
// Threading: any number of threads and processes at once.
#ifndef PARLEY_CLIENT_LIB_CASES_CONNECTION_H_
#define PARLEY_CLIENT_LIB_CASES_CONNECTION_H_

#include "client-lib/cases/case_context.h"

namespace parley::client {

// Gives the case the token of a connection string to the same relay, and queues it for the other
// neutrals. Its address is left aside: participants know the case's. Uses the network; nothing is
// stored after an error.
// Errors: PermissionDenied for who is no neutral; InvalidArgument for another relay's;
// Unauthenticated when the relay doesn't take the token; FailedPrecondition when the neutrals'
// channel can't be written to; the relay client's and the store's.
absl::Status ChangeConnection(const CaseContext& context, const ConnectionString& connection);

// Keeps what another neutral has said, until TakeOffer; in place of what was said before.
absl::Status KeepOffer(Transaction& step, const CaseContext& context, const Secret& token,
                       const ParticipantId& author);

// Takes what KeepOffer kept if the relay does, or else notes an alarm and forgets it. Uses the
// network. Whether the case has another token now. Errors: the relay client's, upon which it stays
// kept, and the store's.
absl::StatusOr<bool> TakeOffer(const CaseContext& context);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_CONNECTION_H_

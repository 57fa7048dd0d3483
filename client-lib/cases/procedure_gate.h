// Whether something that was said should have been said when it was: what every client asks of
// others' messages in a case that keeps a procedure (docs/protocol.md section 9, "The gate").
//
// Threading: functions on a transaction.
// Errors: the store's.
#ifndef PARLEY_CLIENT_LIB_CASES_PROCEDURE_GATE_H_
#define PARLEY_CLIENT_LIB_CASES_PROCEDURE_GATE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/cases/procedure_work.h"

namespace parley::client {

// "Ben signs the agreement to mediate (version 1); Northline answers …".
std::string MissingText(const std::vector<CaseProcedure::Missing>& missing);

// Why the message is against the agreement to mediate, or its author doesn't say under which one it
// was said; empty for nothing. An offer's record also, where the case had ended. `pending` is set
// to whether that is only because this device hasn't read the joint channel so far, or waits for a
// neutral's overview of it: nobody is to be accused then.
absl::StatusOr<std::string> WhyAgainst(const ReadTransaction& step,
                                       const LoadedProcedure& procedure,
                                       const ChannelState& channel, const ChannelMessage& message,
                                       bool* pending = nullptr);

// Of somebody whom the neutrals want to let into another channel than the joint one: whether they
// are bound by what is said there, so that they neither read without having signed nor keep the
// others from talk by a signature that they can't give. Fine in a case without a procedure.
// Errors: FailedPrecondition for who isn't in the joint channel, where the agreement to mediate is
// signed, and for who hasn't signed the one in force, saying what to do.
absl::Status CheckIsBound(const ReadTransaction& step, const CaseContext& context,
                          const ParticipantId& id, const std::string& name);

// Of somebody whom the neutrals want to let into a channel of that kind: whether the agreement in
// force lets who has that role read it. Nobody could say anything there any more, else.
// Errors: FailedPrecondition, with the policy's line and what to do.
absl::Status CheckMayRead(const ReadTransaction& step, const CaseContext& context,
                          const RosterMember& member, ChannelKind kind);
// The same of the channels that somebody comes into by their role and side once they are approved:
// the joint channel and a caucus, and of neutrals their own.
absl::Status CheckMayReadByRole(const ReadTransaction& step, const CaseContext& context,
                                const PersonRecord& person);

// Why nothing is put on a calendar, or moved there, in this state of a case; empty for nothing.
std::string WhyNoMeetings(CaseState state);

// Why no offer is made or answered in this state of a case; empty for nothing.
std::string WhyNoOffers(CaseState state);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_PROCEDURE_GATE_H_

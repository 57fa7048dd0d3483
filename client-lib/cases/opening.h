// How a case begins in a profile: created by its mediator, or joined by an invitation.
//
// Threading: any number of threads and processes at once; these use the network.
// Errors: the relay client's and the store's; others are named.
#ifndef PARLEY_CLIENT_LIB_CASES_OPENING_H_
#define PARLEY_CLIENT_LIB_CASES_OPENING_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "client-lib/cases/case_context.h"
#include "client-lib/pairing/invitation_code.h"
#include "client-lib/relay/connection_string.h"

namespace parley::client {

// What a case is opened with; the context's case id is ignored.
struct NewCase {
  std::string title;
  std::string own_name;
  ConnectionString connection;
  bool with_procedure = false;
};

// Makes the own inbox at the relay, then stores the case with its neutrals' and joint channels,
// which the next sync makes at the relay. When the relay refuses, nothing is stored.
absl::StatusOr<CaseId> CreateCase(const CaseContext& context, const NewCase& options);

// The case that was joined with this invitation, if it was answered completely.
absl::StatusOr<std::optional<CaseId>> FindJoined(const ReadTransaction& step,
                                                 const InvitationCode& code);

// Joins, or finishes joining after an interruption. The case knows the owner by the name that the
// invitation gives.
// Errors: FailedPrecondition when it has expired (the message says when) or was withdrawn;
// AlreadyExists when it was used before, or the profile is in the case already; InvalidArgument and
// Unauthenticated for an inviter's hello that isn't right.
absl::StatusOr<CaseId> JoinCase(const CaseContext& context, const InvitationCode& code);

// "3 May 2026", of seconds since 1970 in UTC.
std::string DateText(uint64_t seconds);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_OPENING_H_

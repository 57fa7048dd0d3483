// Who takes part, as the neutrals' programs list it in the joint channel of a case that keeps a
// procedure, with what was done before for who has come since (docs/protocol.md section 9).
//
// Threading: free functions on a transaction.
// Errors: the store's.
#ifndef PARLEY_CLIENT_LIB_CASES_PARTICIPANT_LISTING_H_
#define PARLEY_CLIENT_LIB_CASES_PARTICIPANT_LISTING_H_

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/cases/procedure_work.h"

namespace parley::client {

// A neutral's errand: lists them where they have changed, or somebody may have missed something
// since the last list. Whether a list was queued.
absl::StatusOr<bool> ListParticipants(Transaction& step, const CaseContext& context,
                                      const LoadedProcedure& procedure);

// How the list of participants, by which agreements come into force, differs from who is in the
// joint channel; what a neutral's program mends by itself. A list is a neutral's word: nobody's own
// talk depends on it alone (KeepsFromTalk looks at the roster, too), nor what a device destroys
// (PolicySignedBy), but the case's state does. Of many, however many people are made up,
// kMostListedOtherwise are named, and the others counted.
std::vector<CaseProcedure::Missing> ListedOtherwise(const LoadedProcedure& procedure);

// Of that, what isn't just on its way to be mended: it was listed so by whoever knew better, or
// wasn't listed for long after somebody had come or gone: 256 entries, or a day by this device's
// clock. Other commits change nothing about it.
absl::StatusOr<std::vector<CaseProcedure::Missing>> ListedWrongly(const ReadTransaction& step,
                                                                  const CaseContext& context,
                                                                  const LoadedProcedure& procedure);
// Notes what is waited for, and what was for a day. Only when the joint channel has just been read
// to its end: else somebody may have been listed meanwhile.
absl::Status NoteAwaitedLists(Transaction& step, const CaseContext& context,
                              const LoadedProcedure& procedure);
inline constexpr size_t kMostListedOtherwise = 32;

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_PARTICIPANT_LISTING_H_

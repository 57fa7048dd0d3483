// What becomes due of documents by themselves: the end of those whose time is over, and the blobs
// of those that have ended.
//
// Threading: on the caller's thread, in steps of its own.
#ifndef PARLEY_CLIENT_LIB_API_DOCUMENT_ENDS_H_
#define PARLEY_CLIENT_LIB_API_DOCUMENT_ENDS_H_

#include "absl/status/status.h"
#include "client-lib/cases/case_context.h"

namespace parley::client {

// Says that the time of documents is over by this device's clock, where it may: of the owner's own,
// and for a neutral of all. Then deletes own blobs that are due. What can't be done now is done by
// a later call. Errors: the store's; the relay client's.
absl::Status TendDocuments(const CaseContext& context);

// The second half of it, of one channel.
absl::Status DeleteDueBlobs(const CaseContext& context, const ChannelId& channel);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_API_DOCUMENT_ENDS_H_

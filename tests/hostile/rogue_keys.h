// Every key of a profile with which one might knock at a mailbox.
#ifndef PARLEY_TESTS_HOSTILE_ROGUE_KEYS_H_
#define PARLEY_TESTS_HOSTILE_ROGUE_KEYS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/store/profile_store.h"
#include "crypto/primitives/signature.h"

namespace parley::hostile {

// Read, append and control keys of its channels; of its inboxes and those of its correspondents;
// and one that nobody has.
absl::StatusOr<std::vector<crypto::SignatureKey>> AllSigningKeys(client::ProfileStore& store);

}  // namespace parley::hostile

#endif  // PARLEY_TESTS_HOSTILE_ROGUE_KEYS_H_

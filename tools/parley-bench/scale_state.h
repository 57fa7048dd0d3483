// Many mailboxes with entries, written straight into a relay's store.
//
// Threading: from one thread.
#ifndef PARLEY_TOOLS_PARLEY_BENCH_SCALE_STATE_H_
#define PARLEY_TOOLS_PARLEY_BENCH_SCALE_STATE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "client-lib/relay/relay_types.h"
#include "crypto/primitives/signature.h"

namespace parley::bench {

struct ScaleState {
  size_t mailboxes = 0;
  size_t entries_each = 0;
  size_t entry_bytes = 64;
};

// Into the store of the data folder of a relay that doesn't run and has one sponsor, who is to have
// made them (its use isn't counted on). All have the same key for reading, appending and closing.
// Returns the ids of `wanted` of them, spread over all. Throws Failure.
std::vector<client::ObjectId> MakeState(const std::string& data_folder, const ScaleState& state,
                                        const crypto::SignatureKey& key, size_t wanted);

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_SCALE_STATE_H_

// A channel's group in the profile, as the records of crypto/mls/group_records.h: a message writes
// its sender's ratchets and nothing else, a commit what it has changed.
//
//   head                  StoredGroupHead: epoch, size, where the parts of the tree lie
//   BASE/E/NAME           record NAME of epoch E
//   BASE/E/tree/N         part N of the tree, as it is since epoch E
//
// Names hold the epoch, so that records of two epochs can't be taken together. Two heads may stand
// over one base: the group's, and that of an own commit in flight, which shares the parts of the
// tree that the commit leaves alone. When the commit wins, its head takes the other's place.
//
// All records are of the ratchet's class. What a step consumes or replaces is deleted in its
// transaction.
//
// Threading: free functions on a transaction.
// Errors: DataLoss when a record is missing, damaged or of another version; the store's. Nothing
// comes of a part of the records.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_GROUP_STORE_H_
#define PARLEY_CLIENT_LIB_CHANNELS_GROUP_STORE_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/channels/channel_records.h"
#include "client-lib/store/profile_store.h"
#include "crypto/mls/group.h"

namespace parley::client {

// The group; nothing when there is no head.
absl::StatusOr<std::optional<mls::Group>> LoadGroup(const ReadTransaction& tx,
                                                    const GroupPlace& place);

// Puts what changed since the group was last stored or loaded there; a group that comes of a
// commit, Clone() or a Welcome takes the place of what was there. Parts of the tree that are as
// they were there, or in `shared`, are left as they are.
// Requires: a group that was loaded comes from this place.
absl::Status StoreGroup(Transaction& tx, const GroupPlace& place, mls::Group& group,
                        const GroupPlace* shared = nullptr);

// Deletes what is there, but not what `shared` has of it. Nothing when there is no head. Goes on
// over records that are missing or damaged.
absl::Status DeleteGroup(Transaction& tx, const GroupPlace& place,
                         const GroupPlace* shared = nullptr);

// The group at `next`, which shares its base, takes the place of the one at `place`.
absl::Status ReplaceGroup(Transaction& tx, const GroupPlace& next, const GroupPlace& place);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_GROUP_STORE_H_

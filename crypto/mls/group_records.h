// A group as records of a key-value store, of which a message rewrites a few small ones: the
// ratchets of its sender, and what waits for a commit when it is a proposal. A commit rewrites all.
//
//   group.Process(message);
//   GroupRecordChanges changes = ChangedRecords(group);
//   store.Begin(); Apply(changes, store); store.Commit();      // the caller's, in one transaction
//   MarkStored(group);                                         // once that has succeeded
//   ...
//   PARLEY_ASSIGN_OR_RETURN(Group again, LoadGroup(records));
//
// Names are short ASCII: "group" (version, tree, context, the epoch's secrets), "pending",
// "node/N" (a secret of the secret tree), "sender/L" (a member's two ratchets). A secret that
// section 9.2 wants deleted is in no record that is left once the changes are applied.
//
// A group that comes of a commit, Clone() or Parse() has stored nothing yet: its changes replace
// all.
//
// Threading: like the Group's own functions. Secrets: the records are secrets, all of them.
#ifndef PARLEY_CRYPTO_MLS_GROUP_RECORDS_H_
#define PARLEY_CRYPTO_MLS_GROUP_RECORDS_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/mls/group.h"

namespace parley::mls {

struct GroupRecordChanges {
  bool replaces_all = false;  // what is stored of the group goes first
  std::vector<std::pair<std::string, Secret>> put{};
  std::vector<std::string> remove{};  // may not be there
};

// What must be written for the store to have `group`, since the last MarkStored() or LoadGroup().
GroupRecordChanges ChangedRecords(const Group& group);

// The changes are in the store.
void MarkStored(Group& group);

using GroupRecords = std::map<std::string, Secret>;

// Errors: DataLoss when a record is missing, damaged, unknown or of a later version, or when the
// records are not those of one group and epoch.
absl::StatusOr<Group> LoadGroup(const GroupRecords& records);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_GROUP_RECORDS_H_

// A group as records of a key-value store, of which a message rewrites a few small ones: the
// ratchets of its sender, and its own place when it is a proposal that waits. A commit replaces
// all, but most parts of the tree come out as they were.
//
//   group.Process(message);
//   GroupRecordChanges changes = ChangedRecords(group);
//   store.Begin(); Apply(changes, store); store.Commit();      // the caller's, in one transaction
//   MarkStored(group);                                         // once that has succeeded
//   ...
//   PARLEY_ASSIGN_OR_RETURN(GroupRecords records, FindRecords(leaves, get));
//   PARLEY_ASSIGN_OR_RETURN(Group again, LoadGroup(records));
//
// Names are short ASCII: "group" (version, context, the epoch's secrets), "pending" (how many
// proposals wait for a commit), "pending/N" (one of them), "tree/N" (a part of the public tree,
// tree_records.h), "node/N" (a secret of the secret tree), "sender/L" (a member's two ratchets). A
// secret that section 9.2 wants deleted is in no record that is left once
// the changes are applied.
//
// A group that comes of a commit, Clone() or Parse() has stored nothing yet: its changes replace
// all. A "tree/N" whose bytes are those of the record that it replaces needn't be written again.
//
// No list of the records is needed: each leaf's keys come from its "sender/L" or from the secret of
// one node above it, so that who finds neither knows that a record is missing.
//
// Versions: 3 is written; 1, which had the whole tree in "group", and 2, which had all that waits
// in "pending", still load. What is loaded from those replaces all when it is stored again.
//
// Threading: like the Group's own functions. Secrets: the records are secrets, all of them.
#ifndef PARLEY_CRYPTO_MLS_GROUP_RECORDS_H_
#define PARLEY_CRYPTO_MLS_GROUP_RECORDS_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/mls/group.h"

namespace parley::mls {

struct GroupRecordChanges {
  bool replaces_all = false;  // what is stored of the group goes first
  LeafCount leaves{};         // of the group's trees: for FindRecords()
  std::vector<std::pair<std::string, Secret>> put{};
  std::vector<std::string> remove{};  // may not be there
};

// What must be written for the store to have `group`, since the last MarkStored() or LoadGroup().
GroupRecordChanges ChangedRecords(const Group& group);

// The changes are in the store.
void MarkStored(Group& group);

using GroupRecords = std::map<std::string, Secret>;

// A record's value; nothing when there is none of this name.
using GetRecord = std::function<absl::StatusOr<std::optional<Secret>>(const std::string& name)>;

// All records that there are of a group of `leaves`, asked for by name; at most four times as many
// questions as leaves, and one for each proposal that waits. One that is missing is left out, for
// LoadGroup() to notice. Errors: those of `get`.
absl::StatusOr<GroupRecords> FindRecords(LeafCount leaves, const GetRecord& get);

// Errors: DataLoss when a record is missing, damaged, unknown or of another version, or when the
// records are not those of one group and epoch, or keys of a member are missing.
absl::StatusOr<Group> LoadGroup(const GroupRecords& records);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_GROUP_RECORDS_H_

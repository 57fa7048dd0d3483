#include "client-lib/channels/group_store.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "client-lib/channels/channel_records.h"
#include "crypto/base/status_macros.h"
#include "crypto/mls/group_records.h"

namespace parley::client {
namespace {

constexpr RecordClass kClass = RecordClass::kRatchet;
constexpr std::string_view kTreePart = "tree/";

struct TreePart {
  std::string name;
  uint64_t since = 0;  // the epoch in which it was written

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.name, self.since);
  }
};

struct StoredGroupHead {
  uint8_t version = 1;
  uint64_t epoch = 0;
  uint32_t leaves = 1;
  std::vector<TreePart> tree;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.epoch, self.leaves, self.tree);
  }

  // The epoch in which a record of the group was written.
  uint64_t SinceOf(const std::string& name) const {
    if (!name.starts_with(kTreePart)) return epoch;
    const auto part = std::find_if(tree.begin(), tree.end(),
                                   [&](const TreePart& one) { return one.name == name; });
    return part == tree.end() ? epoch : part->since;
  }
};

using Head = std::optional<StoredGroupHead>;

absl::StatusOr<Head> LoadHead(const ReadTransaction& tx, const GroupPlace& place) {
  PARLEY_ASSIGN_OR_RETURN(Head head, LoadRecord<StoredGroupHead>(tx, kClass, place.head));
  if (head.has_value() && (head->leaves == 0 || head->leaves > mls::kMaxLeaves)) {
    return absl::DataLossError("a channel's record in the profile is damaged");
  }
  return head;
}

std::string FullName(const GroupPlace& place, uint64_t epoch, const std::string& name) {
  return place.base + "/" + std::to_string(epoch) + "/" + name;
}

// The names under which the profile has records of the group; for a head that is there.
absl::StatusOr<std::set<std::string>> FullNames(const ReadTransaction& tx, const GroupPlace& place,
                                                const StoredGroupHead& head) {
  std::set<std::string> names;
  const mls::GetRecord look =
      [&](const std::string& name) -> absl::StatusOr<std::optional<crypto::Secret>> {
    std::string full = FullName(place, head.SinceOf(name), name);
    PARLEY_ASSIGN_OR_RETURN(const bool there, tx.Has(kClass, full));
    if (!there) return std::optional<crypto::Secret>();
    names.insert(std::move(full));
    return std::optional<crypto::Secret>(crypto::Secret());
  };
  PARLEY_RETURN_IF_ERROR(mls::FindRecords(mls::LeafCount(head.leaves), look).status());
  return names;
}

absl::StatusOr<std::set<std::string>> NamesAt(const ReadTransaction& tx, const GroupPlace* place) {
  if (place == nullptr) return std::set<std::string>();
  PARLEY_ASSIGN_OR_RETURN(const Head head, LoadHead(tx, *place));
  if (!head.has_value()) return std::set<std::string>();
  return FullNames(tx, *place, *head);
}

absl::Status DeleteBut(Transaction& tx, const std::set<std::string>& names,
                       const std::set<std::string>& kept) {
  for (const std::string& name : names) {
    if (!kept.contains(name)) PARLEY_RETURN_IF_ERROR(tx.Delete(kClass, name));
  }
  return absl::OkStatus();
}

// The epoch in which a part of the tree was written with these very bytes.
absl::StatusOr<std::optional<uint64_t>> WrittenIn(const ReadTransaction& tx,
                                                  const GroupPlace& place, const Head& head,
                                                  const std::string& name,
                                                  const crypto::Secret& part) {
  if (!head.has_value() || !name.starts_with(kTreePart)) return std::optional<uint64_t>();
  const uint64_t since = head->SinceOf(name);
  PARLEY_ASSIGN_OR_RETURN(const std::optional<crypto::Secret> stored,
                          tx.Get(kClass, FullName(place, since, name)));
  if (!stored.has_value() || !crypto::ConstantTimeEquals(stored->Reveal(), part.Reveal())) {
    return std::optional<uint64_t>();
  }
  return std::optional<uint64_t>(since);
}

absl::Status ReplaceAll(Transaction& tx, const GroupPlace& place,
                        const mls::GroupRecordChanges& changes, uint64_t epoch,
                        const GroupPlace* shared) {
  PARLEY_ASSIGN_OR_RETURN(const std::set<std::string> old, NamesAt(tx, &place));
  PARLEY_ASSIGN_OR_RETURN(const Head like, LoadHead(tx, shared == nullptr ? place : *shared));
  StoredGroupHead head;
  head.epoch = epoch;
  head.leaves = changes.leaves.value;
  std::set<std::string> kept;
  if (shared != nullptr) {
    PARLEY_ASSIGN_OR_RETURN(kept, NamesAt(tx, shared));
  }
  for (const auto& [name, record] : changes.put) {
    PARLEY_ASSIGN_OR_RETURN(const std::optional<uint64_t> since,
                            WrittenIn(tx, place, like, name, record));
    if (name.starts_with(kTreePart)) head.tree.push_back({name, since.value_or(epoch)});
    std::string full = FullName(place, since.value_or(epoch), name);
    if (!since.has_value()) PARLEY_RETURN_IF_ERROR(tx.Put(kClass, full, record));
    kept.insert(std::move(full));
  }
  PARLEY_RETURN_IF_ERROR(DeleteBut(tx, old, kept));
  return StoreRecord(tx, kClass, place.head, head);
}

}  // namespace

absl::StatusOr<std::optional<mls::Group>> LoadGroup(const ReadTransaction& tx,
                                                    const GroupPlace& place) {
  PARLEY_ASSIGN_OR_RETURN(const Head head, LoadHead(tx, place));
  if (!head.has_value()) return std::optional<mls::Group>();
  const mls::GetRecord get = [&](const std::string& name) {
    return tx.Get(kClass, FullName(place, head->SinceOf(name), name));
  };
  PARLEY_ASSIGN_OR_RETURN(const mls::GroupRecords records,
                          mls::FindRecords(mls::LeafCount(head->leaves), get));
  PARLEY_ASSIGN_OR_RETURN(mls::Group group, mls::LoadGroup(records));
  if (group.epoch() != head->epoch) {
    return absl::DataLossError(
        "a channel's group in the profile is of another epoch than its head");
  }
  return std::optional<mls::Group>(std::move(group));
}

absl::Status StoreGroup(Transaction& tx, const GroupPlace& place, mls::Group& group,
                        const GroupPlace* shared) {
  const mls::GroupRecordChanges changes = mls::ChangedRecords(group);
  if (changes.replaces_all) {
    PARLEY_RETURN_IF_ERROR(ReplaceAll(tx, place, changes, group.epoch(), shared));
  } else {
    for (const std::string& name : changes.remove) {
      PARLEY_RETURN_IF_ERROR(tx.Delete(kClass, FullName(place, group.epoch(), name)));
    }
    for (const auto& [name, record] : changes.put) {
      PARLEY_RETURN_IF_ERROR(tx.Put(kClass, FullName(place, group.epoch(), name), record));
    }
  }
  mls::MarkStored(group);
  return absl::OkStatus();
}

absl::Status DeleteGroup(Transaction& tx, const GroupPlace& place, const GroupPlace* shared) {
  PARLEY_ASSIGN_OR_RETURN(const std::set<std::string> names, NamesAt(tx, &place));
  PARLEY_ASSIGN_OR_RETURN(const std::set<std::string> kept, NamesAt(tx, shared));
  PARLEY_RETURN_IF_ERROR(DeleteBut(tx, names, kept));
  return tx.Delete(kClass, place.head);
}

absl::Status ReplaceGroup(Transaction& tx, const GroupPlace& next, const GroupPlace& place) {
  PARLEY_ASSIGN_OR_RETURN(const Head head, LoadHead(tx, next));
  if (!head.has_value()) return absl::DataLossError("a channel's record is missing in the profile");
  PARLEY_RETURN_IF_ERROR(DeleteGroup(tx, place, &next));
  PARLEY_RETURN_IF_ERROR(StoreRecord(tx, kClass, place.head, *head));
  return tx.Delete(kClass, next.head);
}

}  // namespace parley::client

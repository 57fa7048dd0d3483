#include "crypto/mls/group_records.h"

#include <charconv>
#include <string_view>

#include "crypto/mls/group_state.h"
#include "crypto/mls/tree_records.h"

namespace parley::mls {
namespace {

constexpr uint16_t kRecordsVersion = 3;
constexpr uint16_t kWholeTreeVersion = 1;     // the first, with the whole tree in "group"
constexpr uint16_t kWholePendingVersion = 2;  // with all that waits in "pending", as in the first
constexpr std::string_view kGroup = "group";
constexpr std::string_view kPending = "pending";
constexpr std::string_view kWaiting = "pending/";
constexpr std::string_view kTree = "tree/";
constexpr std::string_view kNode = "node/";
constexpr std::string_view kSender = "sender/";

std::string Numbered(std::string_view kind, uint32_t number) {
  return std::string(kind) + std::to_string(number);
}

// The number of a name of this kind; none for another.
std::optional<uint32_t> NumberOf(std::string_view kind, std::string_view name) {
  if (!name.starts_with(kind)) return std::nullopt;
  name.remove_prefix(kind.size());
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

Secret GroupRecord(const GroupState& state) {
  crypto::Writer w;
  Encode(w, kRecordsVersion);
  Encode(w, state.suite->id);
  Encode(w, state.signature_key.Seed());
  EncodeEpoch(w, state);
  w.WriteUint32(state.secret_tree.leaf_count().value);
  EncodePast(w, state);
  return std::move(w).TakeSecret();
}

// Both begin with the epoch's confirmation tag, so that they can't be taken for another epoch's.
Secret PendingRecord(const GroupState& state) {
  crypto::Writer w;
  Encode(w, state.confirmation_tag);
  w.WriteUint32(static_cast<uint32_t>(state.pending.all().size()));
  return std::move(w).TakeSecret();
}

Secret WaitingRecord(const GroupState& state, size_t index) {
  crypto::Writer w;
  Encode(w, state.confirmation_tag);
  EncodePendingOne(w, state, index);
  return std::move(w).TakeSecret();
}

void PutWaiting(const GroupState& state, size_t from, GroupRecordChanges& changes) {
  for (size_t i = from; i < state.pending.all().size(); ++i) {
    changes.put.emplace_back(Numbered(kWaiting, static_cast<uint32_t>(i)), WaitingRecord(state, i));
  }
}

// The parts of the tree among the records.
absl::StatusOr<std::map<uint32_t, ByteView>> TreeParts(const GroupRecords& records) {
  std::map<uint32_t, ByteView> parts;
  for (const auto& [name, record] : records) {
    if (!name.starts_with(kTree)) continue;
    const auto number = NumberOf(kTree, name);
    if (!number.has_value()) return absl::InvalidArgumentError("a record of an unknown name");
    parts.emplace(*number, record.Reveal());
  }
  return parts;
}

absl::StatusOr<std::unique_ptr<GroupState>> LoadEpoch(ByteView record, const GroupRecords& records,
                                                      uint16_t& version) {
  crypto::Reader r(record);
  CipherSuiteId id{};
  Secret seed;
  ByteView tree_wire;
  PARLEY_RETURN_IF_ERROR(Decode(r, version));
  if (version < kWholeTreeVersion || version > kRecordsVersion) {
    return absl::InvalidArgumentError("its version is " + std::to_string(version) +
                                      ", and this program reads versions up to " +
                                      std::to_string(kRecordsVersion));
  }
  PARLEY_RETURN_IF_ERROR(Decode(r, id));
  PARLEY_RETURN_IF_ERROR(Decode(r, seed));
  if (version == kWholeTreeVersion) PARLEY_RETURN_IF_ERROR(r.ReadOpaque(tree_wire));
  PARLEY_ASSIGN_OR_RETURN(const CipherSuite* suite, FindCipherSuite(id));
  PARLEY_ASSIGN_OR_RETURN(SignatureKey key, SignatureKey::FromSeed(seed.Reveal()));
  auto state = std::make_unique<GroupState>(*suite, RatchetTree(*suite), std::move(key));
  PARLEY_RETURN_IF_ERROR(DecodeEpoch(r, *state));
  uint32_t leaves = 0;
  PARLEY_RETURN_IF_ERROR(r.ReadUint32(leaves));
  PARLEY_RETURN_IF_ERROR(DecodePast(r, *state));
  PARLEY_RETURN_IF_ERROR(r.ExpectEnd());
  PARLEY_ASSIGN_OR_RETURN(const auto parts, TreeParts(records));
  if (version == kWholeTreeVersion) {
    if (!parts.empty()) return absl::InvalidArgumentError("records of two versions");
    PARLEY_ASSIGN_OR_RETURN(state->tree, RatchetTree::Parse(*suite, tree_wire));
  } else {
    PARLEY_ASSIGN_OR_RETURN(state->tree, JoinTree(*suite, LeafCount(leaves), parts));
  }
  PARLEY_RETURN_IF_ERROR(CheckLoaded(*state));
  if (leaves != state->tree.leaf_count().value) {
    return absl::InvalidArgumentError("a secret tree of another size");
  }
  state->secret_tree = SecretTree::OfParts(LeafCount(leaves));
  return state;
}

absl::Status CheckEpoch(crypto::Reader& r, const GroupState& state) {
  Bytes tag;
  PARLEY_RETURN_IF_ERROR(Decode(r, tag));
  if (tag == state.confirmation_tag) return absl::OkStatus();
  return absl::InvalidArgumentError("records of two epochs");
}

absl::Status LoadPending(ByteView record, const GroupRecords& records, uint16_t version,
                         GroupState& state) {
  crypto::Reader r(record);
  PARLEY_RETURN_IF_ERROR(CheckEpoch(r, state));
  if (version <= kWholePendingVersion) {
    PARLEY_RETURN_IF_ERROR(DecodePending(r, state));
    return r.ExpectEnd();
  }
  uint32_t count = 0;
  PARLEY_RETURN_IF_ERROR(r.ReadUint32(count));
  PARLEY_RETURN_IF_ERROR(r.ExpectEnd());
  for (uint32_t i = 0; i < count; ++i) {
    const auto waiting = records.find(Numbered(kWaiting, i));
    if (waiting == records.end()) return absl::InvalidArgumentError("a record is missing");
    crypto::Reader one(waiting->second.Reveal());
    PARLEY_RETURN_IF_ERROR(CheckEpoch(one, state));
    PARLEY_RETURN_IF_ERROR(DecodePendingOne(one, state));
    PARLEY_RETURN_IF_ERROR(one.ExpectEnd());
  }
  if (state.pending.all().size() == count) return absl::OkStatus();
  return absl::InvalidArgumentError("one proposal waits twice");
}

// Whether `name` is of one of the proposals that LoadPending has read.
bool IsWaiting(std::string_view name, uint16_t version, const GroupState& state) {
  const auto number = NumberOf(kWaiting, name);
  return version > kWholePendingVersion && number.has_value() &&
         *number < state.pending.all().size();
}

absl::StatusOr<std::unique_ptr<GroupState>> LoadState(const GroupRecords& records,
                                                      uint16_t& version) {
  const auto epoch = records.find(std::string(kGroup));
  const auto pending = records.find(std::string(kPending));
  if (epoch == records.end() || pending == records.end()) {
    return absl::InvalidArgumentError("a record is missing");
  }
  PARLEY_ASSIGN_OR_RETURN(std::unique_ptr<GroupState> state,
                          LoadEpoch(epoch->second.Reveal(), records, version));
  PARLEY_RETURN_IF_ERROR(LoadPending(pending->second.Reveal(), records, version, *state));
  for (const auto& [name, record] : records) {
    if (name == kGroup || name == kPending || name.starts_with(kTree) ||
        IsWaiting(name, version, *state)) {
      continue;
    }
    if (const auto node = NumberOf(kNode, name)) {
      PARLEY_RETURN_IF_ERROR(state->secret_tree.LoadNode(*node, record.Reveal()));
    } else if (const auto leaf = NumberOf(kSender, name)) {
      PARLEY_RETURN_IF_ERROR(state->secret_tree.LoadRatchets(*leaf, record.Reveal()));
    } else {
      return absl::InvalidArgumentError("a record of an unknown name");
    }
  }
  PARLEY_RETURN_IF_ERROR(state->secret_tree.CheckComplete(*state->suite));
  return state;
}

// Takes the record of this name, if there is one. Whether there is.
absl::StatusOr<bool> Take(std::string name, const GetRecord& get, GroupRecords& records) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<Secret> record, get(name));
  if (!record.has_value()) return false;
  records.emplace(std::move(name), std::move(*record));
  return true;
}

// The secret of a node, or what there is of those below it, which have taken its place.
absl::Status TakeKeys(NodeIndex node, const GetRecord& get, GroupRecords& records) {
  PARLEY_ASSIGN_OR_RETURN(const bool whole, Take(Numbered(kNode, node.value), get, records));
  if (whole) return absl::OkStatus();
  if (node.IsLeaf()) {
    return Take(Numbered(kSender, node.ToLeaf().value), get, records).status();
  }
  PARLEY_RETURN_IF_ERROR(TakeKeys(LeftOf(node), get, records));
  return TakeKeys(RightOf(node), get, records);
}

// The record under `name`, or its removal.
void Change(std::string name, std::optional<Secret> record, GroupRecordChanges& changes) {
  if (record.has_value()) {
    changes.put.emplace_back(std::move(name), std::move(*record));
  } else {
    changes.remove.push_back(std::move(name));
  }
}

template <typename Numbers>
void ChangeNodes(const SecretTree& tree, const Numbers& nodes, GroupRecordChanges& changes) {
  for (const uint32_t node : nodes) Change(Numbered(kNode, node), tree.StoreNode(node), changes);
}

template <typename Numbers>
void ChangeSenders(const SecretTree& tree, const Numbers& leaves, GroupRecordChanges& changes) {
  for (const uint32_t leaf : leaves) {
    Change(Numbered(kSender, leaf), tree.StoreRatchets(leaf), changes);
  }
}

}  // namespace

GroupRecordChanges ChangedRecords(const Group& group) {
  const GroupState& state = group.state();
  const SecretTree& tree = state.secret_tree;
  GroupRecordChanges changes{.replaces_all = !state.stored || tree.changes().everything,
                             .leaves = state.tree.leaf_count()};
  if (changes.replaces_all) {
    changes.put.emplace_back(kGroup, GroupRecord(state));
    changes.put.emplace_back(kPending, PendingRecord(state));
    PutWaiting(state, 0, changes);
    for (auto& [number, part] : SplitTree(state.tree)) {
      changes.put.emplace_back(Numbered(kTree, number), Secret::CopyOf(part));
    }
    ChangeNodes(tree, tree.StoredNodes(), changes);
    ChangeSenders(tree, tree.StoredLeaves(), changes);
    return changes;
  }
  const size_t waiting = state.pending.all().size();
  if (waiting != state.stored_pending || waiting != state.unchanged_pending) {
    changes.put.emplace_back(kPending, PendingRecord(state));
    PutWaiting(state, state.unchanged_pending, changes);
    for (size_t i = waiting; i < state.stored_pending; ++i) {
      changes.remove.push_back(Numbered(kWaiting, static_cast<uint32_t>(i)));
    }
  }
  ChangeNodes(tree, tree.changes().nodes, changes);
  ChangeSenders(tree, tree.changes().leaves, changes);
  return changes;
}

void MarkStored(Group& group) {
  GroupState& state = group.mutable_state();
  state.stored = true;
  state.stored_pending = state.unchanged_pending = state.pending.all().size();
  state.secret_tree.ForgetChanges();
}

absl::StatusOr<GroupRecords> FindRecords(LeafCount leaves, const GetRecord& get) {
  GroupRecords records;
  PARLEY_RETURN_IF_ERROR(Take(std::string(kGroup), get, records).status());
  PARLEY_RETURN_IF_ERROR(Take(std::string(kPending), get, records).status());
  for (uint32_t i = 0;; ++i) {
    PARLEY_ASSIGN_OR_RETURN(const bool there, Take(Numbered(kWaiting, i), get, records));
    if (!there) break;
  }
  for (const uint32_t part : TreePartsOf(leaves)) {
    PARLEY_RETURN_IF_ERROR(Take(Numbered(kTree, part), get, records).status());
  }
  PARLEY_RETURN_IF_ERROR(TakeKeys(RootOf(leaves), get, records));
  return records;
}

absl::StatusOr<Group> LoadGroup(const GroupRecords& records) {
  uint16_t version = 0;
  absl::StatusOr<std::unique_ptr<GroupState>> state = LoadState(records, version);
  if (!state.ok()) {
    return absl::DataLossError("a stored group is damaged or of another version (" +
                               std::string(state.status().message()) + ")");
  }
  Group group(std::move(*state));
  // Of an earlier version nothing can be changed: the group is written anew.
  if (version == kRecordsVersion) MarkStored(group);
  return group;
}

}  // namespace parley::mls

#include "crypto/mls/group_records.h"

#include <charconv>
#include <string_view>

#include "crypto/mls/group_state.h"
#include "crypto/primitives/hash.h"

namespace parley::mls {
namespace {

constexpr uint16_t kRecordsVersion = 1;
constexpr std::string_view kGroup = "group";
constexpr std::string_view kPending = "pending";
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
  Encode(w, state.tree.Serialize());
  EncodeEpoch(w, state);
  w.WriteUint32(state.secret_tree.leaf_count().value);
  EncodePast(w, state);
  return std::move(w).TakeSecret();
}

// Begins with the epoch's confirmation tag, so that it can't be taken for another epoch's.
Secret PendingRecord(const GroupState& state) {
  crypto::Writer w;
  Encode(w, state.confirmation_tag);
  EncodePending(w, state);
  return std::move(w).TakeSecret();
}

Bytes HashOf(const Secret& record) {
  const auto hash = crypto::Sha256({record.Reveal()});
  return Bytes(hash.begin(), hash.end());
}

absl::StatusOr<std::unique_ptr<GroupState>> LoadEpoch(ByteView record) {
  crypto::Reader r(record);
  uint16_t version = 0;
  CipherSuiteId id{};
  Secret seed;
  ByteView tree_wire;
  uint32_t leaves = 0;
  PARLEY_RETURN_IF_ERROR(Decode(r, version));
  if (version != kRecordsVersion) return absl::InvalidArgumentError("another version");
  PARLEY_RETURN_IF_ERROR(Decode(r, id));
  PARLEY_RETURN_IF_ERROR(Decode(r, seed));
  PARLEY_RETURN_IF_ERROR(r.ReadOpaque(tree_wire));
  PARLEY_ASSIGN_OR_RETURN(const CipherSuite* suite, FindCipherSuite(id));
  PARLEY_ASSIGN_OR_RETURN(SignatureKey key, SignatureKey::FromSeed(seed.Reveal()));
  PARLEY_ASSIGN_OR_RETURN(RatchetTree tree, RatchetTree::Parse(*suite, tree_wire));
  auto state = std::make_unique<GroupState>(*suite, std::move(tree), std::move(key));
  PARLEY_RETURN_IF_ERROR(DecodeEpoch(r, *state));
  PARLEY_RETURN_IF_ERROR(r.ReadUint32(leaves));
  PARLEY_RETURN_IF_ERROR(DecodePast(r, *state));
  PARLEY_RETURN_IF_ERROR(r.ExpectEnd());
  PARLEY_RETURN_IF_ERROR(CheckLoaded(*state));
  if (leaves != state->tree.leaf_count().value) {
    return absl::InvalidArgumentError("a secret tree of another size");
  }
  state->secret_tree = SecretTree::OfParts(LeafCount(leaves));
  return state;
}

absl::Status LoadPending(ByteView record, GroupState& state) {
  crypto::Reader r(record);
  Bytes tag;
  PARLEY_RETURN_IF_ERROR(Decode(r, tag));
  if (tag != state.confirmation_tag) return absl::InvalidArgumentError("records of two epochs");
  PARLEY_RETURN_IF_ERROR(DecodePending(r, state));
  return r.ExpectEnd();
}

absl::StatusOr<std::unique_ptr<GroupState>> LoadState(const GroupRecords& records) {
  const auto epoch = records.find(std::string(kGroup));
  const auto pending = records.find(std::string(kPending));
  if (epoch == records.end() || pending == records.end()) {
    return absl::InvalidArgumentError("a record is missing");
  }
  PARLEY_ASSIGN_OR_RETURN(std::unique_ptr<GroupState> state, LoadEpoch(epoch->second.Reveal()));
  PARLEY_RETURN_IF_ERROR(LoadPending(pending->second.Reveal(), *state));
  for (const auto& [name, record] : records) {
    if (name == kGroup || name == kPending) continue;
    if (const auto node = NumberOf(kNode, name)) {
      PARLEY_RETURN_IF_ERROR(state->secret_tree.LoadNode(*node, record.Reveal()));
    } else if (const auto leaf = NumberOf(kSender, name)) {
      PARLEY_RETURN_IF_ERROR(state->secret_tree.LoadRatchets(*leaf, record.Reveal()));
    } else {
      return absl::InvalidArgumentError("a record of an unknown name");
    }
  }
  return state;
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
  GroupRecordChanges changes{.replaces_all = !state.stored || tree.changes().everything};
  Secret pending = PendingRecord(state);
  if (changes.replaces_all) {
    changes.put.emplace_back(kGroup, GroupRecord(state));
    changes.put.emplace_back(kPending, std::move(pending));
    ChangeNodes(tree, tree.StoredNodes(), changes);
    ChangeSenders(tree, tree.StoredLeaves(), changes);
    return changes;
  }
  if (HashOf(pending) != state.stored_pending) {
    changes.put.emplace_back(kPending, std::move(pending));
  }
  ChangeNodes(tree, tree.changes().nodes, changes);
  ChangeSenders(tree, tree.changes().leaves, changes);
  return changes;
}

void MarkStored(Group& group) {
  GroupState& state = group.mutable_state();
  state.stored = true;
  state.stored_pending = HashOf(PendingRecord(state));
  state.secret_tree.ForgetChanges();
}

absl::StatusOr<Group> LoadGroup(const GroupRecords& records) {
  absl::StatusOr<std::unique_ptr<GroupState>> state = LoadState(records);
  if (!state.ok()) {
    return absl::DataLossError("a stored group is damaged or from a later version (" +
                               std::string(state.status().message()) + ")");
  }
  Group group(std::move(*state));
  MarkStored(group);
  return group;
}

}  // namespace parley::mls

#include "crypto/mls/group_state.h"

#include <algorithm>

#include "crypto/base/check.h"
#include "crypto/mls/message_protection.h"
#include "crypto/primitives/hash.h"

namespace parley::mls {

absl::Status CheckNotEnded(const GroupState& state) {
  if (!state.reinit.has_value()) return absl::OkStatus();
  return absl::FailedPreconditionError("this group has ended: another takes its place");
}

absl::StatusOr<std::vector<Psk>> FindPsks(const GroupState* state,
                                          const std::vector<PreSharedKeyId>& ids,
                                          const PskLookup& lookup) {
  if (ids.size() > kMaxPsks) return absl::InvalidArgumentError("too many pre-shared keys at once");
  std::vector<Psk> psks;
  for (const PreSharedKeyId& id : ids) {
    std::optional<Secret> secret;
    if (state != nullptr && id.type == PskType::kResumption &&
        id.psk_group_id == state->context.group_id) {
      auto past = state->past_resumption.find(id.psk_epoch);
      if (id.psk_epoch == state->context.epoch) {
        secret = state->secrets.resumption.value.Clone();
      } else if (past != state->past_resumption.end()) {
        secret = past->second.Clone();
      }
    }
    if (!secret.has_value() && lookup) secret = lookup(id);
    if (!secret.has_value()) {
      return absl::FailedPreconditionError("a pre-shared key that the group needs is not known");
    }
    psks.push_back({id, std::move(*secret)});
  }
  return psks;
}

GroupInfo MakeGroupInfo(const GroupState& state, bool with_tree, bool with_external_pub,
                        const Extensions& more) {
  GroupInfo info{.group_context = state.context,
                 .extensions = more,
                 .confirmation_tag = state.confirmation_tag,
                 .signer = state.own_leaf.value,
                 .signature = {}};
  if (with_tree) info.extensions.push_back({ExtensionType::kRatchetTree, state.tree.Serialize()});
  if (with_external_pub) {
    // struct { HPKEPublicKey external_pub; } ExternalPub;
    info.extensions.push_back(
        {ExtensionType::kExternalPub,
         crypto::Serialize(
             DeriveExternalKeyPair(*state.suite, state.secrets.external).public_key)});
  }
  SignGroupInfo(state.signature_key, info);
  return info;
}

FramedContent NewContent(const GroupState& state, ByteView authenticated_data) {
  FramedContent content;
  content.group_id = state.context.group_id;
  content.epoch = state.context.epoch;
  content.sender = Sender::Member(state.own_leaf);
  content.authenticated_data.assign(authenticated_data.begin(), authenticated_data.end());
  return content;
}

AuthenticatedContent SignAs(const GroupState& state, WireFormat wire_format,
                            FramedContent content) {
  AuthenticatedContent signed_content{.wire_format = wire_format};
  signed_content.auth.signature =
      SignContent(state.signature_key, wire_format, content, state.context);
  signed_content.content = std::move(content);
  return signed_content;
}

absl::StatusOr<Bytes> SealPrivate(GroupState& state, const AuthenticatedContent& content,
                                  size_t padding) {
  PARLEY_ASSIGN_OR_RETURN(const FoundKey key,
                          state.secret_tree.TakeNext(*state.suite, state.own_leaf,
                                                     RatchetFor(content.content.content_type())));
  return crypto::Serialize(
      MlsMessage{ProtectPrivate(*state.suite, state.secrets.sender_data, key, content, padding)});
}

const Update* OwnUpdate(const GroupState& state, const PendingProposal& pending) {
  if (pending.sender != Sender::Member(state.own_leaf)) return nullptr;
  return std::get_if<Update>(&pending.proposal.body);
}

// ---- Stored form ------------------------------------------------------------------------------

namespace {

constexpr uint16_t kStoredVersion = 1;

void Encode(crypto::Writer& w, const PrivateKeys& keys) {
  w.WriteUint32(static_cast<uint32_t>(keys.size()));
  for (const auto& [node, secret] : keys) {
    w.WriteUint32(node.value);
    Encode(w, secret);
  }
}

absl::Status Decode(crypto::Reader& r, PrivateKeys& keys) {
  uint32_t count = 0;
  PARLEY_RETURN_IF_ERROR(r.ReadUint32(count));
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t node = 0;
    Secret secret;
    PARLEY_RETURN_IF_ERROR(r.ReadUint32(node));
    PARLEY_RETURN_IF_ERROR(Decode(r, secret));
    keys.emplace(NodeIndex(node), std::move(secret));
  }
  return absl::OkStatus();
}

struct StoredPending {
  ProposalRef ref;
  Sender sender;
  Proposal proposal;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.ref, self.sender, self.proposal);
  }
};

struct StoredResumption {
  uint64_t epoch = 0;
  Secret secret;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.epoch, self.secret);
  }
};

absl::Status WrongSize() {
  return absl::InvalidArgumentError("a secret that isn't as long as its suite's are");
}

absl::Status CheckSizes(const CipherSuite& suite, const PendingUpdate& own) {
  const size_t seed = own.signature_seed.size();
  const bool fits = own.leaf_private.size() == suite.kem().private_key_size() &&
                    (seed == 0 || seed == crypto::kSignatureSeedSize);
  return fits ? absl::OkStatus() : WrongSize();
}

// What derives from a secret takes for granted that it is as long as it should be.
absl::Status CheckSizes(const GroupState& state) {
  const CipherSuite& suite = *state.suite;
  const bool keys_fit = std::all_of(state.keys.begin(), state.keys.end(), [&](const auto& key) {
    return key.second.size() == suite.kem().private_key_size();
  });
  const bool secrets_fit = std::apply(
      [&](const auto&... secret) { return ((secret.value.size() == suite.hash_size()) && ...); },
      EpochSecrets::Fields(state.secrets));
  return keys_fit && secrets_fit ? absl::OkStatus() : WrongSize();
}

}  // namespace

void EncodeEpoch(crypto::Writer& w, const GroupState& state) {
  Encode(w, state.context);
  Encode(w, state.interim_transcript_hash);
  Encode(w, state.confirmation_tag);
  w.WriteUint32(state.own_leaf.value);
  Encode(w, state.keys);
  Encode(w, state.secrets);
}

absl::Status DecodeEpoch(crypto::Reader& r, GroupState& state) {
  PARLEY_RETURN_IF_ERROR(Decode(r, state.context));
  PARLEY_RETURN_IF_ERROR(Decode(r, state.interim_transcript_hash));
  PARLEY_RETURN_IF_ERROR(Decode(r, state.confirmation_tag));
  PARLEY_RETURN_IF_ERROR(r.ReadUint32(state.own_leaf.value));
  PARLEY_RETURN_IF_ERROR(Decode(r, state.keys));
  return Decode(r, state.secrets);
}

void EncodePending(crypto::Writer& w, const GroupState& state) {
  std::vector<StoredPending> pending;
  for (const PendingProposal& p : state.pending.all()) {
    pending.push_back({p.ref, p.sender, p.proposal});
  }
  Encode(w, pending);
  Encode(w, state.pending_updates);
}

absl::Status DecodePending(crypto::Reader& r, GroupState& state) {
  std::vector<StoredPending> pending;
  PARLEY_RETURN_IF_ERROR(Decode(r, pending));
  for (StoredPending& p : pending) {
    state.pending.Restore({std::move(p.ref), p.sender, std::move(p.proposal)});
  }
  PARLEY_RETURN_IF_ERROR(Decode(r, state.pending_updates));
  for (const PendingUpdate& own : state.pending_updates) {
    PARLEY_RETURN_IF_ERROR(CheckSizes(*state.suite, own));
  }
  return absl::OkStatus();
}

void EncodePendingOne(crypto::Writer& w, const GroupState& state, size_t index) {
  const PendingProposal& pending = state.pending.all()[index];
  Encode(w, StoredPending{pending.ref, pending.sender, pending.proposal});
  const Update* update = OwnUpdate(state, pending);
  const auto own = std::find_if(
      state.pending_updates.begin(), state.pending_updates.end(), [&](const PendingUpdate& one) {
        return update != nullptr && one.encryption_key == update->leaf_node->encryption_key;
      });
  w.WriteUint8(own == state.pending_updates.end() ? 0 : 1);
  if (own != state.pending_updates.end()) Encode(w, *own);
}

absl::Status DecodePendingOne(crypto::Reader& r, GroupState& state) {
  StoredPending pending;
  PARLEY_RETURN_IF_ERROR(Decode(r, pending));
  std::optional<PendingUpdate> own;
  PARLEY_RETURN_IF_ERROR(Decode(r, own));
  state.pending.Restore({std::move(pending.ref), pending.sender, std::move(pending.proposal)});
  if (own.has_value()) {
    PARLEY_RETURN_IF_ERROR(CheckSizes(*state.suite, *own));
    state.pending_updates.push_back(std::move(*own));
  }
  return absl::OkStatus();
}

void EncodePast(crypto::Writer& w, const GroupState& state) {
  std::vector<StoredResumption> past;
  for (const auto& [epoch, secret] : state.past_resumption) past.push_back({epoch, secret.Clone()});
  Encode(w, past);
  Encode(w, state.reinit);
}

absl::Status DecodePast(crypto::Reader& r, GroupState& state) {
  std::vector<StoredResumption> past;
  PARLEY_RETURN_IF_ERROR(Decode(r, past));
  for (StoredResumption& p : past) state.past_resumption.emplace(p.epoch, std::move(p.secret));
  return Decode(r, state.reinit);
}

absl::Status CheckLoaded(GroupState& state) {
  if (state.tree.leaf(state.own_leaf) == nullptr ||
      state.tree.TreeHash() != state.context.tree_hash) {
    return absl::InvalidArgumentError("parts that don't belong together");
  }
  return CheckSizes(state);
}

namespace {

// Everything but the version, the suite, the signature key and the tree.
void EncodeState(crypto::Writer& w, const GroupState& state) {
  EncodeEpoch(w, state);
  Encode(w, state.secret_tree);
  EncodePending(w, state);
  EncodePast(w, state);
}

absl::Status DecodeState(crypto::Reader& r, GroupState& state) {
  PARLEY_RETURN_IF_ERROR(DecodeEpoch(r, state));
  PARLEY_RETURN_IF_ERROR(Decode(r, state.secret_tree));
  PARLEY_RETURN_IF_ERROR(DecodePending(r, state));
  return DecodePast(r, state);
}

// What is stored ends with its SHA-256, so that no damage passes for a state.
absl::StatusOr<ByteView> WithoutChecksum(ByteView stored) {
  if (stored.size() < crypto::kSha256Size) return absl::InvalidArgumentError("cut short");
  const ByteView body = stored.first(stored.size() - crypto::kSha256Size);
  if (!crypto::PublicEquals(crypto::Sha256({body}), stored.last(crypto::kSha256Size))) {
    return absl::InvalidArgumentError("its checksum doesn't fit");
  }
  return body;
}

absl::StatusOr<std::unique_ptr<GroupState>> ParseState(ByteView stored) {
  PARLEY_ASSIGN_OR_RETURN(const ByteView body, WithoutChecksum(stored));
  crypto::Reader r(body);
  uint16_t version = 0;
  CipherSuiteId id{};
  Secret seed;
  ByteView tree_wire;
  PARLEY_RETURN_IF_ERROR(Decode(r, version));
  if (version != kStoredVersion) return absl::InvalidArgumentError("another version");
  PARLEY_RETURN_IF_ERROR(Decode(r, id));
  PARLEY_RETURN_IF_ERROR(Decode(r, seed));
  PARLEY_RETURN_IF_ERROR(r.ReadOpaque(tree_wire));
  PARLEY_ASSIGN_OR_RETURN(const CipherSuite* suite, FindCipherSuite(id));
  PARLEY_ASSIGN_OR_RETURN(SignatureKey key, SignatureKey::FromSeed(seed.Reveal()));
  PARLEY_ASSIGN_OR_RETURN(RatchetTree tree, RatchetTree::Parse(*suite, tree_wire));
  auto state = std::make_unique<GroupState>(*suite, std::move(tree), std::move(key));
  PARLEY_RETURN_IF_ERROR(DecodeState(r, *state));
  PARLEY_RETURN_IF_ERROR(r.ExpectEnd());
  PARLEY_RETURN_IF_ERROR(CheckLoaded(*state));
  if (state->secret_tree.leaf_count().value != state->tree.leaf_count().value) {
    return absl::InvalidArgumentError("a secret tree of another size");
  }
  PARLEY_RETURN_IF_ERROR(state->secret_tree.CheckComplete(*state->suite));
  return state;
}

}  // namespace

std::unique_ptr<GroupState> CloneState(const GroupState& state) {
  auto copy = std::make_unique<GroupState>(*state.suite, state.tree, state.signature_key.Clone());
  crypto::Writer w;
  EncodeState(w, state);
  crypto::Reader r(w.view());
  // What was just written reads back.
  PARLEY_CHECK(DecodeState(r, *copy).ok());
  return copy;
}

Secret Group::Serialize() const {
  crypto::Writer w;
  Encode(w, kStoredVersion);
  Encode(w, state_->suite->id);
  Encode(w, state_->signature_key.Seed());
  Encode(w, state_->tree.Serialize());
  EncodeState(w, *state_);
  w.WriteRaw(crypto::Sha256({w.view()}));
  return std::move(w).TakeSecret();
}

absl::StatusOr<Group> Group::Parse(ByteView stored) {
  absl::StatusOr<std::unique_ptr<GroupState>> state = ParseState(stored);
  if (state.ok()) return Group(std::move(*state));
  return absl::DataLossError("a stored group is damaged or from a later version (" +
                             std::string(state.status().message()) + ")");
}

Group Group::Clone() const { return Group(CloneState(*state_)); }

Secret PreparedCommit::SerializeSecret() const {
  crypto::Writer w;
  Encode(w, kStoredVersion);
  Encode(w, message);
  Encode(w, welcome);
  w.WriteUint32(static_cast<uint32_t>(added.size()));
  for (const AddedMember& member : added) {
    w.WriteUint32(member.leaf.value);
    Encode(w, member.key_package);
    Encode(w, member.proposed_by);
  }
  Encode(w, next.Serialize());
  return std::move(w).TakeSecret();
}

namespace {

struct StoredCommit {
  Bytes message;
  std::optional<Bytes> welcome;
  std::vector<AddedMember> added;
  Secret next;
};

absl::Status Decode(crypto::Reader& r, StoredCommit& commit) {
  uint16_t version = 0;
  PARLEY_RETURN_IF_ERROR(Decode(r, version));
  if (version != kStoredVersion) return absl::InvalidArgumentError("another version");
  PARLEY_RETURN_IF_ERROR(Decode(r, commit.message));
  PARLEY_RETURN_IF_ERROR(Decode(r, commit.welcome));
  uint32_t count = 0;
  PARLEY_RETURN_IF_ERROR(r.ReadUint32(count));
  for (uint32_t i = 0; i < count; ++i) {
    AddedMember member;
    PARLEY_RETURN_IF_ERROR(r.ReadUint32(member.leaf.value));
    PARLEY_RETURN_IF_ERROR(Decode(r, member.key_package));
    PARLEY_RETURN_IF_ERROR(Decode(r, member.proposed_by));
    commit.added.push_back(std::move(member));
  }
  PARLEY_RETURN_IF_ERROR(Decode(r, commit.next));
  return r.ExpectEnd();
}

}  // namespace

absl::StatusOr<PreparedCommit> PreparedCommit::Parse(ByteView stored) {
  crypto::Reader r(stored);
  StoredCommit commit;
  if (!Decode(r, commit).ok()) {
    return absl::DataLossError("a stored commit is damaged or from a later version");
  }
  PARLEY_ASSIGN_OR_RETURN(Group next, Group::Parse(commit.next.Reveal()));
  return PreparedCommit{std::move(commit.message), std::move(commit.welcome),
                        std::move(commit.added), std::move(next)};
}

}  // namespace parley::mls

// What a Group is made of: one member's state in one epoch.
//
// For this folder's files: the functions of group_*.cc work on it.
#ifndef PARLEY_CRYPTO_MLS_GROUP_STATE_H_
#define PARLEY_CRYPTO_MLS_GROUP_STATE_H_

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "crypto/mls/framing.h"
#include "crypto/mls/group.h"
#include "crypto/mls/key_schedule.h"
#include "crypto/mls/ratchet_tree.h"
#include "crypto/mls/secret_tree.h"
#include "crypto/mls/treekem.h"

namespace parley::mls {

// How many past epochs' resumption secrets a group keeps, for PSK proposals that name them.
inline constexpr size_t kKeptResumptionSecrets = 32;
// How many proposals of one sender wait for a commit; further ones are refused. The limit is per
// sender, since all members see one sender's messages in the same order and so keep the same ones,
// while a limit over all would let one member crowd out the others.
inline constexpr size_t kMaxPendingProposals = 64;

// The private half of an Update that somebody may commit.
struct PendingUpdate {
  Bytes encryption_key;
  Secret leaf_private;
  Secret signature_seed;  // empty when the signature key stays
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.encryption_key, self.leaf_private, self.signature_seed);
  }
};

struct GroupState {
  GroupState(const CipherSuite& s, RatchetTree t, SignatureKey key)
      : suite(&s), tree(std::move(t)), signature_key(std::move(key)) {}

  const CipherSuite* suite;
  GroupContext context;
  Bytes interim_transcript_hash;
  Bytes confirmation_tag;
  RatchetTree tree;
  LeafIndex own_leaf;
  SignatureKey signature_key;
  PrivateKeys keys;
  EpochSecrets secrets;
  SecretTree secret_tree;
  std::vector<PendingProposal> pending;
  std::vector<PendingUpdate> pending_updates;
  std::map<uint64_t, Secret> past_resumption;  // by epoch
  std::optional<ReInit> reinit;                // the group has ended
  // Whether its records are stored, and the hash of the one with what is pending: group_records.h.
  bool stored = false;
  Bytes stored_pending;

  const LeafNode& own_leaf_node() const { return *tree.leaf(own_leaf); }
  LeafPlace place(LeafIndex leaf) const { return {context.group_id, leaf}; }
};

// A copy that shares the tree.
std::unique_ptr<GroupState> CloneState(const GroupState& state);

// Section 12.4.2: after a ReInit "the client MUST NOT use the group to send messages anymore".
// Errors: FailedPrecondition then.
absl::Status CheckNotEnded(const GroupState& state);

// Keeps a proposal for a commit. One that is there already stays there once: a member that proposes
// the same removal twice in an epoch makes the same proposal, signature included.
// Errors: ResourceExhausted over kMaxPendingProposals.
absl::Status AddPending(GroupState& state, PendingProposal proposal);

// The secrets for `ids`, in their order: the group's own resumption secrets and what `lookup` has.
// `state` may be null for who isn't a member yet.
// Errors: FailedPrecondition when one isn't there; InvalidArgument for more than kMaxPsks.
absl::StatusOr<std::vector<Psk>> FindPsks(const GroupState* state,
                                          const std::vector<PreSharedKeyId>& ids,
                                          const PskLookup& lookup);

// A signed GroupInfo of `state`.
GroupInfo MakeGroupInfo(const GroupState& state, bool with_tree, bool with_external_pub,
                        const Extensions& more);

// Signs `content` for `wire_format`, without a confirmation tag.
AuthenticatedContent SignAs(const GroupState& state, WireFormat wire_format, FramedContent content);

// Takes the next handshake or application key and encrypts.
absl::StatusOr<Bytes> SealPrivate(GroupState& state, const AuthenticatedContent& content,
                                  size_t padding);

// A content of this group and epoch, from this member.
FramedContent NewContent(const GroupState& state, ByteView authenticated_data);

// The parts of the stored forms: what stays for an epoch, what waits for a commit, what is kept of
// earlier epochs.
void EncodeEpoch(crypto::Writer& w, const GroupState& state);
absl::Status DecodeEpoch(crypto::Reader& r, GroupState& state);
void EncodePending(crypto::Writer& w, const GroupState& state);
absl::Status DecodePending(crypto::Reader& r, GroupState& state);
void EncodePast(crypto::Writer& w, const GroupState& state);
absl::Status DecodePast(crypto::Reader& r, GroupState& state);
// Errors: InvalidArgument when the tree isn't the context's, or has no own leaf.
absl::Status CheckLoaded(GroupState& state);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_GROUP_STATE_H_

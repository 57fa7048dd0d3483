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
#include "crypto/mls/pending_proposals.h"
#include "crypto/mls/ratchet_tree.h"
#include "crypto/mls/secret_tree.h"
#include "crypto/mls/treekem.h"

namespace parley::mls {

// How many past epochs' resumption secrets a group keeps, for PSK proposals that name them.
inline constexpr size_t kKeptResumptionSecrets = 32;

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
  PendingProposals pending;
  std::vector<PendingUpdate> pending_updates;
  std::map<uint64_t, Secret> past_resumption;  // by epoch
  std::optional<ReInit> reinit;                // the group has ended
  // Whether the own first commit names the group that this one continues: set while that is made.
  bool starts_continuation = false;
  // Whether its records are stored (group_records.h), those of how many proposals that wait, and
  // how many of these, the first ones, are what is stored.
  bool stored = false;
  size_t stored_pending = 0;
  size_t unchanged_pending = 0;

  const LeafNode& own_leaf_node() const { return *tree.leaf(own_leaf); }
  LeafPlace place(LeafIndex leaf) const { return {context.group_id, leaf}; }
};

// A copy that shares the tree.
std::unique_ptr<GroupState> CloneState(const GroupState& state);

// Section 12.4.2: after a ReInit "the client MUST NOT use the group to send messages anymore".
// Errors: FailedPrecondition then.
absl::Status CheckNotEnded(const GroupState& state);

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

// The Update in a proposal of the own member's; null for any other. Others can copy the public key
// of one, so that the key alone doesn't say whose a proposal is.
const Update* OwnUpdate(const GroupState& state, const PendingProposal& pending);

// The parts of the stored forms: what stays for an epoch, what waits for a commit, what is kept of
// earlier epochs.
void EncodeEpoch(crypto::Writer& w, const GroupState& state);
absl::Status DecodeEpoch(crypto::Reader& r, GroupState& state);
void EncodePending(crypto::Writer& w, const GroupState& state);
absl::Status DecodePending(crypto::Reader& r, GroupState& state);
// One of those that wait, with the private half of an own Update.
void EncodePendingOne(crypto::Writer& w, const GroupState& state, size_t index);
absl::Status DecodePendingOne(crypto::Reader& r, GroupState& state);
void EncodePast(crypto::Writer& w, const GroupState& state);
absl::Status DecodePast(crypto::Reader& r, GroupState& state);
// Errors: InvalidArgument when the tree isn't the context's, or has no own leaf, or a secret isn't
// of the suite's size.
absl::Status CheckLoaded(GroupState& state);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_GROUP_STATE_H_

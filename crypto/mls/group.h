// A group of MLS (RFC 9420): one member's view of one epoch, and the steps to the next.
//
//   // Mira makes a group and adds Ana.
//   PARLEY_ASSIGN_OR_RETURN(Group mira, Group::Create({.group_id = id, .identity = name}));
//   PARLEY_ASSIGN_OR_RETURN(PreparedCommit commit, mira.PrepareCommit({.adds = {anas}}));
//   Send(commit.message);
//   mira = std::move(commit.next);  // once the commit has won
//
//   // Ana joins and writes.
//   PARLEY_ASSIGN_OR_RETURN(Group ana, Group::Join(*commit.welcome, std::move(bundle)));
//   PARLEY_ASSIGN_OR_RETURN(Bytes message, ana.Protect(ViewOf("hello")));
//
//   // Mira reads.
//   PARLEY_ASSIGN_OR_RETURN(Received received, mira.Process(message));
//   if (auto* said = std::get_if<ApplicationMessage>(&received)) Show(said->plaintext);
//   if (auto* staged = std::get_if<StagedCommit>(&received)) {
//     if (!Allowed(staged->changes())) return mira.Refuse(std::move(*staged));
//     PARLEY_ASSIGN_OR_RETURN(mira, std::move(*staged).Next());
//   }
//
// Epochs: a Group is in one epoch and knows nothing of earlier ones, but for resumption secrets.
// Committing and processing a commit give the *next* Group; the caller replaces its own by it, or
// drops it. Trees are shared between them, so that a next Group costs what changed.
//
// On failure: every call that fails leaves the group as it was, keys of the message included: a
// forged copy of a message doesn't burn the real one.
//
// Errors, for all functions: InvalidArgument for malformed bytes or a message that breaks a rule of
// the RFC; Unauthenticated, one identical message, for a signature, tag or ciphertext that doesn't
// verify; FailedPrecondition for another epoch or group, a state in which the call makes no sense,
// or a key that was already used (replay); ResourceExhausted for a jump over kMaxRatchetJump, for a
// message (or a tree beside it) of more than kMaxMessageSize bytes, when too many proposals wait
// already, the tree is full, or the own ratchet has no generation left.
//
// Threading: const calls may run together on one Group; any two Groups are independent.
//
// Secrets: the epoch's secrets, own private keys and message keys, in crypto::Secret, wiped when
// used, replaced or destroyed. Serialize() gives all of them away.
#ifndef PARLEY_CRYPTO_MLS_GROUP_H_
#define PARLEY_CRYPTO_MLS_GROUP_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"
#include "crypto/mls/ciphersuite.h"
#include "crypto/mls/group_options.h"
#include "crypto/mls/key_package.h"
#include "crypto/mls/proposal.h"
#include "crypto/mls/psk.h"
#include "crypto/mls/tree_math.h"

namespace parley::mls {

// How far ahead of the last key a message may be, checked before any key is derived.
inline constexpr uint32_t kMaxRatchetJump = 1024;
// How many keys of messages that haven't come are kept for one sender; beyond it the oldest go.
inline constexpr uint32_t kMaxSkippedKeys = 1024;

// The longest message of a peer's that is looked at, in bytes. RFC 9420 bounds only single vectors,
// at 2^30 - 1; what is signed or hashed of a message is one vector around several of its fields.
// Room for the tree of the largest group of suite 3, or of 20,000 members of the post-quantum one;
// a program that takes messages from a network wants a limit of its own, of some megabytes.
// Whatever a message says, it takes no more than some ten times its length of memory.
inline constexpr size_t kMaxMessageSize = size_t{1} << 26;

struct GroupState;
class Group;

enum class ContentType : uint8_t { kApplication = 1, kProposal = 2, kCommit = 3 };
enum class WireFormat : uint16_t {
  kPublicMessage = 1,
  kPrivateMessage = 2,
  kWelcome = 3,
  kGroupInfo = 4,
  kKeyPackage = 5,
};

// What a message says of itself in the clear, unauthenticated. For choosing the group and epoch.
struct MessageHead {
  WireFormat wire_format{};
  // Of public and private messages only:
  Bytes group_id;
  uint64_t epoch = 0;
  ContentType content_type{};
};
// Errors: InvalidArgument for what isn't an MLSMessage.
absl::StatusOr<MessageHead> PeekMessage(ByteView message);

struct Member {
  LeafIndex leaf;
  Credential credential;
  Bytes signature_key;
  Bytes encryption_key;
};

// ---- What Process gives -----------------------------------------------------------------------

struct ApplicationMessage {
  LeafIndex sender;
  uint32_t generation = 0;  // the sender's count of messages in this epoch
  Secret plaintext;
  Bytes authenticated_data;
};

// A proposal that was received or made in this epoch and waits for a commit.
struct PendingProposal {
  ProposalRef ref;
  Sender sender;
  Proposal proposal;
};

// It is now among the group's pending proposals; the group must be stored again.
struct ReceivedProposal {
  PendingProposal proposal;
  Bytes authenticated_data;
};

// One's own message has come back. A PrivateMessage is known by its sender data, which any member
// could write: take it for one's own only when the bytes are those that were sent.
struct OwnMessage {
  ContentType content_type{};
  uint32_t generation = 0;
  // The generation wasn't used yet by this state, and the own leaf has signed the message: the
  // state is an old copy. (What another member forges is Unauthenticated.)
  bool unknown_to_this_state = false;
};

struct AddedMember {
  LeafIndex leaf;
  KeyPackage key_package;
  Sender proposed_by;
};
struct RemovedMember {
  LeafIndex leaf;
  LeafNode leaf_node;
  Sender proposed_by;
};
// A leaf that was replaced: by an Update, or the committer's by the commit's path.
struct UpdatedMember {
  LeafIndex leaf;
  LeafNode before;
  LeafNode after;
};
struct ExtensionsChange {
  Extensions before;
  Extensions after;
  Sender proposed_by;
};

// All that a commit changes.
struct CommitChanges {
  std::vector<AddedMember> adds;
  std::vector<RemovedMember> removes;
  std::vector<UpdatedMember> updates;
  std::optional<ExtensionsChange> extensions;
  std::vector<PreSharedKeyId> psks;
  std::optional<ReInit> reinit;  // the group ends with this commit
  bool has_path = false;         // the committer renewed its leaf and path
  bool external = false;         // the committer joins by this very commit; it is in `adds` of none
  // The receiver is out, says the commit: who is removed can't compute the confirmation tag, and so
  // can't tell whether the others have refused it. It is known when they have moved on.
  bool removes_self = false;
};

// A commit that verified and that the caller may accept, refuse (Group::Refuse), or drop, as one
// that has lost a race: then nothing has happened.
class StagedCommit {
 public:
  LeafIndex sender() const { return sender_; }
  const Bytes& authenticated_data() const { return authenticated_data_; }
  const CommitChanges& changes() const { return changes_; }
  // The group after it, for checks of any kind (members, extensions, Export); null when the
  // receiver is removed.
  const Group* next() const { return next_.get(); }
  // Accepts. Errors: FailedPrecondition when the receiver is removed.
  absl::StatusOr<Group> Next() &&;

  StagedCommit(StagedCommit&&) noexcept;
  StagedCommit& operator=(StagedCommit&&) noexcept;
  ~StagedCommit();

 private:
  friend class CommitProcessor;
  friend class Group;
  StagedCommit();
  LeafIndex sender_;
  uint64_t epoch_ = 0;                  // from which it leads on
  std::optional<uint32_t> generation_;  // of its key in the sender's ratchet; none when public
  Bytes authenticated_data_;
  CommitChanges changes_;
  std::unique_ptr<Group> next_;
};

using Received = std::variant<ApplicationMessage, ReceivedProposal, StagedCommit, OwnMessage>;

struct PreparedCommit;

// ---- The group --------------------------------------------------------------------------------

class Group {
 public:
  // A group of one, in epoch 0.
  static absl::StatusOr<Group> Create(const GroupOptions& options);

  // The group that a Welcome (an MLSMessage) opens for the key package. The ratchet tree, its
  // hashes and every leaf are verified. The bundle is used up by success only: anybody can make a
  // Welcome that says it is for this key package, and the genuine one must still open.
  // Errors: also NotFound when the Welcome isn't for this key package, AlreadyExists by `in_use`,
  // PermissionDenied when it doesn't continue the group it should, and whatever the judge returns.
  static absl::StatusOr<Group> Join(ByteView welcome, KeyPackageBundle&& bundle,
                                    const JoinOptions& options = {});

  // Joins from outside by an external commit (section 12.4.3.2), given a GroupInfo message with
  // external_pub and the ratchet tree. Who may do so is the application's rule.
  // Errors: also AlreadyExists by `options.in_use`, and whatever the judge in `options` returns.
  static absl::StatusOr<PreparedCommit> JoinExternally(ByteView group_info,
                                                       const GroupOptions& own_leaf,
                                                       const JoinOptions& options = {});
  // The same, in place of an own old leaf or with pre-shared keys.
  static absl::StatusOr<PreparedCommit> JoinExternally(ByteView group_info,
                                                       const GroupOptions& own_leaf,
                                                       const ExternalJoinOptions& options);

  // Section 11.3: a new group of some of this one's members, linked to this epoch by a resumption
  // PSK. The result is its first commit: only `welcome` and `next` are of use.
  // Errors: PermissionDenied when a key package is of none of this group's clients.
  absl::StatusOr<PreparedCommit> Branch(const ContinuationOptions& options) const;
  // Section 11.2: the group that takes this one's place, as its ReInit says, for all its members.
  // Errors: FailedPrecondition before the ReInit is committed; PermissionDenied when the key
  // packages are not those of the other members.
  absl::StatusOr<PreparedCommit> Reinitialize(const ContinuationOptions& options) const;

  // Reads what Serialize() wrote. Errors: DataLoss when damaged or of a later version.
  static absl::StatusOr<Group> Parse(ByteView stored);
  // Everything, in a versioned format: tree, secrets, skipped keys, pending proposals and updates.
  Secret Serialize() const;
  // An independent copy.
  Group Clone() const;

  CipherSuiteId suite() const;
  uint64_t epoch() const;
  const Bytes& group_id() const;
  LeafIndex own_leaf() const;
  std::vector<Member> members() const;
  // The member at `leaf`, or none.
  std::optional<Member> FindMember(LeafIndex leaf) const;
  // The whole leaf, with capabilities and extensions; null for none. Valid while the Group lives.
  const LeafNode* FindLeafNode(LeafIndex leaf) const;
  const Extensions& extensions() const;
  // Of the GroupContext; null for none. Valid while the Group lives.
  const Extension* FindExtension(ExtensionType type) const;
  const Bytes& confirmed_transcript_hash() const;
  const Bytes& tree_hash() const;
  // The ReInit with which this group has ended; null while it lives.
  const ReInit* ended_by() const;
  // The public tree in the form of the ratchet_tree extension (section 12.4.3.3), for joiners whose
  // Welcome or GroupInfo has none.
  Bytes RatchetTreeExtension() const;
  // Section 8.7: equal for all members of an epoch.
  Bytes EpochAuthenticator() const;

  // Section 8.5: a secret for the application, equal for all members of the epoch.
  // Errors: InvalidArgument for a length over 255 hashes.
  absl::StatusOr<Secret> Export(std::string_view label, ByteView context, size_t length) const;
  // Section 8.4: for use as a resumption PSK in another group.
  Secret ResumptionPsk() const;

  // A PrivateMessage with `padding` zero bytes inside. Uses one key of the own ratchet: store the
  // group before the message leaves the machine.
  // Errors: FailedPrecondition after a reinit.
  absl::StatusOr<Bytes> Protect(ByteView application, ByteView authenticated_data = {},
                                size_t padding = 0);

  // Proposals, as PrivateMessages; each is also added to the own pending proposals and uses one key
  // of the own handshake ratchet.
  absl::StatusOr<Bytes> ProposeAdd(ByteView key_package_message, size_t padding = 0);
  // New keys for the own leaf. The private ones are kept until somebody commits the proposal, in
  // whose staged commit they take their place, or the epoch ends otherwise.
  absl::StatusOr<Bytes> ProposeUpdate(const LeafRenewal& renewal = {}, size_t padding = 0);
  absl::StatusOr<Bytes> ProposeRemove(LeafIndex leaf, size_t padding = 0);
  absl::StatusOr<Bytes> ProposePsk(const PreSharedKeyId& id, size_t padding = 0);
  absl::StatusOr<Bytes> ProposeExtensions(const Extensions& extensions, size_t padding = 0);

  // Any proposal but an Update or ExternalInit, in either wire format. An Add's key package is
  // checked against `checks`.
  absl::StatusOr<Bytes> Propose(const Proposal& proposal, const SendOptions& send = {},
                                const LeafChecks& checks = {});
  absl::StatusOr<Bytes> ProposeUpdate(const LeafRenewal& renewal, const SendOptions& send);

  // In the order of their arrival.
  const std::vector<PendingProposal>& pending_proposals() const;
  // Forgets them, and the private keys of own pending updates.
  void ClearPendingProposals();
  // Gives up single proposals, and the private keys of own Updates among them. For an application
  // that has a rule against who fills others' places, which all members follow before they take in
  // anything new: who has no place for a proposal can't process a commit of it. Who drops alone
  // commits newcomers by value (CommitOptions::adds). Public ones can come back. Returns how many.
  size_t DropPendingProposals(const std::vector<ProposalRef>& refs);

  // A commit and the group after it. Of this group nothing changes but that one key of the own
  // handshake ratchet is used: store it before the commit leaves the machine, so that a second
  // commit in this epoch never uses that key again.
  // Errors: InvalidArgument for a proposal that is invalid, alone or with the others.
  absl::StatusOr<PreparedCommit> PrepareCommit(const CommitOptions& options = {});

  // Verifies and, but for commits, takes in a PrivateMessage or PublicMessage of this epoch.
  // An application message or proposal changes the group (a key is used): store it. A commit
  // changes nothing.
  // Errors: also ResourceExhausted for more than kMaxMessageSize, before any of it is read.
  absl::StatusOr<Received> Process(ByteView message, const ProcessOptions& options = {});

  // Refuses a commit that this group has processed, for good: the key that opened it is deleted, as
  // section 9.2 wants of each that was used, so that the message can't be read again. Store the
  // group. Not for one that has only lost a race: an epoch's keys go when the epoch does.
  // Errors: FailedPrecondition when it was of another epoch.
  absl::Status Refuse(StagedCommit&& commit);

  // The signed GroupInfo as an MLSMessage, for joining externally.
  absl::StatusOr<Bytes> GroupInfoMessage(bool with_tree, bool with_external_pub) const;

  Group(Group&&) noexcept;
  Group& operator=(Group&&) noexcept;
  ~Group();

  // For this folder's own files and tests.
  explicit Group(std::unique_ptr<GroupState> state);
  const GroupState& state() const { return *state_; }
  GroupState& mutable_state() { return *state_; }

 private:
  std::unique_ptr<GroupState> state_;
};

// A commit that is ready to be sent.
struct PreparedCommit {
  Bytes message;                 // for the group
  std::optional<Bytes> welcome;  // one MLSMessage for all who are added
  std::vector<AddedMember> added;
  Group next;  // becomes the group when the commit has won

  // All of it, secrets included, so that a commit in flight survives a restart.
  Secret SerializeSecret() const;
  // Errors: DataLoss when damaged or of a later version.
  static absl::StatusOr<PreparedCommit> Parse(ByteView stored);
};

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_GROUP_H_

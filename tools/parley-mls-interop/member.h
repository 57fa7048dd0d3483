// One client in one group, as the working group's scripts use it: it proposes, commits and waits
// for its own commit to win, and still reads what was sent in earlier epochs.
//
// Every step that fails leaves the member as it was.
//
// Threading: like a container's. Secrets: those of the group and of kKeptEpochs before it. That is
// far more than a messenger should keep; this is a tool for tests.
#ifndef PARLEY_TOOLS_PARLEY_MLS_INTEROP_MEMBER_H_
#define PARLEY_TOOLS_PARLEY_MLS_INTEROP_MEMBER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/mls/group.h"
#include "tools/parley-mls-interop/psk_store.h"

namespace parley::interop {

// How many epochs back an application message may come from.
inline constexpr size_t kKeptEpochs = 32;

struct MemberSettings {
  Bytes identity{};
  bool encrypt_handshake = false;  // proposals and commits as PrivateMessages
};

struct CommitContents {
  std::vector<Bytes> by_reference{};  // messages, own ones among them or not
  std::vector<mls::Proposal> by_value{};
  bool force_path = false;
  bool tree_in_welcome = true;
  bool ends_group = false;  // by a ReInit among the proposals
};

class Member {
 public:
  Member(mls::Group group, MemberSettings settings, PskStore psks);

  const mls::Group& group() const { return group_; }
  const MemberSettings& settings() const { return settings_; }
  PskStore& psks() { return psks_; }
  const PskStore& psks() const { return psks_; }

  // Errors: NotFound when nobody in the group has this identity.
  absl::StatusOr<mls::LeafIndex> FindMember(ByteView identity) const;

  absl::StatusOr<Bytes> Propose(const mls::Proposal& proposal);
  absl::StatusOr<Bytes> ProposeUpdate();

  // Whether a commit ends the group must be known by the caller, who goes on in another way then:
  // with InvalidArgument it is refused where it isn't so.
  //
  // The commit waits for HandlePendingCommit, in the place of one that waited before; it is valid
  // until this member changes.
  // Errors: NotFound for a pre-shared key that this member doesn't have.
  absl::StatusOr<const mls::PreparedCommit*> Commit(const CommitContents& contents);
  // Errors: FailedPrecondition when none is waiting.
  absl::Status HandlePendingCommit(bool ends_group);
  // Takes in `proposals` and the commit that refers to them. One's own commit is known by its
  // bytes. Errors: FailedPrecondition also when it removes this member.
  absl::Status HandleCommit(const std::vector<Bytes>& proposals, const Bytes& commit,
                            bool ends_group);

  absl::StatusOr<Bytes> Protect(ByteView plaintext, ByteView authenticated_data);
  // Of this epoch or one of the last kKeptEpochs.
  absl::StatusOr<mls::ApplicationMessage> Unprotect(ByteView ciphertext);

 private:
  // By the message that brought it, of this epoch.
  using KnownProposals = std::map<Bytes, mls::ProposalRef>;

  mls::SendOptions Wire() const { return {.public_message = !settings_.encrypt_handshake}; }
  absl::StatusOr<mls::CommitOptions> OptionsFor(const CommitContents& contents) const;
  absl::StatusOr<Secret> SecretOf(const mls::PreSharedKeyId& id) const;
  void EnterEpoch(mls::Group next);

  mls::Group group_;
  MemberSettings settings_;
  PskStore psks_;
  KnownProposals known_;
  std::optional<mls::PreparedCommit> pending_commit_;
  std::map<uint64_t, mls::Group> past_;  // by epoch
};

}  // namespace parley::interop

#endif  // PARLEY_TOOLS_PARLEY_MLS_INTEROP_MEMBER_H_

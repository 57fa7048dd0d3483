// Own commits: from a change that was asked for, through the commit in flight, to its winning (the
// next epoch and the Welcomes) or losing.
//
// Threading: free functions on a transaction.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_OWN_COMMIT_H_
#define PARLEY_CLIENT_LIB_CHANNELS_OWN_COMMIT_H_

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/channels/channel.h"
#include "client-lib/channels/channel_step.h"

namespace parley::client {

// Welcomes over this don't fit into an inbox's entry.
inline constexpr size_t kMaxWelcomeBytes = 900 * 1024;

// Keeps a control key's seed under its public key.
absl::Status KeepControlSeed(Transaction& tx, const ChannelNames& names,
                             const crypto::Secret& seed);
// Errors: NotFound when it isn't known here.
absl::StatusOr<crypto::Secret> LoadControlSeed(const ReadTransaction& tx, const ChannelNames& names,
                                               const PublicKey& control_key);

// Checks a change by making its commit on a copy of the group, and keeps the change.
// Errors: as Channel::PrepareCommit.
absl::Status KeepChange(ChannelStep& step, const MembershipChange& change);

// Makes the commit of the change that was kept (or of an empty one), saves it, and forgets the
// change. Whether there is a commit to be sent now: a change that can't be made any more is
// dropped, and counts as lost. Requires: the log has been read to its head; the incarnation is
// active; no own commit is in flight.
absl::StatusOr<bool> MakeCommit(ChannelStep& step, ExchangeResult& result);

// Whether a committer has proposals to take in that wait for a commit.
absl::StatusOr<bool> ProposalsWait(ChannelStep& step);
// Those who have asked to leave, committers included.
absl::StatusOr<std::vector<ParticipantId>> ListLeavers(const mls::Group& group,
                                                       const ChannelPolicy& policy);

struct WonCommit {
  mls::Group next;
  ChannelState state;
  std::optional<Bytes> welcome;
  std::vector<Addressee> addressees;
};
// When the entry is the own commit in flight, byte for byte: that commit, which is no longer in
// flight then; the profile has the group after it in place of the group, and EnterEpoch() must
// follow. Nothing otherwise.
absl::StatusOr<std::optional<WonCommit>> TakeOwnCommit(ChannelStep& step, const Entry& entry);
// Whether the entry holds the own commit in flight, and something beside it isn't as it was sent.
// Call it after TakeOwnCommit gave nothing.
absl::StatusOr<bool> IsOwnCommitAltered(ChannelStep& step, const Entry& entry);
// Drops the own commit in flight. Whether there was one, or a change that waited.
absl::StatusOr<bool> DropOwnCommit(ChannelStep& step);

// Keeps the Welcomes of a commit whose closing entry is the one at log().position.
absl::Status KeepWelcomes(ChannelStep& step, const WonCommit& won);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_OWN_COMMIT_H_

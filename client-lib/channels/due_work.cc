#include "client-lib/channels/due_work.h"

#include "client-lib/channels/channel.h"
#include "client-lib/channels/outbox.h"
#include "client-lib/channels/own_commit.h"
#include "client-lib/channels/receipts.h"
#include "crypto/base/status_macros.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {
namespace {

// How many contents are encrypted before the first of them is sent.
constexpr size_t kContentsAtOnce = 16;

constexpr uint64_t kEntriesPerCheckpoint = 64;
constexpr uint64_t kSecondsPerCheckpoint = 24 * 60 * 60;

bool LeafIsDue(const ChannelStep& step) {
  const uint64_t renewed = step.log().leaf_renewed_at;
  return renewed == 0 || step.now() >= renewed + kLeafRenewalSeconds;
}

absl::StatusOr<bool> CanCommit(ChannelStep& step) {
  if (!step.IsCommitter()) return false;
  return step.tx().Has(RecordClass::kKeys, step.names().Control(step.state().control_key));
}

absl::StatusOr<bool> CommitIsDue(ChannelStep& step) {
  PARLEY_ASSIGN_OR_RETURN(
      const bool asked, step.tx().Has(RecordClass::kKeys, step.names().Change(step.incarnation())));
  PARLEY_ASSIGN_OR_RETURN(const bool can, CanCommit(step));
  if (!can) return false;
  const IncarnationRecord& log = step.log();
  if (asked || log.position >= log.generation_start + kEntriesPerGeneration) return true;
  if (LeafIsDue(step) && log.position > 0) return true;  // alone, there is nobody to renew it for
  return ProposalsWait(step);
}

absl::Status ProposeLeaving(ChannelStep& step) {
  PARLEY_ASSIGN_OR_RETURN(mls::Group* const group, step.group());
  PARLEY_ASSIGN_OR_RETURN(const Bytes message, group->ProposeRemove(group->own_leaf()));
  step.GroupChanged();
  step.log().proposed_leave_in = step.log().generation;
  return QueueProposal(step, message);
}

absl::Status ProposeRenewal(ChannelStep& step) {
  PARLEY_ASSIGN_OR_RETURN(mls::Group* const group, step.group());
  PARLEY_ASSIGN_OR_RETURN(const Bytes message, group->ProposeUpdate());
  step.GroupChanged();
  step.log().proposed_update_in = step.log().generation;
  return QueueProposal(step, message);
}

// Contents on their way say as much as a checkpoint.
absl::Status QueueCheckpoint(ChannelStep& step) {
  const IncarnationRecord& log = step.log();
  const bool due =
      log.unconfirmed_entries >= kEntriesPerCheckpoint ||
      (log.unconfirmed_entries > 0 && step.now() >= log.unconfirmed_since + kSecondsPerCheckpoint);
  PARLEY_ASSIGN_OR_RETURN(const bool receipt_is_due, ReceiptIsDue(step));
  if (!due && !receipt_is_due) return absl::OkStatus();
  content::v1::Content content;
  content.mutable_checkpoint();
  return QueueContent(step, content, Readers::kWhoeverIsIn).status();
}

// Whether a proposal was made.
absl::StatusOr<bool> ProposeWhatIsDue(ChannelStep& step) {
  const IncarnationRecord& log = step.log();
  if (log.leave_wanted != 0) {
    if (log.proposed_leave_in == log.generation) return false;
    PARLEY_RETURN_IF_ERROR(ProposeLeaving(step));
    return true;
  }
  if (step.IsCommitter() || !LeafIsDue(step) || log.proposed_update_in == log.generation) {
    return false;
  }
  PARLEY_RETURN_IF_ERROR(ProposeRenewal(step));
  return true;
}

}  // namespace

absl::StatusOr<bool> PrepareDueCommit(ChannelStep& step, ExchangeResult& result) {
  if (step.standing() != Standing::kActive) return false;
  PARLEY_ASSIGN_OR_RETURN(
      const bool in_flight,
      step.tx().Has(RecordClass::kRatchet, step.names().Commit(step.incarnation())));
  if (in_flight) return true;
  PARLEY_ASSIGN_OR_RETURN(const bool commit, CommitIsDue(step));
  if (!commit) return false;
  return MakeCommit(step, result);
}

absl::StatusOr<bool> PrepareNext(ChannelStep& step, const HoldBack& holds, ExchangeResult& result) {
  if (step.standing() != Standing::kActive) return false;
  PARLEY_ASSIGN_OR_RETURN(const bool committing, PrepareDueCommit(step, result));
  if (committing) return true;
  const absl::StatusOr<bool> proposed = ProposeWhatIsDue(step);
  // So many proposals wait that no more are taken: it is tried again after the next commit.
  if (!proposed.ok() && !absl::IsResourceExhausted(proposed.status())) return proposed;
  const bool some = proposed.ok() && *proposed;
  const auto encrypt = [&] { return EncryptWaiting(step, kContentsAtOnce, holds, result); };
  PARLEY_ASSIGN_OR_RETURN(size_t encrypted, encrypt());
  if (encrypted == 0 && step.log().in_flight.empty() && step.log().leave_wanted == 0) {
    PARLEY_RETURN_IF_ERROR(QueueCheckpoint(step));
    PARLEY_ASSIGN_OR_RETURN(encrypted, encrypt());
  }
  return some || encrypted > 0;
}

absl::StatusOr<bool> RenewAllowance(ChannelStep& step, ExchangeResult& result) {
  if (step.standing() != Standing::kActive) return false;
  // Nothing got through since the last closing: another one would change nothing.
  if (step.log().position <= step.log().generation_start) return false;
  PARLEY_ASSIGN_OR_RETURN(const bool can, CanCommit(step));
  PARLEY_ASSIGN_OR_RETURN(
      const bool in_flight,
      step.tx().Has(RecordClass::kRatchet, step.names().Commit(step.incarnation())));
  if (!can || in_flight) return false;
  return MakeCommit(step, result);
}

}  // namespace parley::client

#include "client-lib/channels/own_commit.h"

#include <string>
#include <utility>

#include "client-lib/channels/commit_building.h"
#include "client-lib/channels/credential.h"
#include "client-lib/channels/group_store.h"
#include "crypto/base/status_macros.h"
#include "crypto/primitives/signature.h"
#include "parley/content/v1/control.pb.h"

namespace parley::client {
namespace {

ChangeRecord ToRecord(const MembershipChange& change) {
  ChangeRecord record;
  for (const NewMember& added : change.adds) {
    record.adds.push_back({added.participant_id, added.name, static_cast<uint8_t>(added.role),
                           added.side, added.key_packages});
  }
  record.removes = change.removes;
  record.new_stewards = change.new_stewards;
  if (change.new_control_seed.has_value()) {
    record.new_control_seed = change.new_control_seed->Clone();
  }
  return record;
}

absl::Status CheckSizes(const mls::PreparedCommit& prepared) {
  if (SealedEntrySize(prepared.message.size()) > kMaxEntryBytes) {
    return absl::InvalidArgumentError("the change is too large for one entry of the log");
  }
  if (prepared.welcome.has_value() && prepared.welcome->size() > kMaxWelcomeBytes) {
    return absl::InvalidArgumentError("the channel is too large for a Welcome to fit an inbox");
  }
  return absl::OkStatus();
}

GenerationKeys NextKeys(const CommitRecord& commit) {
  return {commit.next_read_key, {commit.next_append_key}, commit.next_control_key};
}

// Seals and signs a built commit as the closing entry of the current generation.
absl::StatusOr<CommitRecord> ToCommitRecord(ChannelStep& step, const BuiltCommit& built) {
  PARLEY_RETURN_IF_ERROR(CheckSizes(built.prepared));
  PARLEY_ASSIGN_OR_RETURN(const EpochKeysRecord* keys, step.keys());
  PARLEY_ASSIGN_OR_RETURN(const crypto::Secret seed,
                          LoadControlSeed(step.tx(), step.names(), step.state().control_key));
  PARLEY_ASSIGN_OR_RETURN(const crypto::SignatureKey control,
                          crypto::SignatureKey::FromSeed(seed.Reveal()));
  PARLEY_ASSIGN_OR_RETURN(const EpochKeys next_keys,
                          DeriveEpochKeys(built.prepared.next, step.state().mailbox_id));
  PARLEY_ASSIGN_OR_RETURN(const GenerationKeys next,
                          PublicKeysOf(next_keys, built.after.control_key));
  CommitRecord record;
  record.generation = step.log().generation;
  record.append_id = crypto::RandomArray<16>();
  record.payload = SealEntry(keys->entry_key, step.state().mailbox_id, record.generation,
                             built.prepared.message);
  const Closing closing =
      SignClosing(control, step.state().mailbox_id, record.generation, record.payload, next);
  record.next_read_key = next.read_key;
  record.next_append_key = next.append_keys[0];
  record.next_control_key = next.control_key;
  record.control_signature = closing.control_signature;
  return record;
}

// Stores the commit and what it leads to.
absl::Status KeepCommit(ChannelStep& step, BuiltCommit built) {
  PARLEY_ASSIGN_OR_RETURN(const CommitRecord record, ToCommitRecord(step, built));
  CommitOutcomeRecord outcome;
  outcome.state = SerializeChannelState(built.after);
  outcome.welcome = std::move(built.prepared.welcome).value_or(Bytes());
  outcome.addressees = std::move(built.addressees);
  const uint32_t n = step.incarnation();
  PARLEY_RETURN_IF_ERROR(
      StoreRecord(step.tx(), RecordClass::kRatchet, step.names().Commit(n), record));
  PARLEY_RETURN_IF_ERROR(
      StoreRecord(step.tx(), RecordClass::kRatchet, step.names().CommitOutcome(n), outcome));
  const GroupPlace current = step.names().Group(n);
  return StoreGroup(step.tx(), step.names().NextGroup(n), built.prepared.next, &current);
}

}  // namespace

absl::Status KeepControlSeed(Transaction& tx, const ChannelNames& names,
                             const crypto::Secret& seed) {
  PARLEY_ASSIGN_OR_RETURN(const crypto::SignatureKey key,
                          crypto::SignatureKey::FromSeed(seed.Reveal()));
  return tx.Put(RecordClass::kKeys, names.Control(key.public_key()), seed);
}

absl::StatusOr<crypto::Secret> LoadControlSeed(const ReadTransaction& tx, const ChannelNames& names,
                                               const PublicKey& control_key) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<crypto::Secret> seed,
                          tx.Get(RecordClass::kKeys, names.Control(control_key)));
  if (!seed.has_value()) {
    return absl::NotFoundError("this profile doesn't have the channel's control key");
  }
  return std::move(*seed);
}

absl::Status KeepChange(ChannelStep& step, const MembershipChange& change) {
  const ChangeRecord record = ToRecord(change);
  PARLEY_ASSIGN_OR_RETURN(mls::Group* const group, step.group());
  mls::Group copy = group->Clone();
  PARLEY_ASSIGN_OR_RETURN(const BuiltCommit built,
                          BuildCommit(copy, step.policy(), step.state(), record, step.now()));
  PARLEY_RETURN_IF_ERROR(CheckSizes(built.prepared));
  return StoreRecord(step.tx(), RecordClass::kKeys, step.names().Change(step.incarnation()),
                     record);
}

absl::StatusOr<bool> MakeCommit(ChannelStep& step, ExchangeResult& result) {
  const std::string change_name = step.names().Change(step.incarnation());
  PARLEY_ASSIGN_OR_RETURN(std::optional<ChangeRecord> change,
                          LoadRecord<ChangeRecord>(step.tx(), RecordClass::kKeys, change_name));
  PARLEY_ASSIGN_OR_RETURN(mls::Group* const group, step.group());
  step.GroupChanged();
  const ChangeRecord renewal;
  absl::StatusOr<BuiltCommit> built = BuildCommit(
      *group, step.policy(), step.state(), change.has_value() ? *change : renewal, step.now());
  PARLEY_RETURN_IF_ERROR(step.tx().Delete(RecordClass::kKeys, change_name));
  if (!built.ok()) {
    result.commit_lost = true;
    step.log().barren_commit_in = step.log().generation;
    return false;
  }
  if (built->proposals == 0) step.log().barren_commit_in = step.log().generation;
  if (change.has_value() && !change->new_control_seed.empty()) {
    PARLEY_RETURN_IF_ERROR(KeepControlSeed(step.tx(), step.names(), change->new_control_seed));
  }
  PARLEY_RETURN_IF_ERROR(KeepCommit(step, *std::move(built)));
  return true;
}

absl::StatusOr<bool> ProposalsWait(ChannelStep& step) {
  if (step.log().barren_commit_in == step.log().generation) return false;
  PARLEY_ASSIGN_OR_RETURN(const mls::Group* const group, step.group());
  return !ProposalsToTake(*group, step.policy(), step.state(), ChangeRecord()).empty();
}

absl::StatusOr<std::vector<ParticipantId>> ListLeavers(const mls::Group& group,
                                                       const ChannelPolicy& policy) {
  std::vector<ParticipantId> leavers;
  for (const mls::PendingProposal& pending : policy.AcceptableProposals(group, {})) {
    if (pending.proposal.type() != mls::ProposalType::kRemove) continue;
    const std::optional<mls::Member> member = group.FindMember(pending.sender.leaf());
    PARLEY_ASSIGN_OR_RETURN(const ParleyCredential who, CredentialOf(member->credential));
    leavers.push_back(who.participant_id);
  }
  return leavers;
}

absl::StatusOr<std::optional<WonCommit>> TakeOwnCommit(ChannelStep& step, const Entry& entry) {
  const std::string name = step.names().Commit(step.incarnation());
  PARLEY_ASSIGN_OR_RETURN(std::optional<CommitRecord> commit,
                          LoadRecord<CommitRecord>(step.tx(), RecordClass::kRatchet, name));
  if (!commit.has_value() || commit->append_id != entry.append_id ||
      commit->generation != entry.generation || commit->payload != entry.payload ||
      !entry.closing.has_value() || entry.closing->next_keys != NextKeys(*commit)) {
    return std::optional<WonCommit>();
  }
  const uint32_t n = step.incarnation();
  PARLEY_ASSIGN_OR_RETURN(CommitOutcomeRecord outcome,
                          LoadExisting<CommitOutcomeRecord>(step.tx(), RecordClass::kRatchet,
                                                            step.names().CommitOutcome(n)));
  PARLEY_ASSIGN_OR_RETURN(ChannelState state, ParseChannelState(outcome.state));
  PARLEY_ASSIGN_OR_RETURN(std::optional<mls::Group> next,
                          LoadGroup(step.tx(), step.names().NextGroup(n)));
  if (!next.has_value()) {
    return absl::DataLossError("the group after an own commit is missing in the profile");
  }
  step.RevertGroup();
  PARLEY_RETURN_IF_ERROR(ReplaceGroup(step.tx(), step.names().NextGroup(n), step.names().Group(n)));
  PARLEY_RETURN_IF_ERROR(DeleteCommit(step.tx(), step.names(), n));
  WonCommit won{*std::move(next), std::move(state), std::nullopt, std::move(outcome.addressees)};
  if (!outcome.welcome.empty()) won.welcome = std::move(outcome.welcome);
  return std::optional<WonCommit>(std::move(won));
}

absl::StatusOr<bool> IsOwnCommitAltered(ChannelStep& step, const Entry& entry) {
  PARLEY_ASSIGN_OR_RETURN(const std::optional<CommitRecord> commit,
                          LoadRecord<CommitRecord>(step.tx(), RecordClass::kRatchet,
                                                   step.names().Commit(step.incarnation())));
  return commit.has_value() && commit->generation == entry.generation &&
         commit->payload == entry.payload;
}

absl::StatusOr<bool> DropOwnCommit(ChannelStep& step) {
  const std::string commit = step.names().Commit(step.incarnation());
  PARLEY_ASSIGN_OR_RETURN(const bool had_commit, step.tx().Has(RecordClass::kRatchet, commit));
  PARLEY_RETURN_IF_ERROR(DeleteCommit(step.tx(), step.names(), step.incarnation()));
  return had_commit;
}

absl::Status KeepWelcomes(ChannelStep& step, const WonCommit& won) {
  if (!won.welcome.has_value()) return absl::OkStatus();
  const IncarnationRecord& log = step.log();
  content::v1::WelcomeWrapper wrapper;
  wrapper.set_channel_id(ToField(step.id()));
  wrapper.set_welcome(crypto::ToString(*won.welcome));
  wrapper.mutable_joined()->set_position(log.position);
  wrapper.mutable_joined()->set_transcript_hash(crypto::ToString(log.hash));
  wrapper.set_generation(GenerationOf(won.next.epoch()));
  if (log.previous_position.has_value()) {
    wrapper.mutable_previous()->set_position(*log.previous_position);
    wrapper.mutable_previous()->set_transcript_hash(crypto::ToString(log.previous_hash));
  }
  for (const Addressee& addressee : won.addressees) {
    DeliveryRecord delivery;
    delivery.addressee = addressee;
    delivery.wrapper = crypto::ToBytes(wrapper.SerializeAsString());
    const uint64_t id = step.channel().deliveries_next++;
    PARLEY_RETURN_IF_ERROR(
        StoreRecord(step.tx(), RecordClass::kContent, step.names().Delivery(id), delivery));
  }
  return absl::OkStatus();
}

}  // namespace parley::client

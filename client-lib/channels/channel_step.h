// One step of a channel: its state, loaded in a write transaction, worked on, and saved there.
//
// Every change goes through Save(); without it, and without the transaction's Commit, nothing has
// happened.
//
// Threading: belongs to its transaction's thread. Lifetime: the transaction outlives it.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_CHANNEL_STEP_H_
#define PARLEY_CLIENT_LIB_CHANNELS_CHANNEL_STEP_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/channels/channel_policy.h"
#include "client-lib/channels/channel_records.h"
#include "client-lib/channels/channel_state.h"
#include "client-lib/channels/channel_types.h"
#include "client-lib/channels/epoch_keys.h"
#include "client-lib/channels/hash_history.h"
#include "client-lib/store/profile_store.h"
#include "crypto/mls/group.h"

namespace parley::client {

// The channel's record. Errors: NotFound when the profile doesn't have the channel.
absl::StatusOr<ChannelRecord> LoadChannel(const ReadTransaction& tx, const ChannelNames& names);
// With its state.
absl::StatusOr<IncarnationRecord> LoadIncarnation(const ReadTransaction& tx,
                                                  const ChannelNames& names, uint32_t incarnation);
absl::StatusOr<EpochKeysRecord> LoadEpochKeys(const ReadTransaction& tx, const ChannelNames& names,
                                              uint32_t incarnation);

// Deletes the own commit in flight, if there is one, with the group after it.
absl::Status DeleteCommit(Transaction& tx, const ChannelNames& names, uint32_t incarnation);
// Deletes an incarnation's group, epoch keys and commit in flight.
absl::Status DeleteKeys(Transaction& tx, const ChannelNames& names, uint32_t incarnation);

// FailedPrecondition, with the reason, unless the incarnation is active.
absl::Status RequireActive(const IncarnationRecord& log, const ChannelState& state);

class ChannelStep {
 public:
  // The latest incarnation. Errors: NotFound when the profile doesn't have the channel.
  static absl::StatusOr<ChannelStep> Load(Transaction& tx, const ChannelId& id, uint64_t now,
                                          const ChannelPolicy& policy = StandardPolicy());
  // The first step of an incarnation, with the records made so far (a fresh ChannelRecord for a new
  // channel).
  static absl::StatusOr<ChannelStep> Begin(Transaction& tx, const ChannelId& id, uint64_t now,
                                           ChannelRecord channel, IncarnationRecord log,
                                           mls::Group group,
                                           const ChannelPolicy& policy = StandardPolicy());

  ChannelStep(ChannelStep&&) = default;

  Transaction& tx() { return *tx_; }
  const ChannelId& id() const { return id_; }
  const ChannelNames& names() const { return names_; }
  uint64_t now() const { return now_; }
  // What the channel's messages and commits are judged by.
  const ChannelPolicy& policy() const { return *policy_; }

  ChannelRecord& channel() { return channel_; }
  IncarnationRecord& log() { return log_; }
  const IncarnationRecord& log() const { return log_; }
  const ChannelState& state() const { return state_; }
  const ParleyCredential& self() const { return self_; }
  uint32_t incarnation() const { return channel_.incarnation; }
  Standing standing() const { return static_cast<Standing>(log_.standing); }
  bool IsCommitter() const { return policy_->MayCommit(state_, self_.participant_id); }

  // The group, loaded when first asked for. Whoever changes it calls GroupChanged(). Errors:
  // FailedPrecondition when its keys were destroyed, since this device is out.
  absl::StatusOr<mls::Group*> group();
  void GroupChanged() { group_changed_ = true; }
  // Puts the group's changes into the transaction now, so that RevertGroup() comes back to here.
  absl::Status KeepGroup();
  // Takes back what was done to the group since KeepGroup(). Pointers to it are no longer valid.
  void RevertGroup();
  // The keys of the current generation.
  absl::StatusOr<const EpochKeysRecord*> keys();

  // Goes to the next epoch, with a group that is not stored yet or by ReplaceGroup(), whose
  // generation the entry at log().position has opened.
  absl::Status EnterEpoch(mls::Group next, ChannelState state);
  // Ends what this device does in the incarnation. Removed or left: the group's keys are destroyed.
  absl::Status Stop(Standing standing, const std::string& reason);

  // Adds an alarm, unless it is there already; also to `result`.
  void Raise(const ChannelAlarm& alarm, ExchangeResult& result);

  // What the entry that is being taken in turns out to be (entry_log.h).
  EntryRecord& noted() { return noted_; }

  HashHistory& hashes() { return hashes_; }
  HashHistory& authenticators() { return authenticators_; }

  // Puts everything that has changed into the transaction.
  absl::Status Save();

 private:
  ChannelStep(Transaction& tx, const ChannelId& id, uint64_t now, ChannelRecord channel,
              const ChannelPolicy& policy);
  absl::Status ReadLog();
  // From when on members were in the incarnation before, or in this one with an earlier leaf.
  absl::Status TakeSinceBefore();
  // In this incarnation, as far as this device has it.
  absl::StatusOr<bool> NothingWasSaid() const;

  Transaction* tx_;
  ChannelId id_;
  ChannelNames names_;
  uint64_t now_;
  const ChannelPolicy* policy_;
  ChannelRecord channel_;
  IncarnationRecord log_;
  ChannelState state_;
  bool state_changed_ = false;
  ParleyCredential self_;
  std::optional<mls::Group> group_;
  bool group_changed_ = false;
  std::optional<EpochKeysRecord> keys_;
  bool keys_changed_ = false;
  HashHistory hashes_;
  HashHistory authenticators_;
  EntryRecord noted_;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_CHANNEL_STEP_H_

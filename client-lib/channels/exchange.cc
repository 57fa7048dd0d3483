#include "client-lib/channels/exchange.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "client-lib/channels/channel_step.h"
#include "client-lib/channels/due_work.h"
#include "client-lib/channels/outbox.h"
#include "client-lib/channels/own_commit.h"
#include "client-lib/channels/relay_fault.h"
#include "client-lib/channels/sync.h"
#include "crypto/base/status_macros.h"
#include "crypto/primitives/signature.h"

namespace parley::client {
namespace {

// Rounds in which only others got through. After so many, the caller may try again later.
constexpr int kMaxFruitlessRounds = 50;

// What the relay has said instead of taking an append: that the generation isn't current any more.
struct StaleAnswer {
  uint32_t incarnation = 0;
  uint64_t generation = 0;  // of the append
  uint64_t current = 0;     // as the relay has it
};

// What is in flight, and the key to append it with.
struct Load {
  uint32_t incarnation = 0;
  ObjectId mailbox_id{};
  uint64_t generation = 0;
  crypto::Secret append_seed;
  std::vector<Outgoing> entries;
  std::optional<CommitRecord> commit;
  bool commit_acknowledged = false;
};

class Exchanger {
 public:
  Exchanger(const ChannelContext& context, const ChannelId& id, ExchangeResult& result)
      : context_(context), id_(id), result_(result) {}

  absl::Status Run() {
    PARLEY_RETURN_IF_ERROR(MakeMailbox());
    for (int fruitless = 0; fruitless < kMaxFruitlessRounds; ++fruitless) {
      progress_ = false;
      stale_.reset();
      refused_ = absl::OkStatus();
      PARLEY_RETURN_IF_ERROR(SendInFlight());
      PARLEY_RETURN_IF_ERROR(SyncToHead(context_, id_, result_));
      PARLEY_RETURN_IF_ERROR(CheckStaleAnswer());
      PARLEY_ASSIGN_OR_RETURN(const bool more, Prepare());
      if (!more) return refused_;
      if (progress_) fruitless = 0;
    }
    return absl::AbortedError("the channel is busy: what waits is sent with the next sync");
  }

 private:
  // One transaction of its own.
  template <typename Work>
  absl::StatusOr<bool> Step(const Work& work) {
    PARLEY_ASSIGN_OR_RETURN(Transaction tx, context_.store->Begin());
    PARLEY_ASSIGN_OR_RETURN(ChannelStep step,
                            ChannelStep::Load(tx, id_, context_.now_seconds(), *context_.policy));
    PARLEY_ASSIGN_OR_RETURN(const bool some, work(step, result_));
    PARLEY_RETURN_IF_ERROR(step.Save());
    PARLEY_RETURN_IF_ERROR(tx.Commit());
    return some;
  }

  // ---- The mailbox ----

  struct Founding {
    ObjectId mailbox_id{};
    GenerationKeys keys;
    PaymentRecord payment;
  };

  absl::StatusOr<std::optional<Founding>> LoadFounding() {
    PARLEY_ASSIGN_OR_RETURN(const ReadTransaction tx, context_.store->Read());
    const ChannelNames names(id_);
    PARLEY_ASSIGN_OR_RETURN(const ChannelRecord channel, LoadChannel(tx, names));
    PARLEY_ASSIGN_OR_RETURN(const IncarnationRecord log,
                            LoadIncarnation(tx, names, channel.incarnation));
    if (log.mailbox_made != 0) return std::optional<Founding>();
    PARLEY_ASSIGN_OR_RETURN(const ChannelState state, ParseChannelState(log.state));
    PARLEY_ASSIGN_OR_RETURN(EpochKeysRecord record, LoadEpochKeys(tx, names, channel.incarnation));
    const EpochKeys keys{std::move(record.entry_key), std::move(record.read_seed),
                         std::move(record.append_seed)};
    Founding founding;
    founding.mailbox_id = state.mailbox_id;
    PARLEY_ASSIGN_OR_RETURN(founding.keys, PublicKeysOf(keys, state.control_key));
    PARLEY_ASSIGN_OR_RETURN(
        founding.payment,
        LoadExisting<PaymentRecord>(tx, RecordClass::kKeys, names.Payment(channel.incarnation)));
    return std::optional<Founding>(std::move(founding));
  }

  absl::Status MakeMailbox() {
    PARLEY_ASSIGN_OR_RETURN(const std::optional<Founding> founding, LoadFounding());
    if (!founding.has_value()) return absl::OkStatus();
    const Credential credential{static_cast<Credential::Kind>(founding->payment.kind),
                                founding->payment.bytes.Reveal()};
    PARLEY_RETURN_IF_ERROR(
        context_.mailboxes->Create(credential, founding->mailbox_id, founding->keys));
    PARLEY_ASSIGN_OR_RETURN(Transaction tx, context_.store->Begin());
    PARLEY_ASSIGN_OR_RETURN(ChannelStep step,
                            ChannelStep::Load(tx, id_, context_.now_seconds(), *context_.policy));
    if (step.state().mailbox_id != founding->mailbox_id) return absl::OkStatus();
    step.log().mailbox_made = 1;
    PARLEY_RETURN_IF_ERROR(tx.Delete(RecordClass::kKeys, step.names().Payment(step.incarnation())));
    PARLEY_RETURN_IF_ERROR(step.Save());
    return tx.Commit();
  }

  // ---- What is in flight ----

  absl::StatusOr<std::optional<Load>> LoadInFlight() {
    PARLEY_ASSIGN_OR_RETURN(const ReadTransaction tx, context_.store->Read());
    const ChannelNames names(id_);
    PARLEY_ASSIGN_OR_RETURN(const ChannelRecord channel, LoadChannel(tx, names));
    PARLEY_ASSIGN_OR_RETURN(const IncarnationRecord log,
                            LoadIncarnation(tx, names, channel.incarnation));
    if (static_cast<Standing>(log.standing) != Standing::kActive) return std::optional<Load>();
    Load load;
    load.incarnation = channel.incarnation;
    PARLEY_ASSIGN_OR_RETURN(load.entries, UnacknowledgedEntries(tx, names, log));
    PARLEY_ASSIGN_OR_RETURN(
        load.commit,
        LoadRecord<CommitRecord>(tx, RecordClass::kRatchet, names.Commit(channel.incarnation)));
    if (load.entries.empty() && !load.commit.has_value()) return std::optional<Load>();
    load.commit_acknowledged =
        load.commit.has_value() && IsCommitAcknowledged(log, load.commit->append_id);
    PARLEY_ASSIGN_OR_RETURN(const ChannelState state, ParseChannelState(log.state));
    PARLEY_ASSIGN_OR_RETURN(EpochKeysRecord keys, LoadEpochKeys(tx, names, channel.incarnation));
    load.mailbox_id = state.mailbox_id;
    load.generation = log.generation;
    load.append_seed = std::move(keys.append_seed);
    return std::optional<Load>(std::move(load));
  }

  absl::Status SendInFlight() {
    PARLEY_ASSIGN_OR_RETURN(const std::optional<Load> load, LoadInFlight());
    if (!load.has_value()) return absl::OkStatus();
    PARLEY_ASSIGN_OR_RETURN(const crypto::SignatureKey key,
                            crypto::SignatureKey::FromSeed(load->append_seed.Reveal()));
    for (const Outgoing& entry : load->entries) {
      PARLEY_ASSIGN_OR_RETURN(const Outcome outcome,
                              Append(*load, key, entry.append_id, entry.payload, std::nullopt));
      if (outcome == Outcome::kStale) return absl::OkStatus();  // so is the rest
      // There may be room for the commit yet: the relay keeps some for closings.
      if (outcome == Outcome::kRefused) break;
    }
    if (!load->commit.has_value()) return absl::OkStatus();
    refused_ = absl::OkStatus();  // the entries get another turn after the commit
    if (load->commit_acknowledged) return absl::OkStatus();
    const CommitRecord& commit = *load->commit;
    Closing closing;
    closing.next_keys = {commit.next_read_key, {commit.next_append_key}, commit.next_control_key};
    closing.control_signature = commit.control_signature;
    return Append(*load, key, commit.append_id, commit.payload, closing).status();
  }

  enum class Outcome { kAppended, kStale, kRefused };

  absl::StatusOr<Outcome> Append(const Load& load, const crypto::SignatureKey& key,
                                 const AppendId& append_id, const Bytes& payload,
                                 const std::optional<Closing>& closing) {
    const absl::StatusOr<AppendOutcome> outcome = context_.mailboxes->Append(
        load.mailbox_id, load.generation, key, append_id, payload, closing);
    if (!outcome.ok()) {
      if (!absl::IsResourceExhausted(outcome.status()) || closing.has_value()) {
        return outcome.status();
      }
      refused_ = outcome.status();
      return Outcome::kRefused;
    }
    if (const auto* stale = std::get_if<StaleGeneration>(&*outcome)) {
      stale_ = {load.incarnation, load.generation, stale->current_generation};
      return Outcome::kStale;
    }
    progress_ = true;
    PARLEY_RETURN_IF_ERROR(
        Acknowledge(append_id, std::get<Appended>(*outcome).position, closing.has_value()));
    return Outcome::kAppended;
  }

  // What comes next, after the log has been read to its head. When the relay has no room for an
  // entry: a closing alone, for which there may be some; and one that is needed, or that helps.
  absl::StatusOr<bool> Prepare() {
    if (refused_.ok()) {
      return Step([this](ChannelStep& step, ExchangeResult& result) {
        return PrepareNext(step, context_.holds, result);
      });
    }
    PARLEY_ASSIGN_OR_RETURN(const bool due, Step(&PrepareDueCommit));
    // Of all that may be used up, a closing renews the allowance alone.
    if (due || ShortageOf(refused_) != Shortage::kAllowance) return due;
    return Step(&RenewAllowance);
  }

  // A generation that isn't current has been closed, and the log, read after that was said, shows
  // it. Where it doesn't, the relay keeps back how the log goes on.
  absl::Status CheckStaleAnswer() {
    if (!stale_.has_value()) return absl::OkStatus();
    PARLEY_ASSIGN_OR_RETURN(Transaction tx, context_.store->Begin());
    PARLEY_ASSIGN_OR_RETURN(ChannelStep step, ChannelStep::Load(tx, id_, context_.now_seconds()));
    const uint64_t generation = step.log().generation;
    if (step.standing() != Standing::kActive || step.incarnation() != stale_->incarnation ||
        (generation > stale_->generation && generation >= stale_->current)) {
      return absl::OkStatus();
    }
    const absl::Status fault =
        RelayFault(step.state(), "it says that generation " + std::to_string(stale_->current) +
                                     " is current, and shows nothing after generation " +
                                     std::to_string(generation));
    step.Raise({ChannelAlarmKind::kRelayLog, step.incarnation(), step.log().position, std::nullopt,
                std::string(fault.message())},
               result_);
    PARLEY_RETURN_IF_ERROR(step.Save());
    PARLEY_RETURN_IF_ERROR(tx.Commit());
    return fault;
  }

  absl::Status Acknowledge(const AppendId& append_id, uint64_t position, bool commit) {
    PARLEY_ASSIGN_OR_RETURN(Transaction tx, context_.store->Begin());
    PARLEY_ASSIGN_OR_RETURN(ChannelStep step,
                            ChannelStep::Load(tx, id_, context_.now_seconds(), *context_.policy));
    // Another process may have read it in the log by now.
    if (position <= step.log().position) return absl::OkStatus();
    if (commit) {
      const std::string name = step.names().Commit(step.incarnation());
      PARLEY_ASSIGN_OR_RETURN(const std::optional<CommitRecord> record,
                              LoadRecord<CommitRecord>(tx, RecordClass::kRatchet, name));
      if (!record.has_value() || record->append_id != append_id ||
          IsCommitAcknowledged(step.log(), append_id)) {
        return absl::OkStatus();
      }
      step.log().in_flight.push_back({append_id, 0, position});
    } else {
      for (InFlight& sent : step.log().in_flight) {
        if (sent.append_id == append_id && sent.position == 0) {
          sent.position = position;
          ++result_.sent;
        }
      }
    }
    PARLEY_RETURN_IF_ERROR(step.Save());
    return tx.Commit();
  }

  const ChannelContext& context_;
  const ChannelId& id_;
  ExchangeResult& result_;
  bool progress_ = false;
  std::optional<StaleAnswer> stale_;  // of this round
  absl::Status refused_;              // no room for an entry, in this round
};

}  // namespace

absl::Status ExchangeAll(const ChannelContext& context, const ChannelId& id,
                         ExchangeResult& result) {
  return Exchanger(context, id, result).Run();
}

}  // namespace parley::client

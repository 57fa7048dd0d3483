#include "client-lib/channels/sync.h"

#include <algorithm>
#include <string>
#include <utility>

#include "client-lib/channels/channel_step.h"
#include "client-lib/channels/head_claims.h"
#include "client-lib/channels/outbox.h"
#include "client-lib/channels/receive.h"
#include "client-lib/channels/relay_fault.h"
#include "client-lib/channels/succession.h"
#include "client-lib/channels/transcript.h"
#include "crypto/base/status_macros.h"
#include "crypto/primitives/signature.h"

namespace parley::client {
namespace {

// What is asked of the relay, and what the profile knew by then: other processes may learn more
// while the relay answers, and its answer must not be held against that.
struct Question {
  ChannelState state;
  IncarnationRecord log;
  uint64_t from = 0;
  crypto::Secret read_seed;
};

bool CanRead(const IncarnationRecord& log) {
  const auto standing = static_cast<Standing>(log.standing);
  return log.mailbox_made != 0 &&
         (standing == Standing::kActive || standing == Standing::kRestored);
}

// Nothing when there is nothing to read. With `look_back`, the last entry that is known is asked
// for once more, so that a relay that has replaced it is noticed.
absl::StatusOr<std::optional<Question>> Ask(const ChannelContext& context, const ChannelId& id,
                                            bool look_back) {
  PARLEY_ASSIGN_OR_RETURN(const ReadTransaction tx, context.store->Read());
  const ChannelNames names(id);
  PARLEY_ASSIGN_OR_RETURN(const ChannelRecord channel, LoadChannel(tx, names));
  Question question;
  PARLEY_ASSIGN_OR_RETURN(question.log, LoadIncarnation(tx, names, channel.incarnation));
  if (!CanRead(question.log)) return std::optional<Question>();
  PARLEY_ASSIGN_OR_RETURN(question.state, ParseChannelState(question.log.state));
  PARLEY_ASSIGN_OR_RETURN(EpochKeysRecord keys, LoadEpochKeys(tx, names, channel.incarnation));
  question.read_seed = std::move(keys.read_seed);
  // Only entries of this generation can be read with its key.
  const bool has_last = question.log.position > question.log.generation_start;
  question.from = question.log.position + (look_back && has_last ? 0 : 1);
  return std::optional<Question>(std::move(question));
}

// Whether the last entry that is known was asked for again, and another one came.
bool ShowsAnotherLast(const Question& question, const ReadResult& page) {
  if (question.from != question.log.position || page.entries.empty()) return false;
  const Entry& shown = page.entries.front();
  return shown.position == question.log.position &&
         TranscriptStep(question.log.hash_before, shown) != question.log.hash;
}

// What contradicts what the relay has shown or acknowledged before, apart from the new entries
// themselves; empty for nothing.
std::string FindContradiction(const Question& question, const ReadResult& page) {
  const IncarnationRecord& log = question.log;
  if (page.first_position > log.position + 1) {
    return "it has forgotten entries from position " + std::to_string(log.position + 1) + " on";
  }
  if (log.position > log.generation_start && page.generation_head < log.position) {
    return "it ends at position " + std::to_string(page.generation_head) +
           "; this device has read up to " + std::to_string(log.position);
  }
  if (page.entries.empty() && page.generation_head >= question.from) {
    return "it keeps back entry " + std::to_string(question.from);
  }
  for (const InFlight& sent : log.in_flight) {
    if (sent.position > page.generation_head) {
      return "an own entry that it had acknowledged at position " + std::to_string(sent.position) +
             " is not there";
    }
  }
  const bool elsewhere = question.from == log.position && !page.entries.empty() &&
                         page.entries.front().position != log.position;
  if (elsewhere || ShowsAnotherLast(question, page)) {
    return "entry " + std::to_string(log.position) + " is not as it was";
  }
  const uint64_t last = page.entries.empty() ? log.position : page.entries.back().position;
  const bool shows_closing = !page.entries.empty() && page.entries.back().closing.has_value();
  if (page.closed && last >= page.generation_head && !shows_closing) {
    return "it goes on, and the entry that says how is kept back";
  }
  return "";
}

class Reader {
 public:
  Reader(const ChannelContext& context, const ChannelId& id, ExchangeResult& result)
      : context_(context), id_(id), result_(result) {}

  absl::Status ReadToHead() {
    for (bool look_back = true;; look_back = false) {
      PARLEY_ASSIGN_OR_RETURN(const std::optional<Question> question,
                              Ask(context_, id_, look_back));
      if (!question.has_value()) return absl::OkStatus();
      PARLEY_ASSIGN_OR_RETURN(const ReadResult page, Read(*question));
      PARLEY_ASSIGN_OR_RETURN(const bool more, TakePage(*question, page));
      if (!more) return absl::OkStatus();
    }
  }

 private:
  absl::StatusOr<ReadResult> Read(const Question& question) {
    PARLEY_ASSIGN_OR_RETURN(const crypto::SignatureKey key,
                            crypto::SignatureKey::FromSeed(question.read_seed.Reveal()));
    absl::StatusOr<ReadResult> page = context_.mailboxes->Read(
        question.state.mailbox_id, question.log.generation, key, question.from);
    // OutOfRange: the log ends before what was read before.
    if (absl::IsDataLoss(page.status()) || absl::IsOutOfRange(page.status())) {
      return RaiseFault(RelayFault(question.state, std::string(page.status().message())));
    }
    if (page.status().code() == absl::StatusCode::kNotFound) {
      return absl::NotFoundError(
          "the relay doesn't have the channel " +
          DescribeChannel(question.state.kind, question.state.side) +
          " (any more), or refuses its key; a neutral can open the channel anew");
    }
    return page;
  }

  // An answer that contradicted itself before anything of it could be looked at. Gives `fault`.
  absl::Status RaiseFault(const absl::Status& fault) {
    PARLEY_ASSIGN_OR_RETURN(Transaction tx, context_.store->Begin());
    PARLEY_ASSIGN_OR_RETURN(ChannelStep step,
                            ChannelStep::Load(tx, id_, context_.now_seconds(), *context_.policy));
    Raise(step, fault);
    PARLEY_RETURN_IF_ERROR(step.Save());
    PARLEY_RETURN_IF_ERROR(tx.Commit());
    return fault;
  }

  void Raise(ChannelStep& step, const absl::Status& fault) {
    step.Raise({ChannelAlarmKind::kRelayLog, step.incarnation(), step.log().position, std::nullopt,
                std::string(fault.message())},
               result_);
  }

  // Whether there may be more to read.
  absl::StatusOr<bool> TakePage(const Question& question, const ReadResult& page) {
    const std::string contradiction = FindContradiction(question, page);
    const bool has_new =
        !page.entries.empty() && page.entries.back().position > question.log.position;
    const bool more_kept = page.generation_head > question.log.position;
    if (contradiction.empty() && !has_new && (more_kept || question.log.claims.empty())) {
      return more_kept;
    }
    PARLEY_ASSIGN_OR_RETURN(Transaction tx, context_.store->Begin());
    PARLEY_ASSIGN_OR_RETURN(ChannelStep step,
                            ChannelStep::Load(tx, id_, context_.now_seconds(), *context_.policy));
    // Another process may have gone on meanwhile: ask anew from where it is.
    if (step.state().mailbox_id != question.state.mailbox_id ||
        step.log().position != question.log.position || !CanRead(step.log())) {
      return true;
    }
    absl::Status fault;
    bool stuck = false;
    if (!contradiction.empty()) {
      PARLEY_ASSIGN_OR_RETURN(const bool stepped_back, StepBack(step, question, page));
      if (stepped_back) {
        PARLEY_RETURN_IF_ERROR(step.Save());
        PARLEY_RETURN_IF_ERROR(tx.Commit());
        return true;
      }
      for (const InFlight& sent : question.log.in_flight) {
        if (sent.position <= page.generation_head) continue;
        ForgetAcknowledgement(step, sent.append_id);
      }
      fault = RelayFault(step.state(), contradiction);
    } else {
      fault = TakeEntries(step, page, stuck);
    }
    if (!fault.ok() && !IsRelayFault(fault)) return fault;
    const bool more = fault.ok() && !stuck && CanRead(step.log()) &&
                      (step.log().generation != question.log.generation ||
                       step.log().position < page.generation_head);
    if (!fault.ok()) {
      Raise(step, fault);
    } else if (!more && !stuck) {
      RefuteClaimsBeyondHead(step, question.log.claims, result_);
    }
    PARLEY_RETURN_IF_ERROR(step.Save());
    PARLEY_RETURN_IF_ERROR(tx.Commit());
    if (!fault.ok()) return fault;
    return more;
  }

  // Where the relay shows the last entry that is known otherwise than before, and nothing of it was
  // taken in: goes back before it, so that what the relay shows now gets its turn. An honest answer
  // after a false one then loses nothing; the others' transcripts tell which was which.
  absl::StatusOr<bool> StepBack(ChannelStep& step, const Question& question,
                                const ReadResult& page) {
    IncarnationRecord& log = step.log();
    if (log.last_passed_over == 0 || !ShowsAnotherLast(question, page)) return false;
    Raise(step, RelayFault(step.state(), "entry " + std::to_string(log.position) +
                                             " is not as it was, and is taken as it is now"));
    --log.position;
    log.hash = log.hash_before;
    log.last_passed_over = 0;
    if (log.passed_over > 0) --log.passed_over;
    if (log.position > log.generation_start) {
      PARLEY_ASSIGN_OR_RETURN(const std::optional<TranscriptHash> before,
                              step.hashes().Get(step.tx(), log.position - 1));
      log.hash_before = before.value_or(TranscriptHash());
    }
    return true;
  }

  // `stuck`: an entry could not be taken in, and stays the next one.
  absl::Status TakeEntries(ChannelStep& step, const ReadResult& page, bool& stuck) {
    for (const Entry& entry : page.entries) {
      if (entry.position <= step.log().position) continue;
      const uint64_t generation = step.log().generation;
      PARLEY_RETURN_IF_ERROR(TakeEntry(step, entry, result_));
      stuck = step.log().position != entry.position;
      // What follows a closing entry isn't of this generation.
      if (stuck || !CanRead(step.log()) || step.log().generation != generation) break;
    }
    return absl::OkStatus();
  }

  const ChannelContext& context_;
  const ChannelId& id_;
  ExchangeResult& result_;
};

}  // namespace

namespace {

// Goes on to what follows the log that was read, if something waits.
absl::StatusOr<bool> GoOn(const ChannelContext& context, const ChannelId& id,
                          const absl::Status& reading, ExchangeResult& result) {
  {
    PARLEY_ASSIGN_OR_RETURN(const ReadTransaction view, context.store->Read());
    PARLEY_ASSIGN_OR_RETURN(const bool waits, HasSuccessor(view, id));
    if (!waits) return false;
  }
  PARLEY_ASSIGN_OR_RETURN(Transaction tx, context.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(const bool taken, TakeSuccessor(tx, id, context.now_seconds(),
                                                          *context.policy, reading, result));
  PARLEY_RETURN_IF_ERROR(tx.Commit());
  if (taken) {
    result.standing_changed = true;
    result.roster_changed = true;
  }
  return taken;
}

}  // namespace

absl::Status SyncToHead(const ChannelContext& context, const ChannelId& id,
                        ExchangeResult& result) {
  for (;;) {
    const absl::Status reading = Reader(context, id, result).ReadToHead();
    PARLEY_ASSIGN_OR_RETURN(const bool more, GoOn(context, id, reading, result));
    if (!more) return reading;
  }
}

}  // namespace parley::client

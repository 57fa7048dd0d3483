#include "client-lib/channels/receive.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "client-lib/channels/credential.h"
#include "client-lib/channels/entry_log.h"
#include "client-lib/channels/head_claims.h"
#include "client-lib/channels/message_log.h"
#include "client-lib/channels/outbox.h"
#include "client-lib/channels/own_commit.h"
#include "client-lib/channels/receipts.h"
#include "client-lib/channels/relay_fault.h"
#include "client-lib/channels/transcript.h"
#include "client-lib/content/parse.h"
#include "crypto/base/status_macros.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {
namespace {

namespace pb = content::v1;

std::string At(const Entry& entry) { return "entry " + std::to_string(entry.position); }

// The entry stands where it must, and nothing that was acknowledged is missing. What is missing
// counts as not acknowledged any more: the same bytes are sent again.
absl::Status CheckPlace(ChannelStep& step, const Entry& entry) {
  if (entry.position != step.log().position + 1) {
    return RelayFault(step.state(),
                      At(entry) + " comes after entry " + std::to_string(step.log().position));
  }
  if (entry.generation != step.log().generation) {
    return RelayFault(step.state(), At(entry) + " is of another generation");
  }
  for (const InFlight sent : step.log().in_flight) {
    const bool due =
        sent.position == entry.position || (sent.position != 0 && entry.closing.has_value());
    if (due && sent.append_id != entry.append_id) {
      ForgetAcknowledgement(step, sent.append_id);
      return RelayFault(step.state(), "an own entry that it had acknowledged at position " +
                                          std::to_string(sent.position) + " is not there");
    }
  }
  return absl::OkStatus();
}

absl::Status MoveTo(ChannelStep& step, const Entry& entry) {
  IncarnationRecord& log = step.log();
  log.hash_before = log.hash;
  log.hash = TranscriptStep(log.hash, entry);
  log.position = entry.position;
  log.last_passed_over = 0;
  return step.hashes().Set(step.tx(), log.position, log.hash);
}

// The entry that the step has moved to.
void PassOver(ChannelStep& step) {
  step.noted() = EntryRecord();
  ++step.log().passed_over;
  step.log().last_passed_over = 1;
}

absl::Status Halt(ChannelStep& step, const Entry& entry, const std::string& why,
                  ExchangeResult& result) {
  const std::string reason =
      "halted at " + At(entry) + ": " + why + "; a neutral must open the channel anew";
  result.standing_changed = true;
  step.Raise({ChannelAlarmKind::kHalted, step.incarnation(), entry.position, std::nullopt, reason},
             result);
  return step.Stop(Standing::kHalted, reason);
}

absl::Status Restored(ChannelStep& step, const Entry& entry, ExchangeResult& result) {
  if (step.standing() != Standing::kActive) return absl::OkStatus();
  const std::string reason =
      "this profile is an old copy: the log holds a later message of this device (" + At(entry) +
      "), which the profile doesn't know; nothing is sent until a neutral has removed this device "
      "and added it again";
  result.standing_changed = true;
  step.Raise(
      {ChannelAlarmKind::kRestored, step.incarnation(), entry.position, std::nullopt, reason},
      result);
  return step.Stop(Standing::kRestored, reason);
}

// ---- Contents ----

// Compares what an author saw with the own log.
absl::Status CompareSeen(ChannelStep& step, const Entry& entry, const RosterMember& author,
                         const pb::LogPosition& seen, ExchangeResult& result) {
  const IncarnationRecord& log = step.log();
  if (seen.position() < log.joined_position) return absl::OkStatus();
  std::string difference;
  if (seen.position() >= entry.position) {
    difference = "says in " + At(entry) + " to have seen position " +
                 std::to_string(seen.position()) + " already";
  } else {
    PARLEY_ASSIGN_OR_RETURN(const std::optional<TranscriptHash> own,
                            step.hashes().Get(step.tx(), seen.position()));
    const bool same =
        own.has_value() && crypto::PublicEquals(*own, crypto::ViewOf(seen.transcript_hash()));
    if (same) {
      step.log().confirmed_by_others_at = step.now();
      return absl::OkStatus();
    }
    difference = "saw another log up to position " + std::to_string(seen.position()) +
                 " than this device (said in " + At(entry) + ")";
  }
  step.Raise({ChannelAlarmKind::kFork, step.incarnation(), entry.position, author.participant_id,
              Describe(author) + " " + difference +
                  ": the relay shows members different logs, or they don't tell the truth"},
             result);
  return absl::OkStatus();
}

absl::Status TakeContent(ChannelStep& step, const Entry& entry, const RosterMember& author,
                         const crypto::Secret& plaintext, ExchangeResult& result) {
  pb::Content content;
  if (!ParseFromPeer(content, plaintext.Reveal()) ||
      !IdFrom<MessageId>(content.message_id()).has_value()) {
    PassOver(step);
    return absl::OkStatus();
  }
  NoteContent(step.noted(), author, content, plaintext.Reveal());
  if (content.has_seen()) {
    PARLEY_RETURN_IF_ERROR(CompareSeen(step, entry, author, content.seen(), result));
  }
  PARLEY_ASSIGN_OR_RETURN(const bool is_new,
                          KeepMessage(step, entry.position, author, false, content, plaintext));
  PARLEY_RETURN_IF_ERROR(TakeReceipt(step, author.participant_id, entry.position, content));
  const ContentKind kind = KindOf(content);
  const bool for_people = kind == ContentKind::kText || kind == ContentKind::kDocument ||
                          kind == ContentKind::kUnknown ||
                          (IsProcedure(kind) && !IsOfPairing(kind));
  if (is_new && for_people) ++result.messages;
  IncarnationRecord& log = step.log();
  if (kind != ContentKind::kCheckpoint) {
    if (log.unconfirmed_entries++ == 0) log.unconfirmed_since = step.now();
  }
  return absl::OkStatus();
}

absl::Status TakeApplication(ChannelStep& step, const Entry& entry, const mls::Group& group,
                             const mls::ApplicationMessage& message, ExchangeResult& result) {
  const absl::StatusOr<const RosterMember*> author =
      step.policy().CheckMessage(step.state(), group, message);
  if (!author.ok()) {
    PassOver(step);
    return absl::OkStatus();
  }
  return TakeContent(step, entry, **author, message.plaintext, result);
}

// ---- Own entries ----

absl::Status TakeOwn(ChannelStep& step, const Entry& entry, uint64_t item) {
  PARLEY_ASSIGN_OR_RETURN(
      const OutboxRecord record,
      LoadExisting<OutboxRecord>(step.tx(), RecordClass::kContent, step.names().Outbox(item)));
  if (record.payload != entry.payload || entry.closing.has_value()) {
    return RelayFault(step.state(), "the own " + At(entry) + " is not as it was sent");
  }
  PARLEY_RETURN_IF_ERROR(MoveTo(step, entry));
  step.noted().kind = EntryKind::kProposal;
  if (record.kind == OutboxKind::kContent) {
    pb::Content content;
    const ByteView bytes = record.sent_content.Reveal();
    if (!content.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      return absl::DataLossError("a queued message in the profile is damaged");
    }
    const RosterMember* self = step.state().FindMember(step.self().participant_id);
    if (self == nullptr) return absl::DataLossError("the own member is missing in the roster");
    NoteContent(step.noted(), *self, content, bytes);
    PARLEY_RETURN_IF_ERROR(
        KeepMessage(step, entry.position, *self, true, content, record.sent_content).status());
    PARLEY_RETURN_IF_ERROR(NoteReceiptSent(step, content));
    step.log().unconfirmed_entries = 0;
    step.log().unconfirmed_since = 0;
  }
  return RemoveItem(step, item, record.kind);
}

const InFlight* FindInFlight(const ChannelStep& step, const Entry& entry) {
  const std::vector<InFlight>& list = step.log().in_flight;
  const auto found = std::find_if(list.begin(), list.end(), [&](const InFlight& sent) {
    return sent.item != 0 && sent.append_id == entry.append_id;  // 0: a commit
  });
  return found == list.end() ? nullptr : &*found;
}

// Opens an entry's seal.
absl::StatusOr<Bytes> OpenMessage(ChannelStep& step, const Entry& entry) {
  PARLEY_ASSIGN_OR_RETURN(const EpochKeysRecord* keys, step.keys());
  PARLEY_ASSIGN_OR_RETURN(Bytes message, OpenEntry(keys->entry_key, step.state().mailbox_id,
                                                   entry.generation, entry.payload));
  PARLEY_ASSIGN_OR_RETURN(const mls::MessageHead head, mls::PeekMessage(message));
  PARLEY_RETURN_IF_ERROR(step.policy().CheckWireForm(head));
  return message;
}

// ---- Entries that don't close ----

bool IsProposal(const Bytes& message) {
  const absl::StatusOr<mls::MessageHead> head = mls::PeekMessage(message);
  return head.ok() && head->content_type == mls::ContentType::kProposal;
}

// A proposal that no commit may hold is passed over, and nothing of it stays in `group`.
absl::Status TakeProposal(ChannelStep& step, const Entry& entry, const mls::Group& group,
                          const mls::PendingProposal& proposal, ExchangeResult& result) {
  const absl::Status allowed = step.policy().CheckProposal(step.state(), group, proposal);
  if (allowed.ok()) {
    step.noted().kind = EntryKind::kProposal;
    step.GroupChanged();
    return absl::OkStatus();
  }
  const std::optional<ParticipantId> author = ParticipantAt(group, proposal.sender.leaf());
  step.RevertGroup();
  PassOver(step);
  step.Raise({ChannelAlarmKind::kRefused, step.incarnation(), entry.position, author,
              std::string(allowed.message()) + " (" + At(entry) + "); it was passed over"},
             result);
  return absl::OkStatus();
}

absl::Status TakeOrdinary(ChannelStep& step, const Entry& entry, ExchangeResult& result) {
  PARLEY_RETURN_IF_ERROR(MoveTo(step, entry));
  const absl::StatusOr<Bytes> message = OpenMessage(step, entry);
  if (!message.ok()) {
    PassOver(step);
    return absl::OkStatus();
  }
  PARLEY_ASSIGN_OR_RETURN(mls::Group* const group, step.group());
  if (IsProposal(*message)) PARLEY_RETURN_IF_ERROR(step.KeepGroup());
  absl::StatusOr<mls::Received> received = group->Process(*message);
  if (!received.ok()) {
    PassOver(step);
    return absl::OkStatus();
  }
  if (const auto* said = std::get_if<mls::ApplicationMessage>(&*received)) {
    step.GroupChanged();
    return TakeApplication(step, entry, *group, *said, result);
  }
  if (const auto* proposed = std::get_if<mls::ReceivedProposal>(&*received)) {
    return TakeProposal(step, entry, *group, proposed->proposal, result);
  }
  if (const auto* own = std::get_if<mls::OwnMessage>(&*received)) {
    if (own->unknown_to_this_state) return Restored(step, entry, result);
  }
  // An own entry for the second time, or a commit outside a closing entry: nobody takes it.
  PassOver(step);
  return absl::OkStatus();
}

// ---- Closing entries ----

// What the generation leaves behind when it ends.
absl::Status EndGeneration(ChannelStep& step, ExchangeResult& result) {
  PARLEY_RETURN_IF_ERROR(TakeBackInFlight(step));
  PARLEY_ASSIGN_OR_RETURN(const bool lost, DropOwnCommit(step));
  if (lost) result.commit_lost = true;
  return absl::OkStatus();
}

absl::Status TakeRemoval(ChannelStep& step, const Entry& entry, const std::string& committer,
                         ExchangeResult& result) {
  PARLEY_RETURN_IF_ERROR(MoveTo(step, entry));
  PARLEY_RETURN_IF_ERROR(EndGeneration(step, result));
  // Who has been let in again already goes on there, with what waits.
  PARLEY_ASSIGN_OR_RETURN(const bool comes_back,
                          step.tx().Has(RecordClass::kRatchet, step.names().Successors()));
  if (!comes_back) PARLEY_RETURN_IF_ERROR(GiveUpWaiting(step, result));
  result.standing_changed = true;
  result.roster_changed = true;
  if (step.log().leave_wanted != 0) {
    return step.Stop(Standing::kLeft, "you have left it");
  }
  return step.Stop(Standing::kRemoved, committer + " has removed you from it");
}

absl::Status TakeCommit(ChannelStep& step, const Entry& entry, mls::StagedCommit commit,
                        ExchangeResult& result) {
  PARLEY_ASSIGN_OR_RETURN(mls::Group* const group, step.group());
  absl::StatusOr<ChannelState> after =
      step.policy().CheckCommit(step.state(), *group, commit, *entry.closing);
  if (!after.ok()) {
    PARLEY_RETURN_IF_ERROR(group->Refuse(std::move(commit)));
    return Halt(step, entry, std::string(after.status().message()), result);
  }
  const std::optional<ParticipantId> committer = ParticipantAt(*group, commit.sender());
  NoteCommit(step.noted(), committer.has_value() ? step.state().FindMember(*committer) : nullptr,
             step.state().members, after->members);
  if (commit.next() == nullptr) {
    return TakeRemoval(step, entry, DescribeLeaf(step.state(), *group, commit.sender()), result);
  }
  for (const mls::UpdatedMember& update : commit.changes().updates) {
    if (update.leaf == group->own_leaf()) step.log().leaf_renewed_at = step.now();
  }
  PARLEY_ASSIGN_OR_RETURN(mls::Group next, std::move(commit).Next());
  if (after->members != step.state().members) result.roster_changed = true;
  PARLEY_RETURN_IF_ERROR(MoveTo(step, entry));
  PARLEY_RETURN_IF_ERROR(EndGeneration(step, result));
  return step.EnterEpoch(std::move(next), *std::move(after));
}

absl::Status TakeClosing(ChannelStep& step, const Entry& entry, ExchangeResult& result) {
  if (!VerifyClosing(step.state().mailbox_id, entry.generation, step.state().control_key,
                     entry.payload, *entry.closing)
           .ok()) {
    return RelayFault(step.state(), At(entry) +
                                        " closes the generation, and the channel's control key " +
                                        "has not signed that");
  }
  PARLEY_ASSIGN_OR_RETURN(std::optional<WonCommit> won, TakeOwnCommit(step, entry));
  if (won.has_value()) {
    if (won->state.members != step.state().members) result.roster_changed = true;
    result.commit_merged = true;
    NoteCommit(step.noted(), step.state().FindMember(step.self().participant_id),
               step.state().members, won->state.members);
    PARLEY_RETURN_IF_ERROR(MoveTo(step, entry));
    PARLEY_RETURN_IF_ERROR(TakeBackInFlight(step));
    step.log().leaf_renewed_at = step.now();
    PARLEY_RETURN_IF_ERROR(KeepWelcomes(step, *won));
    return step.EnterEpoch(std::move(won->next), std::move(won->state));
  }
  PARLEY_ASSIGN_OR_RETURN(const bool altered, IsOwnCommitAltered(step, entry));
  if (altered) {
    return RelayFault(step.state(), "the own closing, " + At(entry) + ", is not as it was sent");
  }
  const absl::StatusOr<Bytes> message = OpenMessage(step, entry);
  if (!message.ok()) {
    return Halt(step, entry, "a committer closed the generation with an entry that doesn't open",
                result);
  }
  PARLEY_ASSIGN_OR_RETURN(mls::Group* const group, step.group());
  absl::StatusOr<mls::Received> received = group->Process(*message);
  if (!received.ok()) {
    return Halt(step, entry,
                "a committer closed the generation with a commit that is not valid (" +
                    std::string(received.status().message()) + ")",
                result);
  }
  if (auto* commit = std::get_if<mls::StagedCommit>(&*received)) {
    return TakeCommit(step, entry, std::move(*commit), result);
  }
  // Sender data alone proves nothing: any member can write the own leaf into it.
  const auto* own = std::get_if<mls::OwnMessage>(&*received);
  if (own != nullptr && own->unknown_to_this_state) return Restored(step, entry, result);
  return Halt(step, entry, "a committer closed the generation without a commit", result);
}

}  // namespace

absl::Status TakeEntry(ChannelStep& step, const Entry& entry, ExchangeResult& result) {
  PARLEY_RETURN_IF_ERROR(CheckPlace(step, entry));
  step.noted() = EntryRecord();
  if (const InFlight* own = FindInFlight(step, entry)) {
    PARLEY_RETURN_IF_ERROR(TakeOwn(step, entry, own->item));
  } else if (entry.closing.has_value()) {
    PARLEY_RETURN_IF_ERROR(TakeClosing(step, entry, result));
  } else {
    PARLEY_RETURN_IF_ERROR(TakeOrdinary(step, entry, result));
  }
  if (step.log().position == entry.position) {
    ++result.entries;
    PARLEY_RETURN_IF_ERROR(KeepEntry(step, entry));
  }
  return CheckClaims(step, result);
}

}  // namespace parley::client

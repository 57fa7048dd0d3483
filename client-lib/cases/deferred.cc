#include "client-lib/cases/deferred.h"

#include <algorithm>
#include <map>

#include "client-lib/cases/inbox_messages.h"
#include "client-lib/cases/naming.h"
#include "client-lib/content/wipe.h"

namespace parley::client {
namespace {

using content::v1::InboxMessage;

// Of one sender. Many more than a case has channels; and each taken or refused one is gone.
constexpr size_t kMostFromOne = 256;

bool ParseStored(InboxMessage& message, const Secret& stored) {
  const ByteView bytes = stored.Reveal();
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

const char* DeedOf(const InboxMessage& message) {
  switch (message.body_case()) {
    case InboxMessage::kWelcome:
      return "a Welcome into a channel";
    case InboxMessage::kIntroduction:
      return "an introduction to another neutral";
    case InboxMessage::kRemoval:
      return "word that you were removed from the case";
    case InboxMessage::kRecordKeys:
      return "word of others' record keys";
    default:
      return "vouchers";
  }
}

// Their name, where a roster or record has it.
absl::StatusOr<std::string> NameOf(const ReadTransaction& step, const CaseContext& context,
                                   const ParticipantId& id) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<PersonRecord> person, context.Records().Person(step, id));
  if (person.has_value()) return person->name;
  PARLEY_ASSIGN_OR_RETURN(std::vector<CaseChannel> channels, ChannelsOf(step, context));
  for (const CaseChannel& channel : channels) {
    const RosterMember* member = channel.info.state.FindMember(id);
    if (member != nullptr) return member->name;
  }
  return "participant " + id.ToString().substr(0, 8);
}

enum class Verdict { kTake, kWait, kRefuse };

// Who is a neutral, as the channels have it that were read.
class Judge {
 public:
  static absl::StatusOr<Judge> Load(const CaseContext& context, const std::set<ChannelId>& unread) {
    Judge judge;
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, context.store->Read());
    PARLEY_ASSIGN_OR_RETURN(judge.record_, context.Records().Case(read));
    PARLEY_ASSIGN_OR_RETURN(judge.people_, context.Records().People(read));
    PARLEY_ASSIGN_OR_RETURN(judge.channels_, ChannelsOf(read, context));
    judge.unread_ = unread;
    judge.PickWitnesses(unread);
    return judge;
  }

  bool HasChannels() const { return !channels_.empty(); }

  // `only_inviter`: where there is no channel yet that could tell, the inviter goes first.
  Verdict On(const Pairing& pairing, const InboxMessage& message, bool only_inviter) const {
    if (pairing.ended != 0) return Verdict::kRefuse;
    if (!IsNeutral(static_cast<Role>(pairing.peer_role))) return OnOwnSide(pairing);
    for (const PersonRecord& person : people_) {
      if (person.id == pairing.peer && (!person.IsNeutral() || !person.TakesPart())) {
        return Verdict::kRefuse;
      }
    }
    if (channels_.empty()) {
      if (pairing.peer == record_.inviter) return Verdict::kTake;
      // The pairing with anybody else comes from the inviter's introduction.
      return message.has_welcome() && !only_inviter ? Verdict::kTake : Verdict::kWait;
    }
    const size_t seen_in = SeenIn(pairing.peer);
    if (seen_in > 0) {
      const bool early = message.has_removal() && any_active_;
      return early || seen_in < witnesses_ ? Verdict::kWait : Verdict::kTake;
    }
    return pairing.met != 0 && !active_unread_ ? Verdict::kRefuse : Verdict::kWait;
  }

 private:
  // The channels whose rosters count: those that were read to their heads; without any, those that
  // can't be read any more; without any, those that this participant was put out of.
  void PickWitnesses(const std::set<ChannelId>& unread) {
    std::vector<const CaseChannel*> tiers[3];
    for (const CaseChannel& channel : channels_) {
      const Standing standing = channel.info.standing;
      const bool readable = standing == Standing::kActive || standing == Standing::kRestored;
      any_active_ = any_active_ || readable;
      active_unread_ = active_unread_ || (readable && unread.contains(channel.id));
      if (readable && !unread.contains(channel.id)) {
        tiers[0].push_back(&channel);
      } else if (readable || standing == Standing::kHalted) {
        tiers[1].push_back(&channel);
      } else {
        tiers[2].push_back(&channel);
      }
    }
    for (const auto& tier : tiers) {
      if (tier.empty()) continue;
      for (const CaseChannel* channel : tier) Count(*channel, &tier == &tiers[0]);
      break;
    }
  }

  // A Welcome into the team of the own side: by who is in its caucus.
  Verdict OnOwnSide(const Pairing& pairing) const {
    const std::optional<ChannelId> counts =
        ChannelChoice(record_, people_, channels_).Of(ChannelKind::kCaucus, record_.own_side);
    for (const CaseChannel& channel : channels_) {
      if (counts != channel.id || channel.info.standing != Standing::kActive ||
          unread_.contains(channel.id)) {
        continue;
      }
      const RosterMember* member = channel.info.state.FindMember(pairing.peer);
      if (member != nullptr && !IsNeutral(member->role) && member->side == record_.own_side) {
        return Verdict::kTake;
      }
      return pairing.met != 0 ? Verdict::kRefuse : Verdict::kWait;
    }
    return Verdict::kWait;
  }

  // A neutral is in every channel but those of one team. Who is in some only is coming or going.
  void Count(const CaseChannel& channel, bool all_count) {
    if (channel.info.state.kind == ChannelKind::kTeam) return;
    if (all_count) ++witnesses_;
    for (const RosterMember& member : channel.info.state.members) {
      if (IsNeutral(member.role)) ++seen_in_[member.participant_id];
    }
  }

  size_t SeenIn(const ParticipantId& id) const {
    const auto found = seen_in_.find(id);
    return found == seen_in_.end() ? 0 : found->second;
  }

  CaseRecord record_;
  std::vector<PersonRecord> people_;
  std::vector<CaseChannel> channels_;
  std::map<ParticipantId, size_t> seen_in_;  // in how many witnesses' rosters, as a neutral
  size_t witnesses_ = 0;                     // that one must be in
  bool any_active_ = false;
  bool active_unread_ = false;
  std::set<ChannelId> unread_;
};

class Taker {
 public:
  Taker(const CaseContext& context, const Judge& judge) : context_(context), judge_(judge) {}

  absl::StatusOr<DeferredResult> Run(bool only_inviter) {
    std::vector<std::string> keys;
    {
      PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, context_.store->Read());
      PARLEY_ASSIGN_OR_RETURN(keys, context_.Records().deferred.Keys(read));
    }
    for (const std::string& key : keys) PARLEY_RETURN_IF_ERROR(Take(key, only_inviter));
    return result_;
  }

 private:
  absl::Status Take(const std::string& key, bool only_inviter) {
    // Once with what the message does; if that turns out to be bad, without.
    absl::Status bad;
    for (const bool handle : {true, false}) {
      PARLEY_ASSIGN_OR_RETURN(Transaction step, context_.store->Begin());
      PARLEY_ASSIGN_OR_RETURN(std::optional<DeferredMessage> deferred,
                              context_.Records().deferred.Get(step, key));
      if (!deferred.has_value()) return absl::OkStatus();  // another process has taken it
      PARLEY_RETURN_IF_ERROR(context_.Records().deferred.Delete(step, key));
      PARLEY_ASSIGN_OR_RETURN(
          std::optional<Pairing> pairing,
          context_.Pairings().pairings.Get(step, crypto::ToHex(deferred->pairing_id)));
      InboxMessage message;
      const ScopedMessageWipe wipe(message);
      if (handle && pairing.has_value() && ParseStored(message, deferred->message)) {
        const Verdict verdict = judge_.On(*pairing, message, only_inviter);
        if (verdict == Verdict::kWait) return absl::OkStatus();
        if (verdict == Verdict::kRefuse) {
          PARLEY_RETURN_IF_ERROR(Refuse(step, deferred->sender, *pairing, message));
        } else {
          const absl::Status taken = TakeDeferredMessage(step, context_, *pairing, message);
          if (absl::IsAborted(taken)) return LeaveAside(std::move(step), *deferred, taken);
          if (!taken.ok() && IsBadInboxMessage(taken)) {
            bad = taken;
            continue;
          }
          PARLEY_RETURN_IF_ERROR(taken);
          result_.took = true;
        }
      }
      if (absl::IsPermissionDenied(bad)) {
        PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context_.Records().Case(step));
        record.Refuse("what " + deferred->sender +
                      " sent was refused: " + std::string(bad.message()));
        PARLEY_RETURN_IF_ERROR(context_.Records().PutCase(step, record));
      }
      return step.Commit();
    }
    return absl::OkStatus();
  }

  // A Welcome into a second channel of a kind. It waits on; what it did is given up with `tried`.
  absl::Status LeaveAside(Transaction tried, const DeferredMessage& message,
                          const absl::Status& why) {
    if (why.message().empty()) return absl::OkStatus();
    { const Transaction ended = std::move(tried); }
    PARLEY_ASSIGN_OR_RETURN(Transaction step, context_.store->Begin());
    PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context_.Records().Case(step));
    const size_t before = record.refused.size();
    record.Refuse(message.sender + " sent a Welcome into another channel " +
                  std::string(why.message()) + " than the one that counts here; it is left aside");
    if (record.refused.size() == before) return absl::OkStatus();
    PARLEY_RETURN_IF_ERROR(context_.Records().PutCase(step, record));
    return step.Commit();
  }

  absl::Status Refuse(Transaction& step, const std::string& sender, const Pairing& pairing,
                      const InboxMessage& message) {
    PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context_.Records().Case(step));
    const bool neutral = IsNeutral(static_cast<Role>(pairing.peer_role));
    record.Refuse(sender + ", who is " + (neutral ? "no neutral of the case" : "not on your side") +
                  " any more, sent " + DeedOf(message) + "; it was refused");
    result_.refused = true;
    return context_.Records().PutCase(step, record);
  }

  const CaseContext& context_;
  const Judge& judge_;
  DeferredResult result_;
};

// What the rosters at the heads show, where all of them could be read.
absl::Status GiveUpLost(const CaseContext& context, const std::set<ChannelId>& unread) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
  if (record.IsNeutral() || !unread.empty()) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(const bool changed, GiveUpLostChannels(step, context));
  return changed ? step.Commit() : absl::OkStatus();
}

}  // namespace

bool IsDeferred(const InboxMessage& message) {
  switch (message.body_case()) {
    case InboxMessage::kWelcome:
    case InboxMessage::kIntroduction:
    case InboxMessage::kVouchers:
    case InboxMessage::kRecordKeys:
      return true;
    case InboxMessage::kRemoval:
      return !message.removal().left();
    default:
      return false;
  }
}

absl::Status Defer(Transaction& step, const CaseContext& context, const Pairing& pairing,
                   const InboxMessage& message) {
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  const bool steward = message.has_welcome() && !record.IsNeutral();
  if (!IsNeutral(static_cast<Role>(pairing.peer_role)) && !steward) {
    return absl::PermissionDeniedError(std::string("a message that its sender may not send: ") +
                                       DeedOf(message));
  }
  const std::string from = crypto::ToHex(pairing.id) + "-";
  PARLEY_ASSIGN_OR_RETURN(std::vector<std::string> waiting, context.Records().deferred.Keys(step));
  if (std::count_if(waiting.begin(), waiting.end(), [&](const std::string& key) {
        return key.starts_with(from);
      }) >= static_cast<ptrdiff_t>(kMostFromOne)) {
    return absl::FailedPreconditionError("too many messages of one sender wait");
  }
  DeferredMessage deferred;
  deferred.pairing_id = pairing.id;
  PARLEY_ASSIGN_OR_RETURN(deferred.sender, NameOf(step, context, pairing.peer));
  std::string bytes = message.SerializeAsString();
  const crypto::ScopedWipe wipe(bytes);
  deferred.message = Secret::CopyOf(crypto::ViewOf(bytes));
  return context.Records().deferred.Put(
      step, from + crypto::ToHex(crypto::ViewOf(message.message_id())), deferred);
}

absl::StatusOr<DeferredResult> TakeDeferred(const CaseContext& context,
                                            const std::set<ChannelId>& unread) {
  PARLEY_RETURN_IF_ERROR(GiveUpLost(context, unread));
  PARLEY_ASSIGN_OR_RETURN(const Judge judge, Judge::Load(context, unread));
  PARLEY_ASSIGN_OR_RETURN(DeferredResult result, Taker(context, judge).Run(true));
  if (result.took || judge.HasChannels()) return result;
  return Taker(context, judge).Run(false);
}

}  // namespace parley::client

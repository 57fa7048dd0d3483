#include "client-lib/api/listening.h"

#include "client-lib/cases/neutrals_log.h"

namespace parley::client {

absl::Status Listening::FollowOne(const ObjectId& mailbox, uint64_t generation,
                                  const Secret& read_seed, uint64_t from) {
  const auto known = places_.find(mailbox);
  if (known != places_.end() && known->second.generation == generation) {
    // The stream goes on by itself; what comes below `from` isn't news.
    known->second.from = from;
    return absl::OkStatus();
  }
  PARLEY_ASSIGN_OR_RETURN(crypto::SignatureKey key,
                          crypto::SignatureKey::FromSeed(read_seed.Reveal()));
  stream_->Add(mailbox, generation, key, from);
  places_[mailbox] = {generation, from};
  return absl::OkStatus();
}

absl::Status Listening::Follow(const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, context.store->Read());
  PARLEY_ASSIGN_OR_RETURN(Inbox::Target inbox, context.OwnInbox().Subscription(read));
  PARLEY_RETURN_IF_ERROR(
      FollowOne(inbox.mailbox_id, inbox.generation, inbox.read_seed, inbox.from));
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(read));
  for (const ChannelId& id : record.channels) {
    PARLEY_ASSIGN_OR_RETURN(std::optional<SubscriptionTarget> target,
                            context.Channel(id).Subscription(read));
    if (!target.has_value()) continue;
    PARLEY_RETURN_IF_ERROR(
        FollowOne(target->mailbox_id, target->generation, target->read_seed, target->from));
  }
  PARLEY_ASSIGN_OR_RETURN(std::vector<MadeInvitation> invitations,
                          context.Pairings().invitations.All(read));
  for (const MadeInvitation& invitation : invitations) {
    if (invitation.watching == 0) continue;
    PARLEY_RETURN_IF_ERROR(
        FollowOne(invitation.rendezvous_id, 1, invitation.read_seed, invitation.next));
  }
  return absl::OkStatus();
}

Listening::Heard Listening::Listen(std::chrono::milliseconds timeout) {
  const std::optional<Subscription::Event> event = stream_->Next(timeout);
  if (!event.has_value()) return Heard::kNothing;
  if (const auto* entries = std::get_if<Subscription::Entries>(&*event)) {
    const auto place = places_.find(entries->mailbox_id);
    const bool news = place != places_.end() && !entries->entries.empty() &&
                      entries->entries.back().position >= place->second.from;
    return news ? Heard::kNews : Heard::kNothing;
  }
  if (const auto* ended = std::get_if<Subscription::Ended>(&*event)) {
    // The next generation is listened to as soon as a sync has come to it.
    if (!ended->generation_closed) places_[ended->mailbox_id].generation = 0;
    return ended->generation_closed ? Heard::kNews : Heard::kNothing;
  }
  if (std::holds_alternative<Subscription::Connected>(*event)) return Heard::kConnected;
  if (const auto* broken = std::get_if<Subscription::Disconnected>(&*event)) {
    trouble_ = broken->status;
    return Heard::kDisconnected;
  }
  return Heard::kNothing;
}

}  // namespace parley::client

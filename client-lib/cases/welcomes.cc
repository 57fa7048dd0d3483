#include "client-lib/cases/welcomes.h"

#include "client-lib/cases/team_records.h"

namespace parley::client {

absl::Status DeliverWelcomes(Transaction& step, const CaseContext& context,
                             const ChannelId& channel) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<WelcomeDelivery> deliveries,
                          context.Channel(channel).PendingWelcomes(step));
  if (deliveries.empty()) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context.Channel(channel).Info(step));
  const bool team = info.state.kind == ChannelKind::kTeam;
  for (const WelcomeDelivery& delivery : deliveries) {
    PARLEY_ASSIGN_OR_RETURN(std::optional<Pairing> pairing,
                            team ? SidePairingWith(step, context, delivery.participant_id)
                                 : context.Pairings().PairingWith(step, delivery.participant_id));
    if (pairing.has_value()) {
      PARLEY_ASSIGN_OR_RETURN(const bool room, context.OwnInbox().HasRoom(step, *pairing));
      if (!room) continue;  // it stays pending
      content::v1::InboxMessage message;
      if (!message.mutable_welcome()->ParseFromArray(delivery.wrapper.data(),
                                                     static_cast<int>(delivery.wrapper.size()))) {
        return absl::InternalError("a Welcome of our own doesn't parse");
      }
      PARLEY_RETURN_IF_ERROR(context.OwnInbox().Queue(step, *pairing, std::move(message)));
    }
    // Without a pairing they were removed in the meantime: nobody waits for it.
    PARLEY_RETURN_IF_ERROR(context.Channel(channel).WelcomeDelivered(step, delivery.id));
  }
  return absl::OkStatus();
}

}  // namespace parley::client

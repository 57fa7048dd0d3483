// The offers of a case's channels, as their logs have them: from records to an OfferBook each.
//
// What is played is the same on every device that reads the channel (docs/protocol.md section 10).
// What a neutral has carried counts by the rules; a device that knows that it isn't what was
// authorised says so beside it (OfferEvent::doubt), as it refuses the disclosure itself.
//
//   PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelOffers> all, LoadOffers(step, context));
//
// Threading: functions on a transaction; EndExpiredOffers opens its own.
// Errors: the store's.
#ifndef PARLEY_CLIENT_LIB_FIREWALL_OFFER_LOG_H_
#define PARLEY_CLIENT_LIB_FIREWALL_OFFER_LOG_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/cases/case_context.h"
#include "client-lib/firewall/disclosures.h"
#include "client-lib/procedure/offer_book.h"

namespace parley::client {

// A record that was passed over.
struct PassedOverOffer {
  RosterMember by;
  uint64_t number = 0;
  JointPosition at;  // where it stands in the channel's log
  std::string text;  // from "may not" on, or from "carries" on
  // This device can't judge it: it is about an offer from before it came, was made by a newer
  // version, or was said under a joint channel that this device hasn't read so far. Nobody is
  // accused of anything.
  bool undecided = false;
};

struct ChannelOffers {
  ChannelId channel;
  ChannelState state;
  std::string name;  // "caucus:Harbor"
  bool is_active = false;
  OfferBook book;
  std::vector<PassedOverOffer> passed_over;
};

// The kinds of messages that LoadOffers reads beside disclosures.
bool IsOfferKind(ContentKind kind);

absl::StatusOr<ChannelOffers> LoadOffersOf(const ReadTransaction& step, const CaseContext& context,
                                           const ChannelId& channel);
// Of all channels of the case that take offers.
absl::StatusOr<std::vector<ChannelOffers>> LoadOffers(const ReadTransaction& step,
                                                      const CaseContext& context);

// Says that the time of open offers is over by this device's clock, where it may: those of the
// owner's side where they were made, and all for a neutral. What can't be sent now stays queued.
absl::Status EndExpiredOffers(const CaseContext& context);

// Records that were passed over and that the owner hasn't seen: one line for each channel and
// author.
absl::StatusOr<std::vector<std::pair<ChannelId, std::string>>> RefusedOffers(
    const ReadTransaction& step, const CaseContext& context);
// They have been seen.
absl::Status SettleRefusedOffers(const CaseContext& context);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_FIREWALL_OFFER_LOG_H_

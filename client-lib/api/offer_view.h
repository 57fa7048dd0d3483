// Offers and option sheets as the public values show them. Nothing here uses the network.
//
// Threading: functions on a transaction.
// Errors: the store's; NotFound for an unknown case.
#ifndef PARLEY_CLIENT_LIB_API_OFFER_VIEW_H_
#define PARLEY_CLIENT_LIB_API_OFFER_VIEW_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/cases/case_context.h"
#include "client-lib/firewall/offer_log.h"
#include "parley/offers.h"

namespace parley::client {

absl::StatusOr<OfferList> ViewOffers(const ReadTransaction& step, const CaseContext& context);

absl::StatusOr<std::vector<OptionSheet>> ViewOptionSheets(const ReadTransaction& step,
                                                          const CaseContext& context);

// The only one whose id begins with `text`. Of one in several channels: where it was made. Errors:
// NotFound; Ambiguous.
absl::StatusOr<Offer> PickOffer(std::vector<Offer> offers, std::string_view text);

// In one line, in the author's words: "accepts an offer". `kind`: of the channel where it stands.
std::string DescribeRecord(const content::v1::Content& content, ChannelKind kind);
// Shows in `view` what the record says in its channel's book, and whether it was passed over.
void ShowOfferRecord(const ChannelOffers& offers, const ChannelMessage& message, Message& view);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_API_OFFER_VIEW_H_

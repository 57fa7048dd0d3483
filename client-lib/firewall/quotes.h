// Quotes: a message names an earlier one of the same channel. One of another channel would carry
// what was said there, so it is refused.
//
// Threading: functions on a transaction.
#ifndef PARLEY_CLIENT_LIB_FIREWALL_QUOTES_H_
#define PARLEY_CLIENT_LIB_FIREWALL_QUOTES_H_

#include "absl/status/statusor.h"
#include "client-lib/cases/case_context.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {

// Over the content as it was sent.
Bytes QuoteHash(const ChannelMessage& message);

// A quote, for a text in the channel `to`, of the text or document of that id. Errors: NotFound
// where the case has none; PermissionDenied for one of another channel, which is named with its
// author; FailedPrecondition for one that was retracted.
absl::StatusOr<content::v1::Quote> MakeQuote(const ReadTransaction& step,
                                             const CaseContext& context, const ChannelId& to,
                                             const MessageId& id);

// The channel's text or document of that id, or what a retraction has left of it; nothing when
// there is none.
absl::StatusOr<std::optional<ChannelMessage>> FindSaid(const ReadTransaction& step,
                                                       const Channel& channel, const MessageId& id);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_FIREWALL_QUOTES_H_

// Quotes: a message names an earlier one of the same channel. One of another channel would carry
// what was said there, so it is refused.
//
// Threading: functions on a transaction.
#ifndef PARLEY_CLIENT_LIB_FIREWALL_QUOTES_H_
#define PARLEY_CLIENT_LIB_FIREWALL_QUOTES_H_

#include <string>

#include "absl/status/statusor.h"
#include "client-lib/cases/case_context.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {

// By what a quote binds the message that it names: the log's transcript hash at its place, which is
// over sealed entries, so nobody can try words with it. Empty where this device has none there.
absl::StatusOr<std::string> QuoteHash(const ReadTransaction& step, const ChannelId& channel,
                                      const ChannelMessage& message);

// A quote, for a text in the channel `to`, of the text or document of that id. Errors: NotFound
// where the case has none; PermissionDenied for one of another channel, which is named with its
// author; FailedPrecondition for one that was retracted, or for an id that several have used.
absl::StatusOr<content::v1::Quote> MakeQuote(const ReadTransaction& step,
                                             const CaseContext& context, const ChannelId& to,
                                             const MessageId& id);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_FIREWALL_QUOTES_H_

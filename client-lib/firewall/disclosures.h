// Disclosure with leave: authorisations as a channel's log has them, and whether a Disclosure is
// what was authorised (docs/protocol.md section 6).
//
// Everything follows from the log's order alone: the first DisclosureUse or AuthorisationEnd after
// an authorisation decides. No clock is asked; who finds that the time is over says so by an
// AuthorisationEnd.
//
// Threading: functions on a transaction.
// Errors: the store's.
#ifndef PARLEY_CLIENT_LIB_FIREWALL_DISCLOSURES_H_
#define PARLEY_CLIENT_LIB_FIREWALL_DISCLOSURES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/cases/case_context.h"

namespace parley::client {

// At most so many bytes of words in an authorisation.
inline constexpr size_t kMostAuthorisedBytes = 64 * 1024;

struct AuthorisationRecord {
  ChannelId channel;
  std::string channel_name;
  MessageId id;
  uint64_t number = 0;
  RosterMember author;
  MessageId item;
  std::string words;
  ChannelKind audience_kind = ChannelKind::kUnknown;
  std::string audience_side;
  bool anonymous = false;
  uint64_t expires_at = 0;
  AuthorisationState state = AuthorisationState::kOpen;
  // The use that counts.
  std::optional<RosterMember> used_by;
  MessageId disclosure;

  std::string Audience() const;
};

// Of one channel, in the order of its log.
absl::StatusOr<std::vector<AuthorisationRecord>> AuthorisationsIn(const ReadTransaction& step,
                                                                  const CaseContext& context,
                                                                  const ChannelId& channel);
// Of all channels of the case.
absl::StatusOr<std::vector<AuthorisationRecord>> AuthorisationsOf(const ReadTransaction& step,
                                                                  const CaseContext& context);

// How a record of disclosure is shown.
struct ShownRecord {
  std::string text;
  std::string note;
  bool refused = false;
};
// `message` stands in `channel` and is of one of the four kinds.
absl::StatusOr<ShownRecord> ShowRecord(const ReadTransaction& step, const CaseContext& context,
                                       const ChannelId& channel, const ChannelMessage& message);

// The kinds of messages that ShowRecord shows.
bool IsDisclosureKind(ContentKind kind);
std::vector<ContentKind> DisclosureKinds();

// What is wrong with disclosures in the case's channels: one line each, with the channel.
absl::StatusOr<std::vector<std::pair<ChannelId, std::string>>> RefusedDisclosures(
    const ReadTransaction& step, const CaseContext& context);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_FIREWALL_DISCLOSURES_H_

// Disclosure with leave: authorisations as a channel's log has them, and whether a Disclosure is
// what was authorised (docs/protocol.md section 6).
//
// Everything follows from the log's order alone: the first DisclosureUse or AuthorisationEnd after
// an authorisation decides. No clock is asked; who finds that the time is over says so by an
// AuthorisationEnd (EndExpired).
//
//   PARLEY_ASSIGN_OR_RETURN(const Disclosures disclosures, Disclosures::Load(step, context));
//   for (const AuthorisationRecord& one : disclosures.authorisations()) …
//   PARLEY_ASSIGN_OR_RETURN(const ShownRecord shown, disclosures.Show(channel, message));
//
// Threading: Disclosures is a plain value; what takes a transaction belongs to its thread.
// Errors: the store's.
#ifndef PARLEY_CLIENT_LIB_FIREWALL_DISCLOSURES_H_
#define PARLEY_CLIENT_LIB_FIREWALL_DISCLOSURES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/cases/case_context.h"
#include "parley/content/v1/content.pb.h"

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
  // Instead of words.
  std::optional<content::v1::AuthorisedDocument> document;
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

// How a record of disclosure is shown.
struct ShownRecord {
  std::string text;
  std::string note;
  bool refused = false;
  // Of a disclosure that isn't refused.
  std::optional<content::v1::Document> document;
};

// All that this device knows of authorisations in a case.
class Disclosures {
 public:
  static absl::StatusOr<Disclosures> Load(const ReadTransaction& step, const CaseContext& context);

  // In the order of channels, then of their logs.
  const std::vector<AuthorisationRecord>& authorisations() const { return authorisations_; }
  // Null when there is none of that id.
  const AuthorisationRecord* Find(const MessageId& id) const;

  // `message` stands in `channel` of the case and is of a kind of DisclosureKinds.
  ShownRecord Show(const ChannelId& channel, const ChannelMessage& message) const;

 private:
  // A use of an authorisation that this device doesn't have, in a channel which was there before
  // it.
  struct UnknownUse {
    MessageId authorisation;
    ParticipantId used_by;
    MessageId disclosure;
  };
  class Follower;  // disclosures.cc

  std::string FaultOf(const ChannelId& channel, const ChannelMessage& message,
                      const content::v1::Disclosure& said, bool& unchecked) const;
  ShownRecord ShowDisclosure(const ChannelId& channel, const ChannelMessage& message,
                             const content::v1::Disclosure& said) const;

  ParticipantId own_id_;
  bool is_neutral_ = false;
  std::map<ChannelId, ChannelState> channels_;
  std::vector<AuthorisationRecord> authorisations_;
  std::vector<UnknownUse> unknown_uses_;
};

// The kinds of messages that Disclosures::Show shows.
std::vector<ContentKind> DisclosureKinds();
bool IsDisclosureKind(ContentKind kind);

// What is wrong with disclosures in the case's channels: one line each, with the channel.
absl::StatusOr<std::vector<std::pair<ChannelId, std::string>>> RefusedDisclosures(
    const ReadTransaction& step, const CaseContext& context);

// Ends open authorisations whose time is over by this device's clock, where it may: those that the
// owner gave, and all for a neutral. Sends that; what can't be sent now stays queued.
absl::Status EndExpired(const CaseContext& context);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_FIREWALL_DISCLOSURES_H_

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
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/cases/case_context.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {

// At most so many bytes of words in an authorisation.
inline constexpr size_t kMostAuthorisedBytes = 64 * 1024;

// An entry of a channel's log.
struct LogPlace {
  uint32_t incarnation = 0;
  uint64_t position = 0;
  friend auto operator<=>(const LogPlace&, const LogPlace&) = default;
};
inline LogPlace PlaceOf(const ChannelMessage& message) {
  return {message.incarnation, message.position};
}
content::v1::LogPlace ToField(const LogPlace& place);
LogPlace PlaceFrom(const content::v1::LogPlace& field);

// An authorisation is named by its channel, author and id: others may use the same id.
struct AuthorisationRecord {
  ChannelId channel;
  std::string channel_name;
  MessageId id;
  uint64_t number = 0;
  LogPlace place;
  RosterMember author;
  MessageId item;
  std::string words;
  // Instead of words.
  std::optional<content::v1::AuthorisedDocument> document;
  std::optional<content::v1::CarriedOffer> offer;
  ChannelKind audience_kind = ChannelKind::kUnknown;
  std::string audience_side;
  bool anonymous = false;
  uint64_t expires_at = 0;
  AuthorisationState state = AuthorisationState::kOpen;
  // Why it is invalid: "isn't for …".
  std::string fault;
  // The item was said before this device came, or was destroyed since: whether it is theirs can't
  // be checked here.
  bool unchecked = false;
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
  std::optional<content::v1::CarriedOffer> offer;
};

// Whether a share is of the document that was authorised: name, type, size, content.
bool IsSame(const content::v1::AuthorisedDocument& authorised,
            const content::v1::Document& document);

// What a share of somebody else's document says beside what that is: a note, a picture, an earlier
// version, a time, being a brief. Nobody gave leave for it, so that it is refused. Empty for
// nothing.
// (`ended` is the receiver's own.)
std::string AddedTo(const content::v1::Document& share);

// Whether it is that message's record of an offer, with its author as the roster had them.
bool IsSame(const content::v1::CarriedOffer& authorised, const ChannelMessage& item,
            const content::v1::Content& content);
// Whether they are the same in every byte.
bool IsSame(const content::v1::CarriedOffer& a, const content::v1::CarriedOffer& b);

// All that this device knows of authorisations in a case.
class Disclosures {
 public:
  static absl::StatusOr<Disclosures> Load(const ReadTransaction& step, const CaseContext& context);

  // In the order of channels, then of their logs.
  const std::vector<AuthorisationRecord>& authorisations() const { return authorisations_; }
  // Null when there is none such.
  const AuthorisationRecord* Find(const ChannelId& channel, const ParticipantId& author,
                                  const MessageId& id) const;

  // `message` stands in `channel` of the case and is of a kind of DisclosureKinds.
  ShownRecord Show(const ChannelId& channel, const ChannelMessage& message) const;

  // Stores what was found out by reading much, so that it isn't read again.
  static absl::Status Keep(const CaseContext& context);

 private:
  // A use of an authorisation from before this device came into the channel, or that it has
  // destroyed since.
  struct UnknownUse {
    MessageId authorisation;
    ParticipantId used_by;
    MessageId disclosure;
    bool was_destroyed = false;
  };
  // What reading the whole channel found out about the authorisation in that message: whether
  // somebody else had said it before. It never changes.
  struct Verdict {
    uint8_t said_before = 0;
    std::string by;
    uint64_t number = 0;
    template <typename F>
    static auto Fields(F& self) {
      return std::tie(self.said_before, self.by, self.number);
    }
  };
  // Everybody who was seen in a roster of the case.
  struct KnownPerson {
    ParticipantId id;
    std::string name;
    template <typename F>
    static auto Fields(F& self) {
      return std::tie(self.id, self.name);
    }
    friend bool operator==(const KnownPerson&, const KnownPerson&) = default;
  };
  struct KnownPeople {
    std::vector<KnownPerson> people;
    template <typename F>
    static auto Fields(F& self) {
      return std::tie(self.people);
    }
  };
  class Follower;  // disclosures.cc

  absl::Status LoadPeople(const ReadTransaction& step, const CaseContext& context);
  void Meet(const ParticipantId& id, const std::string& name);

  // disclosure_judge.cc. What is wrong with a disclosure; empty for nothing.
  std::string FaultOf(const ChannelId& channel, const ChannelMessage& message,
                      const content::v1::Disclosure& said, bool& unchecked) const;
  // Measured by one authorisation of that id.
  std::string FaultBy(const AuthorisationRecord& record, const ChannelId& channel,
                      const ChannelMessage& message, const content::v1::Disclosure& said) const;
  // Whether it says from whom in a form that can be, by what this device knows of people.
  std::string FaultOfNaming(const content::v1::Disclosure& said) const;
  // Whether somebody has that role and side in the rosters that this device has.
  std::string FaultOfStanding(const ParticipantId& id, const content::v1::CarriedOffer& said) const;
  ShownRecord ShowDisclosure(const ChannelId& channel, const ChannelMessage& message,
                             const content::v1::Disclosure& said) const;
  // The name that this device knows them by; null when it doesn't.
  const std::string* NameOf(const ParticipantId& id) const;

  ParticipantId own_id_;
  bool is_neutral_ = false;
  bool has_joint_ = false;  // whose roster has everybody who takes part
  std::map<ChannelId, ChannelState> channels_;
  std::vector<AuthorisationRecord> authorisations_;
  std::vector<UnknownUse> unknown_uses_;
  KnownPeople people_;  // the names of today before those of before
  // What isn't stored yet.
  std::vector<std::pair<std::string, Verdict>> new_verdicts_;
  bool new_people_ = false;
};

// The kinds of messages that Disclosures::Show shows.
std::vector<ContentKind> DisclosureKinds();
bool IsDisclosureKind(ContentKind kind);

// What is wrong with neutrals' disclosures in the case's channels that hasn't been settled: one
// line for each channel and author.
absl::StatusOr<std::vector<std::pair<ChannelId, std::string>>> RefusedDisclosures(
    const ReadTransaction& step, const CaseContext& context);

// They have been seen: only what comes later is told of.
absl::Status SettleRefusedDisclosures(const CaseContext& context);

// Ends open authorisations whose time is over by this device's clock, where it may: those that the
// owner gave, and all for a neutral. Sends that; what can't be sent now stays queued.
absl::Status EndExpired(const CaseContext& context);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_FIREWALL_DISCLOSURES_H_

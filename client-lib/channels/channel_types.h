// What a channel shows of itself: plain values, copies that no later step changes.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_CHANNEL_TYPES_H_
#define PARLEY_CLIENT_LIB_CHANNELS_CHANNEL_TYPES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "client-lib/channels/channel_ids.h"
#include "client-lib/channels/channel_state.h"
#include "client-lib/channels/credential.h"
#include "crypto/base/secret.h"

namespace parley::client {

// How this device stands in the latest incarnation of a channel.
enum class Standing : uint8_t {
  kActive = 1,
  // An entry had to be refused (ChannelInfo::reason says whose and why): the incarnation is over.
  kHalted = 2,
  // A committer put this participant out.
  kRemoved = 3,
  // The same, after this participant asked for it.
  kLeft = 4,
  // The profile is an old copy: the log knows later entries of this very leaf. It may read, and
  // sends nothing until a committer has removed the leaf and added a new one.
  kRestored = 5,
};
const char* StandingName(Standing standing);

enum class ChannelAlarmKind : uint8_t {
  // Members were shown different logs, or an author lies about what they saw.
  kFork = 1,
  // The relay shows another log than before: cut short, altered, an acknowledged entry missing.
  kRelayLog = 2,
  // An incarnation was halted.
  kHalted = 3,
  // This profile is an old copy.
  kRestored = 4,
  // Somebody who isn't a committer (any more) tried to lead this device elsewhere by a Welcome, or
  // proposed what only a committer may.
  kRefused = 5,
  // A committer opened the channel anew although it was in use.
  kReopened = 6,
};

struct ChannelAlarm {
  ChannelAlarmKind kind = ChannelAlarmKind::kFork;
  uint32_t incarnation = 1;
  uint64_t position = 0;
  std::optional<ParticipantId> author;  // whose word differs
  std::string text;                     // one line for a person
};

struct LogHead {
  uint64_t position = 0;
  TranscriptHash hash{};

  friend bool operator==(const LogHead&, const LogHead&) = default;
};

// From where on a member has been in a channel.
struct MemberSince {
  ParticipantId participant_id;
  uint64_t number = 0;  // of the entry that let them in: they read what has higher ones

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.participant_id, self.number);
  }
  friend bool operator==(const MemberSince&, const MemberSince&) = default;
};

struct ChannelInfo {
  ChannelState state;  // roster, kind, side, ids; as of the last entry that was received
  Standing standing = Standing::kActive;
  std::string reason;   // one line, when it isn't active
  LogHead head;         // the last entry received
  uint64_t number = 0;  // of a message that would stand at the head
  LogHead joined;       // where this device joined; position 0 for who created it
  uint64_t generation = 1;
  // Number that a message would have where the generation began: what stands above it was said to
  // the present members alone.
  uint64_t generation_began = 0;
  uint64_t epoch = 0;
  ParleyCredential self;
  bool committer = false;         // whether this participant may commit
  bool has_control_key = false;   // whether the control key's private half is known here
  bool mailbox_made = false;      // whether the relay has acknowledged the mailbox
  bool commit_in_flight = false;  // whether an own commit waits for its outcome
  bool leaving = false;           // whether this participant has asked to be removed
  uint64_t passed_over = 0;       // entries that didn't open, verify or parse
  uint64_t unsent = 0;            // contents that wait to be sent
  uint64_t never_sent = 0;        // texts and documents that can't be sent any more
  // Since when others have been in it, without a break; 0 while there are none.
  uint64_t company_since = 0;
  // When another member's word last confirmed the own log; 0 for never.
  uint64_t confirmed_at = 0;
  std::vector<ChannelAlarm> alarms;  // of all incarnations
  // Of each member, as far as this device was there: who was in it before has its own number. While
  // nothing was said after a reopening, also of who was in the channel then and isn't in it yet.
  std::vector<MemberSince> since;
};

enum class ContentKind : uint8_t {
  kText = 1,
  kDocument = 2,
  kCheckpoint = 3,
  kChannelHeads = 4,
  kCaseSecrets = 5,
  kParticipantRecord = 6,
  kUnknown = 7,  // made by a newer version
  kCaseChannels = 8,
  // What was said is destroyed, as the agreement to mediate has it; never the kind of what comes.
  kDestroyed = 9,
  // The procedure's records have their numbers of content.proto (IsProcedure), as have those about
  // documents.
  kDocumentEnd = 20,
  kBriefUse = 21,
  kBriefRelease = 22,
  kDisclosureAuthorisation = 50,
  kAuthorisationEnd = 51,
  kDisclosureUse = 52,
  kDisclosure = 53,
  kFirewallOverride = 54,
  kProcedure = 60,  // acts on the case's state, and what belongs to them: bodies 60 to 63
  kOffer = 70,
  kOfferAnswer = 71,
  kOfferEnd = 72,
  kOptionSheet = 73,
  kOptionEvaluation = 74,
  kSession = 80,  // what a session is led by: bodies 80 to 84 and 86
  kIssueRanking = 85,
  kRetraction = 87,
  kCalendar = 90,  // meetings and reminders: bodies 90 to 92
  // How participants of a side pair (bodies 30 and 31); listed like the procedure's.
  kSideIntroduction = 130,
  kSideHello = 131,
};
// Whether it is one of the procedure's records: they can be listed without reading the others.
constexpr bool IsProcedure(ContentKind kind) { return static_cast<uint8_t>(kind) >= 20; }
// Whether it is what clients of a side pair by, of which people needn't hear.
constexpr bool IsOfPairing(ContentKind kind) { return kind >= ContentKind::kSideIntroduction; }
// Whether it is about offers or option sheets.
constexpr bool IsOfOffers(ContentKind kind) {
  return kind >= ContentKind::kOffer && kind <= ContentKind::kOptionEvaluation;
}

struct ChannelMessage {
  // Grows over all incarnations of the channel, with gaps: the position in the incarnation's log
  // plus where the ones before ended. 0 while it waits to be sent.
  uint64_t number = 0;
  uint64_t index = 0;  // among the channel's messages, from 1 on, without gaps
  uint32_t incarnation = 1;
  uint64_t position = 0;  // in the mailbox; 0 while it waits to be sent
  MessageId id;
  // Authenticated by MLS; name, role and side as the roster had them at that position.
  RosterMember author;
  bool own = false;
  ContentKind kind = ContentKind::kUnknown;
  uint64_t claimed_time = 0;
  uint64_t received_at = 0;
  crypto::Secret content;  // the serialised Content
  std::string reason;      // of one that is never sent: why; a line for a person
};

// Somebody to be added, with one key package (MLSMessage) for each of their devices.
struct NewMember {
  ParticipantId participant_id;
  std::string name;
  Role role = Role::kUnknown;
  std::string side;
  std::vector<Bytes> key_packages;
};

// What a commit shall change. A participant who is in both lists gets new leaves.
struct MembershipChange {
  std::vector<NewMember> adds = {};
  std::vector<ParticipantId> removes = {};
  // The seed of a control key that takes the place of the current one.
  std::optional<crypto::Secret> new_control_seed = std::nullopt;
  // Of a team: members, or who is to be added, who become stewards.
  std::vector<ParticipantId> new_stewards = {};

  bool empty() const {
    return adds.empty() && removes.empty() && !new_control_seed.has_value() && new_stewards.empty();
  }
};

// A Welcome that is ready to go into somebody's inbox.
struct WelcomeDelivery {
  uint64_t id = 0;  // of this delivery
  ParticipantId participant_id;
  DeviceId device_id;
  Bytes wrapper;  // a serialised parley.content.v1.WelcomeWrapper
};

// What a step with the relay did.
struct ExchangeResult {
  uint64_t entries = 0;   // received
  uint64_t messages = 0;  // new texts, documents and unknown contents of others among them
  uint64_t sent = 0;      // contents acknowledged by the relay
  uint64_t given_up = 0;  // texts and documents that can't be sent any more: see NeverSent
  bool roster_changed = false;
  bool commit_merged = false;  // an own commit has won: see PendingWelcomes
  bool commit_lost = false;    // an own commit has lost and was dropped: make it anew if needed
  bool standing_changed = false;
  std::vector<ChannelAlarm> new_alarms;
};

// Where to listen for what comes next.
struct SubscriptionTarget {
  ObjectId mailbox_id{};
  uint64_t generation = 1;
  crypto::Secret read_seed;
  uint64_t from = 1;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_CHANNEL_TYPES_H_

// What a profile shows: cases, participants, channels, messages, documents, alarms, events.
//
// All of these are plain values, copies that no later call changes. Times are seconds since
// 1970-01-01T00:00:00Z. Texts are UTF-8. What another participant claims (names, times, file names)
// is shown as they claimed it; who wrote a message is authenticated.
#ifndef PARLEY_TYPES_H_
#define PARLEY_TYPES_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/documents.h"
#include "parley/export.h"
#include "parley/ids.h"
#include "parley/status.h"

namespace parley {

// ---- People ----

// The numbers are those of the protocol.
enum class Role : uint8_t {
  kUnknown = 0,
  kMediator = 1,
  kCoMediator = 2,
  kParty = 3,
  kCounsel = 4,
  kExpert = 5,
  kObserver = 6,
  kInterpreter = 7,
  kSupportPerson = 8,
};

// "mediator", "co-mediator", "party", "counsel", "expert", "observer", "interpreter",
// "support person"; "unknown". Lives as long as the program.
PARLEY_EXPORT const char* RoleName(Role role);
// The other direction; also "support-person". Nothing for any other text.
PARLEY_EXPORT std::optional<Role> ParseRole(std::string_view text);
// Whether the role is one of the neutrals, who have no side.
inline bool IsNeutral(Role role) { return role == Role::kMediator || role == Role::kCoMediator; }

enum class ParticipantState : uint8_t {
  kUnknown = 0,
  kInvited,   // an invitation is out, nobody has used it
  kWaiting,   // has joined with the invitation and waits for approval
  kApproved,  // takes part
  kRemoved,   // was removed, or refused before approval
  kLeft,      // has left
  kExpired,   // the invitation expired unused
};
// "invited", "waiting", "approved", "removed", "left", "expired", "unknown".
PARLEY_EXPORT const char* ParticipantStateName(ParticipantState state);

// A member of a channel, or the author of a message.
struct Person {
  ParticipantId id;
  std::string name;
  Role role = Role::kUnknown;
  std::string side;   // empty for those without one
  bool self = false;  // the profile's own participant
  // Whether this profile's owner has compared safety numbers with them (true for oneself). Mark
  // those who have not been compared, wherever they appear.
  bool compared = false;
};

// A participant of a case, as far as this profile knows them: neutrals see everybody, others those
// with whom they share a channel.
struct Participant {
  // Of an invitation that nobody has used yet, an id of the invitation; it changes when they join.
  ParticipantId id;
  std::string name;
  Role role = Role::kUnknown;
  std::string side;
  ParticipantState state = ParticipantState::kUnknown;
  bool self = false;
  // Eight groups of five digits, to be compared by voice; empty where this profile isn't paired
  // with them.
  std::string safety_number;
  bool compared = false;
  // Of an invitation: when it expires; otherwise 0.
  int64_t invitation_expires_at = 0;
  // What is wrong, each as one line ("the invitation was used a second time on …").
  std::vector<std::string> alarms;
  // Alarms of before that were settled, by a comparison or by Profile::MarkSeen.
  std::vector<std::string> settled_alarms;
};

// ---- Cases ----

struct Case {
  CaseId id;
  std::string title;
  ParticipantId own_id;
  std::string own_name;  // as this case knows the profile's owner
  Role own_role = Role::kUnknown;
  std::string own_side;
  // kWaiting before the approval; kApproved, kRemoved or kLeft afterwards.
  ParticipantState own_state = ParticipantState::kUnknown;
  std::string relay_address;  // "host:port"
  // Who invited the owner, with the safety number to compare; empty for who created the case.
  std::string invited_by;
  std::string inviter_safety_number;
  int64_t created_at = 0;  // here: when it was created or joined
};

// Whom to invite.
struct InvitationRequest {
  std::string name = {};
  Role role = Role::kUnknown;
  // For parties and counsel; others may have one. Where only upper and lower case, the letters'
  // width or outer spaces differ from a side that the case has, that one is meant.
  std::string side = {};
  int64_t valid_for_seconds = 14 * 24 * 60 * 60;  // at least a minute, at most a year
};

struct Invitation {
  // A secret: whoever has it can join in the invitee's place. Hand it over in person or by a way
  // that you trust; ask to compare the safety numbers afterwards.
  std::string text;
  int64_t expires_at = 0;
  // The side as the case spells it: who is invited to "harbor" joins the side "Harbor".
  std::string side = {};
  // The case had no such side, and gets a caucus for it. Show that, with the sides that it has: a
  // side that was misspelt gets a caucus of its own.
  bool opens_side = false;
  std::vector<std::string> other_sides = {};
};

// ---- Channels ----

// The numbers are those of the protocol.
enum class ChannelKind : uint8_t {
  kUnknown = 0,
  kJoint = 1,
  kCaucus = 2,
  kNeutrals = 3,
  kCounsel = 4,
  kTeam = 5,
  kGroup = 6,
};
// "joint", "caucus", "neutrals", "counsel", "team", "group", "unknown".
PARLEY_EXPORT const char* ChannelKindName(ChannelKind kind);

// A channel beside those that each case has (Profile::CreateChannel).
struct ChannelRequest {
  // kTeam, by a participant of a side; kCounsel or kGroup, by a neutral.
  ChannelKind kind = ChannelKind::kUnknown;
  std::string name = {};  // of a group: what it is called
  // Beside the owner. Of a team, when empty: everybody of the side who is in its caucus now. Of a
  // group: everybody but the neutrals, who are in it by themselves. Of a counsel channel: experts
  // and interpreters; all counsel are in it by themselves.
  std::vector<ParticipantId> members = {};
  // Of a team, beside the owner: who else lets people in and puts them out. When empty: one of the
  // members, a counsel if there is one.
  std::vector<ParticipantId> stewards = {};
};

enum class ChannelStatus : uint8_t {
  kActive = 0,
  // An entry had to be refused, or the relay lost the channel: nothing can be sent until a neutral
  // reopens it. `halted_reason` says why.
  kHalted,
  // The owner was removed or has left: what was received can still be read.
  kClosed,
};
// "active", "halted", "closed".
PARLEY_EXPORT const char* ChannelStatusName(ChannelStatus status);

struct Channel {
  ChannelRef ref;
  ChannelKind kind = ChannelKind::kUnknown;
  std::string side;  // of a caucus or team; of a group, what it was called
  // What people call it: "joint", "caucus:Harbor", "neutrals", "counsel", "team:Harbor",
  // "group:Principals".
  std::string name;
  ChannelStatus status = ChannelStatus::kActive;
  std::string halted_reason;
  // The position of the last entry that was received.
  uint64_t head = 0;
  // All who can read it, the owner included.
  std::vector<Person> readers;
  // Those of them who let people in and put them out: the neutrals; of a team, its stewards.
  std::vector<Person> stewards;
  // Entries that could not be opened or verified and were passed over.
  uint64_t passed_over = 0;
  // Messages that wait to be sent.
  uint64_t unsent = 0;
  // Messages that waited and are never sent: see Profile::NeverSent.
  uint64_t never_sent = 0;
  // Of a caucus: what the agreement in force allows or asks, where what is said there doesn't
  // simply stay there; a line for a person. Show it where something is to be said. Otherwise empty.
  std::string caution;
};

// ---- Messages and documents ----

struct Document {
  DocumentRef ref;
  uint64_t position = 0;  // in its channel; 0 while it waits to be sent
  Person author;
  std::string name;  // without any folder
  std::string media_type;
  uint64_t size = 0;  // bytes
  int64_t time = 0;   // the author's claim
  // The document that this one replaces.
  std::optional<MessageId> replaces;
  DocumentClass document_class = DocumentClass::kGeneral;
  std::string note;  // the author's
  VersionInfo version;
  int64_t expires_at = 0;  // 0: doesn't
  DocumentState state = DocumentState::kAvailable;
  BriefKind brief = BriefKind::kNone;
  // Of one that a neutral brought here from elsewhere: who.
  std::optional<Person> carried_by;
  // The bytes of the small picture that came along (Profile::Preview); 0 for none.
  uint64_t preview_size = 0;
};

// A piece of two texts that were compared.
enum class PieceKind : uint8_t {
  kSame = 0,  // in both
  kRemoved,   // in the older one only
  kAdded,     // in the newer one only
};

struct TextPiece {
  PieceKind kind = PieceKind::kSame;
  std::string text;
};

// The pieces that are the same or removed make up the older text, those that are the same or added
// the newer one. Neighbours differ in kind.
struct TextDifference {
  std::vector<TextPiece> pieces;
};

enum class MessageKind : uint8_t {
  kText = 0,
  kDocument,
  // Made by a newer version of Parley: kept, and shown when the program is brought up to date.
  kUnknown,
  // Words, or a document, that somebody confided elsewhere and that a neutral carries here with
  // their leave. `note` says whose, and who attests it; or why it is refused.
  kDisclosure,
  // About authorisations of disclosure (given, ended, used), and what leads a session (an agenda,
  // an answer, the floor). `text` says it in words; `refused` and `note` say why it doesn't count.
  kNotice,
  // An offer, an answer to one, its end, or an option sheet or its evaluation: `text` says it in
  // words, Profile::Offers and Profile::OptionSheets in full.
  kOffer,
  // Its author has taken it back: nothing of it is kept here.
  kRetracted,
  // It is destroyed here, as the agreement to mediate doesn't keep it any longer.
  kDestroyed,
};
// "text", "document", "unknown", "disclosure", "notice", "offer", "retracted", "destroyed".
PARLEY_EXPORT const char* MessageKindName(MessageKind kind);

// The message that a text answers.
struct QuotedMessage {
  MessageId id;
  // Whether this channel has it as it was quoted; else it is another, or from before this profile
  // came, and the rest is empty.
  bool found = false;
  bool retracted = false;
  uint64_t position = 0;
  Person author;
  std::string text;  // the beginning of a text, or a document's name
};

struct Message {
  ChannelRef channel;
  MessageId id;
  // In the channel's log; grows, with gaps. 0 while the message waits to be sent.
  uint64_t position = 0;
  Person author;
  MessageKind kind = MessageKind::kText;
  std::string text;                   // kText, kDisclosure, kNotice, kOffer
  std::optional<Document> document;   // kDocument, kDisclosure of a document
  std::vector<Document> briefs = {};  // kNotice of briefs that were released
  int64_t time = 0;                   // the author's claim
  // kDisclosure: what the neutral adds. Of a message that waits or is never sent: why.
  std::string note = {};
  // Of a disclosure: it isn't what was authorised; it shows nothing of it then. Of a notice: it
  // doesn't count. `note` says why.
  bool refused = false;
  // Said in the joint channel while somebody else had the floor: who; empty for nothing. Show it
  // with the message.
  std::string without_floor = {};
  std::optional<QuotedMessage> quote = {};
  // Of a text: its author has reserved it (SendOptions).
  bool reserved = false;
  // In a case that keeps a procedure: why this should not have been said when it was (the agreement
  // to mediate wasn't signed by all who read it); empty for nothing. Show it with the message.
  std::string against_procedure;
};

// ---- Disclosure with leave (docs/security.md, "The caucus firewall") --------------------------

enum class AuthorisationState : uint8_t {
  kOpen = 0,  // may be used, once
  kUsed,
  kRevoked,
  kExpired,
  kInvalid,     // isn't for something of its author's: nobody may use it
  kAuthorGone,  // its author isn't in the channel: nobody may use it while they aren't
};
// "open", "used", "revoked", "expired", "invalid", "author gone".
PARLEY_EXPORT const char* AuthorisationStateName(AuthorisationState state);

// Leave that somebody gave to carry their words, or their document, to an audience.
struct Authorisation {
  MessageId id;
  ChannelRef channel;        // where it was given
  std::string channel_name;  // "caucus:Harbor"
  uint64_t position = 0;
  Person author;
  MessageId item;             // the message that it is about
  std::string words;          // exactly these; empty for a document and an offer
  std::string document_name;  // empty for others
  uint64_t document_size = 0;
  std::string audience;  // "joint", "caucus:Northline"
  bool anonymous = false;
  int64_t expires_at = 0;  // 0: doesn't
  AuthorisationState state = AuthorisationState::kOpen;
  std::string used_by;     // the neutral's name
  std::string offer = {};  // of an offer, an answer to one or its end: what it says, in one line
};

struct AuthorisationRequest {
  MessageId item = {};  // a message, a document, or an offer's record, of one's own
  // A channel's name; the owner needn't be in it ("caucus:Northline").
  std::string audience = {};
  std::string words = {};  // a part of a text, exactly; empty for all of it, and for a document
  bool anonymous = false;
  int64_t valid_for_seconds = 0;  // 0: until revoked
};

// What became of a shared file's metadata.
enum class MetadataOutcome : uint8_t {
  kNotCleaned = 0,  // of a kind that isn't cleaned: it was shared as it is
  kNoneFound,       // of a kind that is cleaned, and there was nothing to take out
  kRemoved,
  kKept,  // as asked
};
// "not cleaned", "none found", "removed", "kept".
PARLEY_EXPORT const char* MetadataOutcomeName(MetadataOutcome outcome);

struct SentMessage {
  MessageId id;
  // Where it stands in the channel; nothing when it is queued.
  std::optional<uint64_t> position;
  // The message is stored, and goes out at a later sync, once. `queued_because` says in one line
  // why it isn't at the relay yet.
  bool queued = false;
  std::string queued_because = {};
  // It is held here as long as somebody else has the floor, and goes out by itself then.
  bool held = false;
  // Who can read it, the owner included.
  std::vector<Person> readers;
  // Of a shared file. `removed` names the kinds of things that were taken out: "place (GPS)".
  MetadataOutcome metadata = MetadataOutcome::kNotCleaned;
  std::vector<std::string> removed = {};
};

// Called as a transfer goes on, from the calling thread: bytes done and bytes in all. To stop,
// return false: the call ends with kCancelled, and repeating it goes on from there.
using ProgressCallback = std::function<bool(uint64_t done, uint64_t total)>;

// ---- What is wrong, and what happens ----

enum class AlarmKind : uint8_t {
  kInvitationUsedTwice = 0,  // somebody else has, or had, the invitation
  kFork,                     // the relay shows members different logs
  kHalted,                   // a channel is halted
  kPassedOver,               // entries that don't open or verify were passed over
  kNotCompared,              // safety numbers have not been compared yet
  kStaleCheckpoint,          // nobody has confirmed the log for long
  kRestored,                 // the profile is an old copy: it sends nothing
  kJobWaiting,               // something that a neutral began isn't finished yet
  kRefused,                  // somebody sent what they have no right to send (any more)
  kReopened,                 // a channel was opened anew although it was in use
  kUnconfirmed,              // somebody hasn't confirmed what was sent to their inbox
  kNeverSent,                // messages waited that can't be sent any more: see NeverSent
};

struct Alarm {
  AlarmKind kind = AlarmKind::kFork;
  CaseId case_id;
  std::optional<ChannelRef> channel;
  std::optional<ParticipantId> participant;
  // One line for a person.
  std::string text;
};

// Something that went wrong with one channel, inbox or job during a sync, while the rest went on.
struct Problem {
  CaseId case_id;
  std::optional<ChannelRef> channel;
  Status status;
};

struct SyncReport {
  uint64_t messages_received = 0;  // documents included
  uint64_t messages_sent = 0;      // that had been queued
  uint64_t messages_waiting = 0;   // that are still queued
  // That were queued and, as this sync has found, are never sent: see Profile::NeverSent.
  uint64_t messages_never_sent = 0;
  std::vector<Problem> problems;
};

enum class EventKind : uint8_t {
  kMessage = 0,   // `message` came (or went, for the owner's own of another process)
  kParticipants,  // somebody joined, was approved or removed, left
  kChannels,      // a channel is new, halted or reopened, or its readers changed
  kAlarm,         // `alarm`
  kConnected,     // the relay is reached: all that was missed has been reported
  kDisconnected,  // `text` says why; the library tries again by itself
};

struct Event {
  EventKind kind = EventKind::kMessage;
  CaseId case_id;
  std::optional<ChannelRef> channel;
  std::optional<Message> message;
  std::optional<Alarm> alarm;
  std::string text;  // one line for a person, for all but kMessage
};

}  // namespace parley

#endif  // PARLEY_TYPES_H_

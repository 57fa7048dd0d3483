// A case's record: finding what was said, and the timeline of what happened.
//
//   parley::SearchRequest request;
//   request.text = "delivery sched";                 // the last word may be a beginning
//   for (const parley::SearchResult& found : *profile.Search(request)) { … }
//
//   auto timeline = profile.Timeline(case_id);       // events without content
//   auto checks = profile.VerifyTimeline(case_id);   // recomputes every channel's chain
//
// All of these are plain values. What stands in a timeline's events is the same for all who could
// read the channel then; it holds nothing of what was said.
#ifndef PARLEY_RECORD_H_
#define PARLEY_RECORD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "parley/export.h"
#include "parley/ids.h"
#include "parley/procedure.h"
#include "parley/types.h"

namespace parley {

// ---- Search ----

struct SearchRequest {
  // Words that a message must all have, in any order; the last one may be the beginning of a word.
  // Upper and lower case, accents and width don't count. Of scripts without spaces (Chinese,
  // Japanese, Korean, Thai …) what is written together is found anywhere.
  std::string text;
  std::optional<CaseId> case_id;      // in this case alone
  std::optional<ChannelRef> channel;  // in this channel alone
  size_t limit = 20;
};

enum class FoundKind : uint8_t {
  kText = 0,
  kDocument,    // by its name
  kDisclosure,  // what a neutral carried here with leave
  kNotice,      // an authorisation of disclosure, or what leads a session
  kAct,         // the words of an act on the case's state
  kAgreement,   // an agreement to mediate that was put forward, or its policy
  kOffer,       // an offer, what was said about one, or an option sheet
};
// "text", "document", "disclosure", "notice", "act", "agreement", "offer".
PARLEY_EXPORT const char* FoundKindName(FoundKind kind);

// A message that has what was asked for. It belongs to its channel, like everything there: show the
// channel, and who reads it, with it.
struct SearchResult {
  ChannelRef channel;
  std::string case_title;
  std::string channel_name;     // "caucus:Harbor"
  std::vector<Person> readers;  // who can read the channel now, the owner included
  // kClosed: its readers are those that this profile knew of in the end; why, `own_state` tells.
  ChannelStatus channel_status = ChannelStatus::kActive;
  ParticipantState own_state = ParticipantState::kApproved;
  MessageId id;
  uint64_t position = 0;  // as Message::position
  Person author;
  FoundKind kind = FoundKind::kText;
  int64_t time = 0;     // the author's claim
  std::string excerpt;  // around the first word that was found, on one line
  double score = 0;     // the higher the better (BM25); comparable within one search
  // As Message has them; show them with it. Of an act `refused` means that everybody passed it
  // over.
  std::string note;
  bool refused = false;
  std::string without_floor;
  std::string against_procedure;
};

// ---- Timeline ----

// From kText on: what came in as such. Whether it counts, or has any effect, is another matter: a
// disclosure may be refused, an offer's answer come too late.
enum class TimelineKind : uint8_t {
  kOpened = 0,        // the channel's incarnation began; by its first member
  kJoined,            // `subject` was let in
  kLeft,              // `subject` was put out, or left
  kText,              // somebody said something
  kDocument,          // somebody shared a document; `size` says about how large
  kAuthorisation,     // a leave to disclose
  kAuthorisationEnd,  // the end of one
  kDisclosureUse,     // a neutral's word that they use one
  kDisclosure,        // a neutral's disclosure
  kAct,               // an act on the case's state: `act`, and whether it `counts`
  kOffer,             // an offer, or a new version of one
  kOfferAnswer,       // an answer to one
  kOfferEnd,          // the end of one
  kOptions,           // options, or an evaluation of some
  kSession,           // what leads a session: an agenda, ground rules, a summary, answers, issues
  kFloor,             // a grant of the floor, or a request for it
  kMeeting,           // a meeting: proposed, changed, cancelled or answered
  kReminder,          // a reminder: the same
  kRetraction,        // somebody takes back what they have said
  kDocumentEnd,       // a document is withdrawn, or its time is over
  kBriefUse,          // a neutral is about to release a side's brief
  kBriefRelease,      // a neutral releases the sides' briefs
  kOverride,          // a neutral carried on what the firewall held back, for a reason
  kUnknown,           // made by a newer version
  kPassedOver,        // an entry that nobody could open or verify
};
// "opened", "joined", "left", "text", "document", "authorisation", "authorisation-end",
// "disclosure-use", "disclosure", "act", "offer", "offer-answer", "offer-end", "options",
// "session", "floor", "meeting", "reminder", "retraction", "document-end", "brief-use",
// "brief-release", "override", "unknown", "passed-over".
PARLEY_EXPORT const char* TimelineKindName(TimelineKind kind);

// Somebody as the channel's roster had them then.
struct TimelinePerson {
  ParticipantId id;  // zero: nobody is known
  std::string name;
  Role role = Role::kUnknown;
  std::string side;
  // Whether the owner has compared their safety number, or it is the owner. Each profile's own.
  bool compared = false;
};

// Something that happened in a channel, without its content.
struct TimelineEvent {
  uint32_t incarnation = 1;
  uint64_t position = 0;  // in the incarnation's log; 0: before its first entry
  std::string hash;       // the chain's at this position: 64 hexadecimal digits
  TimelineKind kind = TimelineKind::kUnknown;
  TimelinePerson author;
  std::optional<TimelinePerson> subject;  // kJoined, kLeft
  CaseAct act = CaseAct::kUnknown;        // kAct
  // Of acts, offers and what is about them, sessions, meetings and reminders: whether it counts for
  // who applies the rules. Nothing where this profile can't tell, as when it came later.
  std::optional<bool> counts;
  uint64_t size = 0;  // kDocument: the next power of two, from 1 KiB on
  int64_t time = 0;   // the author's claim; 0: none is made (of a commit)
};

// One incarnation of a channel, as far as this profile was there: its hash chain.
struct TimelineChain {
  uint32_t incarnation = 1;
  uint64_t from = 0;  // where the profile came in: the chain is its own from there on
  std::string from_hash;
  uint64_t head = 0;
  std::string head_hash;  // this is what two people compare, all of it
  // The first position whose event is kept; those before came to an earlier version. head + 1:
  // none.
  uint64_t recorded_from = 0;
};

struct ChannelTimeline {
  ChannelRef channel;
  std::string channel_name;
  std::vector<TimelineChain> chains;
  std::vector<TimelineEvent> events;  // in the order of the log
};

// An act on the case's state, in the order of the joint channel's log, as all clients judge it.
struct TimelineAct {
  uint32_t incarnation = 0;
  uint64_t position = 0;  // in the joint channel's log
  TimelinePerson author;
  CaseAct act = CaseAct::kUnknown;
  int64_t time = 0;                    // the author's claim
  bool counts = false;                 // otherwise every client has passed it over
  CaseState state = CaseState::kNone;  // the case's, afterwards; of one that counts
};

struct CaseTimeline {
  // Those that the owner is or was in, in the order of Profile::Channels.
  std::vector<ChannelTimeline> channels;
  std::vector<TimelineAct> acts;
  // What this device has noticed itself; others have alarms of their own.
  std::vector<Alarm> alarms;
};

// What recomputing a chain has found.
struct ChainCheck {
  ChannelRef channel;
  std::string channel_name;
  uint32_t incarnation = 1;
  uint64_t from = 0;  // entries from + 1 … head
  uint64_t head = 0;
  std::string head_hash;  // as it is stored; empty where it can't be read
  // Entries that an earlier version took in without keeping what the chain is made of: their hashes
  // are there, and can't be recomputed.
  uint64_t not_recorded = 0;
  bool whole = false;
  // Unless it is whole: the first position that doesn't fit, and what is wrong there.
  uint64_t broken_at = 0;
  std::string problem;
};

}  // namespace parley

#endif  // PARLEY_RECORD_H_

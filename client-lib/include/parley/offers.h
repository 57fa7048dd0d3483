// Offers: proposals, counter-proposals and their versions, and who has accepted exactly which; and
// option sheets, which each side evaluates in private.
//
// An offer is made in the joint channel, or in a caucus, from where a neutral carries it to another
// with leave (docs/offers.md). Each channel's records, in its log's order, decide what its offers
// are; an offer that was carried is decided where it was made. No clock decides: an offer's time is
// over when somebody has said so.
#ifndef PARLEY_OFFERS_H_
#define PARLEY_OFFERS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "parley/export.h"
#include "parley/ids.h"
#include "parley/types.h"

namespace parley {

enum class OfferState : uint8_t {
  kOpen = 0,   // can be accepted
  kAccepted,   // by everybody whom it names, with the same choice
  kDeclined,   // by somebody whom it names
  kCountered,  // answered by a counter-offer
  kReplaced,   // by a later version
  kWithdrawn,
  kExpired,
};
// "open", "accepted", "declined", "countered", "replaced", "withdrawn", "expired".
PARLEY_EXPORT const char* OfferStateName(OfferState state);

// Somebody who must accept an offer.
struct OfferParty {
  ParticipantId id;
  std::string name;  // as this device knows them; as the offer names them where it doesn't
  std::string side;
  // Whether nobody of that id takes part in this case, as far as this device knows.
  bool unknown = false;
};

struct OfferAnswer {
  Person by;
  bool accepted = false;
  uint32_t alternative = 0;  // 0: the text itself
  std::string note;
  int64_t time = 0;  // the author's claim
  // The neutral who carried it here; empty for who answered here.
  std::string carried_by;
  // Why this device doesn't believe what a neutral carried; empty for nothing. Show it with it.
  std::string doubt;
};

struct OfferVersion {
  uint32_t version = 0;  // from 1 on
  std::string hash;      // 64 hexadecimal digits: names exactly this version, in every channel
  MessageId record;      // in its channel
  uint64_t position = 0;
  Person author;
  int64_t time = 0;  // the author's claim
  std::string text;
  std::string amount;  // as the author wrote it; may be empty
  std::vector<std::string> conditions;
  std::vector<std::string> alternatives;
  int64_t expires_at = 0;  // 0: doesn't
  std::vector<OfferParty> parties;
  // Parties of the sides that it names whom it doesn't name itself: it is accepted without them.
  std::vector<OfferParty> unnamed;
  OfferState state = OfferState::kOpen;
  // The state in words, with what this device knows beside the channel's book: "accepted here; not
  // yet told to where it was made".
  std::string standing;
  // Whether the state rests on a record that this device doesn't believe.
  bool doubted = false;
  std::vector<OfferAnswer> answers;   // each person's latest
  std::vector<OfferParty> waits_for;  // of an open one: who hasn't accepted it
  std::string carried_by;
  std::string doubt;  // as OfferAnswer::doubt: text, amount and the like are left empty then
};

// Leave to carry an offer's record elsewhere.
struct OfferLeave {
  MessageId authorisation;
  std::string audience;  // "caucus:Northline"
  std::string what;      // "version 2", "acceptance of version 1 by Ben", "end of version 1"
  AuthorisationState state = AuthorisationState::kOpen;
  Person author = {};  // who gave it
  // Whether it is for a version itself, as opposed to an answer or an end.
  bool for_version = false;
};

struct Offer {
  std::string id;  // the first version's hash; its beginning names the offer
  ChannelRef channel;
  std::string channel_name;
  std::string side;  // whose it is
  // Whether a neutral carried it here: it is decided where it was made.
  bool carried = false;
  std::vector<OfferVersion> versions;  // at least one; the last is the current one
  // Of a counter-offer: what it answers.
  std::string answers_offer;
  uint32_t answers_version = 0;       // 0: none that this channel has
  std::vector<std::string> counters;  // ids of the counter-offers
  std::vector<OfferLeave> leaves;     // that this device knows

  const OfferVersion& current() const { return versions.back(); }
};

// A record that every client has passed over.
struct OfferRefusal {
  ChannelRef channel;
  std::string channel_name;
  uint64_t position = 0;
  Person by;
  std::string text;  // "may not accept version 1: it was replaced by version 2"
};

struct OfferList {
  std::vector<Offer> offers;  // in the order of channels, then of their first versions
  std::vector<OfferRefusal> refused;
};

struct OfferRequest {
  std::string text = {};
  std::string amount = {};
  std::vector<std::string> conditions = {};
  std::vector<std::string> alternatives = {};
  // The sides whom it is put to; empty for all others, or, in a new version, those of before. In a
  // caucus these also are the sides to whom neutrals may carry it.
  std::vector<std::string> to = {};
  int64_t valid_for_seconds = 0;  // 0: until withdrawn
  // An open offer of another side that this answers.
  std::optional<Offer> counter = {};
  // An own side's offer that this is a new version of.
  std::optional<Offer> replaces = {};
};

struct OfferReply {
  bool accept = false;
  uint32_t version = 0;  // exactly this one, as the Offer given with it has it
  uint32_t alternative = 0;
  std::string note = {};
};

struct SentOffer {
  SentMessage sent;
  std::string offer;  // its id
  uint32_t version = 0;
  // In a caucus: leave that was given with it, and what kept some of it from being given.
  std::vector<OfferLeave> leaves = {};
  std::string leave_missing = {};
  // Of an acceptance: OfferVersion::unnamed.
  std::vector<OfferParty> unnamed = {};
};

// ---- Option sheets ----

struct OptionRating {
  uint32_t option = 0;  // from 1 on
  uint32_t points = 0;  // 0 to 10
  std::string note = {};
};

struct OptionEvaluation {
  std::string channel_name;
  Person by;
  int64_t time = 0;
  std::vector<OptionRating> ratings;
  std::string note;
  // Why it shouldn't have been said then, by the case's procedure; empty for nothing.
  std::string against = {};
};

struct OptionSheet {
  std::string id;  // 64 hexadecimal digits; its beginning names the sheet
  ChannelRef channel;
  std::string channel_name;
  uint64_t position = 0;
  Person author;
  int64_t time = 0;
  std::string title;
  std::vector<std::string> options;
  std::string against;  // as OptionEvaluation::against
  // Of channels that the owner reads: of each person the latest. Never in the sheet's own channel,
  // unless that is a side's own.
  std::vector<OptionEvaluation> evaluations;
};

}  // namespace parley

#endif  // PARLEY_OFFERS_H_

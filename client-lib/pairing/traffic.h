// The counters of a pairing's two directions: what has been sent and is confirmed, what has come,
// what is missing, and when something is sent or asked for again (docs/protocol.md section 4).
//
// Every message to the other end has a number; the receiver takes them in order, and says with
// whatever it sends how far it has come. So a message that the relay altered or held back is
// noticed by what comes later, and the sender, who keeps it until then, sends it again.
//
// All that the other end could drive without end is bounded here: what is kept for it, how often
// that is sent again, how often it is asked.
//
// Threading: plain values and pure functions. Times: seconds since 1970, of this device's clock.
#ifndef PARLEY_CLIENT_LIB_PAIRING_TRAFFIC_H_
#define PARLEY_CLIENT_LIB_PAIRING_TRAFFIC_H_

#include <cstdint>
#include <tuple>
#include <vector>

#include "crypto/base/bytes.h"

namespace parley::client {

// What is kept for a correspondent who confirms nothing: at this number, or this size, there is
// room for nothing more (HasRoom), and whoever wants to send more tries again later.
inline constexpr uint64_t kMostUnconfirmed = 256;
inline constexpr uint64_t kMostUnconfirmedBytes = 8 << 20;
// How many messages are sent again at once: the receiver confirms them, and the next ones follow.
inline constexpr uint64_t kResentAtOnce = 16;
// How often they are sent again while nothing is heard; the pauses grow from 15 s to 4 days.
inline constexpr uint64_t kMostResends = 10;

// "case/<id>/traffic/<pairing id>".
struct Traffic {
  // ---- To the other end
  uint64_t numbered = 0;        // the latest message's number
  uint64_t confirmed = 0;       // they have all up to this one
  uint64_t kept_bytes = 0;      // of what isn't confirmed
  uint64_t waiting_since = 0;   // when the first unconfirmed one went out, or the latest
                                // confirmation came; 0: none that went out is unconfirmed
  uint64_t resent = 0;          // how often they were sent again since
  uint64_t resent_on_word = 0;  // and how often because they asked
  uint64_t resent_at = 0;
  uint8_t asked = 0;             // they ask to have them sent again
  uint8_t missed = 0;            // they have asked since everything was confirmed
  uint64_t left_behind = 0;      // when something came that confirms not all, first; 0: never since
  uint64_t peer_generation = 1;  // of their inbox, by their own word
  // How many they say to have, where that is more than were ever numbered here; 0: never so.
  uint64_t claimed = 0;
  // ---- From the other end
  uint64_t received = 0;     // all up to this one have come
  uint64_t ahead = 0;        // the highest one that came while others before it are missing; or 0
  uint64_t gap_since = 0;    // since when something is missing; 0: nothing
  uint64_t told = 0;         // the confirmation that went to them latest
  uint8_t owes_word = 0;     // they sent what had come already, or asked
  uint64_t asks = 0;         // how often they were asked since something new has come
  uint64_t asks_at = 0;      // when, latest
  uint64_t heard_at = 0;     // when anything came from them that hadn't come before, latest
  crypto::Bytes first_hash;  // SHA-256 of the entry with their IntroductionHello, to know a repeat
  // The ids of messages without a number that came since `confirmed` moved, to know a repeat.
  std::vector<crypto::Bytes> words;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.numbered, self.confirmed, self.kept_bytes, self.waiting_since, self.resent,
                    self.resent_on_word, self.resent_at, self.asked, self.missed, self.left_behind,
                    self.peer_generation, self.claimed, self.received, self.ahead, self.gap_since,
                    self.told, self.owes_word, self.asks, self.asks_at, self.heard_at,
                    self.first_hash, self.words);
  }

  uint64_t unconfirmed() const { return numbered - confirmed; }
};

// Whether a message to the other end can be numbered: not while too much is kept for it, nor when
// it has overtaken this end.
bool HasRoom(const Traffic& traffic);
// Whether that is for what is kept, and so passes when the other end confirms some of it.
bool IsFull(const Traffic& traffic);
// Counts a message of that size (as sealed) and gives its number. Only with room.
uint64_t NumberMessage(Traffic& traffic, uint64_t bytes);
// A message went out.
void NoteSent(Traffic& traffic, uint64_t now);

// What the other end says of itself with each message: how far it has received, and its inbox's
// generation. `is_new`: the message hasn't come before. A relay can show an old one again at any
// time, and that says nothing of when its sender was there.
void TakeWord(Traffic& traffic, uint64_t received, uint64_t inbox_generation, bool is_new,
              uint64_t now);
// Of a message without a number, before TakeWord: whether it hasn't come before. One that says less
// than was confirmed is old; of those that say the same, so many are known by their ids, and
// further ones pass for old. A new one's id is noted after TakeWord.
inline constexpr size_t kMostWords = 64;
bool IsNewWord(const Traffic& traffic, uint64_t received, crypto::ByteView id);
void NoteWordId(Traffic& traffic, crypto::ByteView id);
// Whether the other end has confirmed what was never numbered here. Then this profile is an old
// copy that was put back, or the other end isn't honest, which can't be told apart here; and since
// whatever is numbered now would be taken for a repeat, nothing is sent to it any more. It is one
// end's word, and counts for this pairing alone: it holds up nothing else.
bool IsOvertaken(const Traffic& traffic);
// The other end asks to have sent again what isn't confirmed. When all is, it wants to hear so.
void TakeRequest(Traffic& traffic);

enum class Arrival { kNext, kRepeat, kEarly };
// A numbered message has come. kNext: it is the one that is due, and taken in; the others aren't.
Arrival TakeNumber(Traffic& traffic, uint64_t number, uint64_t now);

// Whether what isn't confirmed is to be sent again now, and that it was.
bool IsResendDue(const Traffic& traffic, uint64_t now);
void NoteResent(Traffic& traffic, uint64_t now);

// Whether the other end is to be told how far this one has come, by a message of its own.
bool OwesWord(const Traffic& traffic);
// Whether it may be asked (again) to send what is missing.
bool MayAsk(const Traffic& traffic, uint64_t now);
// A message to it says how far this one has come; whether it asks, too.
void NoteWord(Traffic& traffic, bool asks, uint64_t now);

// Whether messages to the other end seem to be held back or altered: it has been heard for an hour
// without confirming them, or for a minute where it asks for them. The first word that doesn't
// confirm a message may have crossed it, whenever it is read; one that came after that was read,
// and so much later, was said by who should have had the message. So junk in somebody's inbox,
// after which they ask all they are paired with, is no alarm of others.
bool IsKeptFromPeer(const Traffic& traffic);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_PAIRING_TRAFFIC_H_

// A device's inbox: sealed messages from those it is paired with, and to theirs (docs/protocol.md
// sections 3 and 4).
//
//   Inbox inbox(store, case_id);
//   inbox.Receive(relay, handler);         // each message once, in a transaction of its own
//   inbox.Queue(step, pairing, message);   // with whatever else the step changes
//   inbox.Flush(relay);                    // sends what waits
//
//   inbox.Answer();                        // says how far this device has come, where that is due
//
// Exactly once, and in order: an outgoing message is numbered, sealed and stored with its append id
// before it is sent, and goes with the same bytes until the relay has acknowledged it. It is kept,
// and sent again from time to time, until the other end has confirmed its number, since the relay
// may have altered it or held it back. The receiver passes over what came before, and what comes
// while an earlier one is missing (traffic.h).
//
// Threading: any number of threads and processes at once. Receive and Flush use the network and
// must be called without an open transaction. Errors: the store's and the relay client's.
#ifndef PARLEY_CLIENT_LIB_PAIRING_INBOX_H_
#define PARLEY_CLIENT_LIB_PAIRING_INBOX_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/pairing/handshake.h"
#include "client-lib/pairing/records.h"
#include "client-lib/relay/relay_client.h"
#include "parley/content/v1/control.pb.h"

namespace parley::client {

// Takes a message in, in the transaction that also moves the cursor. An InvalidArgument,
// PermissionDenied, Unauthenticated, NotFound, AlreadyExists or FailedPrecondition says that the
// message is bad: what the handler changed is dropped, and the message is passed over and counted.
// Any other error ends the receiving before this message.
using InboxHandler = std::function<absl::Status(Transaction& step, const Pairing& pairing,
                                                const content::v1::InboxMessage& message)>;

bool IsBadInboxMessage(const absl::Status& status);

struct FlushResult {
  uint64_t sent = 0;
  uint64_t waiting = 0;
  // Peers whose inbox refused the append key.
  std::vector<ParticipantId> refused;
  // The first inbox that couldn't be written to, while another could.
  absl::Status problem;
};

class Inbox {
 public:
  // `now_seconds`: this device's clock.
  Inbox(ProfileStore& store, const CaseId& id, std::function<uint64_t()> now_seconds)
      : store_(store), id_(id), now_(std::move(now_seconds)), records_(id) {}

  // Makes the mailbox. Repeating it is harmless.
  absl::Status Create(RelayClient& relay, const Credential& credential);

  // Takes in what is new, and tries again what nothing opened before. The number of messages that
  // the handler took. An inbox that is getting full gets room again: what was taken in is trimmed,
  // and a new generation planned (sent by Flush), without the append key of who has filled it where
  // the entries show that (Pairing::flooded).
  absl::StatusOr<uint64_t> Receive(RelayClient& relay, const InboxHandler& handler);
  // Only the latter, without the network: after pairings or introductions were learned.
  absl::StatusOr<uint64_t> TryUnopened(const InboxHandler& handler);

  // Counts what nothing has opened, and queues acknowledgements where they are due: for the end of
  // a sync, when pairings and introductions have been learned. Asks again for what is missing.
  // Whether anything was queued.
  absl::StatusOr<bool> Answer() const;

  // Whether Queue takes a message to the pairing's other end now. What is to be sent otherwise
  // stays due, and whoever wants to send it asks again at the next sync: one person who is never
  // online must hold up nothing that concerns others.
  absl::StatusOr<bool> HasRoom(const ReadTransaction& step, const Pairing& pairing) const;
  // Seals a message to the pairing's other end, to be sent by Flush. Ids, numbers and case are
  // filled in. To a pairing that has ended nothing is sent. Errors: ResourceExhausted, with nothing
  // changed, where there is no room (an acknowledgement needs none).
  absl::Status Queue(Transaction& step, const Pairing& pairing,
                     content::v1::InboxMessage message) const;

  // Answers an introduction: pairs with the introduced device and queues the IntroductionHello.
  // Errors: InvalidArgument for a card or key that isn't valid; AlreadyExists when there is a
  // pairing with them.
  absl::StatusOr<Pairing> AnswerIntroduction(
      Transaction& step, const content::v1::Introduction& introduction,
      const std::function<absl::StatusOr<std::vector<Bytes>>(Transaction&)>& make_key_packages)
      const;

  // ---- Pairing through a channel that both read (client-lib/cases/side_pairing.h) ----

  // The answer to somebody's introduction there: the pairing, as yet without an append key of
  // theirs, so that nothing can be sent in it, and what is to be said in the channel.
  struct ChannelHello {
    Pairing pairing;
    Bytes sealed;
  };
  // `card`: as it was said; `fill` adds to the hello what it shall hold beside the KEM's
  // ciphertext. Errors: InvalidArgument for a card or secret that isn't valid; AlreadyExists when
  // there is a pairing with them.
  absl::StatusOr<ChannelHello> AnswerInChannel(
      Transaction& step, ByteView card, uint8_t role, const Secret& introduction_secret,
      const std::function<absl::Status(Transaction&, content::v1::IntroductionHello&)>& fill) const;
  // Takes such an answer to an own introduction and makes the pairing. `check` says whether the
  // hello, with its card, is its author's, and may be taken; its errors end the call with nothing
  // stored. Errors: Unauthenticated for one that doesn't open; InvalidArgument.
  absl::StatusOr<Pairing> TakeChannelHello(
      Transaction& step, uint8_t role, const Secret& introduction_secret, ByteView sealed,
      const std::function<absl::Status(const content::v1::IntroductionHello&)>& check) const;

  // Drops what is kept for a pairing that ends.
  absl::Status Forget(Transaction& step, const Pairing& pairing) const;

  // Sends what waits, again what the other end should have confirmed by now, and a closing of the
  // own inbox if one is planned. One inbox that refuses
  // doesn't stop the others. Errors: when the relay can't be reached.
  absl::StatusOr<FlushResult> Flush(RelayClient& relay);

  // Where to listen for the inbox.
  struct Target {
    ObjectId mailbox_id{};
    uint64_t generation = 1;
    Secret read_seed;
    uint64_t from = 1;
  };
  absl::StatusOr<Target> Subscription(const ReadTransaction& step) const;

 private:
  struct Opened {
    Pairing pairing;
    content::v1::InboxMessage message;
    bool introduces = false;  // it is the hello that has made the pairing
  };

  // Opens with the pairings, then with awaited introductions, which makes a pairing.
  absl::StatusOr<std::optional<Opened>> Open(Transaction& step, const OwnDevice& device,
                                             ByteView payload) const;
  enum class Outcome { kTaken, kPassedOver, kNotOpened };
  // What an entry brought of its sender's: nothing that hadn't come; a message whose turn isn't
  // yet; a confirmation; a message whose turn it is; what is bad in itself.
  enum class News { kNone, kEarly, kConfirmation, kMessage, kBad };
  struct Origin {
    Bytes pairing_id;  // empty: nothing has opened it
    News news = News::kNone;
  };
  // Opens and handles one payload in `step`, without committing it; without a handler (null) it is
  // only counted as come. `origin`: the pairing that opened it, also when it turns out to be bad.
  absl::StatusOr<Outcome> Take(Transaction& step, const OwnDevice& device, ByteView payload,
                               const InboxHandler& handler, Origin& origin) const;
  // The counters' part of it. kMessage: it is the next one, to be handled.
  absl::StatusOr<News> CountIn(Transaction& step, const Opened& opened, ByteView payload) const;
  // The pairing whose hello the payload is, once more.
  absl::StatusOr<std::optional<Pairing>> RepeatedHello(const ReadTransaction& step,
                                                       ByteView payload) const;
  // Drops what the other end has confirmed.
  absl::Status DropConfirmed(Transaction& step, const Bytes& pairing_id, uint64_t from,
                             Traffic& traffic) const;
  // Takes what nothing opened in, once more.
  absl::StatusOr<bool> TakeUnopened(const Bytes& payload, const InboxHandler& handler) const;
  // See Answer: the part of one pairing, and of the device.
  absl::StatusOr<bool> AnswerOne(Transaction& step, const Pairing& pairing, bool suspicious) const;
  bool CountUnopened(OwnDevice& device) const;
  void CountNotOpened(OwnDevice& device) const;
  // Counts an entry against who sent it: once, however often the relay shows it.
  absl::Status CountLoad(Transaction& step, OwnDevice& device, const Origin& origin,
                         ByteView payload, bool refused) const;
  void CountRepeat(OwnDevice& device) const;
  absl::Status RevokeKeysOf(Transaction& step, OwnDevice& device, Pairing& flooder) const;
  // See Receive.
  absl::Status KeepRoom(RelayClient& relay) const;
  // The entry at the cursor, in transactions of its own.
  absl::StatusOr<bool> TakeEntry(const Entry& entry, const InboxHandler& handler) const;
  absl::Status FillIn(Transaction& step, const Pairing& pairing, const OwnDevice& device,
                      content::v1::InboxMessage& message) const;
  absl::Status SendClosing(RelayClient& relay) const;
  // Puts back among what waits what is to be sent again.
  absl::Status PlanResends() const;
  absl::Status NoteSent(const OutgoingMessage& outgoing) const;
  absl::Status NoteTurnedAway(const OutgoingMessage& outgoing) const;
  absl::Status SendOne(RelayClient& relay, const OutgoingMessage& outgoing,
                       FlushResult& result) const;

  ProfileStore& store_;
  CaseId id_;
  std::function<uint64_t()> now_;
  PairingRecords records_;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_PAIRING_INBOX_H_

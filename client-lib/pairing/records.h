// What pairing keeps in the profile: the own device of a case with its inbox, pairings,
// invitations, introductions that wait, messages for other inboxes, own key packages.
//
// Each participant has a device of its own in each case, so that nothing links cases.
// Threading: plain values. Secrets: seeds and pairing secrets, in crypto::Secret.
#ifndef PARLEY_CLIENT_LIB_PAIRING_RECORDS_H_
#define PARLEY_CLIENT_LIB_PAIRING_RECORDS_H_

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "client-lib/pairing/record_table.h"
#include "client-lib/pairing/traffic.h"
#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"
#include "parley/ids.h"

namespace parley::client {

using crypto::Bytes;
using crypto::ByteView;
using crypto::Secret;

// One append key of the own inbox.
struct InboxSlot {
  Secret seed;  // Ed25519
  // Who has the seed: the pairing's or (until there is one) the invitation's id, or of whom it was
  // given on through an inviter, that inviter's pairing id. Empty: free.
  Bytes holder;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.seed, self.holder);
  }
};

// A closing of the own inbox's generation that is on its way: the same bytes until it is done.
struct InboxClosing {
  crypto::ByteArray<16> append_id{};
  std::vector<InboxSlot> next_slots;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.append_id, self.next_slots);
  }
};

// An entry of the own inbox that nothing opened, kept for a while since what opens it may come
// later.
struct UnopenedEntry {
  Bytes payload;
  uint8_t counted = 0;  // in OwnDevice::not_opened
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.payload, self.counted);
  }
};

// This device in one case: "case/<id>/device".
struct OwnDevice {
  ParticipantId participant_id;
  crypto::ByteArray<16> device_id{};
  Secret identity_private;  // X25519
  Secret kem_private;       // of the inbox
  Bytes card;               // a serialised DeviceCard, as others have it
  crypto::ByteArray<32> inbox_id{};
  Secret inbox_read_seed;
  Secret inbox_control_seed;
  uint64_t inbox_generation = 1;
  uint64_t inbox_next = 1;             // position of the first entry not taken in yet
  uint64_t inbox_read_generation = 1;  // the generation that it is looked for in
  std::vector<InboxSlot> slots;
  std::optional<InboxClosing> closing;
  std::vector<UnopenedEntry> unopened;
  uint64_t passed_over = 0;
  // Entries that nothing had opened at the end of a sync: how many of late, since when, the latest,
  // and how many more times those who may have sent them are asked to send again.
  uint64_t not_opened = 0;
  uint64_t not_opened_since = 0;
  uint64_t not_opened_at = 0;
  uint64_t asks_left = 0;
  // Entries of the generation that is read that were authentic and brought nothing new; and when
  // the latest one came, once they were more than resending explains.
  uint64_t repeats = 0;
  uint64_t repeats_at = 0;
  // What was taken in of the generation that is read, of its allowance; and since the last
  // trimming.
  uint64_t used_entries = 0;
  uint64_t used_bytes = 0;
  uint64_t untrimmed_bytes = 0;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.participant_id, self.device_id, self.identity_private, self.kem_private,
                    self.card, self.inbox_id, self.inbox_read_seed, self.inbox_control_seed,
                    self.inbox_generation, self.inbox_next, self.inbox_read_generation, self.slots,
                    self.closing, self.unopened, self.passed_over, self.not_opened,
                    self.not_opened_since, self.not_opened_at, self.asks_left, self.repeats,
                    self.repeats_at, self.used_entries, self.used_bytes, self.untrimmed_bytes);
  }
};

// Two devices that share a secret: "case/<id>/pairing/<pairing id>".
struct Pairing {
  Bytes id;
  Secret secret;
  ParticipantId peer;
  Bytes peer_card;  // a serialised DeviceCard
  uint8_t peer_role = 0;
  std::string safety_number;
  uint8_t compared = 0;
  // Into the peer's inbox. Empty until a peer who was answered in a channel has sent one.
  Secret append_seed;
  // Neither takes from the other any more.
  uint8_t ended = 0;
  // The peer's inbox refused the append key: the peer has ended it, or the relay lost the inbox.
  uint8_t refused = 0;
  // Whether the peer was seen in a channel's roster: who is in none any more has gone.
  uint8_t met = 0;
  // Append keys of the own inbox that the peer has to hand on and hasn't used yet, as far as known.
  uint16_t seeds_out = 0;
  // The peer's append key was revoked together with those of a neutral who has gone: a new one is
  // to be sent.
  uint8_t reseed = 0;
  // Of neutrals: append keys of the peer's inbox that are to be handed on to other neutrals (of a
  // neutral's inbox: to participants, too).
  std::vector<Secret> reserve_seeds;
  // How much the peer has put into a generation of the own inbox (see inbox.cc), and which one.
  uint64_t load = 0;
  uint64_t load_generation = 0;
  // SHA-256 of the entries among them that were bad in themselves, so that each counts once.
  std::vector<Bytes> bad_entries;
  // The peer put so much there that their append key was revoked: 1 until the person was told.
  uint8_t flooded = 0;
  // The owner has left the case, and the peer is still to be told.
  uint8_t farewell_due = 0;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.id, self.secret, self.peer, self.peer_card, self.peer_role,
                    self.safety_number, self.compared, self.append_seed, self.ended, self.refused,
                    self.met, self.seeds_out, self.reseed, self.reserve_seeds, self.load,
                    self.load_generation, self.bad_entries, self.flooded, self.farewell_due);
  }
};

enum class InvitationState : uint8_t {
  kMaking = 1,  // its rendezvous isn't known to be there
  kOpen = 2,
  kUsed = 3,  // somebody has joined; the rendezvous is watched for further uses
  kWithdrawn = 4,
  kExpired = 5,  // unused
};

// An invitation that was made here: "case/<id>/invitation/<rendezvous id>".
struct MadeInvitation {
  crypto::ByteArray<32> rendezvous_id{};
  InvitationState state = InvitationState::kMaking;
  std::string name;
  uint8_t role = 0;
  std::string side;
  uint64_t expires_at = 0;
  uint64_t created_at = 0;
  // The one-time secret's keys that go when it was used, the pairing key's private half with them.
  Secret seal_key;
  Secret pairing_salt;
  Secret pairing_private;
  Secret read_seed;
  Secret control_seed;
  Bytes hello;        // a serialised InviterHello, as sent
  uint64_t next = 2;  // position of the first entry not looked at yet
  // Who joined; zero before.
  ParticipantId participant;
  // Each further use, as one line.
  std::vector<std::string> alarms;
  uint8_t watching = 1;  // whether the rendezvous is still read
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.rendezvous_id, self.state, self.name, self.role, self.side,
                    self.expires_at, self.created_at, self.seal_key, self.pairing_salt,
                    self.pairing_private, self.read_seed, self.control_seed, self.hello, self.next,
                    self.participant, self.alarms, self.watching);
  }
};

// An introduction that somebody may answer: "case/<id>/introduction/<key id>".
struct AwaitedIntroduction {
  Secret secret;
  ParticipantId peer;
  Bytes peer_card;
  uint8_t peer_role = 0;
  Secret append_seed;  // into the peer's inbox
  ParticipantId introducer;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.secret, self.peer, self.peer_card, self.peer_role, self.append_seed,
                    self.introducer);
  }
};

// A message for another inbox, sealed: "case/<id>/outbox/<key>" until the relay has it, and with
// the same key in "case/<id>/unconfirmed" until the other end has confirmed it.
struct OutgoingMessage {
  Bytes message_id;
  Bytes pairing_id;
  uint64_t number = 0;  // in the pairing; 0: only an acknowledgement, of which the latest counts
  // Goes with the same append id until the relay has acknowledged it; when it is sent again after
  // that, with another.
  crypto::ByteArray<16> append_id{};
  Bytes payload;
  // The relay was asked, and didn't take it: the inbox is full, say.
  uint8_t turned_away = 0;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.message_id, self.pairing_id, self.number, self.append_id, self.payload,
                    self.turned_away);
  }
};

// Their keys: those of one pairing begin with the prefix, and name the message's number.
std::string OutgoingPrefix(ByteView pairing_id);
std::string OutgoingKey(ByteView pairing_id, uint64_t number);

// The private half of a key package that somebody has: "case/<id>/own-key-package/<ref>".
struct OwnKeyPackage {
  Bytes ref;
  Bytes pairing_id;  // whose stock it is in
  Secret bundle;     // KeyPackageBundle::SerializeSecret()
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.ref, self.pairing_id, self.bundle);
  }
};

// The records of one case.
class PairingRecords {
 public:
  explicit PairingRecords(const CaseId& id)
      : root_("case/" + id.ToString()),
        pairings(RecordClass::kKeys, root_ + "/pairing"),
        invitations(RecordClass::kKeys, root_ + "/invitation"),
        introductions(RecordClass::kKeys, root_ + "/introduction"),
        traffic(RecordClass::kKeys, root_ + "/traffic"),
        outbox(RecordClass::kContent, root_ + "/outbox"),
        unconfirmed(RecordClass::kContent, root_ + "/unconfirmed"),
        own_key_packages(RecordClass::kRatchet, root_ + "/own-key-package") {}

  // Errors: NotFound when the case has no device here.
  absl::StatusOr<OwnDevice> Device(const ReadTransaction& step) const;
  absl::Status PutDevice(Transaction& step, const OwnDevice& device) const;

  // The pairing with a participant that has not ended, or nothing.
  absl::StatusOr<std::optional<Pairing>> PairingWith(const ReadTransaction& step,
                                                     const ParticipantId& peer) const;
  absl::Status PutPairing(Transaction& step, const Pairing& pairing) const;

  // Of a pairing; new counters, where nothing has been counted yet.
  absl::StatusOr<Traffic> TrafficOf(const ReadTransaction& step, ByteView pairing_id) const;
  absl::Status PutTraffic(Transaction& step, ByteView pairing_id, const Traffic& counters) const;

 private:
  std::string root_;

 public:
  RecordTable<Pairing> pairings;
  RecordTable<MadeInvitation> invitations;
  RecordTable<AwaitedIntroduction> introductions;
  RecordTable<Traffic> traffic;
  RecordTable<OutgoingMessage> outbox;
  RecordTable<OutgoingMessage> unconfirmed;
  RecordTable<OwnKeyPackage> own_key_packages;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_PAIRING_RECORDS_H_

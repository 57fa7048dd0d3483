// A channel's records in the profile: their structures, names, and how they are read and written.
// README.md lists them.
//
// Threading: plain values and free functions on a transaction.
// Versions: each record begins with its own; a build reads the one that it writes.
// Errors: DataLoss for a record that is damaged or of another version, saying which; the store's.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_CHANNEL_RECORDS_H_
#define PARLEY_CLIENT_LIB_CHANNELS_CHANNEL_RECORDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/channels/channel_types.h"
#include "client-lib/store/id_codec.h"
#include "client-lib/store/profile_store.h"
#include "crypto/base/codec.h"

namespace parley::client {

// An own entry whose outcome isn't known yet from the log.
struct InFlight {
  AppendId append_id{};
  uint64_t item = 0;      // of the outbox; 0 for a commit that the relay has acknowledged
  uint64_t position = 0;  // that the relay acknowledged; 0 for none yet

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.append_id, self.item, self.position);
  }
};

struct AlarmRecord {
  uint8_t kind = 0;
  uint32_t incarnation = 1;
  uint64_t position = 0;
  ParticipantId author;  // zero for none
  std::string text;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.kind, self.incarnation, self.position, self.author, self.text);
  }
  friend bool operator==(const AlarmRecord&, const AlarmRecord&) = default;
};

// What spans the incarnations of a channel.
struct ChannelRecord {
  uint8_t version = 1;
  uint32_t incarnation = 0;   // the latest
  uint64_t messages = 0;      // stored: indexes 1 … messages
  uint64_t outbox_first = 1;  // items that wait: [first, next)
  uint64_t outbox_next = 1;
  uint64_t unsent = 0;            // contents among them
  uint64_t never_sent = 0;        // contents among them that can't be sent any more
  uint64_t deliveries_first = 1;  // Welcomes: [first, next)
  uint64_t deliveries_next = 1;
  std::vector<AlarmRecord> alarms;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.incarnation, self.messages, self.outbox_first,
                    self.outbox_next, self.unsent, self.never_sent, self.deliveries_first,
                    self.deliveries_next, self.alarms);
  }
};

// What another member announced of this log, and that this client hasn't reached yet.
struct HeadClaim {
  ParticipantId author;
  std::string author_name;
  uint64_t position = 0;
  TranscriptHash hash{};
  uint64_t epoch = 0;
  Bytes authenticator;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.author, self.author_name, self.position, self.hash, self.epoch,
                    self.authenticator);
  }
};

// One incarnation: where this client stands in its log. Every message writes it; the roster, which
// is as long as there are members, has a record of its own.
struct IncarnationRecord {
  uint8_t version = 2;
  uint8_t standing = 1;
  std::string reason;
  Bytes state;                     // ChannelState: StateRecord
  std::vector<MemberSince> since;  // of each member: StateRecord
  Bytes self;                      // ParleyCredential
  uint8_t mailbox_made = 0;
  uint64_t number_base = 0;  // a message's number is this and its position

  uint64_t generation = 1;
  uint64_t generation_start = 0;  // position of the entry that opened it
  uint64_t position = 0;          // the last entry received …
  TranscriptHash hash{};          // … the transcript's hash there, and before it
  TranscriptHash hash_before{};
  uint64_t joined_position = 0;
  TranscriptHash joined_hash{};
  // Where the incarnation before ended, as the Welcome has it.
  std::optional<uint64_t> previous_position;
  TranscriptHash previous_hash{};

  std::vector<InFlight> in_flight;
  uint64_t passed_over = 0;
  uint8_t last_passed_over = 0;  // whether the entry at `position` was
  uint8_t leave_wanted = 0;
  uint64_t leaf_renewed_at = 0;      // 0: due
  uint64_t proposed_update_in = 0;   // generation in which an own Update was proposed
  uint64_t proposed_leave_in = 0;    // the same of the own Remove
  uint64_t barren_commit_in = 0;     // generation whose proposals an own commit could not take in
  uint64_t unconfirmed_entries = 0;  // of others since the last own message …
  uint64_t unconfirmed_since = 0;    // … and when the first of them was received
  uint64_t company_since = 0;        // when the roster came to show others beside oneself
  uint64_t confirmed_by_others_at = 0;
  uint64_t announced_position = 0;  // in ChannelHeads
  uint64_t announced_generation = 0;
  std::vector<HeadClaim> claims;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.standing, self.reason, self.self, self.mailbox_made,
                    self.number_base, self.generation, self.generation_start, self.position,
                    self.hash, self.hash_before, self.joined_position, self.joined_hash,
                    self.previous_position, self.previous_hash, self.in_flight, self.passed_over,
                    self.last_passed_over, self.leave_wanted, self.leaf_renewed_at,
                    self.proposed_update_in, self.proposed_leave_in, self.barren_commit_in,
                    self.unconfirmed_entries, self.unconfirmed_since, self.company_since,
                    self.confirmed_by_others_at, self.announced_position, self.announced_generation,
                    self.claims);
  }
};

// Beside an IncarnationRecord: changes with the membership.
struct StateRecord {
  uint8_t version = 2;
  Bytes state;  // ChannelState
  std::vector<MemberSince> since;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.state, self.since);
  }
};

// The keys of the current generation, so that looking for news doesn't load the group. Of the
// ratchet's class: gone with the epoch.
struct EpochKeysRecord {
  uint8_t version = 1;
  uint64_t generation = 1;
  crypto::Secret entry_key;
  crypto::Secret read_seed;
  crypto::Secret append_seed;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.generation, self.entry_key, self.read_seed,
                    self.append_seed);
  }
};

enum class OutboxKind : uint8_t {
  kContent = 1,
  kProposal = 2,
  kNeverSent = 3,  // a content that can't be sent any more; kept to be shown
};

// Something that waits to be sent or to be seen in the log.
struct OutboxRecord {
  uint8_t version = 1;
  OutboxKind kind = OutboxKind::kContent;
  MessageId message_id;
  uint64_t queued_at = 0;
  crypto::Secret content;  // serialised, without `seen`
  // Of an encrypted one:
  uint32_t incarnation = 0;  // 0: not encrypted yet
  uint64_t generation = 0;
  AppendId append_id{};
  Bytes payload;
  crypto::Secret sent_content;  // as it was encrypted, `seen` included
  // Who may read it, the author included; empty: whoever is in the channel when it is encrypted.
  std::vector<ParticipantId> readers;
  std::string reason;  // why it is never sent

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.kind, self.message_id, self.queued_at, self.content,
                    self.incarnation, self.generation, self.append_id, self.payload,
                    self.sent_content, self.readers, self.reason);
  }
};

// Somebody who came or went with a commit.
struct EntryChange {
  uint8_t joined = 0;  // 0: left, or was put out
  ParticipantId id;
  std::string name;
  uint8_t role = 0;
  std::string side;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.joined, self.id, self.name, self.role, self.side);
  }
};

enum class EntryKind : uint8_t {
  kPassedOver = 0,
  kContent = 1,
  kCommit = 2,
  kProposal = 3,
  kOpening = 4,  // position 0: who began the incarnation
};

// An entry of the log (entry_log.h): what its transcript hash is made of, and what it was.
struct EntryRecord {
  uint8_t version = 1;
  uint64_t generation = 1;
  AppendId append_id{};
  crypto::ByteArray<32> payload_hash{};
  Bytes closing;  // H(KeyBlock(next keys)) || control signature; empty
  EntryKind kind = EntryKind::kPassedOver;
  ParticipantId author;  // zero: nobody is known
  std::string author_name;
  uint8_t author_role = 0;
  std::string author_side;
  // Of a content: its field's number, its act's number or its document's size, time, hash.
  uint32_t body = 0;
  uint64_t detail = 0;
  uint64_t claimed_time = 0;
  crypto::ByteArray<32> content_hash{};
  uint64_t message = 0;              // its index among the messages; 0: a repeat, kept nowhere
  std::vector<EntryChange> changes;  // of a commit

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.generation, self.append_id, self.payload_hash, self.closing,
                    self.kind, self.author, self.author_name, self.author_role, self.author_side,
                    self.body, self.detail, self.claimed_time, self.content_hash, self.message,
                    self.changes);
  }
};

struct MessageRecord {
  uint8_t version = 1;
  uint64_t number = 0;
  uint32_t incarnation = 1;
  uint64_t position = 0;
  MessageId message_id;
  ParticipantId author;
  std::string author_name;
  uint8_t author_role = 0;
  std::string author_side;
  uint8_t own = 0;
  uint8_t kind = 0;
  uint64_t claimed_time = 0;
  uint64_t received_at = 0;
  crypto::Secret content;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.number, self.incarnation, self.position, self.message_id,
                    self.author, self.author_name, self.author_role, self.author_side, self.own,
                    self.kind, self.claimed_time, self.received_at, self.content);
  }
};

struct Addressee {
  ParticipantId participant_id;
  DeviceId device_id;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.participant_id, self.device_id);
  }
};

// A membership change that was asked for and isn't encrypted yet.
struct NewMemberRecord {
  ParticipantId participant_id;
  std::string name;
  uint8_t role = 0;
  std::string side;
  std::vector<Bytes> key_packages;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.participant_id, self.name, self.role, self.side, self.key_packages);
  }
};
struct ChangeRecord {
  uint8_t version = 2;
  std::vector<NewMemberRecord> adds;
  std::vector<ParticipantId> removes;
  crypto::Secret new_control_seed;  // empty for none
  std::vector<ParticipantId> new_stewards;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.adds, self.removes, self.new_control_seed,
                    self.new_stewards);
  }
};

// An own commit in flight. What its winning needs is in the CommitOutcomeRecord, and the group
// after it in the place NextGroup(). Written once, since in a large channel it is long: that the
// relay has acknowledged it is in the incarnation's `in_flight`.
struct CommitRecord {
  uint8_t version = 2;
  uint64_t generation = 1;  // that it closes
  AppendId append_id{};
  Bytes payload;
  PublicKey next_read_key{};
  PublicKey next_append_key{};
  PublicKey next_control_key{};
  crypto::ByteArray<crypto::kSignatureSize> control_signature{};
  uint8_t reserved = 0;  // said once that the relay had acknowledged it

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.generation, self.append_id, self.payload, self.next_read_key,
                    self.next_append_key, self.next_control_key, self.control_signature,
                    self.reserved);
  }
};
struct CommitOutcomeRecord {
  uint8_t version = 1;
  Bytes state;    // the ChannelState after it
  Bytes welcome;  // empty for none
  std::vector<Addressee> addressees;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.state, self.welcome, self.addressees);
  }
};

struct DeliveryRecord {
  uint8_t version = 1;
  Addressee addressee;
  Bytes wrapper;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.addressee, self.wrapper);
  }
};

struct PaymentRecord {
  uint8_t version = 1;
  uint8_t kind = 0;
  crypto::Secret bytes;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.kind, self.bytes);
  }
};

// How many of the procedure's records a channel has, and where they are: a page of them.
struct ProcedureHead {
  uint8_t version = 1;
  uint64_t records = 0;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.records);
  }
};
struct ProcedurePage {
  uint8_t version = 1;
  std::vector<uint64_t> indices;  // of messages, in order

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.indices);
  }
};

// Who was in the channel at a message (ChannelNames::Present).
struct PresentRecord {
  uint8_t version = 1;
  std::vector<ParticipantId> members;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.members);
  }
};

// Where a group is kept: group_store.h.
struct GroupPlace {
  std::string head;
  std::string base;
};

// The names of a channel's records.
class ChannelNames {
 public:
  explicit ChannelNames(const ChannelId& id) : base_("channel/" + id.ToString()) {}

  static std::string List() { return "channels"; }
  std::string Channel() const { return base_; }
  std::string Message(uint64_t index) const { return base_ + "/message/" + std::to_string(index); }
  std::string Said(const ParticipantId& author, const MessageId& id) const {
    return base_ + "/said/" + author.ToString() + "/" + id.ToString();
  }
  // Indices of the procedure's records (message_log.h), in pages; the first page holds their
  // number.
  std::string Procedure() const { return base_ + "/procedure"; }
  std::string Procedure(uint64_t page) const { return Procedure() + "/" + std::to_string(page); }
  // Who was in the channel when the message of that index was said; of a DisclosureUse.
  std::string Present(uint64_t index) const { return Message(index) + "/present"; }
  std::string Outbox(uint64_t item) const { return base_ + "/outbox/" + std::to_string(item); }
  std::string Delivery(uint64_t id) const { return base_ + "/delivery/" + std::to_string(id); }
  std::string Control(const PublicKey& key) const {
    return base_ + "/control/" + crypto::ToHex(key);
  }
  std::string Successors() const { return base_ + "/successor"; }
  std::string Incarnation(uint32_t n) const { return base_ + "/" + std::to_string(n); }
  std::string State(uint32_t n) const { return Incarnation(n) + "/state"; }
  GroupPlace Group(uint32_t n) const { return {Incarnation(n) + "/group", GroupBase(n)}; }
  // After the own commit in flight.
  GroupPlace NextGroup(uint32_t n) const { return {Commit(n) + "/group", GroupBase(n)}; }
  std::string EpochKeys(uint32_t n) const { return Incarnation(n) + "/keys"; }
  std::string Change(uint32_t n) const { return Incarnation(n) + "/change"; }
  std::string Commit(uint32_t n) const { return Incarnation(n) + "/commit"; }
  std::string CommitOutcome(uint32_t n) const { return Commit(n) + "/outcome"; }
  std::string Payment(uint32_t n) const { return Incarnation(n) + "/payment"; }
  std::string Hashes(uint32_t n, uint64_t block) const {
    return Incarnation(n) + "/hashes/" + std::to_string(block);
  }
  std::string Entry(uint32_t n, uint64_t position) const {
    return Incarnation(n) + "/entry/" + std::to_string(position);
  }
  std::string Authenticators(uint32_t n, uint64_t block) const {
    return Incarnation(n) + "/authenticators/" + std::to_string(block);
  }

 private:
  std::string GroupBase(uint32_t n) const { return Incarnation(n) + "/group"; }

  std::string base_;
};

// The error for a record whose first byte, the version, or whose form isn't `expected`'s.
absl::Status UnreadableRecord(ByteView record, uint8_t expected);

// The record of this name; nothing when there is none.
template <typename Record>
absl::StatusOr<std::optional<Record>> LoadRecord(const ReadTransaction& tx,
                                                 RecordClass record_class,
                                                 const std::string& name) {
  PARLEY_ASSIGN_OR_RETURN(const std::optional<crypto::Secret> value, tx.Get(record_class, name));
  if (!value.has_value()) return std::optional<Record>();
  absl::StatusOr<Record> record = crypto::Parse<Record>(value->Reveal());
  if (!record.ok() || record->version != Record().version) {
    return UnreadableRecord(value->Reveal(), Record().version);
  }
  return std::optional<Record>(std::move(*record));
}

// The same where it must be there.
template <typename Record>
absl::StatusOr<Record> LoadExisting(const ReadTransaction& tx, RecordClass record_class,
                                    const std::string& name) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<Record> record, LoadRecord<Record>(tx, record_class, name));
  if (!record.has_value()) {
    return absl::DataLossError("a channel's record is missing in the profile");
  }
  return std::move(*record);
}

template <typename Record>
absl::Status StoreRecord(Transaction& tx, RecordClass record_class, const std::string& name,
                         const Record& record) {
  return tx.Put(record_class, name, crypto::SerializeSecret(record));
}

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_CHANNEL_RECORDS_H_

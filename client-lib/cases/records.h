// What a case keeps in the profile beside its channels and pairings: the case itself, the people as
// the neutrals know them, stocks of their key packages, vouchers.
//
// Threading: plain values, and functions on a transaction.
// Errors: NotFound when the profile doesn't have the case; the store's.
#ifndef PARLEY_CLIENT_LIB_CASES_RECORDS_H_
#define PARLEY_CLIENT_LIB_CASES_RECORDS_H_

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/channels/channel_types.h"
#include "client-lib/pairing/records.h"
#include "client-lib/relay/connection_string.h"
#include "parley/content/v1/control.pb.h"
#include "parley/types.h"

namespace parley::client {

// A control key's seed as the neutrals' channel says it (controls.h).
struct ControlRecord {
  ChannelId channel_id;
  uint32_t incarnation = 1;
  Secret seed;
  ParticipantId author;
  uint64_t number = 0;  // where it was said; 0: by this device, and not read back yet
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.channel_id, self.incarnation, self.seed, self.author, self.number);
  }
};

// A channel that neutrals named for its kind and side (naming.h).
struct NamedChannel {
  ChannelId channel_id;
  uint8_t kind = 0;  // ChannelKind
  std::string side;
  std::vector<ParticipantId> authors;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.channel_id, self.kind, self.side, self.authors);
  }
};

// "case/<id>/case".
struct CaseRecord {
  CaseId id;
  std::string title;
  ParticipantId own_id;
  std::string own_name;
  Role own_role = Role::kUnknown;
  std::string own_side;
  ParticipantState own_state = ParticipantState::kUnknown;
  uint64_t created_at = 0;
  std::string relay_address;
  crypto::ByteArray<32> relay_identity{};
  ParticipantId inviter;  // zero for who created the case
  uint8_t inbox_made = 0;
  std::vector<ChannelId> channels;
  // Of neutrals: what pays for mailboxes and blobs.
  Secret sponsor_token;
  // Up to which message the neutrals' channel has been worked in.
  uint64_t neutrals_cursor = 0;
  std::vector<ControlRecord> controls;
  // Of others: what pays for their blobs, and whether more were asked for.
  std::vector<Bytes> vouchers;
  uint8_t vouchers_asked = 0;
  // What was refused of somebody who had no right to it: alarms, one line each.
  std::vector<std::string> refused;
  // Of neutrals, from their channel: the channels that were named, in its order; own names that
  // haven't been read back yet; whether the inviter has said which count.
  std::vector<NamedChannel> named;
  std::vector<NamedChannel> naming;
  uint8_t briefed = 0;
  // The neutrals who were in their channel's roster when it was looked at last, and a number in it:
  // what was said above that has reached nobody who has gone since.
  std::vector<ParticipantId> neutrals_there;
  uint64_t neutrals_since = 0;
  // Of others: neutrals who were seen in the joint channel, and channels that were given up because
  // all who could change their membership have gone.
  std::vector<ParticipantId> neutrals_met;
  std::vector<ChannelId> given_up;
  Bytes joined_with;  // the invitation's rendezvous id
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.id, self.title, self.own_id, self.own_name, self.own_role, self.own_side,
                    self.own_state, self.created_at, self.relay_address, self.relay_identity,
                    self.inviter, self.inbox_made, self.channels, self.sponsor_token,
                    self.neutrals_cursor, self.controls, self.vouchers, self.vouchers_asked,
                    self.refused, self.named, self.naming, self.briefed, self.neutrals_there,
                    self.neutrals_since, self.neutrals_met, self.given_up, self.joined_with);
  }

  // Adds an alarm of that kind, unless it is there already or there are very many.
  void Refuse(const std::string& line);

  ConnectionInfo Relay() const { return {relay_address, relay_identity}; }
  bool IsNeutral() const { return parley::IsNeutral(own_role); }
};

// A channel's incarnation in whose roster a participant was seen.
struct SeenIn {
  ChannelId channel_id;
  uint32_t incarnation = 1;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.channel_id, self.incarnation);
  }
  friend bool operator==(const SeenIn&, const SeenIn&) = default;
};

// A participant as the neutrals know them: "case/<id>/person/<participant id>". Neutrals have one
// of everybody who has joined, themselves included; others have none.
struct PersonRecord {
  ParticipantId id;
  std::string name;
  Role role = Role::kUnknown;
  std::string side;
  ParticipantState state = ParticipantState::kUnknown;
  Bytes card;               // a serialised DeviceCard
  ParticipantId approver;   // who wrote the latest record of them
  uint8_t joined_here = 0;  // whether they joined with an invitation of this very device
  std::vector<ChannelId> admitted;
  std::vector<SeenIn> seen_in;
  std::vector<ParticipantId> introduced_to;
  // What has been done about them here.
  uint8_t approval_sent = 0;
  uint8_t briefed = 0;  // a neutral: has been given the case's secrets and people
  uint8_t removal_sent = 0;
  uint8_t cut_off = 0;       // removed: the pairing has ended, the append key was revoked
  uint64_t recorded_at = 0;  // when the latest record of them was seen here
  uint8_t vouchers_wanted = 0;
  // The state that the latest record in the neutrals' channel (or on its way there) says.
  ParticipantState recorded = ParticipantState::kUnknown;
  // Vouchers that they were given by this device, in the week that began then.
  uint64_t vouchers_given = 0;
  uint64_t vouchers_since = 0;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.id, self.name, self.role, self.side, self.state, self.card, self.approver,
                    self.joined_here, self.admitted, self.seen_in, self.introduced_to,
                    self.approval_sent, self.briefed, self.removal_sent, self.cut_off,
                    self.recorded_at, self.vouchers_wanted, self.recorded, self.vouchers_given,
                    self.vouchers_since);
  }

  bool IsNeutral() const { return parley::IsNeutral(role); }
  bool TakesPart() const { return state == ParticipantState::kApproved; }
};

// A key package of somebody else's. While it is in a commit on its way it is kept for that channel.
struct StockedPackage {
  Bytes message;
  ChannelId reserved_for;  // zero: free
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.message, self.reserved_for);
  }
};
// "case/<id>/stock/<participant id>".
struct KeyPackageStock {
  std::vector<StockedPackage> packages;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.packages);
  }
};

// An inbox message whose sender's right to it shows only when the channels have been read:
// "case/<id>/deferred/<pairing id>-<message id>".
struct DeferredMessage {
  Bytes pairing_id;
  std::string sender;  // their name, as far as it was known when it came
  Secret message;      // a serialised InboxMessage, which may hold seeds
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.pairing_id, self.sender, self.message);
  }
};

// The invitation that a case was joined with: "joined/<rendezvous id>" (for the whole profile).
struct JoinRecord {
  CaseId case_id;
  crypto::ByteArray<16> append_id{};
  Bytes payload;  // for the rendezvous
  Secret secret;  // the invitation's, until it was answered
  Bytes voucher;
  uint8_t answered = 0;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.case_id, self.append_id, self.payload, self.secret, self.voucher,
                    self.answered);
  }
};

// The records of one case.
class CaseRecords {
 public:
  explicit CaseRecords(const CaseId& id);

  // All cases of the profile, in the order in which they came.
  static absl::StatusOr<std::vector<CaseId>> List(const ReadTransaction& step);

  absl::StatusOr<CaseRecord> Case(const ReadTransaction& step) const;
  absl::Status PutCase(Transaction& step, const CaseRecord& record) const;
  // Forgets a case that was not joined after all.
  absl::Status DeleteCase(Transaction& step) const;

  absl::StatusOr<std::optional<PersonRecord>> Person(const ReadTransaction& step,
                                                     const ParticipantId& id) const;
  absl::StatusOr<std::vector<PersonRecord>> People(const ReadTransaction& step) const;
  absl::Status PutPerson(Transaction& step, const PersonRecord& person) const;

  absl::StatusOr<KeyPackageStock> Stock(const ReadTransaction& step, const ParticipantId& id) const;
  absl::Status PutStock(Transaction& step, const ParticipantId& id,
                        const KeyPackageStock& stock) const;

  static absl::StatusOr<std::optional<JoinRecord>> Join(const ReadTransaction& step,
                                                        ByteView rendezvous_id);
  static absl::Status PutJoin(Transaction& step, ByteView rendezvous_id, const JoinRecord& record);
  static absl::Status DeleteJoin(Transaction& step, ByteView rendezvous_id);

 private:
  CaseId id_;
  std::string root_;
  RecordTable<PersonRecord> people_;

 public:
  RecordTable<DeferredMessage> deferred;
};

// Roles and states between the public header and the wire.
content::v1::Role ToWire(Role role);
Role FromWire(content::v1::Role role);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_RECORDS_H_

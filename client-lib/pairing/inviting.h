// Pairing by an invitation: the inviter's side and the invitee's (docs/protocol.md section 4).
//
// These functions compute; who calls them stores what they change, and speaks with the relay by
// rendezvous.h. What comes from the other side is checked here.
//
// Threading: plain values and free functions.
#ifndef PARLEY_CLIENT_LIB_PAIRING_INVITING_H_
#define PARLEY_CLIENT_LIB_PAIRING_INVITING_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/pairing/handshake.h"
#include "client-lib/pairing/records.h"
#include "client-lib/relay/connection_string.h"
#include "parley/content/v1/control.pb.h"

namespace parley::client {

// Key packages in a stock: at least in a first hello, at most in any message.
inline constexpr int kMaxKeyPackagesInMessage = 64;
inline constexpr int kMaxAppendSeedsInMessage = 64;

// ---- The inviter ----

// What an invitation says.
struct InvitationOffer {
  ConnectionInfo relay;
  Bytes voucher;  // for the invitee's inbox
  CaseId case_id;
  std::string case_title;
  content::v1::Role inviter_role{};
  std::string invitee_name;
  content::v1::Role invitee_role{};
  std::string invitee_side;
  bool with_procedure = false;
  uint64_t created_at = 0;
  uint64_t expires_at = 0;
};

struct PreparedInvitation {
  MadeInvitation record;
  InvitationCode code;
};

// Takes one append key of the own inbox for the invitee.
// Errors: ResourceExhausted when the inbox has none left.
absl::StatusOr<PreparedInvitation> PrepareInvitation(OwnDevice& device,
                                                     const InvitationOffer& offer);

// Somebody who has joined with an invitation.
struct JoinedPeer {
  Pairing pairing;
  content::v1::InviteeHello hello;
};

// Looks at the entry at `invitation.next` of its rendezvous. The first hello that opens and
// verifies completes the pairing: the one-time keys are then destroyed, and the append key in the
// device is the pairing's. Every other entry is an alarm, noted in the invitation with the time.
std::optional<JoinedPeer> TakeRendezvousEntry(MadeInvitation& invitation, OwnDevice& device,
                                              ByteView payload, uint64_t now);

// ---- The invitee ----

// An InviterHello as it was received and checked.
struct ReceivedInvitation {
  Bytes hello_bytes;
  content::v1::InviterHello hello;
};

// Opens entry 1 of a rendezvous.
// Errors: Unauthenticated when it isn't the inviter's; Unimplemented when there is no protocol
// version in common; InvalidArgument for a hello that breaks a rule.
absl::StatusOr<ReceivedInvitation> OpenInvitation(const InvitationCode& code, ByteView payload);

struct Answer {
  Pairing pairing;
  Bytes payload;  // for the rendezvous
};

// Answers with the own device. `append_seeds` are of the own inbox (TakeSlots), the first for the
// inviter; `key_packages` the stock.
absl::StatusOr<Answer> AnswerInvitation(const InvitationCode& code,
                                        const ReceivedInvitation& invitation,
                                        const OwnDevice& device,
                                        const std::vector<Secret>& append_seeds,
                                        const std::vector<Bytes>& key_packages);

// Whether a later entry of the rendezvous is an invitee's hello: somebody has used the invitation.
bool IsInviteeHello(const InvitationCode& code, ByteView payload);

// An answer that pairs nobody: what is posted to a used invitation, to raise the alarm.
Bytes AlarmPayload(const InvitationCode& code, const ReceivedInvitation& invitation);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_PAIRING_INVITING_H_

// An invitation's rendezvous at the relay.
//
// Errors: the relay client's. Threading: as RelayClient.
#ifndef PARLEY_CLIENT_LIB_PAIRING_RENDEZVOUS_H_
#define PARLEY_CLIENT_LIB_PAIRING_RENDEZVOUS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/pairing/inviting.h"
#include "client-lib/relay/relay_client.h"

namespace parley::client {

// Makes the rendezvous and posts the inviter's hello.
absl::Status PostInvitation(RelayClient& relay, const Credential& credential,
                            const PreparedInvitation& invitation);

// What the inviter hasn't looked at yet, in order; nothing when the rendezvous has expired or is
// gone (NotFound).
absl::StatusOr<std::vector<Entry>> ReadAnswers(RelayClient& relay,
                                               const MadeInvitation& invitation);

// Deletes a rendezvous, so that the invitation can't be used any more.
absl::Status DeleteRendezvous(RelayClient& relay, const MadeInvitation& invitation);

// All entries, for the invitee; the first is the inviter's hello.
absl::StatusOr<std::vector<Entry>> ReadRendezvous(RelayClient& relay, const InvitationCode& code);

// Posts an invitee's hello; the position.
absl::StatusOr<uint64_t> PostAnswer(RelayClient& relay, const InvitationCode& code,
                                    const AppendId& append_id, ByteView payload);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_PAIRING_RENDEZVOUS_H_

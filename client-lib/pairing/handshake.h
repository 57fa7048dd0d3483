// The key agreement of two devices: by an invitation, or introduced by a neutral that both know
// (docs/protocol.md section 4), and the seals of rendezvous and inbox entries (section 3).
//
// Both sides hash the hellos as bytes, as sent, so everything that they say (keys, names, roles,
// the case) is bound into the pairing and into the safety number that people compare.
//
// Threading: plain values and free functions.
// Secrets: pairing secrets and KEM private keys, in crypto::Secret.
// Errors: one identical Unauthenticated for whatever doesn't open; InvalidArgument for what opens
// and is malformed.
#ifndef PARLEY_CLIENT_LIB_PAIRING_HANDSHAKE_H_
#define PARLEY_CLIENT_LIB_PAIRING_HANDSHAKE_H_

#include <string>

#include "absl/status/statusor.h"
#include "client-lib/pairing/invitation_code.h"
#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"
#include "crypto/primitives/kem.h"

namespace parley::client {

inline constexpr size_t kPairingIdSize = 16;

// The KEM of pairings and inboxes: the first suite's.
const crypto::Kem& PairingKem();

// What two devices share after a handshake.
struct PairingKeys {
  Bytes id;  // 16
  Secret secret;
  std::string safety_number;  // eight groups of five digits
};

// From the salt (the invitation's, or for an introduction its secret), the KEM's shared secret, and
// the two hellos as they were sent.
PairingKeys DerivePairing(ByteView salt, const Secret& shared_secret, ByteView first_hello,
                          ByteView second_hello);

// ---- Rendezvous ----

enum class HelloKind : uint64_t { kInviter = 1, kInvitee = 2 };

// A rendezvous entry. `hello` must be shorter than an entry may be.
Bytes SealHello(const Secret& seal_key, ByteView rendezvous_id, HelloKind kind, ByteView hello);
absl::StatusOr<Bytes> OpenHello(const Secret& seal_key, ByteView rendezvous_id, HelloKind kind,
                                ByteView payload);

// ---- Inboxes ----

// The pre-shared key under which one end of a pairing seals to the other.
struct InboxKey {
  Bytes id;  // the pairing's
  Secret psk;
};

// For messages that the device `sender_device_id` (16 bytes) sends in the pairing.
InboxKey InboxKeyOf(ByteView pairing_id, const Secret& pairing_secret, ByteView sender_device_id);

// For the one IntroductionHello that an introduction secret (32 bytes) opens.
InboxKey IntroductionKeyOf(const Secret& introduction_secret);

// `enc || ct` of HPKE in mode psk to the inbox's KEM key. Errors: InvalidArgument for a KEM key
// that isn't valid.
absl::StatusOr<Bytes> SealInboxMessage(ByteView kem_public_key, ByteView inbox_id,
                                       const InboxKey& key, ByteView message);
absl::StatusOr<Bytes> OpenInboxMessage(ByteView kem_private_key, ByteView inbox_id,
                                       const InboxKey& key, ByteView payload);

// One entry of the own inbox, to be tried with several keys: the KEM's work is done once.
class InboxEntry {
 public:
  // Errors: Unauthenticated for what can't be an entry.
  static absl::StatusOr<InboxEntry> Create(ByteView kem_private_key, ByteView inbox_id,
                                           ByteView payload);
  absl::StatusOr<Bytes> Open(const InboxKey& key) const;

 private:
  Secret shared_secret_;
  Bytes info_;
  Bytes ciphertext_;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_PAIRING_HANDSHAKE_H_

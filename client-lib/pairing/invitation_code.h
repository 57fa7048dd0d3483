// The invitation as a short text (docs/protocol.md section 4), and the keys that come from its
// secret.
//
// Threading: plain values and free functions.
// Secrets: the invitation's text is one; whoever has it can join.
#ifndef PARLEY_CLIENT_LIB_PAIRING_INVITATION_CODE_H_
#define PARLEY_CLIENT_LIB_PAIRING_INVITATION_CODE_H_

#include <string>
#include <string_view>
#include <tuple>

#include "absl/status/statusor.h"
#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"

namespace parley::client {

using crypto::Bytes;
using crypto::ByteView;
using crypto::Secret;

inline constexpr std::string_view kInvitationPrefix = "parley-invite1:";

// struct {
//   uint8  version = 1;
//   opaque relay_identity[32];
//   opaque relay_address<V>;
//   opaque rendezvous_id[32];
//   opaque secret[32];
//   uint64 expires_at;
//   opaque voucher<V>;
// } Invitation;
struct InvitationCode {
  crypto::ByteArray<32> relay_identity{};
  std::string relay_address;
  crypto::ByteArray<32> rendezvous_id{};
  Secret secret;
  uint64_t expires_at = 0;
  Bytes voucher;

  InvitationCode Clone() const;
};

// "parley-invite1:…"
std::string FormatInvitation(const InvitationCode& code);

// Spaces and line breaks around and inside the text (mail programs break long lines) are ignored.
// Errors: InvalidArgument, saying whether the text isn't an invitation at all, is cut short or
// altered, or comes from a newer version.
absl::StatusOr<InvitationCode> ParseInvitation(std::string_view text);

// What both derive from the invitation's secret.
struct InvitationKeys {
  Secret read_seed;
  Secret append_seed;
  Secret seal_key;
  Secret pairing_salt;
};
InvitationKeys DeriveInvitationKeys(const Secret& secret);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_PAIRING_INVITATION_CODE_H_

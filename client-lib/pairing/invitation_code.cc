#include "client-lib/pairing/invitation_code.h"

#include <algorithm>

#include "crypto/base/codec.h"
#include "crypto/primitives/hkdf.h"

namespace parley::client {
namespace {

using crypto::HashAlgorithm;

constexpr uint8_t kVersion = 1;
constexpr size_t kSecretSize = 32;
// A host name has at most 253 characters, a port five.
constexpr size_t kMaxAddress = 260;
constexpr size_t kMaxVoucher = 1024;
constexpr size_t kMaxText = 4096;

absl::Status Broken() {
  return absl::InvalidArgumentError(
      "the invitation is incomplete or was altered; copy it again, whole, from the message that "
      "brought it");
}

absl::Status Decode(crypto::Reader& reader, InvitationCode& code) {
  ByteView secret;
  PARLEY_RETURN_IF_ERROR(crypto::Decode(reader, code.relay_identity));
  PARLEY_RETURN_IF_ERROR(crypto::Decode(reader, code.relay_address));
  PARLEY_RETURN_IF_ERROR(crypto::Decode(reader, code.rendezvous_id));
  PARLEY_RETURN_IF_ERROR(reader.ReadRaw(kSecretSize, secret));
  code.secret = Secret::CopyOf(secret);
  PARLEY_RETURN_IF_ERROR(reader.ReadUint64(code.expires_at));
  PARLEY_RETURN_IF_ERROR(crypto::Decode(reader, code.voucher));
  PARLEY_RETURN_IF_ERROR(reader.ExpectEnd());
  const bool printable = std::all_of(code.relay_address.begin(), code.relay_address.end(),
                                     [](unsigned char c) { return c > 0x20 && c < 0x7f; });
  if (code.relay_address.empty() || code.relay_address.size() > kMaxAddress || !printable ||
      code.voucher.size() > kMaxVoucher) {
    return Broken();
  }
  return absl::OkStatus();
}

}  // namespace

InvitationCode InvitationCode::Clone() const {
  return {relay_identity, relay_address, rendezvous_id, secret.Clone(), expires_at, voucher};
}

std::string FormatInvitation(const InvitationCode& code) {
  crypto::Writer writer;
  writer.WriteUint8(kVersion);
  writer.WriteRaw(code.relay_identity);
  crypto::Encode(writer, code.relay_address);
  writer.WriteRaw(code.rendezvous_id);
  writer.WriteRaw(code.secret.Reveal());
  writer.WriteUint64(code.expires_at);
  crypto::Encode(writer, code.voucher);
  std::string body = crypto::ToBase64Url(writer.view());
  const crypto::ScopedWipe wipe(body);
  std::string text;
  text.reserve(kInvitationPrefix.size() + body.size());  // so that no part of it is left elsewhere
  return text.append(kInvitationPrefix).append(body);
}

absl::StatusOr<InvitationCode> ParseInvitation(std::string_view text) {
  // What `parley case invite` says before it, or a greeting, may have come along.
  if (const size_t line = text.rfind("\n" + std::string(kInvitationPrefix));
      line != std::string_view::npos) {
    text.remove_prefix(line + 1);
  }
  std::string dense;
  for (const char c : text.substr(0, kMaxText)) {
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') dense += c;
  }
  if (!std::string_view(dense).starts_with(kInvitationPrefix)) {
    if (dense.starts_with("parley-invite")) {
      return absl::InvalidArgumentError(
          "the invitation was made by a newer version of Parley; bring this program up to date");
    }
    return absl::InvalidArgumentError("this is not an invitation; an invitation begins with \"" +
                                      std::string(kInvitationPrefix) + "\"");
  }
  if (text.size() > kMaxText) return Broken();
  absl::StatusOr<Bytes> bytes =
      crypto::FromBase64Url(std::string_view(dense).substr(kInvitationPrefix.size()));
  crypto::WipeBytes({reinterpret_cast<uint8_t*>(dense.data()), dense.size()});
  if (!bytes.ok()) return Broken();
  crypto::ScopedWipe wipe(*bytes);
  crypto::Reader reader(*bytes);
  uint8_t version = 0;
  if (!reader.ReadUint8(version).ok()) return Broken();
  if (version != kVersion) {
    return absl::InvalidArgumentError(
        "the invitation is incomplete or was altered, or a newer version of Parley made it: copy "
        "it "
        "again, whole, from the message that brought it; if that doesn't help, bring this program "
        "up to date");
  }
  InvitationCode code;
  if (!Decode(reader, code).ok()) return Broken();
  return code;
}

InvitationKeys DeriveInvitationKeys(const Secret& secret) {
  const Secret prk = crypto::HkdfExtract(HashAlgorithm::kSha256,
                                         crypto::ViewOf("parley invitation v1"), secret.Reveal());
  const auto expand = [&prk](std::string_view label) {
    return crypto::HkdfExpand(HashAlgorithm::kSha256, prk.Reveal(), crypto::ViewOf(label), 32);
  };
  return {expand("rendezvous read"), expand("rendezvous append"), expand("rendezvous seal"),
          expand("pairing salt")};
}

}  // namespace parley::client

#include "client-lib/relay/connection_string.h"

#include <algorithm>
#include <cctype>

#include "crypto/base/codec.h"
#include "crypto/base/status_macros.h"
#include "crypto/primitives/hash.h"

namespace parley::client {
namespace {

using crypto::Bytes;
using crypto::ByteView;

constexpr std::string_view kPrefix = "parley-relay1:";
constexpr uint8_t kVersion = 1;
constexpr size_t kMaxAddress = 300;
constexpr size_t kMaxText = 8192;

absl::Status Damaged() {
  return absl::InvalidArgumentError(
      "the connection string is damaged or cut short; copy it again as a whole");
}

bool IsHostCharacter(char c) {
  const unsigned char u = static_cast<unsigned char>(c);
  return std::isalnum(u) != 0 || c == '.' || c == '-' || c == '_';
}
bool IsIpv6Character(char c) {
  const unsigned char u = static_cast<unsigned char>(c);
  return std::isxdigit(u) != 0 || c == ':' || c == '.';
}

// BE16 length || bytes.
absl::Status ReadShort(crypto::Reader& reader, ByteView& out) {
  uint16_t size = 0;
  PARLEY_RETURN_IF_ERROR(reader.ReadUint16(size));
  return reader.ReadRaw(size, out);
}

absl::StatusOr<ConnectionString> ParseBody(ByteView body) {
  crypto::Reader reader(body);
  ConnectionString result;
  uint8_t version = 0;
  ByteView key, address, token;
  PARLEY_RETURN_IF_ERROR(reader.ReadUint8(version));
  if (version > kVersion) {
    return absl::FailedPreconditionError("newer");
  }
  PARLEY_RETURN_IF_ERROR(reader.ReadRaw(result.relay.identity_key.size(), key));
  PARLEY_RETURN_IF_ERROR(ReadShort(reader, address));
  PARLEY_RETURN_IF_ERROR(ReadShort(reader, token));
  PARLEY_RETURN_IF_ERROR(reader.ExpectEnd());
  if (version != kVersion) return absl::InvalidArgumentError("version 0");
  std::copy(key.begin(), key.end(), result.relay.identity_key.begin());
  result.relay.address = crypto::ToString(address);
  result.sponsor_token = crypto::Secret::CopyOf(token);
  return result;
}

}  // namespace

absl::Status CheckAddress(std::string_view address) {
  const auto wrong = [](const char* what) {
    return absl::InvalidArgumentError(std::string("the relay's address ") + what +
                                      "; it has the form host:port");
  };
  if (address.size() > kMaxAddress) return wrong("is too long");
  const size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return wrong("has no port");
  const std::string_view host = address.substr(0, colon);
  const std::string_view port = address.substr(colon + 1);
  const bool is_ipv6 = host.size() > 2 && host.front() == '[' && host.back() == ']';
  const std::string_view name = is_ipv6 ? host.substr(1, host.size() - 2) : host;
  if (name.empty() ||
      !std::all_of(name.begin(), name.end(), is_ipv6 ? IsIpv6Character : IsHostCharacter)) {
    return wrong("has no usable host");
  }
  int number = 0;
  for (char c : port) {
    if (c < '0' || c > '9' || number > 65535) return wrong("has no usable port");
    number = number * 10 + (c - '0');
  }
  if (port.empty() || port.front() == '0' || number > 65535) return wrong("has no usable port");
  return absl::OkStatus();
}

absl::StatusOr<ConnectionString> ParseConnectionString(std::string_view text) {
  // People paste with blanks and line ends around.
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.remove_suffix(1);
  }
  if (text.starts_with("parley-invite")) {
    return absl::InvalidArgumentError(
        "this is an invitation to a case, not a relay's connection string; it is what one joins "
        "with");
  }
  if (!text.starts_with(kPrefix)) {
    return absl::InvalidArgumentError(
        text.starts_with("parley-relay")
            ? "the connection string is of another version of Parley; update this one"
            : "this is not a connection string: it begins with " + std::string(kPrefix));
  }
  if (text.size() > kMaxText) return Damaged();
  absl::StatusOr<Bytes> body = crypto::FromBase64Url(text.substr(kPrefix.size()));
  if (!body.ok()) return Damaged();
  absl::StatusOr<ConnectionString> result = ParseBody(*body);
  crypto::WipeBytes(*body);
  if (result.status().code() == absl::StatusCode::kFailedPrecondition) {
    return absl::InvalidArgumentError(
        "the connection string is damaged or cut short, or of a newer version of Parley: copy it "
        "again as a whole; if that doesn't help, update this one");
  }
  if (!result.ok()) return Damaged();
  PARLEY_RETURN_IF_ERROR(CheckAddress(result->relay.address));
  return result;
}

std::string FormatConnectionString(const ConnectionInfo& relay, ByteView sponsor_token) {
  crypto::Writer writer;
  writer.WriteUint8(kVersion);
  writer.WriteRaw(relay.identity_key);
  writer.WriteUint16(static_cast<uint16_t>(relay.address.size()));
  writer.WriteRaw(crypto::ViewOf(relay.address));
  writer.WriteUint16(static_cast<uint16_t>(sponsor_token.size()));
  writer.WriteRaw(sponsor_token);
  std::string body = crypto::ToBase64Url(writer.view());
  const crypto::ScopedWipe wipe(body);
  std::string text;
  text.reserve(kPrefix.size() + body.size());  // so that no part of it is left elsewhere
  return text.append(kPrefix).append(body);
}

std::string IdentityFingerprint(ByteView identity_key) {
  constexpr size_t kBytes = 20;
  const auto hash = crypto::Sha256({identity_key});
  const std::string hex = crypto::ToHex(ByteView(hash).first(kBytes));
  std::string groups;
  for (size_t i = 0; i < hex.size(); i += 4) {
    if (i != 0) groups += ' ';
    groups += hex.substr(i, 4);
  }
  return groups;
}

}  // namespace parley::client

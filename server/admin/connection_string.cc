#include "server/admin/connection_string.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>

#include "crypto/base/check.h"
#include "crypto/base/codec.h"

namespace parley::server {
namespace {

constexpr uint8_t kVersion = 1;

struct Unit {
  std::string_view name;  // lower case
  uint64_t bytes;
};
constexpr std::array<Unit, 10> kUnits = {{{"", 1},
                                          {"b", 1},
                                          {"kb", 1000},
                                          {"mb", 1000'000},
                                          {"gb", 1000'000'000},
                                          {"tb", 1000'000'000'000},
                                          {"kib", uint64_t{1} << 10},
                                          {"mib", uint64_t{1} << 20},
                                          {"gib", uint64_t{1} << 30},
                                          {"tib", uint64_t{1} << 40}}};

void WriteOpaque16(crypto::Writer& writer, crypto::ByteView bytes) {
  PARLEY_CHECK(bytes.size() <= UINT16_MAX);
  writer.WriteUint16(static_cast<uint16_t>(bytes.size()));
  writer.WriteRaw(bytes);
}

}  // namespace

std::string ConnectionString(const storage::PublicKey& identity_key, const std::string& address,
                             const crypto::Secret& sponsor_token) {
  crypto::Writer writer;
  writer.WriteUint8(kVersion);
  writer.WriteRaw(identity_key);
  WriteOpaque16(writer, crypto::ViewOf(address));
  WriteOpaque16(writer, sponsor_token.Reveal());
  return "parley-relay1:" + crypto::ToBase64Url(writer.view());
}

absl::StatusOr<HostAndPort> ParseHostAndPort(const std::string& address) {
  const absl::Status wrong = absl::InvalidArgumentError(
      "\"" + address + "\" is not HOST:PORT, like 127.0.0.1:7743 or [::1]:7743");
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) return wrong;
  HostAndPort parsed;
  parsed.host = address.substr(0, colon);
  if (parsed.host.front() == '[') {
    if (parsed.host.size() < 3 || parsed.host.back() != ']') return wrong;
    parsed.host = parsed.host.substr(1, parsed.host.size() - 2);
  } else if (parsed.host.find(':') != std::string::npos) {
    return wrong;
  }
  const bool printable = std::all_of(parsed.host.begin(), parsed.host.end(),
                                     [](char c) { return c > 0x20 && c < 0x7F && c != '/'; });
  const char* end = address.data() + address.size();
  auto [rest, error] = std::from_chars(address.data() + colon + 1, end, parsed.port);
  if (error != std::errc() || rest != end || !printable || address.size() > 300) return wrong;
  return parsed;
}

std::string FormatHostAndPort(const HostAndPort& address) {
  const bool is_ipv6 = address.host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

bool IsWildcard(const std::string& host) { return host == "0.0.0.0" || host == "::"; }

absl::StatusOr<uint64_t> ParseByteSize(const std::string& text) {
  const absl::Status wrong = absl::InvalidArgumentError(
      "\"" + text + "\" is not a size, like 20GiB, 500MB or a number of bytes");
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc()) return wrong;
  while (rest != end && *rest == ' ') ++rest;
  std::string unit(rest, end);
  for (char& c : unit) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const Unit& known : kUnits) {
    if (unit != known.name) continue;
    if (number > UINT64_MAX / known.bytes) return wrong;
    return number * known.bytes;
  }
  return wrong;
}

std::string FormatByteSize(uint64_t bytes) {
  constexpr std::array<const char*, 5> kNames = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  auto amount = static_cast<double>(bytes);
  while (amount >= 1024 && unit + 1 < kNames.size()) {
    amount /= 1024;
    ++unit;
  }
  std::array<char, 32> text;
  const int size = std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s",
                                 amount, kNames[unit]);
  return std::string(text.data(), static_cast<size_t>(size));
}

}  // namespace parley::server

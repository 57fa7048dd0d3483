#include "server/core/credentials.h"

#include <tuple>

#include "crypto/base/check.h"
#include "crypto/base/codec.h"
#include "crypto/primitives/hash.h"
#include "crypto/primitives/random.h"

namespace parley::server {
namespace {

using crypto::Bytes;
using crypto::ByteView;
using crypto::ViewOf;

constexpr uint8_t kVersion = 1;
constexpr size_t kMacSize = 32;

struct ChallengeBody {
  crypto::ByteArray<16> random{};
  uint64_t expires_at = 0;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.random, self.expires_at);
  }
};

struct TokenBody {
  storage::ObjectId object{};
  uint64_t generation = 0;
  AccessRight right = AccessRight::kRead;
  uint64_t expires_at = 0;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.object, self.generation, self.right, self.expires_at);
  }
};

struct VoucherBody {
  storage::VoucherId id{};
  storage::SponsorId sponsor{};
  uint64_t epoch = 0;
  uint64_t max_bytes = 0;
  uint64_t expires_at = 0;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.id, self.sponsor, self.epoch, self.max_bytes, self.expires_at);
  }
};

template <typename Body>
std::string Seal(const crypto::Secret& key, const Body& body) {
  crypto::Writer writer;
  writer.WriteUint8(kVersion);
  crypto::Encode(writer, body);
  const Bytes mac = crypto::KeyedHash(key.Reveal(), writer.view(), kMacSize);
  return crypto::ToString(writer.view()) + crypto::ToString(mac);
}

template <typename Body>
absl::StatusOr<Body> Open(const crypto::Secret& key, std::string_view sealed, const char* what) {
  const std::string name(what);
  if (sealed.size() <= kMacSize + 1 || sealed[0] != kVersion) {
    return absl::UnauthenticatedError("this is not a " + name + " of this relay");
  }
  const ByteView covered = ViewOf(sealed.substr(0, sealed.size() - kMacSize));
  const Bytes mac = crypto::KeyedHash(key.Reveal(), covered, kMacSize);
  if (!crypto::ConstantTimeEquals(mac, ViewOf(sealed.substr(covered.size())))) {
    return absl::UnauthenticatedError("this is not a " + name + " of this relay");
  }
  absl::StatusOr<Body> body = crypto::Parse<Body>(covered.subspan(1));
  if (!body.ok()) return absl::UnauthenticatedError("this is not a " + name + " of this relay");
  return body;
}

crypto::Secret Derive(const crypto::Secret& secret, std::string_view label) {
  return crypto::HmacSecret(crypto::HashAlgorithm::kSha256, secret.Reveal(), ViewOf(label));
}

}  // namespace

Credentials::Credentials(const crypto::Secret& relay_secret)
    : challenge_key_(Derive(relay_secret, "parley relay challenge key v1")),
      token_key_(Derive(relay_secret, "parley relay token key v1")),
      voucher_key_(Derive(relay_secret, "parley relay voucher key v1")) {
  PARLEY_CHECK(relay_secret.size() == 32);
}

std::string Credentials::IssueChallenge(uint64_t expires_at) const {
  return Seal(challenge_key_, ChallengeBody{crypto::RandomArray<16>(), expires_at});
}

absl::Status Credentials::CheckChallenge(std::string_view challenge, uint64_t now) const {
  PARLEY_ASSIGN_OR_RETURN(ChallengeBody body,
                          Open<ChallengeBody>(challenge_key_, challenge, "challenge"));
  if (body.expires_at <= now) {
    return absl::UnauthenticatedError("this challenge has expired: ask for a new one");
  }
  return absl::OkStatus();
}

std::string Credentials::IssueToken(const TokenClaims& claims) const {
  return Seal(token_key_,
              TokenBody{claims.object, claims.generation, claims.right, claims.expires_at});
}

absl::StatusOr<TokenClaims> Credentials::CheckToken(std::string_view token, uint64_t now) const {
  PARLEY_ASSIGN_OR_RETURN(TokenBody body, Open<TokenBody>(token_key_, token, "session token"));
  if (body.expires_at <= now) {
    return absl::UnauthenticatedError("this session token has expired: open a new session");
  }
  return TokenClaims{body.object, body.generation, body.right, body.expires_at};
}

std::string Credentials::IssueVoucher(const VoucherClaims& claims) const {
  return Seal(voucher_key_, VoucherBody{claims.id, claims.sponsor, claims.epoch, claims.max_bytes,
                                        claims.expires_at});
}

absl::StatusOr<VoucherClaims> Credentials::CheckVoucher(std::string_view voucher) const {
  PARLEY_ASSIGN_OR_RETURN(VoucherBody body, Open<VoucherBody>(voucher_key_, voucher, "voucher"));
  return VoucherClaims{body.id, body.sponsor, body.epoch, body.max_bytes, body.expires_at};
}

}  // namespace parley::server

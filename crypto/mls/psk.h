// Pre-shared keys (RFC 9420 section 8.4): secrets mixed into an epoch from outside.
#ifndef PARLEY_CRYPTO_MLS_PSK_H_
#define PARLEY_CRYPTO_MLS_PSK_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "crypto/base/codec.h"
#include "crypto/mls/ciphersuite.h"

namespace parley::mls {

// enum { reserved(0), external(1), resumption(2), (255) } PSKType;
enum class PskType : uint8_t { kExternal = 1, kResumption = 2 };

// enum { reserved(0), application(1), reinit(2), branch(3), (255) } ResumptionPSKUsage;
enum class ResumptionPskUsage : uint8_t { kApplication = 1, kReinit = 2, kBranch = 3 };

// struct {
//     PSKType psktype;
//     select (PreSharedKeyID.psktype) {
//         case external:
//             opaque psk_id<V>;
//         case resumption:
//             ResumptionPSKUsage usage;
//             opaque psk_group_id<V>;
//             uint64 psk_epoch;
//     };
//     opaque psk_nonce<V>;
// } PreSharedKeyID;
struct PreSharedKeyId {
  PskType type = PskType::kExternal;
  Bytes psk_id{};  // of an external one
  ResumptionPskUsage usage = ResumptionPskUsage::kApplication;
  Bytes psk_group_id{};
  uint64_t psk_epoch = 0;
  Bytes psk_nonce{};

  // An external PSK's id with a fresh nonce of the suite's hash length.
  static PreSharedKeyId External(const CipherSuite& suite, Bytes psk_id);
  friend bool operator==(const PreSharedKeyId&, const PreSharedKeyId&) = default;
};

void Encode(crypto::Writer& w, const PreSharedKeyId& id);
absl::Status Decode(crypto::Reader& r, PreSharedKeyId& id);

// How many PSKs one epoch may have: far more than any has, few enough for PSKLabel's counter.
inline constexpr size_t kMaxPsks = 256;

// Errors: InvalidArgument also for more than kMaxPsks.
absl::Status Decode(crypto::Reader& r, std::vector<PreSharedKeyId>& ids);

// The rules for all PSKs of one commit or Welcome together: at most kMaxPsks, none twice (section
// 12.2), and each "psk_nonce … of length KDF.Nh" (section 8.4).
// Errors: InvalidArgument.
absl::Status CheckPskIds(const CipherSuite& suite, const std::vector<PreSharedKeyId>& ids);

// Gives the secret for an id, or none when it isn't known. A group knows its own past resumption
// secrets and asks this only for the others.
using PskLookup = std::function<std::optional<Secret>(const PreSharedKeyId& id)>;

// One PSK with its id, in the order in which the commit or the Welcome names them.
struct Psk {
  PreSharedKeyId id;
  Secret secret;
};

// The psk_secret of section 8.4: all of them folded into one; zeros for none.
// Requires: at most kMaxPsks.
Secret ComputePskSecret(const CipherSuite& suite, const std::vector<Psk>& psks);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_PSK_H_

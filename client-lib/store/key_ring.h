// The profile's keys and how they are wrapped: the header of profile.db.
//
//   store key (random)  wraps  index key and class keys
//   passphrase -Argon2id->  wraps  store key;   or the store key lies in the file store.key
//
// Threading: plain values; a KeyRing is read-only after it was made.
#ifndef PARLEY_CLIENT_LIB_STORE_KEY_RING_H_
#define PARLEY_CLIENT_LIB_STORE_KEY_RING_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/store/profile_store.h"
#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"
#include "crypto/primitives/password_hash.h"

namespace parley::client::internal {

inline constexpr uint8_t kHeaderVersion = 1;
inline constexpr size_t kStoreKeySize = 32;

enum class StoreKeyPlace : uint8_t { kFile = 0, kPassphrase = 1 };

// As it stands in the database, in the TLS presentation language, followed by its SHA-256: damage
// and a wrong passphrase are told apart by that.
struct StoreHeader {
  uint8_t version = kHeaderVersion;
  StoreKeyPlace place = StoreKeyPlace::kFile;
  uint32_t passes = 0;
  uint64_t memory_bytes = 0;
  crypto::ByteArray<crypto::kPasswordSaltSize> salt{};
  crypto::Bytes wrapped_store_key;  // empty when the place is a file
  crypto::Bytes wrapped_keys;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.place, self.passes, self.memory_bytes, self.salt,
                    self.wrapped_store_key, self.wrapped_keys);
  }
};

crypto::Bytes SerializeHeader(const StoreHeader& header);
// Errors: InvalidArgument for damaged bytes; FailedPrecondition for a newer version.
absl::StatusOr<StoreHeader> ParseHeader(crypto::ByteView bytes);

// A key under which one class's values are sealed. Ids are never used twice.
struct ClassKey {
  uint32_t id = 0;
  uint8_t record_class = 0;
  crypto::Secret key;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.id, self.record_class, self.key);
  }
};

class KeyRing {
 public:
  static KeyRing Generate();
  KeyRing(KeyRing&&) noexcept = default;
  KeyRing& operator=(KeyRing&&) noexcept = default;

  // BLAKE2b-256(index key, class (1) || name).
  crypto::Bytes RecordKey(RecordClass record_class, std::string_view name) const;
  // key id (4) || nonce (24) || XChaCha20-Poly1305(class key, nonce, record key || key id, value).
  crypto::Bytes SealValue(RecordClass record_class, crypto::ByteView record_key,
                          crypto::ByteView value) const;
  // Errors: Unauthenticated for anything that SealValue didn't make for this class and record.
  absl::StatusOr<crypto::Secret> OpenValue(RecordClass record_class, crypto::ByteView record_key,
                                           crypto::ByteView sealed) const;
  // The same for a value of any class.
  absl::StatusOr<crypto::Secret> OpenAnyValue(crypto::ByteView record_key,
                                              crypto::ByteView sealed) const;

  // A header around these keys and `store_key`, which `passphrase` wraps if it isn't null.
  absl::StatusOr<StoreHeader> Wrap(const crypto::Secret& store_key,
                                   const crypto::Secret* passphrase,
                                   const crypto::PasswordHashParameters& hardness) const;
  // Errors: Unauthenticated when `store_key` isn't the header's.
  static absl::StatusOr<KeyRing> Unwrap(const StoreHeader& header, const crypto::Secret& store_key);

 private:
  struct Contents {
    crypto::Secret index_key;
    std::vector<ClassKey> class_keys;  // the last one of a class seals

    template <typename F>
    static auto Fields(F& self) {
      return std::tie(self.index_key, self.class_keys);
    }
  };
  explicit KeyRing(Contents contents) : contents_(std::move(contents)) {}
  Contents contents_;
};

// The store key that `passphrase` wraps. Errors: Unauthenticated when it is another one;
// ResourceExhausted when Argon2id's memory can't be had.
absl::StatusOr<crypto::Secret> UnwrapStoreKey(const StoreHeader& header,
                                              const crypto::Secret& passphrase);

}  // namespace parley::client::internal

#endif  // PARLEY_CLIENT_LIB_STORE_KEY_RING_H_

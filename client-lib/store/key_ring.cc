#include "client-lib/store/key_ring.h"

#include <algorithm>
#include <utility>

#include "crypto/base/check.h"
#include "crypto/base/codec.h"
#include "crypto/base/status_macros.h"
#include "crypto/primitives/aead.h"
#include "crypto/primitives/hash.h"
#include "crypto/primitives/random.h"

namespace parley::client::internal {
namespace {

using crypto::Bytes;
using crypto::ByteView;
using crypto::Secret;

constexpr size_t kKeyIdSize = 4;

// Bound to how the key is wrapped, so that nobody can weaken Argon2id's parameters unnoticed.
Bytes StoreKeyAad(const StoreHeader& header) {
  StoreHeader bound = header;
  bound.wrapped_store_key.clear();
  bound.wrapped_keys.clear();
  return crypto::Concat({crypto::ViewOf("parley store key v1"), crypto::Serialize(bound)});
}

Bytes KeysAad() { return crypto::ToBytes("parley store class keys v1"); }

}  // namespace

Bytes SerializeHeader(const StoreHeader& header) {
  Bytes bytes = crypto::Serialize(header);
  const auto digest = crypto::Sha256({bytes});
  bytes.insert(bytes.end(), digest.begin(), digest.end());
  return bytes;
}

absl::StatusOr<StoreHeader> ParseHeader(ByteView bytes) {
  if (bytes.size() <= crypto::kSha256Size)
    return absl::InvalidArgumentError("the header is cut short");
  const ByteView body = bytes.first(bytes.size() - crypto::kSha256Size);
  const auto digest = crypto::Sha256({body});
  if (!crypto::PublicEquals(digest, bytes.subspan(body.size()))) {
    return absl::InvalidArgumentError("the header's checksum is wrong");
  }
  if (body[0] > kHeaderVersion) return absl::FailedPreconditionError("a newer header");
  PARLEY_ASSIGN_OR_RETURN(StoreHeader header, crypto::Parse<StoreHeader>(body));
  if (header.version != kHeaderVersion || header.place > StoreKeyPlace::kPassphrase) {
    return absl::InvalidArgumentError("the header makes no sense");
  }
  return header;
}

KeyRing KeyRing::Generate() {
  Contents contents;
  contents.index_key = Secret::Random(crypto::kKeyedHashKeySize);
  uint32_t id = 1;
  for (RecordClass record_class :
       {RecordClass::kRatchet, RecordClass::kContent, RecordClass::kKeys, RecordClass::kIndex}) {
    contents.class_keys.push_back(
        {id++, static_cast<uint8_t>(record_class), Secret::Random(kStoreKeySize)});
  }
  return KeyRing(std::move(contents));
}

Bytes KeyRing::RecordKey(RecordClass record_class, std::string_view name) const {
  const uint8_t prefix = static_cast<uint8_t>(record_class);
  return crypto::KeyedHash(contents_.index_key.Reveal(),
                           crypto::Concat({ByteView(&prefix, 1), crypto::ViewOf(name)}));
}

Bytes KeyRing::SealValue(RecordClass record_class, ByteView record_key, ByteView value) const {
  const auto key = std::find_if(
      contents_.class_keys.rbegin(), contents_.class_keys.rend(),
      [&](const ClassKey& k) { return k.record_class == static_cast<uint8_t>(record_class); });
  PARLEY_CHECK(key != contents_.class_keys.rend());
  const auto id = crypto::BigEndian32(key->id);
  const Bytes box = crypto::SealBox(key->key.Reveal(), crypto::Concat({record_key, id}), value);
  return crypto::Concat({id, box});
}

absl::StatusOr<Secret> KeyRing::OpenValue(RecordClass record_class, ByteView record_key,
                                          ByteView sealed) const {
  if (sealed.size() < kKeyIdSize) return crypto::DecryptionFailed();
  for (const ClassKey& key : contents_.class_keys) {
    if (key.record_class == static_cast<uint8_t>(record_class) &&
        crypto::PublicEquals(crypto::BigEndian32(key.id), sealed.first(kKeyIdSize))) {
      return OpenAnyValue(record_key, sealed);
    }
  }
  return crypto::DecryptionFailed();
}

absl::StatusOr<Secret> KeyRing::OpenAnyValue(ByteView record_key, ByteView sealed) const {
  if (sealed.size() < kKeyIdSize) return crypto::DecryptionFailed();
  const ByteView id = sealed.first(kKeyIdSize);
  for (const ClassKey& key : contents_.class_keys) {
    if (!crypto::PublicEquals(crypto::BigEndian32(key.id), id)) continue;
    return crypto::OpenBoxSecret(key.key.Reveal(), crypto::Concat({record_key, id}),
                                 sealed.subspan(kKeyIdSize));
  }
  return crypto::DecryptionFailed();
}

absl::StatusOr<StoreHeader> KeyRing::Wrap(const Secret& store_key, const Secret* passphrase,
                                          const crypto::PasswordHashParameters& hardness) const {
  StoreHeader header;
  if (passphrase != nullptr) {
    header.place = StoreKeyPlace::kPassphrase;
    header.passes = hardness.passes;
    header.memory_bytes = hardness.memory_bytes;
    header.salt = crypto::RandomArray<crypto::kPasswordSaltSize>();
    PARLEY_ASSIGN_OR_RETURN(Secret wrapping, crypto::HashPassword(passphrase->Reveal(), header.salt,
                                                                  hardness, kStoreKeySize));
    header.wrapped_store_key =
        crypto::SealBox(wrapping.Reveal(), StoreKeyAad(header), store_key.Reveal());
  }
  const Secret contents = crypto::SerializeSecret(contents_);
  header.wrapped_keys = crypto::SealBox(store_key.Reveal(), KeysAad(), contents.Reveal());
  return header;
}

absl::StatusOr<KeyRing> KeyRing::Unwrap(const StoreHeader& header, const Secret& store_key) {
  PARLEY_ASSIGN_OR_RETURN(
      Secret serialized, crypto::OpenBoxSecret(store_key.Reveal(), KeysAad(), header.wrapped_keys));
  PARLEY_ASSIGN_OR_RETURN(Contents contents, crypto::Parse<Contents>(serialized.Reveal()));
  bool usable = contents.index_key.size() == crypto::kKeyedHashKeySize;
  for (const ClassKey& key : contents.class_keys) usable &= key.key.size() == kStoreKeySize;
  for (uint8_t record_class = 1; record_class <= 4; ++record_class) {
    usable &= std::any_of(contents.class_keys.begin(), contents.class_keys.end(),
                          [&](const ClassKey& k) { return k.record_class == record_class; });
  }
  if (!usable) return absl::InvalidArgumentError("a class key is missing");
  return KeyRing(std::move(contents));
}

absl::StatusOr<Secret> UnwrapStoreKey(const StoreHeader& header, const Secret& passphrase) {
  PARLEY_ASSIGN_OR_RETURN(
      Secret wrapping, crypto::HashPassword(passphrase.Reveal(), header.salt,
                                            {header.passes, header.memory_bytes}, kStoreKeySize));
  PARLEY_ASSIGN_OR_RETURN(
      Secret store_key,
      crypto::OpenBoxSecret(wrapping.Reveal(), StoreKeyAad(header), header.wrapped_store_key));
  if (store_key.size() != kStoreKeySize) return crypto::DecryptionFailed();
  return store_key;
}

}  // namespace parley::client::internal

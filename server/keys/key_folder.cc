#include "server/keys/key_folder.h"

#include <utility>

#include "crypto/base/status_macros.h"
#include "crypto/primitives/hash.h"
#include "server/keys/private_files.h"

namespace parley::server {
namespace {

constexpr size_t kSecretSize = 32;
constexpr size_t kFingerprintBytes = 20;

absl::StatusOr<std::string> KeyFile(const std::string& data_folder, const char* name) {
  PARLEY_RETURN_IF_ERROR(MakePrivateFolder(data_folder));
  const std::string folder = data_folder + "/keys";
  PARLEY_RETURN_IF_ERROR(MakePrivateFolder(folder));
  return folder + "/" + name;
}

std::string TextOf(const crypto::Secret& bytes) { return crypto::ToString(bytes.Reveal()); }

}  // namespace

absl::StatusOr<RelayIdentity> LoadOrMakeIdentity(const std::string& data_folder) {
  PARLEY_ASSIGN_OR_RETURN(std::string seed_file, KeyFile(data_folder, "identity.seed"));
  PARLEY_ASSIGN_OR_RETURN(std::string secret_file, KeyFile(data_folder, "relay.secret"));
  PARLEY_ASSIGN_OR_RETURN(std::optional<crypto::Secret> seed, ReadPrivateFile(seed_file));
  PARLEY_ASSIGN_OR_RETURN(std::optional<crypto::Secret> secret, ReadPrivateFile(secret_file));
  if (!seed.has_value()) {
    if (secret.has_value()) {
      return absl::DataLossError(seed_file +
                                 " is missing: restore it from a backup, since clients "
                                 "know this relay by it");
    }
    RelayIdentity identity = RelayIdentity::Generate();
    // The seed first: with it alone a start that was cut short is completed by the next one.
    PARLEY_RETURN_IF_ERROR(WritePrivateFile(seed_file, identity.key.Seed().Reveal()));
    PARLEY_RETURN_IF_ERROR(WritePrivateFile(secret_file, identity.secret.Reveal()));
    return identity;
  }
  if (!secret.has_value()) {
    // Without it tokens and vouchers that are out become invalid, and nothing worse happens.
    secret = crypto::Secret::Random(kSecretSize);
    PARLEY_RETURN_IF_ERROR(WritePrivateFile(secret_file, secret->Reveal()));
  }
  absl::StatusOr<crypto::SignatureKey> key = crypto::SignatureKey::FromSeed(seed->Reveal());
  if (!key.ok()) return absl::DataLossError(seed_file + " is damaged: restore it from a backup");
  if (secret->size() != kSecretSize) {
    return absl::DataLossError(secret_file + " is damaged: restore it from a backup, or delete it");
  }
  return RelayIdentity{*std::move(key), *std::move(secret)};
}

absl::StatusOr<storage::PublicKey> ReadIdentityKey(const std::string& data_folder) {
  const std::string seed_file = data_folder + "/keys/identity.seed";
  PARLEY_ASSIGN_OR_RETURN(std::optional<crypto::Secret> seed, ReadPrivateFile(seed_file));
  if (!seed.has_value()) return absl::DataLossError(seed_file + " is missing");
  const absl::StatusOr<crypto::SignatureKey> key = crypto::SignatureKey::FromSeed(seed->Reveal());
  if (!key.ok()) return absl::DataLossError(seed_file + " is damaged");
  return key->public_key();
}

absl::Status CheckIdentity(const std::string& data_folder) {
  PARLEY_RETURN_IF_ERROR(ReadIdentityKey(data_folder).status());
  const std::string secret_file = data_folder + "/keys/relay.secret";
  PARLEY_ASSIGN_OR_RETURN(std::optional<crypto::Secret> secret, ReadPrivateFile(secret_file));
  if (secret.has_value() && secret->size() != kSecretSize) {
    return absl::DataLossError(secret_file + " is damaged");
  }
  return absl::OkStatus();
}

absl::StatusOr<TlsCertificate> LoadOrMakeCertificate(const std::string& data_folder,
                                                     const std::string& host) {
  PARLEY_ASSIGN_OR_RETURN(std::string key_file, KeyFile(data_folder, "tls-key.pem"));
  PARLEY_ASSIGN_OR_RETURN(std::string certificate_file,
                          KeyFile(data_folder, "tls-certificate.pem"));
  PARLEY_ASSIGN_OR_RETURN(std::optional<crypto::Secret> key, ReadPrivateFile(key_file));
  if (!key.has_value()) {
    key = MakeTlsKey();
    PARLEY_RETURN_IF_ERROR(WritePrivateFile(key_file, key->Reveal()));
  }
  // The certificate is made at each start: the address may be another one, and time passes. The key
  // stays, so that clients that have checked it need not do so again.
  absl::StatusOr<TlsCertificate> made = MakeTlsCertificate(*key, host);
  if (!made.ok()) {
    return absl::Status(made.status().code(), std::string(made.status().message()) + ": " +
                                                  key_file + " may be deleted; it is made anew");
  }
  PARLEY_RETURN_IF_ERROR(WritePrivateFile(certificate_file, crypto::ViewOf(made->certificate_pem)));
  return made;
}

absl::StatusOr<TlsCertificate> LoadCertificate(const std::string& certificate_file,
                                               const std::string& key_file) {
  // They are the operator's, and renewing programs keep them behind links.
  PARLEY_ASSIGN_OR_RETURN(std::optional<crypto::Secret> certificate,
                          ReadPrivateFile(certificate_file, Links::kFollow));
  if (!certificate.has_value()) {
    return absl::InvalidArgumentError("there is no file " + certificate_file);
  }
  PARLEY_ASSIGN_OR_RETURN(std::optional<crypto::Secret> key,
                          ReadPrivateFile(key_file, Links::kFollow));
  if (!key.has_value()) return absl::InvalidArgumentError("there is no file " + key_file);
  absl::StatusOr<TlsCertificate> parsed =
      ParseTlsCertificate(TextOf(*certificate), *std::move(key));
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(certificate_file + " and " + key_file + ": " +
                                      std::string(parsed.status().message()));
  }
  return parsed;
}

absl::StatusOr<std::string> LoadAddress(const std::string& data_folder) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<crypto::Secret> address,
                          ReadPrivateFile(data_folder + "/address"));
  return address.has_value() ? TextOf(*address) : std::string();
}

absl::Status StoreAddress(const std::string& data_folder, const std::string& address) {
  return WritePrivateFile(data_folder + "/address", crypto::ViewOf(address));
}

std::string Fingerprint(const storage::PublicKey& identity_key) {
  const auto hash = crypto::Sha256({identity_key});
  const std::string hex = crypto::ToHex(crypto::ByteView(hash).first(kFingerprintBytes));
  std::string groups;
  for (size_t i = 0; i < hex.size(); i += 4) {
    if (i != 0) groups += ' ';
    groups += hex.substr(i, 4);
  }
  return groups;
}

}  // namespace parley::server

// The relay's keys in DIR/keys: made at the first start, readable by their owner alone.
//
//   identity.seed   the Ed25519 identity that clients pin: losing it makes every client distrust
//                   the relay; stealing it lets another relay pose as this one
//   relay.secret    what session tokens, challenges and vouchers are made with
//   tls-key.pem, tls-certificate.pem   can be deleted at any time: they are made anew
//
// Threading: free functions; one process at a time (DataFolderLock).
#ifndef PARLEY_SERVER_KEYS_KEY_FOLDER_H_
#define PARLEY_SERVER_KEYS_KEY_FOLDER_H_

#include <string>

#include "absl/status/statusor.h"
#include "server/core/core.h"
#include "server/keys/tls_certificate.h"

namespace parley::server {

// Errors: Unavailable; DataLoss when only one of the two files is there or one is damaged.
absl::StatusOr<RelayIdentity> LoadOrMakeIdentity(const std::string& data_folder);

// Whether LoadOrMakeIdentity would take what is there, without making anything.
// Errors: DataLoss when the identity is missing or damaged; Unavailable.
absl::Status CheckIdentity(const std::string& data_folder);

// The public half of the identity, without making anything. Errors: as CheckIdentity.
absl::StatusOr<storage::PublicKey> ReadIdentityKey(const std::string& data_folder);

// The relay's own pair, for `host`. Errors: Unavailable, InvalidArgument.
absl::StatusOr<TlsCertificate> LoadOrMakeCertificate(const std::string& data_folder,
                                                     const std::string& host);

// A pair from files of the operator's. Errors: Unavailable, InvalidArgument, naming the file.
absl::StatusOr<TlsCertificate> LoadCertificate(const std::string& certificate_file,
                                               const std::string& key_file);

// DIR/address: "host:port" as last stored, where the relay listened; empty when there is none.
absl::StatusOr<std::string> LoadAddress(const std::string& data_folder);
absl::Status StoreAddress(const std::string& data_folder, const std::string& address);

// What people compare: the first 20 bytes of SHA-256(identity key), hexadecimal, in groups of four.
std::string Fingerprint(const storage::PublicKey& identity_key);

}  // namespace parley::server

#endif  // PARLEY_SERVER_KEYS_KEY_FOLDER_H_

// The bytes that clients and the relay sign, as relay.proto lays them out.
//
// Threading: free functions without shared state.
#ifndef PARLEY_SERVER_CORE_SIGNED_ACTS_H_
#define PARLEY_SERVER_CORE_SIGNED_ACTS_H_

#include <cstdint>
#include <string_view>

#include "crypto/base/bytes.h"
#include "server/core/credentials.h"
#include "storage/records/records.h"

namespace parley::server {

enum class ControlAct : uint8_t { kTrim = 1, kExpire = 2, kDelete = 3 };

// OpenSessionRequest.signature.
crypto::Bytes SessionMessage(const storage::PublicKey& relay_identity, std::string_view challenge,
                             const storage::ObjectId& object, uint64_t generation,
                             AccessRight right);

// Closing.control_signature.
crypto::Bytes ClosingMessage(const storage::ObjectId& mailbox, uint64_t closed_generation,
                             std::string_view payload, const storage::GenerationKeySet& next_keys);

// ControlMailboxRequest.control_signature.
crypto::Bytes ControlMessage(const storage::PublicKey& relay_identity, std::string_view challenge,
                             const storage::ObjectId& mailbox, uint64_t generation, ControlAct act,
                             uint64_t argument);

// GetInfoResponse.tls_key_signature.
crypto::Bytes TlsKeyMessage(crypto::ByteView tls_key_hash, uint64_t not_before, uint64_t not_after);

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_SIGNED_ACTS_H_

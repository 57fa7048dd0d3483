// The allocator behind Secret: pages that are locked and left out of core dumps, and whose pieces
// are wiped when freed.
//
// Small pieces share pages (a key schedule has hundreds of 32-byte secrets, and a lock per secret
// would exhaust RLIMIT_MEMLOCK); pieces over kLargeSecret get a mapping of their own.
//
// Threading: safe to call from any thread.
#ifndef PARLEY_CRYPTO_BASE_SECRET_MEMORY_H_
#define PARLEY_CRYPTO_BASE_SECRET_MEMORY_H_

#include <cstddef>
#include <cstdint>

namespace parley::crypto {

inline constexpr size_t kLargeSecret = 4096;

// `size` (> 0) zero bytes. Aborts when the machine has no memory left.
uint8_t* AllocateSecret(size_t size);

// Wipes and frees what AllocateSecret gave for the same `size`.
void FreeSecret(uint8_t* data, size_t size);

}  // namespace parley::crypto

#endif  // PARLEY_CRYPTO_BASE_SECRET_MEMORY_H_

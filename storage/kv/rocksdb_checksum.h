// RocksDB's checksum by the processor's instructions (docs/decisions/0006).
//
// Debian builds RocksDB for processors without SSE 4.2, so it computes CRC-32C by tables, at 1
// GB/s: a third of all that the relay's processor does while a file comes in, since each byte is
// checked in the write-ahead log and once more in its file. RocksDB calls rocksdb::crc32c::Extend
// through the dynamic linker, which takes the one that is defined here. The values are the same:
// stores written with the one are read with the other.
//
// Threading: safe from any thread.
#ifndef PARLEY_STORAGE_KV_ROCKSDB_CHECKSUM_H_
#define PARLEY_STORAGE_KV_ROCKSDB_CHECKSUM_H_

#include <cstdint>
#include <string_view>

namespace parley::storage {

// Must be called before a store is opened: it links the function into the program, and CHECK-fails
// should it compute anything but CRC-32C on this machine.
void PrepareRocksDbChecksum();

// CRC-32C, as RocksDB computes it, of what `start` is the checksum of (0: nothing), followed by
// `bytes`.
uint32_t Crc32c(uint32_t start, std::string_view bytes);

}  // namespace parley::storage

#endif  // PARLEY_STORAGE_KV_ROCKSDB_CHECKSUM_H_

#include "storage/kv/rocksdb_checksum.h"

#include <cstddef>
#include <cstdint>

#include "crypto/base/check.h"

#if defined(__x86_64__)

#include <dlfcn.h>
#include <immintrin.h>

#include <cstring>

namespace {

using Function = uint32_t (*)(uint32_t, const char*, size_t);

__attribute__((target("sse4.2"))) uint32_t ExtendByInstructions(uint32_t start, const char* data,
                                                                size_t size) {
  uint64_t sum = start ^ 0xFFFFFFFFu;
  while (size >= 8) {
    uint64_t word;
    std::memcpy(&word, data, 8);
    sum = _mm_crc32_u64(sum, word);
    data += 8;
    size -= 8;
  }
  uint32_t last = static_cast<uint32_t>(sum);
  for (; size > 0; --size) last = _mm_crc32_u8(last, static_cast<uint8_t>(*data++));
  return last ^ 0xFFFFFFFFu;
}

Function Choose() {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("sse4.2")) return ExtendByInstructions;
  // RocksDB's own.
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, "_ZN7rocksdb6crc32c6ExtendEjPKcm"));
}

}  // namespace

namespace rocksdb::crc32c {

// CRC-32C (Castagnoli) of what `start` is the checksum of (0: nothing), followed by `data`.
uint32_t Extend(uint32_t start, const char* data, size_t size) {
  static const Function chosen = Choose();
  return chosen(start, data, size);
}

}  // namespace rocksdb::crc32c

namespace parley::storage {

void PrepareRocksDbChecksum() {
  // RFC 3720 appendix B.4 and the check value that catalogues of CRCs give.
  static const char kZeros[32] = {};
  PARLEY_CHECK(rocksdb::crc32c::Extend(0, "123456789", 9) == 0xE3069283u);
  PARLEY_CHECK(rocksdb::crc32c::Extend(0, kZeros, sizeof(kZeros)) == 0x8A9136AAu);
}

}  // namespace parley::storage

#else  // other processors: RocksDB's own

namespace rocksdb::crc32c {
uint32_t Extend(uint32_t start, const char* data, size_t size);
}  // namespace rocksdb::crc32c

namespace parley::storage {
void PrepareRocksDbChecksum() {}
}  // namespace parley::storage

#endif

namespace parley::storage {

uint32_t Crc32c(uint32_t start, std::string_view bytes) {
  return rocksdb::crc32c::Extend(start, bytes.data(), bytes.size());
}

}  // namespace parley::storage

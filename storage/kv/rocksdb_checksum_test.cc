#include "storage/kv/rocksdb_checksum.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

#if defined(__x86_64__)

namespace rocksdb::crc32c {
uint32_t Extend(uint32_t start, const char* data, size_t size);
}

namespace parley::storage {
namespace {

using rocksdb::crc32c::Extend;

// Bit by bit, from the polynomial.
uint32_t Reference(uint32_t start, const std::string& data) {
  uint32_t sum = ~start;
  for (const char byte : data) {
    sum ^= static_cast<uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ ((sum & 1) != 0 ? 0x82F63B78u : 0);
  }
  return ~sum;
}

TEST(RocksDbChecksumTest, IsCrc32cAtEverySizeAlignmentAndStart) {
  std::mt19937 random(42);
  std::string data(300, '\0');
  for (char& byte : data) byte = static_cast<char>(random());
  for (size_t offset = 0; offset < 9; ++offset) {
    for (size_t size = 0; size + offset <= data.size(); ++size) {
      const auto start = static_cast<uint32_t>(random());
      ASSERT_EQ(Extend(start, data.data() + offset, size),
                Reference(start, data.substr(offset, size)))
          << offset << " " << size;
    }
  }
}

TEST(RocksDbChecksumTest, EqualsTheLibrarysOwn) {
  const auto own = reinterpret_cast<uint32_t (*)(uint32_t, const char*, size_t)>(
      dlsym(RTLD_NEXT, "_ZN7rocksdb6crc32c6ExtendEjPKcm"));
  ASSERT_NE(own, nullptr);
  ASSERT_NE(own, &Extend);
  const std::string data(100'003, 'x');
  EXPECT_EQ(own(7, data.data(), data.size()), Extend(7, data.data(), data.size()));
}

// Else all of this is for nothing.
TEST(RocksDbChecksumTest, TheLibraryGetsOurs) {
  PrepareRocksDbChecksum();
  EXPECT_EQ(dlsym(RTLD_DEFAULT, "_ZN7rocksdb6crc32c6ExtendEjPKcm"),
            reinterpret_cast<void*>(&Extend));
}

}  // namespace
}  // namespace parley::storage

#endif

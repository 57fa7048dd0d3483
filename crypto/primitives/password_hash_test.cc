#include "crypto/primitives/password_hash.h"

#include <set>

#include "crypto/base/test_bytes.h"
#include "crypto/primitives/random.h"
#include "gtest/gtest.h"

namespace parley::crypto {
namespace {

const Bytes kSalt = ToBytes("0123456789abcdef");

// Against the reference implementation's command: argon2 SALT -id -t 3 -k 1024 -p 1 -l 32.
TEST(PasswordHash, KnownAnswer) {
  const absl::StatusOr<Secret> key = HashPassword(ViewOf("correct horse battery"), kSalt,
                                                  {.passes = 3, .memory_bytes = 1024 * 1024}, 32);
  EXPECT_EQ(ToHex(key->Reveal()),
            "c89d1290b875c1ca3e45a3e4b6ac6e1bf6accc718f0a9eb5c48dc19a4c9444e4");
}

TEST(PasswordHash, EveryInputCounts) {
  const auto hash = [](std::string_view password, ByteView salt, PasswordHashParameters p,
                       size_t length) {
    return ToHex(HashPassword(ViewOf(password), salt, p, length)->Reveal()).substr(0, 32);
  };
  const PasswordHashParameters weakest = PasswordHashParameters::Weakest();
  const std::set<std::string> all = {
      hash("a", kSalt, weakest, 32),
      hash("b", kSalt, weakest, 32),
      hash("", kSalt, weakest, 32),
      hash("a", Flipped(kSalt, 0), weakest, 32),
      hash("a", kSalt, {.passes = 2, .memory_bytes = weakest.memory_bytes}, 32),
      hash("a", kSalt, {.passes = 1, .memory_bytes = 16384}, 32),
      hash("a", kSalt, weakest, 33),
  };
  EXPECT_EQ(all.size(), 7u);
}

TEST(PasswordHash, DefaultsCostWhatTheySay) {
  EXPECT_EQ(PasswordHashParameters::Moderate().memory_bytes, uint64_t{256} << 20);
  EXPECT_EQ(PasswordHashParameters::Moderate().passes, 3u);
  EXPECT_EQ(PasswordHashParameters::Interactive().memory_bytes, uint64_t{64} << 20);
}

TEST(PasswordHash, DoctoredParametersAreRefused) {
  const PasswordHashParameters wrong[] = {
      {.passes = 0, .memory_bytes = 8192},
      {.passes = 1001, .memory_bytes = 8192},
      {.passes = 1, .memory_bytes = 8191},
      {.passes = 1, .memory_bytes = (uint64_t{4} << 30) + 1},
      {.passes = UINT32_MAX, .memory_bytes = UINT64_MAX},
  };
  for (const PasswordHashParameters& p : wrong) {
    EXPECT_TRUE(absl::IsInvalidArgument(HashPassword({}, kSalt, p, 32).status()));
  }
  const PasswordHashParameters weakest = PasswordHashParameters::Weakest();
  EXPECT_TRUE(absl::IsInvalidArgument(HashPassword({}, Bytes(15), weakest, 32).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(HashPassword({}, kSalt, weakest, 15).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(HashPassword({}, kSalt, weakest, 1025).status()));
}

}  // namespace
}  // namespace parley::crypto

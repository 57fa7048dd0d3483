#include "crypto/primitives/sha256.h"

#include <sodium.h>

#include "crypto/base/test_bytes.h"
#include "crypto/primitives/hash.h"
#include "crypto/primitives/random.h"
#include "gtest/gtest.h"

namespace parley::crypto {
namespace {

// Both compressions against libsodium's own SHA-256.
class Sha256With : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    compress_ = GetParam() ? HardwareSha256() : PortableSha256();
    if (compress_ == nullptr) GTEST_SKIP() << "this processor has no SHA instructions";
  }

  std::string HashInSteps(ByteView data, size_t step) const {
    Sha256State state(compress_);
    for (; data.size() > step; data = data.subspan(step)) state.Update(data.first(step));
    state.Update(data);
    ByteArray<32> out;
    state.FinishInto(out);
    return ToHex(out);
  }

  Sha256Compress compress_ = nullptr;
};
INSTANTIATE_TEST_SUITE_P(All, Sha256With, ::testing::Bool());

std::string Libsodiums(ByteView data) {
  ByteArray<32> out;
  crypto_hash_sha256(out.data(), data.data(), data.size());
  return ToHex(out);
}

TEST_P(Sha256With, EverySizeAcrossTheBlocks) {
  const Bytes data = RandomBytes(size_t{600});
  for (size_t size = 0; size <= data.size(); ++size) {
    const ByteView part = ByteView(data).first(size);
    EXPECT_EQ(HashInSteps(part, 10000), Libsodiums(part)) << size;
  }
}

TEST_P(Sha256With, EveryStep) {
  const Bytes data = RandomBytes(size_t{1000});
  const std::string expected = Libsodiums(data);
  for (size_t step = 1; step <= 200; ++step) EXPECT_EQ(HashInSteps(data, step), expected) << step;
}

TEST_P(Sha256With, UnalignedData) {
  const Bytes data = RandomBytes(size_t{4096 + 64});
  for (size_t offset = 0; offset < 64; ++offset) {
    const ByteView part = ByteView(data).subspan(offset, 4096);
    EXPECT_EQ(HashInSteps(part, 10000), Libsodiums(part)) << offset;
  }
}

// Two messages side by side: all pairs of sizes around the blocks, from any state of the block that
// waits, must give what each gives alone.
TEST(Sha256UpdateBoth, IsAsEachAlone) {
  const Bytes data = RandomBytes(size_t{1200});
  constexpr size_t kSizes[] = {0, 1, 55, 62, 63, 64, 65, 127, 128, 129, 300, 511, 512, 1000};
  for (Sha256CompressPair compress : {HardwareSha256Pair(), Sha256CompressPair{nullptr}}) {
    for (size_t before_a : {size_t{0}, size_t{1}, size_t{63}, size_t{64}}) {
      for (size_t before_b : {size_t{0}, size_t{1}, size_t{40}}) {
        for (size_t size_a : kSizes) {
          for (size_t size_b : kSizes) {
            const ByteView a = ByteView(data).first(before_a + size_a);
            const ByteView b = ByteView(data).subspan(100, before_b + size_b);
            Sha256State state_a;
            Sha256State state_b;
            state_a.Update(a.first(before_a));
            state_b.Update(b.first(before_b));
            Sha256State::UpdateBoth(state_a, a.subspan(before_a), state_b, b.subspan(before_b),
                                    compress);
            ByteArray<32> hash_a;
            ByteArray<32> hash_b;
            state_a.FinishInto(hash_a);
            state_b.FinishInto(hash_b);
            ASSERT_EQ(ToHex(hash_a), Libsodiums(a)) << size_a << " beside " << size_b;
            ASSERT_EQ(ToHex(hash_b), Libsodiums(b)) << size_b << " beside " << size_a;
          }
        }
      }
    }
  }
}

TEST(Sha256OfTwo, IsSha256OfEach) {
  const Bytes data = RandomBytes(size_t{5000});
  const ByteView a = ByteView(data).first(4097);
  const ByteView b = ByteView(data).subspan(3, 4500);
  const auto [hash_a, hash_b] = Sha256OfTwo(ViewOf("prefix"), a, b);
  EXPECT_EQ(ToHex(hash_a), Libsodiums(Concat({ViewOf("prefix"), a})));
  EXPECT_EQ(ToHex(hash_b), Libsodiums(Concat({ViewOf("prefix"), b})));
}

// FIPS 180-4's long example: a million times "a".
TEST_P(Sha256With, MillionTimesA) {
  EXPECT_EQ(HashInSteps(Bytes(1000000, 'a'), 777),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

}  // namespace
}  // namespace parley::crypto

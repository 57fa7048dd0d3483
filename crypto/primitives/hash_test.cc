#include "crypto/primitives/hash.h"

#include <sodium.h>

#include "crypto/base/test_bytes.h"
#include "crypto/primitives/hkdf.h"
#include "crypto/primitives/random.h"
#include "gtest/gtest.h"

namespace parley::crypto {
namespace {

// FIPS 180-4's examples (NIST's "Cryptographic Standards and Guidelines").
TEST(Hash, Fips180Examples) {
  EXPECT_EQ(ToHex(Hash(HashAlgorithm::kSha256, ViewOf("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(ToHex(Hash(HashAlgorithm::kSha256, ByteView())),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(ToHex(Hash(HashAlgorithm::kSha512, ViewOf("abc"))),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST(Hash, PartsAndStepsEqualTheWhole) {
  const Bytes data = RandomBytes(size_t{1000});
  for (HashAlgorithm algorithm : {HashAlgorithm::kSha256, HashAlgorithm::kSha512}) {
    const Bytes whole = Hash(algorithm, data);
    EXPECT_EQ(whole.size(), HashSize(algorithm));
    for (size_t cut : {0, 1, 63, 64, 65, 127, 128, 129, 999, 1000}) {
      const ByteView view(data);
      EXPECT_EQ(Hash(algorithm, {view.first(cut), view.subspan(cut)}), whole);
      Hasher hasher(algorithm);
      hasher.Update(view.first(cut));
      Hasher copy = hasher;  // goes on by itself
      hasher.Update(view.subspan(cut));
      EXPECT_EQ(std::move(hasher).Finish(), whole);
      copy.Update(view.subspan(cut));
      EXPECT_EQ(std::move(copy).Finish(), whole);
    }
  }
  const ByteArray<32> sha256 = Sha256({data});
  EXPECT_EQ(Bytes(sha256.begin(), sha256.end()), Hash(HashAlgorithm::kSha256, data));
}

struct HmacCase {
  Bytes key;
  Bytes data;
  const char* sha256;
  const char* sha512;
};

// RFC 4231 sections 4.2, 4.3, 4.4 and 4.7.
std::vector<HmacCase> Rfc4231() {
  return {
      {Bytes(20, 0x0b), ToBytes("Hi There"),
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
       "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
       "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"},
      {ToBytes("Jefe"), ToBytes("what do ya want for nothing?"),
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
       "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
       "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
      {Bytes(20, 0xaa), Bytes(50, 0xdd),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
       "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
       "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb"},
      {Bytes(131, 0xaa), ToBytes("Test Using Larger Than Block-Size Key - Hash Key First"),
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
       "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
       "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"},
  };
}

TEST(Hmac, Rfc4231) {
  for (const HmacCase& c : Rfc4231()) {
    EXPECT_EQ(ToHex(Hmac(HashAlgorithm::kSha256, c.key, c.data)), c.sha256);
    EXPECT_EQ(ToHex(Hmac(HashAlgorithm::kSha512, c.key, c.data)), c.sha512);
    EXPECT_EQ(ToHex(HmacSecret(HashAlgorithm::kSha256, c.key, c.data).Reveal()), c.sha256);
  }
}

TEST(Hmac, VerifyTakesTheExactMacOnly) {
  const Bytes key = RandomBytes(size_t{32});
  const Bytes data = RandomBytes(size_t{100});
  for (HashAlgorithm algorithm : {HashAlgorithm::kSha256, HashAlgorithm::kSha512}) {
    const Bytes mac = Hmac(algorithm, key, data);
    EXPECT_TRUE(VerifyHmac(algorithm, key, data, mac));
    for (size_t bit = 0; bit < mac.size() * 8; ++bit) {
      EXPECT_FALSE(VerifyHmac(algorithm, key, data, Flipped(mac, bit)));
    }
    EXPECT_FALSE(VerifyHmac(algorithm, key, data, ByteView(mac).first(mac.size() - 1)));
    EXPECT_FALSE(VerifyHmac(algorithm, key, data, Concat({mac, Bytes{0}})));
    EXPECT_FALSE(VerifyHmac(algorithm, key, data, {}));
    EXPECT_FALSE(VerifyHmac(algorithm, Flipped(key, 5), data, mac));
    EXPECT_FALSE(VerifyHmac(algorithm, key, Flipped(data, 5), mac));
  }
}

struct HkdfCase {
  Bytes ikm, salt, info;
  size_t length;
  const char* prk;
  const char* okm;
};

// RFC 5869 appendix A.1 to A.3.
std::vector<HkdfCase> Rfc5869() {
  return {
      {Bytes(22, 0x0b), Counting(0, 13), Counting(0xf0, 10), 42,
       "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
       "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
      {Counting(0, 80), Counting(0x60, 80), Counting(0xb0, 80), 82,
       "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
       "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
       "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
       "cc30c58179ec3e87c14c01d5c1f3434f1d87"},
      {Bytes(22, 0x0b),
       {},
       {},
       42,
       "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
       "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
  };
}

TEST(Hkdf, Rfc5869) {
  for (const HkdfCase& c : Rfc5869()) {
    const Secret prk = HkdfExtract(HashAlgorithm::kSha256, c.salt, c.ikm);
    EXPECT_EQ(ToHex(prk.Reveal()), c.prk);
    EXPECT_EQ(ToHex(HkdfExpand(HashAlgorithm::kSha256, prk.Reveal(), c.info, c.length).Reveal()),
              c.okm);
  }
}

// RFC 5869 has no SHA-512 cases: libsodium's own HKDF is the other implementation.
TEST(Hkdf, Sha512EqualsLibsodiums) {
  for (size_t length : {1, 63, 64, 65, 128, 1000, 255 * 64}) {
    const Bytes ikm = RandomBytes(size_t{50});
    const Bytes salt = RandomBytes(size_t{20});
    const Bytes info = RandomBytes(size_t{30});
    Bytes prk(64);
    ASSERT_EQ(crypto_kdf_hkdf_sha512_extract(prk.data(), salt.data(), salt.size(), ikm.data(),
                                             ikm.size()),
              0);
    Bytes okm(length);
    ASSERT_EQ(crypto_kdf_hkdf_sha512_expand(okm.data(), length,
                                            reinterpret_cast<const char*>(info.data()), info.size(),
                                            prk.data()),
              0);
    EXPECT_EQ(ToHex(HkdfExtract(HashAlgorithm::kSha512, salt, ikm).Reveal()), ToHex(prk));
    EXPECT_EQ(ToHex(HkdfExpand(HashAlgorithm::kSha512, prk, info, length).Reveal()), ToHex(okm));
  }
}

TEST(HkdfDeathTest, BoundsAreChecked) {
  const Bytes prk(32);
  EXPECT_EQ(HkdfExpand(HashAlgorithm::kSha256, prk, {}, 255 * 32).size(), 255u * 32);
  EXPECT_DEATH(HkdfExpand(HashAlgorithm::kSha256, prk, {}, 255 * 32 + 1), "internal error");
  EXPECT_DEATH(HkdfExpand(HashAlgorithm::kSha512, prk, {}, 16), "internal error");
}

// FIPS 202's empty message, and one that crosses the rate both ways (against Python's hashlib).
TEST(Shake256, KnownAnswers) {
  EXPECT_EQ(ToHex(Shake256({}, 64).Reveal()),
            "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f"
            "d75dc4ddd8c0f200cb05019d67b592f6fc821c49479ab48640292eacb3b7c4be");
  const Secret lengthy = Shake256(Counting(0, 200), 300);
  EXPECT_EQ(ToHex(lengthy.Reveal().last(32)),
            "c53c23e716c670c4db23c67901358ae64f3f0ccedfa05b29e84e1a11a635bfe7");
  EXPECT_EQ(Shake256({}, 0).size(), 0u);
}

// Against Python's hashlib.
TEST(KeyedHash, KnownAnswers) {
  EXPECT_EQ(ToHex(KeyedHash(Counting(0, 32), ViewOf("abc"))),
            "d63a32d3e44738d7907f964316c241adaba0abfeabc32349677578a15a203f7f");
  EXPECT_EQ(ToHex(KeyedHash(Counting(0, 32), {}, 16)), "3daf97bce7888fd59773c66bf647459c");
  EXPECT_NE(KeyedHash(Counting(1, 32), ViewOf("abc")), KeyedHash(Counting(0, 32), ViewOf("abc")));
}

TEST(KeyedHashDeathTest, KeyAndSizeAreChecked) {
  EXPECT_DEATH(KeyedHash(Bytes(31), {}), "internal error");
  EXPECT_DEATH(KeyedHash(Bytes(32), {}, 8), "internal error");
}

}  // namespace
}  // namespace parley::crypto

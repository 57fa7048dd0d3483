#include "crypto/primitives/x25519.h"

#include "crypto/base/test_bytes.h"
#include "crypto/primitives/random.h"
#include "gtest/gtest.h"

namespace parley::crypto {
namespace {

// RFC 7748 section 5.2, first test vector.
TEST(X25519, Rfc7748Vector) {
  const absl::StatusOr<Secret> out =
      X25519(Hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
             Hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"));
  EXPECT_EQ(ToHex(out->Reveal()),
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
}

// RFC 7748 section 5.2: k, u = X25519(k, u), k, a thousand times from the base point.
TEST(X25519, Rfc7748Iterated) {
  Bytes k(32);
  k[0] = 9;
  Bytes u = k;
  for (int i = 1; i <= 1000; ++i) {
    const Secret out = X25519(k, u).value();
    u = k;
    k.assign(out.Reveal().begin(), out.Reveal().end());
    if (i == 1) {
      EXPECT_EQ(ToHex(k), "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
    }
  }
  EXPECT_EQ(ToHex(k), "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

// RFC 7748 section 6.1.
TEST(X25519, Rfc7748DiffieHellman) {
  const Bytes alice = Hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  const Bytes bob = Hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  EXPECT_EQ(ToHex(X25519PublicKey(alice)),
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  EXPECT_EQ(ToHex(X25519PublicKey(bob)),
            "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  const char* shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
  EXPECT_EQ(ToHex(X25519(alice, X25519PublicKey(bob))->Reveal()), shared);
  EXPECT_EQ(ToHex(X25519(bob, X25519PublicKey(alice))->Reveal()), shared);
}

// The encodings of small order, each also with the unused bit set.
std::vector<Bytes> SmallOrder() {
  std::vector<Bytes> out;
  for (const char* hex : {"0000000000000000000000000000000000000000000000000000000000000000",
                          "0100000000000000000000000000000000000000000000000000000000000000",
                          "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                          "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                          "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
    out.push_back(Hex(hex));
    out.push_back(Flipped(Hex(hex), 255));
  }
  return out;
}

TEST(X25519, SmallOrderIsRefused) {
  const Bytes private_key = RandomBytes(size_t{32});
  for (const Bytes& point : SmallOrder()) {
    EXPECT_FALSE(IsX25519PublicKey(point)) << ToHex(point);
    EXPECT_TRUE(absl::IsInvalidArgument(X25519(private_key, point).status())) << ToHex(point);
  }
}

TEST(X25519, SizesAreChecked) {
  const Bytes private_key = RandomBytes(size_t{32});
  for (size_t size : {0, 31, 33}) {
    EXPECT_FALSE(IsX25519PublicKey(Bytes(size, 9)));
    EXPECT_TRUE(absl::IsInvalidArgument(X25519(private_key, Bytes(size, 9)).status()));
  }
}

TEST(X25519, BothSidesAgree) {
  for (int i = 0; i < 50; ++i) {
    const Bytes a = RandomBytes(size_t{32});
    const Bytes b = RandomBytes(size_t{32});
    EXPECT_TRUE(IsX25519PublicKey(X25519PublicKey(a)));
    const Secret one = X25519(a, X25519PublicKey(b)).value();
    EXPECT_TRUE(ConstantTimeEquals(one.Reveal(), X25519(b, X25519PublicKey(a))->Reveal()));
  }
}

TEST(X25519DeathTest, PrivateKeySizeIsABug) {
  EXPECT_DEATH(X25519PublicKey(Bytes(31)), "internal error");
  EXPECT_DEATH((void)X25519(Bytes(33), Bytes(32, 9)), "internal error");
}

}  // namespace
}  // namespace parley::crypto

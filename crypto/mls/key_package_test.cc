#include "crypto/mls/key_package.h"

#include <gtest/gtest.h>

#include "crypto/mls/testing.h"

namespace parley::mls {
namespace {

using namespace testing;  // NOLINT

TEST(KeyPackage, IsValidAndNamedByItsHash) {
  for (CipherSuiteId suite : SupportedCipherSuites()) {
    const KeyPackageBundle one = NewKeyPackage("ana", suite);
    const KeyPackageBundle two = NewKeyPackage("ana", suite);
    EXPECT_TRUE(ValidateKeyPackage(one.key_package()).ok());
    EXPECT_EQ(Must(ParseKeyPackageMessage(one.message())), one.key_package());
    EXPECT_EQ(Must(KeyPackageRef(one.key_package())), one.Ref());
    EXPECT_NE(one.Ref(), two.Ref());
    EXPECT_NE(one.key_package().leaf_node.signature_key, two.key_package().leaf_node.signature_key);
  }
}

TEST(KeyPackage, AnyFlippedBitIsNoticed) {
  const KeyPackageBundle bundle = NewKeyPackage("ana");
  const Bytes message = bundle.message();
  for (size_t i = 0; i < message.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes damaged = message;
      damaged[i] ^= static_cast<uint8_t>(1 << bit);
      const absl::StatusOr<KeyPackage> parsed = ParseKeyPackageMessage(damaged);
      ASSERT_FALSE(parsed.ok() && ValidateKeyPackage(*parsed).ok()) << i;
    }
  }
}

TEST(KeyPackage, LifetimeCountsWithAClock) {
  const KeyPackageBundle bundle = Must(KeyPackageBundle::Create(
      {.suite = CipherSuiteId::k0x0003, .identity = {}, .lifetime = {10, 20}}));
  EXPECT_TRUE(ValidateKeyPackage(bundle.key_package()).ok());
  for (uint64_t now : {10, 20}) EXPECT_TRUE(ValidateKeyPackage(bundle.key_package(), now).ok());
  for (uint64_t now : {9, 21}) EXPECT_FALSE(ValidateKeyPackage(bundle.key_package(), now).ok());
}

TEST(KeyPackage, LeafExtensionsMustBeAmongTheCapabilities) {
  KeyPackageOptions options{.suite = CipherSuiteId::k0x0003};
  options.leaf_extensions = {{kRosterExtension, {1, 2}}};
  EXPECT_FALSE(KeyPackageBundle::Create(options).ok());
  options.capabilities = Capabilities::Default(options.suite, {kRosterExtension});
  EXPECT_TRUE(KeyPackageBundle::Create(options).ok());
  options.leaf_extensions.push_back({kRosterExtension, {}});
  EXPECT_FALSE(KeyPackageBundle::Create(options).ok());
}

TEST(KeyPackage, UnknownCapabilitiesAndExtensionsAreTolerated) {
  // Section 13.5's GREASE, and what others may come up with.
  const ExtensionType grease{0x0A0A};
  Capabilities capabilities = Capabilities::Default(CipherSuiteId::k0x0003, {grease});
  capabilities.cipher_suites.push_back(CipherSuiteId{0x1A1A});
  capabilities.proposals.push_back(ProposalType{0x2A2A});
  capabilities.credentials.push_back(CredentialType{0x3A3A});
  KeyPackageBundle greased =
      Must(KeyPackageBundle::Create({.suite = CipherSuiteId::k0x0003,
                                     .identity = ToBytes("grease"),
                                     .capabilities = capabilities,
                                     .leaf_extensions = {{grease, {1, 2, 3}}},
                                     .key_package_extensions = {{ExtensionType{0x4A4A}, {4}}}}));
  Group group = Must(Group::Create(
      {.suite = CipherSuiteId::k0x0003, .group_id = ToBytes("g"), .identity = ToBytes("mira")}));
  CommitOptions options{.adds = {greased.message()}};
  options.group_info_extensions = {{ExtensionType{0x5A5A}, {5}}};
  PreparedCommit commit = Must(group.PrepareCommit(options));
  const Group joined = Must(Group::Join(*commit.welcome, std::move(greased)));
  EXPECT_EQ(joined.EpochAuthenticator(), commit.next.EpochAuthenticator());
}

// A default type (section 5.3.3), which no capabilities list; what is in it is the application's.
TEST(KeyPackage, ApplicationIdIsCarried) {
  const Extension id{ExtensionType::kApplicationId, crypto::Serialize(ToBytes("device 7"))};
  KeyPackageBundle ana = Must(KeyPackageBundle::Create(
      {.suite = CipherSuiteId::k0x0003, .identity = ToBytes("ana"), .leaf_extensions = {id}}));
  EXPECT_TRUE(ana.key_package().leaf_node.capabilities.extensions.empty());
  Group group = Must(Group::Create(
      {.suite = CipherSuiteId::k0x0003, .group_id = ToBytes("g"), .identity = ToBytes("mira")}));
  PreparedCommit commit = Must(group.PrepareCommit({.adds = {ana.message()}}));
  const Group joined = Must(Group::Join(*commit.welcome, std::move(ana)));
  EXPECT_EQ(commit.next.FindLeafNode(LeafIndex(1))->extensions, Extensions{id});
  EXPECT_EQ(joined.FindLeafNode(LeafIndex(1))->extensions, Extensions{id});
}

TEST(KeyPackage, BundleIsStoredWithItsPrivateKeys) {
  const KeyPackageBundle bundle = NewKeyPackage("ana", CipherSuiteId::kParley);
  const Secret stored = bundle.SerializeSecret();
  const KeyPackageBundle back = Must(KeyPackageBundle::Parse(stored.Reveal()));
  EXPECT_EQ(back.Ref(), bundle.Ref());
  EXPECT_TRUE(crypto::ConstantTimeEquals(back.SerializeSecret().Reveal(), stored.Reveal()));
  for (size_t i = 0; i < stored.size(); i += 31) {
    EXPECT_EQ(KeyPackageBundle::Parse(stored.Reveal().first(i)).status().code(),
              absl::StatusCode::kDataLoss);
  }
  // Private keys that don't belong to the public ones.
  const KeyPackageBundle other = NewKeyPackage("ben", CipherSuiteId::kParley);
  EXPECT_FALSE(KeyPackageBundle::FromParts(bundle.key_package(), other.init_private().Clone(),
                                           bundle.leaf_private().Clone(),
                                           bundle.signature_private().Clone())
                   .ok());
  EXPECT_FALSE(KeyPackageBundle::FromParts(bundle.key_package(), bundle.init_private().Clone(),
                                           bundle.leaf_private().Clone(),
                                           other.signature_private().Clone())
                   .ok());
}

TEST(KeyPackage, UnknownSuiteIsRefused) {
  EXPECT_FALSE(KeyPackageBundle::Create({.suite = CipherSuiteId{1}}).ok());
  KeyPackage key_package = NewKeyPackage("ana").key_package();
  key_package.suite = CipherSuiteId{1};
  EXPECT_FALSE(ValidateKeyPackage(key_package).ok());
  EXPECT_FALSE(KeyPackageRef(key_package).ok());
}

}  // namespace
}  // namespace parley::mls

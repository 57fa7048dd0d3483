// What an application adds: a judge of credentials, a clock (RFC 9420 sections 5.3.1, 7.2 and 7.3);
// X.509 credentials carried, and GREASE (section 13.5).
#include "crypto/mls/leaf_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/mls/external_proposal.h"
#include "crypto/mls/forging.h"
#include "crypto/mls/grease.h"
#include "crypto/mls/testing.h"

namespace parley::mls {
namespace {

using namespace testing;  // NOLINT

// Who a credential speaks of: its first certificate's text up to a '/', or its identity's.
std::string NameOf(const Credential& credential) {
  const Bytes& text = credential.type == CredentialType::kX509
                          ? credential.certificates.at(0).cert_data
                          : credential.identity;
  const std::string name = crypto::ToString(text);
  return name.substr(0, name.find('/'));
}

class EveKeeper : public CredentialJudge {
 public:
  absl::Status Judge(const Credential& credential, ByteView signature_key) const override {
    ++asked;
    EXPECT_EQ(signature_key.size(), 32u);
    if (NameOf(credential) != "eve") return absl::OkStatus();
    return absl::PermissionDeniedError("not eve");
  }
  Bytes ClientOf(const Credential& credential) const override {
    return ToBytes(NameOf(credential));
  }
  mutable int asked = 0;
};

Credential Certified(std::string_view name) {
  return Credential::X509({{ToBytes(name)}, {ToBytes("issuer")}});
}

Capabilities BothTypes() {
  Capabilities can = Capabilities::Default(CipherSuiteId::k0x0003, {kRosterExtension});
  can.credentials.push_back(CredentialType::kX509);
  return can;
}

class LeafChecksTest : public ::testing::Test {
 protected:
  void SetUp() override { groups_ = NewGroups(3); }
  LeafChecks Checks() { return {.judge = &judge_}; }

  EveKeeper judge_;
  std::vector<Group> groups_;
};

TEST_F(LeafChecksTest, NobodyIsAddedAgainstTheJudge) {
  const KeyPackageBundle eve = NewKeyPackage("eve/phone");
  EXPECT_EQ(groups_[0].PrepareCommit({.adds = {eve.message()}, .checks = Checks()}).status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_FALSE(groups_[0].Propose(Proposal{Add{eve.key_package()}}, {}, Checks()).ok());
  const Bytes commit = Must(groups_[0].PrepareCommit({.adds = {eve.message()}})).message;
  EXPECT_EQ(groups_[1].Process(commit, {.checks = Checks()}).status().code(),
            absl::StatusCode::kPermissionDenied);
  const Bytes proposal = Must(groups_[0].ProposeAdd(eve.message()));
  const Secret before = groups_[1].Serialize();
  EXPECT_EQ(groups_[1].Process(proposal, {.checks = Checks()}).status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(crypto::ConstantTimeEquals(before.Reveal(), groups_[1].Serialize().Reveal()));
  EXPECT_TRUE(groups_[1].Process(commit).ok());
}

TEST_F(LeafChecksTest, NobodyBecomesAnother) {
  for (const LeafRenewal& renewal :
       {LeafRenewal{.identity = ToBytes("eve")}, LeafRenewal{.identity = ToBytes("2")},
        LeafRenewal{.identity = ToBytes("9")}}) {
    const Bytes update = Must(groups_[1].ProposeUpdate(renewal, SendOptions{}));
    EXPECT_FALSE(groups_[0].Process(update, {.checks = Checks()}).ok());
    const Bytes commit =
        Must(groups_[1].PrepareCommit({.include = ProposalsToInclude::kNone, .renewal = renewal}))
            .message;
    EXPECT_EQ(groups_[0].Process(commit, {.checks = Checks()}).status().code(),
              absl::StatusCode::kPermissionDenied);
    EXPECT_FALSE(
        groups_[1]
            .PrepareCommit(
                {.include = ProposalsToInclude::kNone, .renewal = renewal, .checks = Checks()})
            .ok());
  }
  const Bytes same = Must(groups_[1].ProposeUpdate({.identity = ToBytes("1/new phone")},
                                                   SendOptions{.public_message = true}));
  EXPECT_TRUE(groups_[0].Process(same, {.checks = Checks()}).ok());
}

TEST_F(LeafChecksTest, NoClientIsInTheGroupTwice) {
  const KeyPackageBundle again = NewKeyPackage("2/tablet");
  EXPECT_FALSE(groups_[0].PrepareCommit({.adds = {again.message()}, .checks = Checks()}).ok());
  const Bytes commit = Must(groups_[0].PrepareCommit({.adds = {again.message()}})).message;
  EXPECT_EQ(groups_[1].Process(commit, {.checks = Checks()}).status().code(),
            absl::StatusCode::kInvalidArgument);
  // Unless the old one goes by the same commit.
  const CommitOptions swap{
      .adds = {again.message()}, .removes = {LeafIndex(2)}, .checks = Checks()};
  EXPECT_TRUE(
      groups_[1].Process(Must(groups_[0].PrepareCommit(swap)).message, {.checks = Checks()}).ok());
  const KeyPackageBundle a = NewKeyPackage("new/a");
  const KeyPackageBundle b = NewKeyPackage("new/b");
  const Bytes both = Must(groups_[0].PrepareCommit({.adds = {a.message(), b.message()}})).message;
  EXPECT_FALSE(groups_[1].Process(both, {.checks = Checks()}).ok());
}

TEST_F(LeafChecksTest, WhoJoinsAsksAboutEverybody) {
  CommitToAll(groups_, 0,
              Must(groups_[0].PrepareCommit({.renewal = {.identity = ToBytes("eve")}})));
  KeyPackageBundle dora = NewKeyPackage("dora");
  const Secret stored = dora.SerializeSecret();
  PreparedCommit commit = Must(groups_[1].PrepareCommit({.adds = {dora.message()}}));
  EXPECT_EQ(Group::Join(*commit.welcome, std::move(dora), {.checks = Checks()}).status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(Group::Join(*commit.welcome, Must(KeyPackageBundle::Parse(stored.Reveal()))).ok());
  EXPECT_EQ(Group::JoinExternally(Must(groups_[1].GroupInfoMessage(true, true)),
                                  {.identity = ToBytes("dora")}, JoinOptions{.checks = Checks()})
                .status()
                .code(),
            absl::StatusCode::kPermissionDenied);
}

TEST_F(LeafChecksTest, JoinersFromOutsideAreJudged) {
  const auto status = [&](std::string_view name, std::optional<LeafIndex> replaces) {
    PreparedCommit joining =
        Must(Group::JoinExternally(Must(groups_[0].GroupInfoMessage(true, true)),
                                   {.identity = ToBytes(name), .capabilities = BothTypes()},
                                   ExternalJoinOptions{.replaces = replaces}));
    return groups_[1].Process(joining.message, {.checks = Checks()}).status().code();
  };
  EXPECT_EQ(status("dora", {}), absl::StatusCode::kOk);
  EXPECT_EQ(status("eve", {}), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(status("2/new", {}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status("2/new", LeafIndex(2)), absl::StatusCode::kOk);
  EXPECT_EQ(status("dora", LeafIndex(2)), absl::StatusCode::kPermissionDenied);
}

TEST_F(LeafChecksTest, ExternalSendersAreJudged) {
  ExternalSender eve{.signature_key = Bytes(32, 1),
                     .credential = Credential::Basic(ToBytes("eve"))};
  const Extensions extensions = {ExternalSendersExtension({eve})};
  EXPECT_FALSE(groups_[0].PrepareCommit({.extensions = extensions, .checks = Checks()}).ok());
  const Bytes proposal = Must(groups_[0].ProposeExtensions(extensions));
  EXPECT_EQ(groups_[1].Process(proposal, {.checks = Checks()}).status().code(),
            absl::StatusCode::kPermissionDenied);
  const Bytes commit = Must(groups_[0].PrepareCommit({.extensions = extensions})).message;
  EXPECT_EQ(groups_[1].Process(commit, {.checks = Checks()}).status().code(),
            absl::StatusCode::kPermissionDenied);
  // One that can't be read is nobody's to judge.
  EXPECT_FALSE(
      groups_[0]
          .PrepareCommit({.extensions = Extensions{{ExtensionType::kExternalSenders, {9}}}})
          .ok());
}

TEST_F(LeafChecksTest, SameCredentialIsNotJudgedAgain) {
  // Its certificate may have expired since (section 5.3.2).
  const Bytes commit = Must(groups_[1].PrepareCommit()).message;
  judge_.asked = 0;
  EXPECT_TRUE(groups_[0].Process(commit, {.checks = Checks()}).ok());
  EXPECT_EQ(judge_.asked, 0);
}

TEST_F(LeafChecksTest, X509CredentialsAreCarried) {
  const SignatureKey key = SignatureKey::Generate();
  Group mira = Must(Group::Create({.suite = CipherSuiteId::k0x0003,
                                   .group_id = ToBytes("certified"),
                                   .capabilities = BothTypes(),
                                   .credential = Certified("mira"),
                                   .signature_key = &key}));
  EXPECT_TRUE(crypto::PublicEquals(mira.FindMember(LeafIndex(0))->signature_key, key.public_key()));
  const SignatureKey ana_key = SignatureKey::Generate();
  KeyPackageBundle ana = Must(KeyPackageBundle::Create({.suite = CipherSuiteId::k0x0003,
                                                        .capabilities = BothTypes(),
                                                        .credential = Certified("ana"),
                                                        .signature_key = &ana_key}));
  PreparedCommit commit = Must(mira.PrepareCommit({.adds = {ana.message()}, .checks = Checks()}));
  std::vector<Group> groups;
  groups.push_back(std::move(commit.next));
  groups.push_back(Must(Group::Join(*commit.welcome, std::move(ana), {.checks = Checks()})));
  ExpectHeard(groups, 1, "with a certificate");
  const Credential seen = groups[1].FindMember(LeafIndex(0))->credential;
  EXPECT_EQ(seen.type, CredentialType::kX509);
  EXPECT_EQ(seen.certificates.at(1).cert_data, ToBytes("issuer"));
  // A new certificate for a new key, by a commit and by an Update.
  const SignatureKey renewed = SignatureKey::Generate();
  LeafRenewal renewal{.credential = Certified("ana/2027"), .signature_key = &renewed};
  CommitToAll(groups, 1, Must(groups[1].PrepareCommit({.renewal = renewal})));
  const Bytes update = Must(groups[1].ProposeUpdate({.credential = Certified("ana/2028")}, 0));
  ASSERT_TRUE(groups[0].Process(update, {.checks = Checks()}).ok());
  CommitToAll(groups, 0, Must(groups[0].PrepareCommit({.checks = Checks()})));
  ExpectAgreement(groups);
  EXPECT_EQ(groups[0].FindMember(LeafIndex(1))->credential, Certified("ana/2028"));
  ExpectHeard(groups, 1, "with the third");
  // A member that knows basic credentials only can't come in.
  EXPECT_FALSE(groups[0].PrepareCommit({.adds = {NewKeyPackage("basic").message()}}).ok());
}

TEST_F(LeafChecksTest, LifetimesCountWithAClock) {
  KeyPackageBundle dora =
      Must(KeyPackageBundle::Create({.suite = CipherSuiteId::k0x0003, .lifetime = {100, 200}}));
  const Secret stored = dora.SerializeSecret();
  const LeafChecks late{.now_seconds = 201};
  const LeafChecks strict{.max_lifetime_seconds = 99};
  const LeafChecks good{.now_seconds = 150, .max_lifetime_seconds = 100};
  EXPECT_FALSE(groups_[0].PrepareCommit({.adds = {dora.message()}, .checks = late}).ok());
  EXPECT_FALSE(groups_[0].PrepareCommit({.adds = {dora.message()}, .checks = strict}).ok());
  EXPECT_FALSE(groups_[0].Propose(Proposal{Add{dora.key_package()}}, {}, late).ok());
  PreparedCommit commit =
      Must(groups_[0].PrepareCommit({.adds = {dora.message()}, .checks = good}));
  for (const LeafChecks& checks : {late, strict}) {
    EXPECT_EQ(groups_[1].Process(commit.message, {.checks = checks}).status().code(),
              absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(Group::Join(*commit.welcome, Must(KeyPackageBundle::Parse(stored.Reveal())),
                          {.checks = checks})
                  .status()
                  .code(),
              absl::StatusCode::kInvalidArgument);
  }
  EXPECT_TRUE(groups_[1].Process(commit.message).ok());
  // A lifetime that ends before it begins has no length at all.
  LeafNode backwards;
  backwards.lifetime = {200, 100};
  EXPECT_FALSE(CheckLeaf({}, backwards).ok());
  backwards.source = LeafNodeSource::kUpdate;
  EXPECT_TRUE(CheckLeaf({}, backwards).ok());
}

TEST_F(LeafChecksTest, PendingAddsThatDoNotPassAreLeftOut) {
  KeyPackageBundle expired = Must(KeyPackageBundle::Create({.suite = CipherSuiteId::k0x0003,
                                                            .identity = ToBytes("late"),
                                                            .lifetime = {100, 200},
                                                            .capabilities = BothTypes()}));
  std::vector<Bytes> proposed = {expired.message()};
  for (std::string_view name : {"eve", "1/b", "dora/a", "dora/b"}) {
    proposed.push_back(NewKeyPackage(name).message());
  }
  for (const Bytes& message : proposed) {
    ASSERT_TRUE(groups_[0].Process(Must(groups_[2].ProposeAdd(message))).ok());
  }
  LeafChecks checks = Checks();
  checks.now_seconds = 300;
  const PreparedCommit commit = Must(groups_[0].PrepareCommit({.checks = checks}));
  ASSERT_EQ(commit.added.size(), 1u);
  EXPECT_EQ(NameOf(commit.added[0].key_package.leaf_node.credential), "dora");
}

TEST(Grease, IsSentWhereItMayBeAndIgnored) {
  EXPECT_TRUE(IsGrease(0x0A0A));
  EXPECT_TRUE(IsGrease(0xEAEA));
  for (int value : {0xFAFA, 0x0A1A, 0x0001, 0x0B0B, 0xF001}) {
    EXPECT_FALSE(IsGrease(static_cast<uint16_t>(value)));
  }

  Group mira = Must(Group::Create({.suite = CipherSuiteId::k0x0003,
                                   .group_id = ToBytes("g"),
                                   .identity = ToBytes("mira"),
                                   .grease = true}));
  KeyPackageBundle ana = Must(KeyPackageBundle::Create(
      {.suite = CipherSuiteId::k0x0003, .identity = ToBytes("ana"), .grease = true}));
  const LeafNode& leaf = ana.key_package().leaf_node;
  EXPECT_EQ(leaf.capabilities.cipher_suites.size(), 2u);
  EXPECT_EQ(leaf.capabilities.proposals.size(), 1u);
  EXPECT_EQ(leaf.capabilities.credentials.size(), 2u);
  ASSERT_EQ(leaf.extensions.size(), 1u);
  EXPECT_TRUE(IsGrease(static_cast<uint16_t>(leaf.extensions[0].type)));
  ASSERT_EQ(ana.key_package().extensions.size(), 1u);
  // Section 10: extensions of a key package or its leaf "MUST be included in the … capabilities".
  EXPECT_TRUE(leaf.capabilities.Supports(leaf.extensions[0].type));
  EXPECT_TRUE(leaf.capabilities.Supports(ana.key_package().extensions[0].type));
  EXPECT_EQ(WithoutGrease(leaf.capabilities), Capabilities::Default(CipherSuiteId::k0x0003));

  PreparedCommit commit = Must(mira.PrepareCommit({.adds = {ana.message()}, .grease = true}));
  // It never gets into the GroupContext.
  EXPECT_TRUE(commit.next.extensions().empty());
  const Group joined = Must(Group::Join(*commit.welcome, std::move(ana)));
  EXPECT_EQ(joined.EpochAuthenticator(), commit.next.EpochAuthenticator());
}

}  // namespace
}  // namespace parley::mls

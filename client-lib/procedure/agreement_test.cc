#include "client-lib/procedure/agreement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client-lib/channels/channel_ids.h"

namespace parley::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Agreement, ASignatureCountsForOneCaseAndOneWordingOnly) {
  const CaseId one(crypto::ByteArray<16>{1});
  const CaseId two(crypto::ByteArray<16>{2});
  const crypto::SignatureKey key = crypto::SignatureKey::Generate();
  const crypto::SignatureKey other = crypto::SignatureKey::Generate();
  const DocumentHash hash = AgreementHash(one, "text", "caucus: closed\n");
  const crypto::Bytes signature = SignAgreement(key, one, hash);
  EXPECT_TRUE(VerifyAgreement(key.public_key(), one, hash, signature));
  EXPECT_FALSE(VerifyAgreement(key.public_key(), two, hash, signature));
  EXPECT_FALSE(VerifyAgreement(other.public_key(), one, hash, signature));
  EXPECT_FALSE(VerifyAgreement(key.public_key(), one,
                               AgreementHash(one, "Text", "caucus: closed\n"), signature));
  EXPECT_FALSE(VerifyAgreement({}, one, hash, signature));
  // The hash itself, signed without the label, is no signature of an agreement.
  EXPECT_FALSE(VerifyAgreement(key.public_key(), one, hash, key.Sign(hash)));
}

TEST(Agreement, TheHashTellsTextFromPolicyAndCaseFromCase) {
  const CaseId one(crypto::ByteArray<16>{1});
  EXPECT_NE(AgreementHash(one, "ab", "c"), AgreementHash(one, "a", "bc"));
  EXPECT_NE(AgreementHash(one, "a", "b"), AgreementHash(CaseId(), "a", "b"));
}

TEST(Policy, ReadsEveryTemplate) {
  for (const AgreementTemplate& entry : Templates()) {
    EXPECT_TRUE(CheckAgreement(entry.text, entry.policy).ok()) << entry.name;
  }
  const auto policy = ParsePolicy(Templates()[2].policy);
  ASSERT_TRUE(policy.ok());
  EXPECT_EQ(policy->caucus, CaucusRule::kMustShareFacts);
  EXPECT_EQ(policy->exceptions.size(), 3u);
  EXPECT_EQ(policy->retention[0].record_class, "notes");
  EXPECT_EQ(policy->retention[0].how_long, "7 days");
  EXPECT_EQ(policy->retention[0].period.seconds, 7u * 24 * 60 * 60);
  EXPECT_FALSE(policy->destroys_when_due);
  EXPECT_EQ(policy->access[1].what, ChannelKind::kCaucus);
  EXPECT_TRUE(policy->MayRead(Role::kCoMediator, ChannelKind::kNeutrals));
  EXPECT_FALSE(policy->MayRead(Role::kObserver, ChannelKind::kNeutrals));
  EXPECT_TRUE(policy->MayRead(Role::kObserver, ChannelKind::kCounsel));  // no line forbids it
}

TEST(Policy, SaysWhichLineIsWrongAndWhatMayStandThere) {
  const auto error = [](std::string_view text) {
    return std::string(ParsePolicy(text).status().message());
  };
  EXPECT_THAT(error("# x\ncaucus: maybe\n"), HasSubstr("line 2 of the policy must be"));
  EXPECT_THAT(error("caucus: open\ncaucus: open\nkeep notes: 1 day"), HasSubstr("second time"));
  EXPECT_THAT(error("caucus: open\nkeep notes: 1 day\nkeep notes: 2 days"),
              HasSubstr("how long \"notes\""));
  EXPECT_THAT(error("caucus: open"), HasSubstr("keep notes: 7 days"));
  EXPECT_THAT(error("keep notes: 7 days"), HasSubstr("caucus: closed"));
  EXPECT_THAT(error("caucus open"), HasSubstr("has no \":\""));
  EXPECT_THAT(error("caucus:"), HasSubstr("says nothing"));
  EXPECT_THAT(error("colour: red"), HasSubstr("begins with none of"));
  EXPECT_THAT(error("caucus: open\nkeep notes: a while"),
              HasSubstr("line 2 of the policy doesn't say"));
  EXPECT_THAT(error("caucus: open\nkeep notes: 99999999 days"), HasSubstr("doesn't say how long"));
  EXPECT_THAT(error("caucus: open\nkeep notes: 99999999999999999999 days"),
              HasSubstr("doesn't say how long"));
  EXPECT_THAT(error("caucus: open\nkeep notes: -1 days"), HasSubstr("doesn't say how long"));
  EXPECT_THAT(error("caucus: open\nkeep notes: 1 day\ndestroy: now"), HasSubstr("when due"));
  EXPECT_THAT(error("caucus: open\nkeep notes: 1 day\naccess attic: counsel"),
              HasSubstr("joint, caucus, neutrals"));
  EXPECT_THAT(error("caucus: open\nkeep notes: 1 day\naccess joint: everybody's friends"),
              HasSubstr("doesn't name readers"));
  EXPECT_THAT(error("keep: 7 days"), HasSubstr("begins with none of"));
  EXPECT_THAT(error("\xff: x"), HasSubstr("UTF-8"));
  EXPECT_THAT(error(std::string(kMostPolicyBytes + 1, '#')), HasSubstr("16 KiB"));
}

TEST(Agreement, NeedsATextAndAPolicy) {
  const std::string policy = Templates()[0].policy;
  EXPECT_FALSE(CheckAgreement(" \n", policy).ok());
  EXPECT_FALSE(CheckAgreement(std::string(kMostAgreementBytes + 1, 'a'), policy).ok());
  EXPECT_FALSE(CheckAgreement("\xff", policy).ok());
  EXPECT_FALSE(CheckAgreement("text", "").ok());
}

}  // namespace
}  // namespace parley::client

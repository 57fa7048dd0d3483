#include "client-lib/pairing/invitation_code.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/primitives/random.h"

namespace parley::client {
namespace {

using ::testing::HasSubstr;

InvitationCode Sample() {
  InvitationCode code;
  code.relay_identity = crypto::RandomArray<32>();
  code.relay_address = "relay.example:7443";
  code.rendezvous_id = crypto::RandomArray<32>();
  code.secret = Secret::Random(32);
  code.expires_at = 1777777777;
  code.voucher = crypto::RandomBytes(90);
  return code;
}

TEST(InvitationCodeTest, GoesThroughText) {
  const InvitationCode code = Sample();
  const std::string text = FormatInvitation(code);
  EXPECT_TRUE(text.starts_with("parley-invite1:"));
  const absl::StatusOr<InvitationCode> back = ParseInvitation(text);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->relay_identity, code.relay_identity);
  EXPECT_EQ(back->relay_address, code.relay_address);
  EXPECT_EQ(back->rendezvous_id, code.rendezvous_id);
  EXPECT_TRUE(crypto::ConstantTimeEquals(back->secret.Reveal(), code.secret.Reveal()));
  EXPECT_EQ(back->expires_at, code.expires_at);
  EXPECT_EQ(back->voucher, code.voucher);
  EXPECT_EQ(FormatInvitation(*back), text);
}

TEST(InvitationCodeTest, TheLayoutIsAsDescribed) {
  InvitationCode code;
  code.relay_identity.fill(0x11);
  code.relay_address = "a:1";
  code.rendezvous_id.fill(0x22);
  code.secret = Secret(32);
  for (uint8_t& byte : code.secret.RevealMutable()) byte = 0x33;
  code.expires_at = 0x0102030405060708;
  code.voucher = {0x44, 0x55};
  Bytes expected = {0x01};
  expected.insert(expected.end(), 32, 0x11);
  const Bytes address = {0x03, 'a', ':', '1'};
  expected.insert(expected.end(), address.begin(), address.end());
  expected.insert(expected.end(), 32, 0x22);
  expected.insert(expected.end(), 32, 0x33);
  const Bytes tail = {1, 2, 3, 4, 5, 6, 7, 8, 0x02, 0x44, 0x55};
  expected.insert(expected.end(), tail.begin(), tail.end());
  EXPECT_EQ(FormatInvitation(code), "parley-invite1:" + crypto::ToBase64Url(expected));
}

TEST(InvitationCodeTest, WhatMailProgramsDoIsUndone) {
  const std::string text = FormatInvitation(Sample());
  EXPECT_TRUE(ParseInvitation("\n  " + text + " \r\n").ok());
  EXPECT_TRUE(ParseInvitation(text.substr(0, 70) + "\r\n\t" + text.substr(70)).ok());
}

TEST(InvitationCodeTest, WhatIsSaidAboveItIsLeftOut) {
  const std::string text = FormatInvitation(Sample());
  EXPECT_TRUE(
      ParseInvitation("For Ana, valid until tomorrow.\nHand it over.\n" + text + "\n").ok());
  EXPECT_FALSE(ParseInvitation("For Ana: " + text).ok());
}

TEST(InvitationCodeTest, EveryCutIsRefused) {
  const std::string text = FormatInvitation(Sample());
  for (size_t size = 0; size < text.size(); ++size) {
    const absl::StatusOr<InvitationCode> cut = ParseInvitation(text.substr(0, size));
    EXPECT_TRUE(absl::IsInvalidArgument(cut.status())) << size;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(ParseInvitation(text + "A").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ParseInvitation(text + text).status()));
}

TEST(InvitationCodeTest, OtherTextsAreNamed) {
  EXPECT_THAT(ParseInvitation("parley-relay1:AAAA").status().message(),
              HasSubstr("not an invitation"));
  EXPECT_THAT(ParseInvitation("").status().message(), HasSubstr("not an invitation"));
  EXPECT_THAT(ParseInvitation("parley-invite2:AAAA").status().message(),
              HasSubstr("newer version"));
  EXPECT_TRUE(absl::IsInvalidArgument(
      ParseInvitation("parley-invite1:" + std::string(100000, 'A')).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ParseInvitation("parley-invite1:A=").status()));
  // What remains of one that was cut short sends nobody to update first.
  for (const char* cut : {"parley-invite1:abc", "parley-invite1:"}) {
    EXPECT_THAT(ParseInvitation(cut).status().message(),
                HasSubstr("the invitation is incomplete or was altered"))
        << cut;
  }
}

TEST(InvitationCodeTest, AnAddressIsPrintable) {
  for (const char* address : {"", "a b:1", "a\n:1", "\xff:1"}) {
    InvitationCode code = Sample();
    code.relay_address = address;
    EXPECT_FALSE(ParseInvitation(FormatInvitation(code)).ok()) << address;
  }
}

TEST(InvitationCodeTest, KeysOfTheSecretDiffer) {
  const InvitationCode code = Sample();
  const InvitationKeys keys = DeriveInvitationKeys(code.secret);
  const InvitationKeys again = DeriveInvitationKeys(code.secret);
  const Secret* all[] = {&keys.read_seed, &keys.append_seed, &keys.seal_key, &keys.pairing_salt};
  for (const Secret* a : all) {
    EXPECT_EQ(a->size(), 32u);
    for (const Secret* b : all) {
      EXPECT_EQ(a == b, crypto::ConstantTimeEquals(a->Reveal(), b->Reveal()));
    }
  }
  EXPECT_TRUE(crypto::ConstantTimeEquals(keys.seal_key.Reveal(), again.seal_key.Reveal()));
}

}  // namespace
}  // namespace parley::client

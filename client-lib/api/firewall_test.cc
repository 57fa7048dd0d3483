// The caucus firewall through the public calls: what Mira, who reads everything, can't carry.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "client-lib/api/attacker_for_test.h"
#include "client-lib/api/mediation_for_test.h"

namespace parley::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kSecret[] =
    "CANARY-H: our floor is 690 thousand, and the covenant falls due on 30 June.";
constexpr char kHarbor[] = "caucus:Harbor";
constexpr char kNorthline[] = "caucus:Northline";

class FirewallTest : public Mediation {
 protected:
  FirewallTest() {
    LetEverybodyIn();
    Say("Ana", kHarbor, kSecret);
    Sync("Mira");
  }

  // How Mira's attempt to send it ends: an empty text when it was sent.
  std::string Refused(const std::string& channel, const std::string& text,
                      const std::string& name = "Mira") {
    const size_t before = Texts(name, channel).size();
    const Result<SentMessage> sent = Of(name).Send(Ref(name, channel), text);
    if (sent.ok()) return "";
    EXPECT_EQ(sent.status().code(), StatusCode::kPermissionDenied) << sent.status().message();
    EXPECT_EQ(Texts(name, channel).size(), before);
    EXPECT_TRUE(Must(Of(name).Unsent(Ref(name, channel)), "unsent").empty());
    return sent.status().message();
  }

  std::string Write(const std::string& name, const std::string& bytes) {
    const std::string path = folder_ / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  Status Share(const std::string& name, const std::string& channel, const std::string& path) {
    return Of(name).Share(Ref(name, channel), path).status();
  }
};

TEST_F(FirewallTest, AConfidenceIsHeldBackFromTheOtherSideAndTheJointChannel) {
  EXPECT_THAT(Refused(kNorthline, std::string("They say: ") + kSecret),
              AllOf(HasSubstr("Ana (party, Harbor)"), HasSubstr(kHarbor), HasSubstr("Ben"),
                    Not(HasSubstr("Lee")), Not(HasSubstr("690"))));
  EXPECT_THAT(Refused("joint", kSecret), HasSubstr("Ben"));
  Sync("Tomas");
  EXPECT_THAT(Refused(kNorthline, kSecret, "Tomas"), HasSubstr("Ana (party, Harbor)"));
}

TEST_F(FirewallTest, NoDisguiseHelps) {
  for (const char* text : {
           "canary h our floor is 690 thousand and the covenant falls due on 30 june",
           "so: OUR FLOOR... IS: 690 THOUSAND!! and the (covenant) falls, due on 30th",
           "fl\xD0\xBE\xD0\xBEr is 690 th\xD0\xBEus\xD0\xB0nd and the c\xD0\xBEvenant falls due on",
           "f\xE2\x80\x8Bloor is 690 thou\xC2\xADsand, and the cov\xCC\x81"
           "enant falls due on 30",
           "o\nu\nr\nf\nl\no\no\nr\ni\ns\n6\n9\n0\nt\nh\no\nu\ns\na\nn\nd\na\nn\nd\nt\nh\ne\nc\no\n"
           "v\ne\nn\na\nn\nt\nfalls due",
       }) {
    EXPECT_NE(Refused(kNorthline, text), "") << text;
  }
  const std::string around(100'000, 'z');
  EXPECT_NE(Refused(kNorthline, around + " " + kSecret + " " + around), "");
}

TEST_F(FirewallTest, WhatEverybodyThereHasReadIsFree) {
  EXPECT_EQ(Refused(kHarbor, std::string("You said: ") + kSecret), "");
  EXPECT_EQ(Refused("neutrals", kSecret), "");
  EXPECT_EQ(Refused(kNorthline, "Fast payment matters to everybody, I should think."), "");
  Say("Ana", "joint", std::string("To all: ") + kSecret);
  Sync("Mira");
  EXPECT_EQ(Refused(kNorthline, kSecret), "");
}

TEST_F(FirewallTest, AShortConfidenceIsHeldBackWhole) {
  Say("Lee", kHarbor, "Our ceiling is 715.");
  Sync("Mira");
  EXPECT_THAT(Refused(kNorthline, "I hear: our ceiling is 715, they say"), HasSubstr("Lee"));
  EXPECT_EQ(Refused(kNorthline, "Our ceiling is what it is."), "");
  Say("Ben", kNorthline, "Well, our ceiling is 715. What is theirs?");
  Sync("Mira");
  EXPECT_EQ(Refused(kNorthline, "You say: our ceiling is 715"), "");
}

TEST_F(FirewallTest, ANeutralsOwnLongWordsAreBoundAndCourtesiesArent) {
  EXPECT_EQ(Refused(kHarbor, "Thank you, I have read it."), "");
  EXPECT_EQ(Refused(kNorthline, "Thank you, I have read it."), "");
  EXPECT_EQ(Refused(kHarbor, "So you would settle for seven hundred thousand in three parts?"), "");
  EXPECT_THAT(Refused(kNorthline, "They would settle for seven hundred thousand in three parts"),
              AllOf(HasSubstr("you confided"), HasSubstr(kHarbor)));
  Say("Mira", "neutrals", "My assessment is that they overlap by twenty-five thousand.");
  EXPECT_THAT(Refused(kHarbor, "My assessment is that they overlap by twenty-five thousand."),
              AllOf(HasSubstr("neutrals"), HasSubstr("Ana and Lee")));
}

TEST_F(FirewallTest, WhatWaitsToBeSentIsBoundAlready) {
  relay_.Stop();
  const Result<SentMessage> queued = Of("Mira").Send(
      Ref("Mira", kHarbor), "So you would settle for seven hundred thousand in three parts?");
  ASSERT_TRUE(queued.ok() && queued->queued);
  EXPECT_THAT(Refused(kNorthline, "Would settle for seven hundred thousand in three parts?"),
              HasSubstr("waits to be sent"));
}

TEST_F(FirewallTest, PartiesSayWhatTheyLike) { EXPECT_EQ(Refused("joint", kSecret, "Ana"), ""); }

TEST_F(FirewallTest, ManyMessagesAndAnotherProcess) {
  for (int i = 0; i < 40; ++i) {
    Say("Ana", kHarbor,
        "Item " + std::to_string(i) + ": the bearing of roller " + std::to_string(i * 7919) +
            " failed on the night shift of week " + std::to_string(i));
  }
  Sync("Mira");
  EXPECT_NE(Refused(kNorthline, "roller 79190 failed on the night shift of week 10, they say"), "");
  Profile other = Another("Mira");
  const Status refused =
      other.Send(Ref("Mira", kNorthline), "bearing of roller 308841 failed on the night shift of")
          .status();
  EXPECT_EQ(refused.code(), StatusCode::kPermissionDenied) << refused.message();
}

TEST_F(FirewallTest, ADocumentIsKnownUnderAnyName) {
  const std::string bytes = "\xFF\xD8 the damages, as a picture";
  ASSERT_TRUE(Share("Ana", kHarbor, Write("damages.jpg", bytes)).ok());
  Sync("Mira");
  const std::string renamed = Write("holiday.jpg", bytes);
  const Status refused = Share("Mira", kNorthline, renamed);
  EXPECT_EQ(refused.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(refused.message(), AllOf(HasSubstr("damages.jpg"), HasSubstr("Ana (party, Harbor)"),
                                       HasSubstr(kHarbor), HasSubstr("Ben")));
  EXPECT_TRUE(Must(Of("Mira").Documents(Ref("Mira", kNorthline)), "documents").empty());
  EXPECT_TRUE(Share("Mira", kHarbor, renamed).ok());
  EXPECT_TRUE(Share("Mira", "neutrals", renamed).ok());
  ASSERT_TRUE(Share("Ana", "joint", renamed).ok());
  Sync("Mira");
  EXPECT_TRUE(Share("Mira", kNorthline, renamed).ok());
}

TEST_F(FirewallTest, ATextInAFileIsReadAndAnEmptyFileIsNobodys) {
  const Status refused =
      Share("Mira", kNorthline, Write("notes.txt", std::string("Notes\n\n") + kSecret));
  EXPECT_EQ(refused.code(), StatusCode::kPermissionDenied) << refused.message();
  ASSERT_TRUE(Share("Ana", kHarbor, Write("empty", "")).ok());
  Sync("Mira");
  EXPECT_TRUE(Share("Mira", kNorthline, Write("empty-too", "")).ok());
}

}  // namespace
}  // namespace parley::testing

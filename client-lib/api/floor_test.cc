// The floor in the joint channel: messages are held until it is their author's, and what is said
// without it is marked and never dropped.
#include "client-lib/api/session_for_test.h"

namespace parley {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Must;
using ::testing::Not;

class FloorTest : public testing::SessionTest {
 protected:
  FloorTest() { LetEverybodyIn(); }

  void Give(const std::string& name, const FloorRequest& request) {
    Must(Of(name).GiveFloor(case_, request), "giving the floor");
    Everybody(1);
  }
  Floor Get(const std::string& name) { return Must(Of(name).GetFloor(case_), "the floor"); }
  std::vector<std::string> Spoken(const std::string& name) {
    std::vector<std::string> texts;
    for (const Message& message : Read(name)) {
      if (message.kind == MessageKind::kText) texts.push_back(message.text);
    }
    return texts;
  }
};

TEST_F(FloorTest, OthersMessagesAreHeldAndGoOutByThemselves) {
  EXPECT_EQ(Get("Ben").text, "all");
  Give("Mira", {.to = FloorTo::kSide, .side = "Harbor"});
  EXPECT_EQ(Get("Ben").text, "the side Harbor");
  EXPECT_FALSE(Get("Ben").may_speak);
  EXPECT_TRUE(Get("Ana").may_speak && Get("Lee").may_speak && Get("Tomas").may_speak);
  const SentMessage held = Must(Of("Ben").Send(Ref("Ben", "joint"), "Listen."), "sending");
  EXPECT_TRUE(held.held && held.queued);
  EXPECT_FALSE(held.position.has_value());
  EXPECT_THAT(held.queued_because, HasSubstr("the floor is given to the side Harbor"));
  testing::WriteFile(folder_ / "plan.txt", "plan");
  EXPECT_TRUE(Must(Of("Ben").Share(Ref("Ben", "joint"), folder_ / "plan.txt"), "sharing").held);
  // Elsewhere there is no floor, and neutrals and the floor's holders speak.
  Say("Ben", "caucus", "In private.");
  Say("Tomas", "joint", "Harbor, please.");
  Say("Lee", "joint", "The conveyor stands still.");
  Everybody();
  EXPECT_THAT(Spoken("Ana"), ElementsAre("Harbor, please.", "The conveyor stands still."));
  std::vector<Message> waiting = Must(Of("Ben").Unsent(Ref("Ben", "joint")), "unsent");
  ASSERT_EQ(waiting.size(), 2u);
  EXPECT_THAT(waiting[0].note, HasSubstr("goes out by itself when the floor is yours"));

  Must(Of("Ben").AskForFloor(case_), "asking");
  Sync("Mira");
  ASSERT_EQ(Get("Mira").hands.size(), 1u);
  EXPECT_EQ(Get("Mira").hands[0].name, "Ben");
  Give("Mira", {.to = FloorTo::kParticipant, .participant = Id("Mira", "Ben")});
  Everybody();
  EXPECT_THAT(Must(Of("Ben").Unsent(Ref("Ben", "joint")), "unsent"), IsEmpty());
  EXPECT_THAT(Spoken("Ana"), Contains("Listen."));
  EXPECT_EQ(FindText("Ana", "Listen.").without_floor, "");
  EXPECT_EQ(Must(Of("Ana").Documents(Ref("Ana", "joint")), "documents").size(), 1u);
  EXPECT_THAT(Get("Mira").hands, IsEmpty());
  EXPECT_TRUE(Must(Of("Ana").Send(Ref("Ana", "joint"), "But"), "sending").held);
}

TEST_F(FloorTest, AHeldMessageCanBeTakenBack) {
  Give("Tomas", {.to = FloorTo::kNeutrals});
  const SentMessage held = Must(Of("Ben").Send(Ref("Ben", "joint"), "Rash."), "sending");
  PARLEY_ASSERT_OK(Of("Ben").Unsend(Ref("Ben", "joint"), held.id));
  Give("Tomas", {.to = FloorTo::kAll});
  Everybody();
  EXPECT_THAT(Spoken("Ana"), IsEmpty());
  EXPECT_EQ(Of("Ben").Unsend(Ref("Ben", "joint"), held.id).code(), StatusCode::kNotFound);
}

TEST_F(FloorTest, AMessageThatWaitedForTheRelayIsHeldTooWhenTheFloorHasMoved) {
  // Written while it was allowed, and not sent; then, while his program doesn't know yet.
  LeaveWaiting("Ben", "joint", Text("Before."));
  Must(Of("Mira").GiveFloor(case_, {.to = FloorTo::kSide, .side = "Harbor"}), "giving");
  const SentMessage held = Must(Of("Ben").Send(Ref("Ben", "joint"), "Listen."), "sending");
  EXPECT_TRUE(held.held);
  Everybody();
  EXPECT_THAT(Spoken("Ana"), IsEmpty());
  EXPECT_EQ(Must(Of("Ben").Unsent(Ref("Ben", "joint")), "unsent").size(), 2u);
  Give("Mira", {.to = FloorTo::kAll});
  Everybody();
  EXPECT_THAT(Spoken("Ana"), ElementsAre("Before.", "Listen."));
  EXPECT_EQ(FindText("Ana", "Before.").without_floor, "");
}

TEST_F(FloorTest, WhoSpeaksWithoutTheFloorIsShownMarkedByEverybodyElse) {
  Give("Mira", {.to = FloorTo::kParticipant, .participant = Id("Mira", "Ana")});
  Inject("Ben", "joint", Text("I speak anyway."));
  Everybody();
  for (const char* name : {"Mira", "Tomas", "Ana", "Lee", "Ben"}) {
    EXPECT_THAT(FindText(name, "I speak anyway.").without_floor,
                HasSubstr("said without the floor, which was given to Ana"))
        << name;
  }
  Give("Mira", {.to = FloorTo::kAll});
  // The mark stays, and falls on nothing else.
  Say("Ben", "joint", "Now rightly.");
  Everybody(1);
  EXPECT_THAT(FindText("Ana", "I speak anyway.").without_floor, Not(IsEmpty()));
  EXPECT_THAT(FindText("Ana", "Now rightly.").without_floor, IsEmpty());
}

TEST_F(FloorTest, TheBalanceIsForTheNeutralsAndLeavesNoTrace) {
  Say("Ana", "joint", "Three  short\nwords");
  Say("Ben", "joint", "ééé");
  Say("Mira", "joint", "Thank you both.");
  Say("Ana", "caucus", "This doesn't count.");
  Everybody(1);
  const uint64_t head = Find("Mira", "joint", 0).head;
  std::map<std::string, SpeakingShare> shares;
  for (const SpeakingShare& share : Must(Of("Mira").Balance(case_), "balance")) {
    shares[share.person.name] = share;
  }
  ASSERT_EQ(shares.size(), 5u);
  EXPECT_EQ(shares["Ana"].characters, 15u);
  EXPECT_EQ(shares["Ana"].per_mille, 833u);
  EXPECT_EQ(shares["Ben"].characters, 3u);
  EXPECT_EQ(shares["Ben"].per_mille, 166u);
  EXPECT_EQ(shares["Mira"].messages, 1u);
  EXPECT_EQ(shares["Mira"].per_mille, 0u);
  EXPECT_EQ(shares["Lee"].messages, 0u);
  Everybody(1);
  EXPECT_EQ(Find("Mira", "joint", 0).head, head);
  EXPECT_EQ(Of("Ana").Balance(case_).status().code(), StatusCode::kPermissionDenied);
}

TEST_F(FloorTest, OnlyNeutralsGiveIt) {
  EXPECT_EQ(Of("Ana").GiveFloor(case_, {.to = FloorTo::kNeutrals}).status().code(),
            StatusCode::kPermissionDenied);
  EXPECT_EQ(Of("Mira").AskForFloor(case_).status().code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(Of("Mira").GiveFloor(case_, {.to = FloorTo::kSide, .side = "Nowhere"}).status().code(),
            StatusCode::kNotFound);
  content::v1::Content grab;
  grab.mutable_floor_grant()->set_to(content::v1::FloorGrant::TO_SIDE);
  grab.mutable_floor_grant()->set_side("Northline");
  Inject("Ben", "joint", grab);
  Everybody();
  for (const char* name : {"Mira", "Ana", "Ben"}) {
    EXPECT_EQ(Get(name).text, "all");
  }
  // Nothing had been led before, so only who has seen the beginning names it.
  EXPECT_THAT(AlarmTexts("Mira"), HasSubstr("Ben may not give the floor"));
}

TEST_F(FloorTest, WhatIsHeldIsNotForWhoComesMeanwhile) {
  Give("Mira", {.to = FloorTo::kNeutrals});
  const SentMessage held = Must(Of("Ben").Send(Ref("Ben", "joint"), "Among us."), "sending");
  ASSERT_TRUE(held.held);
  LetIn("Shah", Role::kCounsel, "Northline");
  Everybody();
  Sync("Shah");
  Give("Mira", {.to = FloorTo::kAll});
  Everybody();
  Sync("Shah");
  EXPECT_THAT(Spoken("Ana"), IsEmpty());
  EXPECT_THAT(Spoken("Shah"), IsEmpty());
  EXPECT_THAT(Must(Of("Ben").Unsent(Ref("Ben", "joint")), "unsent"), IsEmpty());
  const std::vector<Message> kept = Must(Of("Ben").NeverSent(Ref("Ben", "joint")), "never sent");
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].text, "Among us.");
  EXPECT_THAT(kept[0].note, HasSubstr("Shah"));
}

class FloorInProcedureTest : public testing::SessionTest {
 protected:
  FloorInProcedureTest() {
    case_ = Must(Of("Mira").CreateCase("Harbor v Northline", connection_,
                                       CaseOptions{.with_procedure = true}),
                 "case");
    LetIn("Ana", Role::kParty, "Harbor");
    Did(Of("Ana").Act(case_, CaseAct::kRequest, "The conveyor."));
    LetIn("Ben", Role::kParty, "Northline");
    Three();
    Did(Of("Ben").Act(case_, CaseAct::kAccept));
    Three();
    const std::string hash =
        Must(Of("Mira").ProposeAgreement(case_, "We agree.", AgreementTemplates()[0].policy),
             "agreement");
    Three();
    for (const char* name : {"Mira", "Ana", "Ben"}) Did(Of(name).SignAgreement(case_, hash));
    Three();
    Did(Of("Mira").Act(case_, CaseAct::kBeginSession));
    Did(Of("Mira").GiveFloor(case_, {.to = FloorTo::kSide, .side = "Harbor"}));
    Three();
  }
  template <typename T>
  static void Did(const T& done) {
    EXPECT_TRUE(testing::StatusOf(done).ok()) << testing::StatusOf(done).message();
  }
  void Three() { SyncAll({"Mira", "Ana", "Ben"}); }
};

// Nobody could give it any more, so a floor would bind for ever.
TEST_F(FloorInProcedureTest, NoFloorBindsWhileTheCaseRests) {
  EXPECT_TRUE(Must(Of("Ben").Send(Ref("Ben", "joint"), "Wait."), "sending").held);
  Did(Of("Mira").Act(case_, CaseAct::kSuspend, "A pause."));
  Three();
  EXPECT_THAT(Must(Of("Ben").Unsent(Ref("Ben", "joint")), "unsent"), IsEmpty());
  EXPECT_EQ(FindText("Ana", "Wait.").without_floor, "");
  EXPECT_EQ(Must(Of("Ben").GetFloor(case_), "the floor").text, "all");
  Did(Of("Mira").Act(case_, CaseAct::kBeginSession));
  Three();
  EXPECT_TRUE(Must(Of("Ben").Send(Ref("Ben", "joint"), "Still?"), "sending").held);
  Did(Of("Ana").Act(case_, CaseAct::kWithdraw));
  Three();
  Three();
  EXPECT_EQ(FindText("Ana", "Still?").without_floor, "");
  Say("Ben", "joint", "Farewell.");
}

}  // namespace
}  // namespace parley

// What a neutral carries on over the firewall's objection, where the agreement lets them.
#include "client-lib/api/agreed_case_for_test.h"

namespace parley {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Must;
using ::testing::Not;

class OverrideTest : public testing::AgreedCase {};

// Caucuses that are open: with a reason, which the neutrals keep; not what was reserved.
TEST_F(OverrideTest, OpenCaucusesLetANeutralCarryWhatIsntReserved) {
  Begin("caucus: open\nkeep notes: 7 days\n");
  Say("Ana", "caucus", "We would take the machine back if they pay for the transport.");
  SendOptions reserved;
  reserved.reserved = true;
  Must(Of("Ana").Send(Ref("Ana", "caucus"), "Between us: the bank calls the loan in March.",
                      reserved),
       "reserving");
  Everybody(1);
  const ChannelRef northline = Ref("Mira", "caucus:Northline");
  const std::string text = "We would take the machine back if they pay for the transport.";
  EXPECT_THAT(Of("Mira").Send(northline, text).status().message(), HasSubstr("--override"));
  SendOptions options;
  options.override_reason = "It moves them.";
  const Status kept =
      Of("Mira").Send(northline, "Between us: the bank calls the loan in March.", options).status();
  EXPECT_EQ(kept.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(kept.message(), HasSubstr("this was reserved"));
  EXPECT_EQ(Of("Mira")
                .Send(northline, text + " Between us: the bank calls the loan in March.", options)
                .status()
                .code(),
            StatusCode::kPermissionDenied);
  // What somebody reserved stays so, whoever said the same before without that.
  const std::string twice = "They would wait for the money until the autumn of next year.";
  Say("Ana", "caucus", twice);
  Must(Of("Ana").Send(Ref("Ana", "caucus"), twice, reserved), "reserving");
  const std::string brief = "Not before May 2031!";
  Say("Ana", "caucus", brief);
  Must(Of("Ana").Send(Ref("Ana", "caucus"), brief, reserved), "reserving");
  Everybody(1);
  for (const std::string& said : {twice, brief}) {
    EXPECT_EQ(Of("Mira").Send(northline, said, options).status().code(),
              StatusCode::kPermissionDenied)
        << said;
  }
  Must(Of("Mira").Send(northline, text, options), "overriding");
  Everybody();
  EXPECT_THAT(Texts("Ben", "caucus"), ElementsAre("Mira: " + text));
  const std::vector<std::string> notes = Texts("Mira", "neutrals");
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_THAT(notes[0], HasSubstr("It moves them."));
  EXPECT_THAT(notes[0], HasSubstr("said in caucus:Northline (message "));
  // Whose words they were, and where; not which.
  const Message source = Must(Of("Ana").Read(Ref("Ana", "caucus")), "reading").front();
  EXPECT_THAT(notes[0], HasSubstr("what the firewall held back (what Ana said in caucus:Harbor (" +
                                  std::to_string(source.position) + ")), as the agreement"));
  EXPECT_THAT(notes[0], Not(HasSubstr("transport")));
}

// Of each side one, and what was said twice once.
TEST_F(OverrideTest, TheRecordNamesAllThatIsCarriedOn) {
  Begin("caucus: open\nkeep notes: 7 days\n");
  const std::string harbors = "We would take the machine back if they pay for the transport.";
  const std::string northlines = "They may keep the retained money until the second of March.";
  Say("Ana", "caucus", harbors);
  Say("Ana", "caucus", harbors);
  Say("Ben", "caucus", northlines);
  Everybody(1);
  SendOptions options;
  options.override_reason = "Both said I might.";
  Must(Of("Mira").Send(Ref("Mira", "joint"), harbors + " " + northlines, options), "overriding");
  const std::vector<std::string> notes = Texts("Mira", "neutrals");
  ASSERT_EQ(notes.size(), 1u);
  const auto position = [this](const std::string& name) {
    return std::to_string(Must(Of(name).Read(Ref(name, "caucus")), "reading").front().position);
  };
  EXPECT_THAT(notes[0], HasSubstr("(what Ana said in caucus:Harbor (" + position("Ana") +
                                  "), and Ben in caucus:Northline (" + position("Ben") + "))"));
}

TEST_F(OverrideTest, ClosedCaucusesAndSharedFactsHaveNoOverride) {
  Begin("caucus: must-share-facts\nkeep notes: 7 days\n");
  Say("Ana", "caucus", "We would take the machine back if they pay for the transport.");
  Everybody(1);
  SendOptions options;
  options.override_reason = "It moves them.";
  const std::string text = "We would take the machine back if they pay for the transport.";
  const Status refused = Of("Mira").Send(Ref("Mira", "joint"), text).status();
  EXPECT_EQ(refused.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(refused.message(), HasSubstr("of a fact its author owes the authorisation"));
  EXPECT_THAT(Of("Mira").Send(Ref("Mira", "joint"), text, options).status().message(),
              HasSubstr("only where the agreement to mediate says \"caucus: open\""));
  AuthorisationRequest request;
  request.item = Must(Of("Ana").Read(Ref("Ana", "caucus")), "reading").front().id;
  request.audience = "joint";
  Must(Of("Ana").Authorise(Ref("Ana", "caucus"), request), "authorising");
  Everybody(1);
  const std::vector<TodoItem> items = Must(Of("Mira").Todo(case_), "todo");
  ASSERT_FALSE(items.empty());
  EXPECT_THAT(items[0].text, HasSubstr("by the agreement facts are to be shared"));
}

}  // namespace
}  // namespace parley

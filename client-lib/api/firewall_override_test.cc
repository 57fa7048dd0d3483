// What a neutral carries on over the firewall's objection, where the agreement lets them.
#include "client-lib/api/agreed_case_for_test.h"

namespace parley {
namespace {

using testing::Attacker;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Have;
using testing::Must;
using ::testing::Not;

class OverrideTest : public testing::AgreedCase {
 protected:
  // A text that is said under the agreement in force.
  content::v1::Content InForce(const std::string& name, const std::string& text) {
    content::v1::Content content = Text(text);
    auto store = Have(client::ProfileStore::Open(folder_ / name));
    const client::ReadTransaction read = Have(store->Read());
    client::CaseContext context;
    context.store = store.get();
    context.id = case_;
    const auto procedure = Have(client::LoadProcedure(read, context));
    content::v1::CasePosition& at = *content.mutable_case_position();
    at.set_incarnation(procedure->head.incarnation);
    at.mutable_at()->set_position(procedure->head.position);
    at.mutable_at()->set_transcript_hash(crypto::ToString(procedure->head_hash));
    return content;
  }
  // The neutrals' latest record of one.
  content::v1::FirewallOverride LastOverride(const std::string& name) {
    const ChannelRef neutrals = Ref(name, "neutrals");
    auto store = Have(client::ProfileStore::Open(folder_ / name));
    const client::ReadTransaction read = Have(store->Read());
    client::CaseContext context;
    context.store = store.get();
    context.id = case_;
    client::MessageQuery query;
    query.kinds = {client::ContentKind::kFirewallOverride};
    content::v1::Content content;
    for (const client::ChannelMessage& message :
         Have(context.Channel(neutrals.channel_id).Messages(read, query))) {
      EXPECT_TRUE(content.ParseFromString(crypto::ToString(message.content.Reveal())));
    }
    return content.firewall_override();
  }
};

// Caucuses that are open: with a reason, which the neutrals keep; not what was reserved.
TEST_F(OverrideTest, OpenCaucusesLetANeutralCarryWhatIsntReserved) {
  Begin("caucus: open\nkeep notes: 7 days\n");
  EXPECT_THAT(Find("Ana", "caucus", 0).caution, HasSubstr("unless who says it reserves it"));
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

// Their numbers aren't the same on a device that has come after the channel was opened anew.
TEST_F(OverrideTest, WhoHasComeLaterIsShownTheMessageThatWasMeant) {
  Begin("caucus: open\nkeep notes: 7 days\n");
  for (const char* text : {"The first word of this morning.", "The second of them."}) {
    Say("Ana", "caucus", text);
  }
  Everybody(1);
  for (int times = 0; times < 2; ++times) {
    const ChannelRef caucus = Ref("Mira", "caucus:Harbor");
    Attacker(folder_ / "Mira", relay_, case_).Lose(caucus.channel_id);
    PARLEY_ASSERT_OK(Of("Mira").Reopen(caucus));
    PARLEY_ASSERT_OK(Of("Ana").Sync({.case_id = case_}));
    Everybody();
  }
  LetIn("Tomas", Role::kCoMediator);
  SyncAll({"Mira", "Tomas", "Ana", "Ben"}, 2);
  PARLEY_ASSERT_OK(Of("Tomas").SignAgreement(
      case_, Must(Of("Tomas").Progress(case_), "progress").in_force->hash));
  SyncAll({"Mira", "Tomas", "Ana", "Ben"}, 2);
  const std::string text = "We would take the machine back if they pay for the transport.";
  Say("Ana", "caucus", text);
  SyncAll({"Mira", "Tomas", "Ben"}, 1);
  SendOptions options;
  options.override_reason = "It moves them.";
  Must(Of("Mira").Send(Ref("Mira", "caucus:Northline"), text, options), "overriding");
  SyncAll({"Mira", "Tomas"}, 1);
  const auto number = [this](const char* name) {
    return Must(Of(name).Read(Ref(name, "caucus:Harbor")), "reading").back().position;
  };
  ASSERT_NE(number("Mira"), number("Tomas"));
  for (const char* name : {"Mira", "Tomas"}) {
    EXPECT_THAT(Texts(name, "neutrals").back(),
                HasSubstr("what Ana said in caucus:Harbor (" + std::to_string(number(name)) + ")"))
        << name;
  }
}

// Who fills a caucus with pieces of a text doesn't keep it from being sent.
TEST_F(OverrideTest, OfManySourcesTheRecordNamesSome) {
  Begin("caucus: open\nkeep notes: 7 days\n");
  std::string text;
  std::vector<std::string> pieces;
  for (int i = 0; i < 300; ++i) {
    pieces.push_back("On day " + std::to_string(1000 + i) + " the conveyor of hall " +
                     std::to_string(7 * i + 11) + " stood still for hours.");
    text += pieces.back() + " ";
  }
  for (const std::string& piece : pieces) LeaveWaiting("Ana", "caucus", InForce("Ana", piece));
  SyncAll({"Ana", "Mira"}, 2);
  ASSERT_EQ(Texts("Mira", "caucus:Harbor").size(), 300u);
  SendOptions options;
  options.override_reason = "It moves them.";
  Must(Of("Mira").Send(Ref("Mira", "caucus:Northline"), text, options), "overriding");
  const content::v1::FirewallOverride record = LastOverride("Mira");
  EXPECT_EQ(record.sources_size(), 256);
  EXPECT_EQ(record.further_sources(), 44u);
  EXPECT_THAT(Texts("Mira", "neutrals").back(), HasSubstr(", and others)"));
}

TEST_F(OverrideTest, ClosedCaucusesAndSharedFactsHaveNoOverride) {
  Begin("caucus: must-share-facts\nkeep notes: 7 days\n");
  EXPECT_THAT(Find("Ana", "caucus", 0).caution, HasSubstr("facts that are told here must be"));
  EXPECT_THAT(Find("Mira", "caucus:Harbor", 0).caution,
              HasSubstr("No program knows what is a fact"));
  EXPECT_EQ(Find("Ana", "joint", 0).caution, "");
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

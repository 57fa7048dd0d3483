#include "tools/parley/output/records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/parley/output/progress.h"

namespace parley::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Message SomeMessage() {
  Message message;
  message.position = 12;
  message.author.name = "Ana Ruiz";
  message.author.role = Role::kParty;
  message.author.side = "Harbor";
  message.text = "Fast payment matters.";
  message.time = 1773501006;
  return message;
}

Message SomeDocument() {
  Message message = SomeMessage();
  message.kind = MessageKind::kDocument;
  message.text.clear();
  Document document;
  document.name = "調停陳述書.txt";
  document.size = 67;
  document.media_type = "text/plain";
  message.document = document;
  return message;
}

TEST(RecordsTest, MessageHasThePromisedFields) {
  const std::string line = ToJson(SomeMessage(), "caucus:Harbor").ToString();
  EXPECT_THAT(line, HasSubstr(R"("position": 12, "channel": "caucus:Harbor", "author": "Ana Ruiz",)"
                              R"( "role": "party", "side": "Harbor")"));
  EXPECT_THAT(line, HasSubstr(R"("kind": "text", "text": "Fast payment matters.")"));
  EXPECT_THAT(line, HasSubstr(R"("time": "2026-03-14T15:10:06Z")"));
  EXPECT_THAT(line, Not(HasSubstr("\"document\"")));
}

TEST(RecordsTest, DocumentHasThePromisedFields) {
  const std::string line = ToJson(SomeDocument(), "caucus:Harbor").ToString();
  EXPECT_THAT(line, HasSubstr(R"("kind": "document")"));
  EXPECT_THAT(line, HasSubstr(R"("document": "00000000000000000000000000000000")"));
  EXPECT_THAT(line, HasSubstr(R"("name": "調停陳述書.txt", "size": 67)"));
}

TEST(RecordsTest, MessageCannotWriteWhereTheProgramWrites) {
  Message message = SomeMessage();
  message.text = "Yes.\n  13  Mira Voss (mediator), 2026-03-14 15:10\n      We accept.\x1b[2J";
  message.author.name = "Ana\nRuiz";
  const std::string text = ToText(message);
  EXPECT_THAT(text, HasSubstr("  12  Ana<U+000A>Ruiz* (party, Harbor), "));
  EXPECT_THAT(text, HasSubstr("\n      Yes.\n        13  Mira Voss"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(RecordsTest, ShowsDocumentsAndNewerKinds) {
  EXPECT_THAT(ToText(SomeDocument()), HasSubstr("document \"調停陳述書.txt\", 67 bytes"));
  Message newer = SomeMessage();
  newer.kind = MessageKind::kUnknown;
  EXPECT_THAT(ToText(newer), HasSubstr("newer version"));
}

TEST(RecordsTest, ParticipantsStandInColumns) {
  Participant mira;
  mira.name = "Mira Voss";
  mira.role = Role::kMediator;
  mira.state = ParticipantState::kApproved;
  mira.self = true;
  Participant ana;
  ana.name = "Ana";
  ana.role = Role::kParty;
  ana.side = "Harbor";
  ana.state = ParticipantState::kWaiting;
  ana.safety_number = "12345 67890";
  ana.alarms = {"the invitation was used a second time"};
  EXPECT_EQ(ToText(std::vector<Participant>{mira, ana}),
            "Mira Voss  mediator       you\n"
            "Ana        party, Harbor  waiting  12345 67890  (not compared)\n"
            "    ! the invitation was used a second time\n");
}

TEST(RecordsTest, HaltedChannelSaysWhy) {
  Channel channel;
  channel.name = "joint";
  channel.status = ChannelStatus::kHalted;
  channel.halted_reason = "somebody who may not added a member";
  EXPECT_THAT(ToText(channel, ParticipantState::kApproved), HasSubstr("joint  [halted]"));
  EXPECT_THAT(ToText(channel, ParticipantState::kApproved),
              HasSubstr("halted: somebody who may not"));
  EXPECT_THAT(ToJson(channel).ToString(), HasSubstr("\"reason\": \"somebody"));
}

TEST(RecordsTest, ProgressGoesFromNothingToAll) {
  EXPECT_EQ(ProgressLine("sharing", 0, 1000),
            "sharing [..............................]   0 %  0 bytes of 1 KB");
  EXPECT_EQ(ProgressLine("sharing", 500, 1000),
            "sharing [###############...............]  50 %  500 bytes of 1 KB");
  EXPECT_EQ(ProgressLine("sharing", 0, 0),
            "sharing [##############################] 100 %  0 bytes of 0 bytes");
}

TEST(RecordsTest, AClosedChannelIsReadByItsOwnerNoMore) {
  Channel channel;
  channel.name = "joint";
  channel.ref.channel_id = *ChannelId::FromString("3fa9c2d1000000000000000000000000");
  EXPECT_THAT(ToText(channel, ParticipantState::kApproved), HasSubstr("    read by nobody\n"));
  channel.status = ChannelStatus::kClosed;
  EXPECT_THAT(ToText(channel, ParticipantState::kRemoved),
              HasSubstr("    was read, until you were removed, by nobody\n"));
  EXPECT_THAT(ToText(channel, ParticipantState::kLeft),
              HasSubstr("    was read, until you left, by nobody\n"));
  EXPECT_THAT(ToText(channel, ParticipantState::kLeft, /*with_id=*/true),
              HasSubstr("joint  (3fa9c2d1)  [closed]"));
}

}  // namespace
}  // namespace parley::cli

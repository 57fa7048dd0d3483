#include "client-lib/api/find.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace parley::client {
namespace {

using ::testing::HasSubstr;

Document Doc(uint8_t id, const std::string& name, const std::string& author) {
  Document document;
  document.ref.message_id = MessageId(MessageId::Bytes{id, 0x12});
  document.name = name;
  document.author.name = author;
  document.author.id = ParticipantId(ParticipantId::Bytes{static_cast<uint8_t>(author[0])});
  return document;
}

Case CaseOf(uint8_t id, const std::string& title) {
  Case one;
  one.id = CaseId(CaseId::Bytes{id});
  one.title = title;
  return one;
}

TEST(FindTest, TheShortestBeginningOfAnIdThatFitsOneIsEnough) {
  const std::vector<Case> cases = {CaseOf(0x5a, "First"), CaseOf(0x5b, "Second"),
                                   CaseOf(0xc0, "Third")};
  EXPECT_EQ(PickCase(cases, "c")->title, "Third");
  EXPECT_EQ(PickCase(cases, "5B")->title, "Second");
  EXPECT_FALSE(PickCase(cases, "").ok());
  EXPECT_FALSE(PickCase(cases, "6").ok());
  const absl::Status several = PickCase(cases, "5").status();
  EXPECT_THAT(std::string(several.message()), HasSubstr("fits several"));
}

TEST(FindTest, ANameGoesBeforeAnId) {
  const std::vector<Case> cases = {CaseOf(0xc0, "First"), CaseOf(0x5b, "C")};
  EXPECT_EQ(PickCase(cases, "c")->title, "C");
}

TEST(FindTest, AGroupIsNeverTakenForAChannelOfAnotherKind) {
  Channel group;
  group.kind = ChannelKind::kGroup;
  group.side = "team";
  group.name = "group:team";
  EXPECT_EQ(PickChannel({group}, "group:team")->name, "group:team");
  EXPECT_FALSE(PickChannel({group}, "team").ok());
  Channel caucus;
  caucus.kind = ChannelKind::kCaucus;
  caucus.side = "Harbor";
  caucus.name = "caucus:Harbor";
  EXPECT_EQ(PickChannel({group, caucus}, "harbor")->name, "caucus:Harbor");
}

TEST(FindTest, OfOneAuthorsDocumentsTheLatest) {
  const std::vector<Document> documents = {Doc(1, "brief.pdf", "Ana"), Doc(2, "brief.pdf", "Ana"),
                                           Doc(3, "other.pdf", "Ben")};
  EXPECT_EQ(PickDocument(documents, "brief.pdf")->ref, documents[1].ref);
  EXPECT_EQ(PickDocument(documents, "01")->ref, documents[0].ref);
}

TEST(FindTest, AnothersDocumentOfTheSameNameIsNotTakenForIt) {
  const std::vector<Document> documents = {Doc(1, "brief.pdf", "Ana"), Doc(2, "brief.pdf", "Ben")};
  const absl::StatusOr<Document> found = PickDocument(documents, "brief.pdf");
  ASSERT_FALSE(found.ok());
  const std::string message(found.status().message());
  EXPECT_THAT(message, HasSubstr("\"brief.pdf\" by Ana (01120000)"));
  EXPECT_THAT(message, HasSubstr("\"brief.pdf\" by Ben (02120000)"));
  EXPECT_EQ(PickDocument(documents, "02")->author.name, "Ben");
}

// Of one side, so that a later version by either counts.
TEST(FindTest, AColleaguesVersionOfTheSameNameIsTheLatest) {
  std::vector<Document> documents = {Doc(1, "terms.pdf", "Ana"), Doc(2, "terms.pdf", "Lee"),
                                     Doc(3, "terms.pdf", "Ben")};
  documents[0].version.first = documents[1].version.first = documents[0].ref.message_id;
  documents[0].author.side = documents[1].author.side = "Harbor";
  // Ben, on the other side, has given his the id of Ana's.
  documents[2].author.side = "Northline";
  documents[2].version.first = documents[0].ref.message_id;
  EXPECT_THAT(std::string(PickDocument(documents, "terms.pdf").status().message()),
              HasSubstr("by Ben (03120000), \"terms.pdf\" by Lee (02120000)"));
  documents.pop_back();
  EXPECT_EQ(PickDocument(documents, "terms.pdf")->author.name, "Lee");
}

}  // namespace
}  // namespace parley::client

// The caucus firewall through the public calls: what Mira, who reads everything, can't carry.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

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

constexpr char kPlan[] =
    "I suggest that we meet on Tuesday at ten in the town hall, all of us, for two hours.";

TEST_F(FirewallTest, ANeutralsOwnWordsAreTheirsToCarry) {
  for (const char* channel : {kHarbor, kNorthline, "neutrals", "joint"}) {
    EXPECT_EQ(Refused(channel, kPlan), "") << channel;
  }
  Profile other = Another("Mira");
  PARLEY_ASSERT_OK(other.Send(Ref("Mira", kHarbor), kPlan));
}

TEST_F(FirewallTest, OwnWordsThatQuoteAConfidenceAreRefused) {
  const std::string quoting = std::string("I understand that ") + (kSecret + 10);
  EXPECT_EQ(Refused(kHarbor, quoting), "");  // there, it may be said: now they are Mira's words too
  EXPECT_THAT(Refused(kNorthline, quoting), HasSubstr("Ana (party, Harbor) confided"));
  // Who takes Mira's words on makes them a confidence.
  EXPECT_EQ(Refused(kHarbor, kPlan), "");
  Sync("Lee");
  Say("Lee", kHarbor, std::string("Yes: ") + kPlan);
  Sync("Mira");
  EXPECT_THAT(Refused(kNorthline, kPlan), HasSubstr("Lee (counsel, Harbor) confided"));
}

TEST_F(FirewallTest, AnotherNeutralsWordsAreTheirs) {
  Sync("Tomas");
  Say("Tomas", "neutrals", "My assessment is that they overlap by twenty-five thousand.");
  Say("Tomas", kHarbor, kPlan);
  Say("Tomas", kHarbor, "Thank you, I have read it.");
  Sync("Mira");
  EXPECT_THAT(Refused(kHarbor, "My assessment is that they overlap by twenty-five thousand."),
              AllOf(HasSubstr("Tomas (co-mediator) confided"), HasSubstr("neutrals"),
                    HasSubstr("Ana and Lee")));
  EXPECT_THAT(Refused(kNorthline, kPlan), HasSubstr("Tomas (co-mediator) confided"));
  EXPECT_EQ(Refused(kNorthline, kPlan, "Tomas"), "");  // whose they are
  EXPECT_EQ(Refused(kNorthline, "Thank you, I have read it."), "");
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

TEST_F(FirewallTest, AFileOfANeutralsOwnGoesToBothSides) {
  const std::string form = Write("form.pdf", "%PDF what we need of you, \xFF");
  for (const char* channel : {kHarbor, kNorthline, kHarbor}) {
    PARLEY_ASSERT_OK(Share("Mira", channel, form));
  }
  // Ana sends it back as it is: it confides nothing.
  Sync("Ana");
  PARLEY_ASSERT_OK(Share("Ana", kHarbor, Write("form-again.pdf", ReadFile(form))));
  Sync("Mira");
  PARLEY_ASSERT_OK(Share("Mira", "joint", form));
}

TEST_F(FirewallTest, AFileThatAPartySharedFirstIsNotANeutralsOwn) {
  const std::string bytes = "\xFF\xD8 the damages, as a picture";
  PARLEY_ASSERT_OK(Share("Ana", kHarbor, Write("damages.jpg", bytes)));
  Sync("Mira");
  const std::string renamed = Write("holiday.jpg", bytes);
  PARLEY_ASSERT_OK(Share("Mira", kHarbor, renamed));
  PARLEY_ASSERT_OK(Share("Mira", "neutrals", renamed));
  const Status refused = Share("Mira", kNorthline, renamed);
  EXPECT_EQ(refused.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(refused.message(), HasSubstr("Ana (party, Harbor) confided"));
  // Nor what Tomas shared.
  Sync("Tomas");
  const std::string notes = Write("notes.bin", "\xFE Tomas' notes");
  PARLEY_ASSERT_OK(Share("Tomas", "neutrals", notes));
  Sync("Mira");
  EXPECT_EQ(Share("Mira", kHarbor, notes).code(), StatusCode::kPermissionDenied);
}

// A phrase that stands in every message doesn't hide what one of them confides; and fills a page of
// the index.
TEST_F(FirewallTest, ManyMessagesOfOneForm) {
  const std::string form = "Further to our talk of this morning we can say that ";
  for (int i = 0; i < 420; ++i) {
    Say("Ana", kHarbor, form + "lot " + std::to_string(i) + " costs " + std::to_string(i * 7919));
  }
  Say("Ana", "joint", form + "we are in good spirits");
  Sync("Mira");
  EXPECT_EQ(Refused(kNorthline, form), "");  // everybody has read it
  EXPECT_NE(Refused(kNorthline,
                    "talk of this morning we can say that lot 403 costs 3191357, they told me"),
            "");
}

TEST_F(FirewallTest, ATextInAFileIsReadAndAnEmptyFileIsNobodys) {
  const Status refused =
      Share("Mira", kNorthline, Write("notes.txt", std::string("Notes\n\n") + kSecret));
  EXPECT_EQ(refused.code(), StatusCode::kPermissionDenied) << refused.message();
  ASSERT_TRUE(Share("Ana", kHarbor, Write("empty", "")).ok());
  Sync("Mira");
  EXPECT_TRUE(Share("Mira", kNorthline, Write("empty-too", "")).ok());
}

// What belongs to one channel is nothing in another.
TEST_F(FirewallTest, ChannelsCantBeMixedUp) {
  PARLEY_ASSERT_OK(Share("Ana", kHarbor, Write("damages.bin", "\xFF damages")));
  Sync("Mira");
  Profile& mira = Of("Mira");
  const Document shared = Must(mira.Documents(Ref("Mira", kHarbor)), "documents").back();
  const DocumentRef mixed{Ref("Mira", kNorthline), shared.ref.message_id};
  EXPECT_EQ(mira.Fetch(mixed, folder_ / "target").code(), StatusCode::kNotFound);
  ShareOptions options;
  options.replaces = shared.ref.message_id;
  const std::string other = Write("other.bin", "\xFF another");
  EXPECT_EQ(mira.Share(Ref("Mira", kNorthline), other, options).status().code(),
            StatusCode::kNotFound);
  PARLEY_ASSERT_OK(mira.Share(Ref("Mira", kHarbor), other, options));
  const CaseId another = Must(mira.CreateCase("Another", connection_), "case");
  const ChannelRef elsewhere{another, Ref("Mira", kNorthline).channel_id};
  EXPECT_EQ(mira.Send(elsewhere, "Which case is this?").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(mira.Read(elsewhere).status().code(), StatusCode::kNotFound);
}

// ---- Disclosure with leave ----

class DisclosureTest : public FirewallTest {
 protected:
  // Ana lets `words` of her message be told.
  Authorisation Authorise(const std::string& audience, const std::string& words,
                          bool anonymous = false, int64_t seconds = 0) {
    AuthorisationRequest request;
    for (const Message& message : Must(Of("Ana").Read(Ref("Ana", kHarbor)), "reading")) {
      if (message.kind == MessageKind::kText && message.author.self) request.item = message.id;
    }
    request.audience = audience;
    request.words = words;
    request.anonymous = anonymous;
    request.valid_for_seconds = seconds;
    const SentMessage sent = Must(Of("Ana").Authorise(Ref("Ana", kHarbor), request), "authorising");
    SyncAll({"Mira", "Tomas"}, 1);
    return Must(Of("Mira").FindAuthorisation(case_, sent.id.ToString()), "finding");
  }
  Message Last(const std::string& name, const std::string& channel) {
    Sync(name);
    return Must(Of(name).Read(Ref(name, channel)), "reading").back();
  }
  AuthorisationState StateOf(const std::string& name, const Authorisation& authorisation) {
    Sync(name);
    return Must(Of(name).FindAuthorisation(case_, authorisation.id.ToString()), "finding").state;
  }
  // How many warnings of a forged disclosure somebody has.
  size_t Warnings(const std::string& name) {
    size_t count = 0;
    for (const Alarm& alarm : Must(Of(name).Alarms(case_), "alarms")) {
      if (alarm.kind == AlarmKind::kRefused) ++count;
    }
    return count;
  }
};

TEST_F(DisclosureTest, ExactlyWhatWasAuthorisedArrivesOnce) {
  const Authorisation given = Authorise(kNorthline, "the covenant falls due on 30 June");
  EXPECT_EQ(given.audience, kNorthline);
  ASSERT_TRUE(Of("Mira").Disclose(given).ok());
  for (const char* name : {"Ben", "Tomas"}) {
    const Message seen = Last(name, kNorthline);
    EXPECT_EQ(seen.kind, MessageKind::kDisclosure);
    EXPECT_EQ(seen.text, "the covenant falls due on 30 June") << name << ": " << seen.note;
    EXPECT_EQ(seen.note, "attested by Mira, from Ana in confidence, with leave");
    EXPECT_FALSE(seen.refused);
    EXPECT_EQ(Warnings(name), 0u);
  }
  for (const char* name : {"Ana", "Lee", "Tomas", "Mira"}) {
    EXPECT_EQ(StateOf(name, given), AuthorisationState::kUsed) << name;
  }
  for (const char* name : {"Mira", "Tomas"}) {
    const Status again = Of(name).Disclose(given).status();
    EXPECT_EQ(again.code(), StatusCode::kFailedPrecondition) << again.message();
    EXPECT_THAT(again.message(), HasSubstr("used by Mira"));
  }
  EXPECT_EQ(Of("Ana").Revoke(given).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(Refused(kNorthline, kSecret), "");  // the rest of it stays where it is
  EXPECT_EQ(Of("Ana").Disclose(given).status().code(), StatusCode::kPermissionDenied);
}

TEST_F(DisclosureTest, AnonymousMeansNoName) {
  const Authorisation given = Authorise("joint", "the covenant falls due on 30 June", true);
  ASSERT_TRUE(Of("Tomas").Disclose(given).ok());
  const Message seen = Last("Ben", "joint");
  EXPECT_EQ(seen.text, "the covenant falls due on 30 June");
  EXPECT_EQ(seen.note, "attested by Tomas, from a confidential caucus");
}

TEST_F(DisclosureTest, OnlyTheAuthorsOwnWords) {
  AuthorisationRequest request;
  request.audience = kNorthline;
  request.item = Last("Lee", kHarbor).id;
  const ChannelRef harbor = Ref("Lee", kHarbor);
  EXPECT_EQ(Of("Lee").Authorise(harbor, request).status().code(), StatusCode::kPermissionDenied);
  request.words = "our floor is 600 thousand";
  EXPECT_EQ(Of("Ana").Authorise(harbor, request).status().code(), StatusCode::kInvalidArgument);
  request.words = "";
  request.audience = kHarbor;
  EXPECT_EQ(Of("Ana").Authorise(harbor, request).status().code(), StatusCode::kInvalidArgument);
  request.audience = "caucus:Southline";
  EXPECT_EQ(Of("Ana").Authorise(harbor, request).status().code(), StatusCode::kNotFound);
}

TEST_F(DisclosureTest, WhatWasTakenBackIsntTold) {
  const Authorisation given = Authorise(kNorthline, "");
  EXPECT_EQ(Of("Mira").Revoke(given).status().code(), StatusCode::kPermissionDenied);
  ASSERT_TRUE(Of("Ana").Revoke(given).ok());
  const Status refused = Of("Mira").Disclose(given).status();  // she hasn't synced
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.message(), HasSubstr("revoked"));
  EXPECT_THAT(Texts("Ben", kNorthline), ::testing::IsEmpty());
}

TEST_F(DisclosureTest, AHostileNeutralsDisclosuresAreRecognised) {
  const Authorisation given = Authorise(kNorthline, "the covenant falls due on 30 June");
  const ChannelId northline = Ref("Tomas", kNorthline).channel_id;
  const ChannelId joint = Ref("Tomas", "joint").channel_id;
  const ChannelId harbor = Ref("Tomas", kHarbor).channel_id;
  const auto ana = client::ToField(Id("Tomas", "Ana"));
  Attacker tomas(folder_ / "Tomas", relay_, case_);
  content::v1::Content content;
  content::v1::Disclosure& said = *content.mutable_disclosure();
  const auto id = [&](char c) { return std::string(16, c); };
  const auto expect_refused = [&](const char* channel, const std::string& why) {
    const Message seen = Last("Mira", channel);
    EXPECT_EQ(seen.kind, MessageKind::kDisclosure);
    EXPECT_TRUE(seen.refused) << why;
    EXPECT_EQ(seen.text, "");
    EXPECT_THAT(seen.note, AllOf(HasSubstr("Tomas"), HasSubstr(why)));
  };
  // Of an authorisation that there isn't, and of one that isn't marked as used.
  said.set_authorisation_id(id('x'));
  said.set_words(given.words);
  said.set_from_name("Ana");
  said.set_from_participant_id(ana);
  content.set_message_id(id('a'));
  tomas.Say(northline, content);
  expect_refused(kNorthline, "no authorisation");
  said.set_authorisation_id(client::ToField(given.id));
  content.set_message_id(id('b'));
  tomas.Say(northline, content);
  expect_refused(kNorthline, "not marked as used");
  // Marked as used for one message; then other words, another channel, a second one, another name.
  content::v1::Content use;
  use.mutable_disclosure_use()->set_authorisation_id(client::ToField(given.id));
  use.mutable_disclosure_use()->set_disclosure_message_id(id('c'));
  tomas.Say(harbor, use);
  Sync("Mira");
  said.set_words("our floor is 690 thousand");
  content.set_message_id(id('c'));
  tomas.Say(northline, content);
  expect_refused(kNorthline, "other words");
  said.set_words(given.words);
  tomas.Say(joint, content);
  expect_refused("joint", "is for caucus:Northline");
  content.set_message_id(id('d'));
  tomas.Say(northline, content);
  expect_refused(kNorthline, "used already");
  EXPECT_EQ(Warnings("Mira"), 5u);
  Sync("Ana");
  EXPECT_EQ(StateOf("Ana", given), AuthorisationState::kUsed);
}

TEST_F(DisclosureTest, ADisclosureByWhoIsNoNeutralIsRefused) {
  content::v1::Content content;
  content.mutable_disclosure()->set_authorisation_id(std::string(16, 'x'));
  content.mutable_disclosure()->set_words("They will pay anything.");
  content.mutable_disclosure()->set_anonymous(true);
  Attacker ana(folder_ / "Ana", relay_, case_);
  ana.Say(Ref("Ana", "joint").channel_id, content);
  const Message seen = Last("Ben", "joint");
  EXPECT_TRUE(seen.refused);
  EXPECT_THAT(seen.note, HasSubstr("Ana (party, Harbor) is no neutral"));
}

TEST_F(DisclosureTest, AnExpiryIsAnEntryOfTheLog) {
  const Authorisation given = Authorise(kNorthline, "the covenant falls due on 30 June", false, 1);
  EXPECT_EQ(StateOf("Lee", given), AuthorisationState::kOpen);  // nobody has said that it is over
  std::this_thread::sleep_for(std::chrono::milliseconds(2100));
  const Status late = Of("Mira").Disclose(given).status();
  EXPECT_EQ(late.code(), StatusCode::kFailedPrecondition) << late.message();
  EXPECT_THAT(late.message(), HasSubstr("expired"));
  EXPECT_EQ(StateOf("Lee", given), AuthorisationState::kExpired);
  EXPECT_THAT(Texts("Ben", kNorthline), ::testing::IsEmpty());
  // A rogue who uses it all the same is found out.
  Attacker tomas(folder_ / "Tomas", relay_, case_);
  content::v1::Content use;
  use.mutable_disclosure_use()->set_authorisation_id(client::ToField(given.id));
  use.mutable_disclosure_use()->set_disclosure_message_id(std::string(16, 'c'));
  Sync("Tomas");
  tomas.Say(Ref("Tomas", kHarbor).channel_id, use);
  content::v1::Content content;
  content.set_message_id(std::string(16, 'c'));
  content.mutable_disclosure()->set_authorisation_id(client::ToField(given.id));
  content.mutable_disclosure()->set_words(given.words);
  tomas.Say(Ref("Tomas", kNorthline).channel_id, content);
  EXPECT_THAT(Last("Mira", kNorthline).note, HasSubstr("had expired"));
  EXPECT_EQ(Warnings("Mira"), 1u);
}

TEST_F(DisclosureTest, TheAuthorsOwnDeviceEndsWhatIsOver) {
  const Authorisation given = Authorise(kNorthline, "", false, 1);
  std::this_thread::sleep_for(std::chrono::milliseconds(2100));
  Sync("Ana");
  EXPECT_EQ(StateOf("Lee", given), AuthorisationState::kExpired);
  size_t ends = 0;
  Sync("Ana");
  Sync("Mira");
  for (const Message& message : Must(Of("Mira").Read(Ref("Mira", kHarbor)), "reading")) {
    if (message.kind == MessageKind::kNotice && message.text.starts_with("says that")) ++ends;
  }
  EXPECT_EQ(ends, 1u);
}

TEST_F(DisclosureTest, ADocumentIsSharedAnew) {
  const std::string bytes = "\xFF\xD8 the damages, as a picture" + std::string(100'000, '\xA5');
  const std::string path = Write("damages.jpg", bytes);
  PARLEY_ASSERT_OK(Share("Ana", kHarbor, path));
  const Document shared = Must(Of("Ana").Documents(Ref("Ana", kHarbor)), "documents").back();
  AuthorisationRequest request;
  request.item = shared.ref.message_id;
  request.audience = kNorthline;
  request.words = "damages";
  const ChannelRef harbor = Ref("Ana", kHarbor);
  EXPECT_EQ(Of("Ana").Authorise(harbor, request).status().code(), StatusCode::kInvalidArgument);
  request.words = "";
  const SentMessage sent = Must(Of("Ana").Authorise(harbor, request), "authorising");
  SyncAll({"Mira", "Tomas"}, 1);
  const Authorisation given =
      Must(Of("Mira").FindAuthorisation(case_, sent.id.ToString()), "finding");
  EXPECT_EQ(given.document_name, "damages.jpg");
  EXPECT_EQ(given.document_size, bytes.size());
  EXPECT_EQ(given.state, AuthorisationState::kOpen);
  PARLEY_ASSERT_OK(Of("Mira").Disclose(given));
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "Mira")) {
    EXPECT_FALSE(entry.path().filename().string().starts_with("disclosing")) << entry.path();
  }
  for (const char* name : {"Ben", "Tomas"}) {
    const Message seen = Last(name, kNorthline);
    EXPECT_FALSE(seen.refused) << seen.note;
    ASSERT_TRUE(seen.document.has_value());
    EXPECT_EQ(seen.document->name, "damages.jpg");
    const std::string target = folder_ / (std::string(name) + "-fetched");
    PARLEY_ASSERT_OK(Of(name).Fetch(seen.document->ref, target));
    EXPECT_EQ(ReadFile(target), bytes);
    EXPECT_EQ(Must(Of(name).FindDocument(Ref(name, kNorthline), "damages.jpg"), "document").size,
              bytes.size());
  }
  EXPECT_EQ(Warnings("Tomas"), 0u);
  // Another share: nothing in common but what is in it.
  Attacker tomas(folder_ / "Tomas", relay_, case_);
  const content::v1::Document first = tomas.LastDocument(Ref("Tomas", kHarbor).channel_id);
  const content::v1::Document second = tomas.LastDocument(Ref("Tomas", kNorthline).channel_id);
  EXPECT_EQ(first.plaintext_root(), second.plaintext_root());
  EXPECT_NE(first.ciphertext_root(), second.ciphertext_root());
  EXPECT_NE(first.file_key(), second.file_key());
  EXPECT_NE(first.share_id(), second.share_id());
  EXPECT_NE(first.blob_id(), second.blob_id());
  EXPECT_NE(first.read_seed(), second.read_seed());
  // Neither the file nor Mira's share of it is hers to carry on.
  EXPECT_EQ(Of("Mira").Disclose(given).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(Share("Mira", "joint", path).code(), StatusCode::kPermissionDenied);
  PARLEY_ASSERT_OK(Share("Mira", kNorthline, path));  // where they have it
}

TEST_F(DisclosureTest, AnotherDocumentIsRefused) {
  PARLEY_ASSERT_OK(Share("Ana", kHarbor, Write("one.bin", "\xFF one")));
  PARLEY_ASSERT_OK(Share("Ana", kHarbor, Write("two.bin", "\xFF two")));
  const std::vector<Document> shared = Must(Of("Ana").Documents(Ref("Ana", kHarbor)), "documents");
  AuthorisationRequest request;
  request.item = shared[0].ref.message_id;
  request.audience = kNorthline;
  const SentMessage sent = Must(Of("Ana").Authorise(Ref("Ana", kHarbor), request), "authorising");
  SyncAll({"Mira", "Tomas"}, 1);
  Attacker tomas(folder_ / "Tomas", relay_, case_);
  content::v1::Content use;
  use.mutable_disclosure_use()->set_authorisation_id(client::ToField(sent.id));
  use.mutable_disclosure_use()->set_disclosure_message_id(std::string(16, 'c'));
  tomas.Say(Ref("Tomas", kHarbor).channel_id, use);
  content::v1::Content content;
  content.set_message_id(std::string(16, 'c'));
  content::v1::Disclosure& said = *content.mutable_disclosure();
  said.set_authorisation_id(client::ToField(sent.id));
  said.set_from_participant_id(client::ToField(Id("Tomas", "Ana")));
  said.set_from_name("Ana");
  *said.mutable_document() = tomas.LastDocument(Ref("Tomas", kHarbor).channel_id);
  tomas.Say(Ref("Tomas", kNorthline).channel_id, content);
  const Message seen = Last("Mira", kNorthline);
  EXPECT_TRUE(seen.refused);
  EXPECT_THAT(seen.note, HasSubstr("another document"));
  EXPECT_FALSE(seen.document.has_value());
  EXPECT_TRUE(Must(Of("Mira").Documents(Ref("Mira", kNorthline)), "documents").empty());
  const DocumentRef ref{Ref("Mira", kNorthline), seen.id};
  const std::string target = folder_ / "target";
  EXPECT_EQ(Of("Mira").Fetch(ref, target).code(), StatusCode::kPermissionDenied);
}

// Ana hasn't given any leave, and sees what is said in her name.
TEST_F(DisclosureTest, WhoseNameIsUsedSeesIt) {
  content::v1::Content content;
  content::v1::Disclosure& said = *content.mutable_disclosure();
  said.set_authorisation_id(std::string(16, 'x'));
  said.set_words("We would take anything.");
  said.set_from_participant_id(client::ToField(Id("Tomas", "Ana")));
  said.set_from_name("Ana");
  Attacker tomas(folder_ / "Tomas", relay_, case_);
  tomas.Say(Ref("Tomas", "joint").channel_id, content);
  EXPECT_TRUE(Last("Ana", "joint").refused);
  EXPECT_EQ(Warnings("Ana"), 1u);
  EXPECT_FALSE(Last("Ben", "joint").refused);  // who can't know
}

TEST_F(DisclosureTest, ALateNeutralChecksWhatTheyCan) {
  const Authorisation given = Authorise(kNorthline, "the covenant falls due on 30 June");
  LetIn("Noor", Role::kCoMediator);
  SyncAll({"Mira", "Tomas", "Noor"});
  PARLEY_ASSERT_OK(Of("Mira").Disclose(given));
  const Message seen = Last("Noor", kNorthline);
  EXPECT_FALSE(seen.refused) << seen.note;
  EXPECT_THAT(seen.note, HasSubstr("can't check"));
  // Without a use in a caucus it isn't believed.
  content::v1::Content content;
  content.mutable_disclosure()->set_authorisation_id(client::ToField(given.id));
  content.mutable_disclosure()->set_words("We would take anything.");
  Attacker tomas(folder_ / "Tomas", relay_, case_);
  tomas.Say(Ref("Tomas", kNorthline).channel_id, content);
  EXPECT_TRUE(Last("Noor", kNorthline).refused);
}

TEST_F(DisclosureTest, WhatIsInterruptedGoesOnOnce) {
  const Authorisation given = Authorise(kNorthline, "the covenant falls due on 30 June");
  relay_.Stop();
  const Status cut = Of("Mira").Disclose(given).status();
  EXPECT_EQ(cut.code(), StatusCode::kUnavailable) << cut.message();
  EXPECT_TRUE(Must(Of("Mira").Unsent(Ref("Mira", kNorthline)), "unsent").empty());
  relay_.Start();
  PARLEY_ASSERT_OK(Of("Mira").Disclose(given));
  EXPECT_EQ(Of("Mira").Disclose(given).status().code(), StatusCode::kFailedPrecondition);
  Sync("Ben");
  EXPECT_EQ(Texts("Ben", kNorthline).size(), 1u);
  EXPECT_EQ(StateOf("Tomas", given), AuthorisationState::kUsed);
  EXPECT_FALSE(Last("Tomas", kNorthline).refused);
}

// An authorisation by another than who said it, made by a program that asks nobody for leave.
TEST_F(DisclosureTest, AnotherMembersWordsCantBeAuthorisedByForce) {
  content::v1::Content content;
  content::v1::DisclosureAuthorisation& given = *content.mutable_disclosure_authorisation();
  given.set_item_message_id(client::ToField(Last("Lee", kHarbor).id));
  given.set_words("our floor is 690 thousand");
  given.set_audience_kind(content::v1::CHANNEL_KIND_JOINT);
  content.set_message_id(std::string(16, 'e'));
  Attacker lee(folder_ / "Lee", relay_, case_);
  lee.Say(Ref("Lee", kHarbor).channel_id, content);
  Sync("Mira");
  const std::vector<Authorisation> all = Must(Of("Mira").Authorisations(case_), "authorisations");
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].state, AuthorisationState::kInvalid);
  EXPECT_EQ(Of("Mira").Disclose(all[0]).status().code(), StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace parley::testing

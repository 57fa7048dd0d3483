// Disclosure with leave through the public calls: what arrives, and what every honest client
// refuses.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include "client-lib/api/attacker_for_test.h"
#include "client-lib/api/firewall_for_test.h"

namespace parley::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

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
  // Of a channel's first incarnation.
  static void SetPlace(uint64_t position, content::v1::LogPlace& place) {
    place.set_incarnation(1);
    place.set_position(position);
  }
  Authorisation Only(const std::string& name) {
    Sync(name);
    const std::vector<Authorisation> all = Must(Of(name).Authorisations(case_), "authorisations");
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? Authorisation() : all.front();
  }
  // Leave for an own message of Tomas', by a program that doesn't ask whose words it repeats.
  void TomasAuthorises(const std::string& channel, const MessageId& item, uint64_t position,
                       const std::string& words) {
    content::v1::Content content;
    content::v1::DisclosureAuthorisation& given = *content.mutable_disclosure_authorisation();
    given.set_item_message_id(client::ToField(item));
    SetPlace(position, *given.mutable_item_place());
    given.set_words(words);
    given.set_audience_kind(content::v1::CHANNEL_KIND_CAUCUS);
    given.set_audience_side("Northline");
    content.set_message_id(std::string(16, 't'));
    Attacker(folder_ / "Tomas", relay_, case_).Say(Ref("Tomas", channel).channel_id, content);
  }
  // A use in Harbor's caucus and a disclosure elsewhere, both by Tomas, of an authorisation there.
  void TomasTells(const std::string& channel, const std::string& words, const MessageId& id,
                  uint64_t position, const std::string& from = "Ana") {
    Attacker tomas(folder_ / "Tomas", relay_, case_);
    content::v1::Content use;
    use.mutable_disclosure_use()->set_authorisation_id(client::ToField(id));
    use.mutable_disclosure_use()->set_disclosure_message_id(std::string(16, 'd'));
    SetPlace(position, *use.mutable_disclosure_use()->mutable_authorisation_place());
    tomas.Say(Ref("Tomas", kHarbor).channel_id, use);
    content::v1::Content content;
    content.set_message_id(std::string(16, 'd'));
    content.mutable_disclosure()->set_authorisation_id(client::ToField(id));
    content.mutable_disclosure()->set_words(words);
    content.mutable_disclosure()->set_from_participant_id(client::ToField(Id("Tomas", from)));
    content.mutable_disclosure()->set_from_name(from);
    tomas.Say(Ref("Tomas", channel).channel_id, content);
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
  Authorisation wider = given;
  wider.audience = "joint";
  EXPECT_EQ(Of("Mira").Disclose(wider).status().code(), StatusCode::kNotFound);
  Authorisation moved = given;
  moved.channel = Ref("Mira", kNorthline);
  EXPECT_EQ(Of("Mira").Disclose(moved).status().code(), StatusCode::kNotFound);
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
  SetPlace(given.position, *use.mutable_disclosure_use()->mutable_authorisation_place());
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
  EXPECT_EQ(Warnings("Mira"), 2u);  // of each channel one, with a number
  EXPECT_THAT(AlarmTexts("Mira"), HasSubstr("and 3 more by them"));
  PARLEY_ASSERT_OK(Of("Mira").MarkSeen(case_));
  EXPECT_EQ(Warnings("Mira"), 0u);
  content.set_message_id(id('f'));
  tomas.Say(northline, content);
  Sync("Mira");
  EXPECT_EQ(Warnings("Mira"), 1u);
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
  EXPECT_EQ(Warnings("Ben"), 0u);  // nobody takes it for one
}

TEST_F(DisclosureTest, AnExpiryIsAnEntryOfTheLog) {
  // Long enough that Lee's device looks before it is over, on a slow machine, too.
  constexpr int kSeconds = 10;
  const Authorisation given =
      Authorise(kNorthline, "the covenant falls due on 30 June", false, kSeconds);
  EXPECT_EQ(StateOf("Lee", given), AuthorisationState::kOpen);  // nobody has said that it is over
  std::this_thread::sleep_for(std::chrono::milliseconds(1000 * kSeconds + 1100));
  const Status late = Of("Mira").Disclose(given).status();
  EXPECT_EQ(late.code(), StatusCode::kFailedPrecondition) << late.message();
  EXPECT_THAT(late.message(), HasSubstr("expired"));
  EXPECT_EQ(StateOf("Lee", given), AuthorisationState::kExpired);
  EXPECT_THAT(Texts("Ben", kNorthline), ::testing::IsEmpty());
  // A rogue who uses it all the same is found out.
  Attacker tomas(folder_ / "Tomas", relay_, case_);
  content::v1::Content use;
  use.mutable_disclosure_use()->set_authorisation_id(client::ToField(given.id));
  SetPlace(given.position, *use.mutable_disclosure_use()->mutable_authorisation_place());
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
    EXPECT_FALSE(entry.path().filename().string().starts_with("disclosing-")) << entry.path();
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
  SetPlace(*sent.position, *use.mutable_disclosure_use()->mutable_authorisation_place());
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
  const Message item = Last("Lee", kHarbor);
  given.set_item_message_id(client::ToField(item.id));
  SetPlace(item.position, *given.mutable_item_place());
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

// What a killed process left is gone when the profile is opened; not what one carries now.
TEST_F(DisclosureTest, NoPlaintextIsLeft) {
  const std::string folder = folder_ / "Mira";
  const std::string left = folder + "/disclosing-0123.parley-part";
  WriteFile(left, "in the clear");
  const int lock = open((folder + "/disclosing.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_GE(lock, 0);
  ASSERT_EQ(flock(lock, LOCK_SH), 0);
  Another("Mira");
  EXPECT_TRUE(std::filesystem::exists(left));
  close(lock);
  Another("Mira");
  EXPECT_FALSE(std::filesystem::exists(left));
}

// ---- Whose words, and where ----

TEST_F(DisclosureTest, RepeatedWordsStayTheirAuthors) {
  Sync("Tomas");
  const std::string repeated = std::string("She said: ") + kSecret;
  const SentMessage said = Must(Of("Tomas").Send(Ref("Tomas", kHarbor), repeated), "repeating");
  AuthorisationRequest request;
  request.item = said.id;
  request.audience = kNorthline;
  // The whole, and a piece that is no passage by itself.
  for (const char* words : {"", "our floor is 690 thousand"}) {
    request.words = words;
    const Status own = Of("Tomas").Authorise(Ref("Tomas", kHarbor), request).status();
    EXPECT_EQ(own.code(), StatusCode::kPermissionDenied) << own.message();
    EXPECT_THAT(own.message(), HasSubstr("Ana said that before"));
  }
  request.words = "She said";
  PARLEY_ASSERT_OK(Of("Tomas").Authorise(Ref("Tomas", kHarbor), request));
  TomasAuthorises(kHarbor, said.id, *said.position, "our floor is 690 thousand");
  for (const char* name : {"Ana", "Lee", "Mira", "Mira"}) {  // the second time from what is kept
    Sync(name);
    const std::vector<Authorisation> all = Must(Of(name).Authorisations(case_), "authorisations");
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].state, AuthorisationState::kOpen) << name;
    EXPECT_EQ(all[1].state, AuthorisationState::kInvalid) << name;
    EXPECT_FALSE(Of(name).Disclose(all[1]).ok());
  }
  TomasTells(kNorthline, "our floor is 690 thousand",
             *client::IdFrom<MessageId>(std::string(16, 't')), *said.position + 2, "Tomas");
  const Message seen = Last("Mira", kNorthline);
  EXPECT_TRUE(seen.refused);
  EXPECT_THAT(seen.note, HasSubstr("Ana said it before"));
}

TEST_F(DisclosureTest, AShortMessageAndADocumentStayTheirAuthorsToo) {
  Say("Ana", kHarbor, "We pay 715 at most.");
  PARLEY_ASSERT_OK(Share("Ana", kHarbor, Write("plan.bin", "\xFF the plan")));
  Sync("Tomas");
  const ChannelRef harbor = Ref("Tomas", kHarbor);
  AuthorisationRequest request;
  request.audience = kNorthline;
  request.item = Must(Of("Tomas").Send(harbor, "Noted: we pay 715 at most. Go on."), "saying").id;
  EXPECT_EQ(Of("Tomas").Authorise(harbor, request).status().code(), StatusCode::kPermissionDenied);
  PARLEY_ASSERT_OK(Share("Tomas", kHarbor, Write("other.bin", "\xFF the plan")));
  request.item = Must(Of("Tomas").Documents(harbor), "documents").back().ref.message_id;
  EXPECT_EQ(Of("Tomas").Authorise(harbor, request).status().code(), StatusCode::kPermissionDenied);
}

// What a party takes over of the mediator's proposal is theirs to tell.
TEST_F(DisclosureTest, AProposalThatIsTakenOverMayBeTold) {
  const std::string proposal = "720 thousand in three parts, payable in June, July and August";
  Say("Mira", kHarbor, proposal);
  Sync("Ana");
  Say("Ana", kHarbor, "Yes: " + proposal);
  const Authorisation given = Authorise(kNorthline, proposal);
  EXPECT_EQ(given.state, AuthorisationState::kOpen);
}

TEST_F(DisclosureTest, InventedLeaveIsntBelieved) {
  const MessageId id = *client::IdFrom<MessageId>(std::string(16, 'x'));
  Sync("Tomas");
  TomasTells("joint", "We would take anything.", id, 1'000'000);
  for (const char* name : {"Ana", "Mira"}) EXPECT_TRUE(Last(name, "joint").refused) << name;
  // From before Mira … there is nothing before her; and Ana knows what she allowed.
  LetIn("Noor", Role::kCoMediator);
  SyncAll({"Mira", "Tomas", "Noor"});
  const uint64_t here = Must(Of("Noor").Channels(case_), "channels").size();
  ASSERT_GT(here, 2u);
  Say("Ana", kHarbor, "Something else that is said afterwards.");
  Sync("Tomas");
  const uint64_t after = Last("Tomas", kHarbor).position;
  Attacker tomas(folder_ / "Tomas", relay_, case_);
  content::v1::Content use;
  use.mutable_disclosure_use()->set_authorisation_id(std::string(16, 'y'));
  use.mutable_disclosure_use()->set_disclosure_message_id(std::string(16, 'e'));
  SetPlace(after, *use.mutable_disclosure_use()->mutable_authorisation_place());
  tomas.Say(Ref("Tomas", kHarbor).channel_id, use);
  content::v1::Content content;
  content.set_message_id(std::string(16, 'e'));
  content.mutable_disclosure()->set_authorisation_id(std::string(16, 'y'));
  content.mutable_disclosure()->set_words("We would take anything.");
  content.mutable_disclosure()->set_anonymous(true);
  tomas.Say(Ref("Tomas", kNorthline).channel_id, content);
  EXPECT_TRUE(Last("Noor", kNorthline).refused);
}

TEST_F(DisclosureTest, AnItemThatIsntThereIsInvalidForAll) {
  LetIn("Noor", Role::kCoMediator);
  SyncAll({"Mira", "Tomas", "Noor"});
  Say("Ana", kHarbor, "Something that everybody has read.");
  Sync("Tomas");
  const uint64_t after = Last("Tomas", kHarbor).position;
  TomasAuthorises(kHarbor, *client::IdFrom<MessageId>(std::string(16, 'q')), after, "Any words.");
  for (const char* name : {"Mira", "Noor"}) {
    EXPECT_EQ(Only(name).state, AuthorisationState::kInvalid) << name;
  }
}

TEST_F(DisclosureTest, AnotherAuthorisationOfTheSameIdHidesNothing) {
  const Authorisation given = Authorise(kNorthline, "the covenant falls due on 30 June");
  Say("Ben", kNorthline, "Nothing of any weight at all.");
  Sync("Ben");
  const Message item = Last("Ben", kNorthline);
  content::v1::Content content;
  content.set_message_id(client::ToField(given.id));
  content::v1::DisclosureAuthorisation& decoy = *content.mutable_disclosure_authorisation();
  decoy.set_item_message_id(client::ToField(item.id));
  SetPlace(item.position, *decoy.mutable_item_place());
  decoy.set_words("Nothing of any weight");
  decoy.set_audience_kind(content::v1::CHANNEL_KIND_JOINT);
  Attacker(folder_ / "Ben", relay_, case_).Say(Ref("Ben", kNorthline).channel_id, content);
  SyncAll({"Mira", "Tomas"});
  PARLEY_ASSERT_OK(Of("Mira").Disclose(given));
  for (const char* name : {"Ben", "Tomas", "Mira"}) {
    const Message seen = Last(name, kNorthline);
    EXPECT_FALSE(seen.refused) << name << ": " << seen.note;
    EXPECT_EQ(Warnings(name), 0u);
  }
}

TEST_F(DisclosureTest, ANameIsTheCasesOwn) {
  Attacker tomas(folder_ / "Tomas", relay_, case_);
  content::v1::Content content;
  content::v1::Disclosure& said = *content.mutable_disclosure();
  said.set_authorisation_id(std::string(16, 'x'));
  said.set_words("We would take anything.");
  said.set_from_participant_id(client::ToField(Id("Tomas", "Ana")));
  said.set_from_name("Lee");
  tomas.Say(Ref("Tomas", "joint").channel_id, content);
  EXPECT_THAT(Last("Ben", "joint").note, HasSubstr("gives Ana another name"));
  said.set_from_participant_id(std::string(16, 'z'));
  said.set_from_name("Zoe");
  tomas.Say(Ref("Tomas", "joint").channel_id, content);
  EXPECT_THAT(Last("Ben", "joint").note, HasSubstr("isn't in this case"));
}

TEST_F(DisclosureTest, BothWordsAndADocumentAreNeither) {
  PARLEY_ASSERT_OK(Share("Tomas", kNorthline, Write("one.bin", "\xFF one")));
  Attacker tomas(folder_ / "Tomas", relay_, case_);
  const ChannelId northline = Ref("Tomas", kNorthline).channel_id;
  content::v1::Content content;
  content.mutable_disclosure()->set_authorisation_id(std::string(16, 'x'));
  content.mutable_disclosure()->set_words("We would take anything.");
  content.mutable_disclosure()->set_anonymous(true);
  *content.mutable_disclosure()->mutable_document() = tomas.LastDocument(northline);
  tomas.Say(northline, content);
  EXPECT_THAT(Last("Ben", kNorthline).note, HasSubstr("both words and a document"));
  // A picture beside it would be words that nobody authorised.
  content.mutable_disclosure()->clear_words();
  content.mutable_disclosure()->mutable_document()->set_preview("\xff\xd8\xff a picture");
  content.clear_message_id();
  tomas.Say(northline, content);
  EXPECT_THAT(Last("Ben", kNorthline).note, HasSubstr("a preview, which nobody authorised"));
  content::v1::Document& share = *content.mutable_disclosure()->mutable_document();
  share.clear_preview();
  const auto expect_refused = [&](const char* what) {
    content.clear_message_id();
    tomas.Say(northline, content);
    EXPECT_THAT(Last("Ben", kNorthline).note, HasSubstr(what));
  };
  share.set_note("They would take anything.");
  expect_refused("a note, which nobody authorised");
  share.clear_note();
  share.set_version(600);
  expect_refused("an earlier version, which nobody authorised");
  share.clear_version();
  share.set_expires_at(600);
  expect_refused("a time when it ends, which nobody authorised");
  share.clear_expires_at();
  share.add_brief_sides("600");
  expect_refused("what briefs have, which nobody authorised");
}

TEST_F(DisclosureTest, LeaveEndsWhenItsAuthorLeaves) {
  const Authorisation given = Authorise(kNorthline, "the covenant falls due on 30 June");
  PARLEY_ASSERT_OK(Of("Mira").Remove(case_, Id("Mira", "Ana")));
  SyncAll({"Mira", "Tomas"});
  EXPECT_EQ(StateOf("Tomas", given), AuthorisationState::kAuthorGone);
  const Status gone = Of("Mira").Disclose(given).status();
  EXPECT_EQ(gone.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(gone.message(), HasSubstr("author gone"));
  TomasTells(kNorthline, given.words, given.id, given.position);
  EXPECT_THAT(Last("Mira", kNorthline).note, HasSubstr("when they left"));
}

}  // namespace
}  // namespace parley::testing

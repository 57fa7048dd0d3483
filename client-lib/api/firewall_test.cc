// The caucus firewall through the public calls: what Mira, who reads everything, can't carry.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "client-lib/api/attacker_for_test.h"
#include "client-lib/api/firewall_for_test.h"
#include "client-lib/firewall/bound_text.h"
#include "client-lib/firewall/passage_index.h"
#include "client-lib/firewall/passages.h"
#include "parley/content/v1/content.pb.h"

namespace parley::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

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

// What the index has of the channel under one case's id, found by what all of its messages have.
std::string Found(const client::ReadTransaction& step, const client::Channel& channel,
                  const CaseId& id) {
  const client::PassageIndex index = Have(client::PassageIndex::Load(step, id, ParticipantId()));
  std::string found;
  for (const client::ChannelMessage& message : Have(channel.Messages(step, {}))) {
    const client::BoundContent bound = client::ReadBound(message);
    const client::Letters letters = client::FoldedLetters(bound.text);
    const auto add = [&](const client::IndexedPlace& place) {
      found += std::to_string(message.index) + ":" + std::to_string(place.index) + " ";
    };
    Have(index.FindPassages(step, client::Fingerprints(letters), add));
    if (client::CountsAsWhole(letters)) {
      Have(index.FindShort(step, {client::ShortFingerprint(letters)}, add));
    }
    if (bound.document_root.empty()) continue;
    Have(index.FindDocuments(step, client::DocumentFingerprint(bound.document_root), add));
  }
  return found;
}

TEST_F(FirewallTest, TheIndexIsTheSameInHoweverManySteps) {
  for (const char* text : {"Nine hundred, 4,417,000 at the most.", "Good afternoon", kSecret,
                           "We would rather keep the whole of the western quay to ourselves."}) {
    Say("Ana", kHarbor, text);
  }
  PARLEY_ASSERT_OK(Share("Ana", kHarbor, Write("figures.txt", "4,417,000")));
  Sync("Mira");
  auto store = Have(client::ProfileStore::Open(folder_ / "Mira"));
  client::ChannelContext context;
  context.store = store.get();
  const client::Channel channel(context, Ref("Mira", kHarbor).channel_id);
  client::Transaction step = Have(store->Begin());
  const uint64_t head = Have(channel.Info(step)).number;
  const auto take_in = [&](const CaseId& id, size_t room_each) {
    for (int steps = 1;; ++steps) {
      size_t room = room_each;
      auto index = Have(client::PassageIndex::Load(step, id, ParticipantId()));
      if (Have(index.Update(step, channel, head, room))) return steps;
    }
  };
  const CaseId at_once = client::RandomId<CaseId>();
  const CaseId in_steps = client::RandomId<CaseId>();
  EXPECT_EQ(take_in(at_once, 1'000'000), 1);
  EXPECT_GT(take_in(in_steps, 1), 4);
  const std::string found = Found(step, channel, at_once);
  EXPECT_THAT(found, HasSubstr(":"));
  EXPECT_EQ(Found(step, channel, in_steps), found);
}

// What was said before somebody came wasn't said to them.
TEST_F(FirewallTest, WhatWasSaidBeforeSomebodyCameIsNotTheirs) {
  const std::string text = "We would rather keep the whole of the western quay to ourselves.";
  const std::string figure = "It cost us 4,417,000 then.";
  Say("Ana", kHarbor, text);
  Say("Ana", "joint", text);
  Say("Ana", "joint", figure);
  Sync("Mira");
  EXPECT_EQ(Refused(kNorthline, text), "");  // Ben could read it
  LetIn("Zoe", Role::kCounsel, "Northline");
  SyncAll({"Mira", "Ana", "Zoe"});
  EXPECT_THAT(Refused(kNorthline, text), AllOf(HasSubstr("Ana (party, Harbor)"), HasSubstr("Zoe")));
  EXPECT_THAT(Refused(kNorthline, figure),
              AllOf(HasSubstr("Ana (party, Harbor)"), HasSubstr("in joint"),
                    HasSubstr("Zoe could not read that channel then"), Not(HasSubstr("Ben"))));
  EXPECT_EQ(Refused("joint", figure), "");  // where it was said
  EXPECT_EQ(Refused(kHarbor, text), "");
  // A neutral who came later may know all that the others know.
  LetIn("Uma", Role::kCoMediator);
  SyncAll({"Mira", "Uma", "Tomas", "Ana"});
  EXPECT_EQ(Refused("neutrals", figure), "");
  EXPECT_EQ(Refused("neutrals", text), "");
  Say("Ana", "joint", "Once more: " + text + " And: " + figure);
  Sync("Mira");
  EXPECT_EQ(Refused(kNorthline, text), "");
  EXPECT_EQ(Refused(kNorthline, figure), "");
}

// Who comes to read a channel after a message was queued doesn't get it unasked.
TEST_F(FirewallTest, WhatWasQueuedForOthersIsNotSentToWhoCameSince) {
  OpenCase();  // another one
  LetIn("Uma", Role::kCoMediator);
  LetIn("Pat", Role::kParty, "Quay");
  SyncAll({"Mira", "Uma", "Pat"});
  const std::string text = "We would rather keep the whole of the western quay to ourselves.";
  Say("Pat", "caucus:Quay", text);
  Sync("Mira");
  relay_.Stop();
  const ChannelRef joint = Ref("Mira", "joint");
  const SentMessage queued = Must(Of("Mira").Send(joint, text), "sending");  // Pat's own words
  EXPECT_TRUE(queued.queued);
  relay_.Start();
  LetIn("Kim", Role::kParty, "Dock", "Uma");
  SyncAll({"Uma", "Kim"});
  const SyncReport report = Must(Of("Mira").Sync({.case_id = case_}), "syncing");
  EXPECT_EQ(report.messages_never_sent, 1u);
  SyncAll({"Mira", "Kim"});
  EXPECT_TRUE(Texts("Kim", "joint").empty());
  EXPECT_TRUE(Must(Of("Mira").Unsent(joint), "unsent").empty());
  const std::vector<Message> kept = Must(Of("Mira").NeverSent(joint), "never sent");
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].text, text);
  EXPECT_THAT(kept[0].note, AllOf(HasSubstr("Kim (party, Dock)"), HasSubstr("send it again")));
  EXPECT_THAT(AlarmKinds("Mira"), ::testing::Contains(AlarmKind::kNeverSent));
  EXPECT_THAT(Refused("joint", text), HasSubstr("Kim"));  // now the firewall knows
  // Who is told at once keeps nothing.
  Say("Uma", "joint", "Welcome.");
  LetIn("Lou", Role::kCounsel, "Dock", "Uma");
  const Result<SentMessage> late = Of("Mira").Send(joint, "And good morning, all of you.");
  EXPECT_EQ(late.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(late.status().message(), AllOf(HasSubstr("nothing was sent"), HasSubstr("Lou")));
  EXPECT_EQ(Must(Of("Mira").NeverSent(joint), "never sent").size(), 1u);
  Say("Mira", "joint", "And good morning, all of you.");
}

// A ZIP with one empty member of that name.
std::string ZipOf(const std::string& name) {
  const auto number = [](uint64_t value, int bytes) {
    std::string out;
    for (; bytes > 0; --bytes, value >>= 8) out.push_back(static_cast<char>(value & 0xFF));
    return out;
  };
  // Version, flags, method, time, date, CRC-32, sizes, lengths of the name and of what follows it.
  const std::string facts = number(20, 2) + std::string(8, '\0') + std::string(12, '\0') +
                            number(name.size(), 2) + number(0, 2);
  const std::string local = "PK\x03\x04" + facts + name;
  const std::string central = "PK\x01\x02" + number(20, 2) + facts + std::string(14, '\0') + name;
  return local + central + "PK\x05\x06" + number(0, 4) + number(1, 2) + number(1, 2) +
         number(central.size(), 4) + number(local.size(), 4) + number(0, 2);
}

TEST_F(FirewallTest, NamesAreReadToo) {
  const std::string own = Write("own.bin", "\xFE Mira's own");
  const auto share_as = [&](const ShareOptions& options) {
    return Of("Mira").Share(Ref("Mira", kNorthline), own, options).status();
  };
  const Status named = share_as({.name = std::string(kSecret) + ".bin"});
  EXPECT_EQ(named.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(named.message(), AllOf(HasSubstr("name"), HasSubstr("Ana (party, Harbor)")));
  EXPECT_THAT(named.message(), Not(HasSubstr("690")));
  EXPECT_EQ(share_as({.media_type = std::string("text/") + kSecret}).code(),
            StatusCode::kPermissionDenied);
  EXPECT_EQ(Share("Mira", kNorthline, Write("a.zip", ZipOf(std::string(kSecret) + ".txt"))).code(),
            StatusCode::kPermissionDenied);
  PARLEY_ASSERT_OK(Share("Mira", kNorthline, Write("b.zip", ZipOf("own.txt"))));
  // A confided document's name is a confidence where it says something.
  PARLEY_ASSERT_OK(Share("Ana", kHarbor, Write("brief.pdf", "%PDF \xFF 1")));
  PARLEY_ASSERT_OK(Share("Ana", kHarbor, Write("Lowest price 690k.xlsx", "\xFF 2")));
  Sync("Mira");
  EXPECT_THAT(Refused(kNorthline, "I have their lowest price (690k).xlsx here"),
              HasSubstr("Ana (party, Harbor)"));
  EXPECT_EQ(share_as({.name = "lowest-price-690k.xlsx"}).code(), StatusCode::kPermissionDenied);
  PARLEY_ASSERT_OK(share_as({.name = "brief.pdf"}));
  EXPECT_EQ(Refused(kNorthline, "Please see my brief.pdf"), "");
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

// What a neutral's program tells newcomers of a calendar repeats what others wrote: it stays
// theirs.
TEST(BoundText, TheWordsOfAStandingAreWhoseTheyWere) {
  content::v1::Content content;
  for (const Role role : {Role::kParty, Role::kCoMediator}) {
    auto& told = *content.mutable_calendar_standing()->add_entries();
    told.mutable_changed_by()->set_role(static_cast<content::v1::Role>(role));
    told.mutable_entry()->set_title(role == Role::kParty ? "Ana's title" : "Tomas' title");
  }
  client::ChannelMessage message;
  message.kind = client::ContentKind::kCalendar;
  message.author.role = Role::kMediator;
  message.content = crypto::Secret::CopyOf(crypto::ViewOf(content.SerializeAsString()));
  const client::BoundContent bound = client::ReadBound(message);
  EXPECT_TRUE(bound.carried);
  EXPECT_EQ(bound.text, "Ana's title");
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
  EXPECT_EQ(mira.Share(Ref("Mira", kHarbor), other, options).status().code(),
            StatusCode::kPermissionDenied);  // only her side adds versions to it
  PARLEY_ASSERT_OK(Of("Ana").Share(Ref("Ana", kHarbor), other, options));
  const CaseId another = Must(mira.CreateCase("Another", connection_), "case");
  const ChannelRef elsewhere{another, Ref("Mira", kNorthline).channel_id};
  EXPECT_EQ(mira.Send(elsewhere, "Which case is this?").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(mira.Read(elsewhere).status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace parley::testing

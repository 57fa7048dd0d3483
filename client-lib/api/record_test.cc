// The record through the public calls: what a search shows and to whom, and timelines that agree
// and notice what was altered.
#include "parley/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "client-lib/api/attacker_for_test.h"
#include "client-lib/api/firewall_for_test.h"
#include "client-lib/channels/entry_log.h"
#include "client-lib/search/search_index.h"

namespace parley::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

// ---- Search ----

class SearchTest : public FirewallTest {
 protected:
  std::vector<SearchResult> Search(const std::string& name, const std::string& text) {
    SearchRequest request;
    request.text = text;
    return Must(Of(name).Search(request), "searching");
  }
  // "caucus:Harbor Ana text", of each result.
  std::vector<std::string> Found(const std::string& name, const std::string& text) {
    std::vector<std::string> found;
    for (const SearchResult& result : Search(name, text)) {
      found.push_back(result.channel_name + " " + result.author.name + " " +
                      FoundKindName(result.kind));
    }
    return found;
  }
  client::SearchIndex Index(client::ProfileStore& store) {
    const client::ReadTransaction read = Have(store.Read());
    return *Have(client::SearchIndex::Load(read));
  }
  std::string damaged_;
};

TEST_F(SearchTest, FindsWhatOneMayReadWithItsChannelAndReaders) {
  Say("Ben", kNorthline, "Our covenant is another matter.");
  PARLEY_ASSERT_OK(Share("Ben", "joint", Write("Covenant plan.pdf", "%PDF")));
  SyncAll({"Mira", "Ana", "Ben"}, 1);
  EXPECT_THAT(Found("Mira", "COVEN"),
              UnorderedElementsAre("caucus:Harbor Ana text", "caucus:Northline Ben text",
                                   "joint Ben document"));
  EXPECT_THAT(Found("Ana", "covenant"),
              UnorderedElementsAre("caucus:Harbor Ana text", "joint Ben document"));
  EXPECT_THAT(Found("Ben", "covenant floor"), IsEmpty()) << "of another caucus";
  const std::vector<SearchResult> results = Search("Mira", "floor june");
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].case_title, "Harbor v Northline");
  EXPECT_THAT(results[0].excerpt, HasSubstr("our floor is 690 thousand"));
  std::vector<std::string> readers;
  for (const Person& reader : results[0].readers) readers.push_back(reader.name);
  EXPECT_THAT(readers, UnorderedElementsAre("Mira", "Tomas", "Ana", "Lee"));
  const std::vector<Message> read = Must(Of("Mira").Read(results[0].channel), "reading");
  EXPECT_EQ(read.back().id, results[0].id);
  EXPECT_EQ(read.back().position, results[0].position);
  EXPECT_EQ(read.back().time, results[0].time);
}

TEST_F(SearchTest, OneChannelOrCaseAndALimit) {
  for (int i = 0; i < 5; ++i) Say("Ana", "joint", "offer " + std::to_string(i));
  Say("Ana", kHarbor, "offer in confidence");
  Sync("Mira");
  SearchRequest request;
  request.text = "offer";
  request.limit = 2;
  EXPECT_EQ(Must(Of("Mira").Search(request), "searching").size(), 2u);
  request.limit = 20;
  request.channel = Ref("Mira", kHarbor);
  EXPECT_EQ(Must(Of("Mira").Search(request), "searching").size(), 1u);
  request.channel = Ref("Mira", kNorthline);
  EXPECT_THAT(Must(Of("Mira").Search(request), "searching"), IsEmpty());
  request.channel.reset();
  request.case_id = CaseId();
  EXPECT_THAT(Must(Of("Mira").Search(request), "searching"), IsEmpty());
  request.text = " ... ";
  EXPECT_EQ(Of("Mira").Search(request).status().code(), StatusCode::kInvalidArgument);
}

// What is shown there is the same text: the firewall knows where it is from.
TEST_F(SearchTest, WhatASearchShowsCantBeSentElsewhere) {
  const std::vector<SearchResult> results = Search("Mira", "floor");
  ASSERT_EQ(results.size(), 1u);
  for (const char* channel : {kNorthline, "joint"}) {
    EXPECT_THAT(Refused(channel, results[0].excerpt), HasSubstr("Ana"));
    EXPECT_THAT(Refused(channel, "Found: " + results[0].excerpt), HasSubstr(kHarbor));
  }
}

TEST_F(SearchTest, OfARefusedDisclosureNothingIsFound) {
  content::v1::Content content;
  content.mutable_disclosure()->set_authorisation_id(std::string(16, 'x'));
  content.mutable_disclosure()->set_words("They will pay zanzibar.");
  content.mutable_disclosure()->set_anonymous(true);
  Attacker(folder_ / "Tomas", relay_, case_).Say(Ref("Tomas", kNorthline).channel_id, content);
  Sync("Mira");
  ASSERT_TRUE(Must(Of("Mira").Read(Ref("Mira", kNorthline)), "reading").back().refused);
  EXPECT_THAT(Found("Mira", "zanzibar"), IsEmpty());
  // It is in the index, so this was decided by what is shown.
  auto store = Have(client::ProfileStore::Open(folder_ / "Mira"));
  const client::ReadTransaction read = Have(store->Read());
  const auto hits = Have(Index(*store).Find(
      read, client::ParseSearchQuery("zanzibar"), [](const ChannelId&) { return true; },
      [](const ChannelId&, uint64_t) -> absl::StatusOr<std::string> { return "zanzibar"; }));
  EXPECT_FALSE(hits.empty());
}

TEST_F(SearchTest, WhoWasPutOutFindsWhatTheyCanStillRead) {
  Say("Mira", "joint", "the hovercraft is here");
  SyncAll({"Ben"}, 1);
  PARLEY_ASSERT_OK(Of("Mira").Remove(case_, Id("Mira", "Ben")));
  Say("Mira", "joint", "another hovercraft");
  PARLEY_ASSERT_OK(Of("Ben").Sync({.case_id = case_}));
  const std::vector<SearchResult> results = Search("Ben", "hovercraft");
  ASSERT_EQ(results.size(), 1u);
  EXPECT_THAT(results[0].excerpt, HasSubstr("is here"));
}

TEST_F(SearchTest, AnIndexThatIsMissingOrDamagedIsMadeAnew) {
  for (int i = 0; i < 40; ++i) Say("Ana", "joint", "word " + std::to_string(i));
  Sync("Mira");
  ASSERT_EQ(Search("Mira", "word").size(), 20u);
  for (const char* const name : {"search", "search/tail", "search/0", "search/1"}) {
    auto store = Have(client::ProfileStore::Open(folder_ / "Mira"));
    client::Transaction step = Have(store->Begin());
    Have(step.Put(client::RecordClass::kIndex, name, crypto::ViewOf("junk")));
    Have(step.Commit());
    EXPECT_EQ(Search("Mira", "word 3").size(), 11u) << name << ": 3, and 30 to 39";
    EXPECT_THAT(Found("Mira", "floor"), ElementsAre("caucus:Harbor Ana text")) << name;
  }
}

// One damaged record hides what is in it, and nothing else; the index stays as it is.
TEST_F(SearchTest, DamageElsewhereKeepsNobodyFromSearching) {
  for (int i = 0; i < 40; ++i) Say("Ana", "joint", "word " + std::to_string(i));
  Say("Ana", kHarbor, "word in confidence");
  Sync("Mira");
  ASSERT_EQ(Search("Mira", "word 3").size(), 11u);
  const auto head = [&] {
    auto store = Have(client::ProfileStore::Open(folder_ / "Mira"));
    const client::ReadTransaction read = Have(store->Read());
    const auto bytes = Have(read.Get(client::RecordClass::kIndex, "search"));
    return bytes.has_value() ? crypto::ToString(bytes->Reveal()) : std::string();
  };
  const std::string before = head();
  ASSERT_FALSE(before.empty());
  const auto damage = [&](const std::string& record) {
    auto store = Have(client::ProfileStore::Open(folder_ / "Mira"));
    client::Transaction step = Have(store->Begin());
    Have(step.Put(client::RecordClass::kContent, record, crypto::ViewOf("junk")));
    Have(step.Commit());
  };
  const client::ChannelNames joint(Ref("Mira", "joint").channel_id);
  const std::vector<Message> read = Must(Of("Mira").Read(Ref("Mira", "joint")), "reading");
  ASSERT_GE(read.size(), 40u);
  {
    auto store = Have(client::ProfileStore::Open(folder_ / "Mira"));
    const client::ReadTransaction step = Have(store->Read());
    const auto channel = *Have(client::LoadRecord<client::ChannelRecord>(
        step, client::RecordClass::kContent, joint.Channel()));
    for (uint64_t index = 1; index <= channel.messages; ++index) {
      const auto message = *Have(client::LoadRecord<client::MessageRecord>(
          step, client::RecordClass::kContent, joint.Message(index)));
      if (message.message_id != read.back().id) continue;
      damaged_ = joint.Message(index);
    }
  }
  ASSERT_FALSE(damaged_.empty());
  damage(damaged_);
  EXPECT_EQ(Search("Mira", "word 3").size(), 10u) << "without the last";
  EXPECT_EQ(Search("Mira", "confidence").size(), 1u);
  EXPECT_EQ(head(), before) << "not made anew";
  damage(joint.Channel());
  SearchRequest request;
  request.text = "word";
  EXPECT_TRUE(Of("Mira").Search(request).ok());
  EXPECT_EQ(head(), before) << "not made anew";
}

// ---- Timeline ----

class TimelineTest : public Mediation {
 protected:
  CaseTimeline Timeline(const std::string& name) {
    return Must(Of(name).Timeline(case_), "the timeline");
  }
  ChannelTimeline In(const std::string& name, const std::string& channel) {
    for (ChannelTimeline& one : Timeline(name).channels) {
      if (one.channel_name == channel) return std::move(one);
    }
    ADD_FAILURE() << name << " has no " << channel;
    return {};
  }
  static std::string Shown(const TimelineEvent& event) {
    std::string text = std::to_string(event.position) + " " + event.hash + " " +
                       TimelineKindName(event.kind) + " " + event.author.name + " " +
                       event.author.id.ToString() + RoleName(event.author.role) +
                       event.author.side + std::to_string(event.time) + " " +
                       std::to_string(event.size) + CaseActName(event.act);
    if (event.subject) text += event.subject->name + event.subject->id.ToString();
    return text;
  }
  // Of a channel's events above a position.
  std::vector<std::string> Above(const std::string& name, const std::string& channel,
                                 uint64_t position) {
    std::vector<std::string> shown;
    for (const TimelineEvent& event : In(name, channel).events) {
      if (event.position > position) shown.push_back(Shown(event));
    }
    return shown;
  }
  // "Ana text", "Mira joined Ben".
  std::vector<std::string> What(const std::string& name, const std::string& channel) {
    std::vector<std::string> shown;
    for (const TimelineEvent& event : In(name, channel).events) {
      shown.push_back(event.author.name + " " + TimelineKindName(event.kind) +
                      (event.subject ? " " + event.subject->name : ""));
    }
    return shown;
  }

  // Changes the profile's records as who has its key can.
  void Alter(const std::string& name,
             const std::function<void(client::Transaction&, const client::ChannelNames&)>& change,
             const std::string& channel = "joint") {
    const client::ChannelNames names(Ref(name, channel).channel_id);
    auto store = Have(client::ProfileStore::Open(folder_ / name));
    client::Transaction step = Have(store->Begin());
    change(step, names);
    Have(step.Commit());
  }
  ChainCheck Check(const std::string& name, const std::string& channel = "joint") {
    const std::vector<ChainCheck> checks = Must(Of(name).VerifyTimeline(case_), "verifying");
    for (const ChainCheck& check : checks) {
      if (check.channel_name == channel) return check;
    }
    ADD_FAILURE() << "no " << channel;
    return {};
  }
};

TEST_F(TimelineTest, SaysWhatHappenedWithoutContent) {
  LetEverybodyIn();
  Say("Ana", "joint", "CANARY");
  WriteFile(folder_ / "CANARY.pdf", std::string(3000, 'x'));
  PARLEY_ASSERT_OK(Of("Ben").Share(Ref("Ben", "joint"), folder_ / "CANARY.pdf"));
  PARLEY_ASSERT_OK(Of("Mira").Remove(case_, Id("Mira", "Lee")));
  SyncAll({"Mira", "Tomas", "Ana", "Ben"});
  const std::vector<std::string> what = What("Mira", "joint");
  EXPECT_EQ(what.front(), "Mira opened");
  for (const char* expected : {"Mira joined Tomas", "Mira joined Ana", "Mira joined Lee",
                               "Mira joined Ben", "Ana text", "Ben document", "Mira left Lee"}) {
    EXPECT_THAT(what, Contains(expected));
  }
  for (const TimelineEvent& event : In("Mira", "joint").events) {
    EXPECT_THAT(Shown(event), Not(HasSubstr("CANARY")));
    EXPECT_EQ(event.hash.size(), 64u);
    if (event.kind == TimelineKind::kDocument) {
      EXPECT_EQ(event.size, 4096u);
    }
  }
}

TEST_F(TimelineTest, IsTheSameForAllFromTheLaterComingInOn) {
  OpenCase();
  LetIn("Tomas", Role::kCoMediator);
  LetIn("Ana", Role::kParty, "Harbor");
  Say("Ana", "joint", "before Ben came");
  LetIn("Ben", Role::kParty, "Northline");
  Say("Ben", "joint", "hello");
  Sync("Tomas");
  Say("Tomas", "joint", "hello, too");
  LetIn("Lee", Role::kCounsel, "Harbor");
  Say("Lee", "joint", "good morning");
  SyncAll({"Mira", "Tomas", "Ana", "Ben", "Lee"}, 3);
  const std::vector<std::string> names = {"Mira", "Tomas", "Ana", "Ben", "Lee"};
  for (const std::string& one : names) {
    for (const std::string& other : names) {
      const uint64_t from =
          std::max(In(one, "joint").chains.back().from, In(other, "joint").chains.back().from);
      const std::vector<std::string> events = Above(one, "joint", from);
      EXPECT_EQ(events, Above(other, "joint", from)) << one << " and " << other;
      EXPECT_FALSE(events.empty());
    }
  }
  EXPECT_GT(In("Lee", "joint").chains.back().from, In("Ben", "joint").chains.back().from);
  EXPECT_EQ(In("Lee", "joint").chains.back().head_hash,
            In("Mira", "joint").chains.back().head_hash);
}

TEST_F(TimelineTest, APartysHasNoTraceOfAnotherCaucus) {
  LetEverybodyIn();
  const size_t before = Above("Ben", "joint", 0).size();
  for (int i = 0; i < 5; ++i) Say("Ana", "caucus:Harbor", "among us");
  SyncAll({"Mira", "Tomas", "Ana", "Lee", "Ben"}, 2);
  std::vector<std::string> channels;
  for (const ChannelTimeline& channel : Timeline("Ben").channels) {
    channels.push_back(channel.channel_name);
  }
  EXPECT_THAT(channels, UnorderedElementsAre("joint", "caucus:Northline"));
  EXPECT_EQ(Above("Ben", "joint", 0).size(), before);
  EXPECT_EQ(Must(Of("Ben").VerifyTimeline(case_), "verifying").size(), 2u);
}

TEST_F(TimelineTest, AReopenedChannelHasAChainForEachTime) {
  LetEverybodyIn();
  Say("Ana", "joint", "the first time");
  SyncAll({"Mira", "Ana", "Ben"}, 1);
  {
    auto store = Have(client::ProfileStore::Open(folder_ / "Mira"));
    client::CaseContext context;
    context.store = store.get();
    context.now_seconds = [] { return static_cast<uint64_t>(time(nullptr)); };
    context.id = case_;
    client::Transaction step = Have(store->Begin());
    Have(context.Channel(Ref("Mira", "joint").channel_id).Halt(step, "for the test"));
    Have(step.Commit());
  }
  PARLEY_ASSERT_OK(Of("Mira").Reopen(Ref("Mira", "joint")));
  SyncAll({"Mira", "Tomas", "Ana", "Lee", "Ben"}, 3);
  Say("Ana", "joint", "the second time");
  SyncAll({"Mira", "Ben"}, 1);
  const ChannelTimeline timeline = In("Mira", "joint");
  ASSERT_EQ(timeline.chains.size(), 2u);
  EXPECT_EQ(timeline.events.back().incarnation, 2u);
  for (const ChainCheck& check : Must(Of("Ben").VerifyTimeline(case_), "verifying")) {
    EXPECT_TRUE(check.whole) << check.channel_name << " " << check.incarnation << ": "
                             << check.problem;
  }
}

TEST_F(TimelineTest, ActsComeInTheJointChannelsOrder) {
  case_ = Must(
      Of("Mira").CreateCase("Harbor v Northline", connection_, CaseOptions{.with_procedure = true}),
      "case");
  LetIn("Ana", Role::kParty, "Harbor");
  PARLEY_ASSERT_OK(Of("Ana").Act(case_, CaseAct::kRequest, "CANARY"));
  LetIn("Ben", Role::kParty, "Northline");
  SyncAll({"Mira", "Ana", "Ben"});
  PARLEY_ASSERT_OK(Of("Ben").Act(case_, CaseAct::kAccept));
  SyncAll({"Mira", "Ana", "Ben"});
  const auto acts = [&](const std::string& name) {
    std::vector<std::string> shown;
    for (const TimelineAct& act : Timeline(name).acts) {
      if (act.act == CaseAct::kListParticipants) continue;
      shown.push_back(act.author.name + " " + CaseActName(act.act) + " " +
                      CaseStateName(act.state) + (act.counts ? "" : " not"));
    }
    return shown;
  };
  EXPECT_EQ(acts("Mira"), acts("Ana"));
  EXPECT_EQ(acts("Mira"), acts("Ben")) << "who came later knows the history by the overview";
  EXPECT_THAT(acts("Mira"), Contains("Ana request requested"));
  EXPECT_THAT(acts("Mira"), Contains("Ben accept consented"));
  EXPECT_THAT(What("Mira", "joint"), Contains("Ana act"));
  // Their words are found, as `case status` shows them.
  SearchRequest request;
  request.text = "canary";
  const std::vector<SearchResult> found = Must(Of("Mira").Search(request), "searching");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, FoundKind::kAct);
}

// ---- Verifying ----

class VerifyTest : public TimelineTest {
 protected:
  VerifyTest() {
    LetEverybodyIn();
    for (int i = 0; i < 3; ++i) Say("Ana", "joint", "message " + std::to_string(i));
    SyncAll({"Mira", "Ana", "Ben"}, 2);
    for (const TimelineEvent& event : In("Ben", "joint").events) {
      if (event.kind == TimelineKind::kText) said_.push_back(event.position);
    }
  }
  std::vector<uint64_t> said_;
};

TEST_F(VerifyTest, WhatCameIsWhole) {
  for (const char* name : {"Mira", "Tomas", "Ana", "Lee", "Ben"}) {
    const std::vector<ChainCheck> checks = Must(Of(name).VerifyTimeline(case_), "verifying");
    EXPECT_GE(checks.size(), 2u);
    for (const ChainCheck& check : checks) {
      EXPECT_TRUE(check.whole) << name << " " << check.channel_name << " at " << check.broken_at
                               << ": " << check.problem;
      EXPECT_EQ(check.not_recorded, 0u);
    }
  }
}

TEST_F(VerifyTest, AnAlteredEntryBreaksTheChainThere) {
  Alter("Ben", [&](client::Transaction& step, const client::ChannelNames& names) {
    const std::string name = names.Entry(1, said_[1]);
    auto entry =
        *Have(client::LoadRecord<client::EntryRecord>(step, client::RecordClass::kContent, name));
    entry.payload_hash[0] ^= 1;
    Have(client::StoreRecord(step, client::RecordClass::kContent, name, entry));
  });
  const ChainCheck check = Check("Ben");
  EXPECT_FALSE(check.whole);
  EXPECT_EQ(check.broken_at, said_[1]);
}

TEST_F(VerifyTest, AMissingEntryBreaksTheChainThere) {
  Alter("Ben", [&](client::Transaction& step, const client::ChannelNames& names) {
    Have(step.Delete(client::RecordClass::kContent, names.Entry(1, said_[2])));
  });
  EXPECT_EQ(Check("Ben").broken_at, said_[2]);
}

TEST_F(VerifyTest, AnAlteredHistoryBreaksTheChainThere) {
  Alter("Ben", [&](client::Transaction& step, const client::ChannelNames& names) {
    client::HashHistory history([&](uint64_t block) { return names.Hashes(1, block); });
    Have(history.Set(step, said_[0], client::TranscriptHash{1}));
    Have(history.Flush(step));
  });
  EXPECT_EQ(Check("Ben").broken_at, said_[0]);
}

TEST_F(VerifyTest, OtherWordsThanCameAreNoticed) {
  Alter("Ben", [&](client::Transaction& step, const client::ChannelNames& names) {
    for (uint64_t index = 1;; ++index) {
      auto message = Have(client::LoadRecord<client::MessageRecord>(
          step, client::RecordClass::kContent, names.Message(index)));
      ASSERT_TRUE(message.has_value());
      if (message->position != said_[1]) continue;
      content::v1::Content content;
      ASSERT_TRUE(content.ParseFromString(crypto::ToString(message->content.Reveal())));
      content.mutable_text()->set_text("another message");
      message->content = crypto::Secret::CopyOf(crypto::ViewOf(content.SerializeAsString()));
      Have(
          client::StoreRecord(step, client::RecordClass::kContent, names.Message(index), *message));
      return;
    }
  });
  ASSERT_THAT(Texts("Ben", "joint"), Contains("Ana: another message"));
  const ChainCheck check = Check("Ben");
  EXPECT_FALSE(check.whole);
  EXPECT_EQ(check.broken_at, said_[1]);
  EXPECT_THAT(check.problem, HasSubstr("isn't what came"));
}

// All that is shown of a message is compared, from either side.
TEST_F(VerifyTest, WhateverIsAlteredOfAMessageIsNoticed) {
  const std::vector<std::function<void(client::MessageRecord&)>> messages = {
      [](client::MessageRecord& message) { message.claimed_time += 3600; },
      [](client::MessageRecord& message) { message.author_name = "Ben"; },
      [](client::MessageRecord& message) { message.author_side = "Northline"; },
      [](client::MessageRecord& message) { message.author_role ^= 1; },
      [](client::MessageRecord& message) { message.kind ^= 1; },
      [](client::MessageRecord& message) { message.author = ParticipantId(); },
      [](client::MessageRecord& message) { message.message_id = MessageId(); },
      [&](client::MessageRecord& message) { message.position = said_[2]; },
      [](client::MessageRecord& message) { message.incarnation = 7; },
  };
  const std::vector<std::function<void(client::EntryRecord&)>> entries = {
      [](client::EntryRecord& entry) { entry.claimed_time += 3600; },
      [](client::EntryRecord& entry) { entry.author_name = "Ben"; },
      [](client::EntryRecord& entry) { entry.body = content::v1::Content::kDisclosure; },
      [](client::EntryRecord& entry) { entry.detail = 1; },
      [](client::EntryRecord& entry) { entry.message = 0; },
      [](client::EntryRecord& entry) { ++entry.message; },
      [](client::EntryRecord& entry) { entry.kind = client::EntryKind::kProposal; },
      [](client::EntryRecord& entry) { entry.content_hash[0] ^= 1; },
  };
  client::EntryRecord entry;
  client::MessageRecord message;
  std::string entry_name;
  std::string message_name;
  Alter("Ben", [&](client::Transaction& step, const client::ChannelNames& names) {
    entry_name = names.Entry(1, said_[1]);
    entry = *Have(
        client::LoadRecord<client::EntryRecord>(step, client::RecordClass::kContent, entry_name));
    message_name = names.Message(entry.message);
  });
  const auto store_entry = [&](const client::EntryRecord& changed) {
    Alter("Ben", [&](client::Transaction& step, const client::ChannelNames&) {
      Have(client::StoreRecord(step, client::RecordClass::kContent, entry_name, changed));
    });
  };
  const auto alter_message = [&](const std::function<void(client::MessageRecord&)>& change) {
    crypto::Secret before;
    Alter("Ben", [&](client::Transaction& step, const client::ChannelNames&) {
      before = *Have(step.Get(client::RecordClass::kContent, message_name));
      auto changed = *Have(client::LoadRecord<client::MessageRecord>(
          step, client::RecordClass::kContent, message_name));
      change(changed);
      Have(client::StoreRecord(step, client::RecordClass::kContent, message_name, changed));
    });
    const ChainCheck check = Check("Ben");
    EXPECT_FALSE(check.whole);
    Alter("Ben", [&](client::Transaction& step, const client::ChannelNames&) {
      Have(step.Put(client::RecordClass::kContent, message_name, before));
    });
  };
  for (size_t i = 0; i < messages.size(); ++i) {
    SCOPED_TRACE("message " + std::to_string(i));
    alter_message(messages[i]);
  }
  for (size_t i = 0; i < entries.size(); ++i) {
    SCOPED_TRACE("entry " + std::to_string(i));
    client::EntryRecord changed = entry;
    entries[i](changed);
    store_entry(changed);
    const ChainCheck check = Check("Ben");
    EXPECT_FALSE(check.whole);
    EXPECT_EQ(check.broken_at, said_[1]);
  }
  store_entry(entry);
  EXPECT_TRUE(Check("Ben").whole);
}

TEST_F(VerifyTest, AMessageThatIsMissingOrDamagedIsNoticed) {
  for (const bool recorded : {true, false}) {
    SCOPED_TRACE(recorded ? "recorded" : "from an earlier version");
    std::string name;
    Alter("Ben", [&](client::Transaction& step, const client::ChannelNames& names) {
      for (uint64_t at = 0; !recorded && at <= said_[2]; ++at) {
        Have(step.Delete(client::RecordClass::kContent, names.Entry(1, at)));
      }
      const auto channel = *Have(client::LoadRecord<client::ChannelRecord>(
          step, client::RecordClass::kContent, names.Channel()));
      for (uint64_t index = 1; index <= channel.messages; ++index) {
        const auto message = Have(client::LoadRecord<client::MessageRecord>(
            step, client::RecordClass::kContent, names.Message(index)));
        if (message.has_value() && message->position == said_[1]) name = names.Message(index);
      }
    });
    ASSERT_FALSE(name.empty());
    EXPECT_TRUE(Check("Ben").whole) << Check("Ben").problem;
    crypto::Secret before;
    Alter("Ben", [&](client::Transaction& step, const client::ChannelNames&) {
      before = *Have(step.Get(client::RecordClass::kContent, name));
      Have(step.Delete(client::RecordClass::kContent, name));
    });
    EXPECT_FALSE(Check("Ben").whole);
    EXPECT_LE(Check("Ben").broken_at, said_[1]);
    EXPECT_THAT(Check("Ben").problem, HasSubstr("can't be opened"));
    Alter("Ben", [&](client::Transaction& step, const client::ChannelNames&) {
      Have(step.Put(client::RecordClass::kContent, name, before));
    });
  }
}

TEST_F(VerifyTest, WhatWasTakenBackIsWholeAndSaysThatItWasThere) {
  const std::vector<Message> read = Must(Of("Ana").Read(Ref("Ana", "joint")), "reading");
  Must(Of("Ana").Retract(Ref("Ana", "joint"), read.back().id), "taking back");
  SyncAll({"Mira", "Ana", "Ben"}, 2);
  for (const char* name : {"Mira", "Ana", "Ben"}) {
    const ChainCheck check = Check(name);
    EXPECT_TRUE(check.whole) << name << ": " << check.problem << " at " << check.broken_at;
    EXPECT_THAT(What(name, "joint"), Contains("Ana retraction"));
  }
}

TEST_F(VerifyTest, ADamagedChannelIsNotWholeAndTheOthersAreChecked) {
  Alter("Ben", [&](client::Transaction& step, const client::ChannelNames& names) {
    Have(step.Put(client::RecordClass::kContent, names.Channel(), crypto::ViewOf("junk")));
  });
  const std::vector<ChainCheck> checks = Must(Of("Ben").VerifyTimeline(case_), "verifying");
  ASSERT_EQ(checks.size(), 2u);
  EXPECT_TRUE(checks[0].whole) << checks[0].problem;
  EXPECT_EQ(checks[0].channel_name, "caucus:Northline");
  EXPECT_FALSE(checks[1].whole);
  EXPECT_FALSE(checks[1].problem.empty());
}

TEST_F(TimelineTest, ADamagedActKeepsNobodyFromVerifying) {
  case_ = Must(
      Of("Mira").CreateCase("Harbor v Northline", connection_, CaseOptions{.with_procedure = true}),
      "case");
  LetIn("Ana", Role::kParty, "Harbor");
  PARLEY_ASSERT_OK(Of("Ana").Act(case_, CaseAct::kRequest, "words"));
  SyncAll({"Mira", "Ana"});
  EXPECT_TRUE(Check("Mira").whole) << Check("Mira").problem;
  uint64_t act = 0;
  for (const TimelineEvent& event : In("Mira", "joint").events) {
    if (event.kind != TimelineKind::kAct) continue;
    act = event.position;
    EXPECT_EQ(event.counts, std::optional<bool>(true));
  }
  ASSERT_NE(act, 0u);
  Alter("Mira", [&](client::Transaction& step, const client::ChannelNames& names) {
    const auto entry = *Have(client::LoadRecord<client::EntryRecord>(
        step, client::RecordClass::kContent, names.Entry(1, act)));
    Have(step.Put(client::RecordClass::kContent, names.Message(entry.message),
                  crypto::ViewOf("junk")));
  });
  const ChainCheck check = Check("Mira");
  EXPECT_FALSE(check.whole);
  EXPECT_EQ(check.broken_at, act);
}

TEST_F(VerifyTest, AnAddedMessageIsNoticed) {
  Alter("Ben", [&](client::Transaction& step, const client::ChannelNames& names) {
    auto channel = *Have(client::LoadRecord<client::ChannelRecord>(
        step, client::RecordClass::kContent, names.Channel()));
    auto message = *Have(client::LoadRecord<client::MessageRecord>(
        step, client::RecordClass::kContent, names.Message(channel.messages)));
    message.position += 1000;
    ++channel.messages;
    Have(client::StoreRecord(step, client::RecordClass::kContent, names.Message(channel.messages),
                             message));
    Have(client::StoreRecord(step, client::RecordClass::kContent, names.Channel(), channel));
  });
  EXPECT_THAT(Check("Ben").problem, HasSubstr("has no entry"));
}

// Without the key: a record of another name under this one doesn't open.
TEST_F(VerifyTest, ARecordThatDoesntOpenIsAPlaceWhereItBreaks) {
  Alter("Ben", [&](client::Transaction& step, const client::ChannelNames& names) {
    Have(step.Put(client::RecordClass::kContent, names.Entry(1, said_[1]), crypto::ViewOf("junk")));
  });
  EXPECT_EQ(Check("Ben").broken_at, said_[1]);
}

TEST_F(VerifyTest, WhatAnEarlierVersionReceivedIsSaidToBeUnrecorded) {
  Alter("Ben", [&](client::Transaction& step, const client::ChannelNames& names) {
    for (uint64_t at = 0; at <= said_[1]; ++at) {
      Have(step.Delete(client::RecordClass::kContent, names.Entry(1, at)));
    }
  });
  const ChainCheck check = Check("Ben");
  EXPECT_TRUE(check.whole) << check.problem;
  EXPECT_EQ(check.not_recorded, said_[1] - check.from);
}

}  // namespace
}  // namespace parley::testing

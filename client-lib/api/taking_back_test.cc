// Quotes and retractions.
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "client-lib/api/session_for_test.h"
#include "crypto/primitives/hash.h"

namespace parley {
namespace {

using ::testing::HasSubstr;
using testing::Have;
using testing::Must;
using ::testing::Not;

class TakingBackTest : public testing::SessionTest {
 protected:
  TakingBackTest() { LetEverybodyIn(); }

  Result<SentMessage> Quote(const std::string& name, const std::string& channel,
                            const MessageId& quoted, const std::string& text = "As you say.") {
    return Of(name).Send(Ref(name, channel), text, {.quote = quoted});
  }
  // Whether the words stand anywhere in what the profile stores of a channel.
  bool Stores(const std::string& name, const std::string& channel, const std::string& words) {
    const ChannelRef ref = Ref(name, channel);
    auto store = Have(client::ProfileStore::Open(folder_ / name));
    client::ReadTransaction read = Have(store->Read());
    client::ChannelContext context;
    context.store = store.get();
    for (const auto& message : Have(client::Channel(context, ref.channel_id).Messages(read, {}))) {
      if (crypto::ToString(message.content.Reveal()).find(words) != std::string::npos) return true;
    }
    return false;
  }
};

TEST_F(TakingBackTest, AMessageQuotesAnEarlierOneOfItsChannel) {
  Say("Ana", "joint", "The conveyor stands still.");
  Everybody(1);
  const MessageId quoted = Last("Ben").id;
  Must(Quote("Ben", "joint", quoted), "quoting");
  Everybody(1);
  for (const char* name : {"Mira", "Ana", "Ben"}) {
    const Message message = Last(name);
    EXPECT_EQ(message.text, "As you say.");
    ASSERT_TRUE(message.quote.has_value()) << name;
    EXPECT_TRUE(message.quote->found);
    EXPECT_EQ(message.quote->author.name, "Ana");
    EXPECT_EQ(message.quote->text, "The conveyor stands still.");
  }
  EXPECT_EQ(Quote("Ben", "joint", MessageId({7})).status().code(), StatusCode::kNotFound);
}

TEST_F(TakingBackTest, QuotingAnotherChannelIsRefusedAndNamesIt) {
  Say("Ana", "caucus", "Between us: 690.");
  Everybody(1);
  const MessageId confided = Last("Mira", "caucus:Harbor").id;
  for (const char* name : {"Mira", "Ana"}) {
    const Result<SentMessage> refused = Quote(name, "joint", confided);
    EXPECT_EQ(refused.status().code(), StatusCode::kPermissionDenied) << name;
    EXPECT_THAT(refused.status().message(), HasSubstr("Ana said that in caucus:Harbor"));
    EXPECT_THAT(refused.status().message(), Not(HasSubstr("690")));
  }
  // A modified program says so all the same: nothing of it is shown.
  content::v1::Content content = Text("Look what she said.");
  content.mutable_quote()->set_message_id(client::ToField(confided));
  content.mutable_quote()->set_author_id(client::ToField(Id("Mira", "Ana")));
  content.mutable_quote()->set_hash(std::string(32, 'h'));
  Inject("Tomas", "joint", content);
  Everybody();
  for (const char* name : {"Ben", "Ana", "Mira"}) {
    ASSERT_TRUE(Last(name).quote.has_value());
    EXPECT_FALSE(Last(name).quote->found) << name;
    EXPECT_EQ(Last(name).quote->text, "");
  }
}

TEST_F(TakingBackTest, AQuoteOfOtherWordsIsShownAsNone) {
  Say("Ana", "joint", "No.");
  Everybody(1);
  content::v1::Content content = Text("She said yes.");
  content.mutable_quote()->set_message_id(client::ToField(Last("Ben").id));
  content.mutable_quote()->set_author_id(client::ToField(Id("Ben", "Ana")));
  content.mutable_quote()->set_hash(std::string(32, 'h'));
  Inject("Ben", "joint", content);
  Everybody();
  EXPECT_FALSE(Last("Mira").quote->found);
}

TEST_F(TakingBackTest, WhatIsRetractedIsDroppedByEverybody) {
  Say("Ana", "joint", "A rash ZIRCON word.");
  Say("Ana", "joint", "A calm word.");
  Everybody(1);
  const MessageId rash = FindText("Ana", "A rash ZIRCON word.").id;
  Must(Quote("Ben", "joint", rash), "quoting");
  EXPECT_EQ(Of("Ben").Retract(Ref("Ben", "joint"), rash).status().code(),
            StatusCode::kPermissionDenied);
  EXPECT_EQ(Of("Ana").Retract(Ref("Ana", "joint"), MessageId({9})).status().code(),
            StatusCode::kNotFound);
  EXPECT_TRUE(Stores("Ben", "joint", "ZIRCON"));
  Must(Of("Ana").Retract(Ref("Ana", "joint"), rash), "retracting");
  Everybody();
  for (const char* name : {"Mira", "Tomas", "Ana", "Lee", "Ben"}) {
    const std::vector<Message> messages = Read(name);
    ASSERT_EQ(messages.size(), 3u) << name;
    EXPECT_EQ(messages[0].kind, MessageKind::kRetracted);
    EXPECT_EQ(messages[0].text, "");
    EXPECT_EQ(messages[0].author.name, "Ana");
    EXPECT_EQ(messages[1].text, "A calm word.");
    ASSERT_TRUE(messages[2].quote.has_value());
    EXPECT_TRUE(messages[2].quote->retracted);
    EXPECT_EQ(messages[2].quote->text, "");
    EXPECT_FALSE(Stores(name, "joint", "ZIRCON")) << name;
  }
  EXPECT_EQ(Of("Ana").Retract(Ref("Ana", "joint"), rash).status().code(),
            StatusCode::kFailedPrecondition);
  EXPECT_EQ(Quote("Mira", "joint", rash).status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(TakingBackTest, NobodyTakesBackWhatIsAnothers) {
  Say("Ana", "joint", "It was so.");
  Everybody(1);
  content::v1::Content content;
  content.mutable_retraction()->set_message_id(client::ToField(Last("Ben").id));
  Inject("Ben", "joint", content);
  Everybody();
  EXPECT_EQ(Last("Mira").text, "It was so.");
  EXPECT_EQ(Last("Ben").text, "It was so.");
  // Nor stops the channel with one of nothing, or of itself.
  content.mutable_retraction()->set_message_id("short");
  Inject("Ben", "joint", content);
  content.set_message_id(client::ToField(MessageId({3})));
  content.mutable_retraction()->set_message_id(content.message_id());
  Inject("Ben", "joint", content);
  Say("Ana", "joint", "And it goes on.");
  Everybody();
  EXPECT_EQ(Last("Mira").text, "And it goes on.");
}

TEST_F(TakingBackTest, WhatNeutralsWereLetCarryStaysTheMeasureOfIt) {
  Say("Ana", "caucus", "We can pay within a week of signing.");
  AuthorisationRequest request;
  request.item = Last("Ana", "caucus").id;
  request.audience = "caucus:Northline";
  Must(Of("Ana").Authorise(Ref("Ana", "caucus"), request), "authorising");
  const Status refused = Of("Ana").Retract(Ref("Ana", "caucus"), request.item).status();
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  // Nor by a modified program, which could make an honest disclosure look like a lie.
  content::v1::Content content;
  content.mutable_retraction()->set_message_id(client::ToField(request.item));
  Inject("Ana", "caucus", content);
  Everybody();
  EXPECT_EQ(FindText("Mira", "We can pay within a week of signing.", "caucus:Harbor").kind,
            MessageKind::kText);
  EXPECT_EQ(Must(Of("Mira").Authorisations(case_), "authorisations")[0].state,
            AuthorisationState::kOpen);
}

TEST_F(TakingBackTest, ADocumentIsTakenBackWithItsKey) {
  testing::WriteFile(folder_ / "draft.txt", "draft");
  const SentMessage sent = Must(Of("Ana").Share(Ref("Ana", "joint"), folder_ / "draft.txt"), "x");
  Everybody(1);
  const Document shown = Must(Of("Ben").Documents(Ref("Ben", "joint")), "documents")[0];
  Must(Of("Ana").Retract(Ref("Ana", "joint"), sent.id), "retracting");
  Everybody();
  EXPECT_TRUE(Must(Of("Ben").Documents(Ref("Ben", "joint")), "documents").empty());
  EXPECT_EQ(Of("Ben").Fetch(shown.ref, folder_ / "got.txt").code(), StatusCode::kNotFound);
}

// A hash of the words would let anybody try words that were taken back.
TEST_F(TakingBackTest, AQuoteHoldsNothingThatIsMadeOfTheWords) {
  Say("Ana", "joint", "690");
  Everybody(1);
  Must(Quote("Ben", "joint", Last("Ben").id), "quoting");
  const ChannelRef ref = Ref("Ben", "joint");
  auto store = Have(client::ProfileStore::Open(folder_ / "Ben"));
  client::ReadTransaction read = Have(store->Read());
  client::ChannelContext context;
  context.store = store.get();
  const auto messages = Have(client::Channel(context, ref.channel_id).Messages(read, {}));
  content::v1::Content quoting;
  ASSERT_TRUE(quoting.ParseFromString(crypto::ToString(messages.back().content.Reveal())));
  ASSERT_EQ(quoting.quote().hash().size(), 32u);
  for (const auto& message : messages) {
    EXPECT_NE(quoting.quote().hash(), crypto::ToString(crypto::Hash(crypto::HashAlgorithm::kSha256,
                                                                    message.content.Reveal())));
  }
}

// Message ids are their authors' own: a modified program takes another's.
TEST_F(TakingBackTest, WhoTakesAnothersIdCapturesNeitherRetractionNorQuote) {
  Say("Ana", "joint", "A rash word.");
  Everybody(1);
  const MessageId id = Last("Ana").id;
  content::v1::Content same = Text("Something else.");
  same.set_message_id(client::ToField(id));
  Inject("Ben", "joint", same);
  Everybody();
  EXPECT_EQ(Quote("Lee", "joint", id).status().code(), StatusCode::kFailedPrecondition);
  Must(Of("Ana").Retract(Ref("Ana", "joint"), id), "retracting");
  Everybody();
  EXPECT_FALSE(Stores("Mira", "joint", "rash"));
  EXPECT_EQ(FindText("Mira", "Something else.").author.name, "Ben");
}

// Otherwise who reads it all at once finds Lee to have said it first, and others don't.
TEST_F(TakingBackTest, WhatAnAuthorisationIsMeasuredByStays) {
  const std::string words = "We could live with seven hundred and fifteen thousand in two parts.";
  Say("Ana", "caucus", words);
  Sync("Lee");
  Sync("Lee");
  const MessageId first = FindText("Ana", words, "caucus").id;
  Say("Lee", "caucus", "As Ana says: " + words);
  content::v1::Content authorisation;
  authorisation.mutable_disclosure_authorisation()->set_item_message_id(
      client::ToField(Last("Lee", "caucus").id));
  Inject("Lee", "caucus", authorisation);
  Sync("Ana");
  EXPECT_EQ(Of("Ana").Retract(Ref("Ana", "caucus"), first).status().code(),
            StatusCode::kFailedPrecondition);
  content::v1::Content content;
  content.mutable_retraction()->set_message_id(client::ToField(first));
  Inject("Ana", "caucus", content);
  Everybody();
  for (const char* name : {"Mira", "Tomas", "Ana", "Lee"}) {
    const std::string caucus = name[0] == 'A' || name[0] == 'L' ? "caucus" : "caucus:Harbor";
    EXPECT_EQ(FindText(name, words, caucus).kind, MessageKind::kText) << name;
  }
}

TEST_F(TakingBackTest, SearchAndTheLogsCheckAgreeWithARetraction) {
  Say("Ana", "joint", "A rash ZIRCON word.");
  Everybody(1);
  const MessageId early = Last("Ana").id;
  for (int i = 0; i < 40; ++i) LeaveWaiting("Ana", "joint", Text("Filler " + std::to_string(i)));
  Everybody(1);
  Say("Ana", "joint", "Another BERYL word.");
  Everybody(1);
  const MessageId late = Last("Ana").id;
  const auto finds = [this](const char* name, const char* word) {
    SearchRequest request;
    request.text = word;
    return Must(Of(name).Search(request), "searching").size();
  };
  EXPECT_EQ(finds("Ben", "zircon"), 1u);
  EXPECT_EQ(finds("Ben", "beryl"), 1u);
  Must(Of("Ana").Retract(Ref("Ana", "joint"), early), "retracting");
  Must(Of("Ana").Retract(Ref("Ana", "joint"), late), "retracting");
  Everybody();
  for (const char* name : {"Ana", "Ben", "Mira"}) {
    EXPECT_EQ(finds(name, "zircon"), 0u) << name;
    EXPECT_EQ(finds(name, "beryl"), 0u) << name;
    for (const ChainCheck& check : Must(Of(name).VerifyTimeline(case_), "verifying")) {
      EXPECT_TRUE(check.whole) << name << ": " << check.channel_name << ": " << check.problem;
    }
  }
}

TEST_F(TakingBackTest, AWatchNamesWhatWasTakenBack) {
  Say("Ana", "joint", "A rash word.");
  Everybody(1);
  const MessageId id = Last("Ben").id;
  std::mutex mutex;
  std::vector<Message> heard;
  std::atomic<bool> told{false};
  Cancellation cancellation;
  Status ended;
  std::thread watch([&] {
    ended = Of("Ben").Watch(
        case_,
        [&](const Event& event) {
          if (event.kind != EventKind::kMessage) return;
          const std::lock_guard<std::mutex> lock(mutex);
          heard.push_back(*event.message);
          told = told || event.message->kind == MessageKind::kRetracted;
        },
        cancellation);
  });
  Say("Ana", "joint", "A calm word.");  // so that the watch has begun or sees both at once
  for (int i = 0; i < 600; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const std::lock_guard<std::mutex> lock(mutex);
    if (!heard.empty()) break;
  }
  Must(Of("Ana").Retract(Ref("Ana", "joint"), id), "retracting");
  for (int i = 0; i < 600 && !told; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  cancellation.Cancel();
  watch.join();
  EXPECT_TRUE(ended.ok() || ended.code() == StatusCode::kCancelled) << ended.message();
  const std::lock_guard<std::mutex> lock(mutex);
  ASSERT_FALSE(heard.empty());
  EXPECT_EQ(heard.back().id, id);
  EXPECT_EQ(heard.back().kind, MessageKind::kRetracted);
  EXPECT_EQ(heard.back().text, "");
}

}  // namespace
}  // namespace parley

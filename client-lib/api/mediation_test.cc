// A mediation through the public face, with the real relay: who can see and do what.
#include <atomic>
#include <mutex>
#include <thread>

#include "client-lib/api/mediation_for_test.h"

namespace parley {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Must;
using ::testing::Not;
using testing::ReadFile;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using testing::WriteFile;

using MediationTest = testing::Mediation;

TEST_F(MediationTest, APartyJoinsAndSpeaksInItsCaucusAndJointly) {
  OpenCase();
  EXPECT_THAT(ChannelNames("Mira"), ElementsAre("joint", "neutrals"));
  const std::string text = Invite("Ana", Role::kParty, "Harbor");
  EXPECT_EQ(Find("Mira", "Ana").state, ParticipantState::kInvited);
  PARLEY_ASSERT_OK(Of("Ana").Join(text));
  EXPECT_EQ(Must(Of("Ana").GetCase(case_), "case").own_state, ParticipantState::kWaiting);
  Sync("Mira");
  const Participant ana = Find("Mira", "ana");
  EXPECT_EQ(ana.state, ParticipantState::kWaiting);
  EXPECT_EQ(ana.side, "Harbor");
  EXPECT_THAT(ana.safety_number, SizeIs(47));
  EXPECT_EQ(ana.safety_number, Must(Of("Ana").GetCase(case_), "case").inviter_safety_number);
  PARLEY_ASSERT_OK(Of("Mira").Approve(case_, ana.id));
  Sync("Ana");
  EXPECT_EQ(Must(Of("Ana").GetCase(case_), "case").own_state, ParticipantState::kApproved);
  EXPECT_THAT(ChannelNames("Ana"), ElementsAre("joint", "caucus:Harbor"));
  Say("Mira", "joint", "Welcome.");
  Say("Ana", "caucus:Harbor", "Our floor is 690 thousand.");
  Sync("Mira");
  Sync("Ana");
  EXPECT_THAT(Texts("Ana", "joint"), ElementsAre("Mira: Welcome."));
  EXPECT_THAT(Texts("Mira", "caucus:Harbor"), ElementsAre("Ana: Our floor is 690 thousand."));
  EXPECT_THAT(AlarmKinds("Mira"), ElementsAre(AlarmKind::kNotCompared));
  PARLEY_ASSERT_OK(Of("Mira").MarkCompared(case_, ana.id));
  EXPECT_THAT(AlarmKinds("Mira"), IsEmpty());
  EXPECT_TRUE(Must(Of("Mira").Read(Ref("Mira", "caucus")), "read")[0].author.compared);
}

TEST_F(MediationTest, EachSeesTheirChannelsAndNoOther) {
  LetEverybodyIn();
  EXPECT_THAT(ChannelNames("Mira"),
              ElementsAre("joint", "caucus:Harbor", "caucus:Northline", "neutrals"));
  EXPECT_THAT(ChannelNames("Tomas"),
              ElementsAre("joint", "caucus:Harbor", "caucus:Northline", "neutrals"));
  EXPECT_THAT(ChannelNames("Ana"), ElementsAre("joint", "caucus:Harbor"));
  EXPECT_THAT(ChannelNames("Ben"), ElementsAre("joint", "caucus:Northline"));
  EXPECT_THAT(Readers("Ana", "joint"), UnorderedElementsAre("Mira", "Tomas", "Ana", "Lee", "Ben"));
  EXPECT_THAT(Readers("Lee", "caucus"), UnorderedElementsAre("Mira", "Tomas", "Ana", "Lee"));
  EXPECT_THAT(Readers("Ben", "caucus"), UnorderedElementsAre("Mira", "Tomas", "Ben"));
  EXPECT_THAT(Readers("Tomas", "neutrals"), UnorderedElementsAre("Mira", "Tomas"));

  Say("Ana", "caucus", "CANARY-H");
  Say("Ben", "caucus", "CANARY-N");
  Say("Tomas", "neutrals", "CANARY-T");
  Say("Lee", "joint", "Good morning.");
  SyncAll({"Mira", "Tomas", "Ana", "Lee", "Ben"}, 1);
  EXPECT_THAT(Texts("Tomas", "caucus:Harbor"), ElementsAre("Ana: CANARY-H"));
  EXPECT_THAT(Texts("Tomas", "caucus:Northline"), ElementsAre("Ben: CANARY-N"));
  EXPECT_THAT(Texts("Mira", "neutrals"), ElementsAre("Tomas: CANARY-T"));
  for (const char* name : {"Ana", "Lee", "Ben"}) {
    EXPECT_THAT(Texts(name, "joint"), ElementsAre("Lee: Good morning."));
  }
  EXPECT_THAT(Texts("Ben", "caucus"), ElementsAre("Ben: CANARY-N"));

  // What is of one channel isn't had through another.
  const ChannelRef other = Ref("Mira", "caucus:Northline");
  EXPECT_EQ(Of("Ana").Read(other).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Of("Ana").Send(other, "x").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Of("Ana").FindChannel(case_, "neutrals").status().code(), StatusCode::kNotFound);
}

TEST_F(MediationTest, DocumentsReachTheirReaders) {
  OpenCase();
  LetIn("Ana", Role::kParty, "Harbor");
  LetIn("Ben", Role::kParty, "Northline");
  SyncAll({"Mira", "Ana", "Ben"});
  std::string content(3 << 20, 'x');
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 2654435761u >> 13);
  WriteFile(folder_ / "Brief.pdf", content);
  WriteFile(folder_ / "\u8981\u7d04.txt", "");
  uint64_t reported = 0;
  const Result<SentMessage> sent = Of("Ana").Share(Ref("Ana", "caucus"), folder_ / "Brief.pdf", {},
                                                   [&](uint64_t done, uint64_t) {
                                                     reported = done;
                                                     return true;
                                                   });
  PARLEY_ASSERT_OK(sent);
  EXPECT_TRUE(sent->position.has_value());
  EXPECT_EQ(reported, content.size());
  PARLEY_ASSERT_OK(Of("Mira").Share(Ref("Mira", "joint"), folder_ / "\u8981\u7d04.txt"));
  SyncAll({"Mira", "Ana", "Ben"}, 1);

  const Document brief =
      Must(Of("Mira").FindDocument(Ref("Mira", "caucus:Harbor"), "Brief.pdf"), "document");
  EXPECT_EQ(brief.size, content.size());
  EXPECT_EQ(brief.media_type, "application/pdf");
  PARLEY_ASSERT_OK(Of("Mira").Fetch(brief.ref, folder_ / "fetched"));
  EXPECT_EQ(ReadFile(folder_ / "fetched"), content);
  EXPECT_EQ(Of("Mira").Fetch(brief.ref, folder_ / "fetched").code(), StatusCode::kAlreadyExists);
  PARLEY_ASSERT_OK(Of("Mira").Fetch(brief.ref, folder_ / "fetched", {.overwrite = true}));

  const Document empty =
      Must(Of("Ben").FindDocument(Ref("Ben", "joint"), "\u8981\u7d04.txt"), "document");
  PARLEY_ASSERT_OK(Of("Ben").Fetch(empty.ref, folder_ / "empty"));
  EXPECT_EQ(ReadFile(folder_ / "empty"), "");
  // A document is fetched through its own channel, by who is in it.
  EXPECT_EQ(Of("Ben").Fetch(brief.ref, folder_ / "no").code(), StatusCode::kNotFound);
  DocumentRef crossed = brief.ref;
  crossed.channel = Ref("Mira", "joint");
  EXPECT_EQ(Of("Mira").Fetch(crossed, folder_ / "no").code(), StatusCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "no"));

  EXPECT_EQ(Of("Ana").Share(Ref("Ana", "joint"), folder_ / "missing").status().code(),
            StatusCode::kFileError);
  EXPECT_EQ(Of("Ana").Share(Ref("Ana", "joint"), folder_ / "").status().code(),
            StatusCode::kInvalidArgument);
  // Stopped on the way, and gone on with.
  const Result<SentMessage> stopped = Of("Ana").Share(Ref("Ana", "joint"), folder_ / "Brief.pdf",
                                                      {}, [](uint64_t, uint64_t) { return false; });
  if (!stopped.ok()) {
    EXPECT_EQ(stopped.status().code(), StatusCode::kCancelled);
    PARLEY_ASSERT_OK(Of("Ana").Share(Ref("Ana", "joint"), folder_ / "Brief.pdf"));
  }
  EXPECT_THAT(Must(Of("Ana").Documents(Ref("Ana", "joint")), "documents"), SizeIs(2));
}

TEST_F(MediationTest, VouchersAreToppedUp) {
  OpenCase();
  LetIn("Ana", Role::kParty, "Harbor");
  SyncAll({"Mira", "Ana"});
  WriteFile(folder_ / "note.txt", "a note");
  for (int i = 0; i < 20; ++i) {
    PARLEY_ASSERT_OK(Of("Ana").Share(Ref("Ana", "joint"), folder_ / "note.txt"));
    if (i % 4 == 3) SyncAll({"Ana", "Mira", "Ana"}, 1);
  }
  EXPECT_THAT(Must(Of("Ana").Documents(Ref("Ana", "joint")), "documents"), SizeIs(20));
}

TEST_F(MediationTest, TwoObjectsOnOneProfileWorkAtOnce) {
  OpenCase();
  LetIn("Ana", Role::kParty, "Harbor");
  SyncAll({"Mira", "Ana"});
  const ChannelRef joint = Ref("Ana", "joint");
  constexpr int kEach = 8;
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      Profile profile = Another("Ana");
      for (int i = 0; i < kEach; ++i) {
        const Result<SentMessage> sent =
            profile.Send(joint, std::to_string(t) + "/" + std::to_string(i));
        if (!sent.ok()) {
          std::fprintf(stderr, "%s\n", sent.status().message().c_str());
          ++failures;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  SyncAll({"Ana", "Mira"}, 1);
  const std::vector<std::string> texts = Texts("Mira", "joint");
  EXPECT_THAT(texts, SizeIs(3 * kEach));
  EXPECT_EQ(std::set<std::string>(texts.begin(), texts.end()).size(), size_t{3 * kEach});
  EXPECT_EQ(texts, Texts("Ana", "joint"));
}

TEST_F(MediationTest, AWatchTellsWhatHappens) {
  OpenCase();
  std::mutex mutex;
  std::vector<std::string> texts;
  std::atomic<int> messages{0};
  std::atomic<int> joined{0};
  Cancellation cancellation;
  Status ended;
  std::thread watch([&] {
    ended = Of("Mira").Watch(
        case_,
        [&](const Event& event) {
          const std::lock_guard<std::mutex> lock(mutex);
          if (event.kind == EventKind::kMessage) {
            texts.push_back(event.message->text);
            ++messages;
          }
          if (event.kind == EventKind::kParticipants &&
              event.text.find("waits") != std::string::npos) {
            ++joined;
          }
        },
        cancellation);
  });
  const auto wait_for = [](const std::atomic<int>& count, int least) {
    for (int i = 0; i < 200 && count < least; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return count >= least;
  };
  Profile mira = Another("Mira");  // a running watch keeps nobody from working
  const std::string text =
      Must(mira.Invite(case_, {.name = "Ana", .role = Role::kParty, .side = "Harbor"}), "invite")
          .text;
  PARLEY_ASSERT_OK(Of("Ana").Join(text));
  PARLEY_ASSERT_OK(mira.Sync({}));
  EXPECT_TRUE(wait_for(joined, 1));
  PARLEY_ASSERT_OK(mira.Approve(case_, Must(mira.FindParticipant(case_, "Ana"), "Ana").id));
  Sync("Ana");
  Say("Ana", "joint", "one");
  EXPECT_TRUE(wait_for(messages, 1));
  // Over an interruption of the relay, nothing is missed and nothing comes twice.
  relay_.Stop();
  const Result<SentMessage> queued = Of("Ana").Send(Ref("Ana", "joint"), "two");
  PARLEY_ASSERT_OK(queued);
  EXPECT_TRUE(queued->queued);
  relay_.Start();
  Sync("Ana");
  EXPECT_TRUE(wait_for(messages, 2));
  const auto asked = std::chrono::steady_clock::now();
  cancellation.Cancel();
  watch.join();
  EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds(2));
  PARLEY_ASSERT_OK(ended);
  EXPECT_THAT(texts, ElementsAre("one", "two"));
}

}  // namespace
}  // namespace parley

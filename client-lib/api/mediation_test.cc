// A mediation through the public face, with the real relay: who sees what, and who doesn't.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

#include "client-lib/api/testing_relay.h"
#include "parley/profile.h"

namespace parley {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

#define ASSERT_OK(expression)                                        \
  do {                                                               \
    const auto& asserted = (expression);                             \
    ASSERT_TRUE(StatusOf(asserted).ok()) << StatusOf(asserted).message(); \
  } while (false)
#define EXPECT_OK(expression)                                        \
  do {                                                               \
    const auto& expected = (expression);                             \
    EXPECT_TRUE(StatusOf(expected).ok()) << StatusOf(expected).message(); \
  } while (false)

const Status& StatusOf(const Status& status) { return status; }
template <typename T>
const Status& StatusOf(const Result<T>& result) {
  return result.status();
}

// The value, or the end of the test program with the message: for what the test itself needs.
template <typename T>
T Must(Result<T> result, const char* what) {
  if (!result.ok()) {
    std::fprintf(stderr, "%s: %s\n", what, result.status().message().c_str());
    std::abort();
  }
  return std::move(*result);
}

class MediationTest : public ::testing::Test {
 protected:
  MediationTest() : relay_(folder_ / "relay") { connection_ = relay_.Sponsor("Voss Mediation"); }

  Profile& Person(const std::string& name) {
    auto found = profiles_.find(name);
    if (found == profiles_.end()) {
      found = profiles_
                  .emplace(name, Must(Profile::Create(folder_ / name, name, std::nullopt),
                                      "creating a profile"))
                  .first;
    }
    return found->second;
  }

  void Open() { case_ = Must(Person("Mira").CreateCase("Harbor v Northline", connection_), "case"); }

  std::string Invite(const std::string& name, Role role, const std::string& side = {},
                     const std::string& inviter = "Mira") {
    return Must(Person(inviter).Invite(case_, {.name = name, .role = role, .side = side}),
                "inviting")
        .text;
  }

  // Invited, joined, approved, and told so.
  void LetIn(const std::string& name, Role role, const std::string& side = {},
             const std::string& inviter = "Mira") {
    const std::string text = Invite(name, role, side, inviter);
    ASSERT_OK(Person(name).Join(text));
    Sync(inviter);
    ASSERT_OK(Person(inviter).Approve(case_, Id(inviter, name)));
    Sync(name);
  }

  void Sync(const std::string& name) {
    const Result<SyncReport> report = Person(name).Sync({.case_id = case_});
    ASSERT_TRUE(report.ok()) << name << ": " << report.status().message();
    for (const Problem& problem : report->problems) {
      ADD_FAILURE() << name << " syncs: " << problem.status.message();
    }
  }
  void SyncAll(const std::vector<std::string>& names, int rounds = 2) {
    for (int i = 0; i < rounds; ++i) {
      for (const std::string& name : names) Sync(name);
    }
  }

  ParticipantId Id(const std::string& viewer, const std::string& name) {
    return Must(Person(viewer).FindParticipant(case_, name), "finding a participant").id;
  }

  ChannelRef Ref(const std::string& viewer, const std::string& channel) {
    return Must(Person(viewer).FindChannel(case_, channel), "finding a channel").ref;
  }

  void Say(const std::string& name, const std::string& channel, const std::string& text) {
    const Result<SentMessage> sent = Person(name).Send(Ref(name, channel), text);
    ASSERT_TRUE(sent.ok()) << name << " says: " << sent.status().message();
    EXPECT_TRUE(sent->position.has_value()) << name << "'s message is queued";
  }

  std::vector<std::string> Texts(const std::string& name, const std::string& channel) {
    std::vector<std::string> texts;
    for (const Message& message :
         Must(Person(name).Read(Ref(name, channel)), "reading")) {
      texts.push_back(message.author.name + ": " + message.text);
    }
    return texts;
  }

  std::vector<std::string> ChannelNames(const std::string& name) {
    std::vector<std::string> names;
    for (const Channel& channel : Must(Person(name).Channels(case_), "channels")) {
      if (channel.status == ChannelStatus::kActive) names.push_back(channel.name);
    }
    return names;
  }

  std::vector<std::string> ReaderNames(const std::string& name, const std::string& channel) {
    std::vector<std::string> names;
    for (const parley::Person& reader :
         Must(Person(name).FindChannel(case_, channel), "channel").readers) {
      names.push_back(reader.name);
    }
    return names;
  }

  testing::TemporaryFolder folder_;
  testing::TestRelay relay_;
  std::string connection_;
  CaseId case_;
  std::map<std::string, Profile> profiles_;
};

TEST_F(MediationTest, APartyJoinsAndSpeaksInItsCaucusAndJointly) {
  Open();
  EXPECT_THAT(ChannelNames("Mira"), ElementsAre("joint", "neutrals"));
  const std::string text = Invite("Ana", Role::kParty, "Harbor");
  ASSERT_OK(Person("Ana").Join(text));
  EXPECT_EQ(Must(Person("Ana").GetCase(case_), "case").own_state, ParticipantState::kWaiting);
  Sync("Mira");
  const Participant ana = Must(Person("Mira").FindParticipant(case_, "ana"), "Ana");
  EXPECT_EQ(ana.state, ParticipantState::kWaiting);
  EXPECT_EQ(ana.side, "Harbor");
  EXPECT_EQ(ana.safety_number.size(), 47u);
  EXPECT_EQ(ana.safety_number,
            Must(Person("Ana").GetCase(case_), "case").inviter_safety_number);
  ASSERT_OK(Person("Mira").Approve(case_, ana.id));
  Sync("Ana");
  EXPECT_EQ(Must(Person("Ana").GetCase(case_), "case").own_state, ParticipantState::kApproved);
  EXPECT_THAT(ChannelNames("Ana"), ElementsAre("joint", "caucus:Harbor"));
  Say("Mira", "joint", "Welcome.");
  Say("Ana", "caucus:Harbor", "Our floor is 690 thousand.");
  Sync("Mira");
  Sync("Ana");
  EXPECT_THAT(Texts("Ana", "joint"), ElementsAre("Mira: Welcome."));
  EXPECT_THAT(Texts("Mira", "caucus:Harbor"), ElementsAre("Ana: Our floor is 690 thousand."));
}

}  // namespace
}  // namespace parley

// A case among people who each have a profile of their own, and a relay in the test's process.
#ifndef PARLEY_CLIENT_LIB_API_MEDIATION_FOR_TEST_H_
#define PARLEY_CLIENT_LIB_API_MEDIATION_FOR_TEST_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "client-lib/relay/connection_string.h"
#include "parley/profile.h"
#include "tests/in_process/test_relay.h"

namespace parley::testing {

inline const Status& StatusOf(const Status& status) { return status; }
template <typename T>
const Status& StatusOf(const Result<T>& result) {
  return result.status();
}

#define PARLEY_ASSERT_OK(expression)                        \
  do {                                                      \
    const auto& asserted = (expression);                    \
    ASSERT_TRUE(::parley::testing::StatusOf(asserted).ok()) \
        << ::parley::testing::StatusOf(asserted).message(); \
  } while (false)

// The value, or the end of the test program with the message: for what the test itself needs.
template <typename T>
T Must(Result<T> result, const std::string& what) {
  if (!result.ok()) {
    std::fprintf(stderr, "%s: %s\n", what.c_str(), result.status().message().c_str());
    std::abort();
  }
  return std::move(*result);
}

inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

inline void WriteFile(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

// A folder that goes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "parley-test-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

class Mediation : public ::testing::Test {
 protected:
  Mediation()
      : connection_(client::FormatConnectionString({relay_.address(), relay_.identity_key()},
                                                   relay_.sponsor_token().Reveal())) {}

  // The profile of that name, made when it is first asked for.
  Profile& Of(const std::string& name) {
    auto found = profiles_.find(name);
    if (found == profiles_.end()) {
      found = profiles_
                  .emplace(name, Must(Profile::Create(folder_ / name, name, std::nullopt),
                                      "creating a profile"))
                  .first;
    }
    return found->second;
  }

  // Another object on the same folder, as another process has it.
  Profile Another(const std::string& name) {
    return Must(Profile::Open(folder_ / name, std::nullopt), "opening a profile");
  }

  void OpenCase() {
    case_ = Must(Of("Mira").CreateCase("Harbor v Northline", connection_), "case");
  }

  std::string Invite(const std::string& name, Role role, const std::string& side = {},
                     const std::string& inviter = "Mira") {
    return Must(Of(inviter).Invite(case_, {.name = name, .role = role, .side = side}), "inviting")
        .text;
  }

  // Invited, joined, approved, and told so.
  void LetIn(const std::string& name, Role role, const std::string& side = {},
             const std::string& inviter = "Mira") {
    const std::string text = Invite(name, role, side, inviter);
    PARLEY_ASSERT_OK(Of(name).Join(text));
    Sync(inviter);
    PARLEY_ASSERT_OK(Of(inviter).Approve(case_, Id(inviter, name)));
    Sync(name);
  }

  // Mira, Tomas, and both sides.
  void LetEverybodyIn() {
    OpenCase();
    LetIn("Tomas", Role::kCoMediator);
    LetIn("Ana", Role::kParty, "Harbor");
    LetIn("Lee", Role::kCounsel, "Harbor");
    LetIn("Ben", Role::kParty, "Northline");
    SyncAll({"Mira", "Tomas", "Ana", "Lee", "Ben"});
  }

  // Syncs; no channel, inbox or job may have a problem.
  void Sync(const std::string& name) {
    const Result<SyncReport> report = Of(name).Sync({.case_id = case_});
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

  Participant Find(const std::string& viewer, const std::string& name) {
    return Must(Of(viewer).FindParticipant(case_, name), "finding a participant");
  }
  ParticipantId Id(const std::string& viewer, const std::string& name) {
    return Find(viewer, name).id;
  }
  Channel Find(const std::string& viewer, const std::string& channel, int /*a channel*/) {
    return Must(Of(viewer).FindChannel(case_, channel), "finding a channel");
  }
  ChannelRef Ref(const std::string& viewer, const std::string& channel) {
    return Find(viewer, channel, 0).ref;
  }

  void Say(const std::string& name, const std::string& channel, const std::string& text) {
    const Result<SentMessage> sent = Of(name).Send(Ref(name, channel), text);
    ASSERT_TRUE(sent.ok()) << name << " says: " << sent.status().message();
    EXPECT_TRUE(sent->position.has_value()) << name << "'s message is queued";
  }

  // "Ana: text" of each message.
  std::vector<std::string> Texts(const std::string& name, const std::string& channel) {
    return Texts(Of(name), Ref(name, channel));
  }
  static std::vector<std::string> Texts(const Profile& profile, const ChannelRef& channel) {
    std::vector<std::string> texts;
    for (const Message& message : Must(profile.Read(channel), "reading")) {
      texts.push_back(message.author.name + ": " +
                      (message.document.has_value() ? message.document->name : message.text));
    }
    return texts;
  }

  // Names of the channels that can be written to.
  std::vector<std::string> ChannelNames(const std::string& name) {
    std::vector<std::string> names;
    for (const Channel& channel : Must(Of(name).Channels(case_), "channels")) {
      if (channel.status == ChannelStatus::kActive) names.push_back(channel.name);
    }
    return names;
  }

  std::vector<std::string> Readers(const std::string& name, const std::string& channel) {
    std::vector<std::string> names;
    for (const Person& reader : Find(name, channel, 0).readers) names.push_back(reader.name);
    return names;
  }

  std::vector<AlarmKind> AlarmKinds(const std::string& name) {
    std::vector<AlarmKind> kinds;
    for (const Alarm& alarm : Must(Of(name).Alarms(case_), "alarms")) kinds.push_back(alarm.kind);
    return kinds;
  }
  // A line each.
  std::string AlarmTexts(const std::string& name) {
    std::string texts;
    for (const Alarm& alarm : Must(Of(name).Alarms(case_), "alarms")) texts += alarm.text + "\n";
    return texts;
  }

  TemporaryFolder folder_;
  TestRelay relay_;
  std::string connection_;
  CaseId case_;
  std::map<std::string, Profile> profiles_;
};

}  // namespace parley::testing

#endif  // PARLEY_CLIENT_LIB_API_MEDIATION_FOR_TEST_H_

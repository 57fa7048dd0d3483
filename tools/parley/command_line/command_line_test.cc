#include "tools/parley/command_line/command_line.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace parley::cli {
namespace {

ParsedLine Parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"--profile", "p"});
  return ParseCommandLine(arguments);
}

template <typename Arguments>
Arguments Parsed(const std::vector<std::string>& arguments) {
  const ParsedLine line = Parse(arguments);
  const auto* invocation = std::get_if<Invocation>(&line);
  if (invocation == nullptr) {
    ADD_FAILURE() << std::get<Finished>(line).error;
    return {};
  }
  const auto* command = std::get_if<Arguments>(&invocation->command);
  if (command == nullptr) {
    ADD_FAILURE() << "another command";
    return {};
  }
  return *command;
}

Finished Failed(const std::vector<std::string>& arguments) {
  const ParsedLine line = Parse(arguments);
  const auto* finished = std::get_if<Finished>(&line);
  if (finished == nullptr) {
    ADD_FAILURE() << "was accepted";
    return {};
  }
  return *finished;
}

TEST(CommandLineTest, ReadsEveryForm) {
  EXPECT_EQ(Parsed<InitArguments>({"init", "--name", "Mira Voss"}).name, "Mira Voss");
  const auto create = Parsed<CaseCreateArguments>(
      {"case", "create", "Harbor v Northline", "--relay", "parley-relay1:abc"});
  EXPECT_EQ(create.title, "Harbor v Northline");
  EXPECT_EQ(create.relay, "parley-relay1:abc");
  const auto relay = Parsed<CaseRelayArguments>({"case", "relay", "H", "parley-relay1:abc"});
  EXPECT_EQ(relay.case_text, "H");
  EXPECT_EQ(relay.relay, "parley-relay1:abc");
  const auto invite = Parsed<CaseInviteArguments>(
      {"case", "invite", "H", "--name", "Ana", "--role", "party", "--side", "Harbor"});
  EXPECT_EQ(invite.case_text, "H");
  EXPECT_EQ(invite.name, "Ana");
  EXPECT_EQ(invite.role, Role::kParty);
  EXPECT_EQ(invite.side, "Harbor");
  EXPECT_EQ(invite.valid_for_seconds, 14 * 24 * 60 * 60);
  EXPECT_EQ(Parsed<JoinArguments>({"join", "parley-invite1:x"}).invitation, "parley-invite1:x");
  EXPECT_EQ(Parsed<CaseParticipantsArguments>({"case", "participants", "H"}).case_text, "H");
  EXPECT_EQ(Parsed<CaseApproveArguments>({"case", "approve", "H", "Ana"}).participant, "Ana");
  EXPECT_EQ(Parsed<CaseCompareArguments>({"case", "compare", "H", "Ana"}).number, "");
  EXPECT_EQ(Parsed<CaseCompareArguments>({"case", "compare", "H", "Ana", "1 2"}).number, "1 2");
  EXPECT_EQ(Parsed<CaseRemoveArguments>({"case", "remove", "H", "Ana"}).participant, "Ana");
  EXPECT_EQ(Parsed<CaseLeaveArguments>({"case", "leave", "H"}).case_text, "H");
  EXPECT_EQ(Parsed<CaseReopenArguments>({"case", "reopen", "H", "joint"}).channel, "joint");
  EXPECT_EQ(Parsed<CaseAdmitArguments>({"case", "admit", "H", "joint", "Eve"}).participant, "Eve");
  EXPECT_EQ(Parsed<CaseAdmitArguments>({"channel", "admit", "H", "team", "Eve"}).channel, "team");
  const auto opened = Parsed<ChannelCreateArguments>(
      {"channel", "create", "H", "team", "--with", "Ana", "--with", "Kim", "--steward", "Kim"});
  EXPECT_EQ(opened.what, "team");
  EXPECT_EQ(opened.with, (std::vector<std::string>{"Ana", "Kim"}));
  EXPECT_EQ(opened.stewards, std::vector<std::string>{"Kim"});
  EXPECT_TRUE(
      Parsed<ChannelDismissArguments>({"channel", "dismiss", "H", "counsel", "Eve", "-y"}).yes);
  EXPECT_EQ(Parsed<ChannelStewardArguments>({"channel", "steward", "H", "team", "Eve"}).participant,
            "Eve");
  Parsed<CaseListArguments>({"case", "list"});
  Parsed<WhoAmIArguments>({"whoami"});
  EXPECT_EQ(Parsed<WarningsArguments>({"warnings"}).case_text, "");
  EXPECT_EQ(Parsed<ChannelsArguments>({"channels", "H"}).case_text, "H");
  const auto send = Parsed<SendArguments>({"send", "H", "caucus:Harbor", "Good morning."});
  EXPECT_EQ(send.channel, "caucus:Harbor");
  EXPECT_EQ(send.text, "Good morning.");
  EXPECT_EQ(Parsed<ReadArguments>({"read", "H", "joint", "--after", "7"}).after, 7u);
  EXPECT_EQ(Parsed<ReadArguments>({"read", "H", "joint"}).last, 0u);
  EXPECT_EQ(Parsed<ReadArguments>({"read", "H", "joint", "--last", "20"}).last, 20u);
  EXPECT_EQ(Parsed<DocumentsArguments>({"documents", "H", "joint", "--last", "3"}).last, 3u);
  EXPECT_EQ(Parsed<ShareArguments>({"share", "H", "joint", "a b.pdf"}).files,
            std::vector<std::string>{"a b.pdf"});
  EXPECT_EQ(Parsed<DocumentsArguments>({"documents", "H", "joint"}).channel, "joint");
  const auto fetch = Parsed<FetchArguments>({"fetch", "H", "joint", "3fa9", "-o", "out.pdf"});
  EXPECT_EQ(fetch.document, "3fa9");
  EXPECT_EQ(fetch.output, "out.pdf");
  EXPECT_FALSE(fetch.force);
  EXPECT_EQ(Parsed<SyncArguments>({"sync", "--wait", "2.5"}).wait_seconds, 2.5);
  EXPECT_EQ(Parsed<WatchArguments>({"watch", "H"}).case_text, "H");
}

TEST(CommandLineTest, GeneralOptionsMayStandBehindTheCommand) {
  const ParsedLine line = ParseCommandLine(
      {"read", "H", "joint", "--json", "--profile", "q", "--passphrase-file", "f", "--offline"});
  ASSERT_TRUE(std::holds_alternative<Invocation>(line));
  const Settings& settings = std::get<Invocation>(line).settings;
  EXPECT_EQ(settings.profile, "q");
  EXPECT_EQ(settings.passphrase_file, "f");
  EXPECT_TRUE(settings.json);
  EXPECT_TRUE(settings.offline);
}

TEST(CommandLineTest, WordsOfCommandsAreTextWhereTextStands) {
  EXPECT_EQ(Parsed<SendArguments>({"send", "H", "joint", "read"}).text, "read");
  EXPECT_EQ(Parsed<SendArguments>({"send", "case", "joint", "case"}).case_text, "case");
  EXPECT_EQ(Parsed<SendArguments>({"send", "H", "joint", "-"}).text, "-");
  EXPECT_EQ(Parsed<SendArguments>({"send", "H", "joint", "- first"}).text, "- first");
  EXPECT_EQ(Parsed<SendArguments>({"send", "H", "joint", "--", "--json"}).text, "--json");
  EXPECT_EQ(Parsed<SendArguments>({"send", "H", "joint", "{a: [b, 'c'],\n\"d\"}"}).text,
            "{a: [b, 'c'],\n\"d\"}");
  EXPECT_EQ(Parsed<InitArguments>({"init", "--name", "調停 人"}).name, "調停 人");
}

TEST(CommandLineTest, ReadsRolesAndTimes) {
  const std::vector<std::string> base = {"case", "invite", "H", "--name", "X", "--role"};
  auto with = [&](std::vector<std::string> more) {
    std::vector<std::string> all = base;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  EXPECT_EQ(Parsed<CaseInviteArguments>(with({"support-person"})).role, Role::kSupportPerson);
  EXPECT_EQ(Parsed<CaseInviteArguments>(with({"support person"})).role, Role::kSupportPerson);
  EXPECT_EQ(Parsed<CaseInviteArguments>(with({"co-mediator"})).role, Role::kCoMediator);
  EXPECT_EQ(Parsed<CaseInviteArguments>(with({"party", "--valid-for", "90s"})).valid_for_seconds,
            90);
  EXPECT_EQ(Failed(with({"judge"})).status, 2);
  EXPECT_EQ(Failed(with({"party", "--valid-for", "soon"})).status, 2);
}

TEST(CommandLineTest, WrongUsageIsOneLineAndStatusTwo) {
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"mediate"},
      {"case"},
      {"case", "burn"},
      {"send", "H", "joint"},
      {"send", "H", "joint", "a", "b"},
      {"send", "H", "joint", "-x"},
      {"init"},
      {"read", "H", "joint", "--after", "x"},
      {"read", "H", "joint", "--after", "-1"},
      {"read", "H", "joint", "--last", "0"},
      {"read", "H", "joint", "--last", "00"},
      {"read", "H", "joint", "--last", "-3"},
      {"documents", "H", "joint", "--last", "x"},
      {"sync", "--wait", "-1"},
      {"sync", "--wait", "86401"},
      {"sync", "--wait", "soon"},
      {"sync", "--wait", "nan"},
      {"fetch", "H", "joint", "d", "-o", "-"},
      {"fetch", "H", "joint", "d"},
      {"case", "create", "T"},
      {"whoami", "--loud"},
  };
  for (const auto& arguments : wrong) {
    const Finished finished = Failed(arguments);
    EXPECT_EQ(finished.status, 2) << finished.error;
    EXPECT_FALSE(finished.error.empty());
    EXPECT_EQ(finished.error.find('\n'), std::string::npos) << finished.error;
    EXPECT_NE(finished.error.find("--help"), std::string::npos) << finished.error;
    EXPECT_TRUE(finished.output.empty());
  }
}

TEST(CommandLineTest, WantsAProfile) {
  unsetenv("PARLEY_PROFILE");
  ParsedLine line = ParseCommandLine({"whoami"});
  ASSERT_TRUE(std::holds_alternative<Finished>(line));
  EXPECT_EQ(std::get<Finished>(line).status, 2);
  setenv("PARLEY_PROFILE", "from-environment", 1);
  line = ParseCommandLine({"whoami"});
  ASSERT_TRUE(std::holds_alternative<Invocation>(line));
  EXPECT_EQ(std::get<Invocation>(line).settings.profile, "from-environment");
  line = ParseCommandLine({"--profile", "given", "whoami"});
  ASSERT_TRUE(std::holds_alternative<Invocation>(line));
  EXPECT_EQ(std::get<Invocation>(line).settings.profile, "given");
  unsetenv("PARLEY_PROFILE");
}

TEST(CommandLineTest, EveryCommandHasHelp) {
  const std::vector<std::vector<std::string>> commands = {
      {},
      {"init"},
      {"whoami"},
      {"warnings"},
      {"join"},
      {"case"},
      {"case", "create"},
      {"case", "list"},
      {"case", "leave"},
      {"case", "invite"},
      {"case", "participants"},
      {"case", "approve"},
      {"case", "compare"},
      {"case", "remove"},
      {"case", "admit"},
      {"case", "reopen"},
      {"channels"},
      {"send"},
      {"read"},
      {"share"},
      {"documents"},
      {"fetch"},
      {"sync"},
      {"watch"},
      {"case", "status"},
      {"case", "request"},
      {"case", "accept"},
      {"case", "decline"},
      {"case", "disclose-conflict"},
      {"case", "waive"},
      {"case", "object"},
      {"case", "act"},
      {"case", "agreement"},
      {"case", "agreement", "propose"},
      {"case", "agreement", "show"},
      {"case", "agreement", "sign"},
      {"meeting"},
      {"meeting", "propose"},
      {"meeting", "change"},
      {"meeting", "cancel"},
      {"meeting", "maybe"},
      {"meeting", "export"},
      {"meetings"},
      {"reminder"},
      {"reminder", "set"},
      {"reminder", "done"},
      {"reminder", "cancel"},
      {"reminders"},
      {"todo"},
      {"receipts"},
      {"send-receipts"},
      {"template"},
      {"template", "list"},
      {"template", "show"},
  };
  for (std::vector<std::string> command : commands) {
    const std::string name = command.empty() ? "parley" : command.back();
    command.push_back("--help");
    const ParsedLine line = ParseCommandLine(command);
    ASSERT_TRUE(std::holds_alternative<Finished>(line)) << name;
    const auto& finished = std::get<Finished>(line);
    EXPECT_EQ(finished.status, 0) << name;
    EXPECT_NE(finished.output.find(name), std::string::npos) << finished.output;
    EXPECT_GT(finished.output.size(), 80u) << name;
    EXPECT_TRUE(finished.error.empty());
    for (const char* raw : {"FLOAT", "TEXT:", "REQUIRED", " in [", "Env:"}) {
      EXPECT_EQ(finished.output.find(raw), std::string::npos) << finished.output;
    }
    std::istringstream lines(finished.output);
    std::string last;
    for (std::string row; std::getline(lines, row); last = row) {
      EXPECT_LE(row.size(), 90u) << row;
    }
    if (name != "parley") {
      EXPECT_EQ(last, "Also: --profile, --passphrase-file, --json, --offline (parley --help)");
    }
  }
}

TEST(CommandLineTest, ReadsTheProceduresForms) {
  EXPECT_TRUE(Parsed<CaseCreateArguments>({"case", "create", "T", "--relay", "x", "--procedure"})
                  .procedure);
  EXPECT_FALSE(Parsed<CaseCreateArguments>({"case", "create", "T", "--relay", "x"}).procedure);
  const auto request = Parsed<CaseActArguments>({"case", "request", "H", "The conveyor."});
  EXPECT_EQ(request.act, CaseAct::kRequest);
  EXPECT_EQ(request.case_text, "H");
  EXPECT_EQ(request.words, "The conveyor.");
  const auto waive = Parsed<CaseActArguments>({"case", "waive", "H", "--disclosure", "ab"});
  EXPECT_EQ(waive.act, CaseAct::kWaive);
  EXPECT_EQ(waive.disclosure, "ab");
  EXPECT_EQ(Parsed<CaseActArguments>({"case", "act", "H", "begin-session"}).act,
            CaseAct::kBeginSession);
  EXPECT_NE(Failed({"case", "act", "H", "begin"}).error.find("is no act"), std::string::npos);
  EXPECT_EQ(Parsed<AgreementSignArguments>({"case", "agreement", "sign", "H", "ab", "-y"}).hash,
            "ab");
  EXPECT_TRUE(Parsed<TemplateShowArguments>({"template", "show", "x", "--policy"}).policy);
  // Templates are there before there is a profile.
  unsetenv("PARLEY_PROFILE");
  EXPECT_TRUE(std::holds_alternative<Invocation>(ParseCommandLine({"template", "list"})));
}

TEST(CommandLineTest, ReadsMeetingsAndReminders) {
  const auto made = Parsed<MeetingProposeArguments>({"meeting", "propose", "H", "joint", "First",
                                                     "--start", "2036-10-26 02:30", "--zone",
                                                     "Europe/Zurich", "--occurrence", "second"});
  EXPECT_EQ(made.request.title, "First");
  EXPECT_EQ(made.request.minutes, 60u);
  EXPECT_EQ(made.request.occurrence, Occurrence::kSecond);
  const auto changed =
      Parsed<MeetingChangeArguments>({"meeting", "change", "H", "First", "--minutes", "30"});
  EXPECT_EQ(changed.change.minutes, 30u);
  EXPECT_FALSE(changed.change.title.has_value());
  EXPECT_EQ(Parsed<MeetingAnswerArguments>({"meeting", "no", "H", "First"}).reply,
            CalendarReply::kNo);
  EXPECT_FALSE(Parsed<MeetingExportArguments>({"meeting", "export", "H", "First", "-o", "f.ics"})
                   .with_details);
  EXPECT_NE(Failed({"meeting", "propose", "H", "joint", "First"}).error.find("--start"),
            std::string::npos);
  EXPECT_EQ(Parsed<ReminderSetArguments>({"reminder", "set", "H", "joint", "Pay", "--due", "x",
                                          "--zone", "UTC", "--side", "Harbor"})
                .request.side,
            "Harbor");
  Failed({"send-receipts", "maybe"});
}

TEST(CommandLineTest, ADocumentGoesToAFile) {
  EXPECT_NE(Failed({"fetch", "H", "joint", "d", "-o", "-"}).error.find("./-"), std::string::npos);
  EXPECT_EQ(Parsed<FetchArguments>({"fetch", "H", "joint", "d", "-o", "./-"}).output, "./-");
}

TEST(CommandLineTest, SaysItsVersion) {
  const ParsedLine line = ParseCommandLine({"--version"});
  ASSERT_TRUE(std::holds_alternative<Finished>(line));
  EXPECT_EQ(std::get<Finished>(line).status, 0);
  EXPECT_EQ(std::get<Finished>(line).output.rfind("parley ", 0), 0u);
}

}  // namespace
}  // namespace parley::cli

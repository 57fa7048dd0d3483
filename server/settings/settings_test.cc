#include "server/settings/settings.h"

#include <gmock/gmock.h>

namespace parley::server {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<GivenSetting> Parsed(std::string_view text) {
  auto parsed = ParseSettingsFile(text, "/etc/relay.toml");
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return parsed.ok() ? *std::move(parsed) : std::vector<GivenSetting>();
}

std::string RefusalOf(std::string_view text) {
  absl::Status status = ParseSettingsFile(text, "/etc/relay.toml").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(status.message());
}

std::vector<std::string> ProblemsOf(std::string_view text) {
  return GatherSettings(Parsed(text), {}).problems;
}

TEST(SettingsFileTest, ReadsEveryFormOfValue) {
  const auto settings = Parsed(
      "# a comment = \"x\"\n"
      "\r\n"
      "  data = '/a#b\\c' # the folder\r\n"
      "listen=\"say \\\"\\\\\"\n"
      "max-connections = 12#twelve\n"
      "yes = true");
  ASSERT_EQ(settings.size(), 4U);
  EXPECT_EQ(settings[0].name, "data");
  EXPECT_EQ(settings[0].value, "/a#b\\c");
  EXPECT_EQ(settings[0].where, "/etc/relay.toml, line 3");
  EXPECT_EQ(settings[1].value, "say \"\\");
  EXPECT_EQ(settings[2].value, "12");
  EXPECT_EQ(settings[3].value, "true");
  EXPECT_EQ(settings[3].where, "/etc/relay.toml, line 6");
  EXPECT_THAT(Parsed(""), IsEmpty());
}

TEST(SettingsFileTest, SaysOfEachLineWhatIsWrong) {
  EXPECT_EQ(RefusalOf("\nlisten = 0.0.0.0:7743 # here"),
            "/etc/relay.toml, line 2: a text needs quotation marks: listen = \"0.0.0.0:7743\"");
  EXPECT_THAT(RefusalOf("[relay]"), HasSubstr("no sections"));
  EXPECT_THAT(RefusalOf("listen \"0.0.0.0:7743\""), HasSubstr("not NAME = VALUE"));
  EXPECT_THAT(RefusalOf("a b = 1"), HasSubstr("not NAME = VALUE"));
  EXPECT_THAT(RefusalOf("= 1"), HasSubstr("not NAME = VALUE"));
  EXPECT_THAT(RefusalOf("data ="), HasSubstr("no value"));
  EXPECT_THAT(RefusalOf("data = # none"), HasSubstr("no value"));
  EXPECT_THAT(RefusalOf("data = \"open"), HasSubstr("second quotation mark"));
  EXPECT_THAT(RefusalOf("data = 'open\""), HasSubstr("second quotation mark"));
  EXPECT_THAT(RefusalOf("data = \"a\\n\""), HasSubstr("backslash"));
  EXPECT_THAT(RefusalOf("data = \"a\\"), HasSubstr("backslash"));
  EXPECT_THAT(RefusalOf("data = \"a\" \"b\""), HasSubstr("only a comment"));
  // All of them at once.
  EXPECT_THAT(RefusalOf("data = x\nkey = \"k\"\n[a]"),
              AllOf(HasSubstr("line 1:"), HasSubstr("\n/etc/relay.toml, line 3:")));
}

TEST(SettingsTest, FlagsCountBeforeTheFile) {
  const GatheredSettings gathered =
      GatherSettings(Parsed("listen = \"127.0.0.1:1\"\nmax-connections = 5\nmax-unread = '1GiB'"),
                     {{"listen", "127.0.0.1:2", "--listen", ""}});
  EXPECT_THAT(gathered.problems, IsEmpty());
  EXPECT_EQ(gathered.settings.listen, "127.0.0.1:2");
  EXPECT_EQ(gathered.settings.limits.max_connections, 5U);
  EXPECT_EQ(gathered.settings.limits.max_connections_per_address, 5U);  // never more than all
  EXPECT_EQ(gathered.settings.limits.max_unread_bytes, size_t{1} << 30);
  EXPECT_EQ(gathered.settings.limits.token_seconds, Limits().token_seconds);
  EXPECT_EQ(gathered.sources.at("listen"), "--listen");
  EXPECT_EQ(gathered.sources.at("max-connections"), "/etc/relay.toml, line 2");
}

// Else a relay that is set to few connections had no bound of those without a key, silently.
TEST(SettingsTest, ConnectionsWithoutAKeyAreHalfAtMostUnlessSet) {
  const auto bound = [](const std::string& text) {
    const GatheredSettings gathered = GatherSettings(Parsed(text), {});
    EXPECT_THAT(gathered.problems, IsEmpty()) << text;
    return size_t{gathered.settings.limits.max_unproven_connections};
  };
  EXPECT_EQ(bound(""), 1024U);
  EXPECT_EQ(bound("max-connections = 1000"), 500U);
  EXPECT_EQ(bound("max-connections = 1"), 1U);
  EXPECT_EQ(bound("max-connections = 100000"), 1024U);
  EXPECT_EQ(bound("max-connections = 1000\nmax-unproven-connections = 999"), 999U);
  EXPECT_EQ(bound("max-unproven-connections = 7"), 7U);
  EXPECT_THAT(DescribeSettings(GatherSettings(Parsed("max-connections = 1000"), {})),
              HasSubstr("max-unproven-connections = 500" + std::string(16, ' ') + "# default\n"));
  // A bound that bounds nothing is a slip.
  EXPECT_THAT(ProblemsOf("max-connections = 1000\nmax-unproven-connections = 1000"),
              ElementsAre("/etc/relay.toml, line 2: max-unproven-connections: 1000 of all 1000 "
                          "connections (max-connections) would leave members none: set less"));
  EXPECT_THAT(ProblemsOf("max-unproven-connections = 5000"),
              ElementsAre(HasSubstr("line 1: max-unproven-connections: 5000 of all 2048")));
}

TEST(SettingsTest, PathsAreMeantFromTheFilesFolder) {
  const GatheredSettings gathered =
      GatherSettings(Parsed("data = 'store'\ncert = '/c.pem'\nkey = 'k.pem'"), {});
  EXPECT_EQ(gathered.settings.data, "/etc/store");
  EXPECT_EQ(gathered.settings.cert, "/c.pem");
  EXPECT_EQ(gathered.settings.key, "/etc/k.pem");
  EXPECT_EQ(GatherSettings({}, {{"data", "store", "--data", ""}}).settings.data, "store");
}

TEST(SettingsTest, NamesWhatIsWrongAndWhere) {
  EXPECT_THAT(ProblemsOf("\nlistne = 'x'"),
              ElementsAre("/etc/relay.toml, line 2: there is no setting \"listne\""));
  EXPECT_THAT(ProblemsOf("Max_Connections = 3"),
              ElementsAre(HasSubstr("write \"max-connections\"")));
  EXPECT_THAT(ProblemsOf("listen = 'here'"),
              ElementsAre(HasSubstr("line 1: listen: \"here\" is not")));
  EXPECT_THAT(ProblemsOf("max-connections = 0"), ElementsAre(HasSubstr("from 1 to 1000000")));
  EXPECT_THAT(ProblemsOf("max-voucher-days = 367"), ElementsAre(HasSubstr("from 1 to 366")));
  EXPECT_THAT(ProblemsOf("max-unread = '1kB'"), ElementsAre(HasSubstr("16.0 MiB at least")));
  EXPECT_THAT(ProblemsOf("max-unread = 'lots'"), ElementsAre(HasSubstr("not a size")));
  EXPECT_THAT(ProblemsOf("data = ''"), ElementsAre(HasSubstr("data: the path is empty")));
  EXPECT_THAT(ProblemsOf("data = 'a'\ndata = 'b'"),
              ElementsAre(AllOf(HasSubstr("line 2: data is given already"), HasSubstr("line 1"))));
  EXPECT_THAT(ProblemsOf("\ncert = 'a'"),
              ElementsAre("/etc/relay.toml, line 2: cert goes with key: give both"));
  EXPECT_THAT(ProblemsOf("x = 1\ny = 2"), testing::SizeIs(2));
  EXPECT_THAT(ProblemsOf("log-format = 'xml'"), ElementsAre(HasSubstr("neither text nor json")));
  EXPECT_THAT(ProblemsOf("reflection = 'yes'"), ElementsAre(HasSubstr("neither true nor false")));
}

TEST(SettingsTest, MetricsStayOnTheMachineUnlessToldOtherwise) {
  for (const char* local : {"127.0.0.1:9", "127.1.2.3:0", "[::1]:9"}) {
    EXPECT_THAT(ProblemsOf("metrics = '" + std::string(local) + "'"), IsEmpty());
  }
  for (const char* open : {"0.0.0.0:9", "[::]:9", "192.0.2.1:9", "localhost:9", "[::2]:9"}) {
    const std::string line = "metrics = '" + std::string(open) + "'";
    EXPECT_THAT(ProblemsOf(line), ElementsAre(HasSubstr("metrics-anywhere"))) << open;
    EXPECT_THAT(ProblemsOf(line + "\nmetrics-anywhere = true"), IsEmpty()) << open;
    EXPECT_THAT(ProblemsOf(line + "\nmetrics-anywhere = false"), testing::SizeIs(1)) << open;
  }
  EXPECT_THAT(ProblemsOf("metrics-anywhere = 1"), ElementsAre(HasSubstr("neither true nor false")));
}

// What --check-config prints is a file that says the same, whatever is set.
TEST(SettingsTest, DescribesItselfAsAFile) {
  std::string text = "data = \"/va\\\"r\\\\x\"\nlisten = \"[::1]:0\"\ncert = 'c'\nkey = 'k'\n";
  for (const Setting& setting : AllSettings()) {
    if (setting.kind == Setting::Kind::kYesNo) text += std::string(setting.name) + " = true\n";
    if (setting.name == "metrics") text += "metrics = \"127.0.0.1:9\"\n";
    if (setting.name == "log-format") text += "log-format = 'json'\n";
    if (setting.group != "Limits" && setting.name != "drain-seconds" &&
        setting.name != "purge-hours")
      continue;
    const std::string number = setting.name == "max-unproven-connections" ? "33" : "77";
    text += std::string(setting.name) +
            (setting.kind == Setting::Kind::kSize ? " = '77MiB'\n" : " = " + number + "\n");
  }
  const GatheredSettings first = GatherSettings(Parsed(text), {});
  ASSERT_THAT(first.problems, IsEmpty());
  const GatheredSettings second = GatherSettings(Parsed(DescribeSettings(first)), {});
  EXPECT_THAT(second.problems, IsEmpty());
  const Settings defaults;
  for (const Setting& setting : AllSettings()) {
    EXPECT_EQ(setting.get(first.settings), setting.get(second.settings)) << setting.name;
    EXPECT_NE(setting.get(first.settings), setting.get(defaults)) << setting.name;
    EXPECT_TRUE(second.sources.contains(setting.name)) << setting.name;
  }
  EXPECT_THAT(DescribeSettings(first), HasSubstr("# /etc/relay.toml, line 2\n"));
  EXPECT_THAT(DescribeSettings(GatherSettings({}, {})),
              AllOf(HasSubstr("\n# cert = \"\" "), HasSubstr("max-unread = \"512MiB\"")));
}

TEST(SettingsTest, ChangesWhatCanBeChangedAndNamesTheRest) {
  const Settings started =
      GatherSettings(Parsed("data = '/d'\nlisten = '127.0.0.1:1'"), {}).settings;
  const Limits running = started.limits;
  const Limits copy = running;  // as each part of a relay has one
  const Settings next =
      GatherSettings(
          Parsed(
              "data = '/e'\nlisten = '127.0.0.1:1'\ncert = '/c'\nkey = '/k'\nmax-connections = 7\n"
              "max-unread = '1GiB'\nmax-streams-per-connection = 3\nmax-voucher-days = 2\n"
              "barred-seconds = 0\naddress-connections-per-second = 5"),
          {})
          .settings;
  EXPECT_THAT(ChangeSettings(next, started, running),
              ElementsAre("data", "max-streams-per-connection"));
  EXPECT_EQ(copy.max_connections, 7U);
  EXPECT_EQ(copy.max_connections_per_address, 7U);
  EXPECT_EQ(copy.max_unread_bytes, size_t{1} << 30);
  EXPECT_EQ(copy.max_voucher_seconds, 2 * 24 * 60 * 60U);
  EXPECT_EQ(copy.barred_seconds, 0U);
  EXPECT_EQ(copy.address_connections_per_second, 5U);
  EXPECT_EQ(copy.max_streams_per_connection, Limits().max_streams_per_connection);
  // What isn't in the file any more is the default again.
  const Settings before =
      GatherSettings(Parsed("data = '/d'\nlisten = '127.0.0.1:1'"), {}).settings;
  EXPECT_THAT(ChangeSettings(before, started, running), IsEmpty());
  EXPECT_EQ(copy.max_connections, Limits().max_connections);
  EXPECT_EQ(copy.max_unread_bytes, Limits().max_unread_bytes);
}

TEST(LiveTest, AssigningParts) {
  Live<int> first = 1;
  const Live<int> second = first;
  first.Change(2);
  EXPECT_EQ(second, 2);
  first = 3;
  EXPECT_EQ(second, 2);
  EXPECT_EQ(first, 3);
}

TEST(SettingsTest, DefaultsInTheHelpAreTrue) {
  const Settings defaults;
  for (const Setting& setting : AllSettings()) {
    const std::string value = setting.get(defaults);
    if (value.empty()) continue;
    EXPECT_THAT(std::string(setting.about), HasSubstr("(default: " + value + ")")) << setting.name;
    Settings scratch;
    EXPECT_TRUE(setting.set(value, scratch).ok()) << setting.name;
  }
}

}  // namespace
}  // namespace parley::server

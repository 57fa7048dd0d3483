#include "tools/help/help_text.h"

#include <gtest/gtest.h>

#include <sstream>

namespace parley::help {
namespace {

TEST(HelpTextTest, WrapsWords) {
  EXPECT_EQ(Wrapped("one two three", 7), "one two\nthree");
  EXPECT_EQ(Wrapped("one\n\ntwo three", 20), "one\n\ntwo three");
  EXPECT_EQ(Wrapped("unbreakable x", 4), "unbreakable\nx");
  EXPECT_EQ(Wrapped("", 4), "");
}

class HelpTest : public testing::Test {
 protected:
  HelpTest() : app_("About it.", "program") {
    UseOurHelp(app_);
    app_.require_subcommand(1);
    CLI::App* make =
        app_.add_subcommand("make", std::string(120, 'w').replace(40, 1, " ").replace(80, 1, " "));
    make->add_option("NAME", name_, "A name")->required();
    make->add_option("-n,--number", number_, "A number")
        ->required()
        ->check([](const std::string&) { return std::string(); })
        ->type_name("FROM:TO");
    make->add_option("--percent", number_, "A share")->type_name("N")->check(CLI::Range(1, 100));
    make->add_option("--pause", number_, "How long")->type_name("N");
    make->add_option("--light", one_, "On or off")
        ->type_name("WHICH")
        ->check(CLI::IsMember({"on", "dim", "off"}));
    CLI::Option* one = make->add_option("--one", one_, "With the other")->type_name("FILE");
    CLI::Option* other = make->add_option("--other", other_, "With the one")->type_name("FILE");
    one->needs(other);
  }

  std::string ComplaintFor(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end());
    try {
      app_.parse(arguments);
    } catch (const CLI::ParseError& error) {
      return Complaint(app_, error);
    }
    return "";
  }

  CLI::App app_;
  std::string name_;
  int number_ = 0;
  std::string one_;
  std::string other_;
};

TEST_F(HelpTest, HasNoTypesAndNoLongLines) {
  const std::string help = app_.get_subcommand("make")->help() + app_.help();
  for (const char* raw : {"TEXT", "INT", "REQUIRED", "Needs", " in [", "{"}) {
    EXPECT_EQ(help.find(raw), std::string::npos) << help;
  }
  EXPECT_NE(help.find("-n, --number FROM:TO (needed)"), std::string::npos) << help;
  EXPECT_NE(help.find("--percent N  "), std::string::npos) << help;
  EXPECT_NE(help.find("--light WHICH  "), std::string::npos) << help;
  EXPECT_NE(help.find("COMMAND"), std::string::npos) << help;
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), kColumns) << line;
}

TEST_F(HelpTest, ComplainsInWords) {
  EXPECT_EQ(ComplaintFor({}), "a command is needed; see program --help");
  EXPECT_EQ(ComplaintFor({"brew"}), "there is no command \"brew\"; see program --help");
  EXPECT_EQ(ComplaintFor({"make", "-n", "1"}), "NAME is needed; see program make --help");
  EXPECT_EQ(ComplaintFor({"make", "x", "-n", "1", "--one", "f"}),
            "--one goes with --other: give both; see program make --help");
  EXPECT_EQ(ComplaintFor({"make", "x", "y", "-n", "1"}),
            "\"y\" is one word too many: put a title or a text of several words into quotation "
            "marks; see program make --help");
  EXPECT_EQ(ComplaintFor({"make", "x", "--nomber", "1"}),
            "there is no option \"--nomber\" here (before a text that begins with \"-\", put --); "
            "see program make --help");
  EXPECT_EQ(ComplaintFor({"make", "x", "-n", "1", "-n", "2"}),
            "--number is given more than once; see program make --help");
  EXPECT_EQ(ComplaintFor({"make", "x", "-n", "1", "--percent", "0"}),
            "--percent takes a whole number from 1 to 100, not \"0\"; see program make --help");
  EXPECT_EQ(ComplaintFor({"make", "x", "-n", "1", "--percent", "half: a Value not in range"}),
            "--percent takes a whole number from 1 to 100, not \"half: a Value not in range\"; see "
            "program make --help");
  EXPECT_EQ(ComplaintFor({"make", "x", "-n", "1", "--pause", "an-hour"}),
            "--pause takes a whole number, not \"an-hour\"; see program make --help");
  EXPECT_EQ(ComplaintFor({"make", "x", "-n", "1", "--light", "maybe"}),
            "--light takes on, dim or off, not \"maybe\"; see program make --help");
  EXPECT_EQ(ComplaintFor({"make", "x", "-n", "3"}), "");
}

}  // namespace
}  // namespace parley::help

#include "tools/help/help_text.h"

#include <algorithm>
#include <memory>
#include <vector>

namespace parley::help {
namespace {

constexpr size_t kLeftColumn = 30;

// "  name       text", the text in lines of its own column.
std::string Row(const std::string& name, const std::string& text) {
  std::string out = "  " + name;
  if (text.empty()) return out + "\n";
  if (out.size() + 1 > kLeftColumn) out += "\n";
  const size_t line_start = out.rfind('\n') + 1;  // 0 without one
  out.append(kLeftColumn - (out.size() - line_start), ' ');
  for (const char c : Wrapped(text, kColumns - kLeftColumn)) {
    out += c;
    if (c == '\n') out.append(kLeftColumn, ' ');
  }
  return out + "\n";
}

// What an option takes, without what CLI11's own checks add of themselves: ":INT in [1 - 9]" and
// ":{on,off}".
std::string TypeOf(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  size_t end = type.find(":{");
  if (const size_t range = type.find(" in ["); range != std::string::npos) {
    end = std::min(end, type.rfind(':', range));
  }
  return type.substr(0, end);
}

class Formatter : public CLI::Formatter {
 public:
  Formatter() {
    label("SUBCOMMAND", "COMMAND");
    label("Positionals", "What it needs");
  }

  std::string make_description(const CLI::App* app) const override {
    return Wrapped(app->get_description()) + "\n";
  }

  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    return Row(NameOf(*option, is_positional), option->get_description());
  }

  std::string make_subcommand(const CLI::App* command) const override {
    return Row(command->get_name(), command->get_description());
  }

 private:
  static std::string NameOf(const CLI::Option& option, bool is_positional) {
    std::string name = option.get_name(is_positional, !is_positional);
    for (size_t comma = name.find(','); comma != std::string::npos;
         comma = name.find(',', comma + 2)) {
      name.insert(comma + 1, " ");
    }
    if (is_positional) return option.get_required() ? name : "[" + name + "]";
    if (option.get_type_size() != 0) name += " " + TypeOf(option);
    if (option.get_required()) name += " (needed)";
    return name;
  }
};

// The command that the line names, as deep as it goes: "parley case invite".
std::string CommandName(const CLI::App& app) {
  std::string name = app.get_name();
  for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    name += " " + at->get_name();
  }
  return name;
}

// "on or off", of "on,off".
std::string Choices(std::string text) {
  const size_t last = text.rfind(',');
  if (last == std::string::npos) return text;
  text.replace(last, 1, " or ");
  for (size_t comma = text.find(','); comma != std::string::npos;
       comma = text.find(',', comma + 2)) {
    text.insert(comma + 1, " ");
  }
  return text;
}

// What an option takes, where a check of CLI11's own, or the conversion to a number, has refused
// the value; empty for any other complaint.
std::string WhatItTakes(const std::string& text) {
  constexpr std::string_view kConversion = "Could not convert: ";
  constexpr std::string_view kRange = ": Value ";
  constexpr std::string_view kOutside = " not in range ";
  constexpr std::string_view kChoice = " not in {";
  if (const size_t middle = text.find(" = ");
      text.starts_with(kConversion) && middle != text.npos) {
    return text.substr(kConversion.size(), middle - kConversion.size()) +
           " takes a whole number, not \"" + text.substr(middle + 3) + "\"";
  }
  const size_t range = text.find(kRange);
  const size_t outside = text.rfind(kOutside);
  if (range != text.npos && outside != text.npos && range < outside) {
    const size_t value = range + kRange.size();
    return text.substr(0, range) + " takes a whole number from " +
           text.substr(outside + kOutside.size()) + ", not \"" +
           text.substr(value, outside - value) + "\"";
  }
  const size_t name = text.find(": ");
  const size_t choice = text.rfind(kChoice);
  if (name != text.npos && choice != text.npos && name < choice && text.ends_with('}')) {
    const size_t from = choice + kChoice.size();
    return text.substr(0, name) + " takes " + Choices(text.substr(from, text.size() - 1 - from)) +
           ", not \"" + text.substr(name + 2, choice - name - 2) + "\"";
  }
  return "";
}

std::string WhatIsWrong(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<std::string> remaining = app.remaining(true);
  const std::string first = remaining.empty() ? "" : remaining.front();
  if (first.starts_with('-')) {
    return "there is no option \"" + first +
           "\" here (before a text that begins with \"-\", put --)";
  }
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError)) {
    return "\"" + first +
           "\" is one word too many: put a title or a text of several words into quotation marks";
  }
  std::string text = error.what();
  if (text == "A subcommand is required") {
    return first.empty() ? "a command is needed" : "there is no command \"" + first + "\"";
  }
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (std::string takes = WhatItTakes(text); !takes.empty()) return takes;
  if (const size_t end = text.find(" is required"); text.ends_with(" is required")) {
    return text.substr(0, end) + " is needed";
  }
  if (const size_t middle = text.find(": At Most 1 required"); middle != std::string::npos) {
    return text.substr(0, middle) + " is given more than once";
  }
  if (const size_t middle = text.find(" requires "); middle != std::string::npos) {
    return text.substr(0, middle) + " goes with " + text.substr(middle + 10) + ": give both";
  }
  return text;
}

}  // namespace

std::string Wrapped(std::string_view text, size_t columns) {
  std::string out;
  size_t column = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(" \n"), text.size());
    if (column > 0 && column + 1 + end > columns) {
      out += '\n';
      column = 0;
    }
    if (column > 0) out += ' ';
    column += (column > 0 ? 1 : 0) + end;
    out += text.substr(0, end);
    text.remove_prefix(end);
    if (text.empty()) break;
    if (text.front() == '\n') {
      out += '\n';
      column = 0;
    }
    text.remove_prefix(1);
  }
  return out;
}

void UseOurHelp(CLI::App& app) {
  app.formatter(std::make_shared<Formatter>());
  app.set_help_flag("-h,--help", "Show this help");
}

std::string Complaint(const CLI::App& app, const CLI::ParseError& error) {
  return WhatIsWrong(app, error) + "; see " + CommandName(app) + " --help";
}

}  // namespace parley::help

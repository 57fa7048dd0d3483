// What the programs say about their usage: help texts of 90 columns without the names of C++ types,
// and what is wrong with a command line in words for a person.
//
// The only header of this folder; it and the programs' lists of commands are all that include
// CLI11, which is slow to compile.
#ifndef PARLEY_TOOLS_HELP_HELP_TEXT_H_
#define PARLEY_TOOLS_HELP_HELP_TEXT_H_

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <string>
#include <string_view>

namespace parley::help {

inline constexpr size_t kColumns = 90;

// The text's words in lines of at most so many bytes; its own line ends stay.
std::string Wrapped(std::string_view text, size_t columns = kColumns);

// Gives `app`, and the commands that are added to it afterwards, our way of writing help.
void UseOurHelp(CLI::App& app);

// What is wrong, on one line, and where help is: `there is no command "x"; see parley --help`.
// `app`: the program's, after its parse() has thrown `error`.
std::string Complaint(const CLI::App& app, const CLI::ParseError& error);

}  // namespace parley::help

#endif  // PARLEY_TOOLS_HELP_HELP_TEXT_H_

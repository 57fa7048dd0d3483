// Reading the command line: the only place that knows the words of the commands and options.
#ifndef PARLEY_TOOLS_PARLEY_COMMAND_LINE_H_
#define PARLEY_TOOLS_PARLEY_COMMAND_LINE_H_

#include <string>
#include <variant>
#include <vector>

#include "tools/parley/arguments.h"

namespace parley::cli {

// A command to carry out.
struct Invocation {
  Settings settings;
  Command command;
};

// Nothing to carry out: a text was asked for (--help, --version), or the usage was wrong.
struct Finished {
  int status = 0;      // 0, or 2 for wrong usage
  std::string output;  // for standard output
  std::string error;   // for standard error, one line without its end
};

using ParsedLine = std::variant<Invocation, Finished>;

// Reads the arguments, the program's name not among them. The environment's PARLEY_PROFILE stands
// in for --profile.
ParsedLine ParseCommandLine(const std::vector<std::string>& arguments);

}  // namespace parley::cli

#endif  // PARLEY_TOOLS_PARLEY_COMMAND_LINE_H_

// Whether the text of an option is what the option takes: nothing, or what is wrong with it, for a
// person.
//
// Threading: free functions without shared state.
#ifndef PARLEY_TOOLS_PARLEY_COMMAND_LINE_VALUE_CHECKS_H_
#define PARLEY_TOOLS_PARLEY_COMMAND_LINE_VALUE_CHECKS_H_

#include <functional>
#include <optional>
#include <string>

namespace parley::cli {

std::optional<std::string> ReadRole(const std::string& text);
std::optional<std::string> ReadDuration(const std::string& text);
std::optional<std::string> ReadPosition(const std::string& text);
std::optional<std::string> ReadCount(const std::string& text);
std::optional<std::string> ReadSeconds(const std::string& text);
std::optional<std::string> ReadAct(const std::string& text);
std::optional<std::string> ReadDocumentClass(const std::string& text);
std::optional<std::string> ReadOutput(const std::string& text);

// As CLI11 takes a check: it wants an empty text for what is right.
std::function<std::string(const std::string&)> Check(
    std::optional<std::string> (*read)(const std::string&));

}  // namespace parley::cli

#endif  // PARLEY_TOOLS_PARLEY_COMMAND_LINE_VALUE_CHECKS_H_

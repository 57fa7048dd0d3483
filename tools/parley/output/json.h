// One JSON object on one line, as scripts read it.
#ifndef PARLEY_TOOLS_PARLEY_OUTPUT_JSON_H_
#define PARLEY_TOOLS_PARLEY_OUTPUT_JSON_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace parley::cli {

// Writes the fields in the order of the calls. All text is escaped so that a line is safe on a
// terminal, too: control characters, and those that change the direction of writing, are \u
// escapes. Bytes that are no UTF-8 become U+FFFD.
class JsonObject {
 public:
  JsonObject& Text(std::string_view name, std::string_view value);
  JsonObject& Number(std::string_view name, uint64_t value);
  JsonObject& Bool(std::string_view name, bool value);
  JsonObject& Null(std::string_view name);
  JsonObject& Texts(std::string_view name, const std::vector<std::string>& values);
  JsonObject& Objects(std::string_view name, const std::vector<JsonObject>& values);

  // Appends all fields of another object.
  JsonObject& All(const JsonObject& other);

  // "{…}" without the line's end.
  std::string ToString() const { return "{" + fields_ + "}"; }

 private:
  void Name(std::string_view name);

  std::string fields_;
};

// The text as a JSON string, quotes included.
std::string JsonQuote(std::string_view text);

}  // namespace parley::cli

#endif  // PARLEY_TOOLS_PARLEY_OUTPUT_JSON_H_

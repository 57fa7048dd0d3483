#include "tools/parley/output/json.h"

#include "tools/parley/output/text.h"

namespace parley::cli {
namespace {

void AppendUnicodeEscape(uint32_t unit, std::string& out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kDigits[unit >> shift & 15];
}

void AppendEscaped(uint32_t character, std::string& out) {
  switch (character) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  if (IsHarmless(character)) {
    AppendUtf8(character, out);
  } else if (character < 0x10000) {
    AppendUnicodeEscape(character, out);
  } else {  // a surrogate pair
    AppendUnicodeEscape(0xD800 + ((character - 0x10000) >> 10), out);
    AppendUnicodeEscape(0xDC00 + ((character - 0x10000) & 0x3FF), out);
  }
}

}  // namespace

std::string JsonQuote(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) AppendEscaped(TakeCharacter(text), out);
  return out + "\"";
}

void JsonObject::Name(std::string_view name) {
  if (!fields_.empty()) fields_ += ", ";
  fields_ += JsonQuote(name) + ": ";
}

JsonObject& JsonObject::Text(std::string_view name, std::string_view value) {
  Name(name);
  fields_ += JsonQuote(value);
  return *this;
}

JsonObject& JsonObject::Number(std::string_view name, uint64_t value) {
  Name(name);
  fields_ += std::to_string(value);
  return *this;
}

JsonObject& JsonObject::Bool(std::string_view name, bool value) {
  Name(name);
  fields_ += value ? "true" : "false";
  return *this;
}

JsonObject& JsonObject::Null(std::string_view name) {
  Name(name);
  fields_ += "null";
  return *this;
}

JsonObject& JsonObject::All(const JsonObject& other) {
  if (!fields_.empty() && !other.fields_.empty()) fields_ += ", ";
  fields_ += other.fields_;
  return *this;
}

JsonObject& JsonObject::Texts(std::string_view name, const std::vector<std::string>& values) {
  Name(name);
  fields_ += '[';
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) fields_ += ", ";
    fields_ += JsonQuote(values[i]);
  }
  fields_ += ']';
  return *this;
}

JsonObject& JsonObject::Objects(std::string_view name, const std::vector<JsonObject>& values) {
  Name(name);
  fields_ += '[';
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) fields_ += ", ";
    fields_ += values[i].ToString();
  }
  fields_ += ']';
  return *this;
}

}  // namespace parley::cli

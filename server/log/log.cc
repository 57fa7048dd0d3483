#include "server/log/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <nlohmann/json.hpp>

namespace parley::server {
namespace {

LogFormat chosen_format = LogFormat::kText;
std::shared_ptr<spdlog::logger> logger;

spdlog::level::level_enum LevelOf(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      break;
  }
  return spdlog::level::err;
}

std::string Quoted(std::string_view text) {
  return nlohmann::json(std::string(text))
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// A line, also when what somebody named has line ends or a terminal's controls: those of ASCII, in
// UTF-8 those of C1 (U+0080 to U+009F), and the separators U+2028 and U+2029, each become a blank.
std::string OneLine(std::string_view text) {
  std::string line;
  for (size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = text.substr(i);
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == 0xC2 && rest.size() > 1 && (static_cast<unsigned char>(rest[1]) & 0xE0) == 0x80) {
      line += ' ';
      i += 1;
    } else if (rest.starts_with("\xE2\x80\xA8") || rest.starts_with("\xE2\x80\xA9")) {
      line += ' ';
      i += 2;
    } else {
      line += byte < 0x20 || byte == 0x7F ? ' ' : text[i];
    }
  }
  return line;
}

}  // namespace

void OpenLog(LogFormat format) {
  chosen_format = format;
  logger =
      std::make_shared<spdlog::logger>("relay", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern(format == LogFormat::kJson
                          ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                          : "%Y-%m-%dT%H:%M:%S.%eZ %l %v",
                      spdlog::pattern_time_type::utc);
}

std::string JsonMembers(std::string_view event, std::string_view message,
                        std::initializer_list<LogField> fields) {
  std::string members = "\"event\":" + Quoted(event) + ",\"message\":" + Quoted(message);
  for (const LogField& field : fields) {
    members += "," + Quoted(field.name) + ":" + Quoted(field.value);
  }
  return members;
}

void Log(LogLevel level, std::string_view event, std::string_view message,
         std::initializer_list<LogField> fields) {
  if (logger == nullptr) return;
  if (chosen_format == LogFormat::kJson) {
    logger->log(LevelOf(level), "{}", JsonMembers(event, message, fields));
    return;
  }
  logger->log(LevelOf(level), "{}", OneLine(message));
}

}  // namespace parley::server

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
  // A line each, also when what somebody named has line ends.
  std::string line(message);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  logger->log(LevelOf(level), "{}", line);
}

}  // namespace parley::server

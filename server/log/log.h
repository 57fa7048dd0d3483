// The relay's log: one line for each event, on standard error, as text or as a JSON object.
//
//   OpenLog(LogFormat::kJson);
//   Log(LogLevel::kInfo, "started", "the relay is up", {{"listen", "127.0.0.1:7743"}});
//
// What may stand in it: what the operator has set or named himself (addresses of the relay's own,
// files, settings, sponsors), counts, and what the system and the store say of files and disks.
// Never: a client's address, an id, a key, a token, or a byte of what clients store.
//
// Threading: Log() from any thread, after OpenLog() in the main one. Before, and in programs that
// don't call it, nothing is written.
#ifndef PARLEY_SERVER_LOG_LOG_H_
#define PARLEY_SERVER_LOG_LOG_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace parley::server {

enum class LogFormat : uint8_t { kText, kJson };
enum class LogLevel : uint8_t { kInfo, kWarning, kError };

// One more thing that a program can read off an event; people read it in the message, too.
struct LogField {
  std::string_view name;
  std::string_view value;
};

void OpenLog(LogFormat format);

// `event`: what programs know it by; it stays the same in later versions. `message`: for people.
void Log(LogLevel level, std::string_view event, std::string_view message,
         std::initializer_list<LogField> fields = {});

// What a line in JSON has between time and level and its end; for tests. Bytes that are no UTF-8
// are replaced.
std::string JsonMembers(std::string_view event, std::string_view message,
                        std::initializer_list<LogField> fields);

}  // namespace parley::server

#endif  // PARLEY_SERVER_LOG_LOG_H_

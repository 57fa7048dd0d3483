#include "storage/kv/rocksdb_environment.h"

#include <rocksdb/env.h>
#include <rocksdb/system_clock.h>

#include <cstdarg>
#include <cstdint>
#include <memory>

namespace parley::storage {
namespace {

// RocksDB writes GetCurrentTime into its files, and measures how long things take by the others.
class MinuteClock final : public rocksdb::SystemClockWrapper {
 public:
  explicit MinuteClock(const std::shared_ptr<rocksdb::SystemClock>& clock)
      : rocksdb::SystemClockWrapper(clock) {}
  const char* Name() const override { return "MinuteClock"; }
  rocksdb::Status GetCurrentTime(int64_t* seconds) override {
    rocksdb::Status status = target_->GetCurrentTime(seconds);
    if (status.ok()) *seconds -= *seconds % 60;
    return status;
  }
};

// The system's, with that clock.
class MinuteEnvironment final : public rocksdb::EnvWrapper {
 public:
  explicit MinuteEnvironment(rocksdb::Env* system) : rocksdb::EnvWrapper(system) {
    file_system_ = system->GetFileSystem();
    system_clock_ = std::make_shared<MinuteClock>(system->GetSystemClock());
  }
  const char* Name() const override { return "MinuteEnvironment"; }
  rocksdb::Status GetCurrentTime(int64_t* seconds) override {
    return system_clock_->GetCurrentTime(seconds);
  }
};

class SilentLogger final : public rocksdb::Logger {
 public:
  SilentLogger() : rocksdb::Logger(rocksdb::FATAL_LEVEL) {}
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

}  // namespace

void KeepToItself(rocksdb::DBOptions& options) {
  static rocksdb::Env* const environment = new MinuteEnvironment(rocksdb::Env::Default());
  options.env = environment;
  options.info_log = std::make_shared<SilentLogger>();
  options.info_log_level = rocksdb::FATAL_LEVEL;
  options.db_host_id.clear();
}

}  // namespace parley::storage

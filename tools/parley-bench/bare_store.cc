#include "tools/parley-bench/bare_store.h"

#include <fcntl.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <vector>

#include "absl/status/status.h"
#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "crypto/primitives/random.h"
#include "tools/parley-bench/must.h"

namespace parley::bench {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

void MustStore(const rocksdb::Status& status) {
  if (!status.ok()) bench::Must(absl::UnavailableError("the bare store: " + status.ToString()));
}

// One writer's work until `end`: how many values it put, under random keys.
size_t PutUntil(rocksdb::DB& db, size_t bytes, Clock::time_point end) {
  const std::string value = crypto::ToString(crypto::RandomBytes(bytes));
  rocksdb::WriteOptions options;
  options.sync = true;
  size_t puts = 0;
  for (; Clock::now() < end; ++puts) {
    MustStore(db.Put(options, crypto::ToString(crypto::RandomArray<16>()), value));
  }
  return puts;
}

}  // namespace

struct BareStore::State {
  std::unique_ptr<rocksdb::DB> db;
};

BareStore::BareStore(const std::string& folder) : state_(std::make_unique<State>()) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.compression = rocksdb::kNoCompression;
  rocksdb::DB* db = nullptr;
  MustStore(rocksdb::DB::Open(options, folder, &db));
  state_->db.reset(db);
}

BareStore::~BareStore() = default;

double BareStore::SyncedPuts(size_t threads, size_t bytes, double seconds) {
  const Clock::time_point begin = Clock::now();
  const Clock::time_point end =
      begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  std::vector<std::future<size_t>> writers;
  for (size_t i = 0; i < threads; ++i) {
    writers.push_back(std::async(std::launch::async, [db = state_->db.get(), bytes, end] {
      return PutUntil(*db, bytes, end);
    }));
  }
  size_t puts = 0;
  for (std::future<size_t>& writer : writers) puts += writer.get();
  return static_cast<double>(puts) / SecondsSince(begin);
}

double FileWriteSeconds(const std::string& path, uint64_t mib) {
  const crypto::Bytes piece = crypto::RandomBytes(kPieceBytes);
  const Clock::time_point begin = Clock::now();
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  PARLEY_CHECK(file >= 0);
  for (uint64_t i = 0; i < mib; ++i) {
    PARLEY_CHECK(write(file, piece.data(), piece.size()) == static_cast<ssize_t>(piece.size()));
  }
  PARLEY_CHECK(fdatasync(file) == 0);
  close(file);
  return SecondsSince(begin);
}

double FileReadSeconds(const std::string& path) {
  crypto::Bytes piece(kPieceBytes);
  const Clock::time_point begin = Clock::now();
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  PARLEY_CHECK(file >= 0);
  ssize_t size = 0;
  do {
    size = read(file, piece.data(), piece.size());
    PARLEY_CHECK(size >= 0);
  } while (size > 0);
  close(file);
  return SecondsSince(begin);
}

}  // namespace parley::bench

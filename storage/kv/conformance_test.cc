// What every engine must do. Each engine runs the whole suite.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <mutex>
#include <random>
#include <thread>

#include "storage/kv/key_value_store.h"
#include "storage/kv/memory_store.h"
#include "storage/kv/rocksdb_store.h"

namespace parley::storage {
namespace {

// An engine more is an entry here, and nothing else in this file.
struct Engine {
  const char* name;
  // Opens the store in `folder`, making it when it isn't there.
  std::function<absl::StatusOr<std::unique_ptr<KeyValueStore>>(const std::string& folder)> open;
  bool is_durable;  // what was committed is there when the folder is opened again
};

const std::vector<Engine>& Engines() {
  static const auto* const kAll = new std::vector<Engine>{
      {"Memory",
       [](const std::string&) -> absl::StatusOr<std::unique_ptr<KeyValueStore>> {
         return std::make_unique<MemoryStore>();
       },
       false},
      {"RocksDb",
       [](const std::string& folder) -> absl::StatusOr<std::unique_ptr<KeyValueStore>> {
         return OpenRocksDbStore(folder);
       },
       true}};
  return *kAll;
}

std::vector<std::string> NamesOf(const std::vector<Engine>& engines) {
  std::vector<std::string> names;
  for (const Engine& engine : engines) names.emplace_back(engine.name);
  return names;
}

const Engine& EngineCalled(std::string_view name) {
  for (const Engine& engine : Engines()) {
    if (engine.name == name) return engine;
  }
  std::abort();  // the parameters are made from the list
}

class ConformanceTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("parley-conformance-" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder_);
    Reopen();
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  const Engine& engine() const { return EngineCalled(GetParam()); }
  void Reopen() {
    store_.reset();
    auto opened = engine().open(folder_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = std::move(opened).value();
  }

  absl::Status Put(const std::string& key, const std::string& value,
                   Space space = Space::kRecords) {
    WriteBatch batch;
    batch.Put(space, key, value);
    return store_->Commit(batch, Durability::kBuffered);
  }
  std::optional<std::string> Get(const std::string& key, Space space = Space::kRecords) {
    auto value = store_->Get(space, key);
    EXPECT_TRUE(value.ok()) << value.status();
    return value.ok() ? *value : std::nullopt;
  }
  std::vector<std::string> Keys(const std::string& begin, const std::string& end) {
    std::vector<std::string> keys;
    EXPECT_TRUE(store_
                    ->Scan(Space::kRecords, begin, end,
                           [&](std::string_view key, std::string_view) {
                             keys.emplace_back(key);
                             return true;
                           })
                    .ok());
    return keys;
  }

  std::filesystem::path folder_;
  std::unique_ptr<KeyValueStore> store_;
};

TEST_P(ConformanceTest, PutGetDelete) {
  EXPECT_EQ(Get("a"), std::nullopt);
  ASSERT_TRUE(Put("a", "1").ok());
  EXPECT_EQ(Get("a"), "1");
  ASSERT_TRUE(Put("a", "").ok());
  EXPECT_EQ(Get("a"), "");
  WriteBatch batch;
  batch.Delete(Space::kRecords, "a");
  batch.Delete(Space::kRecords, "never was");
  ASSERT_TRUE(store_->Commit(batch, Durability::kSynced).ok());
  EXPECT_EQ(Get("a"), std::nullopt);
}

TEST_P(ConformanceTest, SpacesAreApart) {
  ASSERT_TRUE(Put("a", "record").ok());
  ASSERT_TRUE(Put("a", "chunk", Space::kChunks).ok());
  ASSERT_TRUE(Put("a", "entry", Space::kEntries).ok());
  EXPECT_EQ(Get("a"), "record");
  EXPECT_EQ(Get("a", Space::kEntries), "entry");
  EXPECT_EQ(Get("a", Space::kChunks), "chunk");
}

TEST_P(ConformanceTest, BinaryKeysAndLargeValues) {
  const std::string key("\0\xFF\0key", 6);
  const std::string value(3 << 20, '\xC3');
  ASSERT_TRUE(Put(key, value, Space::kChunks).ok());
  EXPECT_EQ(Get(key, Space::kChunks), value);
  EXPECT_EQ(Get(std::string("\0\xFF", 2), Space::kChunks), std::nullopt);
}

TEST_P(ConformanceTest, APinnedValueStaysWhateverHappensToItsKeyAndStore) {
  const std::string large(1 << 20, 'L');
  std::vector<PinnedValue> pinned;
  for (Space space : kSpaces) {
    ASSERT_TRUE(Put("small", "s", space).ok());
    ASSERT_TRUE(Put("large", large, space).ok());
    for (const char* key : {"small", "large"}) {
      auto value = store_->GetPinned(space, key);
      ASSERT_TRUE(value.ok() && value->has_value()) << value.status();
      pinned.push_back(**std::move(value));
    }
    auto missing = store_->GetPinned(space, "missing");
    ASSERT_TRUE(missing.ok()) << missing.status();
    EXPECT_FALSE(missing->has_value());
    WriteBatch batch;
    batch.Delete(space, "small");
    batch.Put(space, "large", "another");
    ASSERT_TRUE(store_->Commit(batch, Durability::kSynced).ok());
  }
  store_.reset();
  for (size_t i = 0; i < pinned.size(); i += 2) {
    EXPECT_EQ(pinned[i].bytes, "s");
    EXPECT_TRUE(pinned[i + 1].bytes == large);
  }
}

TEST_P(ConformanceTest, ScanIsOrderedHalfOpenAndStops) {
  for (const char* key : {"b", "a", "d", "c", "\xFF"}) ASSERT_TRUE(Put(key, key).ok());
  EXPECT_EQ(Keys("a", "d"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(Keys("bb", "\xFF\xFF"), (std::vector<std::string>{"c", "d", "\xFF"}));
  EXPECT_TRUE(Keys("d", "a").empty());
  int seen = 0;
  ASSERT_TRUE(store_
                  ->Scan(Space::kRecords, "a", "z",
                         [&](std::string_view key, std::string_view value) {
                           EXPECT_EQ(key, value);
                           return ++seen < 2;
                         })
                  .ok());
  EXPECT_EQ(seen, 2);
}

TEST_P(ConformanceTest, ChangesApplyInTheirOrder) {
  ASSERT_TRUE(Put("k1", "old").ok());
  ASSERT_TRUE(Put("k9", "old").ok());
  WriteBatch batch;
  batch.Put(Space::kRecords, "k2", "gone");
  batch.DeleteRange(Space::kRecords, "k1", "k5");
  batch.Put(Space::kRecords, "k1", "new");
  batch.DeleteRange(Space::kRecords, "z", "a");  // empty: does nothing
  ASSERT_TRUE(store_->Commit(batch, Durability::kBuffered).ok());
  EXPECT_EQ(Get("k1"), "new");
  EXPECT_EQ(Get("k2"), std::nullopt);
  EXPECT_EQ(Get("k9"), "old");
}

TEST_P(ConformanceTest, AFailedRequirementChangesNothing) {
  ASSERT_TRUE(Put("head", "7").ok());
  WriteBatch batch;
  batch.Put(Space::kRecords, "other", "x");
  batch.DeleteRange(Space::kRecords, "a", "z");
  batch.Require(Space::kRecords, "head", "8");
  EXPECT_EQ(store_->Commit(batch, Durability::kSynced).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Get("other"), std::nullopt);
  EXPECT_EQ(Get("head"), "7");
}

TEST_P(ConformanceTest, RequirementsOfValueAndOfAbsence) {
  WriteBatch create;
  create.Require(Space::kRecords, "head", std::nullopt);
  create.Put(Space::kRecords, "head", "1");
  ASSERT_TRUE(store_->Commit(create, Durability::kSynced).ok());
  EXPECT_EQ(store_->Commit(create, Durability::kSynced).code(), absl::StatusCode::kAborted);
  WriteBatch advance;
  advance.Require(Space::kRecords, "head", "1");
  advance.Require(Space::kChunks, "head", std::nullopt);
  advance.Put(Space::kRecords, "head", "2");
  ASSERT_TRUE(store_->Commit(advance, Durability::kSynced).ok());
  EXPECT_EQ(Get("head"), "2");
}

// A counter that several threads raise by compare-and-set loses no step.
TEST_P(ConformanceTest, RequirementsHoldUnderContention) {
  ASSERT_TRUE(Put("n", "0").ok());
  constexpr int kThreads = 4;
  constexpr int kSteps = 100;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int done = 0; done < kSteps;) {
        auto now = store_->Get(Space::kRecords, "n");
        WriteBatch batch;
        batch.Require(Space::kRecords, "n", **now);
        batch.Put(Space::kRecords, "n", std::to_string(std::stoi(**now) + 1));
        if (store_->Commit(batch, Durability::kBuffered).ok()) ++done;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Get("n"), std::to_string(kThreads * kSteps));
}

TEST_P(ConformanceTest, WatchHearsItsPrefixUntilUnwatched) {
  std::vector<std::string> heard;
  const uint64_t watch = store_->Watch(Space::kRecords, "m", [&](auto keys) {
    for (std::string_view key : keys) {
      // The commit is visible by then.
      EXPECT_TRUE(store_->Get(Space::kRecords, key).ok());
      heard.emplace_back(key);
    }
  });
  ASSERT_TRUE(Put("m1", "x").ok());
  ASSERT_TRUE(Put("n1", "x").ok());
  ASSERT_TRUE(Put("m2", "x", Space::kChunks).ok());
  WriteBatch refused;
  refused.Put(Space::kRecords, "m3", "x");
  refused.Require(Space::kRecords, "m3", "y");
  EXPECT_FALSE(store_->Commit(refused, Durability::kBuffered).ok());
  WriteBatch remove;
  remove.Delete(Space::kRecords, "m1");
  ASSERT_TRUE(store_->Commit(remove, Durability::kBuffered).ok());
  store_->Unwatch(watch);
  ASSERT_TRUE(Put("m4", "x").ok());
  EXPECT_EQ(heard, (std::vector<std::string>{"m1", "m1"}));
}

// Keys as long as a mailbox's, range after range deleted between what follows.
TEST_P(ConformanceTest, RangeDeletionsAmongLongKeys) {
  std::map<std::string, std::string> model;
  const auto key = [](int owner, int number) {
    return std::string(40, static_cast<char>('a' + owner)) + std::to_string(number);
  };
  for (int round = 0; round < 60; ++round) {
    WriteBatch batch;
    for (int owner = 0; owner < 3; ++owner) {
      batch.Put(Space::kRecords, key(owner, round), std::to_string(round));
      model[key(owner, round)] = std::to_string(round);
    }
    if (round % 7 == 3) {
      const std::string begin = key(round % 3, 0);
      batch.DeleteRange(Space::kRecords, begin, PrefixEnd(begin.substr(0, 40)));
      std::erase_if(model, [&](const auto& entry) { return entry.first[0] == begin[0]; });
    }
    ASSERT_TRUE(store_->Commit(batch, Durability::kSynced).ok());
  }
  std::vector<std::string> expected;
  for (const auto& [k, v] : model) {
    expected.push_back(k);
    EXPECT_EQ(Get(k), v);
  }
  EXPECT_EQ(Keys("a", "z"), expected);
  EXPECT_EQ(Get(key(0, 3)), std::nullopt);
}

// Random batches, with requirements that hold, against std::map.
TEST_P(ConformanceTest, RandomOperationsMatchAModel) {
  std::mt19937 random(20261127);
  std::map<std::string, std::string> model;
  auto key = [&] { return "k" + std::to_string(random() % 40); };
  for (int round = 0; round < 400; ++round) {
    WriteBatch batch;
    for (size_t i = random() % 3; i-- > 0;) {
      const std::string required = key();
      const auto found = model.find(required);
      batch.Require(Space::kRecords, required,
                    found == model.end() ? std::nullopt : std::optional(found->second));
    }
    for (size_t i = random() % 5; i-- > 0;) {
      const std::string a = key();
      const std::string b = key();
      switch (random() % 4) {
        case 0:
          batch.Delete(Space::kRecords, a);
          model.erase(a);
          break;
        case 1:
          batch.DeleteRange(Space::kRecords, a, b);
          if (a < b) model.erase(model.lower_bound(a), model.lower_bound(b));
          break;
        default:
          batch.Put(Space::kRecords, a, b);
          model[a] = b;
      }
    }
    ASSERT_TRUE(store_->Commit(batch, Durability::kBuffered).ok());
    std::vector<std::string> expected;
    for (const auto& [k, v] : model) {
      expected.push_back(k);
      ASSERT_EQ(Get(k), v);
    }
    ASSERT_EQ(Keys("k", "l"), expected);
  }
}

TEST_P(ConformanceTest, ReadsWithItsChecksumsWhatGetReads) {
  for (const Space space : {Space::kRecords, Space::kChunks}) {
    for (const size_t size : {size_t{0}, size_t{10}, size_t{100'000}}) {
      const std::string key = "k" + std::to_string(size);
      ASSERT_TRUE(Put(key, std::string(size, 'v'), space).ok());
      const auto checked = store_->GetChecked(space, key);
      ASSERT_TRUE(checked.ok()) << checked.status();
      EXPECT_EQ(*checked, std::string(size, 'v'));
      EXPECT_EQ(*store_->GetChecked(space, "absent"), std::nullopt);
    }
  }
  const auto damaged = store_->CheckFiles();
  ASSERT_TRUE(damaged.ok()) << damaged.status();
  EXPECT_TRUE(damaged->damaged.empty());
  EXPECT_TRUE(damaged->unpurgeable.empty());
}

// One writer replaces everything again and again; whoever scans meanwhile sees one state whole.
TEST_P(ConformanceTest, AScanSeesOneMomentAcrossRangeDeletionsAndPuts) {
  constexpr int kKeys = 20;
  const auto replace = [&](int round) {
    WriteBatch batch;
    batch.DeleteRange(Space::kRecords, "k", "l");
    // Other keys each time, so that a leftover would show.
    for (int i = 0; i < kKeys; ++i) {
      batch.Put(Space::kRecords, "k" + std::to_string(round % 7) + "-" + std::to_string(i),
                std::to_string(round));
    }
    return store_->Commit(batch, Durability::kBuffered);
  };
  ASSERT_TRUE(replace(0).ok());
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int round = 1; round <= 300; ++round) EXPECT_TRUE(replace(round).ok());
    done = true;
  });
  int scans = 0;
  for (bool last = false; !last; ++scans) {
    last = done;
    std::vector<std::string> values;
    ASSERT_TRUE(store_
                    ->Scan(Space::kRecords, "k", "l",
                           [&](std::string_view, std::string_view value) {
                             values.emplace_back(value);
                             return true;
                           })
                    .ok());
    ASSERT_EQ(values, std::vector<std::string>(kKeys, values.empty() ? "" : values.front()));
  }
  writer.join();
  EXPECT_GT(scans, 0);
}

// What both spaces get in one batch is never there in one of them alone.
TEST_P(ConformanceTest, ABatchIsOneStepAcrossSpaces) {
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int round = 0; round < 300; ++round) {
      WriteBatch batch;
      batch.Put(Space::kChunks, "c" + std::to_string(round), std::string(5000, 'c'));
      batch.Put(Space::kRecords, "count", std::to_string(round));
      EXPECT_TRUE(store_->Commit(batch, Durability::kBuffered).ok());
    }
    done = true;
  });
  while (!done) {
    const std::optional<std::string> count = Get("count");
    if (!count.has_value()) continue;
    EXPECT_TRUE(Get("c" + *count, Space::kChunks).has_value());
  }
  writer.join();
}

TEST_P(ConformanceTest, EachCommitOfManyThreadsIsHeardOnce) {
  constexpr int kThreads = 4;
  constexpr int kCommits = 100;
  std::mutex mutex;
  std::map<std::string, int, std::less<>> heard;
  const uint64_t watch = store_->Watch(Space::kRecords, "w", [&](auto keys) {
    std::lock_guard lock(mutex);
    for (std::string_view key : keys) ++heard[std::string(key)];
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kCommits; ++i) {
        EXPECT_TRUE(Put("w" + std::to_string(t) + "-" + std::to_string(i), "x").ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  store_->Unwatch(watch);
  EXPECT_EQ(heard.size(), static_cast<size_t>(kThreads) * kCommits);
  for (const auto& [key, times] : heard) EXPECT_EQ(times, 1) << key;
}

TEST_P(ConformanceTest, AfterUnwatchNothingIsHeardAnyMore) {
  for (int round = 0; round < 20; ++round) {
    auto gone = std::make_unique<std::atomic<int>>(0);
    const uint64_t watch = store_->Watch(Space::kRecords, "", [&](auto) { ++*gone; });
    std::thread writer([&] {
      for (int i = 0; i < 20; ++i) EXPECT_TRUE(Put("w", std::to_string(i)).ok());
    });
    store_->Unwatch(watch);
    gone.reset();  // a callback that still ran would be seen by a sanitizer
    writer.join();
  }
}

TEST_P(ConformanceTest, ADurableOneHasItAllWhenOpenedAgain) {
  if (!engine().is_durable) GTEST_SKIP() << "keeps nothing";
  const std::string large(1 << 20, 'L');
  for (int round = 0; round < 3; ++round) {
    const std::string key = "k" + std::to_string(round);
    WriteBatch batch;
    batch.Put(Space::kRecords, key, std::to_string(round));
    batch.Put(Space::kChunks, key, large);
    batch.Put(Space::kRecords, "deleted", "x");
    batch.DeleteRange(Space::kRecords, "deleted", "e");
    ASSERT_TRUE(
        store_->Commit(batch, round == 1 ? Durability::kBuffered : Durability::kSynced).ok());
    Reopen();
    ASSERT_NE(store_, nullptr);
    for (int i = 0; i <= round; ++i) {
      EXPECT_EQ(Get("k" + std::to_string(i)), std::to_string(i));
      EXPECT_TRUE(Get("k" + std::to_string(i), Space::kChunks) == large);
    }
    EXPECT_EQ(Get("deleted"), std::nullopt);
  }
}

// Commits a number and its double until it is killed, and says on standard output how far it is.
int WriteUntilKilled(const Engine& engine, const std::string& folder) {
  auto store = engine.open(folder);
  if (!store.ok()) return 1;
  const auto before = (*store)->Get(Space::kRecords, "number");
  if (!before.ok()) return 1;
  for (uint64_t number = before->has_value() ? std::stoull(**before) + 1 : 1;; ++number) {
    WriteBatch batch;
    batch.Put(Space::kRecords, "number", std::to_string(number));
    batch.Put(Space::kRecords, "log" + std::to_string(number), "x");
    batch.Put(Space::kChunks, "double", std::to_string(2 * number) + std::string(8000, ' '));
    if (!(*store)->Commit(batch, Durability::kSynced).ok()) return 1;
    std::printf("%llu\n", static_cast<unsigned long long>(number));
    std::fflush(stdout);
  }
}

// Starts this program as WriteUntilKilled, reads so many lines, and kills it. Returns the last
// number that it said.
uint64_t KillAWriter(const std::string& engine, const std::string& folder, int lines) {
  int pipe_ends[2];
  EXPECT_EQ(::pipe2(pipe_ends, O_CLOEXEC), 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
  std::string words[] = {"conformance", "--write-until-killed", engine, folder};
  char* argv[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(), nullptr};
  pid_t child = 0;
  EXPECT_EQ(::posix_spawn(&child, "/proc/self/exe", &actions, nullptr, argv, environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe_ends[1]);
  std::FILE* out = ::fdopen(pipe_ends[0], "r");
  uint64_t last = 0;
  char line[64];
  for (int i = 0; i < lines && std::fgets(line, sizeof line, out) != nullptr; ++i) {
    last = std::stoull(line);
  }
  ::kill(child, SIGKILL);
  // It may have said more before it died.
  while (std::fgets(line, sizeof line, out) != nullptr) {
    if (std::string_view(line).ends_with('\n')) last = std::stoull(line);
  }
  std::fclose(out);
  ::waitpid(child, nullptr, 0);
  return last;
}

TEST_P(ConformanceTest, ADurableOneHasWhatWasSyncedWhenItsProcessWasKilled) {
  if (!engine().is_durable) GTEST_SKIP() << "keeps nothing";
  for (int round = 1; round <= 5; ++round) {
    store_.reset();
    const uint64_t said = KillAWriter(GetParam(), folder_, 40 * round);
    ASSERT_GT(said, 0U);
    Reopen();
    ASSERT_NE(store_, nullptr);
    const std::optional<std::string> number = Get("number");
    ASSERT_TRUE(number.has_value());
    const uint64_t kept = std::stoull(*number);
    EXPECT_GE(kept, said);
    EXPECT_LE(kept, said + 1);  // that it had no time to say
    EXPECT_EQ(std::stoull(Get("double", Space::kChunks).value_or("0")), 2 * kept);
    EXPECT_EQ(Keys("log", "loh").size(), kept);  // without a gap
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, ConformanceTest, testing::ValuesIn(NamesOf(Engines())),
                         [](const auto& tested) { return tested.param; });

TEST(PrefixEndTest, IsTheFirstKeyAfter) {
  EXPECT_EQ(PrefixEnd("a"), "b");
  EXPECT_EQ(PrefixEnd(std::string("a\xFF\xFF", 3)), "b");
  EXPECT_EQ(PrefixEnd(std::string("a\0", 2)), std::string("a\1", 2));
}

}  // namespace
}  // namespace parley::storage

int main(int argc, char** argv) {
  if (argc == 4 && std::string_view(argv[1]) == "--write-until-killed") {
    return parley::storage::WriteUntilKilled(parley::storage::EngineCalled(argv[2]), argv[3]);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

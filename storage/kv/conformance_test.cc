// What every engine must do. Each engine runs the whole suite.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <random>
#include <thread>

#include "storage/kv/key_value_store.h"
#include "storage/kv/memory_store.h"
#include "storage/kv/rocksdb_store.h"

namespace parley::storage {
namespace {

enum class Engine { kMemory, kRocksDb };

class ConformanceTest : public testing::TestWithParam<Engine> {
 protected:
  void SetUp() override {
    if (GetParam() == Engine::kMemory) {
      store_ = std::make_unique<MemoryStore>();
      return;
    }
    folder_ = std::filesystem::temp_directory_path() /
              ("parley-conformance-" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder_);
    auto opened = OpenRocksDbStore(folder_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = std::move(opened).value();
  }
  void TearDown() override {
    store_.reset();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
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
  EXPECT_TRUE(damaged->empty());
}

INSTANTIATE_TEST_SUITE_P(Engines, ConformanceTest,
                         testing::Values(Engine::kMemory, Engine::kRocksDb),
                         [](const auto& tested) {
                           return tested.param == Engine::kMemory ? "Memory" : "RocksDb";
                         });

TEST(PrefixEndTest, IsTheFirstKeyAfter) {
  EXPECT_EQ(PrefixEnd("a"), "b");
  EXPECT_EQ(PrefixEnd(std::string("a\xFF\xFF", 3)), "b");
  EXPECT_EQ(PrefixEnd(std::string("a\0", 2)), std::string("a\1", 2));
}

}  // namespace
}  // namespace parley::storage

#include "client-lib/store/profile_store.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <map>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "client-lib/store/test_profile.h"
#include "gmock/gmock.h"

namespace parley::client {
namespace {

using crypto::Secret;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto kContent = RecordClass::kContent;

// Runs `body` in a child process and returns its exit status.
template <typename Body>
pid_t Fork(Body body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  return child;
}
int Wait(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(ProfileStore, KeepsValuesBetweenOpenings) {
  TestFolder folder;
  const std::string dir = folder / "p";
  {
    auto store = MustCreate(dir);
    ASSERT_TRUE(PutText(*store, kContent, "a", "one").ok());
    ASSERT_TRUE(PutText(*store, kContent, "empty", "").ok());
    ASSERT_TRUE(PutText(*store, RecordClass::kKeys, "a", "another class").ok());
  }
  auto store = MustOpen(dir);
  EXPECT_EQ(*GetText(*store, kContent, "a"), "one");
  EXPECT_EQ(*GetText(*store, kContent, "empty"), "");
  EXPECT_EQ(*GetText(*store, RecordClass::kKeys, "a"), "another class");
  EXPECT_EQ(*GetText(*store, RecordClass::kRatchet, "a"), "(none)");
  EXPECT_TRUE(store->CheckIntegrity().ok());
}

TEST(ProfileStore, IsPrivateToItsOwner) {
  TestFolder folder;
  const std::string dir = folder / "p";
  auto store = MustCreate(dir);
  ASSERT_TRUE(PutText(*store, kContent, "a", "one").ok());
  struct stat info {};
  ASSERT_EQ(stat(dir.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  for (const auto& file : std::filesystem::directory_iterator(dir)) {
    ASSERT_EQ(stat(file.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u) << file.path();
  }
}

TEST(ProfileStore, LeavesFoldersOfOthersAlone) {
  TestFolder folder;
  const std::string documents = folder / "documents";
  ASSERT_EQ(mkdir(documents.c_str(), 0700), 0);
  ASSERT_EQ(chmod(documents.c_str(), 0755), 0);
  const auto mode = [&documents] {
    struct stat info {};
    EXPECT_EQ(stat(documents.c_str(), &info), 0);
    return info.st_mode & 0777;
  };
  std::ofstream(documents + "/letter.txt") << "mine";
  EXPECT_EQ(ProfileStore::Create(documents).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(mode(), 0755u);
  ASSERT_EQ(chmod(documents.c_str(), 0700), 0);
  EXPECT_EQ(ProfileStore::Create(documents).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(ProfileStore::Exists(documents));
  EXPECT_FALSE(std::filesystem::exists(documents + "/store.key"));
  std::filesystem::remove(documents + "/letter.txt");
  // What an interrupted attempt left is no obstacle.
  std::ofstream(documents + "/profile.db.new-wal") << "x";
  std::ofstream(documents + "/store.key.new") << "x";
  // Others could have put it there, though.
  ASSERT_EQ(chmod(documents.c_str(), 0755), 0);
  EXPECT_EQ(ProfileStore::Create(documents).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(mode(), 0755u);
  ASSERT_EQ(chmod(documents.c_str(), 0700), 0);
  EXPECT_TRUE(ProfileStore::Create(documents).ok());
}

TEST(ProfileStore, TakesAnEmptyFolderForItself) {
  TestFolder folder;
  const std::string empty = folder / "empty";
  ASSERT_EQ(mkdir(empty.c_str(), 0700), 0);
  ASSERT_EQ(chmod(empty.c_str(), 0755), 0);
  ASSERT_TRUE(ProfileStore::Create(empty).ok());
  struct stat info {};
  ASSERT_EQ(stat(empty.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST(ProfileStore, RefusesAStoreKeyThatOthersMayRead) {
  TestFolder folder;
  MustCreate(folder.path()).reset();
  chmod((folder / "store.key").c_str(), 0644);
  EXPECT_EQ(ProfileStore::Open(folder.path()).status().code(), absl::StatusCode::kPermissionDenied);
}

TEST(ProfileStore, SaysWhatIsMissing) {
  TestFolder folder;
  EXPECT_EQ(ProfileStore::Open(folder / "none").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ProfileStore::IsLocked(folder / "none").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ProfileStore::Create(folder / "no/parent").status().code(),
            absl::StatusCode::kNotFound);
  MustCreate(folder.path()).reset();
  EXPECT_EQ(ProfileStore::Create(folder.path()).status().code(), absl::StatusCode::kAlreadyExists);
}

TEST(ProfileStore, AbandonedTransactionLeavesNothing) {
  TestFolder folder;
  auto store = MustCreate(folder.path());
  ASSERT_TRUE(PutText(*store, kContent, "a", "one").ok());
  {
    absl::StatusOr<Transaction> step = store->Begin();
    ASSERT_TRUE(step.ok());
    ASSERT_TRUE(step->Put(kContent, "a", crypto::ViewOf("two")).ok());
    ASSERT_TRUE(step->Put(kContent, "b", crypto::ViewOf("two")).ok());
    EXPECT_EQ(crypto::ToString((*step->Get(kContent, "a"))->Reveal()), "two");
  }
  EXPECT_EQ(*GetText(*store, kContent, "a"), "one");
  EXPECT_EQ(*GetText(*store, kContent, "b"), "(none)");
}

TEST(ProfileStore, ReadersSeeOneStateAndDontBlock) {
  TestFolder folder;
  auto store = MustCreate(folder.path());
  ASSERT_TRUE(PutText(*store, kContent, "a", "one").ok());
  absl::StatusOr<ReadTransaction> before = store->Read();
  ASSERT_TRUE(before.ok());
  ASSERT_TRUE(PutText(*store, kContent, "a", "two").ok());
  EXPECT_EQ(crypto::ToString((*before->Get(kContent, "a"))->Reveal()), "one");
  absl::StatusOr<Transaction> writer = store->Begin();
  ASSERT_TRUE(writer.ok());
  EXPECT_EQ(*GetText(*store, kContent, "a"), "two");
}

TEST(ProfileStore, KeepsLargeValues) {
  TestFolder folder;
  auto store = MustCreate(folder.path());
  std::string large(20 << 20, 'x');
  large[large.size() / 2] = 'y';
  ASSERT_TRUE(PutText(*store, kContent, "large", large).ok());
  EXPECT_EQ(*GetText(*store, kContent, "large"), large);
}

TEST(ProfileStore, FilesShowNeitherNamesNorValues) {
  TestFolder folder;
  {
    auto store = MustCreate(folder.path());
    for (int i = 0; i < 50; ++i) {
      ASSERT_TRUE(PutText(*store, kContent, "channel/marker-name-" + std::to_string(i),
                          "marker value of a caucus")
                      .ok());
    }
    for (const auto& file : std::filesystem::directory_iterator(folder.path())) {
      EXPECT_THAT(ReadWholeFile(file.path()), Not(HasSubstr("marker"))) << file.path();
    }
  }
  const std::string database = ReadWholeFile(folder / "profile.db");
  EXPECT_THAT(database, Not(HasSubstr("marker")));
  EXPECT_THAT(database, HasSubstr("SQLite format 3"));  // the search does find what is there
}

TEST(ProfileStore, RemovedValuesAreOverwritten) {
  TestFolder folder;
  const std::string database = folder / "profile.db";
  auto store = MustCreate(folder.path());
  store.reset();
  const std::string empty = ReadWholeFile(database);
  store = MustOpen(folder.path());
  ASSERT_TRUE(PutText(*store, kContent, "a", std::string(3000, 'a')).ok());
  store.reset();
  const std::string before = ReadWholeFile(database);
  store = MustOpen(folder.path());
  absl::StatusOr<Transaction> step = store->Begin();
  ASSERT_TRUE(step->Delete(kContent, "a").ok());
  ASSERT_TRUE(step->Delete(kContent, "never there").ok());
  ASSERT_TRUE(step->Commit().ok());
  store.reset();
  const std::string after = ReadWholeFile(database);
  // No piece of the sealed value (random bytes that the empty profile didn't have) is left.
  int pieces = 0;
  for (size_t at = 0; at + 32 <= before.size(); at += 32) {
    const std::string piece = before.substr(at, 32);
    if (piece.find('\0') != std::string::npos || empty.find(piece) != std::string::npos) continue;
    ++pieces;
    EXPECT_EQ(after.find(piece), std::string::npos) << at;
  }
  EXPECT_GT(pieces, 50);
}

// --- many at once ---

TEST(Sharing, ThreadsDontLoseUpdates) {
  TestFolder folder;
  auto store = MustCreate(folder.path());
  ASSERT_TRUE(PutText(*store, kContent, "n", "0").ok());
  constexpr int kThreads = 4;
  constexpr int kRounds = 25;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&store] {
      for (int i = 0; i < kRounds; ++i) {
        absl::StatusOr<Transaction> step = store->Begin();
        ASSERT_TRUE(step.ok()) << step.status();
        const int n = std::stoi(crypto::ToString((*step->Get(kContent, "n"))->Reveal()));
        ASSERT_TRUE(step->Put(kContent, "n", crypto::ViewOf(std::to_string(n + 1))).ok());
        ASSERT_TRUE(step->Commit().ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(*GetText(*store, kContent, "n"), std::to_string(kThreads * kRounds));
}

TEST(Sharing, ProcessesDontLoseUpdates) {
  TestFolder folder;
  MustCreate(folder.path()).reset();
  {
    auto store = MustOpen(folder.path());
    ASSERT_TRUE(PutText(*store, kContent, "n", "0").ok());
  }
  constexpr int kProcesses = 5;
  constexpr int kRounds = 20;
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    children.push_back(Fork([&folder] {
      auto store = ProfileStore::Open(folder.path());
      if (!store.ok()) return 2;
      for (int i = 0; i < kRounds; ++i) {
        absl::StatusOr<Transaction> step = (*store)->Begin();
        if (!step.ok()) return 3;
        auto value = step->Get(kContent, "n");
        if (!value.ok() || !value->has_value()) return 4;
        const int n = std::stoi(crypto::ToString((*value)->Reveal()));
        if (!step->Put(kContent, "n", crypto::ViewOf(std::to_string(n + 1))).ok()) return 5;
        if (!step->Commit().ok()) return 6;
      }
      return 0;
    }));
  }
  for (pid_t child : children) EXPECT_EQ(Wait(child), 0);
  auto store = MustOpen(folder.path());
  EXPECT_EQ(*GetText(*store, kContent, "n"), std::to_string(kProcesses * kRounds));
}

TEST(Sharing, OneProfileIsMadeWhenMoreProcessesTry) {
  TestFolder folder;
  std::vector<pid_t> children;
  for (int p = 0; p < 6; ++p) {
    children.push_back(Fork([&folder] {
      auto store = ProfileStore::Create(folder.path());
      return store.ok() ? 0 : store.status().code() == absl::StatusCode::kAlreadyExists ? 1 : 2;
    }));
  }
  int made = 0;
  for (pid_t child : children) {
    const int status = Wait(child);
    EXPECT_LE(status, 1);
    made += status == 0;
  }
  EXPECT_EQ(made, 1);
  EXPECT_TRUE(ProfileStore::Open(folder.path()).ok());
}

TEST(Sharing, AKilledWriterLeavesWholeTransactions) {
  TestFolder folder;
  MustCreate(folder.path()).reset();
  std::mt19937 random(7);
  for (int round = 0; round < 8; ++round) {
    const pid_t child = Fork([&folder] {
      auto store = ProfileStore::Open(folder.path());
      for (int i = 0; store.ok(); ++i) {
        absl::StatusOr<Transaction> step = (*store)->Begin();
        if (!step.ok()) return 3;
        const std::string n = std::to_string(i);
        for (const char* name : {"a", "b", "c"}) {
          if (!step->Put(kContent, name, crypto::ViewOf(n)).ok()) return 4;
        }
        if (!step->Commit().ok()) return 5;
      }
      return 2;
    });
    usleep(static_cast<useconds_t>(10'000 + random() % 30'000));
    kill(child, SIGKILL);
    EXPECT_EQ(Wait(child), 128 + SIGKILL);
    auto store = MustOpen(folder.path());
    const std::string a = *GetText(*store, kContent, "a");
    EXPECT_EQ(*GetText(*store, kContent, "b"), a);
    EXPECT_EQ(*GetText(*store, kContent, "c"), a);
    EXPECT_TRUE(store->CheckIntegrity().ok());
  }
}

TEST(Sharing, ForkedChildIsRefused) {
  TestFolder folder;
  auto store = MustCreate(folder.path());
  EXPECT_EQ(Wait(Fork([&store] {
              return store->Begin().status().code() == absl::StatusCode::kFailedPrecondition ? 0
                                                                                             : 1;
            })),
            0);
}

TEST(Watch, SeesOthersChangesOnce) {
  TestFolder folder;
  auto store = MustCreate(folder.path());
  absl::StatusOr<ChangeWatch> watch = store->Watch();
  ASSERT_TRUE(watch.ok());
  EXPECT_EQ(*watch->Changed(), false);
  ASSERT_TRUE(PutText(*store, kContent, "a", "one").ok());
  EXPECT_EQ(*watch->Changed(), true);
  EXPECT_EQ(*watch->Changed(), false);
  EXPECT_EQ(*watch->WaitForChange(std::chrono::milliseconds(60)), false);
  const pid_t child = Fork([&folder] {
    usleep(50'000);
    auto other = ProfileStore::Open(folder.path());
    return other.ok() && PutText(**other, kContent, "a", "two").ok() ? 0 : 1;
  });
  EXPECT_EQ(*watch->WaitForChange(std::chrono::seconds(20)), true);
  EXPECT_EQ(Wait(child), 0);
  std::thread interrupter([&watch] { watch->Interrupt(); });
  EXPECT_EQ(*watch->WaitForChange(std::chrono::seconds(20)), false);
  interrupter.join();
}

// --- a full disk ---

TEST(FullDisk, LosesNothing) {
  TestFolder folder;
  {
    auto store = MustCreate(folder.path());
    ASSERT_TRUE(PutText(*store, kContent, "a", "one").ok());
  }
  // A limit on the size of files is to a process what a full disk is.
  EXPECT_EQ(Wait(Fork([&folder] {
              auto store = ProfileStore::Open(folder.path());
              if (!store.ok()) return 2;
              signal(SIGXFSZ, SIG_IGN);
              const rlimit limit{300'000, 300'000};
              setrlimit(RLIMIT_FSIZE, &limit);
              const absl::Status full =
                  PutText(**store, kContent, "large", std::string(2 << 20, 'x'));
              if (full.code() != absl::StatusCode::kResourceExhausted) return 3;
              if (GetText(**store, kContent, "a").value_or("") != "one") return 4;
              if (GetText(**store, kContent, "large").value_or("") != "(none)") return 5;
              // Small things still fit, and the store goes on.
              return PutText(**store, kContent, "b", "two").ok() ? 0 : 6;
            })),
            0);
  auto store = MustOpen(folder.path());
  EXPECT_EQ(*GetText(*store, kContent, "a"), "one");
  EXPECT_EQ(*GetText(*store, kContent, "b"), "two");
  EXPECT_EQ(*GetText(*store, kContent, "large"), "(none)");
  EXPECT_TRUE(store->CheckIntegrity().ok());
}

// --- against a model ---

class StoreModel : public ::testing::TestWithParam<int> {};

TEST_P(StoreModel, AgreesWithAMap) {
  TestFolder folder;
  auto store = MustCreate(folder.path());
  std::mt19937 random(static_cast<unsigned>(GetParam()));
  using Key = std::pair<RecordClass, std::string>;
  std::map<Key, std::string> model;
  auto random_key = [&random] {
    return Key(static_cast<RecordClass>(1 + random() % 4), "name" + std::to_string(random() % 12));
  };
  for (int round = 0; round < 60; ++round) {
    std::map<Key, std::string> changed = model;
    {
      absl::StatusOr<Transaction> step = store->Begin();
      ASSERT_TRUE(step.ok()) << step.status();
      for (unsigned i = random() % 8; i > 0; --i) {
        const Key key = random_key();
        if (random() % 4 == 0) {
          ASSERT_TRUE(step->Delete(key.first, key.second).ok());
          changed.erase(key);
        } else {
          const std::string value(random() % 9000, static_cast<char>(random()));
          ASSERT_TRUE(step->Put(key.first, key.second, crypto::ViewOf(value)).ok());
          changed[key] = value;
        }
        const Key other = random_key();
        auto seen = step->Get(other.first, other.second);
        ASSERT_TRUE(seen.ok());
        ASSERT_EQ(seen->has_value(), changed.contains(other));
        if (seen->has_value()) {
          ASSERT_EQ(crypto::ToString((*seen)->Reveal()), changed[other]);
        }
      }
      if (random() % 3 != 0) {
        ASSERT_TRUE(step->Commit().ok());
        model = changed;
      }
    }
    if (random() % 10 == 0) {
      store.reset();
      store = MustOpen(folder.path());
    }
    for (int i = 0; i < 4; ++i) {
      const Key key = random_key();
      const auto expected = model.find(key);
      ASSERT_EQ(*GetText(*store, key.first, key.second),
                expected == model.end() ? "(none)" : expected->second);
    }
  }
  EXPECT_TRUE(store->CheckIntegrity().ok());
}

INSTANTIATE_TEST_SUITE_P(Seeds, StoreModel, ::testing::Range(0, 6));

}  // namespace
}  // namespace parley::client

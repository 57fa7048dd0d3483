// kill -9 in the middle of a purge. Whenever it comes, the store opens again, has all that wasn't
// deleted, what was acknowledged while the purge went on included, and the next purge removes the
// bytes that this one hadn't got to.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "storage/kv/rocksdb_store.h"

extern char** environ;

namespace parley::storage {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr int kOwners = 48;
constexpr int kOwnersInAFile = 8;

std::string KeyOf(int owner) { return "owner" + std::to_string(100 + owner) + "/"; }
std::string WordsOf(int owner) { return "words of owner " + std::to_string(100 + owner) + "."; }
std::string ChunkOf(int owner) { return WordsOf(owner) + std::string(300'000, 'c'); }

void Say(std::string_view what) {
  std::printf("%.*s\n", static_cast<int>(what.size()), what.data());
  std::fflush(stdout);
}

// Deletes what one owner has, and purges, while it commits to the store: says what is done.
int DeleteAndPurge(const std::string& folder, int owner) {
  auto opened = OpenRocksDbStore(folder);
  if (!opened.ok()) return 1;
  FolderStore& store = **opened;
  WriteBatch batch;
  for (const Space space : {Space::kRecords, Space::kEntries, Space::kChunks}) {
    batch.DeleteRange(space, KeyOf(owner), KeyOf(owner) + "~");
  }
  if (!store.Commit(batch, Durability::kSynced).ok()) return 1;
  Say("deleted");
  std::atomic<bool> is_over = false;
  std::thread writer([&] {
    for (int i = 0; !is_over; ++i) {
      const std::string key = "new" + std::to_string(owner) + "/" + std::to_string(i);
      WriteBatch more;
      more.Put(Space::kRecords, key, "new");
      more.Put(Space::kChunks, key, std::string(8000, 'n'));
      if (store.Commit(more, Durability::kSynced).ok()) Say(key);
    }
  });
  const absl::Status status = store.Purge();
  if (status.ok()) Say("purged");
  is_over = true;
  writer.join();
  return status.ok() ? 0 : 1;
}

// The other process, whose words are read until it is killed.
class Child {
 public:
  Child(const std::string& folder, int owner) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    std::string words[] = {"purge-kill", "--delete-and-purge", folder, std::to_string(owner)};
    char* argv[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(), nullptr};
    EXPECT_EQ(::posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    out_ = ::fdopen(ends[0], "r");
  }
  ~Child() {
    Kill();
    std::fclose(out_);
  }
  void Kill() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  // The next line; empty when there is none any more.
  std::string Line() {
    char line[128];
    if (std::fgets(line, sizeof line, out_) == nullptr) return "";
    std::string_view text(line);
    if (!text.ends_with('\n')) return "";  // it died over it
    text.remove_suffix(1);
    return std::string(text);
  }

 private:
  pid_t pid_ = 0;
  std::FILE* out_ = nullptr;
};

class PurgeKillTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("parley-purge-kill-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    auto store = OpenRocksDbStore(folder_);
    ASSERT_TRUE(store.ok()) << store.status();
    for (int owner = 0; owner < kOwners; ++owner) {
      WriteBatch batch;
      batch.Put(Space::kRecords, KeyOf(owner) + "1", WordsOf(owner) + " in a record");
      batch.Put(Space::kEntries, KeyOf(owner) + "1", WordsOf(owner) + " in an entry");
      batch.Put(Space::kChunks, KeyOf(owner) + "1", ChunkOf(owner));
      ASSERT_TRUE((*store)->Commit(batch, Durability::kSynced).ok());
      if (owner % kOwnersInAFile != kOwnersInAFile - 1) continue;
      // As a checkpoint does, this writes files of what there is.
      ASSERT_TRUE((*store)->MakeCheckpoint(folder_.string() + "-checkpoint").ok());
      fs::remove_all(folder_.string() + "-checkpoint");
    }
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::vector<std::string> Contents() const {
    std::vector<std::string> contents;
    for (const auto& file : fs::directory_iterator(folder_)) {
      std::ostringstream bytes;
      bytes << std::ifstream(file.path(), std::ios::binary).rdbuf();
      contents.push_back(std::move(bytes).str());
    }
    return contents;
  }

  fs::path folder_;
};

// Of owners that come one after another, each in another place.
int OwnerOf(int round) { return round * 11 % kOwners; }

TEST_F(PurgeKillTest, LosesNothingAndIsMadeGoodByTheNext) {
  constexpr int kRounds = 16;
  std::mt19937 random(std::random_device{}());
  int in_the_middle = 0;
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    std::string last;  // that was acknowledged
    bool purged = false;
    {
      Child child(folder_, OwnerOf(round));
      ASSERT_EQ(child.Line(), "deleted");
      std::this_thread::sleep_for(milliseconds(random() % 300));
      child.Kill();
      for (std::string line = child.Line(); !line.empty(); line = child.Line()) {
        if (line == "purged") {
          purged = true;
        } else {
          last = line;
        }
      }
    }
    in_the_middle += purged ? 0 : 1;
    auto store = OpenRocksDbStore(folder_);
    ASSERT_TRUE(store.ok()) << store.status();
    for (int owner = 0; owner < kOwners; ++owner) {
      bool is_kept = true;
      for (int earlier = 0; earlier <= round; ++earlier) is_kept &= owner != OwnerOf(earlier);
      const auto chunk = (*store)->GetChecked(Space::kChunks, KeyOf(owner) + "1");
      const auto entry = (*store)->GetChecked(Space::kEntries, KeyOf(owner) + "1");
      ASSERT_TRUE(chunk.ok() && entry.ok()) << chunk.status() << entry.status();
      ASSERT_EQ(chunk->has_value(), is_kept) << owner;
      ASSERT_EQ(entry->has_value(), is_kept) << owner;
      if (!is_kept) continue;
      ASSERT_TRUE(**chunk == ChunkOf(owner)) << owner;
    }
    if (!last.empty()) {
      const int count = std::stoi(last.substr(last.find('/') + 1)) + 1;
      for (int i = 0; i < count; ++i) {
        const std::string key = last.substr(0, last.find('/') + 1) + std::to_string(i);
        ASSERT_TRUE((*store)->GetChecked(Space::kRecords, key)->has_value()) << key;
        ASSERT_EQ(**(*store)->GetChecked(Space::kChunks, key), std::string(8000, 'n')) << key;
      }
    }
    if (round % 4 != 3) continue;
    const absl::Status status = (*store)->Purge();
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_FALSE((*store)->HasDeleted());
    const std::vector<std::string> contents = Contents();
    for (int earlier = 0; earlier <= round; ++earlier) {
      for (const std::string& content : contents) {
        EXPECT_EQ(content.find(WordsOf(OwnerOf(earlier))), std::string::npos) << earlier;
      }
    }
  }
  std::printf("%d of %d kills came while the purge went on\n", in_the_middle, kRounds);
  EXPECT_GT(in_the_middle, 0);
}

}  // namespace
}  // namespace parley::storage

int main(int argc, char** argv) {
  if (argc == 4 && std::string_view(argv[1]) == "--delete-and-purge") {
    return parley::storage::DeleteAndPurge(argv[2], std::stoi(argv[3]));
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

// A file worker in the hands of a hostile file: whatever it answers, or doesn't, the caller gets
// something true or an error, in time, and no process is left.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "client-lib/file_worker/file_worker.h"

namespace parley::file_worker {
namespace {

using ::testing::HasSubstr;

class LyingWorkerTest : public ::testing::Test {
 protected:
  LyingWorkerTest() {
    std::string pattern = ::testing::TempDir() + "parley-worker-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~LyingWorkerTest() override {
    std::filesystem::remove_all(folder_);
    EXPECT_TRUE(waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD) << "a process is left";
  }

  std::string Write(const std::string& bytes) {
    const std::string path = folder_ / "file";
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  absl::StatusOr<std::string> Text(const std::string& what) { return worker_.Text(Write(what)); }

  std::filesystem::path folder_;
  const FileWorker worker_{PARLEY_LYING_WORKER};
  const FileWorker impatient_{PARLEY_LYING_WORKER, std::chrono::milliseconds(300)};
};

TEST_F(LyingWorkerTest, IsGivenNothingButWhatItNeeds) {
  const int open_here = open("/dev/null", O_RDONLY);  // not to be inherited, though it could be
  setenv("PARLEY_PASSPHRASE", "secret", 1);
  const absl::StatusOr<std::string> given = Text("given");
  close(open_here);
  ASSERT_TRUE(given.ok()) << given.status();
  EXPECT_EQ(*given, "descriptors: 0 1 2; no environment");
}

TEST_F(LyingWorkerTest, IsBelievedNothing) {
  for (const char* what : {"not utf-8", "endless", "overlong", "fails after its answer", "dies",
                           "says nothing", "half"}) {
    const absl::StatusOr<std::string> text = Text(what);
    ASSERT_FALSE(text.ok()) << what;
    EXPECT_NE(text.status().message(), "") << what;
  }
}

// An archive's members are records, or the answer counts for nothing.
TEST_F(LyingWorkerTest, CanNotSayOfAnArchiveWhatItLikes) {
  for (const char* what : {"given", "not utf-8", "endless", "overlong", "fails after its answer",
                           "dies", "says nothing", "half"}) {
    const absl::Status status =
        worker_.Contents(Write(what), [](const PackedFile&) { return absl::OkStatus(); });
    EXPECT_FALSE(status.ok()) << what;
    EXPECT_FALSE(status.message().empty()) << what;
  }
}

TEST_F(LyingWorkerTest, IsWaitedForNoLongerThanItMay) {
  for (const char* what : {"hangs", "hangs after its answer", "leaves a child"}) {
    const absl::StatusOr<std::string> text = impatient_.Text(Write(what));
    ASSERT_FALSE(text.ok()) << what;
    EXPECT_THAT(text.status().message(), HasSubstr("took too long")) << what;
  }
}

TEST_F(LyingWorkerTest, NothingIsReadWhereNoSandboxCanBeClosed) {
  const absl::Status refused = Text("refuses").status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_THAT(refused.message(), HasSubstr("seccomp"));
  const absl::Status missing = FileWorker("/nowhere/parley-file-worker").Text(Write("x")).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(missing)) << missing;
}

TEST_F(LyingWorkerTest, CanNotPassOffSomethingElseAsAPicture) {
  EXPECT_FALSE(IsPreview("<html>"));
  EXPECT_FALSE(IsPreview("\xff\xd8\xff" + std::string(kMostPreviewAnswer, 'x')));
  EXPECT_TRUE(IsPreview("\xff\xd8\xff"));
  const std::string path = Write("\xff\xd8\xff picture");
  const int copy = open((folder_ / "copy").c_str(), O_RDWR | O_CREAT, 0600);
  EXPECT_FALSE(worker_.Clean(path, copy).ok());
  close(copy);
}

// The pieces come from the caller's own texts, and have to make up both.
TEST_F(LyingWorkerTest, CanNotInventADifference) {
  const auto piece = [](int kind, int length) {
    return std::string{static_cast<char>(kind), 0, 0, 0, static_cast<char>(length)};
  };
  // The worker reads what it is to say from the texts themselves.
  const auto difference = [&](const std::string& pieces) {
    return worker_.Difference("pieces ", pieces);
  };
  EXPECT_FALSE(difference("").ok());
  EXPECT_FALSE(difference(piece(0, 5)).ok()) << "not the same";
  EXPECT_FALSE(difference(piece(1, 7) + piece(2, 9)).ok()) << "not all of it";
  EXPECT_FALSE(difference(piece(1, 8) + piece(2, 10)).ok()) << "too much";
  EXPECT_FALSE(difference(piece(1, 3) + piece(1, 4) + piece(2, 15)).ok()) << "twice the same kind";
  EXPECT_FALSE(difference(piece(1, 7) + piece(3, 10)).ok()) << "no such kind";
  EXPECT_FALSE(difference(piece(1, 7) + piece(2, 0) + piece(2, 15)).ok()) << "nothing in it";
  EXPECT_FALSE(difference(piece(1, 7) + piece(2, 10) + "x").ok()) << "a piece cut off";
  const std::string honest = piece(1, 7) + piece(2, 10);
  const absl::StatusOr<TextDifference> good = difference(honest);
  ASSERT_TRUE(good.ok()) << good.status();
  EXPECT_EQ(good->pieces.size(), 2u);
  EXPECT_EQ(good->pieces[1].text, honest);
}

}  // namespace
}  // namespace parley::file_worker

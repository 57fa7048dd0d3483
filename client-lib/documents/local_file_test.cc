#include "client-lib/documents/local_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

namespace parley::client::internal {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

// In memory and, as a rule, on a disk: not every file system takes direct writes.
class LocalFileTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    folder_ = std::string(GetParam()) + "/parley-local-file-XXXXXX";
    if (mkdtemp(folder_.data()) == nullptr) GTEST_SKIP() << "no folder in " << GetParam();
  }
  ~LocalFileTest() override { std::filesystem::remove_all(folder_); }

  std::string Path() const { return folder_ + "/part"; }
  std::string Content() const {
    std::ifstream file(Path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::string folder_;
};

TEST_P(LocalFileTest, PiecesAreWrittenDirectlyOrNotAndReadBackTheSame) {
  auto part = LocalFile::OpenPart(Path());
  ASSERT_TRUE(part.ok()) << part.status();
  part->WriteDirectly();
  ASSERT_TRUE(part->Reserve(0, 4 * kMiB).ok());
  struct Free {
    void operator()(uint8_t* memory) const { std::free(memory); }
  };
  const std::unique_ptr<uint8_t, Free> memory(
      static_cast<uint8_t*>(std::aligned_alloc(kDirectAlignment, 2 * kMiB)));
  const std::span<uint8_t> bytes(memory.get(), 2 * kMiB);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * i >> 7);
  // The later piece first; one from memory that isn't aligned, at an offset that isn't.
  ASSERT_TRUE(part->WritePiece(kMiB, bytes.first(kMiB)).ok());
  ASSERT_TRUE(part->WritePiece(0, bytes.subspan(kMiB, kMiB)).ok());
  ASSERT_TRUE(part->WritePiece(2 * kMiB, bytes.subspan(1, kMiB)).ok());
  ASSERT_TRUE(part->WritePiece(3 * kMiB, bytes.subspan(2, 77)).ok());
  ASSERT_TRUE(part->WritePiece(3 * kMiB + 77, bytes.subspan(79, kDirectAlignment)).ok());
  ASSERT_TRUE(part->Truncate(3 * kMiB + 77 + kDirectAlignment).ok());
  ASSERT_TRUE(part->Sync().ok());

  const std::string all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  EXPECT_TRUE(Content() == all.substr(kMiB) + all.substr(0, kMiB) + all.substr(1, kMiB) +
                               all.substr(2, 77 + kDirectAlignment));
  crypto::Bytes back(kMiB);
  ASSERT_TRUE(part->ReadPiece(kMiB, back).ok());
  EXPECT_EQ(std::memcmp(back.data(), bytes.data(), kMiB), 0);
}

TEST_P(LocalFileTest, AFileInItsPlaceIsNotWrittenTo) {
  auto part = LocalFile::OpenPart(Path());
  ASSERT_TRUE(part.ok()) << part.status();
  std::filesystem::rename(Path(), folder_ + "/moved");
  std::ofstream(Path()) << "another's";
  part->WriteDirectly();
  const std::unique_ptr<void, decltype(&std::free)> memory(
      std::aligned_alloc(kDirectAlignment, kDirectAlignment), &std::free);
  std::memset(memory.get(), 'p', kDirectAlignment);
  ASSERT_TRUE(
      part->WritePiece(0, {static_cast<const uint8_t*>(memory.get()), kDirectAlignment}).ok());
  EXPECT_EQ(Content(), "another's");
}

TEST_P(LocalFileTest, RoomIsNeededForWhatIsNotThereYet) {
  auto part = LocalFile::OpenPart(Path());
  ASSERT_TRUE(part.ok()) << part.status();
  constexpr uint64_t kExbibyte = uint64_t{1} << 60;
  EXPECT_TRUE(part->CheckSpace(kMiB, 0).ok());
  EXPECT_EQ(part->CheckSpace(kExbibyte, 0).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(part->CheckSpace(kExbibyte, kExbibyte).ok());
  EXPECT_TRUE(part->CheckSpace(kExbibyte, kExbibyte - kMiB).ok());
  EXPECT_EQ(part->Reserve(0, kExbibyte).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(part->Reserve(0, kMiB).ok());
}

INSTANTIATE_TEST_SUITE_P(Folders, LocalFileTest, ::testing::Values("/dev/shm", "/var/tmp"));

}  // namespace
}  // namespace parley::client::internal

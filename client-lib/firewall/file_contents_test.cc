#include "client-lib/firewall/file_contents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zip.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "client-lib/file_worker/contents.h"
#include "crypto/base/bytes.h"

namespace parley::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Members = std::vector<std::pair<std::string, std::string>>;

crypto::TreeHash RootOf(const std::string& bytes) {
  crypto::TreeHasher tree;
  for (size_t i = 0; i < bytes.size(); i += crypto::kTreePieceSize) {
    tree.AddPiece(crypto::ViewOf(std::string_view(bytes).substr(i, crypto::kTreePieceSize)));
  }
  return tree.Root();
}

class FileContentsTest : public ::testing::Test {
 protected:
  FileContentsTest() {
    std::string pattern = ::testing::TempDir() + "parley-contents-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~FileContentsTest() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& bytes) {
    const std::string path = folder_ / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  static std::string Read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::string Zip(const std::string& name, const Members& members, const char* password = nullptr) {
    const std::string path = folder_ / name;
    zip_t* const archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
    for (const auto& [member, bytes] : members) {
      zip_source_t* const source = zip_source_buffer(archive, bytes.data(), bytes.size(), 0);
      const zip_int64_t index = zip_file_add(archive, member.c_str(), source, ZIP_FL_ENC_UTF_8);
      EXPECT_GE(index, 0) << member;
      if (password != nullptr) {
        EXPECT_EQ(zip_file_set_encryption(archive, static_cast<zip_uint64_t>(index), ZIP_EM_AES_256,
                                          password),
                  0);
      }
    }
    EXPECT_EQ(zip_close(archive), 0);
    return path;
  }

  absl::Status Visit(const std::string& path) {
    pieces_.clear();
    return VisitFile(path, [this](const FilePiece& piece) {
      pieces_.push_back(piece);
      return absl::OkStatus();
    });
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const FilePiece& piece : pieces_) names.push_back(piece.inside);
    return names;
  }

  std::filesystem::path folder_;
  std::vector<FilePiece> pieces_;
};

TEST_F(FileContentsTest, AFileIsHashedAsItsManifestDoes) {
  const std::string large(3 * crypto::kTreePieceSize / 2, 'x');
  ASSERT_TRUE(Visit(Write("large.txt", large)).ok());
  ASSERT_EQ(pieces_.size(), 1u);
  EXPECT_EQ(pieces_[0].root, RootOf(large));
  EXPECT_EQ(pieces_[0].size, large.size());
  EXPECT_EQ(pieces_[0].text, large);
  ASSERT_TRUE(Visit(Write("picture", "\xFF\xD8\xFF")).ok());
  EXPECT_EQ(pieces_[0].text, "");
}

TEST_F(FileContentsTest, MembersAreHashedToo) {
  const std::string large(3 * crypto::kTreePieceSize / 2, 'y');
  ASSERT_TRUE(Visit(Zip("a.zip", {{"letters/brief.txt", large}, {"b.bin", "\xFF"}})).ok());
  EXPECT_THAT(Names(), ElementsAre("", "letters/brief.txt", "b.bin"));
  EXPECT_EQ(pieces_[1].root, RootOf(large));
  EXPECT_EQ(pieces_[1].text, large);
  EXPECT_EQ(pieces_[2].root, RootOf("\xFF"));
}

TEST_F(FileContentsTest, WordsThatTagsDivideComeTogether) {
  const std::string document =
      "<w:p><w:r><w:t>Our flo</w:t></w:r><w:r><w:t>or is&#160;690</w:t></w:r></w:p>";
  ASSERT_TRUE(Visit(Zip("letter.docx", {{"word/document.xml", document}})).ok());
  EXPECT_EQ(pieces_[1].text, "Our floor is690");
}

TEST_F(FileContentsTest, ArchivesInArchivesAreOpened) {
  const std::string inner = Read(Zip("inner.zip", {{"secret.txt", "floor"}}));
  const std::string middle = Read(Zip("middle.zip", {{"inner.zip", inner}}));
  ASSERT_TRUE(Visit(Zip("outer.zip", {{"middle.zip", middle}})).ok());
  EXPECT_THAT(Names(), ElementsAre("", "middle.zip", "middle.zip/inner.zip",
                                   "middle.zip/inner.zip/secret.txt"));
  const std::string outer = Read(folder_ / "outer.zip");
  const absl::Status deeper = Visit(Zip("deeper.zip", {{"outer.zip", outer}}));
  EXPECT_EQ(deeper.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(deeper.message()), HasSubstr("too deeply"));
}

TEST_F(FileContentsTest, WhatUnpacksToTooMuchIsRefused) {
  const std::string zeros(size_t{80} << 20, '\0');  // packs to 80 KB
  const absl::Status bomb = Visit(Zip("bomb.zip", {{"zeros", zeros}}));
  EXPECT_EQ(bomb.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(bomb.message()), HasSubstr("MiB"));
}

TEST_F(FileContentsTest, TooManyMembersAreRefused) {
  Members members;
  for (uint64_t i = 0; i <= file_worker::kMostArchiveMembers; ++i)
    members.emplace_back(std::to_string(i), "");
  const absl::Status many = Visit(Zip("many.zip", members));
  EXPECT_EQ(many.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(many.message()), HasSubstr("members"));
}

TEST_F(FileContentsTest, OfEncryptedMembersTheNamesAreShown) {
  ASSERT_TRUE(Visit(Zip("locked.zip", {{"secret.txt", "floor"}}, "password")).ok());
  EXPECT_THAT(Names(), ElementsAre("", "secret.txt"));
  EXPECT_EQ(pieces_[1].size, 0u);
}

TEST_F(FileContentsTest, WhatCallsItselfAFolderIsLookedAt) {
  ASSERT_TRUE(Visit(Zip("folders.zip", {{"their floor/", ""}, {"brief.txt/", "floor"}})).ok());
  EXPECT_THAT(Names(), ElementsAre("", "their floor/", "brief.txt/"));
  EXPECT_EQ(pieces_[2].text, "floor");
}

// One wrong byte in a checksum: other programs unpack all of it, and warn.
TEST_F(FileContentsTest, WhatADamagedMemberHasIsLookedAt) {
  std::string bytes = Read(Zip("whole.zip", {{"a.txt", std::string(300, 'a')}}));
  const size_t directory = bytes.find("PK\x01\x02");
  ASSERT_NE(directory, std::string::npos);
  bytes[14] = static_cast<char>(bytes[14] ^ 1);  // the checksum in the member's header
  bytes[directory + 16] = static_cast<char>(bytes[directory + 16] ^ 1);  // and in the directory
  ASSERT_TRUE(Visit(Write("damaged.zip", bytes)).ok());
  ASSERT_EQ(pieces_.size(), 2u);
  EXPECT_EQ(pieces_[1].text, std::string(300, 'a'));
}

// Bytes of an archive changed, and beginnings of it: nothing crashes or runs on.
TEST_F(FileContentsTest, DamagedArchivesAreRefusedOrLookedAt) {
  const std::string good =
      Read(Zip("good.zip", {{"a.txt", std::string(300, 'a')}, {"b/c.txt", "short"}}));
  const size_t end = good.rfind("PK\x05\x06");
  for (size_t i = 0; i < good.size(); i += 13) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ (i % 2 == 0 ? 0xFF : 0x01));
    const absl::Status status = Visit(Write("bad.zip", bad));
    ASSERT_TRUE(status.ok() || absl::IsResourceExhausted(status) ||
                absl::IsFailedPrecondition(status))
        << i << " " << status;
    ASSERT_FALSE(pieces_.empty());
    // Its beginning is gone instead: what is left claims places that aren't there.
    ASSERT_EQ(Visit(Write("end.zip", good.substr(i))).ok(), i == 0 || i > end) << i;
    // Its end is gone.
    ASSERT_EQ(Visit(Write("beginning.zip", good.substr(0, i))).ok(), i < 4) << i;
  }
}

// A program that unpacks itself: the archive stands behind it, and doesn't count its bytes.
TEST_F(FileContentsTest, AnArchiveBehindForeignBytesIsOpened) {
  const std::string archive = Read(Zip("a.zip", {{"secret.txt", "floor"}, {"b.txt", "other"}}));
  const std::string foreign = "MZ" + std::string(100'000, '\x90');
  ASSERT_TRUE(Visit(Write("setup.exe", foreign + archive)).ok());
  EXPECT_THAT(Names(), ElementsAre("", "secret.txt", "b.txt"));
  EXPECT_EQ(pieces_[1].root, RootOf("floor"));
  EXPECT_EQ(pieces_[1].text, "floor");
  ASSERT_TRUE(Visit(Zip("outer.zip", {{"setup.exe", foreign + archive}})).ok());
  EXPECT_THAT(Names(), ElementsAre("", "setup.exe", "setup.exe/secret.txt", "setup.exe/b.txt"));
}

TEST_F(FileContentsTest, APartOfAnArchiveIsRefused) {
  const std::string archive = Read(Zip("a.zip", {{"secret.txt", "floor"}}));
  std::string last = archive;
  last[archive.rfind("PK\x05\x06") + 4] = 1;  // the number of this part
  const std::string first = std::string("PK\x07\x08", 4) + archive.substr(0, archive.size() / 2);
  for (const std::string& part : {last, first}) {
    for (const std::string& path : {Write("part", part), Zip("outer.zip", {{"part", part}})}) {
      const absl::Status refused = Visit(path);
      EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
      EXPECT_THAT(std::string(refused.message()), HasSubstr("one of several parts"));
      EXPECT_THAT(std::string(refused.message()), HasSubstr("unpack it, and share what is needed"));
    }
  }
}

TEST_F(FileContentsTest, ALargeArchiveBehindForeignBytesInAnArchiveIsRefused) {
  const std::string archive = Read(Zip("a.zip", {{"secret.txt", "floor"}}));
  const std::string foreign(file_worker::kMostMemberText, '\0');
  const absl::Status refused = Visit(Zip("outer.zip", {{"setup.exe", foreign + archive}}));
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("within it is too large"));
}

// The words that tell an archive, in what is none.
TEST_F(FileContentsTest, AFileThatSpeaksOfArchivesIsNone) {
  const std::string speaks = "It ends with PK\x05\x06, of 22 bytes and a comment.";
  ASSERT_TRUE(Visit(Write("appnote.txt", speaks)).ok());
  EXPECT_THAT(Names(), ElementsAre(""));
  ASSERT_TRUE(Visit(Zip("notes.zip", {{"appnote.txt", speaks}})).ok());
  EXPECT_THAT(Names(), ElementsAre("", "appnote.txt"));
}

// One member that the directory lists again and again: little to store, endless to unpack.
TEST_F(FileContentsTest, MembersThatShareTheirBytesAreCountedEach) {
  const std::string one = Read(Zip("one.zip", {{"zeros", std::string(size_t{4} << 20, '\0')}}));
  const size_t end = one.rfind("PK\x05\x06");
  const size_t directory = one.rfind("PK\x01\x02");
  ASSERT_NE(end, std::string::npos);
  const std::string entry = one.substr(directory, end - directory);
  constexpr uint16_t kTimes = 5'000;
  std::string many = one.substr(0, directory);
  for (int i = 0; i < kTimes; ++i) many += entry;
  std::string tail = one.substr(end);
  const auto put = [&tail](size_t at, uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) tail[at + i] = static_cast<char>(value >> (8 * i) & 0xff);
  };
  put(8, kTimes, 2);
  put(10, kTimes, 2);
  put(12, static_cast<uint32_t>(entry.size() * kTimes), 4);
  const absl::Status overlapping = Visit(Write("overlapping.zip", many + tail));
  EXPECT_EQ(overlapping.code(), absl::StatusCode::kResourceExhausted) << overlapping;
  EXPECT_GT(pieces_.size(), 2u);
  EXPECT_LT(pieces_.size(), 100u);
}

// Not even the directory's count is believed; some programs would find the members without it.
TEST_F(FileContentsTest, ADirectoryThatPointsNowhereIsRefused) {
  std::string bad = Read(Zip("good.zip", {{"secret.txt", "floor"}}));
  const size_t end = bad.rfind("PK\x05\x06");
  for (const size_t at : {end + 8, end + 10, end + 12, end + 16}) {
    std::string one = bad;
    one[at] = one[at + 1] = '\xff';
    EXPECT_EQ(Visit(Write("bad.zip", one)).code(), absl::StatusCode::kFailedPrecondition)
        << at - end;
    EXPECT_THAT(Names(), ElementsAre(""));
  }
}

TEST_F(FileContentsTest, WhatTheVisitorSaysEndsIt) {
  const std::string path = Zip("a.zip", {{"a", "1"}, {"b", "2"}});
  int visited = 0;
  const absl::Status status = VisitFile(path, [&](const FilePiece& piece) {
    ++visited;
    return piece.inside == "a" ? absl::PermissionDeniedError("held") : absl::OkStatus();
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(visited, 2);
}

TEST_F(FileContentsTest, AFileThatIsNotThereIsAnError) {
  EXPECT_FALSE(Visit(folder_ / "missing").ok());
}

}  // namespace
}  // namespace parley::client

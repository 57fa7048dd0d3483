// What is in documents, through the public calls: metadata taken out on sharing, previews, texts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "client-lib/api/firewall_for_test.h"

namespace parley::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kPlanted[] = "Wharfdale7";

std::string Segment(char code, const std::string& payload) {
  const size_t length = payload.size() + 2;
  return std::string{'\xff', code, static_cast<char>(length >> 8), static_cast<char>(length)} +
         payload;
}

class DocumentContentsTest : public FirewallTest {
 protected:
  // A real photograph, with who took it.
  static std::string Photograph(const std::string& comment = kPlanted) {
    const std::string plain = ReadFile(PARLEY_TEST_DATA "/conveyor.jpg");
    return plain.substr(0, 2) + Segment('\xfe', comment + " took it") + plain.substr(2);
  }

  SentMessage Sent(const std::string& name, const std::string& channel, const std::string& path,
                   const ShareOptions& options = {}) {
    return Must(Of(name).Share(Ref(name, channel), path, options), "sharing");
  }

  Document Latest(const std::string& name, const std::string& channel) {
    Sync(name);
    return Must(Of(name).Documents(Ref(name, channel)), "documents").back();
  }

  std::string Fetched(const std::string& name, const Document& document) {
    const std::string path = folder_ / "fetched";
    EXPECT_TRUE(Of(name).Fetch(document.ref, path, {.overwrite = true}).ok());
    return ReadFile(path);
  }

  // Files of Ana's profile beside its database.
  size_t FilesOf(const std::string& name) {
    size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / name)) {
      files += entry.path().filename().string().find("clean") != std::string::npos ||
               entry.path().filename().string().find("disclosing-") != std::string::npos;
    }
    return files;
  }
};

TEST_F(DocumentContentsTest, APhotographIsSharedWithoutItsMetadata) {
  const std::string path = Write("site.jpg", Photograph());
  const SentMessage sent = Sent("Ana", kHarbor, path);
  EXPECT_EQ(sent.metadata, MetadataOutcome::kRemoved);
  EXPECT_THAT(sent.removed, Contains("comments"));
  EXPECT_EQ(ReadFile(path), Photograph()) << "the original was changed";
  const Document document = Latest("Mira", kHarbor);
  const std::string fetched = Fetched("Mira", document);
  EXPECT_THAT(fetched, Not(HasSubstr(kPlanted)));
  EXPECT_EQ(document.size, fetched.size());
  EXPECT_EQ(document.name, "site.jpg");
  const std::string picture = Photograph().substr(Photograph().find("\xff\xdb"));
  EXPECT_TRUE(fetched.ends_with(picture)) << "the picture isn't the same";
  EXPECT_EQ(FilesOf("Ana"), 0u);

  EXPECT_EQ(Sent("Ana", kHarbor, path, {.keep_metadata = true}).metadata, MetadataOutcome::kKept);
  EXPECT_EQ(Fetched("Mira", Latest("Mira", kHarbor)), Photograph());
}

TEST_F(DocumentContentsTest, WhatCanNotBeCleanedIsRefusedWithTheWayOut) {
  const std::string path = Write("torn.jpg", Photograph().substr(0, 3000));
  const Status refused = Share("Ana", kHarbor, path);
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.message(), HasSubstr("--keep-metadata"));
  Sync("Mira");
  EXPECT_TRUE(Must(Of("Mira").Documents(Ref("Mira", kHarbor)), "documents").empty());
  EXPECT_EQ(Sent("Ana", kHarbor, path, {.keep_metadata = true}).metadata, MetadataOutcome::kKept);
  EXPECT_EQ(Sent("Ana", kHarbor, Write("a.txt", "words")).metadata, MetadataOutcome::kNotCleaned);
}

// That it goes on where it was, transfer_test shows.
TEST_F(DocumentContentsTest, ACleanedUploadThatWasInterruptedIsFinished) {
  std::string photograph = Photograph();
  photograph.insert(photograph.size() - 2, std::string(40'000'000, 'x'));  // of its scan
  const std::string path = Write("large.jpg", photograph);
  const Result<SentMessage> stopped =
      Of("Ana").Share(Ref("Ana", kHarbor), path, {}, [](uint64_t, uint64_t) { return false; });
  ASSERT_EQ(stopped.status().code(), StatusCode::kCancelled);
  EXPECT_EQ(FilesOf("Ana"), 0u);
  PARLEY_ASSERT_OK(Another("Ana").Share(Ref("Ana", kHarbor), path));
  EXPECT_THAT(Fetched("Mira", Latest("Mira", kHarbor)), Not(HasSubstr(kPlanted)));
}

// Whichever of the two was confided, neither goes elsewhere.
TEST_F(DocumentContentsTest, TheFirewallKnowsAFileWithAndWithoutItsMetadata) {
  const std::string path = Write("site.jpg", Photograph());
  Sent("Ana", kHarbor, path);
  const std::string cleaned = Write("cleaned.jpg", Fetched("Mira", Latest("Mira", kHarbor)));
  for (const std::string& file : {path, cleaned, Write("other.jpg", Photograph("somebody else"))}) {
    EXPECT_EQ(Share("Mira", kNorthline, file).code(), StatusCode::kPermissionDenied) << file;
  }
  std::string other = Photograph();
  other.insert(other.size() - 2, "another picture");
  const std::string kept = Write("kept.jpg", other);
  Sent("Lee", kHarbor, kept, {.keep_metadata = true});
  Sync("Mira");
  EXPECT_EQ(Share("Mira", kNorthline, kept).code(), StatusCode::kPermissionDenied);
  const Result<SentMessage> as_it_is =
      Of("Mira").Share(Ref("Mira", kNorthline), kept, {.keep_metadata = true});
  EXPECT_EQ(as_it_is.status().code(), StatusCode::kPermissionDenied);
}

TEST_F(DocumentContentsTest, APreviewTravelsWithThePicture) {
  Sent("Ana", kHarbor, Write("site.jpg", Photograph()));
  const Document document = Latest("Mira", kHarbor);
  ASSERT_GT(document.preview_size, 0u);
  const std::string preview = Must(Of("Mira").Preview(document.ref), "preview");
  EXPECT_EQ(preview.size(), document.preview_size);
  EXPECT_LE(preview.size(), 64u * 1024);
  EXPECT_TRUE(preview.starts_with("\xff\xd8\xff"));
  Sent("Ana", kHarbor, Write("a.txt", "words"));
  const Document text = Latest("Mira", kHarbor);
  EXPECT_EQ(text.preview_size, 0u);
  EXPECT_EQ(Of("Mira").Preview(text.ref).status().code(), StatusCode::kNotFound);
}

TEST_F(DocumentContentsTest, TheTextsOfDocumentsAreCompared) {
  const Document older = [&] {
    Sent("Ana", kHarbor, Write("offer.md", "# Offer\n\nHarbor pays 690 thousand.\nBy June.\n"));
    return Latest("Mira", kHarbor);
  }();
  Sent("Ana", kHarbor, Write("offer-2.md", "# Offer\n\nHarbor pays 720 thousand.\nBy June.\n"),
       {.replaces = older.ref.message_id});
  const Document newer = Latest("Mira", kHarbor);
  EXPECT_THAT(Must(Of("Mira").Text(newer.ref), "text"), HasSubstr("720 thousand"));
  const TextDifference difference = Must(Of("Mira").Difference(older.ref, newer.ref), "difference");
  std::string before;
  std::string after;
  for (const TextPiece& piece : difference.pieces) {
    if (piece.kind != PieceKind::kAdded) before += piece.text;
    if (piece.kind != PieceKind::kRemoved) after += piece.text;
  }
  EXPECT_EQ(before, Must(Of("Mira").Text(older.ref), "text"));
  EXPECT_EQ(after, Must(Of("Mira").Text(newer.ref), "text"));
  ASSERT_EQ(difference.pieces.size(), 4u);
  EXPECT_EQ(difference.pieces[1].text, "690");
  EXPECT_EQ(difference.pieces[2].text, "720");
  EXPECT_EQ(FilesOf("Mira"), 0u);
  Sent("Ana", kHarbor, Write("noise.bin", "\xff\xfe noise"));
  const Status none = Of("Mira").Text(Latest("Mira", kHarbor).ref).status();
  EXPECT_EQ(none.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(none.message(), HasSubstr("noise.bin"));
}

}  // namespace
}  // namespace parley::testing

// The real file worker, in its sandbox, over files that mean harm and files that don't.
#include "client-lib/file_worker/file_worker.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zip.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace parley::file_worker {
namespace {

using ::testing::HasSubstr;
using Members = std::vector<std::pair<std::string, std::string>>;

std::string Word(const std::string& body) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?><w:document "
         "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>" +
         body + "</w:body></w:document>";
}

std::string Paragraph(const std::string& text) {
  return "<w:p><w:r><w:t>" + text + "</w:t></w:r></w:p>";
}

class FileWorkerTest : public ::testing::Test {
 protected:
  FileWorkerTest() {
    std::string pattern = ::testing::TempDir() + "parley-files-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~FileWorkerTest() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& bytes) {
    const std::string path = folder_ / "file";
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  std::string Zip(const Members& members) {
    const std::string path = folder_ / "file.docx";
    zip_t* const archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
    for (const auto& [name, bytes] : members) {
      zip_source_t* const source = zip_source_buffer(archive, bytes.data(), bytes.size(), 0);
      const zip_int64_t index = zip_file_add(archive, name.c_str(), source, ZIP_FL_ENC_UTF_8);
      EXPECT_GE(index, 0);
      zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), ZIP_CM_DEFLATE, 1);
    }
    EXPECT_EQ(zip_close(archive), 0);
    return path;
  }
  std::string Docx(const std::string& document) { return Zip({{"word/document.xml", document}}); }

  absl::StatusOr<std::string> Text(const std::string& path) { return worker_->Text(path); }

  // Its text, and "" for one that is refused with a message.
  std::string TextOrNone(const std::string& path) {
    const absl::StatusOr<std::string> text = Text(path);
    if (text.ok()) return *text;
    EXPECT_TRUE(absl::IsInvalidArgument(text.status()) ||
                absl::IsResourceExhausted(text.status()) ||
                absl::IsFailedPrecondition(text.status()))
        << text.status();
    return "";
  }

  std::filesystem::path folder_;
  const absl::StatusOr<FileWorker> worker_ = FileWorker::Find();
};

TEST_F(FileWorkerTest, ReadsPlainTextAsItIs) {
  EXPECT_EQ(*Text(Write("\xef\xbb\xbf# Offer\r\n\r\nWe pay 690.\f\ttabbed\x01\n")),
            "# Offer\n\nWe pay 690.\n\ttabbed\n");
  EXPECT_EQ(*Text(Write("")), "");
  EXPECT_EQ(TextOrNone(Write("caf\xe9")), "");
  EXPECT_EQ(TextOrNone(Write(std::string("a\0b", 3))), "");
  EXPECT_EQ(TextOrNone(Write("\xff\xd8\xff\xe0 a picture")), "");
  EXPECT_FALSE(Text(folder_ / "missing").ok());
  EXPECT_FALSE(Text(folder_).ok());
}

TEST_F(FileWorkerTest, ReadsTheTextOfADocx) {
  const std::string body = Paragraph("Price: 690 &amp; costs") +
                           "<w:p><w:r><w:t>split </w:t></w:r><w:r><w:t>words</w:t><w:tab/>"
                           "<w:t>tab</w:t><w:br/><w:delText>gone</w:delText></w:r></w:p>";
  EXPECT_EQ(*Text(Docx(Word(body))), "Price: 690 & costs\nsplit words\ttab\n\n");
  EXPECT_EQ(*Text(Zip({{"word/document.xml", Word(Paragraph("text"))},
                       {"word/footnotes.xml", Word(Paragraph("note"))}})),
            "text\nnote\n");
}

TEST_F(FileWorkerTest, RefusesADocxThatIsNone) {
  EXPECT_EQ(TextOrNone(Zip({{"other.xml", Word("")}})), "");
  EXPECT_EQ(TextOrNone(Docx("no XML")), "");
  EXPECT_EQ(TextOrNone(Docx(Word(Paragraph("x")).substr(0, 150))), "");
  EXPECT_EQ(TextOrNone(Write("PK\x03\x04 and no more")), "");
}

// The bombs that every reader of XML and ZIP has to stand.
TEST_F(FileWorkerTest, StandsBombs) {
  std::string entities = "<?xml version=\"1.0\"?><!DOCTYPE d [<!ENTITY a0 \"boom\">";
  for (int i = 1; i < 30; ++i) {
    const std::string before = "&a" + std::to_string(i - 1) + ";";
    entities += "<!ENTITY a" + std::to_string(i) + " \"" + before + before + before + "\">";
  }
  EXPECT_EQ(TextOrNone(Docx(entities + "]><d>&a29;</d>")), "");
  EXPECT_EQ(TextOrNone(Docx("<?xml version=\"1.0\"?><!DOCTYPE d [<!ENTITY f SYSTEM "
                            "\"file:///etc/passwd\">]><d>&f;</d>")),
            "");
  std::string deep;
  for (int i = 0; i < 200'000; ++i) deep += "<w:p>";
  EXPECT_EQ(TextOrNone(Docx(Word(deep))), "");
  // Of spaces: 140 MB.
  EXPECT_EQ(TextOrNone(Docx(Word(std::string(140'000'000, ' ')))), "");
  EXPECT_EQ(TextOrNone(Docx(Word(Paragraph(std::string(20'000'000, 'x'))))), "");
}

TEST_F(FileWorkerTest, StandsPdfsThatMeanHarm) {
  const std::string head = "%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n";
  const std::string tail = "trailer\n<< /Size 9 /Root 1 0 R >>\n%%EOF\n";
  // Pages that contain themselves, more pages than there are, and a length that refers to itself.
  EXPECT_EQ(TextOrNone(Write(head + "2 0 obj\n<< /Type /Pages /Kids [2 0 R] /Count 1 >>\nendobj\n" +
                             tail)),
            "");
  EXPECT_EQ(TextOrNone(Write(head +
                             "2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 2147483647 >>\n"
                             "endobj\n3 0 obj\n<< /Type /Page >>\nendobj\n" +
                             tail)),
            "");
  EXPECT_EQ(TextOrNone(Write(head + "2 0 obj\n<< /Length 2 0 R >>\nstream\nx\nendstream\n" + tail)),
            "");
  std::string nested = head + "2 0 obj\n";
  for (int i = 0; i < 500'000; ++i) nested += "<< /Kids [";
  EXPECT_EQ(TextOrNone(Write(nested)), "");
  EXPECT_EQ(TextOrNone(Write("%PDF-1.7\n")), "");
  // A form that draws itself.
  const std::string loop =
      head + "2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n" +
      "3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 5 0 R /Resources << "
      "/XObject << /F 4 0 R >> >> >>\nendobj\n" +
      "4 0 obj\n<< /Type /XObject /Subtype /Form /BBox [0 0 99 99] /Length 11 /Resources << "
      "/XObject << /F 4 0 R >> >> >>\nstream\n/F Do /F Do\nendstream\nendobj\n" +
      "5 0 obj\n<< /Length 5 >>\nstream\n/F Do\nendstream\nendobj\n" + tail;
  const std::string path = Write(loop);
  TextOrNone(path);
  worker_->Preview(path).IgnoreError();
}

TEST_F(FileWorkerTest, CleansAndPreviewsNothingThatIsDamaged) {
  const int copy = open((folder_ / "copy").c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  const std::string png("\x89PNG\r\n\x1a\n", 8);
  for (const std::string& bytes :
       {std::string("\xff\xd8\xff"), std::string("\xff\xd8\xff\xe0\xff\xff short"),
        std::string("\xff\xd8\xff\xda\0\2 no frame\xff\xd9", 17), png,
        png + std::string("\xff\xff\xff\xffIHDR", 8), std::string("II\x2a\0\xff\xff\xff\xff", 8),
        std::string("MM\0\x2a\0\0\0\x08\xff\xff", 10), std::string("RIFF\xff\xff\xff\xffWEBP", 12),
        std::string("RIFF\4\0\0\0WEBP", 12),
        std::string("%PDF-1.7\nxref\nstartxref\n0\n%%EOF\n")}) {
    const std::string path = Write(bytes);
    EXPECT_FALSE(worker_->Clean(path, copy).ok()) << bytes;
    EXPECT_FALSE(worker_->Preview(path).ok()) << bytes;
  }
  close(copy);
  EXPECT_EQ(std::filesystem::file_size(folder_ / "copy"), 0u);
}

std::string Marked(const TextDifference& difference) {
  std::string marked;
  for (const TextPiece& piece : difference.pieces) {
    const bool same = piece.kind == PieceKind::kSame;
    marked +=
        same ? piece.text : (piece.kind == PieceKind::kRemoved ? "[-" : "[+") + piece.text + "]";
  }
  return marked;
}

TEST_F(FileWorkerTest, ComparesByLinesAndWords) {
  const auto marked = [&](const std::string& older, const std::string& newer) {
    const absl::StatusOr<TextDifference> difference = worker_->Difference(older, newer);
    return difference.ok() ? Marked(*difference) : std::string(difference.status().message());
  };
  EXPECT_EQ(marked("", ""), "");
  EXPECT_EQ(marked("same\n", "same\n"), "same\n");
  EXPECT_EQ(marked("a\nb\n", "a\nc d e\nb\n"), "a\n[+c d e\n]b\n");
  EXPECT_EQ(marked("Harbor pays 690 thousand.\n", "Harbor pays 720 thousand.\n"),
            "Harbor pays [-690][+720] thousand.\n");
  EXPECT_EQ(marked("entirely other words\n", "nichts davon gleich\n"),
            "[-entirely other words\n][+nichts davon gleich\n]");
  EXPECT_EQ(marked("d\xc3\xa9j\xc3\xa0 vu, a long line\n", "d\xc3\xa8j\xc3\xa0 vu, a long line\n"),
            "[-d\xc3\xa9j\xc3\xa0][+d\xc3\xa8j\xc3\xa0] vu, a long line\n");
}

TEST_F(FileWorkerTest, ComparesTextsThatHaveNothingInCommon) {
  std::string older;
  std::string newer;
  for (int i = 0; i < 3'000; ++i) {
    older += "older line " + std::to_string(i) + "\n";
    newer += "newer line " + std::to_string(i) + "\n";
  }
  const absl::StatusOr<TextDifference> difference = worker_->Difference(older, newer);
  ASSERT_TRUE(difference.ok()) << difference.status();
  EXPECT_FALSE(difference->pieces.empty());
}

}  // namespace
}  // namespace parley::file_worker

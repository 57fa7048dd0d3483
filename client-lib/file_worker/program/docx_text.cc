// DOCX: a ZIP with the text in word/document.xml (ECMA-376 part 1, section 17). Both may be bombs:
// what a ZIP unpacks to is counted, and a document that defines anything (entities) isn't read.
#include <expat.h>
#include <zip.h>

#include <memory>
#include <type_traits>
#include <vector>

#include "client-lib/file_worker/program/jobs.h"
#include "client-lib/file_worker/program/tidy_text.h"

namespace parley::file_worker {
namespace {

constexpr uint64_t kMostUnpackedBytes = uint64_t{128} << 20;  // of XML
constexpr int kMostDepth = 512;

constexpr std::string_view kWord = "http://schemas.openxmlformats.org/wordprocessingml/2006/main|";
constexpr std::string_view kStrictWord = "http://purl.oclc.org/ooxml/wordprocessingml/main|";

// The text of one part, as the parser meets it.
class PartReader {
 public:
  explicit PartReader(std::string& text)
      : text_(text), parser_(XML_ParserCreateNS("UTF-8", '|'), XML_ParserFree) {
    if (parser_ == nullptr) throw std::bad_alloc();
    XML_SetUserData(parser_.get(), this);
    XML_SetElementHandler(
        parser_.get(), [](void* self, const char* name, const char**) { Of(self).Start(name); },
        [](void* self, const char* name) { Of(self).End(name); });
    XML_SetCharacterDataHandler(parser_.get(), [](void* self, const char* bytes, int count) {
      Of(self).Characters({bytes, static_cast<size_t>(count)});
    });
    XML_SetStartDoctypeDeclHandler(
        parser_.get(), [](void* self, const char*, const char*, const char*, int) {
          Of(self).Stop(Failure::kNotReadable);  // a word processor writes none; an attack does
        });
  }

  // False when the document is given up; failure() says why.
  bool Take(std::string_view bytes, bool last) {
    return XML_Parse(parser_.get(), bytes.data(), static_cast<int>(bytes.size()), last) ==
           XML_STATUS_OK;
  }
  Failure failure() const { return failure_; }

 private:
  static PartReader& Of(void* self) { return *static_cast<PartReader*>(self); }

  // The name without Word's namespace; empty for other elements.
  static std::string_view LocalName(std::string_view name) {
    for (const std::string_view space : {kWord, kStrictWord}) {
      if (name.starts_with(space)) return name.substr(space.size());
    }
    return {};
  }

  void Start(std::string_view name) {
    if (++depth_ > kMostDepth) return Stop(Failure::kNotReadable);
    const std::string_view local = LocalName(name);
    if (local == "t") in_text_ = true;
    if (local == "tab") Append("\t");
    if (local == "br" || local == "cr") Append("\n");
  }

  void End(std::string_view name) {
    --depth_;
    const std::string_view local = LocalName(name);
    if (local == "t") in_text_ = false;
    if (local == "p") Append("\n");
  }

  void Characters(std::string_view bytes) {
    if (in_text_) Append(bytes);
  }

  void Append(std::string_view bytes) {
    if (text_.size() + bytes.size() > kMostTextBytes) return Stop(Failure::kTooLarge);
    AppendTidied(text_, bytes);
  }

  void Stop(Failure failure) {
    failure_ = failure;
    XML_StopParser(parser_.get(), XML_FALSE);
  }

  std::string& text_;
  const std::unique_ptr<std::remove_pointer_t<XML_Parser>, void (*)(XML_Parser)> parser_;
  Failure failure_ = Failure::kNotReadable;
  int depth_ = 0;
  bool in_text_ = false;
};

using Archive = std::unique_ptr<zip_t, void (*)(zip_t*)>;
using Member = std::unique_ptr<zip_file_t, int (*)(zip_file_t*)>;

// Nullopt when the archive has no such part.
std::optional<JobResult> ReadPart(zip_t* archive, const char* name, uint64_t& unpacked,
                                  std::string& text) {
  const zip_int64_t index = zip_name_locate(archive, name, 0);
  if (index < 0) return std::nullopt;
  const Member member(zip_fopen_index(archive, static_cast<zip_uint64_t>(index), 0), zip_fclose);
  if (member == nullptr) return Failed(Failure::kNotReadable);
  PartReader reader(text);
  std::vector<char> buffer(64 * 1024);
  while (true) {
    const zip_int64_t got = zip_fread(member.get(), buffer.data(), buffer.size());
    if (got < 0) return Failed(Failure::kNotReadable);
    unpacked += static_cast<uint64_t>(got);
    if (unpacked > kMostUnpackedBytes) return Failed(Failure::kTooLarge);
    if (!reader.Take({buffer.data(), static_cast<size_t>(got)}, got == 0)) {
      return Failed(reader.failure());
    }
    if (got == 0) return JobResult();
  }
}

}  // namespace

JobResult DocxText(std::string_view file) {
  zip_source_t* const source = zip_source_buffer_create(file.data(), file.size(), 0, nullptr);
  if (source == nullptr) throw std::bad_alloc();
  const Archive archive(zip_open_from_source(source, ZIP_RDONLY, nullptr), zip_discard);
  if (archive == nullptr) {
    zip_source_free(source);
    return Failed(Failure::kNotReadable);
  }
  JobResult result;
  uint64_t unpacked = 0;
  bool is_document = false;
  for (const char* part : {"word/document.xml", "word/footnotes.xml", "word/endnotes.xml"}) {
    const std::optional<JobResult> read = ReadPart(archive.get(), part, unpacked, result.data);
    if (!read.has_value() && !is_document) return Failed(Failure::kNotReadable);
    if (read.has_value() && read->failure.has_value()) return *read;
    is_document = true;
  }
  return result;
}

}  // namespace parley::file_worker

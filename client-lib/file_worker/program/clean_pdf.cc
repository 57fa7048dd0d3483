// PDF, by qpdf: its streams are copied as they are, but for photographs, which are cleaned like
// those in files of their own. What the pages don't need goes: the information dictionary, XMP,
// what programs keep for themselves, small pictures of pages, earlier revisions. Asked for by qpdf:
// only std::shared_ptr, none of its older pointers.
#define POINTERHOLDER_TRANSITION 4
#include <memory>
#include <qpdf/Buffer.hh>
#include <qpdf/QPDF.hh>
#include <qpdf/QPDFExc.hh>
#include <qpdf/QPDFObjectHandle.hh>
#include <qpdf/QPDFWriter.hh>
#include <string>

#include "client-lib/file_worker/program/jobs.h"

namespace parley::file_worker {
namespace {

constexpr int kMostDepth = 200;

// A file that was saved piece by piece keeps what it was before. One that is ordered for the web
// ("linearized") has two tables without that.
bool HasRevisions(std::string_view file) {
  constexpr std::string_view kTable = "startxref";
  constexpr size_t kBeginning = 1024;
  size_t tables = 0;
  for (size_t at = file.find(kTable); at != std::string_view::npos;
       at = file.find(kTable, at + 1)) {
    ++tables;
  }
  const bool ordered = file.substr(0, kBeginning).find("/Linearized") != std::string_view::npos;
  return tables > (ordered ? 2u : 1u);
}

class Cleaner {
 public:
  explicit Cleaner(QPDF& pdf) : pdf_(pdf) {}

  // False for a signed document.
  bool Run() {
    QPDFObjectHandle trailer = pdf_.getTrailer();
    if (trailer.hasKey("/Info")) {
      trailer.removeKey("/Info");
      removed_ |= kRemovedInformation;
    }
    for (QPDFObjectHandle& object : pdf_.getAllObjects()) {
      if (object.isStream()) {
        QPDFObjectHandle dictionary = object.getDict();
        CleanDictionary(dictionary, 0);
        CleanPhotograph(object);
      } else {
        CleanValue(object, 0);
      }
    }
    return !signed_;
  }

  uint32_t removed() const { return removed_; }

 private:
  void Remove(QPDFObjectHandle& dictionary, const char* key, uint32_t kind) {
    if (!dictionary.hasKey(key)) return;
    dictionary.removeKey(key);
    removed_ |= kind;
  }

  void CleanDictionary(QPDFObjectHandle& dictionary, int depth) {
    if (dictionary.hasKey("/ByteRange")) signed_ = true;
    if (dictionary.getKey("/Metadata").isStream()) Remove(dictionary, "/Metadata", kRemovedXmp);
    Remove(dictionary, "/PieceInfo", kRemovedOther);
    if (dictionary.isDictionaryOfType("/Page")) {
      Remove(dictionary, "/Thumb", kRemovedThumbnails);
      Remove(dictionary, "/LastModified", kRemovedInformation);
    }
    for (const std::string& key : dictionary.getKeys()) {
      QPDFObjectHandle value = dictionary.getKey(key);
      if (!value.isIndirect()) CleanValue(value, depth + 1);
    }
  }

  // What is in it; objects of their own come up by themselves.
  void CleanValue(QPDFObjectHandle& value, int depth) {
    if (depth > kMostDepth) throw std::bad_alloc();
    if (value.isDictionary()) {
      CleanDictionary(value, depth);
    } else if (value.isArray()) {
      for (int i = 0; i < value.getArrayNItems(); ++i) {
        QPDFObjectHandle item = value.getArrayItem(i);
        if (!item.isIndirect()) CleanValue(item, depth + 1);
      }
    }
  }

  void CleanPhotograph(QPDFObjectHandle& stream) {
    QPDFObjectHandle dictionary = stream.getDict();
    QPDFObjectHandle filter = dictionary.getKey("/Filter");
    if (filter.isArray() && filter.getArrayNItems() == 1) filter = filter.getArrayItem(0);
    if (!filter.isName() || filter.getName() != "/DCTDecode") return;
    const std::shared_ptr<Buffer> raw = stream.getRawStreamData();
    const JobResult cleaned =
        CleanJpeg({reinterpret_cast<const char*>(raw->getBuffer()), raw->getSize()});
    // One that breaks JPEG's rules may still be shown by some: it stays, and makes the document one
    // that can't be cleaned.
    if (cleaned.failure.has_value()) throw std::runtime_error("a photograph is damaged");
    if (cleaned.unchanged) return;
    removed_ |= cleaned.removed;
    stream.replaceStreamData(cleaned.output, dictionary.getKey("/Filter"),
                             dictionary.getKey("/DecodeParms"));
  }

  QPDF& pdf_;
  uint32_t removed_ = 0;
  bool signed_ = false;
};

std::string Write(QPDF& pdf) {
  QPDFWriter writer(pdf);
  writer.setOutputMemory();
  writer.setDeterministicID(true);  // the same file gives the same copy
  writer.setStreamDataMode(qpdf_s_preserve);
  writer.setSuppressOriginalObjectIDs(true);
  writer.write();
  const std::shared_ptr<Buffer> written = writer.getBufferSharedPointer();
  return {reinterpret_cast<const char*>(written->getBuffer()), written->getSize()};
}

}  // namespace

JobResult CleanPdf(std::string_view file) {
  QPDF pdf;
  pdf.setSuppressWarnings(true);
  pdf.setAttemptRecovery(false);  // what would be lost, nobody could tell
  try {
    pdf.processMemoryFile("document", file.data(), file.size());
    if (pdf.isEncrypted()) return Failed(Failure::kEncrypted);
    Cleaner cleaner(pdf);
    if (!cleaner.Run()) return Failed(Failure::kSigned);
    JobResult result;
    result.removed = cleaner.removed() | (HasRevisions(file) ? kRemovedRevisions : 0u);
    result.unchanged = result.removed == 0;
    if (!result.unchanged) result.output = Write(pdf);
    if (pdf.anyWarnings()) return Failed(Failure::kNotReadable);
    return result;
  } catch (const QPDFExc& error) {
    return Failed(error.getErrorCode() == qpdf_e_password ? Failure::kEncrypted
                                                          : Failure::kNotReadable);
  }
}

}  // namespace parley::file_worker

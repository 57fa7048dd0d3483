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

std::string TextOf(Buffer& buffer) {
  return {reinterpret_cast<const char*>(buffer.getBuffer()), buffer.getSize()};
}

QPDFObjectHandle FirstOf(QPDFObjectHandle array, int count) {
  QPDFObjectHandle first = QPDFObjectHandle::newArray();
  for (int i = 0; i < count && i < array.getArrayNItems(); ++i) {
    first.appendItem(array.getArrayItem(i));
  }
  return first;
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

  // The photograph's own bytes: what is left when the filters around it are taken off.
  std::string PhotographIn(QPDFObjectHandle& stream, QPDFObjectHandle& filters) {
    const std::shared_ptr<Buffer> raw = stream.getRawStreamData();
    const int around = filters.isArray() ? filters.getArrayNItems() - 1 : 0;
    if (around == 0) return TextOf(*raw);
    QPDFObjectHandle parameters = stream.getDict().getKey("/DecodeParms");
    QPDFObjectHandle wrapped = pdf_.newStream(raw);  // of no page: it isn't written
    wrapped.getDict().replaceKey("/Filter", FirstOf(filters, around));
    if (parameters.isArray()) {
      wrapped.getDict().replaceKey("/DecodeParms", FirstOf(parameters, around));
    }
    return TextOf(*wrapped.getStreamData(qpdf_dl_specialized));
  }

  void CleanPhotograph(QPDFObjectHandle& stream) {
    QPDFObjectHandle filters = stream.getDict().getKey("/Filter");
    const int count = filters.isArray() ? filters.getArrayNItems() : 0;
    QPDFObjectHandle last = count > 0 ? filters.getArrayItem(count - 1) : filters;
    if (!last.isName() || (last.getName() != "/DCTDecode" && last.getName() != "/DCT")) return;
    const JobResult cleaned = CleanJpeg(PhotographIn(stream, filters));
    // One that breaks JPEG's rules may still be shown by some: it stays, and makes the document one
    // that can't be cleaned.
    if (cleaned.failure.has_value()) throw std::runtime_error("a photograph is damaged");
    if (cleaned.unchanged) return;
    removed_ |= cleaned.removed;
    QPDFObjectHandle parameters = stream.getDict().getKey("/DecodeParms");
    if (parameters.isArray()) {
      const bool has_last = count > 0 && parameters.getArrayNItems() == count;
      parameters = has_last ? parameters.getArrayItem(count - 1) : QPDFObjectHandle::newNull();
    }
    stream.replaceStreamData(cleaned.output, QPDFObjectHandle::newName("/DCTDecode"), parameters);
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
  return TextOf(*writer.getBufferSharedPointer());
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
    // By what is written, not by what was found: it leaves out what no page leads to, and what is
    // before the beginning and after the end.
    result.output = Write(pdf);
    result.unchanged = result.output == file;
    if (!result.unchanged && result.removed == 0) result.removed = kRemovedOther;
    if (pdf.anyWarnings()) return Failed(Failure::kNotReadable);
    return result;
  } catch (const QPDFExc& error) {
    return Failed(error.getErrorCode() == qpdf_e_password ? Failure::kEncrypted
                                                          : Failure::kNotReadable);
  }
}

}  // namespace parley::file_worker

// What is packed in an archive: ZIP, which .docx, .xlsx, .odt and others are, and archives in it.
// Sizes that it claims are not believed; what is unpacked is counted.
#include <zip.h>
#include <zlib.h>

#include <algorithm>
#include <memory>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include "client-lib/content/utf8.h"
#include "client-lib/file_worker/archive_form.h"
#include "client-lib/file_worker/contents.h"
#include "client-lib/file_worker/program/jobs.h"
#include "crypto/file/tree_hash.h"

namespace parley::file_worker {
namespace {

using Archive = std::unique_ptr<zip_t, void (*)(zip_t*)>;
using Member = std::unique_ptr<zip_file_t, int (*)(zip_file_t*)>;

// What there was no memory for isn't known to be damaged. zlib's own word for it libzip passes on.
bool IsOutOfMemory(const zip_error_t* error) {
  const int code = zip_error_code_zip(error);
  return code == ZIP_ER_MEMORY ||
         (code == ZIP_ER_ZLIB && zip_error_code_system(error) == Z_MEM_ERROR);
}

// The tree hash over a stream, in pieces of the manifest's size.
class StreamHash {
 public:
  void Add(crypto::ByteView bytes) {
    size_ += bytes.size();
    while (!bytes.empty()) {
      const size_t room = std::min(crypto::kTreePieceSize - piece_.size(), bytes.size());
      piece_.insert(piece_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(room));
      bytes = bytes.subspan(room);
      if (piece_.size() == crypto::kTreePieceSize) Flush();
    }
  }
  crypto::TreeHash Root() {
    if (!piece_.empty()) Flush();
    return tree_.Root();
  }
  uint64_t size() const { return size_; }

 private:
  void Flush() {
    tree_.AddPiece(piece_);
    piece_.clear();
  }

  crypto::TreeHasher tree_;
  crypto::Bytes piece_;
  uint64_t size_ = 0;
};

// Goes through one file's archives.
class Walk {
 public:
  Walk(uint64_t most_unpacked, const Emit& emit) : most_unpacked_(most_unpacked), emit_(emit) {}

  // Whether all of it could be looked at; otherwise what stopped it has been said.
  bool Visit(zip_t* archive, const std::string& inside, int depth) {
    const zip_int64_t members = zip_get_num_entries(archive, 0);
    for (zip_int64_t i = 0; i < members; ++i) {
      if (++members_ > kMostArchiveMembers) return Stop(Stopped::kMembers);
      const auto index = static_cast<zip_uint64_t>(i);
      const char* const name = zip_get_name(archive, index, ZIP_FL_ENC_GUESS);
      if (name == nullptr && IsOutOfMemory(zip_get_error(archive))) throw std::bad_alloc();
      std::string shown = inside + (name == nullptr ? "?" : name);
      if (!client::IsWellFormedUtf8(shown)) shown = inside + "?";
      unpacked_ += shown.size();
      if (unpacked_ > most_unpacked_) return Stop(Stopped::kUnpacked);
      if (!VisitMember(archive, index, shown, depth)) return false;
    }
    return true;
  }

  // Null for what is none. Foreign bytes may stand before it, as in one that unpacks itself.
  static Archive Open(std::string_view bytes) {
    Archive archive = OpenAsItStands(bytes);
    const size_t before = archive == nullptr ? BytesBeforeArchive(bytes) : 0;
    return before == 0 ? std::move(archive) : OpenAsItStands(bytes.substr(before));
  }

  // What isn't known not to be an archive, and can't be opened as one.
  static std::optional<Stopped> WhyNotNone(std::string_view bytes) {
    if (IsPartOfArchive(bytes)) return Stopped::kPart;
    if (BeginsAsArchive(bytes) || EndsAsArchive(bytes)) return Stopped::kUnreadable;
    return std::nullopt;
  }

  bool Stop(Stopped reason) {
    emit_(StoppedRecord(reason));
    return false;
  }

 private:
  static Archive OpenAsItStands(std::string_view bytes) {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t* const source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
    if (source == nullptr) throw std::bad_alloc();
    zip_t* const archive = zip_open_from_source(source, ZIP_RDONLY, &error);
    const bool no_memory = IsOutOfMemory(&error);
    zip_error_fini(&error);
    if (archive == nullptr) zip_source_free(source);
    // What there was no memory for isn't known not to be an archive.
    if (archive == nullptr && no_memory) throw std::bad_alloc();
    return {archive, zip_discard};
  }

  // Of what can't be read at least the name is compared.
  bool ShowName(const std::string& name) {
    PackedFile packed;
    packed.name = name;
    emit_(MemberRecord(packed));
    return true;
  }

  // Unpacks one member: counts and hashes all of it, and keeps as much as may be looked into.
  bool VisitMember(zip_t* archive, zip_uint64_t index, const std::string& name, int depth) {
    const Member member(zip_fopen_index(archive, index, 0), zip_fclose);
    if (member == nullptr) {
      if (IsOutOfMemory(zip_get_error(archive))) throw std::bad_alloc();
      return ShowName(name);  // encrypted, or packed in an unknown way
    }
    StreamHash hash;
    std::string kept;
    std::string tail;  // the last bytes, with at least what tells an archive
    std::vector<uint8_t> buffer(64 * 1024);
    while (true) {
      const zip_int64_t got = zip_fread(member.get(), buffer.data(), buffer.size());
      if (got < 0) {
        if (IsOutOfMemory(zip_file_get_error(member.get()))) throw std::bad_alloc();
        break;  // damaged: others may show as much of it as came here
      }
      if (got == 0) break;
      const crypto::ByteView bytes(buffer.data(), static_cast<size_t>(got));
      unpacked_ += bytes.size();
      if (unpacked_ > most_unpacked_) return Stop(Stopped::kUnpacked);
      hash.Add(bytes);
      if (hash.size() <= kMostMemberText) kept.append(bytes.begin(), bytes.end());
      if (tail.size() > 4 * kArchiveEndBytes) tail.erase(0, tail.size() - kArchiveEndBytes);
      tail.append(bytes.begin(), bytes.end());
    }
    if (hash.size() == 0 && name.ends_with('/')) return ShowName(name);  // a folder
    const bool is_whole = hash.size() <= kMostMemberText;
    PackedFile packed;
    packed.name = name;
    packed.root = hash.Root();
    packed.size = hash.size();
    if (is_whole && client::IsWellFormedUtf8(kept)) {
      packed.text = IsMarkup(name) ? WithoutTags(kept) : kept;
    }
    emit_(MemberRecord(packed));
    packed = {};
    if (!is_whole) {
      const bool is_archive = BeginsAsArchive(kept) || EndsAsArchive(tail);
      return !is_archive || Stop(Stopped::kInnerLarge);
    }
    const Archive inner = Open(kept);
    if (inner == nullptr) {
      const std::optional<Stopped> why = WhyNotNone(kept);
      return !why.has_value() || Stop(*why);
    }
    if (depth == kMostArchiveDepth) return Stop(Stopped::kDeep);
    return Visit(inner.get(), name + "/", depth + 1);
  }

  const uint64_t most_unpacked_;
  const Emit& emit_;
  uint64_t members_ = 0;
  uint64_t unpacked_ = 0;
};

}  // namespace

void PrepareContents() { crypto::TreeLeaf({}); }

JobResult ZipContents(std::string_view file, const Emit& emit) {
  const uint64_t most =
      std::min(kMostUnpackedBytes, file.size() * kMostUnpackedRatio + kFreeUnpackedBytes);
  Walk walk(most, emit);
  const Archive archive = Walk::Open(file);
  if (archive != nullptr) {
    walk.Visit(archive.get(), "", 1);
  } else if (const std::optional<Stopped> why = Walk::WhyNotNone(file)) {
    walk.Stop(*why);
  } else {
    return Failed(Failure::kNotReadable);
  }
  return {};
}

}  // namespace parley::file_worker

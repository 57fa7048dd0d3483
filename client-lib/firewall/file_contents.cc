#include "client-lib/firewall/file_contents.h"

#include <zip.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "client-lib/content/folded_text.h"
#include "client-lib/content/utf8.h"
#include "client-lib/documents/local_file.h"
#include "crypto/base/bytes.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

using crypto::Bytes;
using Visit = std::function<absl::Status(const FilePiece&)>;

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
  Bytes piece_;
  uint64_t size_ = 0;
};

bool IsMarkup(const std::string& name) {
  const std::string folded = Folded(name);
  return folded.ends_with(".xml") || folded.ends_with(".html") || folded.ends_with(".htm") ||
         folded.ends_with(".xhtml") || folded.ends_with(".svg") || folded.ends_with(".rels");
}

// Without "<…>" and "&…;", so that words which tags divide come together again.
std::string WithoutTags(std::string_view markup) {
  constexpr size_t kLongestEntity = 10;
  std::string text;
  text.reserve(markup.size());
  for (size_t i = 0; i < markup.size(); ++i) {
    const char closing = markup[i] == '<' ? '>' : markup[i] == '&' ? ';' : '\0';
    const size_t end = closing == '\0' ? std::string_view::npos : markup.find(closing, i);
    const bool is_entity = closing == ';' && end - i <= kLongestEntity;
    if (end != std::string_view::npos && (closing == '>' || is_entity)) {
      i = end;
    } else {
      text += markup[i];
    }
  }
  return text;
}

std::string TextOf(const std::string& name, std::string_view bytes) {
  if (!IsWellFormedUtf8(bytes)) return {};
  return IsMarkup(name) ? WithoutTags(bytes) : std::string(bytes);
}

absl::Status TooMuch(const std::string& why) {
  return absl::ResourceExhaustedError(
      "it can't be seen whether the archive holds something confidential: " + why +
      "; unpack it, and share what is needed of it");
}

// What has been unpacked so far of a file.
struct Budget {
  uint64_t members = 0;
  uint64_t unpacked = 0;
  uint64_t most_unpacked = 0;
};

using Archive = std::unique_ptr<zip_t, void (*)(zip_t*)>;
using Member = std::unique_ptr<zip_file_t, int (*)(zip_file_t*)>;

Archive Owned(zip_t* archive) {
  return {archive, [](zip_t* one) { zip_discard(one); }};
}

absl::Status VisitArchive(zip_t* archive, const std::string& inside, int depth, Budget& budget,
                          const Visit& visit);

// Unpacks one member: counts and hashes all of it, and keeps as much as may be looked into.
absl::Status VisitMember(zip_t* archive, zip_uint64_t index, const std::string& name, int depth,
                         Budget& budget, const Visit& visit) {
  const Member member(zip_fopen_index(archive, index, 0), zip_fclose);
  if (member == nullptr) return absl::OkStatus();  // encrypted, or packed in an unknown way
  StreamHash hash;
  std::string kept;
  std::vector<uint8_t> buffer(64 * 1024);
  while (true) {
    const zip_int64_t got = zip_fread(member.get(), buffer.data(), buffer.size());
    if (got < 0) return absl::OkStatus();  // damaged: nobody else can unpack it either
    if (got == 0) break;
    const crypto::ByteView bytes(buffer.data(), static_cast<size_t>(got));
    budget.unpacked += bytes.size();
    if (budget.unpacked > budget.most_unpacked) {
      return TooMuch("unpacked, it is more than " + std::to_string(budget.most_unpacked >> 20) +
                     " MiB");
    }
    hash.Add(bytes);
    if (hash.size() <= kMostTextBytes) kept.append(bytes.begin(), bytes.end());
  }
  FilePiece piece;
  piece.inside = name;
  piece.root = hash.Root();
  piece.size = hash.size();
  const bool is_whole = hash.size() <= kMostTextBytes;
  if (is_whole) piece.text = TextOf(name, kept);
  PARLEY_RETURN_IF_ERROR(visit(piece));
  if (!kept.starts_with("PK")) return absl::OkStatus();
  if (!is_whole) return TooMuch("an archive within it is too large");
  zip_source_t* const source = zip_source_buffer_create(kept.data(), kept.size(), 0, nullptr);
  if (source == nullptr) return absl::OkStatus();
  const Archive inner = Owned(zip_open_from_source(source, ZIP_RDONLY, nullptr));
  if (inner == nullptr) {
    zip_source_free(source);
    return absl::OkStatus();
  }
  if (depth == kMostArchiveDepth) return TooMuch("archives are packed in one another too deeply");
  return VisitArchive(inner.get(), name + "/", depth + 1, budget, visit);
}

absl::Status VisitArchive(zip_t* archive, const std::string& inside, int depth, Budget& budget,
                          const Visit& visit) {
  const zip_int64_t members = zip_get_num_entries(archive, 0);
  for (zip_int64_t i = 0; i < members; ++i) {
    if (++budget.members > kMostArchiveMembers) {
      return TooMuch("it has more than " + std::to_string(kMostArchiveMembers) + " members");
    }
    const auto index = static_cast<zip_uint64_t>(i);
    const char* const name = zip_get_name(archive, index, ZIP_FL_ENC_GUESS);
    const std::string shown = inside + (name == nullptr ? "?" : name);
    if (shown.ends_with('/')) continue;
    PARLEY_RETURN_IF_ERROR(VisitMember(archive, index, shown, depth, budget, visit));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status VisitFile(const std::string& path, const Visit& visit) {
  FilePiece whole;
  {
    PARLEY_ASSIGN_OR_RETURN(const internal::LocalFile file, internal::LocalFile::OpenSource(path));
    PARLEY_ASSIGN_OR_RETURN(const internal::FileStamp stamp, file.Stamp());
    PARLEY_ASSIGN_OR_RETURN(const crypto::TreeHasher tree, file.HashPieces(stamp.size));
    whole.root = tree.Root();
    whole.size = stamp.size;
    if (stamp.size <= kMostTextBytes) {
      std::string bytes(stamp.size, '\0');
      PARLEY_RETURN_IF_ERROR(file.ReadPiece(0, crypto::BytesOf(bytes)));
      whole.text = TextOf(path, bytes);
    }
  }
  PARLEY_RETURN_IF_ERROR(visit(whole));
  const Archive archive = Owned(zip_open(path.c_str(), ZIP_RDONLY, nullptr));
  if (archive == nullptr) return absl::OkStatus();
  Budget budget;
  budget.most_unpacked =
      std::min(kMostUnpackedBytes, whole.size * kMostUnpackedRatio + kFreeUnpackedBytes);
  return VisitArchive(archive.get(), "", 1, budget, visit);
}

}  // namespace parley::client

// What is in a file that is to be shared, as the firewall looks at it: the file itself, and what is
// packed in it (ZIP, which .docx, .xlsx, .odt and others are), to kMostArchiveDepth levels.
//
// An archive may be an attack: sizes that it claims are not believed, and what is unpacked is
// counted. Nothing is written to disk; memory is bounded by kMostTextBytes for each level.
//
// Threading: free functions.
#ifndef PARLEY_CLIENT_LIB_FIREWALL_FILE_CONTENTS_H_
#define PARLEY_CLIENT_LIB_FIREWALL_FILE_CONTENTS_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "crypto/file/tree_hash.h"

namespace parley::client {

inline constexpr int kMostArchiveDepth = 3;
inline constexpr uint64_t kMostArchiveMembers = 10'000;            // in all archives of a file
inline constexpr uint64_t kMostUnpackedBytes = uint64_t{1} << 30;  // the same
// Unpacked, an archive has at most so many times its own bytes, and kFreeUnpackedBytes.
inline constexpr uint64_t kMostUnpackedRatio = 200;
inline constexpr uint64_t kFreeUnpackedBytes = uint64_t{32} << 20;
// Files and members over this are known by their hash alone: neither is their text read, nor what
// is packed in a member.
inline constexpr uint64_t kMostTextBytes = uint64_t{32} << 20;

struct FilePiece {
  std::string inside;       // its name in the archive ("a.zip/b.txt"); empty for the file itself
  crypto::TreeHash root{};  // over its content, as in a document's manifest
  uint64_t size = 0;
  std::string text;  // of what is UTF-8, without the tags of XML and HTML; else empty
};

// Calls `visit` with the file, then with each member. What is no archive, is damaged, encrypted, or
// packed in a way that isn't known, is passed over.
// Errors: the first of `visit`; ResourceExhausted for an archive beyond the limits, saying which;
// those of reading the file.
absl::Status VisitFile(const std::string& path,
                       const std::function<absl::Status(const FilePiece&)>& visit);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_FIREWALL_FILE_CONTENTS_H_

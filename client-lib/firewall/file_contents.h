// What is in a file that is to be shared, as the firewall looks at it: the file itself, and what is
// packed in it (ZIP, which .docx, .xlsx, .odt and others are).
//
// An archive may be an attack, so it isn't opened here but by the program that reads files
// (file_worker.h, with the limits in contents.h). Here it is only seen whether the file begins or
// ends as an archive; where it does, and the program can't look into it, nothing is shared.
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

// Files over this are known by their hash alone.
inline constexpr uint64_t kMostTextBytes = uint64_t{32} << 20;

struct FilePiece {
  std::string inside;       // its name in the archive ("a.zip/b.txt"); empty for the file itself
  crypto::TreeHash root{};  // over its content, as in a document's manifest
  uint64_t size = 0;
  std::string text;  // of what is UTF-8, without the tags of XML and HTML; else empty
};

// Calls `visit` with the file, then with each member. What is no archive is passed over, and so are
// members that are damaged, encrypted, or packed in a way that isn't known.
// Errors: the first of `visit`; ResourceExhausted for an archive beyond the limits, saying which;
// FailedPrecondition for one that can't be opened (it is damaged, or one of several parts), and
// where the program that reads files can't be started; those of reading the file.
absl::Status VisitFile(const std::string& path,
                       const std::function<absl::Status(const FilePiece&)>& visit);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_FIREWALL_FILE_CONTENTS_H_

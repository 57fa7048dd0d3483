// What kind of file something is, by its first bytes: enough to know which job of the file worker
// it is for. Nothing of it is parsed here.
//
// Threading: free functions.
#ifndef PARLEY_CLIENT_LIB_FILE_WORKER_FILE_KIND_H_
#define PARLEY_CLIENT_LIB_FILE_WORKER_FILE_KIND_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace parley::file_worker {

enum class FileKind : uint8_t { kOther, kJpeg, kPng, kTiff, kWebp, kPdf, kZip };

// So many first bytes tell the kind.
inline constexpr size_t kKindBytes = 1024;

FileKind KindOf(std::string_view first_bytes);

// "jpeg": as the worker is told.
const char* KindName(FileKind kind);

// Whether files of the kind can be cleaned of metadata; have a preview.
bool CanBeCleaned(FileKind kind);
bool HasPreview(FileKind kind);

}  // namespace parley::file_worker

#endif  // PARLEY_CLIENT_LIB_FILE_WORKER_FILE_KIND_H_

// Whether bytes have the form of a ZIP archive, by its first and its last ones (APPNOTE 4.3). Of
// what they say nothing is believed: who has the form and can't be opened isn't known to hold
// nothing.
//
// Threading: free functions.
#ifndef PARLEY_CLIENT_LIB_FILE_WORKER_ARCHIVE_FORM_H_
#define PARLEY_CLIENT_LIB_FILE_WORKER_ARCHIVE_FORM_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace parley::file_worker {

// So many first and last bytes tell. The end record has 22 and a comment of at most 65,535 (APPNOTE
// 4.3.16).
inline constexpr size_t kArchiveBeginBytes = 8;
inline constexpr size_t kArchiveEndBytes = 22 + 65'535;

// A member comes first, perhaps behind the mark of an archive in several parts.
bool BeginsAsArchive(std::string_view first_bytes);

// An end record whose comment reaches the last byte.
bool EndsAsArchive(std::string_view last_bytes);

// Somewhere in them an end record may begin: some programs open what has foreign bytes behind it.
bool MayHaveArchiveEnd(std::string_view last_bytes);

// Whether its beginning or end is that of one of several parts.
bool IsPartOfArchive(std::string_view file);

// How many bytes stand before an archive that doesn't count them, as in one that unpacks itself; 0
// for none.
size_t BytesBeforeArchive(std::string_view file);

}  // namespace parley::file_worker

#endif  // PARLEY_CLIENT_LIB_FILE_WORKER_ARCHIVE_FORM_H_

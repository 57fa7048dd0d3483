// The file worker's jobs, a file each.
//
// Threading: free functions. Exceptions: std::bad_alloc.
#ifndef PARLEY_CLIENT_LIB_FILE_WORKER_PROGRAM_JOBS_H_
#define PARLEY_CLIENT_LIB_FILE_WORKER_PROGRAM_JOBS_H_

#include <cstddef>
#include <string_view>

#include "client-lib/file_worker/program/job.h"

namespace parley::file_worker {

// Text, as UTF-8 with "\n" at the end of lines and paragraphs. kNotReadable for what holds none.
JobResult PlainText(std::string_view file);
JobResult DocxText(std::string_view file);  // a ZIP with word/document.xml in it
JobResult PdfText(std::string_view file);

// What is packed in an archive, as records (contents.h); kNotReadable for what is none.
JobResult ZipContents(std::string_view file, const Emit& emit);
// Makes ready, before the sandbox is closed, what the hashes take.
void PrepareContents();

// How the first `older_bytes` of `texts` become the rest: by lines, and within lines that have
// changed by words. The data is a list of pieces: kind (1 byte: 0 the same, 1 removed, 2 added) and
// length (4 bytes, big-endian), in the order of the texts.
JobResult DifferenceOf(std::string_view texts, size_t older_bytes);

// A copy without metadata, of which every byte of the picture, or of each page, is the same. What
// is kept is a list; what isn't on it goes. kNotReadable for what isn't whole.
JobResult CleanJpeg(std::string_view file);
JobResult CleanPng(std::string_view file);
JobResult CleanWebp(std::string_view file);
JobResult CleanTiff(std::string_view file);
// Also the photographs in it. kSigned, kEncrypted for what can't be cleaned.
JobResult CleanPdf(std::string_view file);

// A small picture, JPEG, of at most kMostPreviewBytes.
inline constexpr size_t kMostPreviewBytes = 64 * 1024;
JobResult PreviewJpeg(std::string_view file);
JobResult PreviewPng(std::string_view file);
JobResult PreviewPdf(std::string_view file);

// Makes the library for PDF read what it needs from the system, before the sandbox is closed.
void PreparePdf();

}  // namespace parley::file_worker

#endif  // PARLEY_CLIENT_LIB_FILE_WORKER_PROGRAM_JOBS_H_

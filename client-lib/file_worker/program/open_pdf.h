// A PDF for reading, by Poppler.
//
// Threading: free functions.
#ifndef PARLEY_CLIENT_LIB_FILE_WORKER_PROGRAM_OPEN_PDF_H_
#define PARLEY_CLIENT_LIB_FILE_WORKER_PROGRAM_OPEN_PDF_H_

#include <poppler-document.h>

#include <memory>
#include <optional>
#include <string_view>

#include "client-lib/file_worker/frame.h"

namespace parley::file_worker {

struct OpenedPdf {
  std::optional<Failure> failure;
  std::unique_ptr<poppler::document> document;
};

// `file` must outlive it. Failures: kEncrypted, kNotReadable, kTooLarge.
OpenedPdf OpenPdf(std::string_view file);

}  // namespace parley::file_worker

#endif  // PARLEY_CLIENT_LIB_FILE_WORKER_PROGRAM_OPEN_PDF_H_

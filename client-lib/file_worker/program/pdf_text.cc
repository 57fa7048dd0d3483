#include <poppler-document.h>
#include <poppler-global.h>
#include <poppler-page.h>

#include <memory>
#include <new>

#include "client-lib/file_worker/program/jobs.h"
#include "client-lib/file_worker/program/open_pdf.h"
#include "client-lib/file_worker/program/tidy_text.h"

namespace parley::file_worker {
namespace {

constexpr int kMostPages = 10'000;

}  // namespace

JobResult PdfText(std::string_view file) {
  OpenedPdf opened = OpenPdf(file);
  if (opened.failure.has_value()) return Failed(*opened.failure);
  if (opened.document->pages() > kMostPages) return Failed(Failure::kTooLarge);
  JobResult result;
  for (int i = 0; i < opened.document->pages(); ++i) {
    const std::unique_ptr<poppler::page> page(opened.document->create_page(i));
    if (page == nullptr) return Failed(Failure::kNotReadable);
    const poppler::byte_array text = page->text().to_utf8();
    if (result.data.size() + text.size() > kMostTextBytes) return Failed(Failure::kTooLarge);
    AppendTidied(result.data, std::string_view(text.data(), text.size()));
  }
  return result;
}

}  // namespace parley::file_worker

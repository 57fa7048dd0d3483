#include "client-lib/file_worker/program/open_pdf.h"

#include <poppler-global.h>
#include <poppler-page-renderer.h>
#include <poppler-page.h>

#include <limits>
#include <string>

#include "client-lib/file_worker/program/jobs.h"

namespace parley::file_worker {
namespace {

// One page with one word, to warm the libraries up with.
constexpr std::string_view kOwnPdf =
    "%PDF-1.4\n"
    "1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
    "2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n"
    "3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] /Contents 4 0 R"
    " /Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>\n"
    "endobj\n"
    "4 0 obj\n<< /Length 36 >>\nstream\nBT /F 12 Tf 9 9 Td (Parley) Tj ET   \nendstream\nendobj\n"
    "trailer\n<< /Size 5 /Root 1 0 R >>\n%%EOF\n";

void Ignore(const std::string&, void*) {}

}  // namespace

OpenedPdf OpenPdf(std::string_view file) {
  poppler::set_debug_error_function(Ignore, nullptr);
  OpenedPdf opened;
  if (file.size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    opened.failure = Failure::kTooLarge;
    return opened;
  }
  opened.document.reset(
      poppler::document::load_from_raw_data(file.data(), static_cast<int>(file.size())));
  if (opened.document == nullptr || opened.document->pages() < 1) {
    opened.failure = Failure::kNotReadable;
  } else if (opened.document->is_locked()) {
    opened.failure = Failure::kEncrypted;
  }
  return opened;
}

void PreparePdf() {
  // It stays open: with the last document the library forgets what it has read from the system.
  static const OpenedPdf opened = OpenPdf(kOwnPdf);
  if (opened.failure.has_value()) return;
  const std::unique_ptr<poppler::page> page(opened.document->create_page(0));
  if (page == nullptr) return;
  (void)page->text().to_utf8();
  poppler::page_renderer renderer;
  (void)renderer.render_page(page.get(), 18, 18);
}

}  // namespace parley::file_worker

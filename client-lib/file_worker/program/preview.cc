// Small pictures: of photographs, drawings, and a PDF's first page.
#include <png.h>
#include <poppler-image.h>
#include <poppler-page-renderer.h>
#include <poppler-page.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "client-lib/file_worker/program/exif.h"
#include "client-lib/file_worker/program/jobs.h"
#include "client-lib/file_worker/program/jpeg_codec.h"
#include "client-lib/file_worker/program/open_pdf.h"
#include "client-lib/file_worker/program/pixels.h"

namespace parley::file_worker {
namespace {

JobResult Preview(Pixels pixels, uint16_t orientation) {
  JobResult result;
  pixels = Turned(MadeSmall(std::move(pixels), kPreviewSide), orientation);
  result.data = PackedSmall(std::move(pixels));
  return result.data.empty() ? Failed(Failure::kTooLarge) : result;
}

// From the first block of Exif, which stands near the beginning.
uint16_t OrientationIn(std::string_view file, std::string_view before) {
  constexpr size_t kBeginning = 4096;
  constexpr size_t kMostBlockBytes = 64 * 1024;
  const size_t at = file.substr(0, kBeginning).find(before);
  if (at == std::string_view::npos) return 1;
  return ReadExif(file.substr(at + before.size(), kMostBlockBytes)).orientation;
}

}  // namespace

JobResult PreviewJpeg(std::string_view file) {
  std::optional<Pixels> pixels = UnpackJpeg(file, kPreviewSide);
  if (!pixels.has_value()) return Failed(Failure::kNotReadable);
  return Preview(std::move(*pixels), OrientationIn(file, std::string_view("Exif\0\0", 6)));
}

JobResult PreviewPng(std::string_view file) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_memory(&image, file.data(), file.size()) == 0) {
    return Failed(Failure::kNotReadable);
  }
  if (uint64_t{image.width} * image.height > kMostPixels) {
    png_image_free(&image);
    return Failed(Failure::kTooLarge);
  }
  image.format = PNG_FORMAT_RGB;
  Pixels pixels;
  pixels.width = image.width;
  pixels.height = image.height;
  pixels.bytes.resize(PNG_IMAGE_SIZE(image));
  const png_color white{255, 255, 255};
  if (png_image_finish_read(&image, &white, pixels.bytes.data(), 0, nullptr) == 0) {
    return Failed(Failure::kNotReadable);
  }
  return Preview(std::move(pixels), OrientationIn(file, "eXIf"));
}

JobResult PreviewPdf(std::string_view file) {
  constexpr double kPointsPerInch = 72;
  constexpr double kMostPoints = 20'000;
  OpenedPdf opened = OpenPdf(file);
  if (opened.failure.has_value()) return Failed(*opened.failure);
  const std::unique_ptr<poppler::page> page(opened.document->create_page(0));
  if (page == nullptr) return Failed(Failure::kNotReadable);
  const poppler::rectf box = page->page_rect();
  const double longer = std::max(box.width(), box.height());
  const double shorter = std::min(box.width(), box.height());
  if (!(shorter >= 1) || !(longer <= kMostPoints)) return Failed(Failure::kNotReadable);
  poppler::page_renderer renderer;
  renderer.set_image_format(poppler::image::format_rgb24);
  renderer.set_render_hint(poppler::page_renderer::antialiasing, true);
  renderer.set_render_hint(poppler::page_renderer::text_antialiasing, true);
  const double dots_per_inch = kPointsPerInch * kPreviewSide / longer;
  const poppler::image drawn = renderer.render_page(page.get(), dots_per_inch, dots_per_inch);
  if (!drawn.is_valid() || drawn.format() != poppler::image::format_rgb24) {
    return Failed(Failure::kNotReadable);
  }
  Pixels pixels;
  pixels.width = static_cast<uint32_t>(drawn.width());
  pixels.height = static_cast<uint32_t>(drawn.height());
  pixels.bytes.resize(size_t{pixels.width} * pixels.height * 3);
  for (uint32_t y = 0; y < pixels.height; ++y) {
    const char* const row = drawn.const_data() + size_t{y} * drawn.bytes_per_row();
    std::copy_n(reinterpret_cast<const uint8_t*>(row), size_t{pixels.width} * 3, pixels.at(0, y));
  }
  return Preview(std::move(pixels), 1);
}

}  // namespace parley::file_worker

#include "client-lib/file_worker/program/pixels.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "client-lib/file_worker/program/jobs.h"
#include "client-lib/file_worker/program/jpeg_codec.h"

namespace parley::file_worker {

Pixels MadeSmall(Pixels pixels, uint32_t longer_side) {
  const uint32_t longer = std::max(pixels.width, pixels.height);
  if (longer <= longer_side) return pixels;
  Pixels small;
  const auto scaled = [&](uint32_t side) {
    return std::max<uint32_t>(1, static_cast<uint32_t>(uint64_t{side} * longer_side / longer));
  };
  small.width = scaled(pixels.width);
  small.height = scaled(pixels.height);
  small.bytes.resize(size_t{small.width} * small.height * 3);
  const auto edge = [](uint32_t at, uint32_t from, uint32_t to) {
    return static_cast<uint32_t>(uint64_t{at} * from / to);
  };
  for (uint32_t y = 0; y < small.height; ++y) {
    const uint32_t top = edge(y, pixels.height, small.height);
    const uint32_t bottom = std::max(top + 1, edge(y + 1, pixels.height, small.height));
    for (uint32_t x = 0; x < small.width; ++x) {
      const uint32_t left = edge(x, pixels.width, small.width);
      const uint32_t right = std::max(left + 1, edge(x + 1, pixels.width, small.width));
      uint64_t sums[3] = {};
      for (uint32_t v = top; v < bottom; ++v) {
        for (uint32_t u = left; u < right; ++u) {
          for (int i = 0; i < 3; ++i) sums[i] += pixels.at(u, v)[i];
        }
      }
      const uint64_t count = uint64_t{right - left} * (bottom - top);
      for (int i = 0; i < 3; ++i) small.at(x, y)[i] = static_cast<uint8_t>(sums[i] / count);
    }
  }
  return small;
}

Pixels Turned(Pixels pixels, uint16_t orientation) {
  if (orientation <= 1 || orientation > 8) return pixels;
  const bool swapped = orientation >= 5;
  Pixels turned;
  turned.width = swapped ? pixels.height : pixels.width;
  turned.height = swapped ? pixels.width : pixels.height;
  turned.bytes.resize(pixels.bytes.size());
  const bool from_right =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  for (uint32_t y = 0; y < turned.height; ++y) {
    for (uint32_t x = 0; x < turned.width; ++x) {
      uint32_t u = swapped ? y : x;
      uint32_t v = swapped ? x : y;
      if (from_right) u = pixels.width - 1 - u;
      if (from_bottom) v = pixels.height - 1 - v;
      std::copy_n(pixels.at(u, v), 3, turned.at(x, y));
    }
  }
  return turned;
}

std::string PackedSmall(Pixels pixels) {
  pixels = MadeSmall(std::move(pixels), kPreviewSide);
  for (uint32_t side = kPreviewSide; side >= kPreviewSide / 4; side /= 2) {
    pixels = MadeSmall(std::move(pixels), side);
    for (const int quality : {80, 60, 40}) {
      std::string packed = PackJpeg(pixels, quality);
      if (packed.size() <= kMostPreviewBytes) return packed;
    }
  }
  return {};
}

}  // namespace parley::file_worker

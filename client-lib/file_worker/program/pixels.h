// Pictures as plain pixels, made small and packed as JPEG.
//
// Threading: free functions.
#ifndef PARLEY_CLIENT_LIB_FILE_WORKER_PROGRAM_PIXELS_H_
#define PARLEY_CLIENT_LIB_FILE_WORKER_PROGRAM_PIXELS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace parley::file_worker {

// Red, green and blue, a byte each, rows from the top without gaps.
struct Pixels {
  uint32_t width = 0;
  uint32_t height = 0;
  std::vector<uint8_t> bytes;

  uint8_t* at(uint32_t x, uint32_t y) { return &bytes[(size_t{y} * width + x) * 3]; }
  const uint8_t* at(uint32_t x, uint32_t y) const { return &bytes[(size_t{y} * width + x) * 3]; }
};

// The longer side of a preview, at most.
inline constexpr uint32_t kPreviewSide = 400;
// Pictures of more pixels have no preview.
inline constexpr uint64_t kMostPixels = uint64_t{120} * 1000 * 1000;

// Each pixel the mean of those that it stands for. A picture that is small enough stays as it is.
Pixels MadeSmall(Pixels pixels, uint32_t longer_side);

// Upright, by Exif's orientation (1 to 8).
Pixels Turned(Pixels pixels, uint16_t orientation);

// As JPEG of at most kMostPreviewBytes, made coarser and smaller until it is; empty when it can't.
std::string PackedSmall(Pixels pixels);

}  // namespace parley::file_worker

#endif  // PARLEY_CLIENT_LIB_FILE_WORKER_PROGRAM_PIXELS_H_

// JPEG to pixels and back, by libjpeg.
//
// Threading: free functions.
#ifndef PARLEY_CLIENT_LIB_FILE_WORKER_PROGRAM_JPEG_CODEC_H_
#define PARLEY_CLIENT_LIB_FILE_WORKER_PROGRAM_JPEG_CODEC_H_

#include <optional>
#include <string>
#include <string_view>

#include "client-lib/file_worker/program/pixels.h"

namespace parley::file_worker {

// Unpacked at a fraction of its size, if `longer_side` or more is left of it. Nullopt for a file
// that can't be unpacked, or has more than kMostPixels.
std::optional<Pixels> UnpackJpeg(std::string_view file, uint32_t longer_side);

// Without any metadata. Quality: 1 to 100.
std::string PackJpeg(const Pixels& pixels, int quality);

}  // namespace parley::file_worker

#endif  // PARLEY_CLIENT_LIB_FILE_WORKER_PROGRAM_JPEG_CODEC_H_

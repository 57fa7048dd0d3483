// The little of Exif that matters here: what it gives away, and the one thing of it that is kept.
//
// Threading: free functions.
#ifndef PARLEY_CLIENT_LIB_FILE_WORKER_PROGRAM_EXIF_H_
#define PARLEY_CLIENT_LIB_FILE_WORKER_PROGRAM_EXIF_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace parley::file_worker {

struct ExifFacts {
  uint16_t orientation = 1;  // TIFF 6.0: 1 to 8; 1 is upright
  uint32_t removed = 0;      // RemovedBit of what it holds beside
};

// Of a block that begins with the TIFF header. What makes no sense is passed over.
ExifFacts ReadExif(std::string_view block);

// A block that says the orientation only.
std::string OrientationBlock(uint16_t orientation);

}  // namespace parley::file_worker

#endif  // PARLEY_CLIENT_LIB_FILE_WORKER_PROGRAM_EXIF_H_

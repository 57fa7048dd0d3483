// TIFF 6.0, by libtiff: each picture is copied as it is packed, with the tags that it takes to show
// it, into a new file; every other tag stays behind.
#include <tiffio.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "client-lib/file_worker/program/jobs.h"

namespace parley::file_worker {
namespace {

constexpr int kMostPictures = 10'000;
constexpr uint32_t kDngVersion = 50706;

// A file in memory, as libtiff uses one.
struct MemoryFile {
  std::string_view source;  // when reading
  std::string* target = nullptr;
  uint64_t at = 0;
};

tmsize_t Read(thandle_t handle, void* to, tmsize_t count) {
  auto& file = *static_cast<MemoryFile*>(handle);
  const std::string_view bytes = file.target != nullptr ? *file.target : file.source;
  if (count < 0 || file.at >= bytes.size()) return 0;
  const size_t taken = std::min(static_cast<size_t>(count), bytes.size() - file.at);
  std::memcpy(to, bytes.data() + file.at, taken);
  file.at += taken;
  return static_cast<tmsize_t>(taken);
}

tmsize_t Write(thandle_t handle, void* from, tmsize_t count) {
  auto& file = *static_cast<MemoryFile*>(handle);
  if (file.target == nullptr || count < 0) return -1;
  const auto size = static_cast<size_t>(count);
  if (file.target->size() < file.at + size) file.target->resize(file.at + size);
  std::memcpy(file.target->data() + file.at, from, size);
  file.at += size;
  return count;
}

uint64_t SizeOf(thandle_t handle) {
  const auto& file = *static_cast<MemoryFile*>(handle);
  return file.target != nullptr ? file.target->size() : file.source.size();
}

uint64_t Seek(thandle_t handle, uint64_t offset, int whence) {
  auto& file = *static_cast<MemoryFile*>(handle);
  if (whence == SEEK_CUR) offset += file.at;
  if (whence == SEEK_END) offset += SizeOf(handle);
  return file.at = offset;
}

int Close(thandle_t) { return 0; }
int Map(thandle_t, void**, toff_t*) { return 0; }
void Unmap(thandle_t, void*, toff_t) {}

using Tiff = std::unique_ptr<TIFF, void (*)(TIFF*)>;

Tiff Open(MemoryFile& file, const char* mode) {
  return {TIFFClientOpen("picture", mode, &file, Read, Write, Seek, Close, SizeOf, Map, Unmap),
          TIFFClose};
}

// The tags that are kept, by what libtiff takes for their value.
constexpr uint32_t kShorts[] = {
    TIFFTAG_BITSPERSAMPLE, TIFFTAG_COMPRESSION,     TIFFTAG_PHOTOMETRIC,  TIFFTAG_FILLORDER,
    TIFFTAG_ORIENTATION,   TIFFTAG_SAMPLESPERPIXEL, TIFFTAG_PLANARCONFIG, TIFFTAG_RESOLUTIONUNIT,
    TIFFTAG_PREDICTOR,     TIFFTAG_INKSET,          TIFFTAG_SAMPLEFORMAT, TIFFTAG_YCBCRPOSITIONING,
    TIFFTAG_THRESHHOLDING};
constexpr uint32_t kLongs[] = {TIFFTAG_SUBFILETYPE,   TIFFTAG_IMAGEWIDTH,   TIFFTAG_IMAGELENGTH,
                               TIFFTAG_ROWSPERSTRIP,  TIFFTAG_TILEWIDTH,    TIFFTAG_TILELENGTH,
                               TIFFTAG_GROUP3OPTIONS, TIFFTAG_GROUP4OPTIONS};
constexpr uint32_t kFloats[] = {TIFFTAG_XRESOLUTION, TIFFTAG_YRESOLUTION};
// Arrays of a length that follows from others: by pointer alone.
constexpr uint32_t kPointers[] = {TIFFTAG_WHITEPOINT, TIFFTAG_PRIMARYCHROMATICITIES,
                                  TIFFTAG_YCBCRCOEFFICIENTS, TIFFTAG_REFERENCEBLACKWHITE};
// Count and bytes.
constexpr uint32_t kBlobs[] = {TIFFTAG_ICCPROFILE, TIFFTAG_JPEGTABLES};

template <typename T>
void CopyPlain(TIFF* from, TIFF* to, uint32_t tag) {
  T value{};
  if (TIFFGetField(from, tag, &value) == 1) TIFFSetField(to, tag, value);
}

void CopyTags(TIFF* from, TIFF* to) {
  for (const uint32_t tag : kShorts) CopyPlain<uint16_t>(from, to, tag);
  for (const uint32_t tag : kLongs) CopyPlain<uint32_t>(from, to, tag);
  for (const uint32_t tag : kFloats) CopyPlain<float>(from, to, tag);
  for (const uint32_t tag : kPointers) CopyPlain<const float*>(from, to, tag);
  for (const uint32_t tag : kBlobs) {
    uint32_t count = 0;
    const void* bytes = nullptr;
    if (TIFFGetField(from, tag, &count, &bytes) == 1) TIFFSetField(to, tag, count, bytes);
  }
  uint16_t extra_count = 0;
  const uint16_t* extra = nullptr;
  if (TIFFGetField(from, TIFFTAG_EXTRASAMPLES, &extra_count, &extra) == 1) {
    TIFFSetField(to, TIFFTAG_EXTRASAMPLES, extra_count, extra);
  }
  uint16_t horizontal = 0;
  uint16_t vertical = 0;
  if (TIFFGetField(from, TIFFTAG_YCBCRSUBSAMPLING, &horizontal, &vertical) == 1) {
    TIFFSetField(to, TIFFTAG_YCBCRSUBSAMPLING, horizontal, vertical);
  }
  const uint16_t* red = nullptr;
  const uint16_t* green = nullptr;
  const uint16_t* blue = nullptr;
  if (TIFFGetField(from, TIFFTAG_COLORMAP, &red, &green, &blue) == 1) {
    TIFFSetField(to, TIFFTAG_COLORMAP, red, green, blue);
  }
}

// The strips or tiles, packed as they are.
bool CopyPicture(TIFF* from, TIFF* to) {
  const bool tiled = TIFFIsTiled(from) != 0;
  const uint32_t parts = tiled ? TIFFNumberOfTiles(from) : TIFFNumberOfStrips(from);
  std::string part;
  for (uint32_t i = 0; i < parts; ++i) {
    const uint64_t size = TIFFGetStrileByteCount(from, i);
    if (size > SizeOf(TIFFClientdata(from))) return false;
    part.resize(size);
    const auto count = static_cast<tmsize_t>(size);
    const tmsize_t got = tiled ? TIFFReadRawTile(from, i, part.data(), count)
                               : TIFFReadRawStrip(from, i, part.data(), count);
    if (got != count) return false;
    const tmsize_t put = tiled ? TIFFWriteRawTile(to, i, part.data(), count)
                               : TIFFWriteRawStrip(to, i, part.data(), count);
    if (put != count) return false;
  }
  return true;
}

// What is left behind of the present picture's tags.
uint32_t LeftBehind(TIFF* from) {
  struct Named {
    uint32_t tag;
    uint32_t kind;
  };
  constexpr Named kNamed[] = {{TIFFTAG_GPSIFD, kRemovedPlace},
                              {TIFFTAG_EXIFIFD, kRemovedCamera},
                              {TIFFTAG_MAKE, kRemovedCamera},
                              {TIFFTAG_MODEL, kRemovedCamera},
                              {TIFFTAG_XMLPACKET, kRemovedXmp},
                              {TIFFTAG_RICHTIFFIPTC, kRemovedIptc},
                              {TIFFTAG_PHOTOSHOP, kRemovedIptc},
                              {TIFFTAG_IMAGEDESCRIPTION, kRemovedComments},
                              {TIFFTAG_ARTIST, kRemovedInformation},
                              {TIFFTAG_COPYRIGHT, kRemovedInformation},
                              {TIFFTAG_DATETIME, kRemovedInformation},
                              {TIFFTAG_SOFTWARE, kRemovedInformation},
                              {TIFFTAG_HOSTCOMPUTER, kRemovedInformation}};
  uint32_t removed = 0;
  for (const Named& named : kNamed) {
    const TIFFField* const field = TIFFFieldWithTag(from, named.tag);
    if (field == nullptr) continue;
    uint32_t count = 0;
    const void* value = nullptr;
    const bool counted = TIFFFieldPassCount(field) != 0;
    const int found = counted ? TIFFGetField(from, named.tag, &count, &value)
                              : TIFFGetField(from, named.tag, &value);
    if (found == 1) removed |= named.kind;
  }
  return removed;
}

// Pictures within pictures, and raw ones of cameras, whose tags it takes to show them.
bool IsKnown(TIFF* from) {
  uint16_t count = 0;
  const void* value = nullptr;
  if (TIFFGetField(from, TIFFTAG_SUBIFD, &count, &value) == 1) return false;
  if (TIFFFieldWithTag(from, kDngVersion) != nullptr &&
      TIFFGetField(from, kDngVersion, &value) == 1) {
    return false;
  }
  uint16_t compression = 0;
  TIFFGetFieldDefaulted(from, TIFFTAG_COMPRESSION, &compression);
  return compression != COMPRESSION_OJPEG;  // its tables lie outside the strips
}

// Another picture once more, smaller; it may show what that one no longer does.
bool IsSmallOne(TIFF* from) {
  uint32_t kind = 0;
  return TIFFGetField(from, TIFFTAG_SUBFILETYPE, &kind) == 1 && (kind & FILETYPE_REDUCEDIMAGE) != 0;
}

bool CopyAll(TIFF* from, TIFF* to, uint32_t& removed) {
  for (int pictures = 1; pictures <= kMostPictures; ++pictures) {
    if (!IsKnown(from)) return false;
    removed |= LeftBehind(from);
    if (pictures > 1 && IsSmallOne(from)) {
      removed |= kRemovedThumbnails;
    } else {
      CopyTags(from, to);
      if (!CopyPicture(from, to) || TIFFWriteDirectory(to) != 1) return false;
    }
    if (TIFFLastDirectory(from) != 0) return true;
    if (TIFFReadDirectory(from) != 1) return false;
  }
  return false;
}

}  // namespace

JobResult CleanTiff(std::string_view file) {
  TIFFSetErrorHandler(nullptr);
  TIFFSetWarningHandler(nullptr);
  MemoryFile source{file};
  JobResult result;
  MemoryFile target{{}, &result.output};
  const Tiff from = Open(source, "rm");
  if (from == nullptr) return Failed(Failure::kNotReadable);
  std::string mode = TIFFIsBigEndian(from.get()) != 0 ? "wb" : "wl";
  if (TIFFIsBigTIFF(from.get()) != 0) mode += '8';
  {
    const Tiff to = Open(target, mode.c_str());
    if (to == nullptr || !CopyAll(from.get(), to.get(), result.removed)) {
      return Failed(Failure::kNotReadable);
    }
  }
  result.unchanged = result.output == file;
  if (!result.unchanged && result.removed == 0) result.removed = kRemovedOther;
  return result;
}

}  // namespace parley::file_worker

#include "client-lib/file_worker/program/jpeg_codec.h"

#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
// After <cstdio>, which it needs.
#include <jpeglib.h>

#include <algorithm>
#include <new>

namespace parley::file_worker {
namespace {

// libjpeg's errors end in a jump out of it. Nothing with a destructor may live between.
struct Errors {
  jpeg_error_mgr base;
  std::jmp_buf out;
};

void JumpOut(j_common_ptr codec) { std::longjmp(reinterpret_cast<Errors*>(codec->err)->out, 1); }
void SayNothing(j_common_ptr) {}
void WarnNothing(j_common_ptr, int) {}

jpeg_error_mgr* SetUp(Errors& errors) {
  jpeg_std_error(&errors.base);
  errors.base.error_exit = JumpOut;
  errors.base.output_message = SayNothing;
  errors.base.emit_message = WarnNothing;
  return &errors.base;
}

// The greatest fraction 1/n of libjpeg's that leaves the longer side at least so long.
unsigned FractionFor(uint32_t longer, uint32_t wanted) {
  for (const unsigned fraction : {8u, 4u, 2u}) {
    if (longer / fraction >= wanted) return fraction;
  }
  return 1;
}

// False where the file is damaged. `rows` is made by the caller, so that no jump passes it by.
bool Unpack(std::string_view file, uint32_t longer_side, Pixels& pixels) {
  jpeg_decompress_struct codec;
  Errors errors;
  codec.err = SetUp(errors);
  if (setjmp(errors.out) != 0) {
    jpeg_destroy_decompress(&codec);
    return false;
  }
  jpeg_create_decompress(&codec);
  jpeg_mem_src(&codec, reinterpret_cast<const unsigned char*>(file.data()), file.size());
  jpeg_read_header(&codec, TRUE);
  if (uint64_t{codec.image_width} * codec.image_height > kMostPixels) {
    jpeg_destroy_decompress(&codec);
    return false;
  }
  codec.out_color_space = JCS_RGB;
  codec.scale_num = 1;
  codec.scale_denom = FractionFor(std::max(codec.image_width, codec.image_height), longer_side);
  jpeg_start_decompress(&codec);
  pixels.width = codec.output_width;
  pixels.height = codec.output_height;
  pixels.bytes.resize(size_t{pixels.width} * pixels.height * 3);
  while (codec.output_scanline < codec.output_height) {
    JSAMPROW row = pixels.at(0, codec.output_scanline);
    jpeg_read_scanlines(&codec, &row, 1);
  }
  jpeg_destroy_decompress(&codec);
  return true;
}

}  // namespace

std::optional<Pixels> UnpackJpeg(std::string_view file, uint32_t longer_side) {
  Pixels pixels;
  if (!Unpack(file, longer_side, pixels)) return std::nullopt;
  return pixels;
}

std::string PackJpeg(const Pixels& pixels, int quality) {
  jpeg_compress_struct codec;
  Errors errors;
  codec.err = SetUp(errors);
  unsigned char* packed = nullptr;
  unsigned long size = 0;
  if (setjmp(errors.out) != 0) throw std::bad_alloc();  // there is nothing else that can fail
  jpeg_create_compress(&codec);
  jpeg_mem_dest(&codec, &packed, &size);
  codec.image_width = pixels.width;
  codec.image_height = pixels.height;
  codec.input_components = 3;
  codec.in_color_space = JCS_RGB;
  jpeg_set_defaults(&codec);
  jpeg_set_quality(&codec, quality, TRUE);
  jpeg_start_compress(&codec, TRUE);
  while (codec.next_scanline < codec.image_height) {
    JSAMPROW row = const_cast<uint8_t*>(pixels.at(0, codec.next_scanline));
    jpeg_write_scanlines(&codec, &row, 1);
  }
  jpeg_finish_compress(&codec);
  std::string result(reinterpret_cast<char*>(packed), size);
  std::free(packed);
  jpeg_destroy_compress(&codec);
  return result;
}

}  // namespace parley::file_worker

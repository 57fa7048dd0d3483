// How a file's bytes are laid out in the chunks that the relay stores: arithmetic only.
//
// The plaintext is padded with zeros to its Padmé size, at least 256 bytes, and that is cut in
// chunks of 1 MiB; so the relay sees padded sizes only. docs/protocol.md section 7.
#ifndef PARLEY_CRYPTO_FILE_FILE_LAYOUT_H_
#define PARLEY_CRYPTO_FILE_FILE_LAYOUT_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"

namespace parley::crypto {

inline constexpr size_t kFileChunkSize = size_t{1} << 20;  // plaintext of all chunks but the last
inline constexpr size_t kFileChunkRandomSize = 24;
inline constexpr size_t kFileChunkOverhead = kFileChunkRandomSize + 32;
inline constexpr uint64_t kMinimumFileSize = 256;
inline constexpr uint64_t kMaximumFileSize = uint64_t{1} << 50;

class FileLayout {
 public:
  // Of a file of `plaintext_size` bytes. Errors: InvalidArgument over kMaximumFileSize.
  static absl::StatusOr<FileLayout> Create(uint64_t plaintext_size);

  uint64_t plaintext_size() const { return plaintext_size_; }
  uint64_t padded_size() const { return padded_size_; }
  uint64_t chunk_count() const;  // at least 1
  uint64_t sealed_size() const;  // all sealed chunks together: the blob's size

  bool IsLast(uint64_t index) const { return index + 1 == chunk_count(); }
  // The following hold for index < chunk_count().
  uint64_t ChunkOffset(uint64_t index) const { return index * kFileChunkSize; }
  size_t ChunkSize(uint64_t index) const;        // padding included
  size_t SealedChunkSize(uint64_t index) const;  // as stored
  // Bytes of the true content in the chunk; 0 where there is padding only.
  size_t ContentSize(uint64_t index) const;

 private:
  FileLayout(uint64_t plaintext_size, uint64_t padded_size)
      : plaintext_size_(plaintext_size), padded_size_(padded_size) {}

  uint64_t plaintext_size_;
  uint64_t padded_size_;
};

}  // namespace parley::crypto

#endif  // PARLEY_CRYPTO_FILE_FILE_LAYOUT_H_

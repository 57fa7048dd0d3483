#include "crypto/file/file_layout.h"

#include <algorithm>

#include "crypto/base/padding.h"

namespace parley::crypto {

absl::StatusOr<FileLayout> FileLayout::Create(uint64_t plaintext_size) {
  if (plaintext_size > kMaximumFileSize) {
    return absl::InvalidArgumentError("a file of more than 1 PiB can't be shared");
  }
  return FileLayout(plaintext_size, std::max(kMinimumFileSize, PadmeSize(plaintext_size)));
}

uint64_t FileLayout::chunk_count() const {
  return (padded_size_ + kFileChunkSize - 1) / kFileChunkSize;
}

uint64_t FileLayout::sealed_size() const {
  return padded_size_ + chunk_count() * kFileChunkOverhead;
}

size_t FileLayout::ChunkSize(uint64_t index) const {
  return static_cast<size_t>(std::min<uint64_t>(kFileChunkSize, padded_size_ - ChunkOffset(index)));
}

size_t FileLayout::SealedChunkSize(uint64_t index) const {
  return ChunkSize(index) + kFileChunkOverhead;
}

size_t FileLayout::ContentSize(uint64_t index) const {
  const uint64_t offset = ChunkOffset(index);
  if (offset >= plaintext_size_) return 0;
  return static_cast<size_t>(std::min<uint64_t>(kFileChunkSize, plaintext_size_ - offset));
}

}  // namespace parley::crypto

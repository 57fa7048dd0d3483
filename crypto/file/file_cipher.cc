#include "crypto/file/file_cipher.h"

#include <algorithm>

#include "crypto/base/status_macros.h"
#include "crypto/primitives/aead.h"
#include "crypto/primitives/hkdf.h"
#include "crypto/primitives/random.h"

namespace parley::crypto {
namespace {

constexpr AeadAlgorithm kAead = AeadAlgorithm::kAegis256;
constexpr uint8_t kVersion = 1;
constexpr std::string_view kCommitmentSalt = "parley file key commitment v1";

// aad = 0x01 || share_id || BE64(i) || last
Bytes ChunkAad(ByteView share_id, uint64_t index, bool last) {
  const uint8_t last_flag = last ? 1 : 0;
  return Concat({ByteView(&kVersion, 1), share_id, BigEndian64(index), ByteView(&last_flag, 1)});
}

// nonce = random || BE64(i)
Bytes ChunkNonce(ByteView random, uint64_t index) { return Concat({random, BigEndian64(index)}); }

absl::Status NoSuchChunk(uint64_t index, const FileLayout& layout) {
  return absl::OutOfRangeError("the file has no chunk " + std::to_string(index) + ": it has " +
                               std::to_string(layout.chunk_count()));
}

absl::Status WrongRoom(uint64_t index) {
  return absl::InvalidArgumentError("memory of another size than that of chunk " +
                                    std::to_string(index));
}

}  // namespace

absl::StatusOr<Bytes> FileKeyCommitment(ByteView file_key, ByteView share_id) {
  if (file_key.size() != kFileKeySize || share_id.size() != kShareIdSize) {
    return absl::InvalidArgumentError("a file key or a share id that isn't 32 bytes");
  }
  const Secret prk = HkdfExtract(HashAlgorithm::kSha256, ViewOf(kCommitmentSalt), file_key);
  const Secret out = HkdfExpand(HashAlgorithm::kSha256, prk.Reveal(), share_id, kKeyCommitmentSize);
  const ByteView view = out.Reveal();
  return Bytes(view.begin(), view.end());
}

FileSealer::FileSealer(Secret file_key, ByteView share_id, FileLayout layout, Bytes key_commitment)
    : file_key_(std::move(file_key)),
      share_id_(share_id.begin(), share_id.end()),
      layout_(layout),
      key_commitment_(std::move(key_commitment)) {}

absl::StatusOr<FileSealer> FileSealer::Create(Secret file_key, ByteView share_id,
                                              uint64_t plaintext_size) {
  PARLEY_ASSIGN_OR_RETURN(Bytes commitment, FileKeyCommitment(file_key.Reveal(), share_id));
  PARLEY_ASSIGN_OR_RETURN(const FileLayout layout, FileLayout::Create(plaintext_size));
  return FileSealer(std::move(file_key), share_id, layout, std::move(commitment));
}

absl::Status FileSealer::SealChunk(uint64_t index, ByteView content,
                                   std::span<uint8_t> sealed) const {
  if (index >= layout_.chunk_count()) return NoSuchChunk(index, layout_);
  if (content.size() != layout_.ContentSize(index)) {
    return absl::FailedPreconditionError("the file has changed its size while it was sent");
  }
  if (sealed.size() != layout_.SealedChunkSize(index)) return WrongRoom(index);
  const std::span<uint8_t> random = sealed.first(kFileChunkRandomSize);
  const std::span<uint8_t> out = sealed.subspan(kFileChunkRandomSize);
  RandomBytes(random);
  ByteView chunk = content;
  if (content.size() < layout_.ChunkSize(index)) {
    // Content and padding are laid where the ciphertext will be, and sealed in place.
    const std::span<uint8_t> padded = out.first(layout_.ChunkSize(index));
    std::ranges::fill(std::ranges::copy(content, padded.begin()).out, padded.end(), uint8_t{0});
    chunk = padded;
  }
  SealInto(kAead, file_key_.Reveal(), ChunkNonce(random, index),
           ChunkAad(share_id_, index, layout_.IsLast(index)), chunk, out);
  return absl::OkStatus();
}

absl::StatusOr<Bytes> FileSealer::SealChunk(uint64_t index, ByteView content) const {
  Bytes sealed(index < layout_.chunk_count() ? layout_.SealedChunkSize(index) : 0);
  PARLEY_RETURN_IF_ERROR(SealChunk(index, content, sealed));
  return sealed;
}

FileOpener::FileOpener(Secret file_key, ByteView share_id, FileLayout layout)
    : file_key_(std::move(file_key)),
      share_id_(share_id.begin(), share_id.end()),
      layout_(layout) {}

absl::StatusOr<FileOpener> FileOpener::Create(Secret file_key, ByteView share_id,
                                              uint64_t plaintext_size, ByteView key_commitment) {
  PARLEY_ASSIGN_OR_RETURN(const Bytes expected, FileKeyCommitment(file_key.Reveal(), share_id));
  PARLEY_ASSIGN_OR_RETURN(const FileLayout layout, FileLayout::Create(plaintext_size));
  if (!ConstantTimeEquals(expected, key_commitment)) return DecryptionFailed();
  return FileOpener(std::move(file_key), share_id, layout);
}

absl::Status FileOpener::OpenChunk(uint64_t index, ByteView sealed,
                                   std::span<uint8_t> opened) const {
  if (index >= layout_.chunk_count()) return NoSuchChunk(index, layout_);
  if (opened.size() != layout_.ChunkSize(index)) return WrongRoom(index);
  if (sealed.size() != layout_.SealedChunkSize(index)) return DecryptionFailed();
  PARLEY_RETURN_IF_ERROR(OpenInto(kAead, file_key_.Reveal(),
                                  ChunkNonce(sealed.first(kFileChunkRandomSize), index),
                                  ChunkAad(share_id_, index, layout_.IsLast(index)),
                                  sealed.subspan(kFileChunkRandomSize), opened));
  const ByteView padding = ByteView(opened).subspan(layout_.ContentSize(index));
  if (std::ranges::any_of(padding, [](uint8_t byte) { return byte != 0; })) {
    return DecryptionFailed();
  }
  return absl::OkStatus();
}

absl::StatusOr<Bytes> FileOpener::OpenChunk(uint64_t index, ByteView sealed) const {
  if (index >= layout_.chunk_count()) return NoSuchChunk(index, layout_);
  if (sealed.size() != layout_.SealedChunkSize(index)) return DecryptionFailed();
  Bytes content(layout_.ChunkSize(index));
  PARLEY_RETURN_IF_ERROR(OpenChunk(index, sealed, content));
  content.resize(layout_.ContentSize(index));
  return content;
}

}  // namespace parley::crypto

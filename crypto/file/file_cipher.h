// Sealing a file chunk by chunk (docs/protocol.md section 7), in any order, with constant memory.
//
//   absl::StatusOr<FileSealer> sealer = FileSealer::Create(key.Clone(), share_id, size);
//   for (uint64_t i = 0; i < sealer->layout().chunk_count(); ++i) {
//     Send(i, *sealer->SealChunk(i, content_of_chunk_i));
//   }
//   // The manifest carries key, share id, size, sealer->key_commitment() and the two tree roots.
//
//   absl::StatusOr<FileOpener> opener = FileOpener::Create(key, share_id, size, key_commitment);
//   absl::StatusOr<Bytes> content = opener->OpenChunk(i, sealed);
//
// A chunk sealed for one file, index, or place (last or not) opens as no other. Sealing a chunk
// twice is safe, since each seal has a random nonce; but the two differ, and the manifest's
// ciphertext root covers one of them. A resumed upload goes on with the chunks that are missing and
// never repeats one. A key seals one source only: if the source changes, take a new key and share
// id.
//
// AEGIS-256 doesn't commit to its key: one chunk could be made to open under two keys to two texts.
// The manifest's commitment pins the key, and is checked before anything is opened.
//
// Threading: const functions may run together.
// Secrets: both hold the file key in secret memory, wiped with them.
#ifndef PARLEY_CRYPTO_FILE_FILE_CIPHER_H_
#define PARLEY_CRYPTO_FILE_FILE_CIPHER_H_

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"
#include "crypto/file/file_layout.h"

namespace parley::crypto {

inline constexpr size_t kFileKeySize = 32;
inline constexpr size_t kShareIdSize = 32;
inline constexpr size_t kKeyCommitmentSize = 32;

// HKDF-Expand(HKDF-Extract("parley file key commitment v1", file key), share id, 32), SHA-256.
// Public. Errors: InvalidArgument when the key or the share id isn't 32 bytes.
absl::StatusOr<Bytes> FileKeyCommitment(ByteView file_key, ByteView share_id);

class FileSealer {
 public:
  // Errors: InvalidArgument when `file_key` or `share_id` isn't 32 bytes or the size is over
  // kMaximumFileSize.
  static absl::StatusOr<FileSealer> Create(Secret file_key, ByteView share_id,
                                           uint64_t plaintext_size);

  const FileLayout& layout() const { return layout_; }
  const Bytes& key_commitment() const { return key_commitment_; }

  // Writes into `sealed`: 24 random bytes || ciphertext || 32-byte tag,
  // layout().SealedChunkSize(index) bytes. `content` is the true content of the chunk, elsewhere;
  // padding is added here. Errors: OutOfRange for an index that the file doesn't have;
  // InvalidArgument for a `sealed` of another size; FailedPrecondition when `content` doesn't have
  // layout().ContentSize(index) bytes: the source has changed its size.
  absl::Status SealChunk(uint64_t index, ByteView content, std::span<uint8_t> sealed) const;
  // The same into memory of its own.
  absl::StatusOr<Bytes> SealChunk(uint64_t index, ByteView content) const;

 private:
  FileSealer(Secret file_key, ByteView share_id, FileLayout layout, Bytes key_commitment);

  Secret file_key_;
  Bytes share_id_;
  FileLayout layout_;
  Bytes key_commitment_;
};

class FileOpener {
 public:
  // From the manifest's values.
  // Errors: InvalidArgument as FileSealer; Unauthenticated when the commitment isn't the key's.
  static absl::StatusOr<FileOpener> Create(Secret file_key, ByteView share_id,
                                           uint64_t plaintext_size, ByteView key_commitment);

  const FileLayout& layout() const { return layout_; }

  // Writes the chunk into `opened`, which has layout().ChunkSize(index) bytes and doesn't overlap
  // `sealed`: its first layout().ContentSize(index) bytes are the true content, the rest padding.
  // Errors: OutOfRange for an index that the file doesn't have; InvalidArgument for an `opened` of
  // another size; one identical Unauthenticated for a chunk that was altered, cut, moved, is
  // another file's, or whose padding isn't all zeros.
  absl::Status OpenChunk(uint64_t index, ByteView sealed, std::span<uint8_t> opened) const;
  // The true content, in memory of its own.
  absl::StatusOr<Bytes> OpenChunk(uint64_t index, ByteView sealed) const;

 private:
  FileOpener(Secret file_key, ByteView share_id, FileLayout layout);

  Secret file_key_;
  Bytes share_id_;
  FileLayout layout_;
};

}  // namespace parley::crypto

#endif  // PARLEY_CRYPTO_FILE_FILE_CIPHER_H_

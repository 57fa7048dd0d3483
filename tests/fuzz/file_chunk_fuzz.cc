// Opening file chunks: only the genuine chunk in its own place opens; padding must be zeros; a tree
// hash's saved state is read and written alike.
#include <algorithm>

#include "crypto/file/file_cipher.h"
#include "crypto/file/tree_hash.h"
#include "crypto/primitives/aead.h"
#include "tests/fuzz/fuzz_check.h"

namespace parley::crypto {
namespace {

constexpr uint64_t kSize = 300;  // padded to 304

const Bytes& ShareId() {
  static const Bytes id(kShareIdSize, 2);
  return id;
}

Secret Key() { return Secret::CopyOf(Bytes(kFileKeySize, 1)); }

const FileOpener& Opener() {
  static const FileOpener opener =
      FileOpener::Create(Key(), ShareId(), kSize,
                         FileKeyCommitment(Key().Reveal(), ShareId()).value())
          .value();
  return opener;
}

const Bytes& Genuine() {
  static const Bytes chunk =
      FileSealer::Create(Key(), ShareId(), kSize)->SealChunk(0, Bytes(kSize, 3)).value();
  return chunk;
}

void CheckOpening(uint64_t index, ByteView chunk) {
  const absl::StatusOr<Bytes> opened = Opener().OpenChunk(index, chunk);
  FUZZ_CHECK(opened.ok() == (index == 0 && PublicEquals(chunk, Genuine())));
  if (opened.ok()) {
    FUZZ_CHECK(*opened == Bytes(kSize, 3));
  } else if (index == 0) {
    FUZZ_CHECK(opened.status() == DecryptionFailed());
  } else {
    FUZZ_CHECK(absl::IsOutOfRange(opened.status()));
  }
}

// A sender who holds the key seals what it likes: it opens exactly when it is laid out as promised.
void CheckHostileSender(ByteView plaintext) {
  const Bytes random(kFileChunkRandomSize, 9);
  const Bytes nonce = Concat({random, BigEndian64(0)});
  const Bytes aad = Concat({Bytes{1}, ShareId(), BigEndian64(0), Bytes{1}});
  const Bytes chunk =
      Concat({random, Seal(AeadAlgorithm::kAegis256, Key().Reveal(), nonce, aad, plaintext)});
  const absl::StatusOr<Bytes> opened = Opener().OpenChunk(0, chunk);
  const bool proper =
      plaintext.size() == Opener().layout().padded_size() &&
      std::ranges::all_of(plaintext.subspan(kSize), [](uint8_t byte) { return byte == 0; });
  FUZZ_CHECK(opened.ok() == proper);
  if (proper) FUZZ_CHECK(PublicEquals(*opened, plaintext.first(kSize)));
}

void CheckTreeState(ByteView saved) {
  const absl::StatusOr<TreeHasher> hasher = TreeHasher::Load(saved);
  if (!hasher.ok()) return;
  FUZZ_CHECK(PublicEquals(hasher->Save(), saved));
  (void)hasher->Root();
}

}  // namespace
}  // namespace parley::crypto

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace parley::crypto;
  parley::fuzz::Input input(data, size);
  switch (input.Byte() % 4) {
    case 0:
      CheckOpening(input.Byte() % 3, input.Rest());
      break;
    case 1:
      CheckOpening(0, parley::fuzz::Edited(Genuine(), input));
      break;
    case 2:
      if (input.Byte() % 2 == 0) {
        CheckHostileSender(input.Rest());
      } else {
        CheckHostileSender(parley::fuzz::Edited(Bytes(Opener().layout().padded_size()), input));
      }
      break;
    default:
      CheckTreeState(input.Rest());
  }
  return 0;
}

#include "crypto/file/file_cipher.h"

#include <algorithm>
#include <random>

#include "crypto/base/padding.h"
#include "crypto/base/test_bytes.h"
#include "crypto/file/tree_hash.h"
#include "crypto/primitives/aead.h"
#include "crypto/primitives/random.h"
#include "gtest/gtest.h"

namespace parley::crypto {
namespace {

constexpr size_t kMiB = kFileChunkSize;

// A file, its key and its sealed chunks.
struct Sealed {
  Bytes content;
  Secret key;
  Bytes share_id;
  Bytes commitment;
  std::vector<Bytes> chunks;

  absl::StatusOr<FileOpener> Opener() const {
    return FileOpener::Create(key.Clone(), share_id, content.size(), commitment);
  }
};

ByteView ContentOf(ByteView content, const FileLayout& layout, uint64_t index) {
  const size_t size = layout.ContentSize(index);
  return size == 0 ? ByteView() : content.subspan(layout.ChunkOffset(index), size);
}

Sealed SealWith(Bytes content, Secret key, Bytes share_id) {
  const FileSealer sealer = FileSealer::Create(key.Clone(), share_id, content.size()).value();
  Sealed out{std::move(content), std::move(key), std::move(share_id), sealer.key_commitment(), {}};
  for (uint64_t i = 0; i < sealer.layout().chunk_count(); ++i) {
    out.chunks.push_back(sealer.SealChunk(i, ContentOf(out.content, sealer.layout(), i)).value());
  }
  return out;
}

Sealed SealRandom(size_t size) {
  return SealWith(RandomBytes(size), Secret::Random(32), RandomBytes(size_t{32}));
}

absl::StatusOr<Bytes> OpenAll(const Sealed& sealed) {
  const FileOpener opener = sealed.Opener().value();
  Bytes out;
  for (uint64_t i = 0; i < opener.layout().chunk_count(); ++i) {
    absl::StatusOr<Bytes> chunk = opener.OpenChunk(i, sealed.chunks.at(i));
    if (!chunk.ok()) return chunk.status();
    out.insert(out.end(), chunk->begin(), chunk->end());
  }
  return out;
}

TEST(FileCipher, SizesComeBack) {
  for (size_t size : {size_t{0}, size_t{1}, size_t{255}, size_t{256}, size_t{257}, kMiB - 1, kMiB,
                      kMiB + 1, 2 * kMiB, 3 * kMiB + 12345}) {
    const Sealed sealed = SealRandom(size);
    EXPECT_EQ(OpenAll(sealed).value(), sealed.content) << size;
  }
}

TEST(FileCipher, RandomSizesComeBackAndLookPadded) {
  std::mt19937 random(6);
  for (int i = 0; i < 60; ++i) {
    const size_t size = random() % (size_t{1} << (1 + random() % 22));
    const Sealed sealed = SealRandom(size);
    EXPECT_EQ(OpenAll(sealed).value(), sealed.content) << size;
    // What the relay sees depends on the padded size only.
    size_t stored = 0;
    for (const Bytes& chunk : sealed.chunks) stored += chunk.size();
    const uint64_t padded = std::max<uint64_t>(256, PadmeSize(size));
    EXPECT_EQ(stored, padded + sealed.chunks.size() * 56);
    EXPECT_EQ(stored, FileLayout::Create(size)->sealed_size());
    EXPECT_EQ(sealed.chunks.size(), (padded + kMiB - 1) / kMiB);
  }
}

// docs/protocol.md section 7, put together here from its parts.
TEST(FileCipher, ChunkFormat) {
  const Sealed sealed = SealRandom(kMiB + 1000);
  ASSERT_EQ(sealed.chunks.size(), 2u);
  for (uint64_t i = 0; i < 2; ++i) {
    const ByteView chunk = sealed.chunks[i];
    const uint8_t last = i == 1 ? 1 : 0;
    const Bytes nonce = Concat({chunk.first(24), BigEndian64(i)});
    const Bytes aad = Concat({Bytes{1}, sealed.share_id, BigEndian64(i), ByteView(&last, 1)});
    const Bytes plaintext =
        Open(AeadAlgorithm::kAegis256, sealed.key.Reveal(), nonce, aad, chunk.subspan(24)).value();
    const size_t content = i == 0 ? kMiB : 1000;
    EXPECT_TRUE(PublicEquals(ByteView(plaintext).first(content),
                             ByteView(sealed.content).subspan(i * kMiB, content)));
    EXPECT_TRUE(std::ranges::all_of(ByteView(plaintext).subspan(content),
                                    [](uint8_t byte) { return byte == 0; }));
  }
}

class FileCipherAttack : public ::testing::Test {
 protected:
  bool Fails(uint64_t index, ByteView chunk) const {
    return opener_.OpenChunk(index, chunk).status() == DecryptionFailed();
  }
  const Sealed file_ = SealRandom(2 * kMiB + 70000);  // three chunks
  const FileOpener opener_ = file_.Opener().value();
};

TEST_F(FileCipherAttack, EveryFlipInASmallFile) {
  const Sealed small = SealRandom(100);
  const FileOpener opener = small.Opener().value();
  ASSERT_TRUE(opener.OpenChunk(0, small.chunks[0]).ok());
  for (size_t bit = 0; bit < small.chunks[0].size() * 8; ++bit) {
    EXPECT_EQ(opener.OpenChunk(0, Flipped(small.chunks[0], bit)).status(), DecryptionFailed());
  }
}

TEST_F(FileCipherAttack, FlipsAllOverALargeFile) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 60; ++i) {
    const uint64_t index = random() % 3;
    const size_t bit = random() % (file_.chunks[index].size() * 8);
    EXPECT_TRUE(Fails(index, Flipped(file_.chunks[index], bit)));
  }
}

TEST_F(FileCipherAttack, EveryMove) {
  for (uint64_t i = 0; i < 3; ++i) {
    for (uint64_t j = 0; j < 3; ++j) EXPECT_EQ(Fails(i, file_.chunks[j]), i != j);
  }
  EXPECT_TRUE(absl::IsOutOfRange(opener_.OpenChunk(3, file_.chunks[2]).status()));
  EXPECT_TRUE(absl::IsOutOfRange(opener_.OpenChunk(UINT64_MAX, file_.chunks[2]).status()));
}

TEST_F(FileCipherAttack, EveryCutAndExtension) {
  const ByteView chunk = file_.chunks[2];
  for (size_t size : {size_t{0}, size_t{1}, size_t{23}, size_t{24}, size_t{55}, size_t{56},
                      size_t{57}, chunk.size() - 32, chunk.size() - 1}) {
    EXPECT_TRUE(Fails(2, chunk.first(size))) << size;
  }
  EXPECT_TRUE(Fails(2, Concat({chunk, Bytes(1)})));
}

// Same key, same share id, but the file is said to end earlier: the chunk isn't the last one.
TEST_F(FileCipherAttack, ACutFileDoesntOpen) {
  const FileOpener shorter =
      FileOpener::Create(file_.key.Clone(), file_.share_id, 2 * kMiB, file_.commitment).value();
  EXPECT_TRUE(shorter.OpenChunk(0, file_.chunks[0]).ok());
  EXPECT_EQ(shorter.OpenChunk(1, file_.chunks[1]).status(), DecryptionFailed());
  const FileOpener longer =
      FileOpener::Create(file_.key.Clone(), file_.share_id, 3 * kMiB + 1, file_.commitment).value();
  EXPECT_EQ(longer.OpenChunk(2, file_.chunks[2]).status(), DecryptionFailed());
}

TEST_F(FileCipherAttack, ChunksOfOtherFiles) {
  const Sealed other_key = SealWith(file_.content, Secret::Random(32), file_.share_id);
  const Sealed other_id = SealWith(file_.content, file_.key.Clone(), RandomBytes(size_t{32}));
  for (uint64_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(Fails(i, other_key.chunks[i]));
    EXPECT_TRUE(Fails(i, other_id.chunks[i]));
  }
}

// A sender who pads with something else than zeros would have a hidden channel, or could let two
// receivers with different sizes see different ends.
TEST_F(FileCipherAttack, PaddingMustBeZeros) {
  const auto opens = [](uint8_t last_byte) {
    Bytes content(256, 7);
    content.back() = last_byte;
    const Sealed file = SealWith(std::move(content), Secret::Random(32), RandomBytes(size_t{32}));
    // The same key and share, but said to be one byte shorter: the last byte is padding.
    return FileOpener::Create(file.key.Clone(), file.share_id, 255, file.commitment)
        ->OpenChunk(0, file.chunks[0])
        .status();
  };
  EXPECT_TRUE(opens(0).ok());
  EXPECT_EQ(opens(1), DecryptionFailed());
}

TEST_F(FileCipherAttack, TheKeyMustBeTheCommittedOne) {
  const auto create = [&](ByteView key, ByteView id, ByteView commitment) {
    return FileOpener::Create(Secret::CopyOf(key), id, file_.content.size(), commitment).status();
  };
  const ByteView key = file_.key.Reveal();
  ASSERT_TRUE(create(key, file_.share_id, file_.commitment).ok());
  for (size_t bit = 0; bit < 256; ++bit) {
    EXPECT_TRUE(
        absl::IsUnauthenticated(create(Flipped(key, bit), file_.share_id, file_.commitment)));
    EXPECT_TRUE(
        absl::IsUnauthenticated(create(key, Flipped(file_.share_id, bit), file_.commitment)));
    EXPECT_TRUE(
        absl::IsUnauthenticated(create(key, file_.share_id, Flipped(file_.commitment, bit))));
  }
  EXPECT_TRUE(absl::IsUnauthenticated(create(key, file_.share_id, {})));
  EXPECT_TRUE(
      absl::IsUnauthenticated(create(key, file_.share_id, ByteView(file_.commitment).first(31))));
  EXPECT_TRUE(absl::IsInvalidArgument(create(Bytes(31), file_.share_id, file_.commitment)));
  EXPECT_TRUE(absl::IsInvalidArgument(create(key, Bytes(16), file_.commitment)));
}

TEST(FileSealer, TwoSealsOfAChunkDifferAndBothOpen) {
  const FileSealer sealer =
      FileSealer::Create(Secret::Random(32), RandomBytes(size_t{32}), 5).value();
  EXPECT_NE(sealer.SealChunk(0, ViewOf("hello")).value(),
            sealer.SealChunk(0, ViewOf("hello")).value());
}

TEST(FileSealer, ASourceOfAnotherSizeIsNoticed) {
  const FileSealer sealer =
      FileSealer::Create(Secret::Random(32), RandomBytes(size_t{32}), 5).value();
  EXPECT_TRUE(absl::IsFailedPrecondition(sealer.SealChunk(0, ViewOf("hell")).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(sealer.SealChunk(0, ViewOf("hello!")).status()));
  EXPECT_TRUE(absl::IsOutOfRange(sealer.SealChunk(1, {}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      FileSealer::Create(Secret::Random(16), RandomBytes(size_t{32}), 5).status()));
}

// Into the caller's memory, which may have served for another chunk before.
TEST(FileCipher, SealsIntoAndOpensFromUsedMemory) {
  for (size_t size : {size_t{0}, size_t{5}, size_t{70000}, 2 * kMiB + 70000}) {
    const Secret key = Secret::Random(32);
    const Bytes share_id = RandomBytes(size_t{32});
    const Bytes content = RandomBytes(size);
    const FileSealer sealer = FileSealer::Create(key.Clone(), share_id, size).value();
    const FileOpener opener =
        FileOpener::Create(key.Clone(), share_id, size, sealer.key_commitment()).value();
    for (uint64_t i = 0; i < sealer.layout().chunk_count(); ++i) {
      const FileLayout& layout = sealer.layout();
      const ByteView piece = ByteView(content).subspan(
          std::min<size_t>(layout.ChunkOffset(i), size), layout.ContentSize(i));
      Bytes sealed(layout.SealedChunkSize(i), 0xaa);
      ASSERT_TRUE(sealer.SealChunk(i, piece, sealed).ok());
      Bytes opened(layout.ChunkSize(i), 0xbb);
      ASSERT_TRUE(opener.OpenChunk(i, sealed, opened).ok());
      EXPECT_TRUE(std::ranges::equal(ByteView(opened).first(piece.size()), piece));
      EXPECT_TRUE(std::ranges::all_of(ByteView(opened).subspan(piece.size()),
                                      [](uint8_t byte) { return byte == 0; }));
      Bytes wrong(sealed.size() + 1);
      EXPECT_TRUE(absl::IsInvalidArgument(sealer.SealChunk(i, piece, wrong)));
      EXPECT_TRUE(absl::IsInvalidArgument(opener.OpenChunk(i, sealed, wrong)));
    }
  }
}

TEST(FileKeyCommitment, DependsOnKeyAndShare) {
  const Bytes key = Counting(0, 32);
  const Bytes id = Counting(32, 32);
  EXPECT_EQ(ToHex(FileKeyCommitment(key, id).value()),
            "ea0b968fa5d06aa3ab7657abc622e2393ab045981ac2d9d5542e8fb6d814ea06");
  EXPECT_NE(FileKeyCommitment(key, id).value(), FileKeyCommitment(id, key).value());
}

TEST(FileLayout, LargeFilesAddUp) {
  std::mt19937_64 random(8);
  for (int i = 0; i < 1000; ++i) {
    const uint64_t size = random() >> (14 + random() % 50);
    const FileLayout layout = FileLayout::Create(size).value();
    const uint64_t last = layout.chunk_count() - 1;
    EXPECT_TRUE(layout.IsLast(last));
    EXPECT_FALSE(layout.IsLast(last + 1));
    EXPECT_EQ(layout.ChunkOffset(last) + layout.ChunkSize(last), layout.padded_size());
    EXPECT_LE(layout.ContentSize(0), layout.ChunkSize(0));
    EXPECT_GE(layout.padded_size(), size);
  }
  EXPECT_TRUE(absl::IsInvalidArgument(FileLayout::Create(kMaximumFileSize + 1).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(FileLayout::Create(UINT64_MAX).status()));
}

}  // namespace
}  // namespace parley::crypto

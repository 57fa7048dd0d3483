#include "tests/hostile/blob_mutators.h"

#include <array>

namespace parley::hostile {
namespace {

using Chunk = relay::v1::DownloadBlobResponse;

bool IsFirst(const Rule& rule, const Chunk& chunk) {
  return chunk.index() == rule.Number("chunk", 0);
}

// One bit of the chunk is another; `at=N` chooses the byte.
BlobLie AlterChunk(const Rule& rule, const ChunkBook&, const std::string&, Chunk& chunk) {
  if (!IsFirst(rule, chunk) || chunk.data().empty()) return BlobLie::kNone;
  std::string& data = *chunk.mutable_data();
  char& byte = data[rule.Number("at", data.size() / 2) % data.size()];
  byte = static_cast<char>(byte ^ 1);
  return BlobLie::kChanged;
}

// The chunk and the next one have changed places.
BlobLie SwapChunk(const Rule& rule, const ChunkBook& book, const std::string& blob_id,
                  Chunk& chunk) {
  const uint64_t first = rule.Number("chunk", 0);
  if (chunk.index() > first + 1) return BlobLie::kNone;
  const auto other = book.Find(blob_id, 2 * first + 1 - chunk.index());
  if (!other) return BlobLie::kNone;
  chunk.set_data(*other);
  return BlobLie::kChanged;
}

// The chunk is one of another blob (`of_blob=HEX`), of the same index.
BlobLie ForeignChunk(const Rule& rule, const ChunkBook& book, const std::string&, Chunk& chunk) {
  if (!IsFirst(rule, chunk)) return BlobLie::kNone;
  const auto other = book.Find(rule.Raw("of_blob"), chunk.index());
  if (!other) return BlobLie::kNone;
  chunk.set_data(*other);
  return BlobLie::kChanged;
}

// The chunk lacks its last bytes (`by=N`).
BlobLie ShortChunk(const Rule& rule, const ChunkBook&, const std::string&, Chunk& chunk) {
  const uint64_t less = rule.Number("by", 16);
  if (!IsFirst(rule, chunk) || chunk.data().size() < less) return BlobLie::kNone;
  chunk.mutable_data()->resize(chunk.data().size() - less);
  return BlobLie::kChanged;
}

BlobLie CutBlob(const Rule&, const ChunkBook&, const std::string&, Chunk&) { return BlobLie::kEnd; }

constexpr std::array kBlobMutators = {
    BlobMutator{"alter-chunk", AlterChunk},     BlobMutator{"swap-chunk", SwapChunk},
    BlobMutator{"foreign-chunk", ForeignChunk}, BlobMutator{"short-chunk", ShortChunk},
    BlobMutator{"cut-blob", CutBlob},
};

}  // namespace

void ChunkBook::Note(const std::string& blob_id, uint64_t index, const std::string& data) {
  const std::lock_guard lock(mutex_);
  if (chunks_.size() < kMost) chunks_.emplace(std::pair(blob_id, index), data);
}

std::optional<std::string> ChunkBook::Find(const std::string& blob_id, uint64_t index) const {
  const std::lock_guard lock(mutex_);
  const auto found = chunks_.find({blob_id, index});
  if (found == chunks_.end()) return std::nullopt;
  return found->second;
}

const BlobMutator* FindBlobMutator(std::string_view kind) {
  for (const BlobMutator& mutator : kBlobMutators) {
    if (mutator.kind == kind) return &mutator;
  }
  return nullptr;
}

}  // namespace parley::hostile

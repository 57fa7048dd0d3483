#include "crypto/base/secret_memory.h"

#include <string.h>
#include <sys/mman.h>

#include <array>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <new>

namespace parley::crypto {
namespace {

constexpr size_t kArenaBytes = 64 * 1024;
constexpr size_t kSmallestPiece = 32;
constexpr int kClasses = 8;  // 32, 64, … 4096

uint8_t* MapPages(size_t size) {
  void* pages = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) {
    fputs("parley: out of memory\n", stderr);
    abort();
  }
  // Locking is best effort: an unprivileged process has a small allowance, and refusing to work
  // without it would help nobody. What always holds: not dumped, and wiped.
  (void)mlock(pages, size);
  (void)madvise(pages, size, MADV_DONTDUMP);
  return static_cast<uint8_t*>(pages);
}

// Free pieces of one size class are chained through their first bytes.
struct FreePiece {
  FreePiece* next;
};

class Arena {
 public:
  uint8_t* Take(int size_class) {
    const size_t piece = kSmallestPiece << size_class;
    std::lock_guard<std::mutex> lock(mutex_);
    FreePiece*& head = free_[static_cast<size_t>(size_class)];
    if (head != nullptr) {
      FreePiece* taken = head;
      head = taken->next;
      taken->next = nullptr;
      return reinterpret_cast<uint8_t*>(taken);
    }
    if (left_ < piece) {
      next_ = MapPages(kArenaBytes);
      left_ = kArenaBytes;
    }
    uint8_t* out = next_;
    next_ += piece;
    left_ -= piece;
    return out;
  }

  void Give(uint8_t* data, int size_class) {
    std::lock_guard<std::mutex> lock(mutex_);
    FreePiece*& head = free_[static_cast<size_t>(size_class)];
    head = new (data) FreePiece{head};
  }

 private:
  std::mutex mutex_;
  std::array<FreePiece*, kClasses> free_{};
  uint8_t* next_ = nullptr;
  size_t left_ = 0;
};

Arena& TheArena() {
  // Never destroyed: secrets in static storage may outlive any order of destruction.
  static Arena* arena = new Arena;
  return *arena;
}

int SizeClass(size_t size) {
  const size_t rounded = std::bit_ceil(size < kSmallestPiece ? kSmallestPiece : size);
  return std::countr_zero(rounded) - std::countr_zero(kSmallestPiece);
}

}  // namespace

uint8_t* AllocateSecret(size_t size) {
  return size > kLargeSecret ? MapPages(size) : TheArena().Take(SizeClass(size));
}

void FreeSecret(uint8_t* data, size_t size) {
  explicit_bzero(data, size);
  if (size > kLargeSecret) {
    munmap(data, size);
  } else {
    TheArena().Give(data, SizeClass(size));
  }
}

}  // namespace parley::crypto

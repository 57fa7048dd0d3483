#include "crypto/base/secret.h"

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <ostream>
#include <set>
#include <string>
#include <thread>
#include <type_traits>

#include "crypto/base/secret_memory.h"
#include "crypto/base/test_bytes.h"
#include "gtest/gtest.h"

namespace parley::crypto {
namespace {

template <typename T>
concept Printable = requires(std::ostream& stream, const T& value) {
  stream << value;
};
template <typename T>
concept Comparable = requires(const T& a, const T& b) {
  a == b;
};

static_assert(!std::is_copy_constructible_v<Secret>);
static_assert(!std::is_copy_assignable_v<Secret>);
static_assert(std::is_nothrow_move_constructible_v<Secret>);
static_assert(std::is_nothrow_move_assignable_v<Secret>);
static_assert(!Printable<Secret>);
static_assert(!Comparable<Secret>);
static_assert(!std::is_convertible_v<Secret, Bytes>);
static_assert(!std::is_convertible_v<Secret, ByteView>);

// Reads a piece of the arena after its secret is gone. The arena never unmaps, so this is no use
// of a mapping that is gone; what the allocator itself writes is a pointer in the first 8 bytes.
bool IsWipedBehindPointer(const uint8_t* data, size_t size) {
  const volatile uint8_t* at = data;
  for (size_t i = sizeof(void*); i < size; ++i) {
    if (at[i] != 0) return false;
  }
  return true;
}

TEST(Secret, IsWipedWhenItEnds) {
  for (size_t size : {9, 32, 33, 64, 100, 1000, 4096}) {
    const uint8_t* data = nullptr;
    {
      const Secret secret = Secret::CopyOf(Bytes(size, 0xab));
      data = secret.Reveal().data();
      ASSERT_FALSE(IsWipedBehindPointer(data, size));
    }
    EXPECT_TRUE(IsWipedBehindPointer(data, size)) << size;
  }
}

TEST(Secret, IsWipedWhenAssignedOverAndByWipe) {
  Secret secret = Secret::CopyOf(Bytes(64, 0xab));
  const uint8_t* first = secret.Reveal().data();
  secret = Secret::CopyOf(Bytes(200, 0xcd));
  EXPECT_TRUE(IsWipedBehindPointer(first, 64));
  const uint8_t* second = secret.Reveal().data();
  secret.Wipe();
  EXPECT_TRUE(IsWipedBehindPointer(second, 200));
  EXPECT_TRUE(secret.empty());
  secret.Wipe();  // again is harmless
}

// A piece handed out again must not show the free list's pointer.
TEST(Secret, NewOnesAreZero) {
  for (size_t size : {1, 31, 32, 33, 4096, 4097, 100000}) {
    { const Secret dirty = Secret::CopyOf(Bytes(size, 0xff)); }
    { const Secret dirty = Secret::CopyOf(Bytes(size, 0xff)); }
    const Secret first(size);
    const Secret second(size);
    for (const Secret* secret : {&first, &second}) {
      EXPECT_EQ(ToHex(secret->Reveal()), ToHex(Bytes(size)));
    }
  }
}

TEST(Secret, MovesKeepTheBytesInPlace) {
  Secret one = Secret::CopyOf(Counting(1, 32));
  const uint8_t* data = one.Reveal().data();
  Secret two = std::move(one);
  EXPECT_EQ(two.Reveal().data(), data);
  EXPECT_TRUE(one.empty());  // NOLINT: what a moved-from secret is, is promised
  one = std::move(two);
  EXPECT_EQ(one.Reveal().data(), data);
  Secret& same = one;
  one = std::move(same);
  EXPECT_EQ(ToHex(one.Reveal()), ToHex(Counting(1, 32)));
}

TEST(Secret, ClonesAreIndependent) {
  Secret one = Secret::CopyOf(Counting(1, 32));
  Secret two = one.Clone();
  one.RevealMutable()[0] = 99;
  EXPECT_EQ(ToHex(two.Reveal()), ToHex(Counting(1, 32)));
}

TEST(Secret, EmptyOnesWork) {
  const Secret empty;
  EXPECT_EQ(empty.size(), 0u);
  EXPECT_TRUE(empty.Clone().empty());
  EXPECT_TRUE(Secret(0).empty());
  EXPECT_TRUE(Secret::CopyOf({}).empty());
  EXPECT_TRUE(Secret::Random(0).empty());
}

TEST(Secret, RandomOnesDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(ToHex(Secret::Random(32).Reveal()));
  EXPECT_EQ(seen.size(), 100u);
  const Secret large = Secret::Random(100000);  // more than one getrandom call gives at once
  EXPECT_GT(std::ranges::count_if(large.Reveal(), [](uint8_t b) { return b != 0; }), 90000);
}

TEST(Secret, LiveOnesNeverShareMemory) {
  std::vector<Secret> live;
  for (int round = 0; round < 3; ++round) {
    for (size_t size = 1; size < 600; size += 7) {
      live.push_back(Secret::CopyOf(Bytes(size, static_cast<uint8_t>(size))));
    }
    for (size_t i = 0; i < live.size(); i += 2) live[i].Wipe();
    std::erase_if(live, [](const Secret& s) { return s.empty(); });
  }
  for (const Secret& secret : live) {
    EXPECT_EQ(ToHex(secret.Reveal()),
              ToHex(Bytes(secret.size(), static_cast<uint8_t>(secret.size()))));
  }
}

TEST(Secret, ThreadsMayAllocateTogether) {
  std::vector<std::jthread> threads;
  for (uint8_t t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (size_t i = 0; i < 2000; ++i) {
        const Secret secret = Secret::CopyOf(Bytes(1 + i % 300, t));
        const Secret clone = secret.Clone();
        ASSERT_TRUE(ConstantTimeEquals(secret.Reveal(), clone.Reveal()));
      }
    });
  }
}

// The sanitizers turn mlock() into nothing.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMlockWorks = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kMlockWorks = false;
#else
constexpr bool kMlockWorks = true;
#endif
#else
constexpr bool kMlockWorks = true;
#endif

// The VmFlags line of the mapping that holds `address`, from the kernel.
std::string FlagsOfMapping(const void* address) {
  std::ifstream smaps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<uintptr_t>(address);
  bool inside = false;
  for (std::string line; std::getline(smaps, line);) {
    unsigned long begin = 0;
    unsigned long end = 0;
    if (sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) {
      inside = begin <= wanted && wanted < end;
    }
    if (inside && line.starts_with("VmFlags:")) return line + " ";
  }
  return "";
}

// "dd": don't dump; "lo": locked.
TEST(Secret, MemoryIsNotDumpedAndLocked) {
  for (size_t size : {32, 100000}) {
    const Secret secret = Secret::Random(size);
    const std::string flags = FlagsOfMapping(secret.Reveal().data());
    if (flags.empty()) GTEST_SKIP() << "the kernel tells no VmFlags here";
    EXPECT_NE(flags.find(" dd "), std::string::npos) << flags;
    rlimit limit{};
    getrlimit(RLIMIT_MEMLOCK, &limit);
    if (kMlockWorks && limit.rlim_cur >= (1u << 20)) {
      EXPECT_NE(flags.find(" lo "), std::string::npos) << flags;
    }
  }
}

TEST(ConstantTimeEquals, SeesEveryDifference) {
  const Bytes bytes = Counting(0, 32);
  EXPECT_TRUE(ConstantTimeEquals(bytes, Counting(0, 32)));
  EXPECT_TRUE(ConstantTimeEquals({}, {}));
  for (size_t bit = 0; bit < 256; ++bit)
    EXPECT_FALSE(ConstantTimeEquals(bytes, Flipped(bytes, bit)));
  EXPECT_FALSE(ConstantTimeEquals(bytes, Counting(0, 31)));
  EXPECT_FALSE(ConstantTimeEquals(bytes, {}));
}

TEST(ScopedWipe, WipesAtTheEnd) {
  std::string text = "a decrypted name that is long enough to lie on the heap";
  const size_t size = text.size();
  { ScopedWipe<std::string> wipe(text); }
  EXPECT_EQ(text, std::string(size, '\0'));
}

TEST(ConcatSecret, JoinsInOrder) {
  EXPECT_EQ(ToHex(ConcatSecret({Hex("0102"), {}, Hex("03")}).Reveal()), "010203");
  EXPECT_TRUE(ConcatSecret({}).empty());
}

}  // namespace
}  // namespace parley::crypto

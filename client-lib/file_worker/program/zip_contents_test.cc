// An archive, where memory runs out at any place.
#include <gtest/gtest.h>
#include <zip.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <new>
#include <optional>
#include <string>

#include "client-lib/file_worker/contents.h"
#include "client-lib/file_worker/program/jobs.h"

// The sanitizers have a malloc of their own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PARLEY_OWN_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PARLEY_OWN_MALLOC 0
#endif
#endif
#ifndef PARLEY_OWN_MALLOC
#define PARLEY_OWN_MALLOC 1
#endif

namespace {

// Which one of the next allocations is refused; 0 for none.
thread_local int refused = 0;

}  // namespace

#if PARLEY_OWN_MALLOC
namespace {

bool IsRefused() { return refused > 0 && --refused == 0; }

}  // namespace

extern "C" {
// glibc's own.
void* __libc_malloc(size_t size);                // NOLINT(bugprone-reserved-identifier)
void* __libc_calloc(size_t count, size_t size);  // NOLINT(bugprone-reserved-identifier)
void* __libc_realloc(void* old, size_t size);    // NOLINT(bugprone-reserved-identifier)

void* malloc(size_t size) { return IsRefused() ? nullptr : __libc_malloc(size); }
void* calloc(size_t count, size_t size) {
  return IsRefused() ? nullptr : __libc_calloc(count, size);
}
void* realloc(void* old, size_t size) { return IsRefused() ? nullptr : __libc_realloc(old, size); }
}
#endif

namespace parley::file_worker {
namespace {

std::string Archive() {
  std::string pattern = ::testing::TempDir() + "parley-zip-XXXXXX";
  const std::filesystem::path folder = mkdtemp(pattern.data());
  const std::string path = folder / "a.zip";
  zip_t* const archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  const std::string text(5'000, 'a');
  for (const char* name : {"secret.txt", "a\x81.txt"}) {  // one of them no UTF-8
    zip_source_t* const source = zip_source_buffer(archive, text.data(), text.size(), 0);
    EXPECT_GE(zip_file_add(archive, name, source, 0), 0);
  }
  EXPECT_EQ(zip_close(archive), 0);
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::filesystem::remove_all(folder);
  return bytes;
}

// What is shown of it; nothing when it is said that memory ran out.
std::optional<std::string> Shown(const std::string& archive, int refuse) {
  std::string shown;
  shown.reserve(size_t{1} << 16);  // what the test itself needs
  const Emit emit = [&shown](std::string_view data) { shown += data; };
  refused = refuse;
  try {
    const JobResult result = ZipContents(archive, emit);
    refused = 0;
    return result.failure.has_value() ? "failed" : shown;
  } catch (const std::bad_alloc&) {
    refused = 0;
    return std::nullopt;
  }
}

TEST(ZipContentsTest, WhatThereIsNoMemoryForIsNotTakenForDamaged) {
#if !PARLEY_OWN_MALLOC
  GTEST_SKIP() << "memory is the sanitizer's";
#endif
  PrepareContents();
  const std::string archive = Archive();
  const std::optional<std::string> all = Shown(archive, 0);
  ASSERT_TRUE(all.has_value());
  ASSERT_GT(all->size(), 10'000u);
  int ran_out = 0;
  int at = 1;
  for (int in_a_row = 0; in_a_row < 200; ++at) {
    const std::optional<std::string> shown = Shown(archive, at);
    ran_out += shown.has_value() ? 0 : 1;
    // Far behind the last allocation nothing is refused any more.
    in_a_row = shown.has_value() ? in_a_row + 1 : 0;
    // Where libzip lacks memory for the directory it says that it is no archive; having the form of
    // one it is refused all the same.
    const bool is_refused = shown.has_value() && *shown == StoppedRecord(Stopped::kUnreadable);
    ASSERT_TRUE(!shown.has_value() || is_refused || *shown == *all)
        << "allocation " << at << ": " << shown->substr(0, 40) << " (" << shown->size() << ")";
  }
  EXPECT_GT(ran_out, 20);
}

}  // namespace
}  // namespace parley::file_worker

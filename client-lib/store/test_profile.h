// A folder for one test's profile, and short forms for the store's calls. Only tests include it.
#ifndef PARLEY_CLIENT_LIB_STORE_TEST_PROFILE_H_
#define PARLEY_CLIENT_LIB_STORE_TEST_PROFILE_H_

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include "client-lib/store/profile_store.h"
#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"
#include "gtest/gtest.h"

namespace parley::client {

// A fresh folder that is removed at the end.
class TestFolder {
 public:
  TestFolder() {
    std::string pattern = ::testing::TempDir() + "/parley-test-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline std::string ReadWholeFile(const std::string& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return std::move(bytes).str();
}
inline void WriteWholeFile(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

inline crypto::Secret SecretText(std::string_view text) {
  return crypto::Secret::CopyOf(crypto::ViewOf(text));
}

inline absl::Status PutText(ProfileStore& store, RecordClass record_class, std::string_view name,
                            std::string_view text) {
  absl::StatusOr<Transaction> step = store.Begin();
  if (!step.ok()) return step.status();
  absl::Status status = step->Put(record_class, name, crypto::ViewOf(text));
  return status.ok() ? step->Commit() : status;
}

// The record as text; "(none)" when there is none.
inline absl::StatusOr<std::string> GetText(ProfileStore& store, RecordClass record_class,
                                           std::string_view name) {
  absl::StatusOr<ReadTransaction> view = store.Read();
  if (!view.ok()) return view.status();
  absl::StatusOr<std::optional<crypto::Secret>> value = view->Get(record_class, name);
  if (!value.ok()) return value.status();
  if (!value->has_value()) return std::string("(none)");
  return crypto::ToString((*value)->Reveal());
}

inline std::unique_ptr<ProfileStore> MustCreate(const std::string& dir) {
  absl::StatusOr<std::unique_ptr<ProfileStore>> store = ProfileStore::Create(dir);
  EXPECT_TRUE(store.ok()) << store.status();
  return std::move(*store);
}

inline std::unique_ptr<ProfileStore> MustOpen(const std::string& dir) {
  absl::StatusOr<std::unique_ptr<ProfileStore>> store = ProfileStore::Open(dir);
  EXPECT_TRUE(store.ok()) << store.status();
  return std::move(*store);
}

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_STORE_TEST_PROFILE_H_

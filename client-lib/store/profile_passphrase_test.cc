// What a passphrase keeps, how it is changed and taken away, and what others find meanwhile.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "client-lib/store/profile_store.h"
#include "client-lib/store/test_profile.h"
#include "gmock/gmock.h"

namespace parley::client {
namespace {

using crypto::PasswordHashParameters;
using crypto::Secret;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto kContent = RecordClass::kContent;

absl::StatusOr<std::unique_ptr<ProfileStore>> CreateLocked(const std::string& dir,
                                                           std::string_view passphrase) {
  return ProfileStore::Create(dir, SecretText(passphrase), PasswordHashParameters::Weakest());
}

TEST(Passphrase, OpensAndRefuses) {
  TestFolder folder;
  {
    auto store = CreateLocked(folder.path(), "correct horse");
    ASSERT_TRUE(store.ok()) << store.status();
    ASSERT_TRUE(PutText(**store, kContent, "a", "one").ok());
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "store.key"));
  EXPECT_EQ(*ProfileStore::IsLocked(folder.path()), true);
  EXPECT_EQ(ProfileStore::Open(folder.path()).status().code(), absl::StatusCode::kPermissionDenied);
  absl::Status wrong = ProfileStore::Open(folder.path(), SecretText("wrong horse")).status();
  EXPECT_EQ(wrong.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(wrong.message()), HasSubstr("passphrase"));
  EXPECT_THAT(std::string(wrong.message()), Not(HasSubstr("horse")));
  auto store = ProfileStore::Open(folder.path(), SecretText("correct horse"));
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(*GetText(**store, kContent, "a"), "one");
}

TEST(Passphrase, EmptyOneIsRefused) {
  TestFolder folder;
  EXPECT_EQ(CreateLocked(folder.path(), "").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(ProfileStore::Exists(folder.path()));
}

TEST(Passphrase, IsSetChangedAndTakenAway) {
  TestFolder folder;
  const auto weak = PasswordHashParameters::Weakest();
  MustCreate(folder.path()).reset();
  const std::string old_key = ReadWholeFile(folder / "store.key");
  {
    auto store = MustOpen(folder.path());
    ASSERT_TRUE(PutText(*store, kContent, "a", "one").ok());
    ASSERT_TRUE(store->ChangePassphrase(std::nullopt, SecretText("first"), weak).ok());
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "store.key"));
  // A copy of the old key file opens nothing, and is removed.
  WriteWholeFile(folder / "store.key", old_key);
  EXPECT_EQ(ProfileStore::Open(folder.path()).status().code(), absl::StatusCode::kPermissionDenied);
  {
    auto store = ProfileStore::Open(folder.path(), SecretText("first"));
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_FALSE(std::filesystem::exists(folder / "store.key"));
    ASSERT_TRUE((*store)->ChangePassphrase(SecretText("first"), SecretText("second"), weak).ok());
  }
  EXPECT_EQ(ProfileStore::Open(folder.path(), SecretText("first")).status().code(),
            absl::StatusCode::kUnauthenticated);
  {
    auto store = ProfileStore::Open(folder.path(), SecretText("second"));
    ASSERT_TRUE(store.ok()) << store.status();
    ASSERT_TRUE((*store)->ChangePassphrase(SecretText("second"), std::nullopt).ok());
  }
  EXPECT_EQ(*ProfileStore::IsLocked(folder.path()), false);
  auto store = MustOpen(folder.path());
  EXPECT_EQ(*GetText(*store, kContent, "a"), "one");
}

TEST(Passphrase, OnlyWhoKnowsItChangesIt) {
  TestFolder folder;
  const auto weak = PasswordHashParameters::Weakest();
  auto store = CreateLocked(folder.path(), "first");
  ASSERT_TRUE(store.ok()) << store.status();
  const absl::Status wrong =
      (*store)->ChangePassphrase(SecretText("guess"), SecretText("second"), weak);
  EXPECT_EQ(wrong.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(wrong.message()), Not(HasSubstr("guess")));
  EXPECT_EQ((*store)->ChangePassphrase(SecretText("guess"), std::nullopt).code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_EQ((*store)->ChangePassphrase(std::nullopt, std::nullopt).code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ((*store)->ChangePassphrase(SecretText("first"), SecretText(""), weak).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(ProfileStore::Open(folder.path(), SecretText("first")).ok());
  EXPECT_FALSE(std::filesystem::exists(folder / "store.key"));
}

TEST(Passphrase, OpenStoresGoOnWhenAnotherChangesIt) {
  TestFolder folder;
  const auto weak = PasswordHashParameters::Weakest();
  auto here = MustCreate(folder.path());
  auto there = MustOpen(folder.path());
  ASSERT_TRUE(PutText(*there, kContent, "a", "one").ok());
  ASSERT_TRUE(here->ChangePassphrase(std::nullopt, SecretText("first"), weak).ok());
  EXPECT_EQ(*GetText(*there, kContent, "a"), "one");
  ASSERT_TRUE(PutText(*there, kContent, "a", "two").ok());
  // `there` was opened without one, and can't take this one away either.
  EXPECT_EQ(there->ChangePassphrase(std::nullopt, std::nullopt).code(),
            absl::StatusCode::kPermissionDenied);
  ASSERT_TRUE(there->ChangePassphrase(SecretText("first"), std::nullopt).ok());
  EXPECT_EQ(*GetText(*here, kContent, "a"), "two");
  EXPECT_EQ(*GetText(*MustOpen(folder.path()), kContent, "a"), "two");
}

// Processes that open the profile while its passphrase comes and goes never find it damaged.
TEST(Passphrase, OpeningMeetsEitherState) {
  TestFolder folder;
  const auto weak = PasswordHashParameters::Weakest();
  auto store = MustCreate(folder.path());
  ASSERT_TRUE(PutText(*store, kContent, "a", "one").ok());
  std::atomic<bool> done = false;
  std::thread other([&] {
    int opened = 0;
    while (!done || opened == 0) {
      auto found = ProfileStore::Open(folder.path(), SecretText("first"));
      EXPECT_TRUE(found.ok()) << found.status();
      if (!found.ok()) break;
      EXPECT_EQ(*GetText(**found, kContent, "a"), "one");
      ++opened;
    }
  });
  for (int round = 0; round < 40; ++round) {
    EXPECT_TRUE(store->ChangePassphrase(std::nullopt, SecretText("first"), weak).ok());
    EXPECT_TRUE(store->ChangePassphrase(SecretText("first"), std::nullopt).ok());
  }
  done = true;
  other.join();
}

// Of two who change it at once, one is told that it didn't.
TEST(Passphrase, TheOneThatIsToldOkCounts) {
  TestFolder folder;
  const auto weak = PasswordHashParameters::Weakest();
  std::string current = "0";
  auto store = CreateLocked(folder.path(), current);
  ASSERT_TRUE(store.ok()) << store.status();
  for (int round = 1; round <= 10; ++round) {
    std::array<absl::Status, 2> results;
    std::array<std::string, 2> wanted = {std::to_string(round) + "a", std::to_string(round) + "b"};
    std::array<std::thread, 2> threads;
    for (size_t i = 0; i < 2; ++i) {
      threads[i] = std::thread([&, i] {
        results[i] = (*store)->ChangePassphrase(SecretText(current), SecretText(wanted[i]), weak);
      });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_TRUE(results[0].ok() != results[1].ok()) << results[0] << results[1];
    const size_t won = results[0].ok() ? 0 : 1;
    EXPECT_TRUE(absl::IsAborted(results[1 - won]) || absl::IsUnauthenticated(results[1 - won]))
        << results[1 - won];
    EXPECT_TRUE(ProfileStore::Open(folder.path(), SecretText(wanted[won])).ok());
    current = wanted[won];
  }
}

}  // namespace
}  // namespace parley::client

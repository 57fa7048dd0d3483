// Compiled with nothing but the public headers and GoogleTest: a program that embeds Parley needs
// no more. Each header stands by itself.
#include <gtest/gtest.h>

#include <type_traits>
#include <unordered_set>

#include "parley/export.h"
#include "parley/ids.h"
#include "parley/profile.h"
#include "parley/status.h"
#include "parley/types.h"
#include "parley/version.h"

namespace parley {
namespace {

TEST(PublicHeaders, IdsAreTextBothWays) {
  const auto id = CaseId::FromString("00112233445566778899AABBccddeeff");
  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(id->ToString(), "00112233445566778899aabbccddeeff");
  EXPECT_FALSE(CaseId::FromString("0011").has_value());
  EXPECT_FALSE(CaseId::FromString("g0112233445566778899aabbccddeeff").has_value());
  EXPECT_TRUE(CaseId().is_zero());
  EXPECT_EQ(std::unordered_set<CaseId>({*id, *id, CaseId()}).size(), 2u);
}

TEST(PublicHeaders, IdsOfDifferentKindsDontMix) {
  static_assert(!std::is_convertible_v<CaseId, ChannelId>);
  static_assert(!std::is_convertible_v<MessageId, ParticipantId>);
  static_assert(!std::is_convertible_v<ChannelId, ChannelRef>);
  static_assert(!std::is_constructible_v<ChannelRef, ChannelId, CaseId>);
  static_assert(!std::is_convertible_v<DocumentRef, ChannelRef>);
  static_assert(!std::is_convertible_v<std::string, ChannelRef>);
  static_assert(!std::is_convertible_v<ChannelId::Bytes, ChannelId>);
}

TEST(PublicHeaders, NamesOfRolesGoBothWays) {
  for (int i = 1; i <= 8; ++i) {
    const Role role = static_cast<Role>(i);
    EXPECT_EQ(ParseRole(RoleName(role)), role);
  }
  EXPECT_EQ(ParseRole("support-person"), Role::kSupportPerson);
  EXPECT_FALSE(ParseRole("unknown").has_value());
  EXPECT_FALSE(ParseRole("Party").has_value());
  EXPECT_TRUE(IsNeutral(Role::kCoMediator));
  EXPECT_FALSE(IsNeutral(Role::kExpert));
}

TEST(PublicHeaders, ResultsHoldAValueOrAStatus) {
  const Result<int> value = 7;
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(*value, 7);
  const Result<int> none = Status(StatusCode::kNotFound, "nothing here");
  ASSERT_FALSE(none.ok());
  EXPECT_STREQ(StatusCodeName(none.status().code()), "not found");
  EXPECT_STREQ(StatusCodeName(StatusCode::kInternal), "internal");
}

TEST(PublicHeaders, TheLibraryIsTheHeaders) {
  const std::string version = std::to_string(kVersionMajor) + "." + std::to_string(kVersionMinor) +
                              "." + std::to_string(kVersionPatch);
  EXPECT_EQ(version, LibraryVersion());
  EXPECT_EQ(Profile::Open("/nonexistent/profile", std::nullopt).status().code(),
            StatusCode::kNotFound);
}

}  // namespace
}  // namespace parley

#include "client-lib/content/wipe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "parley/content/v1/control.pb.h"

namespace parley::client {
namespace {

bool IsWiped(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c == 0; });
}

TEST(WipeTest, OverwritesFieldsWhereverTheyStand) {
  content::v1::InboxMessage message;
  message.set_message_id(std::string(16, 'm'));
  content::v1::Introduction& introduction = *message.mutable_introduction();
  introduction.set_introduction_secret(std::string(32, 's'));
  introduction.set_append_seed(std::string(32, 'a'));
  introduction.mutable_card()->set_name("a name long enough for the heap to hold it");
  WipeFields(message);
  EXPECT_EQ(message.message_id().size(), 16u);
  EXPECT_TRUE(IsWiped(message.message_id()));
  EXPECT_TRUE(IsWiped(introduction.introduction_secret()));
  EXPECT_TRUE(IsWiped(introduction.append_seed()));
  EXPECT_TRUE(IsWiped(introduction.card().name()));
}

TEST(WipeTest, OverwritesRepeatedAndUnknownFieldsAtTheEndOfTheScope) {
  content::v1::InviteeHello hello;
  hello.add_append_seeds(std::string(32, 'a'));
  hello.add_append_seeds(std::string(32, 'b'));
  hello.GetReflection()->MutableUnknownFields(&hello)->AddLengthDelimited(99, "of a newer version");
  {
    const ScopedMessageWipe wipe(hello);
    EXPECT_FALSE(IsWiped(hello.append_seeds(1)));
  }
  EXPECT_TRUE(IsWiped(hello.append_seeds(0)));
  EXPECT_TRUE(IsWiped(hello.append_seeds(1)));
  EXPECT_TRUE(IsWiped(hello.GetReflection()->GetUnknownFields(hello).field(0).length_delimited()));
}

}  // namespace
}  // namespace parley::client

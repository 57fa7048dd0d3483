// What isn't UTF-8 is refused in silence; everything else is as protobuf would have it.
#include "client-lib/content/parse.h"

#include <google/protobuf/stubs/logging.h>

#include <random>
#include <string>
#include <vector>

#include "client-lib/content/utf8.h"
#include "gtest/gtest.h"
#include "parley/content/v1/content.pb.h"
#include "parley/content/v1/control.pb.h"

namespace parley::client {
namespace {

namespace pb = content::v1;

const std::vector<std::string>& Malformed() {
  static const auto* const all = new std::vector<std::string>{
      "\x80",              // a continuation alone
      "\xC3",              // cut short
      "abc\xE8\xAA",       // cut short
      "\xC0\xAF",          // overlong
      "\xE0\x80\xAF",      // overlong
      "\xED\xA0\x80",      // a surrogate
      "\xF4\x90\x80\x80",  // over U+10FFFF
      "\xF8\x88\x80\x80\x80",
      "\xFF",
  };
  return *all;
}

TEST(Utf8, IsReadStrictly) {
  for (const char* text :
       {"", "a", "ünï", "調停", "😀", "\x7F", "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF"}) {
    EXPECT_TRUE(IsWellFormedUtf8(text)) << text;
  }
  EXPECT_TRUE(IsWellFormedUtf8(std::string(3, '\0')));
  for (const std::string& text : Malformed()) {
    EXPECT_FALSE(IsWellFormedUtf8(text)) << testing::PrintToString(text);
    EXPECT_FALSE(IsWellFormedUtf8("before " + text + " after"));
  }
  std::string_view rest = "調a";
  EXPECT_EQ(TakeCharacter(rest), 0x8ABFu);
  EXPECT_EQ(TakeCharacter(rest), uint32_t{'a'});
  EXPECT_TRUE(rest.empty());
}

// `good` as a message of its own, with every "@" replaced by `text`: no length changes when `text`
// has one byte.
std::string With(const google::protobuf::Message& good, char text) {
  std::string bytes = good.SerializeAsString();
  for (char& c : bytes) {
    if (c == '@') c = text;
  }
  return bytes;
}

std::vector<pb::Content> ContentsWithStrings() {
  std::vector<pb::Content> all(4);
  all[0].mutable_text()->set_text("@");
  all[1].mutable_document()->set_name("@");
  all[2].mutable_participant()->set_side("@");
  all[3].mutable_case_secrets()->set_connection("@");
  return all;
}

TEST(ParseFromPeer, PrintsNothingOfMalformedStrings) {
  testing::internal::CaptureStderr();
  for (const pb::Content& content : ContentsWithStrings()) {
    pb::Content read;
    EXPECT_TRUE(ParseFromPeer(read, crypto::ViewOf(With(content, 'x'))));
    EXPECT_FALSE(ParseFromPeer(read, crypto::ViewOf(With(content, '\xFF'))));
  }
  pb::ChannelState state;
  state.add_members()->set_name("@");
  EXPECT_FALSE(ParseFromPeer(state, crypto::ViewOf(With(state, '\xFF'))));
  pb::InboxMessage message;
  message.mutable_introduction()->mutable_card()->set_name("@");
  EXPECT_FALSE(ParseFromPeer(message, crypto::ViewOf(With(message, '\xFF'))));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

// That the test above can fail.
TEST(ParseFromPeer, ProtobufItselfWouldPrint) {
  pb::Content content;
  content.mutable_text()->set_text("@");
  testing::internal::CaptureStderr();
  pb::Content read;
  EXPECT_FALSE(read.ParseFromString(With(content, '\xFF')));
  EXPECT_NE(testing::internal::GetCapturedStderr(), "");
}

TEST(ParseFromPeer, LeavesTheProgramsLogHandlerAlone) {
  static int called;
  called = 0;
  auto* const before = google::protobuf::SetLogHandler(
      [](google::protobuf::LogLevel, const char*, int, const std::string&) { ++called; });
  pb::Content content;
  content.mutable_text()->set_text("@");
  pb::Content read;
  EXPECT_FALSE(ParseFromPeer(read, crypto::ViewOf(With(content, '\xFF'))));
  EXPECT_EQ(called, 0);
  EXPECT_FALSE(read.ParseFromString(With(content, '\xFF')));
  EXPECT_EQ(called, 1) << "another handler is in place";
  google::protobuf::SetLogHandler(before);
}

TEST(ParseFromPeer, ForgetsWhatTheMessageHeld) {
  pb::Content content;
  content.set_claimed_time(7);
  EXPECT_TRUE(ParseFromPeer(content, {}));
  EXPECT_EQ(content.claimed_time(), 0u);
}

TEST(ParseFromPeer, KeepsWhatANewerVersionAdded) {
  pb::Content content;
  content.set_message_id(std::string(16, 'm'));
  std::string bytes = content.SerializeAsString();
  bytes += std::string("\xC2\x3E\x02\xFF\xFF", 5);  // field 1000, two bytes that aren't UTF-8
  pb::Content read;
  ASSERT_TRUE(ParseFromPeer(read, crypto::ViewOf(bytes)));
  EXPECT_EQ(read.body_case(), pb::Content::BODY_NOT_SET);
  EXPECT_EQ(read.SerializeAsString(), bytes);
}

// Damaged messages: the verdict is protobuf's, which in the whole run says nothing.
TEST(ParseFromPeer, AgreesWithProtobufOnDamage) {
  std::mt19937 random(1);
  auto* const before = google::protobuf::SetLogHandler(nullptr);
  int taken = 0;
  for (int round = 0; round < 20000; ++round) {
    const std::vector<pb::Content> contents = ContentsWithStrings();
    pb::Content content = contents[random() % contents.size()];
    content.set_message_id(std::string(16, 'm'));
    content.mutable_seen()->set_position(random());
    std::string bytes = content.SerializeAsString();
    for (size_t edits = random() % 4; edits > 0; --edits) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    pb::Content ours;
    pb::Content theirs;
    const bool good = ParseFromPeer(ours, crypto::ViewOf(bytes));
    ASSERT_EQ(good, theirs.ParseFromString(bytes)) << testing::PrintToString(bytes);
    if (good) {
      ASSERT_EQ(ours.SerializeAsString(), theirs.SerializeAsString());
    }
    taken += good ? 1 : 0;
  }
  google::protobuf::SetLogHandler(before);
  EXPECT_GT(taken, 1000);
  EXPECT_LT(taken, 19000);
}

}  // namespace
}  // namespace parley::client

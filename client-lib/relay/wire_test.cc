// What a lying relay may answer: each lie is DataLoss and named.
#include "client-lib/relay/wire.h"

#include <functional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parley::client::internal {
namespace {

namespace v1 = relay::v1;
using Wire = google::protobuf::RepeatedPtrField<v1::Entry>;
using ::testing::HasSubstr;

// Entries 5, 6, 7 of generation 2; the last one closes it.
Wire Honest() {
  Wire entries;
  for (uint64_t position = 5; position <= 7; ++position) {
    v1::Entry& entry = *entries.Add();
    entry.set_position(position);
    entry.set_generation(2);
    entry.set_append_id(std::string(16, static_cast<char>(position)));
    entry.set_payload("payload");
  }
  v1::Closing& closing = *entries.Mutable(2)->mutable_closing();
  closing.mutable_next_keys()->set_read_key(std::string(32, 'r'));
  closing.mutable_next_keys()->set_control_key(std::string(32, 'c'));
  closing.mutable_next_keys()->add_append_keys(std::string(32, 'a'));
  closing.set_control_signature(std::string(64, 's'));
  return entries;
}

// protobuf complains on standard error about a `string` that isn't UTF-8. gRPC reads the relay's
// answers, so nothing can look at them before: they have no string.
TEST(Wire, NoMessageHasAString) {
  using google::protobuf::FieldDescriptor;
  const auto* const file = v1::Entry::descriptor()->file();
  std::vector<const google::protobuf::Descriptor*> types;
  for (int i = 0; i < file->message_type_count(); ++i) types.push_back(file->message_type(i));
  ASSERT_FALSE(types.empty());
  for (size_t at = 0; at < types.size(); ++at) {
    const auto* const type = types[at];
    for (int i = 0; i < type->nested_type_count(); ++i) types.push_back(type->nested_type(i));
    for (int i = 0; i < type->field_count(); ++i) {
      EXPECT_NE(type->field(i)->type(), FieldDescriptor::TYPE_STRING)
          << type->field(i)->full_name();
    }
  }
}

TEST(Wire, HonestEntriesPass) {
  Wire wire = Honest();
  absl::StatusOr<std::vector<Entry>> entries = FromWire(wire, 2, 5);
  ASSERT_TRUE(entries.ok()) << entries.status();
  ASSERT_EQ(entries->size(), 3u);
  EXPECT_EQ((*entries)[0].position, 5u);
  EXPECT_EQ((*entries)[1].append_id[0], 6);
  EXPECT_EQ(crypto::ToString((*entries)[1].payload), "payload");
  ASSERT_TRUE((*entries)[2].closing.has_value());
  v1::Closing again;
  ToWire(*(*entries)[2].closing, again);
  EXPECT_EQ(again.SerializeAsString(), Honest().Get(2).closing().SerializeAsString());
}

TEST(Wire, LiesAreNamed) {
  const auto lie = [](const char* named, const std::function<void(Wire&)>& tell) {
    Wire wire = Honest();
    tell(wire);
    const absl::Status status = FromWire(wire, 2, 5).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << named;
    EXPECT_THAT(std::string(status.message()), HasSubstr(named));
  };
  lie("entry 6 came where entry 5", [](Wire& w) { w.DeleteSubrange(0, 1); });    // dropped first
  lie("entry 7 came where entry 6", [](Wire& w) { w.DeleteSubrange(1, 1); });    // dropped between
  lie("entry 6 came where entry 5", [](Wire& w) { w.SwapElements(0, 1); });      // reordered
  lie("entry 5 came where entry 6", [](Wire& w) { *w.Mutable(1) = w.Get(0); });  // replayed
  lie("generation 3", [](Wire& w) { w.Mutable(1)->set_generation(3); });
  lie("generation 1", [](Wire& w) { w.Mutable(0)->set_generation(1); });
  lie("append id", [](Wire& w) { w.Mutable(0)->clear_append_id(); });
  lie("append id", [](Wire& w) { w.Mutable(0)->set_append_id("short"); });
  lie("0 bytes", [](Wire& w) { w.Mutable(0)->clear_payload(); });
  lie("1048577 bytes", [](Wire& w) { w.Mutable(0)->set_payload(std::string((1 << 20) + 1, 'x')); });
  lie("follows the closing",
      [](Wire& w) { *w.Mutable(1)->mutable_closing() = w.Get(2).closing(); });
  lie("read key",
      [](Wire& w) { w.Mutable(2)->mutable_closing()->mutable_next_keys()->clear_read_key(); });
  lie("control key",
      [](Wire& w) { w.Mutable(2)->mutable_closing()->mutable_next_keys()->set_control_key("x"); });
  lie("0 append keys",
      [](Wire& w) { w.Mutable(2)->mutable_closing()->mutable_next_keys()->clear_append_keys(); });
  lie("257 append keys", [](Wire& w) {
    for (int i = 0; i < 256; ++i) {
      w.Mutable(2)->mutable_closing()->mutable_next_keys()->add_append_keys(std::string(32, 'a'));
    }
  });
  lie("control signature", [](Wire& w) {
    w.Mutable(2)->mutable_closing()->set_control_signature(std::string(63, 's'));
  });
}

}  // namespace
}  // namespace parley::client::internal

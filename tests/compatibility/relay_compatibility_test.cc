// The relay's interface against the one that was last released, and its documentation.
//
//   relay_compatibility_test --record     stores the interface as it is now
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/text_format.h>

#include <cstdio>
#include <fstream>
#include <functional>
#include <sstream>
#include <string_view>

#include "parley/relay/v1/relay.pb.h"
#include "tests/compatibility/descriptors.h"

namespace parley {
namespace {

namespace pb = google::protobuf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kStoredFile[] = PARLEY_SOURCE_DIR "/tests/compatibility/relay_v1.textproto";
constexpr char kAdvice[] =
    "\nRelays and clients that are out there speak the interface as stored: they would misread "
    "this. "
    "Give the field, message, call or value back its name, number and type, and add a new one "
    "beside "
    "it; what is no longer used stays, and its comment says so. Only before the first release of a "
    "new package (relay/v2) may it be stored anew: relay_compatibility_test --record";

pb::FileDescriptorProto Current() {
  pb::FileDescriptorProto file;
  relay::v1::GetInfoRequest::descriptor()->file()->CopyTo(&file);
  return file;
}

pb::FileDescriptorProto Stored() {
  std::ifstream in(kStoredFile);
  std::stringstream text;
  text << in.rdbuf();
  pb::FileDescriptorProto file;
  EXPECT_TRUE(pb::TextFormat::ParseFromString(text.str(), &file)) << kStoredFile;
  return file;
}

std::string Lines(const std::vector<std::string>& changes) {
  std::string lines;
  for (const std::string& change : changes) lines += change + "\n";
  return lines;
}

TEST(RelayCompatibilityTest, ClientsAndRelaysThatAreOutThereUnderstandThisOne) {
  const pb::FileDescriptorProto stored = Stored();
  ASSERT_GT(stored.message_type_size(), 30);
  EXPECT_EQ(Lines(BreakingChanges(stored, Current())), "") << kAdvice;
}

// Of all that can be done to the stored interface, the check sees each.
TEST(RelayCompatibilityTest, NamesWhatIsBroken) {
  const pb::FileDescriptorProto stored = Stored();
  const auto after = [&](const std::function<void(pb::FileDescriptorProto&)>& change) {
    pb::FileDescriptorProto changed = stored;
    change(changed);
    return BreakingChanges(stored, changed);
  };
  const auto field = [](pb::FileDescriptorProto& file) {
    for (pb::DescriptorProto& message : *file.mutable_message_type()) {
      if (message.name() == "AppendRequest") return message.mutable_field(2);
    }
    return static_cast<pb::FieldDescriptorProto*>(nullptr);
  };
  EXPECT_THAT(after([](auto&) {}), IsEmpty());
  EXPECT_THAT(
      after([&](auto& file) { field(file)->set_number(77); }),
      ElementsAre("the number of message parley.relay.v1.AppendRequest.generation was 3 and "
                  "is 77"));
  EXPECT_THAT(after([&](auto& file) { field(file)->set_name("epoch"); }),
              ElementsAre(HasSubstr("AppendRequest.generation is gone")));
  EXPECT_THAT(
      after([&](auto& file) { field(file)->set_type(pb::FieldDescriptorProto::TYPE_BYTES); }),
      ElementsAre(HasSubstr("was TYPE_UINT64 and is TYPE_BYTES")));
  EXPECT_THAT(
      after([&](auto& file) { field(file)->set_label(pb::FieldDescriptorProto::LABEL_REPEATED); }),
      ElementsAre(HasSubstr("LABEL_REPEATED")));
  EXPECT_THAT(after([&](auto& file) { file.mutable_message_type()->DeleteSubrange(0, 1); }),
              ElementsAre(HasSubstr("GetInfoRequest is gone")));
  EXPECT_THAT(
      after([&](auto& file) { file.mutable_enum_type(0)->mutable_value(1)->set_number(9); }),
      ElementsAre(HasSubstr("RIGHT_READ")));
  EXPECT_THAT(after([&](auto& file) {
                file.mutable_service(0)->mutable_method(0)->set_server_streaming(true);
              }),
              ElementsAre(HasSubstr("GetInfo")));
  EXPECT_THAT(after([&](auto& file) {
                file.mutable_service(0)->mutable_method(0)->set_output_type(".x.Y");
              }),
              ElementsAre(HasSubstr(".x.Y")));
  EXPECT_THAT(after([&](auto& file) { file.set_package("parley.relay.v2"); }),
              testing::Contains(HasSubstr("the package")));
  // Out of its oneof, a field is another one.
  EXPECT_THAT(after([&](auto& file) {
                for (pb::DescriptorProto& message : *file.mutable_message_type()) {
                  if (message.name() == "CreateBlobRequest") {
                    message.mutable_field(0)->clear_oneof_index();
                  }
                }
              }),
              ElementsAre(HasSubstr("the oneof of")));
}

TEST(RelayCompatibilityTest, AdditionsAreAllowed) {
  const pb::FileDescriptorProto stored = Stored();
  pb::FileDescriptorProto grown = stored;
  pb::FieldDescriptorProto& field = *grown.mutable_message_type(0)->add_field();
  field.set_name("more");
  field.set_number(1000);
  field.set_type(pb::FieldDescriptorProto::TYPE_BYTES);
  grown.add_message_type()->set_name("Another");
  grown.mutable_service(0)->add_method()->set_name("Do");
  grown.mutable_enum_type(0)->add_value()->set_name("RIGHT_MORE");
  EXPECT_THAT(BreakingChanges(stored, grown), IsEmpty());
}

// Whatever a client may meet is described in relay.proto.
class Undocumented {
 public:
  explicit Undocumented(const pb::FileDescriptor& file) {
    for (int i = 0; i < file.message_type_count(); ++i) Message(*file.message_type(i));
    for (int i = 0; i < file.enum_type_count(); ++i) Enum(*file.enum_type(i));
    for (int i = 0; i < file.service_count(); ++i) {
      for (int m = 0; m < file.service(i)->method_count(); ++m) Check(*file.service(i)->method(m));
    }
  }
  std::vector<std::string> names;

 private:
  template <typename Element>
  void Check(const Element& element) {
    pb::SourceLocation location;
    if (!element.GetSourceLocation(&location) ||
        (location.leading_comments.empty() && location.trailing_comments.empty())) {
      names.push_back(element.full_name());
    }
  }
  void Message(const pb::Descriptor& message) {
    Check(message);
    for (int i = 0; i < message.field_count(); ++i) Check(*message.field(i));
    for (int i = 0; i < message.oneof_decl_count(); ++i) Check(*message.oneof_decl(i));
    for (int i = 0; i < message.nested_type_count(); ++i) Message(*message.nested_type(i));
    for (int i = 0; i < message.enum_type_count(); ++i) Enum(*message.enum_type(i));
  }
  void Enum(const pb::EnumDescriptor& type) {
    Check(type);
    for (int i = 0; i < type.value_count(); ++i) Check(*type.value(i));
  }
};

TEST(RelayDocumentationTest, EveryCallMessageAndFieldIsDescribed) {
  // Made by protoc, with the comments, which compiled code doesn't have.
  std::ifstream in(PARLEY_RELAY_DESCRIPTOR, std::ios::binary);
  pb::FileDescriptorSet set;
  ASSERT_TRUE(set.ParseFromIstream(&in)) << PARLEY_RELAY_DESCRIPTOR;
  ASSERT_EQ(set.file_size(), 1);
  pb::DescriptorPool pool;
  const pb::FileDescriptor* file = pool.BuildFile(set.file(0));
  ASSERT_NE(file, nullptr);
  EXPECT_THAT(Undocumented(*file).names, IsEmpty());
}

int Record() {
  std::string text;
  pb::TextFormat::PrintToString(Current(), &text);
  std::ofstream out(kStoredFile);
  out << "# The relay's interface as last released; see relay_compatibility_test.cc.\n" << text;
  std::printf("%s is written\n", kStoredFile);
  return out.good() ? 0 : 1;
}

}  // namespace
}  // namespace parley

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--record") return parley::Record();
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}

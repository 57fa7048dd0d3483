#include "tests/compatibility/descriptors.h"

namespace parley {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::EnumDescriptorProto;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorProto;
using google::protobuf::MethodDescriptorProto;
using google::protobuf::ServiceDescriptorProto;

class Comparison {
 public:
  void Compare(const FileDescriptorProto& stored, const FileDescriptorProto& current) {
    Same("the package", stored.package(), current.package());
    Same("the syntax", stored.syntax(), current.syntax());
    Each(stored.message_type(), current.message_type(), "message " + stored.package(),
         [this](const auto& a, const auto& b, const auto& name) { Message(a, b, name); });
    Each(stored.enum_type(), current.enum_type(), "enum " + stored.package(),
         [this](const auto& a, const auto& b, const auto& name) { Enum(a, b, name); });
    Each(stored.service(), current.service(), "service " + stored.package(),
         [this](const auto& a, const auto& b, const auto& name) { Service(a, b, name); });
  }

  std::vector<std::string> changes;

 private:
  void Same(const std::string& what, const std::string& before, const std::string& now) {
    if (before != now) changes.push_back(what + " was " + before + " and is " + now);
  }
  void Same(const std::string& what, int before, int now) {
    Same(what, std::to_string(before), std::to_string(now));
  }

  // Pairs the elements of two lists by their names.
  template <typename List, typename Pair>
  void Each(const List& stored, const List& current, const std::string& owner, Pair pair) {
    for (const auto& before : stored) {
      const std::string name = owner + "." + before.name();
      bool found = false;
      for (const auto& now : current) {
        if (now.name() != before.name()) continue;
        pair(before, now, name);
        found = true;
      }
      if (!found) changes.push_back(name + " is gone, or has another name");
    }
  }

  void Message(const DescriptorProto& stored, const DescriptorProto& current,
               const std::string& name) {
    Each(stored.field(), current.field(), name,
         [&](const FieldDescriptorProto& a, const FieldDescriptorProto& b,
             const std::string& field) {
           Same("the number of " + field, a.number(), b.number());
           Same("the type of " + field, FieldDescriptorProto::Type_Name(a.type()) + a.type_name(),
                FieldDescriptorProto::Type_Name(b.type()) + b.type_name());
           Same("the label of " + field, FieldDescriptorProto::Label_Name(a.label()),
                FieldDescriptorProto::Label_Name(b.label()));
           Same("the oneof of " + field, OneofOf(stored, a), OneofOf(current, b));
         });
    Each(stored.nested_type(), current.nested_type(), name,
         [this](const auto& a, const auto& b, const auto& nested) { Message(a, b, nested); });
    Each(stored.enum_type(), current.enum_type(), name,
         [this](const auto& a, const auto& b, const auto& nested) { Enum(a, b, nested); });
  }

  static std::string OneofOf(const DescriptorProto& message, const FieldDescriptorProto& field) {
    return field.has_oneof_index() ? message.oneof_decl(field.oneof_index()).name() : "none";
  }

  void Enum(const EnumDescriptorProto& stored, const EnumDescriptorProto& current,
            const std::string& name) {
    Each(stored.value(), current.value(), name,
         [this](const auto& a, const auto& b, const std::string& value) {
           Same("the number of " + value, a.number(), b.number());
         });
  }

  void Service(const ServiceDescriptorProto& stored, const ServiceDescriptorProto& current,
               const std::string& name) {
    Each(stored.method(), current.method(), name,
         [this](const MethodDescriptorProto& a, const MethodDescriptorProto& b,
                const std::string& method) {
           Same("the request of " + method, a.input_type(), b.input_type());
           Same("the response of " + method, a.output_type(), b.output_type());
           Same("the client's stream of " + method, a.client_streaming(), b.client_streaming());
           Same("the relay's stream of " + method, a.server_streaming(), b.server_streaming());
         });
  }
};

}  // namespace

std::vector<std::string> BreakingChanges(const FileDescriptorProto& stored,
                                         const FileDescriptorProto& current) {
  Comparison comparison;
  comparison.Compare(stored, current);
  return comparison.changes;
}

}  // namespace parley

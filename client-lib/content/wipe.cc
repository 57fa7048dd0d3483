#include "client-lib/content/wipe.h"

#include <google/protobuf/unknown_field_set.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "crypto/base/secret.h"

namespace parley::client {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// The string belongs to a message that the caller may change.
void WipeString(const std::string& text) {
  auto* bytes = reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
  crypto::WipeBytes(std::span<uint8_t>(bytes, text.size()));
}

void WipeStrings(const Message& message, const Reflection& reflection,
                 const FieldDescriptor* field) {
  std::string scratch;
  if (!field->is_repeated()) {
    return WipeString(reflection.GetStringReference(message, field, &scratch));
  }
  for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
    WipeString(reflection.GetRepeatedStringReference(message, field, i, &scratch));
  }
}

void WipeMessages(Message& message, const Reflection& reflection, const FieldDescriptor* field) {
  if (!field->is_repeated()) return WipeFields(*reflection.MutableMessage(&message, field));
  for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
    WipeFields(*reflection.MutableRepeatedMessage(&message, field, i));
  }
}

}  // namespace

void WipeFields(Message& message) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      WipeStrings(message, reflection, field);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      WipeMessages(message, reflection, field);
    }
  }
  google::protobuf::UnknownFieldSet& unknown = *reflection.MutableUnknownFields(&message);
  for (int i = 0; i < unknown.field_count(); ++i) {
    google::protobuf::UnknownField& field = *unknown.mutable_field(i);
    if (field.type() == google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED) {
      WipeString(field.length_delimited());
    }
  }
}

}  // namespace parley::client

#include "client-lib/content/parse.h"

#include <cstdint>
#include <limits>
#include <string_view>

#include "client-lib/content/utf8.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"

namespace parley::client {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

bool HasGoodStrings(const Descriptor& type, CodedInputStream& in);

// A string or message of `length` bytes.
bool HasGoodStrings(const FieldDescriptor& field, CodedInputStream& in, int length) {
  if (field.type() == FieldDescriptor::TYPE_STRING) {
    const void* data = nullptr;
    int available = 0;
    in.GetDirectBufferPointerInline(&data, &available);
    if (available < length) return false;
    return IsWellFormedUtf8({static_cast<const char*>(data), static_cast<size_t>(length)}) &&
           in.Skip(length);
  }
  const CodedInputStream::Limit limit = in.PushLimit(length);
  if (!HasGoodStrings(*field.message_type(), in)) return false;
  in.PopLimit(limit);
  return true;
}

// Follows the encoding down to where `in` is limited. Recursion is bounded by how deep our message
// types are: none holds itself.
bool HasGoodStrings(const Descriptor& type, CodedInputStream& in) {
  while (const uint32_t tag = in.ReadTag()) {
    const FieldDescriptor* const field =
        type.FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag));
    const bool is_followed =
        field != nullptr &&
        (field->type() == FieldDescriptor::TYPE_STRING ||
         field->type() == FieldDescriptor::TYPE_MESSAGE) &&
        WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
    if (!is_followed) {
      if (!WireFormatLite::SkipField(&in, tag)) return false;
      continue;
    }
    int length = 0;
    if (!in.ReadVarintSizeAsInt(&length) || length > in.BytesUntilLimit()) return false;
    if (!HasGoodStrings(*field, in, length)) return false;
  }
  return in.ConsumedEntireMessage();
}

}  // namespace

bool ParseFromPeer(google::protobuf::Message& message, crypto::ByteView bytes) {
  message.Clear();
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max())) return false;
  const int size = static_cast<int>(bytes.size());
  CodedInputStream in(bytes.data(), size);
  return HasGoodStrings(*message.GetDescriptor(), in) && message.ParseFromArray(bytes.data(), size);
}

}  // namespace parley::client

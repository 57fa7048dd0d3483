#include "client-lib/relay/wire.h"

#include <algorithm>
#include <string>
#include <utility>

#include "crypto/base/status_macros.h"

namespace parley::client::internal {
namespace {

namespace v1 = relay::v1;

template <size_t N>
absl::Status Fixed(const std::string& field, const char* name, crypto::ByteArray<N>& out) {
  if (field.size() != N) {
    return FalseAnswer(std::string(name) + " has " + std::to_string(field.size()) + " bytes");
  }
  std::copy(field.begin(), field.end(), out.begin());
  return absl::OkStatus();
}

absl::Status FromWire(const v1::Closing& closing, Closing& out) {
  const v1::GenerationKeys& keys = closing.next_keys();
  PARLEY_RETURN_IF_ERROR(Fixed(keys.read_key(), "a read key", out.next_keys.read_key));
  PARLEY_RETURN_IF_ERROR(Fixed(keys.control_key(), "a control key", out.next_keys.control_key));
  if (keys.append_keys().empty() || keys.append_keys_size() > static_cast<int>(kMaxAppendKeys)) {
    return FalseAnswer("a closing has " + std::to_string(keys.append_keys_size()) + " append keys");
  }
  for (const std::string& key : keys.append_keys()) {
    PARLEY_RETURN_IF_ERROR(Fixed(key, "an append key", out.next_keys.append_keys.emplace_back()));
  }
  return Fixed(closing.control_signature(), "a control signature", out.control_signature);
}

}  // namespace

void ToWire(const GenerationKeys& keys, v1::GenerationKeys& out) {
  out.set_read_key(crypto::ToString(keys.read_key));
  for (const PublicKey& key : keys.append_keys) out.add_append_keys(crypto::ToString(key));
  out.set_control_key(crypto::ToString(keys.control_key));
}

void ToWire(const Closing& closing, v1::Closing& out) {
  ToWire(closing.next_keys, *out.mutable_next_keys());
  out.set_control_signature(crypto::ToString(closing.control_signature));
}

absl::Status FalseAnswer(const std::string& what) {
  return absl::DataLossError(
      "the relay's answer is false: " + what +
      "; it may be damaged or dishonest, so tell its operator and the mediator");
}

absl::StatusOr<std::vector<Entry>> FromWire(google::protobuf::RepeatedPtrField<v1::Entry>& entries,
                                            uint64_t generation, uint64_t next) {
  std::vector<Entry> result;
  result.reserve(static_cast<size_t>(entries.size()));
  for (v1::Entry& from : entries) {
    if (!result.empty() && result.back().closing.has_value()) {
      return FalseAnswer("an entry follows the closing of its generation");
    }
    if (from.position() != next) {
      return FalseAnswer("entry " + std::to_string(from.position()) + " came where entry " +
                         std::to_string(next) + " was due");
    }
    if (from.generation() != generation) {
      return FalseAnswer("entry " + std::to_string(next) + " is of generation " +
                         std::to_string(from.generation()) + ", not " + std::to_string(generation));
    }
    if (from.payload().size() > kMaxEntryBytes || (from.payload().empty() && !from.has_closing())) {
      return FalseAnswer("entry " + std::to_string(next) + " has " +
                         std::to_string(from.payload().size()) + " bytes");
    }
    Entry& entry = result.emplace_back();
    entry.position = next++;
    entry.generation = generation;
    PARLEY_RETURN_IF_ERROR(Fixed(from.append_id(), "an append id", entry.append_id));
    entry.payload.assign(from.payload().begin(), from.payload().end());
    if (from.has_closing()) {
      PARLEY_RETURN_IF_ERROR(FromWire(from.closing(), entry.closing.emplace()));
    }
  }
  return result;
}

}  // namespace parley::client::internal

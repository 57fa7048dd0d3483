// Between relay.proto's messages and our plain types; what comes from the relay is checked here.
//
// Threading: free functions.
#ifndef PARLEY_CLIENT_LIB_RELAY_WIRE_H_
#define PARLEY_CLIENT_LIB_RELAY_WIRE_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/relay/relay_types.h"
#include "google/protobuf/repeated_field.h"
#include "parley/relay/v1/relay.pb.h"

namespace parley::client::internal {

void ToWire(const GenerationKeys& keys, relay::v1::GenerationKeys& out);
void ToWire(const Closing& closing, relay::v1::Closing& out);

// DataLoss: the relay's answer contradicts itself or the question, in the way that `what` says.
absl::Status FalseAnswer(const std::string& what);

// Entries of one answer: all of `generation`, positions from `next` on without a gap, sizes in
// bounds, a closing at most at the end. Takes the payloads out of `entries`. Errors: DataLoss.
absl::StatusOr<std::vector<Entry>> FromWire(
    google::protobuf::RepeatedPtrField<relay::v1::Entry>& entries, uint64_t generation,
    uint64_t next);

}  // namespace parley::client::internal

#endif  // PARLEY_CLIENT_LIB_RELAY_WIRE_H_

// Whether a call may begin, by what its connection and its session may do in a time
// (server/core/rate_limits.h); and how one is answered that may not.
//
// Threading: free functions without shared state but the relay's and the count of who waits.
#ifndef PARLEY_SERVER_GRPC_ADMISSION_H_
#define PARLEY_SERVER_GRPC_ADMISSION_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "server/core/relay.h"

namespace parley::server {

// `token`: the session's, empty for a call without one. `calls`: what this one counts.
// One without a token counts for its address, too; apart for connections that have shown a key
// (RateLimits::MarkProven).
// Errors: ResourceExhausted, with a hint when to come again.
absl::Status Admit(Relay& relay, const grpc::CallbackServerContext& context, std::string_view token,
                   uint64_t calls = 1);

// The part of Admit by which who goes on with a token from an earlier connection has shown a key on
// this one, too. `peer`: as gRPC calls it, after it has asked for a call.
void MarkIfMember(Relay& relay, const std::string& peer, std::string_view token);

// The part of Admit that isn't about the connection, for streams, which rest when theirs asks too
// often. `peer`: as gRPC calls it.
absl::Status AdmitCaller(Relay& relay, const std::string& peer, std::string_view token,
                         uint64_t calls = 1);

// Ends a call that was refused by Admit: at once, or, while its request is too small to matter,
// when the time of the hint is over, a second at most, or its client gives it up. Since a
// connection has a bounded number of calls under way, who doesn't keep to the hints is kept to few
// calls all the same. Of all connections together 4096 wait; beyond, calls are refused at once.
grpc::ServerUnaryReactor* RefuseLate(grpc::CallbackServerContext& context,
                                     const absl::Status& refusal, size_t request_bytes);

}  // namespace parley::server

#endif  // PARLEY_SERVER_GRPC_ADMISSION_H_

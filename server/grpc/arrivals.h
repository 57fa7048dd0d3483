// Counts the calls that arrive on each connection, before anything else is known of them: also
// those that are given up before their request has come in full, of which the service never hears,
// and those of methods that there aren't.
//
// Threading: what is made here may be called from any thread.
#ifndef PARLEY_SERVER_GRPC_ARRIVALS_H_
#define PARLEY_SERVER_GRPC_ARRIVALS_H_

#include <grpcpp/server_builder.h>

#include "server/core/relay.h"

namespace parley::server {

// Has each call that arrives at the builder's server counted by RateLimits::Arrived. `generic`
// answers those of unknown methods. Both outlive the server.
void CountArrivals(Relay& relay, grpc::CallbackGenericService& generic,
                   grpc::ServerBuilder& builder);

}  // namespace parley::server

#endif  // PARLEY_SERVER_GRPC_ARRIVALS_H_

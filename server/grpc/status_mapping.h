// From the core's statuses to gRPC's.
#ifndef PARLEY_SERVER_GRPC_STATUS_MAPPING_H_
#define PARLEY_SERVER_GRPC_STATUS_MAPPING_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace parley::server {

// The same code and message; an Aborted append's StaleGeneration, and what is Exhausted, become the
// error details.
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace parley::server

#endif  // PARLEY_SERVER_GRPC_STATUS_MAPPING_H_

#include "server/grpc/status_mapping.h"

#include <string>

#include "server/core/mailboxes.h"
#include "server/core/sponsors.h"

namespace parley::server {

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  std::string details;
  for (const char* name : {kStaleGenerationPayload, kExhaustedPayload}) {
    if (auto payload = status.GetPayload(name); payload.has_value()) {
      details = std::string(*payload);
    }
  }
  // The two enumerations have the same values.
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()),
                      details);
}

}  // namespace parley::server

#include "server/admin/admin_protocol.h"

#include "server/core/relay.h"

namespace parley::server {
namespace {

absl::Status Perform(Relay& relay, const AdminRequest& request, AdminResponse& response) {
  switch (request.command) {
    case AdminCommand::kSponsorAdd: {
      absl::StatusOr<crypto::Secret> token =
          relay.sponsors().Add(request.name, request.quota_bytes, request.quota_objects);
      if (!token.ok()) return token.status();
      response.token = *std::move(token);
      return absl::OkStatus();
    }
    case AdminCommand::kSponsorList: {
      absl::StatusOr<std::vector<SponsorInfo>> sponsors = relay.sponsors().List();
      if (!sponsors.ok()) return sponsors.status();
      for (const SponsorInfo& sponsor : *sponsors) {
        response.sponsors.push_back({sponsor.name, sponsor.quota_bytes, sponsor.quota_objects,
                                     sponsor.used_bytes, sponsor.used_objects,
                                     static_cast<uint8_t>(sponsor.removed ? 1 : 0)});
      }
      return absl::OkStatus();
    }
    case AdminCommand::kSponsorRenew: {
      absl::StatusOr<crypto::Secret> token = relay.sponsors().Renew(request.name);
      if (!token.ok()) return token.status();
      response.token = *std::move(token);
      return absl::OkStatus();
    }
    case AdminCommand::kSponsorRemove:
      return relay.sponsors().Remove(request.name);
  }
  return absl::UnimplementedError(
      "the running relay does not know this command: use the same "
      "version of parley-relay for both");
}

}  // namespace

AdminResponse Administer(Relay& relay, const AdminRequest& request) {
  AdminResponse response;
  response.identity_key = relay.identity_key();
  const absl::Status status = Perform(relay, request, response);
  response.code = static_cast<uint8_t>(status.code());
  response.message = std::string(status.message());
  return response;
}

}  // namespace parley::server

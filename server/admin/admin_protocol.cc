#include "server/admin/admin_protocol.h"

#include "server/admin/data_folder.h"
#include "server/core/relay.h"
#include "server/log/log.h"

namespace parley::server {
namespace {

absl::Status Perform(OpenDataFolder& folder, const AdminRequest& request, AdminResponse& response) {
  Relay& relay = folder.relay();
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
    case AdminCommand::kCheckpoint:
      return folder.MakeCheckpoint();
    case AdminCommand::kPurge:
      return folder.Purge();
  }
  return absl::UnimplementedError(
      "the running relay does not know this command: use the same "
      "version of parley-relay for both");
}

const char* NameOf(AdminCommand command) {
  switch (command) {
    case AdminCommand::kSponsorAdd:
      return "sponsor add";
    case AdminCommand::kSponsorList:
      return "sponsor list";
    case AdminCommand::kSponsorRenew:
      return "sponsor renew";
    case AdminCommand::kSponsorRemove:
      return "sponsor remove";
    case AdminCommand::kCheckpoint:
      return "checkpoint";
    case AdminCommand::kPurge:
      return "purge";
  }
  return "unknown";
}

}  // namespace

AdminResponse Administer(OpenDataFolder& folder, const AdminRequest& request) {
  AdminResponse response;
  response.identity_key = folder.relay().identity_key();
  const absl::Status status = Perform(folder, request, response);
  response.code = static_cast<uint8_t>(status.code());
  response.message = std::string(status.message());
  const std::string name = NameOf(request.command);
  Log(status.ok() ? LogLevel::kInfo : LogLevel::kWarning, "admin",
      name + (status.ok() ? ": done" : ": " + response.message),
      {{"command", name}, {"sponsor", request.name}, {"outcome", status.ok() ? "ok" : "refused"}});
  return response;
}

}  // namespace parley::server

#include "server/main/sponsor_commands.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "crypto/base/status_macros.h"
#include "server/admin/connection_string.h"
#include "server/keys/key_folder.h"
#include "server/main/ask.h"

namespace parley::server {
namespace {

// Where clients will connect to: what was asked for, else where the relay listens.
absl::StatusOr<std::string> PublicAddress(const SponsorAddOptions& options,
                                          const std::string& data_folder) {
  if (!options.address.empty()) {
    PARLEY_ASSIGN_OR_RETURN(HostAndPort given, ParseHostAndPort(options.address));
    if (given.port == 0 || IsWildcard(given.host)) {
      return absl::InvalidArgumentError("clients can't connect to " + options.address);
    }
    return options.address;
  }
  PARLEY_ASSIGN_OR_RETURN(std::string stored, LoadAddress(data_folder));
  if (stored.empty()) {
    return absl::FailedPreconditionError(
        "the relay has not run yet, so its address is not known: say --address HOST:PORT");
  }
  PARLEY_ASSIGN_OR_RETURN(HostAndPort address, ParseHostAndPort(stored));
  if (IsWildcard(address.host)) {
    return absl::FailedPreconditionError(
        "the relay listens on every address of this machine: say with --address HOST:PORT which "
        "one clients use");
  }
  return stored;
}

}  // namespace

absl::Status SponsorAdd(const SponsorAddOptions& options) {
  ::umask(077);
  PARLEY_ASSIGN_OR_RETURN(std::string data_folder, DataFolderOf(options.folder));
  AdminRequest request;
  request.command = AdminCommand::kSponsorAdd;
  request.name = options.name;
  request.quota_objects = options.objects;
  PARLEY_ASSIGN_OR_RETURN(request.quota_bytes, ParseByteSize(options.quota));
  if (request.quota_bytes == 0) {
    return absl::InvalidArgumentError(
        "a sponsor with a quota of 0 could store nothing: give a size like 20GiB");
  }
  PARLEY_ASSIGN_OR_RETURN(std::string address, PublicAddress(options, data_folder));
  PARLEY_ASSIGN_OR_RETURN(AdminResponse response, Ask(data_folder, request));
  std::printf("Sponsor \"%s\" may use %s. Give it this connection string; it is a secret:\n",
              options.name.c_str(), FormatByteSize(request.quota_bytes).c_str());
  std::printf("%s\n", ConnectionString(response.identity_key, address, response.token).c_str());
  return absl::OkStatus();
}

absl::Status SponsorRenew(const SponsorAddOptions& options) {
  ::umask(077);
  PARLEY_ASSIGN_OR_RETURN(std::string data_folder, DataFolderOf(options.folder));
  PARLEY_RETURN_IF_ERROR(CheckFolder(data_folder));
  AdminRequest request;
  request.command = AdminCommand::kSponsorRenew;
  request.name = options.name;
  PARLEY_ASSIGN_OR_RETURN(std::string address, PublicAddress(options, data_folder));
  PARLEY_ASSIGN_OR_RETURN(AdminResponse response, Ask(data_folder, request));
  std::printf(
      "The earlier connection string of sponsor \"%s\" makes nothing new from now on. This one "
      "takes "
      "its place; it is a secret:\n",
      options.name.c_str());
  std::printf("%s\n", ConnectionString(response.identity_key, address, response.token).c_str());
  return absl::OkStatus();
}

namespace {

// As JSON wants it. What isn't ASCII stays as it is: names are UTF-8.
std::string JsonText(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[7];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned char>(c));
      out += escaped;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

void PrintJson(const AdminSponsor& sponsor) {
  const auto number = [](uint64_t value) { return std::to_string(value); };
  std::printf("%s\n", ("{\"name\": " + JsonText(sponsor.name) +
                       ", \"used_bytes\": " + number(sponsor.used_bytes) +
                       ", \"quota_bytes\": " + number(sponsor.quota_bytes) +
                       ", \"used_objects\": " + number(sponsor.used_objects) +
                       ", \"quota_objects\": " + number(sponsor.quota_objects) +
                       ", \"removed\": " + (sponsor.removed != 0 ? "true" : "false") + "}")
                          .c_str());
}

using Row = std::vector<std::string>;

// Columns that a text of UTF-8 takes, if its letters are narrow.
size_t ColumnsOf(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

void PrintTable(const std::vector<Row>& rows) {
  std::vector<size_t> widths(rows.front().size());
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], ColumnsOf(row[i]));
  }
  for (const Row& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i] + std::string(widths[i] - ColumnsOf(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    std::printf("%s\n", line.c_str());
  }
}

}  // namespace

absl::Status SponsorList(const FolderOptions& folder, bool json) {
  ::umask(077);
  PARLEY_ASSIGN_OR_RETURN(std::string data_folder, DataFolderOf(folder));
  PARLEY_RETURN_IF_ERROR(CheckFolder(data_folder));
  PARLEY_ASSIGN_OR_RETURN(AdminResponse response, Ask(data_folder, AdminRequest()));
  std::vector<Row> rows = {{"NAME", "USED", "QUOTA", "OBJECTS", "OF", ""}};
  for (const AdminSponsor& sponsor : response.sponsors) {
    if (json) PrintJson(sponsor);
    rows.push_back({sponsor.name, FormatByteSize(sponsor.used_bytes),
                    FormatByteSize(sponsor.quota_bytes), std::to_string(sponsor.used_objects),
                    std::to_string(sponsor.quota_objects), sponsor.removed != 0 ? "removed" : ""});
  }
  if (!json) PrintTable(rows);
  return absl::OkStatus();
}

absl::Status SponsorRemove(const FolderOptions& folder, const std::string& name) {
  ::umask(077);
  PARLEY_ASSIGN_OR_RETURN(std::string data_folder, DataFolderOf(folder));
  PARLEY_RETURN_IF_ERROR(CheckFolder(data_folder));
  AdminRequest request;
  request.command = AdminCommand::kSponsorRemove;
  request.name = name;
  PARLEY_ASSIGN_OR_RETURN(AdminResponse response, Ask(data_folder, request));
  std::printf("Sponsor \"%s\" makes nothing new from now on; what it made stays.\n", name.c_str());
  return absl::OkStatus();
}

}  // namespace parley::server

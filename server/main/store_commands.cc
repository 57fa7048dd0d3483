#include "server/main/store_commands.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "crypto/base/status_macros.h"
#include "server/admin/connection_string.h"
#include "server/admin/data_folder.h"
#include "server/main/ask.h"

namespace parley::server {
namespace {

std::string Counted(uint64_t count, const char* one, const char* many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

void PrintFindings(const VerifyReport& report) {
  for (const Remedy remedy :
       {Remedy::kRestore, Remedy::kUnpurged, Remedy::kRecount, Remedy::kLeftover}) {
    bool any = false;
    for (const Finding& finding : report.findings) {
      if (finding.remedy != remedy) continue;
      std::printf("  %s\n", finding.what.c_str());
      any = true;
    }
    if (any) std::printf("%s\n", AdviceFor(remedy).c_str());
  }
  if (report.further_findings != 0) {
    std::printf("and %s that are not listed\n",
                Counted(report.further_findings, "problem", "problems").c_str());
  }
}

}  // namespace

absl::Status Verify(const FolderOptions& options) {
  PARLEY_ASSIGN_OR_RETURN(const std::string folder, DataFolderOf(options));
  PARLEY_ASSIGN_OR_RETURN(const VerifyReport report, VerifyFolder(folder));
  std::printf("%s, %s, %s, %s, %s of %s were read\n",
              Counted(report.sponsors, "sponsor", "sponsors").c_str(),
              Counted(report.mailboxes, "mailbox", "mailboxes").c_str(),
              Counted(report.entries, "entry", "entries").c_str(),
              Counted(report.blobs, "blob", "blobs").c_str(),
              Counted(report.chunks, "chunk", "chunks").c_str(),
              FormatByteSize(report.bytes).c_str());
  const uint64_t problems = report.findings.size() + report.further_findings;
  if (problems == 0) {
    std::printf("all of it is right\n");
    return absl::OkStatus();
  }
  PrintFindings(report);
  return absl::DataLossError(folder + " has " + Counted(problems, "problem", "problems"));
}

absl::Status Purge(const FolderOptions& options) {
  ::umask(077);
  PARLEY_ASSIGN_OR_RETURN(const std::string folder, DataFolderOf(options));
  PARLEY_RETURN_IF_ERROR(CheckFolder(folder));
  AdminRequest request;
  request.command = AdminCommand::kPurge;
  PARLEY_RETURN_IF_ERROR(Ask(folder, request).status());
  std::printf("what was deleted is removed from the files\n");
  return absl::OkStatus();
}

}  // namespace parley::server

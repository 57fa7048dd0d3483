#include "server/main/backup_commands.h"

#include <cstdio>
#include <ctime>
#include <vector>

#include "crypto/base/status_macros.h"
#include "server/admin/backup.h"
#include "server/admin/connection_string.h"
#include "server/main/shield_process.h"

namespace parley::server {
namespace {

// "2026-11-28T14:05:09Z".
std::string TimeText(int64_t seconds) {
  const auto time = static_cast<time_t>(seconds);
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

std::string Backups(uint64_t count) {
  return std::to_string(count) + (count == 1 ? " backup" : " backups");
}

void PrintPruned(const PrunedBackups& pruned) {
  std::printf("%s removed\n", Backups(pruned.removed).c_str());
  for (const uint32_t number : pruned.damaged) {
    std::printf("backup %u was among them, as it was damaged: files were missing or cut short\n",
                number);
  }
}

void PrintJson(const ListedBackup& backup) {
  std::printf("{\"number\": %u, \"damaged\": %s", backup.number, backup.damaged ? "true" : "false");
  if (!backup.damaged) {
    std::printf(", \"made_at\": \"%s\", \"bytes\": %llu, \"keys\": %s, \"fingerprint\": \"%s\"",
                TimeText(backup.made_at).c_str(), static_cast<unsigned long long>(backup.bytes),
                backup.with_keys ? "true" : "false", backup.fingerprint.c_str());
  }
  std::printf("}\n");
}

}  // namespace

absl::Status Backup(const BackupOptions& options) {
  ShieldProcess();
  BackupRequest request;
  PARLEY_ASSIGN_OR_RETURN(request.data, DataFolderOf(options.folder));
  if (options.to.empty()) {
    return absl::InvalidArgumentError("--to is needed: the folder for backups");
  }
  request.to = options.to;
  request.with_keys = !options.without_keys;
  request.verify = options.verify;
  request.keep = options.keep;
  PARLEY_ASSIGN_OR_RETURN(const MadeBackup made, MakeBackup(request));
  std::printf("backup %u: %s, of which %s are new\n", made.number,
              FormatByteSize(made.bytes).c_str(), FormatByteSize(made.added_bytes).c_str());
  if (made.pruned.removed != 0) PrintPruned(made.pruned);
  std::printf(
      "%s", made.with_keys
                ? "The relay's keys are in it: keep it as safe as the relay's own folder. A "
                  "certificate of your own and the configuration file are not in it.\n"
                : "The relay's keys are not in it: without a copy of keys/identity.seed no client "
                  "trusts a relay that is restored from it.\n");
  return absl::OkStatus();
}

absl::Status BackupList(const BackupFolderOptions& options) {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ListedBackup> backups, ListBackups(options.from));
  if (!options.json)
    std::printf("%-6s  %-20s  %-10s  %-4s  RELAY\n", "BACKUP", "MADE", "SIZE", "KEYS");
  for (const ListedBackup& backup : backups) {
    if (options.json) {
      PrintJson(backup);
    } else if (backup.damaged) {
      std::printf("%-6u  damaged: files are missing or cut short\n", backup.number);
    } else {
      std::printf("%-6u  %-20s  %-10s  %-4s  %s\n", backup.number, TimeText(backup.made_at).c_str(),
                  FormatByteSize(backup.bytes).c_str(), backup.with_keys ? "yes" : "no",
                  backup.fingerprint.c_str());
    }
  }
  return absl::OkStatus();
}

absl::Status BackupCheck(const BackupFolderOptions& options) {
  PARLEY_ASSIGN_OR_RETURN(const uint32_t number, CheckBackup(options.from, options.number));
  std::printf("backup %u: every file has its checksum\n", number);
  return absl::OkStatus();
}

absl::Status BackupPrune(const BackupFolderOptions& options) {
  ShieldProcess();
  PARLEY_ASSIGN_OR_RETURN(const PrunedBackups pruned, PruneBackups(options.from, options.keep));
  PrintPruned(pruned);
  return absl::OkStatus();
}

absl::Status Restore(const RestoreOptions& options) {
  ShieldProcess();
  PARLEY_ASSIGN_OR_RETURN(const RestoredBackup restored,
                          RestoreBackup({.from = options.from,
                                         .number = options.number,
                                         .data = options.data,
                                         .accept_damage = options.accept_damage}));
  std::printf(
      "backup %u of %s is in %s and verified: %llu mailboxes with %llu entries, %llu blobs\n",
      restored.number, TimeText(restored.made_at).c_str(), options.data.c_str(),
      static_cast<unsigned long long>(restored.report.mailboxes),
      static_cast<unsigned long long>(restored.report.entries),
      static_cast<unsigned long long>(restored.report.blobs));
  for (const Finding& finding : restored.report.findings) {
    std::printf("  %s\n  %s\n", finding.what.c_str(), AdviceFor(finding.remedy).c_str());
  }
  if (restored.report.further_findings != 0) {
    std::printf("  and %llu that are not listed\n",
                static_cast<unsigned long long>(restored.report.further_findings));
  }
  std::printf("fingerprint %s\n", restored.fingerprint.c_str());
  if (!restored.with_keys) {
    std::printf(
        "The backup has no keys: put your copy of identity.seed into %s/keys before you "
        "start the relay.\n",
        options.data.c_str());
  }
  std::printf(
      "What the relay acknowledged after that moment is not there, and clients say so: see "
      "\"Restore\" in operations.md before you start it.\n");
  return absl::OkStatus();
}

}  // namespace parley::server

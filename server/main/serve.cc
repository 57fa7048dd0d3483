#include "server/main/serve.h"

#include <grpc/support/log.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "crypto/base/status_macros.h"
#include "server/admin/admin_socket.h"
#include "server/admin/connection_string.h"
#include "server/admin/data_folder.h"
#include "server/admin/purges.h"
#include "server/grpc/acceptor.h"
#include "server/grpc/relay_server.h"
#include "server/keys/key_folder.h"
#include "server/log/log.h"
#include "server/main/shield_process.h"
#include "server/metrics/exporter.h"

namespace parley::server {
namespace {

// Blocked in every thread, so that WaitForSignal is the one to get them.
sigset_t BlockSignals() {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// gRPC's own log lines name addresses of clients: none of them is kept.
void SilenceGrpc() {
  gpr_set_log_function([](gpr_log_func_args* /*line*/) {});
}

// Debian builds Abseil with the search for lock cycles, which takes a lock of the whole process at
// each of gRPC's own.
void RunLocksAlone() { absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore); }

// Each connection takes a file descriptor, and the store and gRPC need some, too.
Limits LimitsFor(const Settings& settings) {
  Limits limits = settings.limits;
  constexpr rlim_t kOwnFiles = 1024;
  const rlim_t wanted = limits.max_connections + kOwnFiles;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < wanted) {
    files.rlim_cur = std::min(wanted, files.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &files);
    ::getrlimit(RLIMIT_NOFILE, &files);
  }
  if (files.rlim_cur < wanted) {
    limits.max_connections = std::min<size_t>(limits.max_connections, files.rlim_cur / 2);
    limits.max_unproven_connections = std::min<size_t>(
        limits.max_unproven_connections, std::max<size_t>(limits.max_connections / 2, 1));
    const std::string taken = std::to_string(size_t{limits.max_connections});
    Log(LogLevel::kWarning, "few_files",
        "the system allows " + std::to_string(files.rlim_cur) + " open files: the relay takes " +
            taken + " connections, not " + std::to_string(size_t{settings.limits.max_connections}),
        {{"connections", taken}});
  }
  return limits;
}

absl::StatusOr<TlsCertificate> Certificate(const Settings& settings, const std::string& host) {
  if (!settings.cert.empty()) {
    absl::StatusOr<TlsCertificate> loaded = LoadCertificate(settings.cert, settings.key);
    // Not wrong usage: the command is right, and the files are not.
    if (absl::IsInvalidArgument(loaded.status())) {
      return absl::FailedPreconditionError(loaded.status().message());
    }
    return loaded;
  }
  return LoadOrMakeCertificate(settings.data, host);
}

// Reads the configuration file and the certificate anew. What is wrong leaves all as it was.
absl::Status Reload(const ServeOptions& options, const Settings& started, Relay& relay,
                    RelayServer& server) {
  PARLEY_ASSIGN_OR_RETURN(Settings settings, RequireSettings(options));
  PARLEY_ASSIGN_OR_RETURN(HostAndPort address, ParseHostAndPort(started.listen));
  Settings where_it_runs = settings;
  where_it_runs.data = started.data;
  PARLEY_ASSIGN_OR_RETURN(TlsCertificate certificate, Certificate(where_it_runs, address.host));
  // The relay's own certificate is made anew each time: another one matters if its key is another.
  const bool is_same = settings.cert.empty() && certificate.key_hash == server.key_hash();
  if (!is_same) PARLEY_RETURN_IF_ERROR(server.UseCertificate(std::move(certificate)));
  settings.limits = LimitsFor(settings);
  for (const std::string& name : ChangeSettings(settings, started, relay.limits())) {
    Log(LogLevel::kWarning, "needs_restart",
        name + " has changed: that takes effect when the relay is started again",
        {{"setting", name}});
  }
  return absl::OkStatus();
}

// Until SIGTERM or SIGINT, which it returns; SIGHUP reloads.
int WaitForTheEnd(const sigset_t& signals, const std::function<absl::Status()>& reload,
                  Metrics& metrics) {
  while (true) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (signal != SIGHUP) return signal;
    const absl::Status reloaded = reload();
    (reloaded.ok() ? metrics.reloads : metrics.failed_reloads).Add();
    if (reloaded.ok()) {
      Log(LogLevel::kInfo, "reloaded", "SIGHUP: certificate and limits are read anew");
    } else {
      Log(LogLevel::kError, "not_reloaded",
          "SIGHUP: all stays as it was: " + std::string(reloaded.message()),
          {{"problem", std::string(reloaded.message())}});
    }
  }
}

// Says that it is up, to people and scripts on standard output or, where everything is to be JSON,
// in the log.
void Announce(const Settings& settings, const std::string& listens, const std::string& metrics,
              const std::string& fingerprint) {
  if (settings.log_format == LogFormat::kText) {
    if (!metrics.empty()) std::printf("metrics on %s\n", metrics.c_str());
    std::printf("listening on %s\nfingerprint %s\n", listens.c_str(), fingerprint.c_str());
    std::fflush(stdout);
  }
  Log(LogLevel::kInfo, "up", "the relay is up",
      {{"listen", listens},
       {"fingerprint", fingerprint},
       {"metrics", metrics},
       {"version", PARLEY_VERSION}});
}

absl::Status RunRelay(const ServeOptions& options, const Settings& settings,
                      const sigset_t& signals) {
  const Limits limits = LimitsFor(settings);
  PARLEY_ASSIGN_OR_RETURN(HostAndPort address, ParseHostAndPort(settings.listen));
  // First, so that a slip makes no keys.
  PARLEY_RETURN_IF_ERROR(Acceptor::Listen(settings.listen, limits).status());
  PARLEY_ASSIGN_OR_RETURN(std::unique_ptr<OpenDataFolder> folder,
                          OpenDataFolder::Open(settings.data, limits));
  PARLEY_ASSIGN_OR_RETURN(TlsCertificate certificate, Certificate(settings, address.host));
  if (settings.reflection) RelayServer::OfferReflection();
  RelayServer server(folder->relay(), limits, std::move(certificate));
  PARLEY_ASSIGN_OR_RETURN(int port, server.Start(settings.listen));
  address.port = static_cast<uint16_t>(port);
  PARLEY_RETURN_IF_ERROR(StoreAddress(settings.data, FormatHostAndPort(address)));
  PARLEY_ASSIGN_OR_RETURN(std::unique_ptr<AdminSocket> admin,
                          AdminSocket::Open(settings.data, *folder));

  std::optional<Purges> purges;
  purges.emplace(*folder, settings.data, settings.purge_hours);
  std::unique_ptr<MetricsExporter> metrics;
  std::string metrics_at;
  if (!settings.metrics.empty()) {
    PARLEY_ASSIGN_OR_RETURN(HostAndPort at, ParseHostAndPort(settings.metrics));
    PARLEY_ASSIGN_OR_RETURN(metrics, MetricsExporter::Start(settings.metrics, folder->relay()));
    at.port = static_cast<uint16_t>(metrics->port());
    metrics_at = "http://" + FormatHostAndPort(at) + "/metrics";
  }
  Announce(settings, FormatHostAndPort(address), metrics_at,
           Fingerprint(folder->relay().identity_key()));

  const int signal = WaitForTheEnd(
      signals, [&] { return Reload(options, settings, folder->relay(), server); },
      folder->relay().metrics());
  const std::string name = signal == SIGTERM ? "SIGTERM" : "SIGINT";
  Log(LogLevel::kInfo, "draining", name + ": draining", {{"signal", name}});
  admin.reset();
  purges.reset();
  metrics.reset();
  server.Shutdown(std::chrono::seconds(settings.drain_seconds));
  folder.reset();
  Log(LogLevel::kInfo, "down", "the relay is down");
  return absl::OkStatus();
}

}  // namespace

absl::Status Serve(const ServeOptions& options) {
  ShieldProcess();
  if (options.check_only) return CheckConfiguration(options);
  PARLEY_ASSIGN_OR_RETURN(const Settings settings, RequireSettings(options));
  SilenceGrpc();
  RunLocksAlone();
  const sigset_t signals = BlockSignals();
  OpenLog(settings.log_format);
  absl::Status status = RunRelay(options, settings, signals);
  if (status.ok() || settings.log_format == LogFormat::kText) return status;
  // Who collects objects gets this as one, too; an empty message isn't printed once more.
  Log(LogLevel::kError, "failed", std::string(status.message()));
  return absl::Status(status.code(), "");
}

}  // namespace parley::server

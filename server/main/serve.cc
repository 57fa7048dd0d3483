#include "server/main/serve.h"

#include <grpc/support/log.h>
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "crypto/base/status_macros.h"
#include "server/admin/admin_socket.h"
#include "server/admin/connection_string.h"
#include "server/admin/data_folder.h"
#include "server/grpc/relay_server.h"
#include "server/keys/key_folder.h"
#include "server/metrics/exporter.h"

namespace parley::server {
namespace {

// What is in memory stays there: no core dumps, no reading by processes of the same user, and files
// for the owner alone.
void ShieldProcess() {
  ::umask(077);
  ::prctl(PR_SET_DUMPABLE, 0);
  rlimit none{};
  ::setrlimit(RLIMIT_CORE, &none);
}

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
    spdlog::warn("the system allows {} open files: the relay takes {} connections, not {}",
                 files.rlim_cur, size_t{limits.max_connections},
                 size_t{settings.limits.max_connections});
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
    spdlog::warn("{} has changed: that takes effect when the relay is started again", name);
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
      spdlog::info("SIGHUP: certificate and limits are read anew");
    } else {
      spdlog::error("SIGHUP: all stays as it was: {}", std::string(reloaded.message()));
    }
  }
}

}  // namespace

absl::Status Serve(const ServeOptions& options) {
  ShieldProcess();
  if (options.check_only) return CheckConfiguration(options);
  PARLEY_ASSIGN_OR_RETURN(const Settings settings, RequireSettings(options));
  SilenceGrpc();
  RunLocksAlone();
  const sigset_t signals = BlockSignals();
  spdlog::set_default_logger(spdlog::stderr_logger_mt("relay"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);

  const Limits limits = LimitsFor(settings);
  PARLEY_ASSIGN_OR_RETURN(HostAndPort address, ParseHostAndPort(settings.listen));
  PARLEY_ASSIGN_OR_RETURN(std::unique_ptr<OpenDataFolder> folder,
                          OpenDataFolder::Open(settings.data, limits));
  PARLEY_ASSIGN_OR_RETURN(TlsCertificate certificate, Certificate(settings, address.host));
  RelayServer server(folder->relay(), limits, std::move(certificate));
  PARLEY_ASSIGN_OR_RETURN(int port, server.Start(settings.listen));
  address.port = static_cast<uint16_t>(port);
  PARLEY_RETURN_IF_ERROR(StoreAddress(settings.data, FormatHostAndPort(address)));
  PARLEY_ASSIGN_OR_RETURN(std::unique_ptr<AdminSocket> admin,
                          AdminSocket::Open(settings.data, folder->relay()));

  std::unique_ptr<MetricsExporter> metrics;
  if (!settings.metrics.empty()) {
    PARLEY_ASSIGN_OR_RETURN(HostAndPort at, ParseHostAndPort(settings.metrics));
    PARLEY_ASSIGN_OR_RETURN(metrics, MetricsExporter::Start(settings.metrics, folder->relay()));
    at.port = static_cast<uint16_t>(metrics->port());
    std::printf("metrics on http://%s/metrics\n", FormatHostAndPort(at).c_str());
  }
  std::printf("listening on %s\nfingerprint %s\n", FormatHostAndPort(address).c_str(),
              Fingerprint(folder->relay().identity_key()).c_str());
  std::fflush(stdout);
  spdlog::info("the relay is up");

  const int signal = WaitForTheEnd(
      signals, [&] { return Reload(options, settings, folder->relay(), server); },
      folder->relay().metrics());
  spdlog::info("{}: draining", signal == SIGTERM ? "SIGTERM" : "SIGINT");
  admin.reset();
  metrics.reset();
  server.Shutdown(std::chrono::seconds(settings.drain_seconds));
  folder.reset();
  spdlog::info("the relay is down");
  return absl::OkStatus();
}

}  // namespace parley::server

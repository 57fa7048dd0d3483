#include "server/main/serve.h"

#include <grpc/support/log.h>
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cstdio>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "crypto/base/status_macros.h"
#include "server/admin/admin_socket.h"
#include "server/admin/connection_string.h"
#include "server/admin/data_folder.h"
#include "server/grpc/relay_server.h"
#include "server/keys/key_folder.h"

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

absl::StatusOr<TlsCertificate> Certificate(const ServeOptions& options, const std::string& host) {
  if (!options.certificate_file.empty()) {
    return LoadCertificate(options.certificate_file, options.key_file);
  }
  return LoadOrMakeCertificate(options.data_folder, host);
}

}  // namespace

absl::Status Serve(const ServeOptions& options) {
  ShieldProcess();
  SilenceGrpc();
  RunLocksAlone();
  const sigset_t signals = BlockSignals();
  spdlog::set_default_logger(spdlog::stderr_logger_mt("relay"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);

  const Limits limits;
  PARLEY_ASSIGN_OR_RETURN(HostAndPort address, ParseHostAndPort(options.listen));
  PARLEY_ASSIGN_OR_RETURN(std::unique_ptr<OpenDataFolder> folder,
                          OpenDataFolder::Open(options.data_folder, limits));
  PARLEY_ASSIGN_OR_RETURN(TlsCertificate certificate, Certificate(options, address.host));
  RelayServer server(folder->relay(), limits, std::move(certificate));
  PARLEY_ASSIGN_OR_RETURN(int port, server.Start(options.listen));
  address.port = static_cast<uint16_t>(port);
  PARLEY_RETURN_IF_ERROR(StoreAddress(options.data_folder, FormatHostAndPort(address)));
  PARLEY_ASSIGN_OR_RETURN(std::unique_ptr<AdminSocket> admin,
                          AdminSocket::Open(options.data_folder, folder->relay()));

  std::printf("listening on %s\nfingerprint %s\n", FormatHostAndPort(address).c_str(),
              Fingerprint(folder->relay().identity_key()).c_str());
  std::fflush(stdout);
  spdlog::info("the relay is up");

  int signal = 0;
  sigwait(&signals, &signal);
  spdlog::info("{}: draining", signal == SIGTERM ? "SIGTERM" : "SIGINT");
  admin.reset();
  server.Shutdown();
  folder.reset();
  spdlog::info("the relay is down");
  return absl::OkStatus();
}

}  // namespace parley::server

#include "tools/parley/interruption.h"

#include <csignal>

namespace parley::cli {
namespace {

Cancellation cancellation;

extern "C" void OnSignal(int /*signal*/) { cancellation.Cancel(); }

bool Install() {
  struct sigaction action {};
  action.sa_handler = OnSignal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return true;
}

}  // namespace

const Cancellation& Interruption() {
  static const bool installed = Install();
  static_cast<void>(installed);
  return cancellation;
}

ProgressCallback ShowOn(ProgressBar& bar) {
  const Cancellation& interruption = Interruption();
  return [&bar, &interruption](uint64_t done, uint64_t total) {
    bar.Show(done, total);
    return !interruption.cancelled();
  };
}

Status Interrupted() {
  return Status(StatusCode::kCancelled,
                "interrupted: the same command goes on where the transfer stopped");
}

}  // namespace parley::cli

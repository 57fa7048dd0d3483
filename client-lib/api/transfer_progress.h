// Transfers under the public callback.
#ifndef PARLEY_CLIENT_LIB_API_TRANSFER_PROGRESS_H_
#define PARLEY_CLIENT_LIB_API_TRANSFER_PROGRESS_H_

#include <atomic>
#include <chrono>

#include "client-lib/documents/transfer.h"
#include "parley/types.h"

namespace parley {

// How long a broken connection is tried again in a transfer before the call fails.
inline constexpr std::chrono::milliseconds kTransferRetryFor{60'000};

// A transfer's progress as the public callback has it; a false of it cancels the transfer. Keeps a
// reference to the callback, and must outlive the transfer.
class Reporter {
 public:
  explicit Reporter(const ProgressCallback& callback) : callback_(callback) {}

  void SetUp(client::TransferOptions& options) {
    options.cancel = &cancelled_;
    if (!callback_) return;
    options.progress = [this](const client::TransferProgress& progress) {
      if (!callback_(progress.done_bytes, progress.total_bytes)) cancelled_ = true;
    };
  }

 private:
  const ProgressCallback& callback_;
  std::atomic<bool> cancelled_{false};
};

}  // namespace parley

#endif  // PARLEY_CLIENT_LIB_API_TRANSFER_PROGRESS_H_

// What uploads and downloads have in common beside the data: progress, cancelling, patience, and
// when to save how far they are.
//
// Threading: belongs to the transfer's calling thread.
#ifndef PARLEY_CLIENT_LIB_DOCUMENTS_TRANSFER_PACE_H_
#define PARLEY_CLIENT_LIB_DOCUMENTS_TRANSFER_PACE_H_

#include <algorithm>
#include <chrono>
#include <thread>

#include "client-lib/documents/transfer.h"

namespace parley::client::internal {

class TransferPace {
 public:
  TransferPace(const TransferOptions& options, uint64_t total_bytes) : options_(options) {
    progress_.total_bytes = total_bytes;
  }

  // So much of the content was there from an earlier attempt.
  void Resumed(uint64_t bytes) {
    progress_.resumed_bytes = bytes;
    Advanced(bytes);
  }
  // So much of the content is at the other end now.
  void Advanced(uint64_t bytes) {
    bytes = std::min(bytes, progress_.total_bytes);
    if (bytes > progress_.done_bytes) {
      progress_.done_bytes = bytes;
      last_advance_ = Clock::now();
      attempt_ = 0;
    }
    if (Clock::now() - last_report_ >= std::chrono::milliseconds(100)) Report();
  }
  void Report() {
    last_report_ = Clock::now();
    if (options_.progress) options_.progress(progress_);
  }
  // All of it is at the other end.
  void Done() {
    progress_.done_bytes = progress_.total_bytes;
    Report();
  }

  absl::Status CheckCancelled() const {
    return cancelled() ? absl::CancelledError("the transfer was cancelled; it can be resumed")
                       : absl::OkStatus();
  }

  // Whether it is time to save how far it is, `chunks` after the last saving: after a second, or
  // `most_chunks` if they come first. Each saving syncs.
  bool IsSavingDue(uint64_t chunks, uint64_t most_chunks) {
    if (chunks == 0) return false;
    if (chunks < most_chunks && Clock::now() - last_saving_ < std::chrono::seconds(1)) return false;
    last_saving_ = Clock::now();
    return true;
  }

  // After a broken connection: pauses and returns true when another attempt is due.
  bool MayTryAgain(const absl::Status& status) {
    if (!absl::IsUnavailable(status) && !absl::IsDeadlineExceeded(status)) return false;
    const auto pause = std::chrono::milliseconds(std::min(5'000, 100 << std::min(attempt_++, 6)));
    const auto until = Clock::now() + pause;
    if (until - last_advance_ > options_.retry_for) return false;
    while (Clock::now() < until && !cancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      Report();  // its receiver may cancel
    }
    return !cancelled();
  }

 private:
  using Clock = std::chrono::steady_clock;
  bool cancelled() const { return options_.cancel != nullptr && options_.cancel->load(); }

  const TransferOptions& options_;
  TransferProgress progress_;
  Clock::time_point last_report_{};
  Clock::time_point last_advance_ = Clock::now();
  Clock::time_point last_saving_ = Clock::now();
  int attempt_ = 0;
};

}  // namespace parley::client::internal

#endif  // PARLEY_CLIENT_LIB_DOCUMENTS_TRANSFER_PACE_H_

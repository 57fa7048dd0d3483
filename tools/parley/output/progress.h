// A progress bar on a terminal, for transfers.
#ifndef PARLEY_TOOLS_PARLEY_OUTPUT_PROGRESS_H_
#define PARLEY_TOOLS_PARLEY_OUTPUT_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <string>

namespace parley::cli {

// Draws on standard error, where that is a terminal; otherwise does nothing. Not thread-safe.
class ProgressBar {
 public:
  // `label`: what goes on, harmless, as "sharing".
  explicit ProgressBar(std::string label);
  ~ProgressBar();  // leaves the line empty
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Draws at most ten times a second.
  void Show(uint64_t done, uint64_t total);

 private:
  const std::string label_;
  const bool visible_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point last_;
};

// One line of the bar: "sharing [#####.....]  50 %  12.5 MB of 25.0 MB".
std::string ProgressLine(const std::string& label, uint64_t done, uint64_t total);

}  // namespace parley::cli

#endif  // PARLEY_TOOLS_PARLEY_OUTPUT_PROGRESS_H_

#include "tools/parley/output/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "tools/parley/output/text.h"

namespace parley::cli {

std::string ProgressLine(const std::string& label, uint64_t done, uint64_t total) {
  constexpr int kWidth = 30;
  const double share =
      total == 0 ? 1.0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const auto filled = static_cast<size_t>(share * kWidth);
  const std::string percent = std::to_string(static_cast<int>(share * 100));
  return label + " [" + std::string(filled, '#') + std::string(kWidth - filled, '.') + "] " +
         std::string(3 - std::min<size_t>(3, percent.size()), ' ') + percent + " %  " +
         SizeText(done) + " of " + SizeText(total);
}

ProgressBar::ProgressBar(std::string label)
    : label_(std::move(label)), visible_(isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() {
  if (drawn_) std::fputs("\r\033[K", stderr);
}

void ProgressBar::Show(uint64_t done, uint64_t total) {
  if (!visible_) return;
  const auto now = std::chrono::steady_clock::now();
  if (drawn_ && done < total && now - last_ < std::chrono::milliseconds(100)) return;
  last_ = now;
  drawn_ = true;
  std::fprintf(stderr, "\r%s\033[K", ProgressLine(label_, done, total).c_str());
  std::fflush(stderr);
}

}  // namespace parley::cli

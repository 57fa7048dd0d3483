// What a benchmark says: one row for each thing measured, beside its baseline of the same run.
//
// Threading: belongs to one thread.
#ifndef PARLEY_TOOLS_PARLEY_BENCH_ROWS_H_
#define PARLEY_TOOLS_PARLEY_BENCH_ROWS_H_

#include <string>
#include <vector>

namespace parley::bench {

// Durations are in "us" and memory in "KiB" (the less the better), rates in "per s" and "MB/s" (the
// more the better; a MB is 10^6 bytes). A baseline's own row is its own baseline.
struct Row {
  std::string name;  // like "relay/append/1KiB/64"
  double value = 0;
  std::string unit;
  double baseline = 0;
  // What the baseline is made of, for people; not in JSON.
  std::string against;

  double ratio() const { return value / baseline; }
};

Row BaselineRow(std::string name, double value, std::string unit);

enum class Format { kTable, kJson };

// To standard output. JSON is one object a line, with the fields name, value, unit, baseline,
// ratio.
void Print(const std::vector<Row>& rows, Format format);

// The middle value (of an even count: the mean of the two); CHECK-fails on none.
double Median(std::vector<double> values);

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_ROWS_H_

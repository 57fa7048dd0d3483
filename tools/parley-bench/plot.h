// Rate and latency over load as a picture (SVG), for people.
//
// Threading: free functions.
#ifndef PARLEY_TOOLS_PARLEY_BENCH_PLOT_H_
#define PARLEY_TOOLS_PARLEY_BENCH_PLOT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "tools/parley-bench/load.h"

namespace parley::bench {

struct LoadPoint {
  size_t in_flight = 0;
  LoadResult result;
};

// Of at least one point: the rate against the axis on the left, median and 99th percentile of the
// latency against the one on the right. Both begin at 0; the loads stand side by side.
std::string PlotLoad(const std::string& title, const std::vector<LoadPoint>& points);

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_PLOT_H_

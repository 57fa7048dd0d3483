#include "tools/parley-bench/plot.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>

namespace parley::bench {
namespace {

constexpr double kLeft = 80, kRight = 640, kTop = 50, kBottom = 320;
constexpr int kSteps = 5;  // of each axis

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.6g", value);
  return text;
}

std::string Text(double x, double y, const std::string& anchor, const std::string& words,
                 const std::string& colour = "black") {
  return "<text x=\"" + Number(x) + "\" y=\"" + Number(y) + "\" text-anchor=\"" + anchor +
         "\" fill=\"" + colour + "\">" + words + "</text>\n";
}

// The next of 1, 2, 5, 10, 20 … above.
double RoundUp(double value) {
  const double power = std::pow(10, std::floor(std::log10(std::max(value, 1e-9))));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (value <= factor * power) return factor * power;
  }
  return 10 * power;
}

double PlaceOf(size_t index, size_t count) {
  if (count == 1) return (kLeft + kRight) / 2;
  return kLeft + (kRight - kLeft) * static_cast<double>(index) / static_cast<double>(count - 1);
}

std::string Line(const std::vector<LoadPoint>& points, double most, const std::string& colour,
                 const std::function<double(const LoadResult&)>& value) {
  std::string places;
  std::string dots;
  for (size_t i = 0; i < points.size(); ++i) {
    const std::string x = Number(PlaceOf(i, points.size()));
    const std::string y = Number(kBottom - (kBottom - kTop) * value(points[i].result) / most);
    places += x + "," + y + " ";
    dots += "<circle cx=\"" + x + "\" cy=\"" + y + "\" r=\"3\" fill=\"" + colour + "\"/>\n";
  }
  return "<polyline fill=\"none\" stroke-width=\"2\" stroke=\"" + colour + "\" points=\"" + places +
         "\"/>\n" + dots;
}

}  // namespace

std::string PlotLoad(const std::string& title, const std::vector<LoadPoint>& points) {
  double rate = 0;
  double latency = 0;
  for (const LoadPoint& point : points) {
    rate = std::max(rate, point.result.calls_per_second);
    latency = std::max(latency, point.result.p99_us / 1000);
  }
  rate = RoundUp(rate);
  latency = RoundUp(latency);
  std::string svg =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"720\" height=\"390\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"720\" height=\"390\" fill=\"white\"/>\n";
  svg += Text(360, 24, "middle", title);
  for (int step = 0; step <= kSteps; ++step) {
    const double part = static_cast<double>(step) / kSteps;
    const double y = kBottom - (kBottom - kTop) * part;
    svg += "<line x1=\"" + Number(kLeft) + "\" x2=\"" + Number(kRight) + "\" y1=\"" + Number(y) +
           "\" y2=\"" + Number(y) + "\" stroke=\"#dddddd\"/>\n";
    svg += Text(kLeft - 8, y + 4, "end", Number(rate * part), "#1f5fa8");
    svg += Text(kRight + 8, y + 4, "start", Number(latency * part), "#b3541e");
  }
  for (size_t i = 0; i < points.size(); ++i) {
    svg += Text(PlaceOf(i, points.size()), kBottom + 18, "middle",
                std::to_string(points[i].in_flight));
  }
  svg += Text(360, kBottom + 38, "middle", "calls in flight");
  svg += Text(kLeft, kBottom + 60, "start", "blue: calls per second", "#1f5fa8");
  svg += Text(kRight, kBottom + 60, "end", "orange: median and (light) 99th percentile, ms",
              "#b3541e");
  svg += Line(points, rate, "#1f5fa8", [](const LoadResult& at) { return at.calls_per_second; });
  svg += Line(points, latency, "#b3541e", [](const LoadResult& at) { return at.median_us / 1000; });
  svg += Line(points, latency, "#e8a97e", [](const LoadResult& at) { return at.p99_us / 1000; });
  return svg + "</svg>\n";
}

}  // namespace parley::bench

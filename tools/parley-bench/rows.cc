#include "tools/parley-bench/rows.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "crypto/base/check.h"

namespace parley::bench {
namespace {

// As people read figures: four digits that count.
std::string Figure(double value) {
  char text[32];
  const int decimals = value >= 1000 ? 0 : value >= 100 ? 1 : value >= 10 ? 2 : 3;
  std::snprintf(text, sizeof(text), "%.*f", decimals, value);
  return text;
}

void PrintJson(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    nlohmann::ordered_json object;
    object["name"] = row.name;
    object["value"] = row.value;
    object["unit"] = row.unit;
    object["baseline"] = row.baseline;
    object["ratio"] = row.ratio();
    std::printf("%s\n", object.dump().c_str());
  }
}

void PrintTable(const std::vector<Row>& rows) {
  size_t width = 4;
  for (const Row& row : rows) width = std::max(width, row.name.size());
  const int name_width = static_cast<int>(width);
  std::printf("%-*s  %10s  %-6s  %10s  %6s  %s\n", name_width, "name", "value", "unit", "baseline",
              "ratio", "the baseline is");
  for (const Row& row : rows) {
    std::printf("%-*s  %10s  %-6s  %10s  %6.2f  %s\n", name_width, row.name.c_str(),
                Figure(row.value).c_str(), row.unit.c_str(), Figure(row.baseline).c_str(),
                row.ratio(), row.against.c_str());
  }
}

}  // namespace

Row BaselineRow(std::string name, double value, std::string unit) {
  return {std::move(name), value, std::move(unit), value, "itself"};
}

void Print(const std::vector<Row>& rows, Format format) {
  format == Format::kJson ? PrintJson(rows) : PrintTable(rows);
  std::fflush(stdout);
}

double Median(std::vector<double> values) {
  PARLEY_CHECK(!values.empty());
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace parley::bench

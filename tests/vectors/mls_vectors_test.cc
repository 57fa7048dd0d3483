// Runs MLS test vectors: our own small ones always, and every file that it knows in the folder
// named by PARLEY_MLS_VECTORS.
//
//   mls_vectors_test                    prints a line for each file; 0 when nothing failed, 77 (for
//                                       ctest: skipped) when nothing did but only our own ran
//   mls_vectors_test --make FOLDER      writes our own small vectors anew
#include "tests/vectors/mls_vectors.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <numeric>

namespace parley::mls::vectors {
namespace {

namespace fs = std::filesystem;

// The exit status that tells ctest of a test that was skipped.
constexpr int kSkipped = 77;

std::vector<Kind> AllKinds() {
  std::vector<Kind> all;
  // Passive sessions first: "passive-client-welcome" is one, and no "welcome".
  for (auto kinds : {PassiveKinds(), CryptoKinds(), TreeKinds(), MessageKinds()}) {
    all.insert(all.end(), kinds.begin(), kinds.end());
  }
  return all;
}

// Files are called "tree-math.json" or "tree_math.json", as whoever keeps them likes it.
std::string WithDashes(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

// The first kind whose word is in the name.
const Kind* KindOf(const std::vector<Kind>& kinds, const std::string& name) {
  auto found = std::find_if(kinds.begin(), kinds.end(), [&](const Kind& kind) {
    return WithDashes(name).find(WithDashes(kind.word)) != std::string::npos;
  });
  return found == kinds.end() ? nullptr : &*found;
}

Verdict RunCase(const Kind& kind, const Json& test) {
  Verdict verdict;
  try {
    kind.run(test, verdict);
  } catch (const std::exception& e) {
    verdict.Fail(e.what());
  }
  return verdict;
}

struct Totals {
  int files = 0;
  int cases = 0;
  int passed = 0;
  int skipped = 0;
  int failed = 0;
};

void RunFile(const std::vector<Kind>& kinds, const fs::path& path, Totals& totals) {
  const std::string name = path.stem().string();
  const Kind* kind = KindOf(kinds, name);
  if (kind == nullptr) {
    std::printf("%-42s FAILED: not run, its name has no kind of vector that we know: rename it\n",
                name.c_str());
    ++totals.failed;
    return;
  }
  std::ifstream in(path);
  Json file = Json::parse(in, nullptr, false);
  if (!file.is_array()) file = file.is_object() ? Json::array({file}) : Json::array();
  if (file.empty()) {
    std::printf("%-42s FAILED: it holds no cases\n", name.c_str());
    ++totals.failed;
    return;
  }
  int passed = 0;
  std::map<std::string, int> skipped;
  std::vector<std::string> failures;
  for (size_t i = 0; i < file.size(); ++i) {
    const Verdict verdict = RunCase(*kind, file[i]);
    for (const std::string& failure : verdict.failures()) {
      failures.push_back("case " + std::to_string(i) + ": " + failure);
    }
    if (!verdict.failures().empty()) {
      ++totals.failed;
    } else if (!verdict.skipped().empty()) {
      ++skipped[verdict.skipped()];
    } else {
      ++passed;
    }
  }
  const int skipped_here = std::accumulate(
      skipped.begin(), skipped.end(), 0, [](int sum, const auto& one) { return sum + one.second; });
  totals.skipped += skipped_here;
  std::printf("%-42s %5zu cases %5d passed %5d skipped", name.c_str(), file.size(), passed,
              skipped_here);
  for (const auto& [why, count] : skipped) std::printf("  (%d: %s)", count, why.c_str());
  std::printf("%s\n", failures.empty() ? "" : "  FAILED");
  for (const std::string& failure : failures) std::printf("    %.600s\n", failure.c_str());
  ++totals.files;
  totals.cases += static_cast<int>(file.size());
  totals.passed += passed;
}

void RunFolder(const std::vector<Kind>& kinds, const fs::path& folder, Totals& totals) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) RunFile(kinds, file, totals);
}

int RunAll() {
  const std::vector<Kind> kinds = AllKinds();
  Totals totals;
  RunFolder(kinds, PARLEY_SMALL_MLS_VECTORS, totals);
  if (totals.files == 0) {
    std::printf("FAILED: our own vectors are missing\n");
    return 1;
  }
  const char* folder = std::getenv("PARLEY_MLS_VECTORS");
  const bool published = folder != nullptr && *folder != '\0';
  if (published) {
    if (!fs::is_directory(folder)) {
      std::printf("FAILED: PARLEY_MLS_VECTORS names %s, which is no folder\n", folder);
      return 1;
    }
    RunFolder(kinds, folder, totals);
  } else {
    std::printf(
        "*** SKIPPED: the working group's vectors. PARLEY_MLS_VECTORS names no folder; "
        "only our own small ones ran. ***\n");
  }
  std::printf("%d files, %d cases: %d passed, %d skipped, %d failed\n", totals.files, totals.cases,
              totals.passed, totals.skipped, totals.failed);
  if (totals.failed > 0) return 1;
  return published ? 0 : kSkipped;
}

int Make(const fs::path& folder) {
  const std::map<std::string, CipherSuiteId> files = {
      {"own-passive-suite3.json", CipherSuiteId::k0x0003},
      {"own-passive-suiteF001.json", CipherSuiteId::kParley}};
  for (const auto& [name, suite] : files) {
    std::ofstream(folder / name) << MakePassiveCases(suite).dump(1) << "\n";
  }
  return 0;
}

}  // namespace
}  // namespace parley::mls::vectors

int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == "--make") return parley::mls::vectors::Make(argv[2]);
  return parley::mls::vectors::RunAll();
}

#include "tools/parley-bench/mls_costs.h"

#include <bit>

namespace parley::bench {

std::string Describe(const Operations& operations) {
  std::string text;
  for (const auto& [name, count] : operations) {
    if (!text.empty()) text += " + ";
    text += std::to_string(count) + " " + name;
  }
  return text;
}

size_t TreeHeight(size_t members) { return static_cast<size_t>(std::bit_width(members - 1)); }

Operations ProtectCost(const std::string& size) {
  return {{"sign/" + size, 1}, {"aead_seal/" + size, 1}};
}

Operations UnprotectCost(const std::string& size) {
  return {{"verify/" + size, 1}, {"aead_open/" + size, 1}};
}

Operations KeyPackageCost() {
  return {{"sign/leaf", 2}, {"signature_keygen", 1}, {"kem_keygen", 2}};
}

Operations CreateCost(size_t members) {
  return {{"sign/leaf", 2}, {"verify/leaf", 2 * (members - 1)}, {"kem_encap", members - 1}};
}

Operations JoinCost(size_t members) { return {{"kem_decap", 1}, {"verify/leaf", members + 1}}; }

Operations CommitCost(size_t members, bool full_tree) {
  const size_t height = TreeHeight(members);
  return {{"sign/leaf", 2},
          {"kem_keygen", height + 1},
          {"kem_encap", full_tree ? height : members - 1}};
}

Operations ProcessCost(size_t members) {
  return {{"verify/leaf", 2}, {"kem_decap", 1}, {"kem_keygen", TreeHeight(members)}};
}

Operations ProcessCostWithBytes(size_t members, const std::string& size) {
  Operations cost = ProcessCost(members);
  cost["verify/leaf"] = 1;
  cost["verify/" + size] = 1;
  cost["aead_open/" + size] = 1;
  cost["hash/" + size] = 1;
  return cost;
}

}  // namespace parley::bench

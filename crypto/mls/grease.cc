#include "crypto/mls/grease.h"

#include <algorithm>
#include <utility>

#include "crypto/primitives/random.h"

namespace parley::mls {
namespace {

uint16_t RandomGrease() {
  // 0x0A0A … 0xEAEA; 0xFAFA is in the private range.
  const uint8_t high = crypto::RandomArray<1>()[0] % 15;
  const uint16_t byte = static_cast<uint16_t>(high << 4 | 0x0A);
  return static_cast<uint16_t>(byte << 8 | byte);
}

template <typename T>
void AddValue(std::vector<T>& list, uint16_t value) {
  const T grease{value};
  if (std::find(list.begin(), list.end(), grease) == list.end()) list.push_back(grease);
}

template <typename T>
void RemoveValues(std::vector<T>& list) {
  std::erase_if(list, [](T value) { return IsGrease(static_cast<uint16_t>(value)); });
}

}  // namespace

bool IsGrease(uint16_t value) {
  return value != 0xFAFA && (value & 0x0F0F) == 0x0A0A && value >> 8 == (value & 0xFF);
}

void GreaseExtensions(Extensions& extensions) {
  const ExtensionType type{RandomGrease()};
  if (FindExtension(extensions, type) != nullptr) return;
  extensions.push_back({type, crypto::RandomBytes(crypto::RandomArray<1>()[0] % 16)});
}

void GreaseLeaf(LeafNode& leaf, const Extensions& key_package_extensions) {
  Capabilities& can = leaf.capabilities;
  AddValue(can.cipher_suites, RandomGrease());
  AddValue(can.proposals, RandomGrease());
  AddValue(can.credentials, RandomGrease());
  GreaseExtensions(leaf.extensions);
  for (const Extensions* extensions : {&std::as_const(leaf.extensions), &key_package_extensions}) {
    for (const Extension& extension : *extensions) {
      const auto type = static_cast<uint16_t>(extension.type);
      if (IsGrease(type)) AddValue(can.extensions, type);
    }
  }
}

Capabilities WithoutGrease(Capabilities capabilities) {
  RemoveValues(capabilities.cipher_suites);
  RemoveValues(capabilities.extensions);
  RemoveValues(capabilities.proposals);
  RemoveValues(capabilities.credentials);
  return capabilities;
}

}  // namespace parley::mls

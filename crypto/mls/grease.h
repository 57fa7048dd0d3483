// GREASE (RFC 9420 section 13.5): values that mean nothing, sent so that receivers stay able to
// ignore what they don't know. To receivers they are unknown values like others, with one exception
// of ours: a key package's extensions needn't be listed by its leaf (VALIDATION.md).
//
// Threading: free functions without shared state.
#ifndef PARLEY_CRYPTO_MLS_GREASE_H_
#define PARLEY_CRYPTO_MLS_GREASE_H_

#include <cstdint>

#include "crypto/mls/extension.h"
#include "crypto/mls/leaf_node.h"

namespace parley::mls {

// Whether `value` is one of 0x0A0A, 0x1A1A … 0xEAEA, which every registry reserves.
bool IsGrease(uint16_t value);

// Adds a random GREASE value to each list of the leaf's capabilities but its versions, and an
// extension to the leaf that is among them, as are those of its key package (section 10). For a
// leaf that is still to be signed.
void GreaseLeaf(LeafNode& leaf, const Extensions& key_package_extensions);

// Adds an extension of a random GREASE type with random contents, unless the list has one: for key
// packages and GroupInfos. Never for a GroupContext, where it would have to be understood.
void GreaseExtensions(Extensions& extensions);

// What `capabilities` says without GREASE: with this one's own are compared with others'.
Capabilities WithoutGrease(Capabilities capabilities);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_GREASE_H_

// A tree's leaf and chores around it, as fast as this processor can.
//
// crypto/file's TreeLeaf is the definition. OpenSSL computes the same with the processor's own
// SHA-256 instructions where it has them, which is several times as fast, and a file's every byte
// passes here twice (content and ciphertext).
//
// Threading: LeafOf from any thread.
#ifndef PARLEY_CLIENT_LIB_DOCUMENTS_LEAF_HASH_H_
#define PARLEY_CLIENT_LIB_DOCUMENTS_LEAF_HASH_H_

#include "crypto/base/bytes.h"
#include "crypto/file/tree_hash.h"

namespace parley::client::internal {

// H(0x00 || piece).
crypto::TreeHash LeafOf(crypto::ByteView piece);

}  // namespace parley::client::internal

#endif  // PARLEY_CLIENT_LIB_DOCUMENTS_LEAF_HASH_H_

// The GroupContext (RFC 9420 section 8.1): what all members of an epoch agree on.
#ifndef PARLEY_CRYPTO_MLS_GROUP_CONTEXT_H_
#define PARLEY_CRYPTO_MLS_GROUP_CONTEXT_H_

#include <tuple>

#include "crypto/mls/leaf_node.h"

namespace parley::mls {

// struct {
//     ProtocolVersion version = mls10;
//     CipherSuite cipher_suite;
//     opaque group_id<V>;
//     uint64 epoch;
//     opaque tree_hash<V>;
//     opaque confirmed_transcript_hash<V>;
//     Extension extensions<V>;
// } GroupContext;
struct GroupContext {
  ProtocolVersion version = ProtocolVersion::kMls10;
  CipherSuiteId suite{};
  Bytes group_id{};
  uint64_t epoch = 0;
  Bytes tree_hash{};
  Bytes confirmed_transcript_hash{};
  Extensions extensions{};
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.suite, self.group_id, self.epoch, self.tree_hash,
                    self.confirmed_transcript_hash, self.extensions);
  }
  friend bool operator==(const GroupContext&, const GroupContext&) = default;
};

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_GROUP_CONTEXT_H_

// Groups of given sizes, ready to be measured.
#ifndef PARLEY_TOOLS_PARLEY_BENCH_MLS_GROUPS_H_
#define PARLEY_TOOLS_PARLEY_BENCH_MLS_GROUPS_H_

#include <cstddef>
#include <vector>

#include "crypto/mls/group.h"

namespace parley::bench {

// Two members of one epoch of a group, side by side at the tree's edge, so that processing the
// one's commit costs the other as much as any member.
struct TwoMembers {
  mls::Group committer;
  mls::Group receiver;
};

// What it takes to create a group of `members` in one commit.
struct Founding {
  mls::Group founder;  // alone
  std::vector<crypto::Bytes> key_packages;
  crypto::Secret joiner_bundle;  // of the first key package, serialized
};

mls::KeyPackageBundle NewKeyPackage(mls::CipherSuiteId suite);
Founding PrepareFounding(mls::CipherSuiteId suite, size_t members);

// Everybody was added in one commit: all parent nodes are blank.
TwoMembers BlankTree(mls::CipherSuiteId suite, size_t members);
// Everybody joined by an external commit with a path: no parent node is blank.
TwoMembers FullTree(mls::CipherSuiteId suite, size_t members);

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_MLS_GROUPS_H_

// The public-key operations and encryptions that MLS can't do without, counted for each step. The
// time that they take by themselves, in the same run, is the baseline of the step.
#ifndef PARLEY_TOOLS_PARLEY_BENCH_MLS_COSTS_H_
#define PARLEY_TOOLS_PARLEY_BENCH_MLS_COSTS_H_

#include <cstddef>
#include <map>
#include <string>

namespace parley::bench {

// How often each primitive, by its name: "sign/leaf", "verify/1KiB", "signature_keygen",
// "kem_keygen", "kem_encap", "kem_decap", "aead_seal/1KiB", "aead_open/64KiB", "hash/11108B" and
// the like.
using Operations = std::map<std::string, size_t>;

// "1 kem_decap + 2 verify/leaf"
std::string Describe(const Operations& operations);

// Height of the tree of so many members: nodes of a full path.
size_t TreeHeight(size_t members);

Operations ProtectCost(const std::string& size);
Operations UnprotectCost(const std::string& size);
Operations KeyPackageCost();
// One's own commit that adds all others: of each, two signatures are verified (key package, leaf)
// and a secret is encapsulated; the commit and the GroupInfo are signed.
Operations CreateCost(size_t members);
// The secret is decapsulated, the GroupInfo and every leaf are verified.
Operations JoinCost(size_t members);
// Commit and leaf are signed; a key pair for each node of the path is derived; a secret is
// encapsulated for every other member (blank tree) or for each node beside the path (full tree).
Operations CommitCost(size_t members, bool full_tree);
// Message and leaf are verified, one secret is decapsulated, the public keys that it gives from the
// common ancestor up are compared.
Operations ProcessCost(size_t members);
// The same with what the message's own bytes cost, which grow with the tree: the message is
// decrypted, verified and hashed into the transcript at its real size. `size` names the
// primitives'.
Operations ProcessCostWithBytes(size_t members, const std::string& size);

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_MLS_COSTS_H_

// Commits (RFC 9420 section 12.4): a list of proposals that take effect, and new keys along the
// committer's path.
#ifndef PARLEY_CRYPTO_MLS_COMMIT_H_
#define PARLEY_CRYPTO_MLS_COMMIT_H_

#include <optional>
#include <tuple>
#include <variant>
#include <vector>

#include "crypto/mls/proposal.h"
#include "crypto/mls/suite_crypto.h"
#include "crypto/mls/tree_math.h"

namespace parley::mls {

// What no commit has more of, and no name of a proposal less. Refused while a commit is read, which
// is before anybody has vouched for it.
inline constexpr size_t kMaxProposals =
    size_t{2} * kMaxLeaves;                        // each leaf goes, and another comes
inline constexpr size_t kMaxPathNodes = 16;        // the height of the highest tree
inline constexpr size_t kMinProposalRefSize = 32;  // the shortest hash of any suite

// struct {
//     HPKEPublicKey encryption_key;
//     HPKECiphertext encrypted_path_secret<V>;
// } UpdatePathNode;
struct UpdatePathNode {
  Bytes encryption_key;
  std::vector<HpkeCiphertext> encrypted_path_secret;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.encryption_key, self.encrypted_path_secret);
  }
  friend bool operator==(const UpdatePathNode&, const UpdatePathNode&) = default;
};

// struct {
//     LeafNode leaf_node;
//     UpdatePathNode nodes<V>;
// } UpdatePath;
struct UpdatePath {
  LeafNode leaf_node;
  std::vector<UpdatePathNode> nodes;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.leaf_node, self.nodes);
  }
  friend bool operator==(const UpdatePath&, const UpdatePath&) = default;
};

// enum { reserved(0), proposal(1), reference(2), (255) } ProposalOrRefType;
// struct {
//     ProposalOrRefType type;
//     select (ProposalOrRef.type) {
//         case proposal:  Proposal proposal;
//         case reference: ProposalRef reference;
//     };
// } ProposalOrRef;
struct ProposalOrRef {
  std::variant<Proposal, ProposalRef> body;
  friend bool operator==(const ProposalOrRef&, const ProposalOrRef&) = default;
};

void Encode(crypto::Writer& w, const ProposalOrRef& proposal);
// Errors: InvalidArgument also for a reference shorter than kMinProposalRefSize.
absl::Status Decode(crypto::Reader& r, ProposalOrRef& proposal);
// Errors: InvalidArgument also for more than kMaxProposals, kMaxPathNodes or kMaxLeaves of them.
absl::Status Decode(crypto::Reader& r, std::vector<ProposalOrRef>& proposals);
absl::Status Decode(crypto::Reader& r, std::vector<UpdatePathNode>& nodes);
absl::Status Decode(crypto::Reader& r, std::vector<HpkeCiphertext>& ciphertexts);

// struct {
//     ProposalOrRef proposals<V>;
//     optional<UpdatePath> path;
// } Commit;
struct Commit {
  std::vector<ProposalOrRef> proposals;
  std::optional<UpdatePath> path;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.proposals, self.path);
  }
  friend bool operator==(const Commit&, const Commit&) = default;
};

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_COMMIT_H_

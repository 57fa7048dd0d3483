// What an application adds to the checks of a leaf (RFC 9420 sections 5.3.1, 7.2 and 7.3): a judge
// of credentials, a clock, a longest lifetime.
//
//   class Directory : public CredentialJudge { ... };
//   group.PrepareCommit({.adds = {key_package},
//                        .checks = {.judge = &directory, .now_seconds = clock.Now()}});
//   group.Process(message, {.checks = {.judge = &directory}});   // no clock: see below
//
// The RFC calls who judges the Authentication Service. Without a judge every credential passes; the
// caller can then look at StagedCommit::changes() before it accepts a commit. Nothing here may
// depend on what other members don't know, or they will disagree about which commits are valid: a
// clock is for who sends, a judge must judge alike everywhere.
//
// Threading: a judge is called from the thread that called the Group.
#ifndef PARLEY_CRYPTO_MLS_LEAF_CHECKS_H_
#define PARLEY_CRYPTO_MLS_LEAF_CHECKS_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "crypto/mls/leaf_node.h"

namespace parley::mls {

class CredentialJudge {
 public:
  virtual ~CredentialJudge() = default;

  // Whether `credential` is genuine and belongs to the owner of `signature_key`: for X.509, also
  // that the end entity's certificate is of that very key. Asked for every leaf and external sender
  // that comes into the group, and for every leaf of a group that is joined.
  // Any error refuses; PermissionDenied says it best.
  virtual absl::Status Judge(const Credential& credential, ByteView signature_key) const = 0;

  // Whether the owner of `before` may present `after` instead, in an Update, a commit's path or a
  // resync. By default only when they are the same client.
  virtual absl::Status JudgeSuccessor(const Credential& before, const Credential& after) const;

  // The client that a credential presents, as bytes that are equal for the same client only: no
  // group has a client twice (section 12.2), and who continues a group must be its members
  // (sections 11.2 and 11.3). By default the credential itself.
  virtual Bytes ClientOf(const Credential& credential) const;
};

struct LeafChecks {
  const CredentialJudge* judge = nullptr;
  // Seconds since 1970; without it lifetimes aren't compared with any time.
  std::optional<uint64_t> now_seconds{};
  // Section 7.2: "Applications MUST define a maximum total lifetime that is acceptable for a
  // LeafNode".
  uint64_t max_lifetime_seconds = UINT64_MAX;
};

// Of a leaf that comes into the group, or is in a group that is joined.
// Errors: InvalidArgument for a lifetime; what the judge says.
absl::Status CheckLeaf(const LeafChecks& checks, const LeafNode& leaf);

// The same, and that it may take the place of `before`.
absl::Status CheckReplacement(const LeafChecks& checks, const LeafNode& before,
                              const LeafNode& after);

// Of the senders that an external_senders extension among `extensions` admits.
// Errors: InvalidArgument for one that can't be read; what the judge says.
absl::Status CheckExternalSenders(const LeafChecks& checks, const Extensions& extensions);

// ClientOf the judge; the credential itself without one.
Bytes ClientOf(const LeafChecks& checks, const LeafNode& leaf);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_LEAF_CHECKS_H_

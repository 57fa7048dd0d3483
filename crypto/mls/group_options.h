// What the callers of a Group give: settings of a new group, proposals and commits to make, and
// what the application adds to the RFC's own checks. Every field has a default.
//
// Pointers in these structures are borrowed for the call.
#ifndef PARLEY_CRYPTO_MLS_GROUP_OPTIONS_H_
#define PARLEY_CRYPTO_MLS_GROUP_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "crypto/mls/ciphersuite.h"
#include "crypto/mls/key_package.h"
#include "crypto/mls/leaf_checks.h"
#include "crypto/mls/proposal.h"
#include "crypto/mls/psk.h"

namespace parley::mls {

class Group;

struct GroupOptions {
  CipherSuiteId suite = CipherSuiteId::kParley;
  Bytes group_id{};     // random, by the caller
  Bytes identity{};     // own basic credential; the signature key is made inside
  Lifetime lifetime{};  // of the creator's leaf (section 7.2), by default without end
  std::optional<Capabilities> capabilities{};  // by default Capabilities::Default(suite)
  Extensions leaf_extensions{};
  Extensions extensions{};  // of the GroupContext
  // Another credential than a basic one, and the key that it speaks of.
  std::optional<Credential> credential{};
  const crypto::SignatureKey* signature_key = nullptr;
  bool grease = false;  // see KeyPackageOptions
};

struct JoinOptions {
  PskLookup psks{};                     // external PSKs and other groups' resumption secrets
  std::optional<Bytes> ratchet_tree{};  // when the Welcome or GroupInfo carries none
  LeafChecks checks{};                  // of every leaf in the tree
  // The group that the Welcome must say it continues (sections 11.2 and 11.3): it gives the secret,
  // and is compared with the new group. Where it is null, a Welcome that says so is refused.
  const Group* continues = nullptr;
  // Section 12.4.3: whether the client is in a group of this id already.
  std::function<bool(ByteView group_id)> in_use{};
};

struct ProcessOptions {
  PskLookup psks{};
  LeafChecks checks{};  // of every leaf that a message brings
};

// Joining by external commit, beyond what the GroupInfo needs to be believed.
struct ExternalJoinOptions {
  JoinOptions join{};
  // "Resync": the own old leaf, which goes in the same commit.
  std::optional<LeafIndex> replaces{};
  std::vector<PreSharedKeyId> psks{};  // their secrets are looked up in join.psks
  Bytes authenticated_data{};
};

// New material for an own leaf. By default the keys are renewed but the signature key.
struct LeafRenewal {
  bool new_signature_key = false;
  std::optional<Extensions> leaf_extensions{};
  std::optional<Bytes> identity{};
  // Instead of `identity` and `new_signature_key`, for credentials that are not basic ones.
  std::optional<Credential> credential{};
  const crypto::SignatureKey* signature_key = nullptr;
  const Capabilities* capabilities = nullptr;
};

// How a proposal travels.
struct SendOptions {
  bool public_message = false;  // a PublicMessage instead of a PrivateMessage
  Bytes authenticated_data{};
  size_t padding = 0;  // zero bytes added inside the encryption
};

enum class ProposalsToInclude { kAll, kNone, kListed };

struct CommitOptions {
  // By value, made by this commit:
  std::vector<Bytes> adds{};  // key packages as MLSMessages
  std::vector<LeafIndex> removes{};
  std::optional<Extensions> extensions{};  // replaces those of the GroupContext
  std::vector<Psk> psks{};
  // By reference, of the pending ones. With kAll those that can't go together with the others or
  // that are no longer valid are left out silently (a Remove wins over an Update of the same leaf,
  // the later Update over the earlier one, own Updates are left out); with kListed a listed one
  // that can't is an error. A ReInit that is alone is taken by kAll too, as section 12.2 has it,
  // and ends the group: where members or external senders may not do that, list what is committed.
  ProposalsToInclude include = ProposalsToInclude::kAll;
  std::vector<ProposalRef> listed{};

  bool force_path = false;      // a path even where the proposals don't need one
  LeafRenewal renewal{};        // used when there is a path
  bool public_message = false;  // a PublicMessage instead of a PrivateMessage
  bool tree_in_welcome = true;  // the ratchet_tree extension
  bool external_pub_in_group_info = false;
  Bytes authenticated_data{};
  size_t padding = 0;  // zero bytes added inside the encryption
  Extensions group_info_extensions{};
  PskLookup psk_lookup{};  // for PSK proposals by reference

  // The group's end, by value: with nothing else, see Group::Reinitialize.
  std::optional<ReInit> reinit{};
  // Of leaves that come in; pending proposals that don't pass are left out by kAll. Section 7.3
  // wants it of senders that they look at the lifetimes of those whom they add: give them a clock.
  LeafChecks checks{};
  bool grease = false;  // an extension without meaning in the GroupInfo (section 13.5)
};

// How a group is made that continues another (sections 11.2 and 11.3), for Group::Branch and
// Group::Reinitialize.
struct ContinuationOptions {
  // The own leaf; for a branch also the new group's id and extensions. `suite` is ignored.
  GroupOptions group{};
  std::vector<Bytes> adds{};  // fresh key packages of the others, as MLSMessages
  bool force_path = false;
  bool tree_in_welcome = true;
  LeafChecks checks{};
};

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_GROUP_OPTIONS_H_

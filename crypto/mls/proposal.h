// Proposals (RFC 9420 section 12.1): changes to a group that somebody asks for.
#ifndef PARLEY_CRYPTO_MLS_PROPOSAL_H_
#define PARLEY_CRYPTO_MLS_PROPOSAL_H_

#include <cstdint>
#include <tuple>
#include <variant>

#include "crypto/mls/boxed.h"
#include "crypto/mls/key_package.h"
#include "crypto/mls/psk.h"

namespace parley::mls {

// struct { KeyPackage key_package; } Add;
//
// Boxed, as is an Update's leaf, so that the many small proposals of a long commit stay small.
struct Add {
  Boxed<KeyPackage> key_package;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.key_package);
  }
  friend bool operator==(const Add&, const Add&) = default;
};

// struct { LeafNode leaf_node; } Update;
struct Update {
  Boxed<LeafNode> leaf_node;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.leaf_node);
  }
  friend bool operator==(const Update&, const Update&) = default;
};

// struct { uint32 removed; } Remove;
struct Remove {
  LeafIndex removed;
  friend bool operator==(const Remove&, const Remove&) = default;
};

// struct { PreSharedKeyID psk; } PreSharedKey;
struct PreSharedKey {
  PreSharedKeyId psk;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.psk);
  }
  friend bool operator==(const PreSharedKey&, const PreSharedKey&) = default;
};

// struct {
//     opaque group_id<V>;
//     ProtocolVersion version;
//     CipherSuite cipher_suite;
//     Extension extensions<V>;
// } ReInit;
struct ReInit {
  Bytes group_id{};
  ProtocolVersion version = ProtocolVersion::kMls10;
  CipherSuiteId suite{};
  Extensions extensions{};
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.group_id, self.version, self.suite, self.extensions);
  }
  friend bool operator==(const ReInit&, const ReInit&) = default;
};

// struct { opaque kem_output<V>; } ExternalInit;
struct ExternalInit {
  Bytes kem_output;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.kem_output);
  }
  friend bool operator==(const ExternalInit&, const ExternalInit&) = default;
};

// struct { Extension extensions<V>; } GroupContextExtensions;
struct GroupContextExtensions {
  Extensions extensions;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.extensions);
  }
  friend bool operator==(const GroupContextExtensions&, const GroupContextExtensions&) = default;
};

// struct {
//     ProposalType proposal_type;
//     select (Proposal.proposal_type) {
//         case add:                      Add;
//         case update:                   Update;
//         case remove:                   Remove;
//         case psk:                      PreSharedKey;
//         case reinit:                   ReInit;
//         case external_init:            ExternalInit;
//         case group_context_extensions: GroupContextExtensions;
//     };
// } Proposal;
struct Proposal {
  std::variant<Add, Update, Remove, PreSharedKey, ReInit, ExternalInit, GroupContextExtensions>
      body;

  ProposalType type() const { return static_cast<ProposalType>(body.index() + 1); }
  friend bool operator==(const Proposal&, const Proposal&) = default;
};

void Encode(crypto::Writer& w, const Remove& remove);
absl::Status Decode(crypto::Reader& r, Remove& remove);
void Encode(crypto::Writer& w, const Proposal& proposal);
// Errors: InvalidArgument for a type that this library doesn't know, whose end can't be found.
absl::Status Decode(crypto::Reader& r, Proposal& proposal);

// enum { reserved(0), member(1), external(2), new_member_proposal(3), new_member_commit(4), (255) }
// SenderType;
enum class SenderType : uint8_t {
  kMember = 1,
  kExternal = 2,
  kNewMemberProposal = 3,
  kNewMemberCommit = 4,
};

// struct {
//     SenderType sender_type;
//     select (Sender.sender_type) {
//         case member:              uint32 leaf_index;
//         case external:            uint32 sender_index;
//         case new_member_commit:
//         case new_member_proposal: struct{};
//     };
// } Sender;
struct Sender {
  SenderType type = SenderType::kMember;
  uint32_t index = 0;  // of a member's leaf, or in the external_senders extension

  static Sender Member(LeafIndex leaf) { return {SenderType::kMember, leaf.value}; }
  bool IsMember() const { return type == SenderType::kMember; }
  LeafIndex leaf() const { return LeafIndex(index); }
  friend bool operator==(const Sender&, const Sender&) = default;
};

void Encode(crypto::Writer& w, const Sender& sender);
absl::Status Decode(crypto::Reader& r, Sender& sender);

// Section 5.2: RefHash("MLS 1.0 Proposal Reference", AuthenticatedContent); names a proposal in a
// commit.
using ProposalRef = Bytes;

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_PROPOSAL_H_

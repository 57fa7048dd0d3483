// Proposals from the words of the working group's interface.
//
// Threading: free functions without shared state.
#ifndef PARLEY_TOOLS_PARLEY_MLS_INTEROP_PROPOSALS_H_
#define PARLEY_TOOLS_PARLEY_MLS_INTEROP_PROPOSALS_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "crypto/mls/proposal.h"
#include "parley/interop/mls_client.pb.h"
#include "tools/parley-mls-interop/member.h"

namespace parley::interop {

using ProtoExtensions = google::protobuf::RepeatedPtrField<mls_client::Extension>;

// The group that a proposal is for.
struct ProposalTarget {
  mls::CipherSuiteId suite{};
  Bytes group_id{};
  std::function<absl::StatusOr<mls::LeafIndex>(ByteView identity)> find_member{};

  // Valid as long as `member` is and its group stays in this epoch.
  static ProposalTarget Of(const Member& member);
};

// Errors: InvalidArgument for a number of more than 16 bits, here and below.
absl::StatusOr<mls::Extensions> ReadExtensions(const ProtoExtensions& extensions);
// Errors: InvalidArgument for a suite that isn't one of ours.
absl::StatusOr<mls::CipherSuiteId> ReadSuite(uint32_t number);

absl::StatusOr<mls::Proposal> AddOf(const std::string& key_package);
absl::StatusOr<mls::Proposal> RemoveOf(const ProposalTarget& target, const std::string& identity);
absl::StatusOr<mls::Proposal> ExternalPskOf(const ProposalTarget& target,
                                            const std::string& psk_id);
absl::StatusOr<mls::Proposal> ResumptionPskOf(const ProposalTarget& target, uint64_t epoch);
absl::StatusOr<mls::Proposal> ExtensionsOf(const ProtoExtensions& extensions);
absl::StatusOr<mls::Proposal> ReInitOf(const std::string& group_id, uint32_t suite,
                                       const ProtoExtensions& extensions);

// Errors: InvalidArgument for an unknown type, or fields that don't fit; NotFound for a member.
absl::StatusOr<mls::Proposal> ProposalOf(const ProposalTarget& target,
                                         const mls_client::ProposalDescription& description);

}  // namespace parley::interop

#endif  // PARLEY_TOOLS_PARLEY_MLS_INTEROP_PROPOSALS_H_

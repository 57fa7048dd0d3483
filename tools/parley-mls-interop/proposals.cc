#include "tools/parley-mls-interop/proposals.h"

#include <utility>

#include "crypto/base/status_macros.h"

namespace parley::interop {

using crypto::ToBytes;
using crypto::ViewOf;

ProposalTarget ProposalTarget::Of(const Member& member) {
  return {.suite = member.group().suite(),
          .group_id = member.group().group_id(),
          .find_member = [&member](ByteView identity) { return member.FindMember(identity); }};
}

absl::StatusOr<mls::Extensions> ReadExtensions(const ProtoExtensions& extensions) {
  mls::Extensions read;
  for (const mls_client::Extension& extension : extensions) {
    if (extension.extension_type() > UINT16_MAX) {
      return absl::InvalidArgumentError("an extension's type has 16 bits");
    }
    read.push_back({static_cast<mls::ExtensionType>(extension.extension_type()),
                    ToBytes(extension.extension_data())});
  }
  return read;
}

absl::StatusOr<mls::CipherSuiteId> ReadSuite(uint32_t number) {
  const auto suite = static_cast<mls::CipherSuiteId>(number);
  if (number > UINT16_MAX || !mls::FindCipherSuite(suite).ok()) {
    return absl::InvalidArgumentError("there is no cipher suite " + std::to_string(number) +
                                      " here: SupportedCiphersuites says which there are");
  }
  return suite;
}

absl::StatusOr<mls::Proposal> AddOf(const std::string& key_package) {
  PARLEY_ASSIGN_OR_RETURN(mls::KeyPackage parsed, mls::ParseKeyPackageMessage(ViewOf(key_package)));
  return mls::Proposal{mls::Add{std::move(parsed)}};
}

absl::StatusOr<mls::Proposal> RemoveOf(const ProposalTarget& target, const std::string& identity) {
  PARLEY_ASSIGN_OR_RETURN(const mls::LeafIndex leaf, target.find_member(ViewOf(identity)));
  return mls::Proposal{mls::Remove{leaf}};
}

absl::StatusOr<mls::Proposal> ExternalPskOf(const ProposalTarget& target,
                                            const std::string& psk_id) {
  PARLEY_ASSIGN_OR_RETURN(const mls::CipherSuite* suite, mls::FindCipherSuite(target.suite));
  return mls::Proposal{mls::PreSharedKey{mls::PreSharedKeyId::External(*suite, ToBytes(psk_id))}};
}

absl::StatusOr<mls::Proposal> ResumptionPskOf(const ProposalTarget& target, uint64_t epoch) {
  PARLEY_ASSIGN_OR_RETURN(const mls::CipherSuite* suite, mls::FindCipherSuite(target.suite));
  // For its nonce.
  mls::PreSharedKeyId id = mls::PreSharedKeyId::External(*suite, {});
  id.type = mls::PskType::kResumption;
  id.usage = mls::ResumptionPskUsage::kApplication;
  id.psk_group_id = target.group_id;
  id.psk_epoch = epoch;
  return mls::Proposal{mls::PreSharedKey{std::move(id)}};
}

absl::StatusOr<mls::Proposal> ExtensionsOf(const ProtoExtensions& extensions) {
  PARLEY_ASSIGN_OR_RETURN(mls::Extensions read, ReadExtensions(extensions));
  return mls::Proposal{mls::GroupContextExtensions{std::move(read)}};
}

absl::StatusOr<mls::Proposal> ReInitOf(const std::string& group_id, uint32_t suite,
                                       const ProtoExtensions& extensions) {
  mls::ReInit reinit{.group_id = ToBytes(group_id)};
  PARLEY_ASSIGN_OR_RETURN(reinit.suite, ReadSuite(suite));
  PARLEY_ASSIGN_OR_RETURN(reinit.extensions, ReadExtensions(extensions));
  return mls::Proposal{std::move(reinit)};
}

absl::StatusOr<mls::Proposal> ProposalOf(const ProposalTarget& target,
                                         const mls_client::ProposalDescription& description) {
  const std::string& type = description.proposal_type();
  if (type == "add") return AddOf(description.key_package());
  if (type == "remove") return RemoveOf(target, description.removed_id());
  if (type == "externalPSK") return ExternalPskOf(target, description.psk_id());
  if (type == "resumptionPSK") return ResumptionPskOf(target, description.epoch_id());
  if (type == "groupContextExtensions") return ExtensionsOf(description.extensions());
  if (type == "reinit") {
    return ReInitOf(description.group_id(), description.cipher_suite(), description.extensions());
  }
  return absl::InvalidArgumentError("there is no proposal type \"" + type + "\"");
}

}  // namespace parley::interop

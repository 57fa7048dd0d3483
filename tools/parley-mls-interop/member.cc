#include "tools/parley-mls-interop/member.h"

#include <utility>

#include "crypto/base/status_macros.h"
#include "tools/parley-mls-interop/clock.h"

namespace parley::interop {
namespace {

template <typename... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <typename... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;  // clang 16 wants to be told

// Takes messages with proposals into `group`, and gives their references.
absl::StatusOr<std::vector<mls::ProposalRef>> TakeProposals(
    mls::Group& group, std::map<Bytes, mls::ProposalRef>& known,
    const std::vector<Bytes>& messages) {
  std::vector<mls::ProposalRef> refs;
  for (const Bytes& message : messages) {
    auto found = known.find(message);
    if (found == known.end()) {
      PARLEY_ASSIGN_OR_RETURN(const mls::Received received, group.Process(message));
      const auto* proposal = std::get_if<mls::ReceivedProposal>(&received);
      if (proposal == nullptr) {
        return absl::InvalidArgumentError("a message that is no other's proposal");
      }
      found = known.emplace(message, proposal->proposal.ref).first;
    }
    refs.push_back(found->second);
  }
  return refs;
}

absl::Status CheckEnd(const mls::Group& next, bool ends_group) {
  if ((next.ended_by() != nullptr) == ends_group) return absl::OkStatus();
  return absl::InvalidArgumentError(ends_group ? "this commit has no ReInit"
                                               : "this commit ends the group by a ReInit");
}

}  // namespace

Member::Member(mls::Group group, MemberSettings settings, PskStore psks)
    : group_(std::move(group)), settings_(std::move(settings)), psks_(std::move(psks)) {}

absl::StatusOr<mls::LeafIndex> Member::FindMember(ByteView identity) const {
  for (const mls::Member& member : group_.members()) {
    if (crypto::PublicEquals(member.credential.identity, identity)) return member.leaf;
  }
  return absl::NotFoundError("nobody in the group has this identity");
}

// ---- Proposals --------------------------------------------------------------------------------

absl::StatusOr<Bytes> Member::Propose(const mls::Proposal& proposal) {
  PARLEY_ASSIGN_OR_RETURN(Bytes message,
                          group_.Propose(proposal, Wire(), {.now_seconds = NowSeconds()}));
  // Not always the last one: the same proposal, made again, stays where it was.
  for (const mls::PendingProposal& pending : group_.pending_proposals()) {
    if (pending.sender == mls::Sender::Member(group_.own_leaf()) && pending.proposal == proposal) {
      known_.insert_or_assign(message, pending.ref);
    }
  }
  return message;
}

absl::StatusOr<Bytes> Member::ProposeUpdate() {
  PARLEY_ASSIGN_OR_RETURN(Bytes message, group_.ProposeUpdate({}, Wire()));
  known_.emplace(message, group_.pending_proposals().back().ref);
  return message;
}

// ---- Commits ----------------------------------------------------------------------------------

absl::StatusOr<Secret> Member::SecretOf(const mls::PreSharedKeyId& id) const {
  if (std::optional<Secret> secret = psks_.Find(id)) return std::move(*secret);
  if (id.type == mls::PskType::kResumption && id.psk_group_id == group_.group_id()) {
    if (id.psk_epoch == group_.epoch()) return group_.ResumptionPsk();
    const auto past = past_.find(id.psk_epoch);
    if (past != past_.end()) return past->second.ResumptionPsk();
  }
  return absl::NotFoundError("this client doesn't have the pre-shared key to commit");
}

absl::StatusOr<mls::CommitOptions> Member::OptionsFor(const CommitContents& contents) const {
  mls::CommitOptions options;
  options.include = mls::ProposalsToInclude::kListed;
  options.force_path = contents.force_path;
  options.public_message = !settings_.encrypt_handshake;
  options.tree_in_welcome = contents.tree_in_welcome;
  options.checks.now_seconds = NowSeconds();
  options.psk_lookup = psks_.Lookup();
  const Overloaded add_to_options{
      [&](const mls::Add& add) {
        options.adds.push_back(mls::SerializeKeyPackageMessage(*add.key_package));
        return absl::OkStatus();
      },
      [&](const mls::Remove& remove) {
        options.removes.push_back(remove.removed);
        return absl::OkStatus();
      },
      [&](const mls::PreSharedKey& psk) {
        PARLEY_ASSIGN_OR_RETURN(Secret secret, SecretOf(psk.psk));
        options.psks.push_back({psk.psk, std::move(secret)});
        return absl::OkStatus();
      },
      [&](const mls::GroupContextExtensions& wanted) {
        if (options.extensions.has_value()) {
          return absl::InvalidArgumentError("a commit can set the group's extensions only once");
        }
        options.extensions = wanted.extensions;
        return absl::OkStatus();
      },
      [&](const mls::ReInit& reinit) {
        options.reinit = reinit;
        return absl::OkStatus();
      },
      [](const auto&) {
        return absl::InvalidArgumentError("a proposal that can't be committed by value");
      }};
  for (const mls::Proposal& proposal : contents.by_value) {
    PARLEY_RETURN_IF_ERROR(std::visit(add_to_options, proposal.body));
  }
  return options;
}

absl::StatusOr<const mls::PreparedCommit*> Member::Commit(const CommitContents& contents) {
  PARLEY_ASSIGN_OR_RETURN(mls::CommitOptions options, OptionsFor(contents));
  mls::Group group = group_.Clone();
  KnownProposals known = known_;
  PARLEY_ASSIGN_OR_RETURN(options.listed, TakeProposals(group, known, contents.by_reference));
  PARLEY_ASSIGN_OR_RETURN(mls::PreparedCommit commit, group.PrepareCommit(options));
  PARLEY_RETURN_IF_ERROR(CheckEnd(commit.next, contents.ends_group));
  group_ = std::move(group);
  known_ = std::move(known);
  pending_commit_ = std::move(commit);
  return &*pending_commit_;
}

absl::Status Member::HandlePendingCommit(bool ends_group) {
  if (!pending_commit_.has_value()) {
    return absl::FailedPreconditionError("no commit of this client is waiting");
  }
  PARLEY_RETURN_IF_ERROR(CheckEnd(pending_commit_->next, ends_group));
  EnterEpoch(std::move(pending_commit_->next));
  return absl::OkStatus();
}

absl::Status Member::HandleCommit(const std::vector<Bytes>& proposals, const Bytes& commit,
                                  bool ends_group) {
  if (pending_commit_.has_value() && pending_commit_->message == commit) {
    return HandlePendingCommit(ends_group);
  }
  mls::Group group = group_.Clone();
  KnownProposals known = known_;
  PARLEY_RETURN_IF_ERROR(TakeProposals(group, known, proposals).status());
  PARLEY_ASSIGN_OR_RETURN(mls::Received received, group.Process(commit, {.psks = psks_.Lookup()}));
  auto* staged = std::get_if<mls::StagedCommit>(&received);
  if (staged == nullptr) return absl::InvalidArgumentError("a message that is no other's commit");
  PARLEY_ASSIGN_OR_RETURN(mls::Group next, std::move(*staged).Next());
  PARLEY_RETURN_IF_ERROR(CheckEnd(next, ends_group));
  group_ = std::move(group);
  EnterEpoch(std::move(next));
  return absl::OkStatus();
}

void Member::EnterEpoch(mls::Group next) {
  known_.clear();
  pending_commit_.reset();
  const uint64_t epoch = group_.epoch();
  past_.insert_or_assign(epoch, std::exchange(group_, std::move(next)));
  if (past_.size() > kKeptEpochs) past_.erase(past_.begin());
}

// ---- Messages ---------------------------------------------------------------------------------

absl::StatusOr<Bytes> Member::Protect(ByteView plaintext, ByteView authenticated_data) {
  return group_.Protect(plaintext, authenticated_data);
}

absl::StatusOr<mls::ApplicationMessage> Member::Unprotect(ByteView ciphertext) {
  PARLEY_ASSIGN_OR_RETURN(const mls::MessageHead head, mls::PeekMessage(ciphertext));
  if (head.wire_format != mls::WireFormat::kPrivateMessage ||
      head.content_type != mls::ContentType::kApplication) {
    return absl::InvalidArgumentError("this is not an application message");
  }
  const auto past = past_.find(head.epoch);
  mls::Group& group = past == past_.end() ? group_ : past->second;
  PARLEY_ASSIGN_OR_RETURN(mls::Received received, group.Process(ciphertext));
  if (auto* message = std::get_if<mls::ApplicationMessage>(&received)) return std::move(*message);
  return absl::InvalidArgumentError("this message is one's own");
}

}  // namespace parley::interop

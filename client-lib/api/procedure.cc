// The procedure: Profile::Impl's part for it, and the public names.
#include "parley/procedure.h"

#include <algorithm>

#include "client-lib/api/procedure_view.h"
#include "client-lib/api/profile_impl.h"
#include "client-lib/cases/procedure_gate.h"
#include "client-lib/content/utf8.h"
#include "client-lib/procedure/agreement.h"
#include "client-lib/procedure/procedure_table.h"

namespace parley {
namespace {

using client::CaseContext;
using client::CaseProcedure;
using client::LoadedProcedure;
using client::ReadTransaction;
using client::Transaction;

constexpr size_t kMostWords = 4 * 1024;

// Does one thing in a transaction.
template <typename Deed>
absl::Status InStep(const CaseContext& context, Deed deed) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_RETURN_IF_ERROR(deed(step));
  return step.Commit();
}

bool HasCallOfItsOwn(CaseAct act) {
  return act == CaseAct::kUnknown || act == CaseAct::kOpen || act == CaseAct::kListParticipants ||
         act == CaseAct::kProposeAgreement || act == CaseAct::kSign ||
         act == CaseAct::kReportDestruction;
}

}  // namespace

absl::StatusOr<CaseProgress> Profile::Impl::Progress(const CaseId& id) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  return client::ViewProgress(read, LocalContext(id));
}

absl::Status Profile::Impl::MayAct(const CaseId& id, const content::v1::Content& content) {
  const CaseContext context = LocalContext(id);
  PARLEY_ASSIGN_OR_RETURN(Transaction step, store_->Begin());
  return client::QueueAct(step, context, content).status();  // and it isn't committed
}

absl::StatusOr<MessageId> Profile::Impl::Act(const CaseId& id, CaseAct act, std::string_view words,
                                             const MessageId& about) {
  if (HasCallOfItsOwn(act)) {
    return absl::InvalidArgumentError(
        std::string("\"") + client::NameOf(act) +
        "\" isn't done like this: agreements are proposed and signed by calls of their own (parley "
        "case agreement), the rest programs do by themselves");
  }
  if (words.size() > kMostWords || !client::IsWellFormedUtf8(words)) {
    return absl::InvalidArgumentError("the words are no text in UTF-8 of at most 4 KiB");
  }
  content::v1::Content content;
  content.mutable_case_act()->set_act(static_cast<uint32_t>(act));
  content.mutable_case_act()->set_words(std::string(words));
  if (!about.is_zero()) content.mutable_case_act()->set_about(client::ToField(about));
  if (act == CaseAct::kStartSigning || act == CaseAct::kConfirmSettlement) {
    PARLEY_ASSIGN_OR_RETURN(const client::DocumentHash settlement, SettlementOf(id, act, about));
    content.mutable_case_act()->set_settlement_hash(crypto::ToString(settlement));
  }
  // Who asks others to destroy has done so before; what can't be done, the act must not say.
  if (act == CaseAct::kDestroy) {
    PARLEY_RETURN_IF_ERROR(MayAct(id, content));
    PARLEY_ASSIGN_OR_RETURN(const CaseRetention kept, RecordsKept(id));
    if (kept.agreed) PARLEY_RETURN_IF_ERROR(DestroyRecords(id).status());
  }
  MessageId record;
  PARLEY_RETURN_IF_ERROR(Decide(id, [&](const CaseContext& context) {
    return InStep(context, [&](Transaction& step) -> absl::Status {
      PARLEY_ASSIGN_OR_RETURN(record, client::QueueAct(step, context, content));
      return absl::OkStatus();
    });
  }));
  return record;
}

absl::StatusOr<std::string> Profile::Impl::ProposeAgreement(const CaseId& id, std::string_view text,
                                                            std::string_view policy) {
  PARLEY_RETURN_IF_ERROR(client::CheckAgreement(text, policy));
  content::v1::Content content;
  content.mutable_agreement_proposal()->set_text(std::string(text));
  content.mutable_agreement_proposal()->set_policy(std::string(policy));
  PARLEY_RETURN_IF_ERROR(Decide(id, [&](const CaseContext& context) {
    return InStep(context, [&](Transaction& step) {
      return client::QueueAct(step, context, content).status();
    });
  }));
  return crypto::ToHex(client::AgreementHash(id, text, policy));
}

absl::Status Profile::Impl::SignAgreement(const CaseId& id, std::string_view hash) {
  const absl::StatusOr<crypto::Bytes> bytes = crypto::FromHex(hash);
  client::DocumentHash document{};
  if (!bytes.ok() || bytes->size() != document.size()) {
    return absl::InvalidArgumentError("an agreement's hash is 64 hexadecimal digits");
  }
  std::copy(bytes->begin(), bytes->end(), document.begin());
  return Decide(id, [&](const CaseContext& context) {
    return InStep(context, [&](Transaction& step) {
      return client::QueueSignature(step, context, document);
    });
  });
}

absl::Status Profile::Impl::SayUnderProcedure(const ChannelRef& channel,
                                              content::v1::Content& content) {
  const CaseContext context = LocalContext(channel.case_id);
  for (const bool synced : {false, true}) {
    std::vector<CaseProcedure::Missing> missing;
    {
      PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
      PARLEY_ASSIGN_OR_RETURN(std::optional<LoadedProcedure> procedure,
                              client::LoadProcedure(read, context));
      if (!procedure.has_value()) return absl::OkStatus();
      PARLEY_ASSIGN_OR_RETURN(missing,
                              client::KeepsFromTalk(read, context, *procedure, channel.channel_id));
      if (missing.empty()) {
        content::v1::CasePosition& at = *content.mutable_case_position();
        at.set_incarnation(procedure->head.incarnation);
        at.mutable_at()->set_position(procedure->head.position);
        at.mutable_at()->set_transcript_hash(crypto::ToString(procedure->head_hash));
        return absl::OkStatus();
      }
    }
    // What is stored here may be behind.
    absl::StatusOr<Connected> connected =
        synced ? absl::UnavailableError("") : Connect(channel.case_id);
    if (!connected.ok() || !client::SyncCase(connected->context).ok()) {
      return absl::FailedPreconditionError("nothing can be said yet; missing is: " +
                                           client::MissingText(missing) + " (parley case status)");
    }
  }
  return absl::OkStatus();
}

const char* CaseStateName(CaseState state) { return client::NameOf(state); }
const char* CaseActName(CaseAct act) { return client::NameOf(act); }
std::optional<CaseAct> ParseCaseAct(std::string_view text) { return client::ActOf(text); }
std::string CaseActsHelp() { return client::ActsHelp(); }
std::vector<AgreementTemplate> AgreementTemplates() { return client::Templates(); }
std::string PolicyHelp() { return client::PolicyForm(); }

}  // namespace parley

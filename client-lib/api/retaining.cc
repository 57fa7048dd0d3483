// Retention, and the settlement that is confirmed: Profile::Impl's part.
#include <algorithm>

#include "client-lib/api/document_ends.h"
#include "client-lib/api/profile_impl.h"
#include "client-lib/api/retention.h"
#include "client-lib/channels/document_log.h"
#include "client-lib/content/parse.h"
#include "client-lib/content/utf8.h"
#include "client-lib/firewall/offer_log.h"
#include "client-lib/procedure/agreement.h"

namespace parley {
namespace {

using client::CaseContext;
using client::LoadedProcedure;
using client::ReadTransaction;

constexpr size_t kMostReasonBytes = 1024;

// A document or an offer of the joint channel that could be the settlement.
struct Candidate {
  MessageId id;
  std::string name;
  client::DocumentHash hash{};
  bool is_accepted = true;  // of an offer: by everybody to whom it was made
};

absl::StatusOr<std::vector<Candidate>> Candidates(const ReadTransaction& step,
                                                  const CaseContext& context,
                                                  const ChannelId& joint) {
  std::vector<Candidate> candidates;
  PARLEY_ASSIGN_OR_RETURN(const std::vector<client::ChannelMessage> documents,
                          client::ListDocuments(step, joint));
  for (const client::ChannelMessage& message : documents) {
    content::v1::Content content;
    if (!client::ParseFromPeer(content, message.content.Reveal()) || !content.has_document()) {
      continue;
    }
    const content::v1::Document& document = content.document();
    candidates.push_back(
        {message.id, "the document \"" + document.name() + "\"",
         client::SettlementHashOfDocument(context.id, crypto::ViewOf(document.plaintext_root()),
                                          document.size())});
  }
  PARLEY_ASSIGN_OR_RETURN(const client::ChannelOffers offers,
                          client::LoadOffersOf(step, context, joint));
  for (const client::OfferBook::Thread& thread : offers.book.threads()) {
    for (const client::OfferBook::Version& version : thread.versions) {
      candidates.push_back({version.made.read.record,
                            "version " + std::to_string(version.made.read.terms.version()) +
                                " of the offer by " + thread.side,
                            client::SettlementHashOfOffer(context.id, version.hash),
                            version.state == OfferState::kAccepted && !version.in_doubt});
    }
  }
  return candidates;
}

absl::Status NotAccepted(const Candidate& candidate) {
  return absl::FailedPreconditionError(candidate.name +
                                       " isn't accepted by everybody to whom it was made, so it "
                                       "can't be the settlement");
}

}  // namespace

absl::StatusOr<client::DocumentHash> Profile::Impl::SettlementOf(const CaseId& id, CaseAct act,
                                                                 const MessageId& about) {
  PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, store_->Read());
  const CaseContext context = LocalContext(id);
  PARLEY_ASSIGN_OR_RETURN(const std::optional<LoadedProcedure> procedure,
                          client::LoadProcedure(read, context));
  // The act itself says so.
  if (!procedure.has_value() || !procedure->joint.has_value()) return client::DocumentHash{};
  PARLEY_ASSIGN_OR_RETURN(const std::vector<Candidate> candidates,
                          Candidates(read, context, *procedure->joint));
  if (act == CaseAct::kStartSigning) {
    if (about.is_zero()) {
      return absl::InvalidArgumentError(
          "say which settlement is to be signed: a document of the joint channel, or an offer "
          "there "
          "that everybody has accepted (--settlement)");
    }
    const Candidate* found = nullptr;
    for (const Candidate& one : candidates) {
      if (one.id != about) continue;
      // Somebody may have given theirs the id of another's.
      if (found != nullptr && found->hash != one.hash) {
        return absl::FailedPreconditionError(
            "several records of the joint channel have that id; share the settlement anew, and "
            "name "
            "that one");
      }
      found = &one;
    }
    if (found == nullptr) {
      return absl::NotFoundError("the joint channel has no such document or offer");
    }
    return found->is_accepted ? absl::StatusOr<client::DocumentHash>(found->hash)
                              : NotAccepted(*found);
  }
  const client::DocumentHash& named = procedure->log.procedure().settlement();
  const Candidate* here = nullptr;
  for (const Candidate& one : candidates) {
    const bool is_it = one.hash == named && (about.is_zero() || one.id == about);
    if (is_it) here = &one;
    if (!about.is_zero() && one.id == about && one.hash != named) {
      return absl::FailedPreconditionError(one.name +
                                           " isn't the settlement that is to be signed: ask the "
                                           "neutrals which one it is");
    }
  }
  if (here == nullptr) {
    return absl::FailedPreconditionError(
        "this device doesn't have the settlement that is to be signed in the joint channel: sync; "
        "and if that doesn't help, ask the neutrals to share it again and to start the signing "
        "anew");
  }
  return here->is_accepted ? absl::StatusOr<client::DocumentHash>(named) : NotAccepted(*here);
}

absl::StatusOr<CaseRetention> Profile::Impl::RecordsKept(const CaseId& id) {
  PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, store_->Read());
  return client::ViewRetention(read, LocalContext(id));
}

absl::StatusOr<Destruction> Profile::Impl::DestroyRecords(const CaseId& id) {
  PARLEY_RETURN_IF_ERROR(LoadCase(id).status());
  PARLEY_ASSIGN_OR_RETURN(Destruction done, client::DestroyDue(LocalContext(id)));
  // The others hear of it, and blobs go, with a later sync if not now.
  const absl::StatusOr<Connected> connected = Connect(id, client::Patience::kBrief);
  if (connected.ok()) {
    SyncAfter(*connected).IgnoreError();
    client::TendDocuments(connected->context).IgnoreError();
  }
  return done;
}

absl::Status Profile::Impl::HoldRecords(const CaseId& id, std::string_view reason) {
  PARLEY_RETURN_IF_ERROR(LoadCase(id).status());
  if (reason.size() > kMostReasonBytes || !client::IsWellFormedUtf8(reason)) {
    return absl::InvalidArgumentError("the reason is no text in UTF-8 of at most 1 KiB");
  }
  return client::HoldRetention(LocalContext(id), std::string(reason));
}

}  // namespace parley

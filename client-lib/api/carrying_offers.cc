// What a neutral is to carry of offers, and whether that still holds: Profile::Impl's part.
#include <algorithm>
#include <utility>

#include "client-lib/api/profile_impl.h"
#include "client-lib/firewall/offer_log.h"
#include "client-lib/procedure/offer_book.h"

namespace parley {
namespace {

using client::Actor;
using client::CaseContext;
using client::OfferBook;
using client::OfferDeed;
using client::OfferEvent;
using client::ReadTransaction;

std::string VersionText(const OfferBook::Version& version) {
  return "version " + std::to_string(version.made.read.terms.version());
}

// Why a record of that author isn't what stands where it was made; empty for nothing.
std::string WhyOutOfDate(const client::ChannelOffers& home, const client::ReadOffer& carried,
                         const client::RosterMember& author, uint64_t now_seconds) {
  const OfferBook::Version* const version = home.book.Find(carried.hash);
  if (version == nullptr) return home.name + " has no such offer";
  const std::string which = VersionText(*version) + " of this offer";
  switch (carried.deed) {
    case OfferDeed::kOffer: {
      const uint64_t expires_at = version->made.read.terms.expires_at();
      const bool is_over = expires_at != 0 && expires_at <= now_seconds;
      if (version->state == OfferState::kOpen && !is_over) return {};
      return which + " is " + (is_over ? "over" : client::NameOf(version->state)) +
             " where it was made";
    }
    case OfferDeed::kAccept:
    case OfferDeed::kDecline: {
      const bool stands = std::any_of(
          version->answers.begin(), version->answers.end(), [&](const OfferBook::Answer& answer) {
            return answer.by.id == author.participant_id && answer.record == carried.record &&
                   !answer.carried_by.has_value();
          });
      return stands ? ""
                    : "that isn't what " + author.name + " answers to " + which + " now, in " +
                          home.name;
    }
    case OfferDeed::kWithdraw:
    case OfferDeed::kExpire:
      break;
  }
  const OfferState expected =
      carried.deed == OfferDeed::kWithdraw ? OfferState::kWithdrawn : OfferState::kExpired;
  if (version->state == expected) return {};
  return which + " is " + client::NameOf(version->state) + " where it was made";
}

}  // namespace

absl::Status Profile::Impl::CheckStands(const client::AuthorisationRecord& record,
                                        const CaseId& id) {
  CatchUp({id, record.channel});
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  const CaseContext context = LocalContext(id);
  const std::optional<client::ReadOffer> carried =
      client::ReadOfferOf(id, record.author.participant_id, *record.offer);
  if (!carried.has_value()) return absl::DataLossError("the offer's record can't be read");
  PARLEY_ASSIGN_OR_RETURN(const client::ChannelOffers home,
                          client::LoadOffersOf(read, context, record.channel));
  const std::string why = WhyOutOfDate(home, *carried, record.author, context.now_seconds());
  if (why.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(why + "; nothing was disclosed");
}

absl::Status Profile::Impl::CheckCarrying(const client::AuthorisationRecord& record,
                                          const ChannelRef& audience) {
  PARLEY_RETURN_IF_ERROR(CheckStands(record, audience.case_id));
  CatchUp(audience);
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  const CaseContext context = LocalContext(audience.case_id);
  std::optional<client::ReadOffer> carried =
      client::ReadOfferOf(audience.case_id, record.author.participant_id, *record.offer);
  if (!carried.has_value()) return absl::DataLossError("the offer's record can't be read");
  PARLEY_ASSIGN_OR_RETURN(const client::ChannelOffers there,
                          client::LoadOffersOf(read, context, audience.channel_id));
  PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord own, context.Records().Case(read));
  const Actor author =
      client::AuthorOfCarried(record.author.participant_id, record.author.name, *record.offer);
  OfferEvent event;
  event.author = author;
  event.read = std::move(*carried);
  event.carried_by = Actor{own.own_id, own.own_name, own.own_role, own.own_side};
  const std::string refusal = there.book.WhyNot(event);
  if (refusal.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError("nothing was disclosed, as it would be passed over in " +
                                       there.name + ": " + author.name + " " + refusal);
}

absl::Status Profile::Impl::CheckWaiting(const client::AuthorisationRecord& record,
                                         const ChannelRef& audience) {
  const absl::Status stands = CheckStands(record, audience.case_id);
  if (stands.code() != absl::StatusCode::kFailedPrecondition) return stands;
  // It goes out with the next exchange otherwise, whoever begins that.
  PARLEY_ASSIGN_OR_RETURN(client::Transaction step, store_->Begin());
  const absl::Status dropped =
      LocalContext(audience.case_id).Channel(audience.channel_id).Unqueue(step, record.disclosure);
  if (!absl::IsNotFound(dropped)) PARLEY_RETURN_IF_ERROR(dropped);
  PARLEY_RETURN_IF_ERROR(step.Commit());
  return stands;
}

}  // namespace parley

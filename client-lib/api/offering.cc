// Offers: Profile::Impl's part.
#include <algorithm>
#include <ctime>
#include <set>
#include <utility>

#include "client-lib/api/offer_view.h"
#include "client-lib/api/profile_impl.h"
#include "client-lib/cases/procedure_gate.h"
#include "client-lib/content/folded_text.h"
#include "client-lib/content/utf8.h"
#include "client-lib/procedure/offer_book.h"

namespace parley {
namespace {

using client::Actor;
using client::CaseContext;
using client::OfferBook;
using client::OfferDeed;
using client::OfferEvent;
using client::ReadTransaction;
using client::Transaction;

constexpr int64_t kLongestSeconds = 3660LL * 24 * 60 * 60;

std::string VersionText(uint32_t version) { return "version " + std::to_string(version); }

// The sides of the case's parties, as the case spells them.
std::set<std::string> SidesOf(const std::vector<Participant>& people) {
  std::set<std::string> sides;
  for (const Participant& person : people) {
    const bool counts = person.state == ParticipantState::kApproved && person.role == Role::kParty;
    if (counts && !person.side.empty()) sides.insert(person.side);
  }
  return sides;
}

absl::StatusOr<std::string> ReadSide(const std::set<std::string>& sides, const std::string& text) {
  std::string list;
  for (const std::string& side : sides) {
    if (client::Folded(side) == client::Folded(text)) return side;
    list += (list.empty() ? "" : ", ") + side;
  }
  return absl::NotFoundError("\"" + text +
                             "\" is no side of this case with a party who could accept an offer; "
                             "there are: " +
                             list);
}

void PutTo(const std::vector<Participant>& people, const std::set<std::string>& sides,
           content::v1::OfferTerms& terms) {
  for (const Participant& person : people) {
    if (person.state != ParticipantState::kApproved || person.role != Role::kParty || person.self ||
        !sides.contains(person.side)) {
      continue;
    }
    content::v1::OfferTerms::Party& party = *terms.add_parties();
    party.set_participant_id(client::ToField(person.id));
    party.set_name(person.name);
    party.set_side(person.side);
  }
}

// Of a caller's offer, the version of that number.
absl::StatusOr<OfferVersion> VersionOf(const Offer& offer, uint32_t number) {
  for (const OfferVersion& version : offer.versions) {
    if (version.version == number) return version;
  }
  return absl::NotFoundError("this offer has no version " + std::to_string(number) +
                             " here; the latest is " + std::to_string(offer.current().version));
}

std::string BytesOfHash(const std::string& hash) {
  const absl::StatusOr<crypto::Bytes> bytes = crypto::FromHex(hash);
  return bytes.ok() ? crypto::ToString(*bytes) : std::string();
}

// What to do instead of answering a version that is closed.
std::string Instead(const Offer& offer) {
  const OfferVersion& current = offer.current();
  if (current.state != OfferState::kOpen) return "; nothing of it is open (parley offers)";
  return "; " + VersionText(current.version) + " is open: read it, and answer that (parley offers)";
}

absl::Status CheckNote(std::string_view note) {
  if (note.size() > client::kMostOfferPart || !client::IsWellFormedUtf8(note)) {
    return absl::InvalidArgumentError("the note is no text in UTF-8 of at most 4 KiB");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<OfferList> Profile::Impl::Offers(const CaseId& id) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  return client::ViewOffers(read, LocalContext(id));
}

absl::StatusOr<Offer> Profile::Impl::FindOffer(const CaseId& id, std::string_view text) {
  PARLEY_ASSIGN_OR_RETURN(OfferList list, Offers(id));
  return client::PickOffer(std::move(list.offers), text);
}

void Profile::Impl::CatchUp(const ChannelRef& channel) {
  absl::StatusOr<Connected> connected = Connect(channel.case_id, client::Patience::kBrief);
  if (!connected.ok()) return;
  client::ExchangeChannel(connected->context, channel.channel_id).status().IgnoreError();
}

absl::StatusOr<Profile::Impl::QueuedOffer> Profile::Impl::QueueOffer(
    const ChannelRef& channel, const content::v1::Content& content) {
  const CaseContext context = LocalContext(channel.case_id);
  PARLEY_ASSIGN_OR_RETURN(Transaction step, store_->Begin());
  PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord own, context.Records().Case(step));
  PARLEY_ASSIGN_OR_RETURN(const client::ChannelOffers offers,
                          client::LoadOffersOf(step, context, channel.channel_id));
  const client::RosterMember* const self = offers.state.FindMember(own.own_id);
  if (self == nullptr) return absl::FailedPreconditionError("you aren't in " + offers.name);
  content::v1::Content record = content;
  const MessageId id = client::RandomId<MessageId>();
  record.set_message_id(client::ToField(id));
  std::optional<client::ReadOffer> read = client::ReadOfferOf(context.id, own.own_id, record);
  if (!read.has_value()) return absl::InvalidArgumentError("this is no record of an offer");
  if (!read->fault.empty()) return absl::InvalidArgumentError(read->fault);
  if (!record.has_offer_end()) {
    PARLEY_ASSIGN_OR_RETURN(const std::optional<client::LoadedProcedure> procedure,
                            client::LoadProcedure(step, context));
    const std::string why = procedure.has_value()
                                ? client::WhyNoOffers(procedure->log.procedure().state())
                                : std::string();
    if (!why.empty()) return absl::FailedPreconditionError(why);
  }
  const QueuedOffer queued{id, crypto::ToHex(read->hash)};
  OfferEvent event;
  event.author = {self->participant_id, self->name, self->role, self->side};
  read->place = offers.book.PlaceOfSubject(*read);
  if (read->place.position != 0) client::SetPlace(read->place, record);
  event.read = std::move(*read);
  const std::string refusal = offers.book.WhyNot(event);
  if (!refusal.empty()) return absl::FailedPreconditionError("you " + refusal);
  PARLEY_RETURN_IF_ERROR(context.Channel(channel.channel_id).Queue(step, record).status());
  PARLEY_RETURN_IF_ERROR(step.Commit());
  return queued;
}

void Profile::Impl::GiveLeave(const ChannelRef& channel, const std::vector<std::string>& sides,
                              const std::string& what, SentOffer& made) {
  for (const std::string& side : sides) {
    AuthorisationRequest request;
    request.item = made.sent.id;
    request.audience = "caucus:" + side;
    absl::StatusOr<SentMessage> leave =
        absl::UnavailableError("it hasn't gone out yet; give leave when it has (parley authorise)");
    if (made.sent.position.has_value()) leave = Authorise(channel, request);
    if (leave.ok()) {
      made.leaves.push_back({leave->id, request.audience, what, AuthorisationState::kOpen});
    } else {
      made.leave_missing += (made.leave_missing.empty() ? "" : "; ") + request.audience + ": " +
                            std::string(leave.status().message());
    }
  }
}

absl::StatusOr<SentOffer> Profile::Impl::MakeOffer(const ChannelRef& channel,
                                                   const OfferRequest& request) {
  PARLEY_RETURN_IF_ERROR(CheckWritable(channel));
  PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord own, LoadCase(channel.case_id));
  if ((own.own_role != Role::kParty && own.own_role != Role::kCounsel) || own.own_side.empty()) {
    return absl::PermissionDeniedError("only parties and counsel make offers, for their side");
  }
  PARLEY_ASSIGN_OR_RETURN(const Channel here, GetChannel(channel));
  if (!client::TakesOffers(here.kind)) {
    return absl::InvalidArgumentError(
        "offers are made in the joint channel or in your caucus, not "
        "in " +
        here.name);
  }
  const bool in_caucus = here.kind == ChannelKind::kCaucus;
  content::v1::Content content;
  PARLEY_RETURN_IF_ERROR(SayUnderProcedure(channel, content));
  CatchUp(channel);
  content::v1::OfferTerms terms;
  terms.set_text(request.text);
  terms.set_amount(request.amount);
  for (const std::string& condition : request.conditions) terms.add_conditions(condition);
  for (const std::string& other : request.alternatives) terms.add_alternatives(other);
  PARLEY_RETURN_IF_ERROR(client::CheckTerms(terms));
  if (request.valid_for_seconds < 0 || request.valid_for_seconds > kLongestSeconds) {
    return absl::InvalidArgumentError("an offer stands for at most ten years");
  }
  if (request.valid_for_seconds > 0) {
    terms.set_expires_at(static_cast<uint64_t>(std::time(nullptr)) +
                         static_cast<uint64_t>(request.valid_for_seconds));
  }
  std::vector<std::string> to = request.to;
  terms.set_version(1);
  if (request.replaces.has_value() && request.counter.has_value()) {
    return absl::InvalidArgumentError(
        "an offer is either a new version of your own, or answers another's");
  }
  if (request.replaces.has_value()) {
    if (request.replaces->side != own.own_side) {
      return absl::PermissionDeniedError("that is an offer of " + request.replaces->side +
                                         ", who alone can make a new version; answer it by a "
                                         "counter-offer (--counter)");
    }
    terms.set_first_version(BytesOfHash(request.replaces->id));
    terms.set_version(request.replaces->current().version + 1);
    // Those whom the version before went to.
    for (const OfferLeave& leave : request.replaces->leaves) {
      const std::string side = leave.audience.substr(leave.audience.find(':') + 1);
      const bool known = std::find(to.begin(), to.end(), side) != to.end();
      if (request.to.empty() && in_caucus && !known) to.push_back(side);
    }
  }
  if (request.counter.has_value()) {
    terms.set_answers(BytesOfHash(request.counter->current().hash));
    if (to.empty() && in_caucus && request.counter->carried) to.push_back(request.counter->side);
  }
  PARLEY_ASSIGN_OR_RETURN(const std::vector<Participant> people, Participants(channel.case_id));
  const std::set<std::string> all = SidesOf(people);
  std::set<std::string> sides;
  for (std::string& side : to) {
    PARLEY_ASSIGN_OR_RETURN(side, ReadSide(all, side));
    if (side == own.own_side) {
      return absl::InvalidArgumentError("\"" + side + "\" is your own side");
    }
    sides.insert(side);
  }
  if (to.empty() && request.replaces.has_value()) {
    for (const OfferParty& party : request.replaces->current().parties) sides.insert(party.side);
  } else if (to.empty()) {
    sides = all;
  }
  sides.insert(own.own_side);  // its other parties accept it, too
  if (sides.size() == 1) {
    return absl::FailedPreconditionError(
        "no other side has a party in this case yet who could accept an offer");
  }
  PutTo(people, sides, terms);
  content.mutable_offer()->set_terms(terms.SerializeAsString());
  PARLEY_ASSIGN_OR_RETURN(const QueuedOffer queued, QueueOffer(channel, content));
  SentOffer made;
  PARLEY_ASSIGN_OR_RETURN(made.sent, Deliver(channel, queued.id, /*may_stay_queued=*/false));
  made.offer = request.replaces.has_value() ? request.replaces->id : queued.hash;
  made.version = terms.version();
  if (in_caucus) GiveLeave(channel, to, VersionText(made.version), made);
  return made;
}

absl::StatusOr<SentOffer> Profile::Impl::SendAboutOffer(const Offer& offer, uint32_t version,
                                                        const content::v1::Content& content,
                                                        const std::string& deed) {
  PARLEY_ASSIGN_OR_RETURN(const QueuedOffer queued, QueueOffer(offer.channel, content));
  SentOffer made;
  made.offer = offer.id;
  made.version = version;
  PARLEY_ASSIGN_OR_RETURN(made.sent, Deliver(offer.channel, queued.id, /*may_stay_queued=*/false));
  if (!made.sent.position.has_value()) return made;
  // Somebody may have been faster.
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  PARLEY_ASSIGN_OR_RETURN(
      const client::ChannelOffers now,
      client::LoadOffersOf(read, LocalContext(offer.channel.case_id), offer.channel.channel_id));
  for (const client::PassedOverOffer& one : now.passed_over) {
    if (one.number != *made.sent.position) continue;
    return absl::FailedPreconditionError("you came too late to " + deed + ": you " + one.text);
  }
  return made;
}

absl::StatusOr<Offer> Profile::Impl::OfferNow(const Offer& offer) {
  PARLEY_RETURN_IF_ERROR(CheckWritable(offer.channel));
  CatchUp(offer.channel);
  PARLEY_ASSIGN_OR_RETURN(OfferList list, Offers(offer.channel.case_id));
  for (Offer& one : list.offers) {
    if (one.id == offer.id && one.channel == offer.channel) return std::move(one);
  }
  return absl::NotFoundError("there is no such offer in that channel");
}

absl::StatusOr<SentOffer> Profile::Impl::AnswerOffer(const Offer& offer, const OfferReply& reply) {
  PARLEY_RETURN_IF_ERROR(CheckNote(reply.note));
  PARLEY_ASSIGN_OR_RETURN(const Offer now, OfferNow(offer));
  PARLEY_ASSIGN_OR_RETURN(const OfferVersion version, VersionOf(now, reply.version));
  PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord own, LoadCase(offer.channel.case_id));
  const bool is_named =
      std::any_of(version.parties.begin(), version.parties.end(),
                  [&](const OfferParty& party) { return party.id == own.own_id; });
  if (!is_named || own.own_role != Role::kParty) {
    std::string names;
    for (const OfferParty& party : version.parties) {
      names += (names.empty() ? "" : ", ") + party.name;
    }
    return absl::PermissionDeniedError("it is put to " + names + ", who answer it themselves");
  }
  if (!version.doubt.empty()) {
    return absl::FailedPreconditionError("you can't answer it: " + version.doubt);
  }
  if (reply.alternative > version.alternatives.size()) {
    return absl::InvalidArgumentError(VersionText(version.version) + " has no alternative " +
                                      std::to_string(reply.alternative));
  }
  if (version.state == OfferState::kOpen && version.expires_at != 0 &&
      version.expires_at <= std::time(nullptr)) {
    return absl::FailedPreconditionError(
        "the time of " + VersionText(version.version) +
        " is over, by this device's clock; nothing was sent. Ask " + now.side + " for a new one");
  }
  if (version.state != OfferState::kOpen) {
    return absl::FailedPreconditionError(
        VersionText(version.version) + " is " + OfferStateName(version.state) +
        " and takes no answer any more; nothing was sent" + Instead(now));
  }
  content::v1::Content content;
  PARLEY_RETURN_IF_ERROR(SayUnderProcedure(offer.channel, content));
  content::v1::OfferAnswer& answer = *content.mutable_offer_answer();
  answer.set_version_hash(BytesOfHash(version.hash));
  answer.set_answer(reply.accept ? content::v1::OfferAnswer::ANSWER_ACCEPT
                                 : content::v1::OfferAnswer::ANSWER_DECLINE);
  if (reply.accept) answer.set_alternative(reply.alternative);
  answer.set_note(reply.note);
  const std::string which = VersionText(version.version);
  PARLEY_ASSIGN_OR_RETURN(SentOffer made,
                          SendAboutOffer(now, version.version, content,
                                         (reply.accept ? "accept " : "decline ") + which));
  if (now.carried) {
    GiveLeave(offer.channel, {now.side}, (reply.accept ? "acceptance of " : "refusal of ") + which,
              made);
  }
  return made;
}

absl::StatusOr<SentOffer> Profile::Impl::WithdrawOffer(const Offer& offer, uint32_t number,
                                                       std::string_view note) {
  PARLEY_RETURN_IF_ERROR(CheckNote(note));
  PARLEY_ASSIGN_OR_RETURN(const Offer now, OfferNow(offer));
  PARLEY_ASSIGN_OR_RETURN(const OfferVersion version, VersionOf(now, number));
  PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord own, LoadCase(offer.channel.case_id));
  if (own.own_side.empty() || own.own_side != now.side) {
    return absl::PermissionDeniedError("it is an offer of " + now.side +
                                       ", who alone can withdraw it");
  }
  content::v1::Content content;
  // Without words an offer can always be withdrawn.
  if (!note.empty()) PARLEY_RETURN_IF_ERROR(SayUnderProcedure(offer.channel, content));
  content.mutable_offer_end()->set_version_hash(BytesOfHash(version.hash));
  content.mutable_offer_end()->set_reason(content::v1::OfferEnd::REASON_WITHDRAWN);
  content.mutable_offer_end()->set_note(std::string(note));
  const std::string which = VersionText(number);
  PARLEY_ASSIGN_OR_RETURN(SentOffer made,
                          SendAboutOffer(now, number, content, "withdraw " + which));
  std::vector<std::string> told;  // where the offer was carried to
  for (const OfferLeave& leave : now.leaves) {
    const std::string side = leave.audience.substr(leave.audience.find(':') + 1);
    const bool is_new = std::find(told.begin(), told.end(), side) == told.end();
    if (leave.state == AuthorisationState::kUsed && is_new) told.push_back(side);
  }
  GiveLeave(offer.channel, told, "end of " + which, made);
  return made;
}

absl::Status Profile::Impl::CheckCarrying(const client::AuthorisationRecord& record,
                                          const ChannelRef& audience) {
  CatchUp({audience.case_id, record.channel});
  CatchUp(audience);
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  const CaseContext context = LocalContext(audience.case_id);
  std::optional<client::ReadOffer> carried =
      client::ReadOfferOf(audience.case_id, record.author.participant_id, *record.offer);
  if (!carried.has_value()) return absl::DataLossError("the offer's record can't be read");
  PARLEY_ASSIGN_OR_RETURN(const client::ChannelOffers home,
                          client::LoadOffersOf(read, context, record.channel));
  PARLEY_ASSIGN_OR_RETURN(const client::ChannelOffers there,
                          client::LoadOffersOf(read, context, audience.channel_id));
  const OfferBook::Version* const version = home.book.Find(carried->hash);
  if (version == nullptr) {
    return absl::FailedPreconditionError(home.name + " has no such offer; nothing was disclosed");
  }
  if (carried->deed == OfferDeed::kOffer) {
    const uint64_t expires_at = version->made.read.terms.expires_at();
    const bool is_over = expires_at != 0 && expires_at <= context.now_seconds();
    if (version->state != OfferState::kOpen || is_over) {
      return absl::FailedPreconditionError(VersionText(version->made.read.terms.version()) +
                                           " of this offer is " +
                                           (is_over ? "over" : client::NameOf(version->state)) +
                                           " where it was made; nothing was disclosed");
    }
  }
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

const char* OfferStateName(OfferState state) { return client::NameOf(state); }

}  // namespace parley

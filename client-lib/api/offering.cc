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
// From so long a time on the end is given in whole minutes: seconds would only tell when it was
// written.
constexpr int64_t kInMinutesFrom = 60 * 60;

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

// When an offer's time is over, in seconds since 1970.
uint64_t ExpiryAfter(int64_t seconds) {
  const auto exact = static_cast<uint64_t>(std::time(nullptr)) + static_cast<uint64_t>(seconds);
  return seconds < kInMinutesFrom ? exact : (exact + 59) / 60 * 60;
}

// The side of "caucus:Harbor"; nothing for another audience.
std::optional<std::string> SideOfCaucus(const std::string& audience) {
  constexpr std::string_view kPrefix = "caucus:";
  if (!std::string_view(audience).starts_with(kPrefix)) return std::nullopt;
  return audience.substr(kPrefix.size());
}

// The sides to whom the own side lets its versions be told, or has let.
std::vector<std::string> SidesWithLeave(const Offer& offer, const std::string& own_side) {
  std::vector<std::string> sides;
  for (const OfferLeave& leave : offer.leaves) {
    const bool counts =
        leave.for_version && leave.author.side == own_side &&
        (leave.state == AuthorisationState::kOpen || leave.state == AuthorisationState::kUsed);
    const std::optional<std::string> side = SideOfCaucus(leave.audience);
    if (!counts || !side.has_value()) continue;
    if (std::find(sides.begin(), sides.end(), *side) == sides.end()) sides.push_back(*side);
  }
  return sides;
}

// Whether leave for the `earlier` record makes no sense any more once the author has said `said`.
bool IsOvertaken(const OfferBook& book, const client::ReadOffer& earlier,
                 const client::ReadOffer& said) {
  if (said.deed == OfferDeed::kOffer) {
    const auto first = client::VersionHashFrom(said.terms.first_version());
    const OfferBook::Thread* const thread = first.has_value() ? book.ThreadOf(*first) : nullptr;
    return earlier.deed == OfferDeed::kOffer && thread != nullptr &&
           book.ThreadOf(earlier.hash) == thread;
  }
  if (earlier.hash != said.hash) return false;
  const auto answers = [](OfferDeed deed) {
    return deed == OfferDeed::kAccept || deed == OfferDeed::kDecline;
  };
  return answers(said.deed) ? answers(earlier.deed) : earlier.deed == OfferDeed::kOffer;
}

// Takes back the author's open leave for what their new record overtakes.
absl::Status EndOvertakenLeave(Transaction& step, const CaseContext& context,
                               const client::ChannelOffers& offers, const client::ReadOffer& said,
                               const ParticipantId& own) {
  PARLEY_ASSIGN_OR_RETURN(const client::Disclosures all, client::Disclosures::Load(step, context));
  for (const client::AuthorisationRecord& one : all.authorisations()) {
    if (one.channel != offers.channel || one.author.participant_id != own ||
        one.state != AuthorisationState::kOpen || !one.offer.has_value()) {
      continue;
    }
    const std::optional<client::ReadOffer> earlier =
        client::ReadOfferOf(context.id, own, *one.offer);
    if (!earlier.has_value() || !IsOvertaken(offers.book, *earlier, said)) continue;
    content::v1::Content content;
    content::v1::AuthorisationEnd& end = *content.mutable_authorisation_end();
    end.set_authorisation_id(client::ToField(one.id));
    end.set_reason(content::v1::AuthorisationEnd::REASON_REVOKED);
    *end.mutable_authorisation_place() = client::ToField(one.place);
    PARLEY_RETURN_IF_ERROR(context.Channel(offers.channel).Queue(step, content).status());
  }
  return absl::OkStatus();
}

// "Ben, Nora, Ida and 3 more".
std::string NamesOf(const std::vector<OfferParty>& parties) {
  constexpr size_t kMost = 3;
  std::string names;
  for (size_t i = 0; i < parties.size() && i < kMost; ++i) {
    names += (i == 0 ? "" : ", ") + parties[i].name;
  }
  if (parties.size() <= kMost) return names;
  return names + " and " + std::to_string(parties.size() - kMost) + " more";
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
  PARLEY_RETURN_IF_ERROR(EndOvertakenLeave(step, context, offers, event.read, own.own_id));
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
      OfferLeave& given = made.leaves.emplace_back();
      given.authorisation = leave->id;
      given.audience = request.audience;
      given.what = what;
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
    terms.set_expires_at(ExpiryAfter(request.valid_for_seconds));
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
    if (to.empty() && in_caucus) {
      PARLEY_ASSIGN_OR_RETURN(const Offer now, OfferNow(*request.replaces));
      to = SidesWithLeave(now, own.own_side);
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
    const bool is_third =
        request.counter.has_value() && request.counter->carried && side != request.counter->side;
    if (is_third) {
      return absl::InvalidArgumentError(
          "that offer was carried to you from " + request.counter->side +
          ", and a counter-offer to it goes there alone; to " + side + " make an offer of its own");
    }
    sides.insert(side);
  }
  if (to.empty() && request.replaces.has_value()) {
    for (const OfferParty& party : request.replaces->current().parties) sides.insert(party.side);
  } else if (to.empty()) {
    if (in_caucus && all.size() - all.count(own.own_side) > 1) {
      return absl::InvalidArgumentError(
          "there are several other sides, and each would read whom else it is put to: say to which "
          "it is put (--to)");
    }
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
  // What the caller has seen, and not what has taken its number since.
  PARLEY_ASSIGN_OR_RETURN(const OfferVersion seen, VersionOf(offer, reply.version));
  PARLEY_ASSIGN_OR_RETURN(const Offer now, OfferNow(offer));
  PARLEY_ASSIGN_OR_RETURN(const OfferVersion version, VersionOf(now, reply.version));
  if (version.hash != seen.hash) {
    return absl::FailedPreconditionError(VersionText(reply.version) +
                                         " isn't the one that you were shown; nothing was sent. "
                                         "Read it, and answer then (parley offers)");
  }
  PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord own, LoadCase(offer.channel.case_id));
  const bool is_named =
      std::any_of(version.parties.begin(), version.parties.end(),
                  [&](const OfferParty& party) { return party.id == own.own_id; });
  if (!is_named || own.own_role != Role::kParty) {
    return absl::PermissionDeniedError("it is put to " + NamesOf(version.parties) +
                                       ", who answer it themselves");
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
  if (reply.accept) made.unnamed = version.unnamed;
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
    const std::optional<std::string> side = SideOfCaucus(leave.audience);
    const bool counts = leave.for_version && leave.state == AuthorisationState::kUsed;
    if (!counts || !side.has_value()) continue;
    if (std::find(told.begin(), told.end(), *side) == told.end()) told.push_back(*side);
  }
  GiveLeave(offer.channel, told, "end of " + which, made);
  return made;
}

const char* OfferStateName(OfferState state) { return client::NameOf(state); }

}  // namespace parley

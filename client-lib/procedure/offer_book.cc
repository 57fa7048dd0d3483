#include "client-lib/procedure/offer_book.h"

#include <algorithm>

#include "client-lib/channels/channel_ids.h"

namespace parley::client {
namespace {

using Party = content::v1::OfferTerms::Party;

std::string DeedText(OfferDeed deed, const OfferBook::Version* version) {
  const std::string which =
      version == nullptr ? "this" : VersionText(version->made.read.terms.version());
  switch (deed) {
    case OfferDeed::kOffer:
      return "make this offer";
    case OfferDeed::kAccept:
      return "accept " + which;
    case OfferDeed::kDecline:
      return "decline " + which;
    case OfferDeed::kWithdraw:
      return "withdraw " + which;
    case OfferDeed::kExpire:
      return "say that the time of " + which + " is over";
  }
  return "do this";
}

const Party* FindParty(const content::v1::OfferTerms& terms, const ParticipantId& id) {
  for (const Party& party : terms.parties()) {
    if (IdFrom<ParticipantId>(party.participant_id()) == id) return &party;
  }
  return nullptr;
}

bool IsPutTo(const content::v1::OfferTerms& terms, const std::string& side) {
  return std::any_of(terms.parties().begin(), terms.parties().end(),
                     [&](const Party& party) { return party.side() == side; });
}

// Whether everybody whom it names accepts the same.
bool AllAccept(const OfferBook::Version& version, uint32_t alternative) {
  const auto& parties = version.made.read.terms.parties();
  return std::all_of(parties.begin(), parties.end(), [&](const Party& party) {
    return std::any_of(version.answers.begin(), version.answers.end(),
                       [&](const OfferBook::Answer& answer) {
                         return answer.accepted && answer.alternative == alternative &&
                                IdFrom<ParticipantId>(party.participant_id()) == answer.by.id;
                       });
  });
}

}  // namespace

const char* NameOf(OfferState state) {
  switch (state) {
    case OfferState::kOpen:
      return "open";
    case OfferState::kAccepted:
      return "accepted";
    case OfferState::kDeclined:
      return "declined";
    case OfferState::kCountered:
      return "countered";
    case OfferState::kReplaced:
      return "replaced";
    case OfferState::kWithdrawn:
      return "withdrawn";
    case OfferState::kExpired:
      return "expired";
  }
  return "unknown";
}

bool TakesOffers(ChannelKind kind) {
  return kind == ChannelKind::kJoint || kind == ChannelKind::kCaucus;
}

std::vector<Party> WaitsFor(const OfferBook::Version& version) {
  std::vector<Party> waits;
  for (const Party& party : version.made.read.terms.parties()) {
    const auto found = std::find_if(
        version.answers.begin(), version.answers.end(), [&](const OfferBook::Answer& answer) {
          return answer.accepted && IdFrom<ParticipantId>(party.participant_id()) == answer.by.id;
        });
    const bool fits =
        found != version.answers.end() && found->alternative == version.answers.front().alternative;
    if (!fits) waits.push_back(party);
  }
  return waits;
}

const OfferBook::Place* OfferBook::PlaceOf(const VersionHash& version) const {
  const auto found = versions_.find(version);
  return found == versions_.end() ? nullptr : &found->second;
}

const OfferBook::Version* OfferBook::Find(const VersionHash& version) const {
  const Place* const place = PlaceOf(version);
  return place == nullptr ? nullptr : &At(*place);
}

const OfferBook::Thread* OfferBook::ThreadOf(const VersionHash& version) const {
  const Place* const place = PlaceOf(version);
  if (place != nullptr) return &threads_[place->thread];
  const auto first = by_first_.find(version);
  return first == by_first_.end() ? nullptr : &threads_[first->second];
}

std::string OfferBook::WhyClosed(const Place& place) const {
  const Thread& thread = threads_[place.thread];
  const Version& version = At(place);
  const Version& current = thread.current();
  switch (version.state) {
    case OfferState::kOpen:
      return {};
    case OfferState::kAccepted:
      return "everybody has accepted it";
    case OfferState::kDeclined:
      return version.closed_by + " has declined it";
    case OfferState::kCountered:
      return version.closed_by + " has answered it by a counter-offer";
    case OfferState::kWithdrawn:
      return "it was withdrawn";
    case OfferState::kExpired:
      return "its time is over";
    case OfferState::kReplaced:
      break;
  }
  const std::string latest = VersionText(current.made.read.terms.version());
  return "it was replaced by " + latest + ", which is " + NameOf(current.state);
}

std::string OfferBook::WhyNot(const OfferEvent& event) const {
  const std::string condition = ConditionOf(event);
  if (condition.empty()) return condition;
  return "may not " + DeedText(event.read.deed, Find(event.read.hash)) + ": " + condition;
}

std::string OfferBook::ConditionOf(const OfferEvent& event) const {
  if (!event.read.fault.empty()) return event.read.fault;
  if (!TakesOffers(kind_)) return "offers are made in the joint channel or in a caucus";
  if (event.carried_by.has_value()) {
    if (!IsNeutral(event.carried_by->role)) return "only a neutral carries offers";
    // Who can speak here does so.
    if (kind_ != ChannelKind::kCaucus || event.author.side == side_) {
      return "who is in this channel says it here, and it isn't carried";
    }
  }
  if (event.read.deed == OfferDeed::kOffer) return ConditionOfOffer(event);
  const Place* const place = PlaceOf(event.read.hash);
  if (place == nullptr) {
    return event.unread ? "it is about an offer from before this device came"
                        : "this channel has no such offer";
  }
  if (!event.carried_by.has_value() && event.read.place != At(*place).made.at) {
    return "that offer stands elsewhere than it says";
  }
  const bool ends =
      event.read.deed == OfferDeed::kWithdraw || event.read.deed == OfferDeed::kExpire;
  std::string condition = ends ? ConditionOfEnd(event, *place) : ConditionOfAnswer(event, *place);
  if (!condition.empty()) return condition;
  return ends && OutranksAcceptance(event, At(*place)) ? condition : WhyClosed(*place);
}

std::string OfferBook::ConditionOfOffer(const OfferEvent& event) const {
  const content::v1::OfferTerms& terms = event.read.terms;
  if (!SpeaksForSide(event.author)) return "only parties and counsel make offers, for their side";
  const bool to_others =
      std::any_of(terms.parties().begin(), terms.parties().end(),
                  [&](const Party& party) { return party.side() != event.author.side; });
  if (!to_others) return "it is put to no other side";
  std::string condition = ConditionOfVersion(event);
  // Counsel binds nobody: who speaks for a side has its parties accept it, too.
  if (condition.empty() && event.author.role == Role::kCounsel &&
      !IsPutTo(terms, event.author.side)) {
    condition = "counsel has to name a party of " + event.author.side + ", who accepts it, too";
  }
  return condition;
}

std::string OfferBook::ConditionOfVersion(const OfferEvent& event) const {
  const content::v1::OfferTerms& terms = event.read.terms;
  if (versions_.contains(event.read.hash)) return "it has been made already";
  if (terms.version() == 1) {
    if (by_first_.contains(event.read.hash)) return "a later version of it has come here before";
    return ConditionOfCounter(event);
  }
  const auto first = by_first_.find(*VersionHashFrom(terms.first_version()));
  if (first == by_first_.end()) {
    // The first versions of a carried one may never have come here.
    return MayNotKnow(event) ? "" : "this channel has no earlier version of it";
  }
  const Thread& thread = threads_[first->second];
  if (thread.side != event.author.side) {
    return "it is an offer of " + thread.side + ", who alone can make a new version";
  }
  const Version& current = thread.current();
  if (current.state == OfferState::kAccepted && !OutranksAcceptance(event, current)) {
    return VersionText(current.made.read.terms.version()) + " has been accepted, and stands";
  }
  if (!event.carried_by.has_value() && event.read.place != current.made.at) {
    return "the version before it stands elsewhere than it says";
  }
  const uint32_t latest = current.made.read.terms.version();
  const bool follows =
      event.carried_by.has_value() ? terms.version() > latest : terms.version() == latest + 1;
  return follows ? "" : VersionText(latest) + " is the latest one";
}

std::string OfferBook::ConditionOfCounter(const OfferEvent& event) const {
  const std::string& answers = event.read.terms.answers();
  if (answers.empty()) return {};
  const Place* const place = PlaceOf(*VersionHashFrom(answers));
  if (place == nullptr) {
    return MayNotKnow(event) ? "" : "this channel has no offer that it answers";
  }
  const Version& version = At(*place);
  if (!event.carried_by.has_value() && event.read.place != version.made.at) {
    return "what it answers stands elsewhere than it says";
  }
  if (threads_[place->thread].side == event.author.side ||
      !IsPutTo(version.made.read.terms, event.author.side)) {
    return "what it answers wasn't put to " + event.author.side;
  }
  const std::string closed = WhyClosed(*place);
  if (closed.empty()) return closed;
  return "it answers " + VersionText(version.made.read.terms.version()) + ", but " + closed;
}

std::string OfferBook::ConditionOfAnswer(const OfferEvent& event, const Place& place) const {
  const Version& version = At(place);
  const content::v1::OfferTerms& terms = version.made.read.terms;
  const Party* const party = FindParty(terms, event.author.id);
  if (party == nullptr || event.author.role != Role::kParty || party->side() != event.author.side) {
    return "it is put to " + NamesOfParties(terms) + ", who answer it themselves";
  }
  if (event.read.alternative > static_cast<uint32_t>(terms.alternatives_size())) {
    return "it has no alternative " + std::to_string(event.read.alternative);
  }
  const bool repeated =
      std::any_of(version.answers.begin(), version.answers.end(), [&](const Answer& answer) {
        return answer.by.id == event.author.id && event.read.deed == OfferDeed::kAccept &&
               answer.accepted && answer.alternative == event.read.alternative;
      });
  return repeated && version.state == OfferState::kOpen ? "they have accepted it already" : "";
}

std::string OfferBook::ConditionOfEnd(const OfferEvent& event, const Place& place) const {
  const Thread& thread = threads_[place.thread];
  const bool by_side = SpeaksForSide(event.author) && event.author.side == thread.side;
  if (event.read.deed == OfferDeed::kWithdraw) {
    return by_side ? "" : "it is an offer of " + thread.side + ", who alone can withdraw it";
  }
  if (At(place).made.read.terms.expires_at() == 0) return "it has no time limit";
  const bool by_neutral = IsNeutral(event.author.role) && !event.carried_by.has_value();
  return by_side || by_neutral ? "" : "only " + thread.side + " and the neutrals say that";
}

JointPosition OfferBook::PlaceOfSubject(const ReadOffer& read) const {
  const Version* subject = nullptr;
  if (read.deed != OfferDeed::kOffer) {
    subject = Find(read.hash);
  } else if (read.terms.version() > 1) {
    const std::optional<VersionHash> first = VersionHashFrom(read.terms.first_version());
    const Thread* const thread = first.has_value() ? ThreadOf(*first) : nullptr;
    if (thread != nullptr) subject = &thread->current();
  } else if (const auto answered = VersionHashFrom(read.terms.answers()); answered.has_value()) {
    subject = Find(*answered);
  }
  return subject == nullptr ? JointPosition() : subject->made.at;
}

bool OfferBook::OutranksAcceptance(const OfferEvent& event, const Version& version) {
  return version.state == OfferState::kAccepted && version.made.carried_by.has_value() &&
         event.carried_by.has_value();
}

bool OfferBook::IsFromBefore(const OfferEvent& event) const {
  return event.unread && event.read.fault.empty() && event.read.deed != OfferDeed::kOffer &&
         Find(event.read.hash) == nullptr;
}

bool OfferBook::IsRepeatedEnd(const OfferEvent& event) const {
  const Place* const place = PlaceOf(event.read.hash);
  return event.read.deed == OfferDeed::kExpire && event.read.fault.empty() &&
         event.read.note.empty() && !event.carried_by.has_value() && place != nullptr &&
         At(*place).state != OfferState::kOpen && ConditionOfEnd(event, *place).empty();
}

std::string OfferBook::Apply(const OfferEvent& event) {
  std::string refusal = WhyNot(event);
  if (!refusal.empty()) return refusal;
  if (event.read.deed == OfferDeed::kOffer) {
    CarryOffer(event);
    return {};
  }
  const Place place = *PlaceOf(event.read.hash);
  Version& version = threads_[place.thread].versions[place.version];
  version.in_doubt = !event.doubt.empty();
  if (event.read.deed == OfferDeed::kWithdraw) {
    version.state = OfferState::kWithdrawn;
  } else if (event.read.deed == OfferDeed::kExpire) {
    version.state = OfferState::kExpired;
  } else {
    CarryAnswer(event, version);
  }
  return {};
}

void OfferBook::CarryOffer(const OfferEvent& event) {
  const content::v1::OfferTerms& terms = event.read.terms;
  const VersionHash first =
      terms.version() == 1 ? event.read.hash : *VersionHashFrom(terms.first_version());
  const auto known = by_first_.find(first);
  size_t at = threads_.size();
  if (known == by_first_.end()) {
    threads_.push_back({first, event.author.side, {}, {}});
    by_first_.emplace(first, at);
  } else {
    at = known->second;
    Version& before = threads_[at].versions.back();
    if (before.state == OfferState::kOpen || OutranksAcceptance(event, before)) {
      before.state = OfferState::kReplaced;
      before.in_doubt = !event.doubt.empty();
    }
  }
  if (!terms.answers().empty()) {
    const Place* const answered = PlaceOf(*VersionHashFrom(terms.answers()));
    if (answered != nullptr) {
      Version& version = threads_[answered->thread].versions[answered->version];
      version.state = OfferState::kCountered;
      version.closed_by = event.author.name;
      version.in_doubt = !event.doubt.empty();
      threads_[answered->thread].counters.push_back(first);
    }
  }
  Thread& thread = threads_[at];
  versions_.emplace(event.read.hash, Place{at, thread.versions.size()});
  thread.versions.push_back({event.read.hash, event, OfferState::kOpen, {}, false, {}});
}

void OfferBook::CarryAnswer(const OfferEvent& event, Version& version) {
  Answer answer{event.author,
                event.read.deed == OfferDeed::kAccept,
                event.read.alternative,
                event.read.note,
                event.time,
                event.carried_by,
                event.doubt,
                event.read.record};
  std::erase_if(version.answers,
                [&](const Answer& earlier) { return earlier.by.id == event.author.id; });
  const bool accepted = answer.accepted;
  version.answers.push_back(std::move(answer));
  if (!accepted) {
    version.state = OfferState::kDeclined;
    version.closed_by = event.author.name;
  } else if (AllAccept(version, event.read.alternative)) {
    version.state = OfferState::kAccepted;
    version.in_doubt =
        std::any_of(version.answers.begin(), version.answers.end(),
                    [](const Answer& one) { return one.accepted && !one.doubt.empty(); });
  }
}

}  // namespace parley::client

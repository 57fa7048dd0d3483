#include "client-lib/procedure/session_floor.h"

#include <algorithm>

#include "client-lib/channels/channel_ids.h"
#include "client-lib/content/shown_text.h"

namespace parley::client {
namespace {

constexpr size_t kMostHands = 1000;

}  // namespace

bool SessionFloor::MaySpeak(const Actor& speaker) const {
  if (IsNeutral(speaker.role)) return true;
  switch (to_) {
    case FloorTo::kAll:
      return true;
    case FloorTo::kSide:
      return speaker.side == side_;
    case FloorTo::kParticipant:
      return speaker.id == participant_;
    case FloorTo::kNeutrals:
      break;
  }
  return false;
}

std::string SessionFloor::Holder() const {
  switch (to_) {
    case FloorTo::kAll:
      return "all";
    case FloorTo::kSide:
      return "the side " + side_;
    case FloorTo::kParticipant:
      return name_;
    case FloorTo::kNeutrals:
      break;
  }
  return "the neutrals";
}

std::string SessionFloor::RefusalOf(const SessionRecord& record,
                                    const content::v1::FloorGrant& said) const {
  const std::string start = "may not give the floor: ";
  if (!IsNeutral(record.by.role)) return start + "only mediator or co-mediator may";
  switch (said.to()) {
    case content::v1::FloorGrant::TO_ALL:
    case content::v1::FloorGrant::TO_NEUTRALS:
      return "";
    case content::v1::FloorGrant::TO_SIDE:
      return IsGoodName(said.side()) ? "" : start + "it names no side";
    case content::v1::FloorGrant::TO_PARTICIPANT:
      return IdFrom<ParticipantId>(said.participant_id()).has_value() && IsGoodName(said.name())
                 ? ""
                 : start + "it names nobody";
    default:
      return start + "it doesn't say to whom";
  }
}

void SessionFloor::Put(const content::v1::FloorGrant& said) {
  to_ = static_cast<FloorTo>(said.to());
  side_ = to_ == FloorTo::kSide ? said.side() : "";
  participant_ = ParticipantId();
  name_.clear();
  if (to_ == FloorTo::kParticipant) {
    participant_ = IdFrom<ParticipantId>(said.participant_id()).value_or(ParticipantId());
    name_ = said.name();
  }
}

std::string SessionFloor::Give(const SessionRecord& record, const content::v1::FloorGrant& said) {
  std::string refusal = RefusalOf(record, said);
  if (!refusal.empty()) return refusal;
  Put(said);
  given_by_ = record.by;
  // Who may speak needn't ask for it any more.
  std::erase_if(hands_, [this](const Actor& hand) { return MaySpeak(hand); });
  return "";
}

std::string SessionFloor::Raise(const SessionRecord& record, const content::v1::RaisedHand& said) {
  const auto up = std::find_if(hands_.begin(), hands_.end(),
                               [&](const Actor& hand) { return hand.id == record.by.id; });
  if (said.lowered()) {
    if (up == hands_.end()) return "may not lower a hand that isn't up";
    hands_.erase(up);
    return "";
  }
  if (MaySpeak(record.by)) return "may not ask for the floor: it is theirs to speak already";
  if (up != hands_.end()) return "may not ask for the floor: the hand is up already";
  if (hands_.size() >= kMostHands) return "may not ask for the floor: too many have";
  hands_.push_back(record.by);
  return "";
}

void SessionFloor::Write(content::v1::SessionStanding& standing) const {
  content::v1::FloorGrant& floor = *standing.mutable_floor();
  floor.set_to(static_cast<content::v1::FloorGrant::To>(to_));
  floor.set_side(side_);
  if (to_ == FloorTo::kParticipant) floor.set_participant_id(ToField(participant_));
  floor.set_name(name_);
  if (!given_by_.id.is_zero()) *standing.mutable_floor_by() = WriteActor(given_by_);
  for (const Actor& hand : hands_) *standing.add_hands() = WriteActor(hand);
}

bool SessionFloor::Read(const content::v1::SessionStanding& standing) {
  SessionRecord as_neutral;
  as_neutral.by.role = Role::kMediator;
  if (!RefusalOf(as_neutral, standing.floor()).empty()) return false;
  Put(standing.floor());
  given_by_ = {};
  hands_.clear();
  if (standing.has_floor_by()) {
    const std::optional<Actor> by = ReadActor(standing.floor_by());
    if (!by.has_value()) return false;
    given_by_ = *by;
  }
  for (const content::v1::CaseOverview::Participant& hand : standing.hands()) {
    const std::optional<Actor> up = ReadActor(hand);
    if (!up.has_value()) return false;
    hands_.push_back(*up);
  }
  return true;
}

}  // namespace parley::client

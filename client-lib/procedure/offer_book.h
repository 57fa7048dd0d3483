// The offers of one channel as a state machine: records go in, in the order of the channel's log;
// out come offers with their versions and answers, or a refusal that people can read.
//
//   OfferBook book(ChannelKind::kJoint, "");
//   const std::string refusal = book.Apply(event);     // "may not accept version 1: it was …"
//
// An answer names one version by its hash. A version that has been replaced, withdrawn, answered
// by a counter-offer or a refusal, or whose time is over, takes no answer any more; an accepted one
// stands. What a neutral carries into a caucus is played by the same rules, in its author's name,
// and can't be about what this side says here itself. A carried copy is decided where it was made:
// also when it is accepted here, its side's end of it and later versions, carried, pass over that.
//
// Deterministic, as CaseProcedure: no clock, nothing random, nothing looked up.
//
// Threading: a plain value.
#ifndef PARLEY_CLIENT_LIB_PROCEDURE_OFFER_BOOK_H_
#define PARLEY_CLIENT_LIB_PROCEDURE_OFFER_BOOK_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client-lib/procedure/offer_terms.h"
#include "parley/offers.h"

namespace parley::client {

// One record, by its author as the roster had them (or as a neutral says of whom it carries).
struct OfferEvent {
  Actor author;
  ReadOffer read;
  uint64_t number = 0;
  JointPosition at;  // in the channel's log
  int64_t time = 0;
  // Whether it is about something that stands where this device couldn't read, before it came.
  bool unread = false;
  // The neutral who carried it here.
  std::optional<Actor> carried_by = {};
  // Why this device doesn't believe them. It is shown, and changes nothing: others can't know it.
  std::string doubt = {};
};

class OfferBook {
 public:
  struct Answer {
    Actor by;
    bool accepted = false;
    uint32_t alternative = 0;
    std::string note;
    int64_t time = 0;
    std::optional<Actor> carried_by;
    std::string doubt;
    MessageId record;  // its author's
  };
  struct Version {
    VersionHash hash{};
    OfferEvent made;  // its terms are made.read.terms
    OfferState state = OfferState::kOpen;
    std::string closed_by;        // a name, of what was declined or countered
    bool in_doubt = false;        // the state is by a record that this device doesn't believe
    std::vector<Answer> answers;  // each person's latest
  };
  struct Thread {
    VersionHash id{};  // of the first version, also where that never came here
    std::string side;
    std::vector<Version> versions;
    std::vector<VersionHash> counters;  // threads that answer one of its versions
    const Version& current() const { return versions.back(); }
  };

  // Of a channel of this kind and side.
  OfferBook(ChannelKind kind, std::string side) : kind_(kind), side_(std::move(side)) {}

  // Empty: it counts. Otherwise why not, from "may not" on; then nothing has changed.
  std::string Apply(const OfferEvent& event);
  std::string WhyNot(const OfferEvent& event) const;
  // Of what is about an earlier record: where that stands, for SetPlace. Nothing when there is
  // none.
  JointPosition PlaceOfSubject(const ReadOffer& read) const;
  // Whether it is about what this device doesn't know and couldn't: others know whether it counts.
  bool IsFromBefore(const OfferEvent& event) const;
  // Whether it says once more that an offer's time is over, as several programs may at once: it
  // doesn't count, and there is nothing wrong with it.
  bool IsRepeatedEnd(const OfferEvent& event) const;

  const std::vector<Thread>& threads() const { return threads_; }
  // Null when there is none such.
  const Thread* ThreadOf(const VersionHash& version) const;
  const Version* Find(const VersionHash& version) const;

 private:
  struct Place {
    size_t thread = 0;
    size_t version = 0;
  };

  std::string ConditionOf(const OfferEvent& event) const;
  std::string ConditionOfOffer(const OfferEvent& event) const;
  std::string ConditionOfVersion(const OfferEvent& event) const;
  std::string ConditionOfCounter(const OfferEvent& event) const;
  std::string ConditionOfAnswer(const OfferEvent& event, const Place& place) const;
  std::string ConditionOfEnd(const OfferEvent& event, const Place& place) const;
  // Whether what it is about must be known here for it to count.
  static bool MayNotKnow(const OfferEvent& event) {
    return event.carried_by.has_value() || event.unread;
  }
  // Whether the event, by the side whose the version is, says more than an acceptance of a copy.
  static bool OutranksAcceptance(const OfferEvent& event, const Version& version);
  std::string WhyClosed(const Place& place) const;
  void CarryOffer(const OfferEvent& event);
  void CarryAnswer(const OfferEvent& event, Version& version);
  const Place* PlaceOf(const VersionHash& version) const;
  const Version& At(const Place& place) const {
    return threads_[place.thread].versions[place.version];
  }

  ChannelKind kind_;
  std::string side_;
  std::vector<Thread> threads_;
  std::map<VersionHash, Place> versions_;
  std::map<VersionHash, size_t> by_first_;  // threads, also where the first version never came
};

// Whose acceptance an open version waits for, by its first acceptance's choice.
std::vector<content::v1::OfferTerms::Party> WaitsFor(const OfferBook::Version& version);

// "open", "accepted", …
const char* NameOf(OfferState state);

// Whether offers are made in channels of this kind.
bool TakesOffers(ChannelKind kind);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_PROCEDURE_OFFER_BOOK_H_

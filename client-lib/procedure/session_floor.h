// Who may speak in the joint channel: the neutrals always, others when a neutral has given the
// floor to all (as it is in the beginning), to their side, or to them; and whose hands are up.
//
// Threading: a plain value. Refusals are one line, from "may not" on; empty: it counts.
#ifndef PARLEY_CLIENT_LIB_PROCEDURE_SESSION_FLOOR_H_
#define PARLEY_CLIENT_LIB_PROCEDURE_SESSION_FLOOR_H_

#include <string>
#include <vector>

#include "client-lib/procedure/session_texts.h"

namespace parley::client {

class SessionFloor {
 public:
  std::string Give(const SessionRecord& record, const content::v1::FloorGrant& said);
  std::string Raise(const SessionRecord& record, const content::v1::RaisedHand& said);

  bool MaySpeak(const Actor& speaker) const;
  FloorTo to() const { return to_; }
  const std::string& side() const { return side_; }
  const ParticipantId& participant() const { return participant_; }
  const std::string& name() const { return name_; }  // the participant's
  const Actor& given_by() const { return given_by_; }
  // In the order in which they went up.
  const std::vector<Actor>& hands() const { return hands_; }

  // "all", "the side Harbor", "Ana", "the neutrals".
  std::string Holder() const;

  void Write(content::v1::SessionStanding& standing) const;
  bool Read(const content::v1::SessionStanding& standing);

 private:
  std::string RefusalOf(const SessionRecord& record, const content::v1::FloorGrant& said) const;
  void Put(const content::v1::FloorGrant& said);

  FloorTo to_ = FloorTo::kAll;
  std::string side_;
  ParticipantId participant_;
  std::string name_;
  Actor given_by_;
  std::vector<Actor> hands_;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_PROCEDURE_SESSION_FLOOR_H_

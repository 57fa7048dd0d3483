// The joint list of issues: sides propose, the neutrals decide what is on it and how it is worded.
// How a side ranks them is no part of it (docs/protocol.md section 11).
//
// Threading: a plain value. Refusals are one line, from "may not" on; empty: it counts.
#ifndef PARLEY_CLIENT_LIB_PROCEDURE_SESSION_ISSUES_H_
#define PARLEY_CLIENT_LIB_PROCEDURE_SESSION_ISSUES_H_

#include <string>
#include <vector>

#include "client-lib/procedure/session_texts.h"

namespace parley::client {

inline constexpr size_t kMostIssues = 1000;
inline constexpr size_t kMostIssueBytes = 4 * 1024;
// Of one author, that no neutral has put on the list.
inline constexpr size_t kMostProposedIssues = 20;

class SessionIssues {
 public:
  struct Issue {
    SessionRecord record;  // of who brought it up
    std::string text;
    bool listed = false;  // otherwise proposed
  };

  std::string Take(const SessionRecord& record, const content::v1::IssueRecord& said);

  // In the order in which they were brought up; dropped ones are gone.
  const std::vector<Issue>& issues() const { return issues_; }

  void Write(content::v1::SessionStanding& standing) const;
  bool Read(const content::v1::SessionStanding& standing);
  // Of what Write tells (session_log.h); of one author's proposals alone.
  size_t Bytes() const;
  size_t BytesBy(const ParticipantId& author) const;

 private:
  std::string Propose(const SessionRecord& record, const content::v1::IssueRecord& said);

  std::vector<Issue> issues_;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_PROCEDURE_SESSION_ISSUES_H_

// Agendas, ground rules and summaries: texts by the neutrals, in versions, that each side answers.
// One machine for the three: there is one agenda and one set of ground rules, and any number of
// summaries.
//
// A version counts when it replaces the latest one by its message id, so that of two neutrals who
// change the same text at once the second is refused and looks again; an answer counts for the
// latest version only.
//
// Threading: a plain value. Refusals are one line, from "may not" on; empty: it counts.
#ifndef PARLEY_CLIENT_LIB_PROCEDURE_SESSION_TEXTS_H_
#define PARLEY_CLIENT_LIB_PROCEDURE_SESSION_TEXTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "client-lib/procedure/case_procedure.h"
#include "parley/content/v1/content.pb.h"
#include "parley/session.h"

namespace parley::client {

// Over these a text, or an answer's words, are refused.
inline constexpr size_t kMostSessionTextBytes = 64 * 1024;
inline constexpr size_t kMostAnswerBytes = 4 * 1024;
inline constexpr size_t kMostSummaries = 1000;

// Beside its words, what each part of a standing is counted with (session_log.h).
inline constexpr size_t kPartBytes = 128;

// What every record of a session has.
struct SessionRecord {
  MessageId id;
  Actor by;
  int64_t time = 0;  // claimed
};

class SessionTexts {
 public:
  struct Answer {
    SessionRecord record;
    bool confirmed = false;
    std::string words;
  };
  struct Version {
    SessionRecord record;
    uint32_t version = 0;
    std::string text;
    std::vector<Answer> answers;  // each participant's latest, in the order of the first ones
  };
  struct Series {
    SessionTextKind kind = SessionTextKind::kAgenda;
    uint32_t number = 0;
    std::vector<Version> versions;  // never empty; those from before this device came are missing
  };

  std::string Set(const SessionRecord& record, const content::v1::SessionText& said);
  std::string Take(const SessionRecord& record, const content::v1::SessionAnswer& said);

  const std::vector<Series>& series() const { return series_; }
  // Null where there is none.
  const Series* Find(SessionTextKind kind, uint32_t number) const;

  // As a neutral tells them to who comes later: the latest version of each, with its answers.
  void Write(content::v1::SessionStanding& standing) const;
  // The other direction. Whether it could be read.
  bool Read(const content::v1::SessionStanding& standing);
  // Of what Write tells (session_log.h); of one author's answers alone.
  size_t Bytes() const;
  size_t BytesBy(const ParticipantId& author) const;

 private:
  std::string RefusalOf(const SessionRecord& record, const content::v1::SessionText& said) const;

  std::vector<Series> series_;
};

// "the agenda", "the ground rules", "summary 2".
std::string DescribeSessionText(SessionTextKind kind, uint32_t number);

// Whether a participant answers for a side.
bool AnswersForSide(const Actor& participant);

// What a part of a standing by them counts, with so many bytes of words.
size_t PartBytes(const Actor& by, size_t words);

// A participant as records carry them.
content::v1::CaseOverview::Participant WriteActor(const Actor& participant);
// Nothing without a proper name, role and id.
std::optional<Actor> ReadActor(const content::v1::CaseOverview::Participant& said);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_PROCEDURE_SESSION_TEXTS_H_

#include "client-lib/procedure/session_texts.h"

#include <algorithm>

#include "client-lib/channels/channel_ids.h"
#include "client-lib/content/folded_text.h"
#include "client-lib/content/shown_text.h"

namespace parley::client {
namespace {

using content::v1::SessionStanding;

// Of one version; nobody else than its sides' people may answer, so more are no answers.
constexpr size_t kMostAnswers = 1000;

std::string VersionOf(const SessionTexts::Series& series, uint32_t version) {
  return "version " + std::to_string(version) + " of " +
         DescribeSessionText(series.kind, series.number);
}

bool IsKind(int kind) {
  return kind >= static_cast<int>(SessionTextKind::kAgenda) &&
         kind <= static_cast<int>(SessionTextKind::kSummary);
}

}  // namespace

std::string DescribeSessionText(SessionTextKind kind, uint32_t number) {
  switch (kind) {
    case SessionTextKind::kAgenda:
      return "the agenda";
    case SessionTextKind::kGroundRules:
      return "the ground rules";
    case SessionTextKind::kSummary:
      break;
  }
  return "summary " + std::to_string(number);
}

bool AnswersForSide(const Actor& participant) {
  return (participant.role == Role::kParty || participant.role == Role::kCounsel) &&
         !participant.side.empty();
}

size_t PartBytes(const Actor& by, size_t words) {
  return kPartBytes + by.name.size() + by.side.size() + words;
}

content::v1::CaseOverview::Participant WriteActor(const Actor& participant) {
  content::v1::CaseOverview::Participant said;
  said.set_participant_id(ToField(participant.id));
  said.set_name(participant.name);
  said.set_role(static_cast<content::v1::Role>(participant.role));
  said.set_side(participant.side);
  return said;
}

std::optional<Actor> ReadActor(const content::v1::CaseOverview::Participant& said) {
  const std::optional<ParticipantId> id = IdFrom<ParticipantId>(said.participant_id());
  const int role = static_cast<int>(said.role());
  const bool fits = role > 0 && role <= static_cast<int>(Role::kSupportPerson);
  if (!id.has_value() || !fits || !IsGoodName(said.name()) ||
      (!said.side().empty() && !IsGoodName(said.side()))) {
    return std::nullopt;
  }
  return Actor{*id, said.name(), static_cast<Role>(role), said.side()};
}

const SessionTexts::Series* SessionTexts::Find(SessionTextKind kind, uint32_t number) const {
  const auto found = std::find_if(series_.begin(), series_.end(), [&](const Series& series) {
    return series.kind == kind && series.number == number;
  });
  return found == series_.end() ? nullptr : &*found;
}

std::string SessionTexts::RefusalOf(const SessionRecord& record,
                                    const content::v1::SessionText& said) const {
  if (!IsKind(said.kind())) return "may not set this: it is no text of a session";
  const auto kind = static_cast<SessionTextKind>(said.kind());
  const std::string what = DescribeSessionText(kind, said.number());
  const std::string start = "may not set " + what + ": ";
  if (!IsNeutral(record.by.role)) return start + "only mediator or co-mediator may";
  if (IsBlank(said.text())) return start + "there is nothing in it";
  if (said.text().size() > kMostSessionTextBytes) return start + "it is too long";
  const Series* const series = Find(kind, said.number());
  if (series == nullptr) {
    const auto count = static_cast<uint32_t>(std::count_if(
        series_.begin(), series_.end(), [&](const Series& s) { return s.kind == kind; }));
    const bool is_next = said.number() == count + 1 && count < kMostSummaries &&
                         (kind == SessionTextKind::kSummary || count == 0);
    if (!is_next) return start + "its number isn't the next one";
    return said.version() == 1 && said.replaces().empty() ? ""
                                                          : start + "there is none to replace yet";
  }
  const Version& latest = series->versions.back();
  if (said.replaces() != ToField(latest.record.id)) {
    return start + VersionOf(*series, latest.version) + " has come before";
  }
  return said.version() == latest.version + 1 ? "" : start + "its version isn't the next one";
}

std::string SessionTexts::Set(const SessionRecord& record, const content::v1::SessionText& said) {
  std::string refusal = RefusalOf(record, said);
  if (!refusal.empty()) return refusal;
  const auto kind = static_cast<SessionTextKind>(said.kind());
  const auto found = std::find_if(series_.begin(), series_.end(), [&](const Series& series) {
    return series.kind == kind && series.number == said.number();
  });
  Series& series =
      found == series_.end() ? series_.emplace_back(Series{kind, said.number(), {}}) : *found;
  series.versions.push_back({record, said.version(), said.text(), {}});
  return "";
}

std::string SessionTexts::Take(const SessionRecord& record,
                               const content::v1::SessionAnswer& said) {
  const std::string start = "may not answer this: ";
  if (!AnswersForSide(record.by)) return start + "only party or counsel of a side may";
  if (said.words().size() > kMostAnswerBytes) return start + "the answer is too long";
  if (!said.confirmed() && IsBlank(said.words())) return start + "a correction says what is wrong";
  for (Series& series : series_) {
    for (Version& version : series.versions) {
      if (ToField(version.record.id) != said.text_id()) continue;
      if (&version != &series.versions.back()) {
        return start + VersionOf(series, version.version) + " was replaced by version " +
               std::to_string(series.versions.back().version);
      }
      const auto own =
          std::find_if(version.answers.begin(), version.answers.end(),
                       [&](const Answer& answer) { return answer.record.by.id == record.by.id; });
      if (own != version.answers.end()) {
        *own = {record, said.confirmed(), said.words()};
      } else if (version.answers.size() < kMostAnswers) {
        version.answers.push_back({record, said.confirmed(), said.words()});
      }
      return "";
    }
  }
  return start + "there is no such text";
}

size_t SessionTexts::Bytes() const {
  size_t bytes = 0;
  for (const Series& series : series_) {
    const Version& latest = series.versions.back();
    bytes += PartBytes(latest.record.by, latest.text.size());
    for (const Answer& answer : latest.answers) {
      bytes += PartBytes(answer.record.by, answer.words.size());
    }
  }
  return bytes;
}

size_t SessionTexts::BytesBy(const ParticipantId& author) const {
  size_t bytes = 0;
  for (const Series& series : series_) {
    for (const Answer& answer : series.versions.back().answers) {
      if (answer.record.by.id != author) continue;
      bytes += PartBytes(answer.record.by, answer.words.size());
    }
  }
  return bytes;
}

void SessionTexts::Write(SessionStanding& standing) const {
  for (const Series& series : series_) {
    const Version& latest = series.versions.back();
    SessionStanding::Text& text = *standing.add_texts();
    text.set_id(ToField(latest.record.id));
    *text.mutable_by() = WriteActor(latest.record.by);
    text.set_time(static_cast<uint64_t>(latest.record.time));
    text.mutable_text()->set_kind(static_cast<content::v1::SessionText::Kind>(series.kind));
    text.mutable_text()->set_number(series.number);
    text.mutable_text()->set_version(latest.version);
    text.mutable_text()->set_text(latest.text);
    for (const Answer& answer : latest.answers) {
      SessionStanding::Answer& told = *text.add_answers();
      *told.mutable_by() = WriteActor(answer.record.by);
      told.set_confirmed(answer.confirmed);
      told.set_words(answer.words);
      told.set_time(static_cast<uint64_t>(answer.record.time));
      told.set_id(ToField(answer.record.id));
    }
  }
}

bool SessionTexts::Read(const SessionStanding& standing) {
  series_.clear();
  for (const SessionStanding::Text& told : standing.texts()) {
    const std::optional<Actor> by = ReadActor(told.by());
    const std::optional<MessageId> id = IdFrom<MessageId>(told.id());
    if (!by.has_value() || !id.has_value() || !IsKind(told.text().kind())) return false;
    Version version;
    version.record = {*id, *by, static_cast<int64_t>(told.time())};
    version.version = told.text().version();
    version.text = told.text().text();
    for (const SessionStanding::Answer& answer : told.answers()) {
      const std::optional<Actor> answerer = ReadActor(answer.by());
      const std::optional<MessageId> answer_id = IdFrom<MessageId>(answer.id());
      if (!answerer.has_value() || !answer_id.has_value()) return false;
      version.answers.push_back({{*answer_id, *answerer, static_cast<int64_t>(answer.time())},
                                 answer.confirmed(),
                                 answer.words()});
    }
    series_.push_back({static_cast<SessionTextKind>(told.text().kind()), told.text().number(), {}});
    series_.back().versions.push_back(std::move(version));
  }
  return true;
}

}  // namespace parley::client

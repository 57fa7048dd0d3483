// search, case timeline.
#include <algorithm>
#include <iterator>

#include "parley/record.h"
#include "tools/parley/commands/commands.h"
#include "tools/parley/output/records.h"
#include "tools/parley/output/text.h"
#include "tools/parley/try.h"

namespace parley::cli {
namespace {

// Enough to find a place; not enough to compare by.
constexpr size_t kShownHash = 16;
constexpr const char* kLineIndent = "    ";

JsonObject ToJson(const SearchResult& result) {
  JsonObject object;
  object.Text("case", result.channel.case_id.ToString())
      .Text("case_title", result.case_title)
      .Text("channel", result.channel_name)
      .Text("channel_id", result.channel.channel_id.ToString())
      .Text("channel_status", ChannelStatusName(result.channel_status))
      .Objects("readers", cli::ToJson(result.readers))
      .Number("position", result.position)
      .Text("message", result.id.ToString())
      .Text("kind", FoundKindName(result.kind))
      .All(Who("author", result.author))
      .Text("role", RoleName(result.author.role))
      .Text("side", result.author.side)
      .Text("time", IsoTime(result.time))
      .Text("excerpt", result.excerpt)
      .Bool("refused", result.refused);
  if (!result.note.empty()) object.Text("note", result.note);
  if (!result.without_floor.empty()) object.Text("without_floor", result.without_floor);
  if (!result.against_procedure.empty()) {
    object.Text("against_procedure", result.against_procedure);
  }
  return object;
}

// What `read` shows with the message, a line each.
std::string MarksText(const SearchResult& result) {
  const auto line = [](const std::string& text) { return kLineIndent + ("[" + text + "]\n"); };
  std::string text;
  if (!result.note.empty()) {
    text += line((result.refused ? "doesn't count: " : "") + Harmless(result.note));
  }
  if (!result.against_procedure.empty()) text += line(Harmless(result.against_procedure));
  if (!result.without_floor.empty()) text += line(Harmless(result.without_floor));
  return text;
}

std::string ToText(const SearchResult& result) {
  std::string text = Harmless(result.case_title) + ", " + Harmless(result.channel_name) + " " +
                     std::to_string(result.position) + "  " + LocalTime(result.time) + "  " +
                     PersonText(result.author);
  if (result.kind != FoundKind::kText) text += std::string(", ") + FoundKindName(result.kind);
  return text + "\n" + kLineIndent + Harmless(result.excerpt) + "\n" + MarksText(result) +
         kLineIndent + "[" + ReadByText(result.channel_status, result.own_state) + " " +
         PeopleText(result.readers) + "]\n";
}

std::string NameText(const TimelinePerson& person) {
  if (person.id.is_zero()) return "somebody unknown";
  return Harmless(person.name) + (person.compared ? "" : "*") + " (" +
         RoleText(person.role, person.side) + ")";
}

// Whether a name in the timeline's text has a "*".
bool AnyNotCompared(const CaseTimeline& timeline) {
  const auto marked = [](const TimelinePerson& person) {
    return !person.id.is_zero() && !person.compared;
  };
  for (const ChannelTimeline& channel : timeline.channels) {
    for (const TimelineEvent& event : channel.events) {
      if (marked(event.author) || (event.subject.has_value() && marked(*event.subject)))
        return true;
    }
  }
  return std::any_of(timeline.acts.begin(), timeline.acts.end(),
                     [&](const TimelineAct& act) { return marked(act.author); });
}

// "0123abcd 4567ef01 …": all of it, in groups that can be read aloud.
std::string GroupedText(const std::string& hash) {
  constexpr size_t kGroup = 8;
  std::string text;
  for (size_t i = 0; i < hash.size(); i += kGroup) {
    text += (i > 0 ? " " : "") + hash.substr(i, kGroup);
  }
  return text;
}

// "the head, 42: 0123abcd 4567ef01 …".
std::string HeadText(uint64_t head, const std::string& hash) {
  return "the head, " + std::to_string(head) + ": " + GroupedText(hash);
}

std::string WhatText(const TimelineEvent& event);

std::string TextOf(const TimelineEvent& event) {
  return WhatText(event) + (event.counts.value_or(true) ? "" : " (doesn't count)");
}

std::string WhatText(const TimelineEvent& event) {
  const std::string author = NameText(event.author);
  const std::string subject = event.subject ? NameText(*event.subject) : "";
  switch (event.kind) {
    case TimelineKind::kOpened:
      return author + (event.incarnation == 1 ? " opened the channel" : " opened it anew");
    case TimelineKind::kJoined:
      return author + " let in " + subject;
    case TimelineKind::kLeft:
      return subject + " is out of it (" + author + ")";
    case TimelineKind::kText:
      return author + " said something";
    case TimelineKind::kDocument:
      return author + " shared a document of up to " + SizeText(event.size);
    case TimelineKind::kAuthorisation:
      return author + " sent a leave to disclose";
    case TimelineKind::kAuthorisationEnd:
      return author + " sent the end of a leave to disclose";
    case TimelineKind::kDisclosureUse:
      return author + " sent word that they use a leave to disclose";
    case TimelineKind::kDisclosure:
      return author + " sent a disclosure";
    case TimelineKind::kAct:
      return author + " sent an act: " + CaseActName(event.act);
    case TimelineKind::kOffer:
      return author + " sent an offer, or a new version of one";
    case TimelineKind::kOfferAnswer:
      return author + " sent an answer to an offer";
    case TimelineKind::kOfferEnd:
      return author + " sent the end of an offer";
    case TimelineKind::kOptions:
      return author + " sent options, or an evaluation of some";
    case TimelineKind::kSession:
      return author + " sent something that leads the session, or an answer";
    case TimelineKind::kFloor:
      return author + " sent a grant of the floor, or a request for it";
    case TimelineKind::kMeeting:
      return author + " sent a meeting, a change of one, or an answer";
    case TimelineKind::kReminder:
      return author + " sent a reminder, a change of one, or word that it is done";
    case TimelineKind::kRetraction:
      return author + " sent a retraction";
    case TimelineKind::kDocumentEnd:
      return author + " sent the end of a document";
    case TimelineKind::kBriefUse:
      return author + " sent word that they release a brief";
    case TimelineKind::kBriefRelease:
      return author + " sent the sides' briefs";
    case TimelineKind::kOverride:
      return author + " sent word that they overrode the firewall, and why";
    case TimelineKind::kUnknown:
      return author + " said something that a newer version made";
    case TimelineKind::kPassedOver:
      return "an entry that could not be opened or verified";
  }
  return author;
}

void AddPerson(JsonObject& object, const std::string& name, const TimelinePerson& person) {
  object.Text(name, person.name)
      .Text(name + "_id", person.id.ToString())
      .Text(name + "_role", RoleName(person.role))
      .Text(name + "_side", person.side);
}

// Nothing in it depends on whose profile it is.
JsonObject ToJson(const TimelineEvent& event, const ChannelTimeline& channel) {
  JsonObject object;
  object.Text("kind", "event")
      .Text("event", TimelineKindName(event.kind))
      .Text("channel", channel.channel_name)
      .Text("channel_id", channel.channel.channel_id.ToString())
      .Number("incarnation", event.incarnation)
      .Number("position", event.position)
      .Text("hash", event.hash);
  AddPerson(object, "author", event.author);
  if (event.subject) AddPerson(object, "subject", *event.subject);
  if (event.kind == TimelineKind::kAct) object.Text("act", CaseActName(event.act));
  if (event.counts.has_value()) object.Bool("counts", *event.counts);
  if (event.kind == TimelineKind::kDocument) object.Number("size_up_to", event.size);
  if (event.time != 0) object.Text("time", IsoTime(event.time));
  return object;
}

JsonObject ToJson(const TimelineAct& act) {
  JsonObject object;
  object.Text("kind", "judged")
      .Text("judged", "act")
      .Text("act", CaseActName(act.act))
      .Number("incarnation", act.incarnation)
      .Number("position", act.position);
  AddPerson(object, "author", act.author);
  object.Text("time", IsoTime(act.time)).Bool("counts", act.counts);
  if (act.counts) object.Text("state", CaseStateName(act.state));
  return object;
}

// This depends on where the profile came in.
JsonObject ToJson(const TimelineChain& chain, const ChannelTimeline& channel) {
  return JsonObject()
      .Text("kind", "chain")
      .Text("chain", channel.channel_name)
      .Text("channel_id", channel.channel.channel_id.ToString())
      .Number("incarnation", chain.incarnation)
      .Number("from", chain.from)
      .Text("from_hash", chain.from_hash)
      .Number("recorded_from", chain.recorded_from)
      .Number("head", chain.head)
      .Text("head_hash", chain.head_hash);
}

std::string ToText(const TimelineChain& chain) {
  std::string text = "  " + HeadText(chain.head, chain.head_hash) + "\n";
  if (chain.recorded_from > chain.from + 1) {
    text += "  (what happened before " + std::to_string(chain.recorded_from) +
            " was received by an earlier version, and isn't shown)\n";
  }
  return text;
}

void PrintJson(Session& session, const CaseTimeline& timeline) {
  for (const ChannelTimeline& channel : timeline.channels) {
    for (const TimelineChain& chain : channel.chains) session.Print(ToJson(chain, channel));
    for (const TimelineEvent& event : channel.events) session.Print(ToJson(event, channel));
  }
  for (const TimelineAct& act : timeline.acts) session.Print(ToJson(act));
  for (const Alarm& alarm : timeline.alarms) {
    session.Print(JsonObject().Text("kind", "warning").All(cli::ToJson(alarm)));
  }
}

void PrintText(Session& session, const CaseTimeline& timeline) {
  std::ostream& out = session.out();
  for (const ChannelTimeline& channel : timeline.channels) {
    out << Harmless(channel.channel_name) << '\n';
    for (const TimelineChain& chain : channel.chains) out << ToText(chain);
    for (const TimelineEvent& event : channel.events) {
      out << "  " << event.position << "  "
          << (event.time != 0 ? LocalTime(event.time) : std::string("                ")) << "  "
          << TextOf(event) << "  " << event.hash.substr(0, kShownHash) << '\n';
    }
  }
  if (!timeline.acts.empty()) out << "The case's state\n";
  for (const TimelineAct& act : timeline.acts) {
    out << "  joint " << act.position << "  " << LocalTime(act.time) << "  " << NameText(act.author)
        << ": " << CaseActName(act.act) << ", "
        << (act.counts ? CaseStateName(act.state) : "passed over by everybody") << '\n';
  }
  if (AnyNotCompared(timeline)) out << kNotComparedNote << '\n';
  out << "The short hashes only find a place. To compare logs, compare a head, all of it.\n";
  if (!timeline.alarms.empty()) out << "Noticed by this profile\n";
  for (const Alarm& alarm : timeline.alarms) out << "  " << Harmless(alarm.text) << '\n';
}

JsonObject ToJson(const ChainCheck& check) {
  JsonObject object;
  object.Text("kind", "chain")
      .Text("chain", check.channel_name)
      .Text("channel_id", check.channel.channel_id.ToString())
      .Number("incarnation", check.incarnation)
      .Number("from", check.from)
      .Number("head", check.head)
      .Number("not_recorded", check.not_recorded)
      .Text("head_hash", check.head_hash)
      .Bool("whole", check.whole);
  if (!check.whole) object.Number("broken_at", check.broken_at).Text("problem", check.problem);
  return object;
}

std::string ToText(const ChainCheck& check) {
  std::string text = Harmless(check.channel_name);
  if (check.incarnation > 1)
    text += ", opened for the " + std::to_string(check.incarnation) + ". time";
  if (!check.whole && check.head_hash.empty()) return text + ": " + Harmless(check.problem) + "\n";
  text += ": entries " + std::to_string(check.from + 1) + " to " + std::to_string(check.head);
  if (!check.whole) {
    return text + ": the chain is broken at " + std::to_string(check.broken_at) + ": " +
           Harmless(check.problem) + "\n";
  }
  text += " are whole";
  if (check.not_recorded > 0) {
    text += "; the first " + std::to_string(check.not_recorded) +
            " were received by an earlier version, and only their hashes are kept";
  }
  return text + "\n  " + HeadText(check.head, check.head_hash) + "\n";
}

Status Verify(Session& session, Profile& profile, const CaseId& id) {
  PARLEY_TRY_ASSIGN(const std::vector<ChainCheck> checks, profile.VerifyTimeline(id));
  for (const ChainCheck& check : checks) {
    if (session.json()) {
      session.Print(ToJson(check));
    } else {
      session.out() << ToText(check);
    }
  }
  if (!session.json()) {
    session.out()
        << "Whole means: it agrees with the heads that this profile has. That these are the "
           "case's own, only comparing them with others' tells.\n";
  }
  const auto broken = std::find_if(checks.begin(), checks.end(),
                                   [](const ChainCheck& check) { return !check.whole; });
  if (broken == checks.end()) return {};
  return Status(StatusCode::kDataLoss,
                "what is stored of " + broken->channel_name + " isn't what came: " +
                    broken->problem + " (position " + std::to_string(broken->broken_at) +
                    "); restore the profile from a backup, and compare with somebody else's "
                    "timeline");
}

}  // namespace

Status Run(Session& session, const SearchArguments& arguments) {
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  SearchRequest request;
  request.text = arguments.text;
  request.limit = static_cast<size_t>(arguments.limit);
  if (!arguments.case_text.empty()) {
    PARLEY_TRY_ASSIGN(const Case info,
                      session.OpenCase(arguments.case_text, Session::Purpose::kShow));
    request.case_id = info.id;
    if (!arguments.channel.empty()) {
      PARLEY_TRY_ASSIGN(const Channel channel, profile->FindChannel(info.id, arguments.channel));
      request.channel = channel.ref;
    }
  } else {
    PARLEY_TRY(session.Refresh(std::nullopt, Session::Purpose::kShow));
  }
  PARLEY_TRY_ASSIGN(const std::vector<SearchResult> results, profile->Search(request));
  bool not_compared = false;
  for (const SearchResult& result : results) {
    if (session.json()) {
      session.Print(ToJson(result));
    } else {
      session.out() << ToText(result);
      not_compared = not_compared || AnyNotCompared(result.readers);
    }
  }
  if (not_compared) session.out() << kNotComparedNote << '\n';
  if (results.empty() && !session.json()) session.out() << "Nothing was found.\n";
  return {};
}

Status Run(Session& session, const CaseTimelineArguments& arguments) {
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  if (arguments.verify) {
    // By what is stored alone, and also where other records of the case are damaged.
    PARLEY_TRY_ASSIGN(const Case stored, profile->FindCase(arguments.case_text));
    return Verify(session, *profile, stored.id);
  }
  PARLEY_TRY_ASSIGN(const Case info,
                    session.OpenCase(arguments.case_text, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(const CaseTimeline timeline, profile->Timeline(info.id));
  if (session.json()) {
    PrintJson(session, timeline);
  } else {
    PrintText(session, timeline);
  }
  return {};
}

}  // namespace parley::cli

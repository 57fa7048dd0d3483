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

constexpr size_t kShownHash = 16;
constexpr const char* kLineIndent = "    ";

JsonObject ToJson(const SearchResult& result) {
  return JsonObject()
      .Text("case", result.channel.case_id.ToString())
      .Text("case_title", result.case_title)
      .Text("channel", result.channel_name)
      .Text("channel_id", result.channel.channel_id.ToString())
      .Objects("readers", cli::ToJson(result.readers))
      .Number("position", result.position)
      .Text("message", result.id.ToString())
      .Text("kind", FoundKindName(result.kind))
      .Text("author", result.author.name)
      .Text("role", RoleName(result.author.role))
      .Text("side", result.author.side)
      .Text("time", IsoTime(result.time))
      .Text("excerpt", result.excerpt);
}

std::string ToText(const SearchResult& result) {
  std::string text = Harmless(result.case_title) + ", " + Harmless(result.channel_name) + " " +
                     std::to_string(result.position) + "  " + LocalTime(result.time) + "  " +
                     PersonText(result.author);
  if (result.kind != FoundKind::kText) text += std::string(", ") + FoundKindName(result.kind);
  return text + "\n" + kLineIndent + Harmless(result.excerpt) + "\n" + kLineIndent + "[read by " +
         PeopleText(result.readers) + "]\n";
}

std::string NameText(const TimelinePerson& person) {
  if (person.id.is_zero()) return "somebody unknown";
  return Harmless(person.name) + " (" + RoleText(person.role, person.side) + ")";
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
      return author + " gave leave to disclose something";
    case TimelineKind::kAuthorisationEnd:
      return author + " ended a leave to disclose";
    case TimelineKind::kDisclosureUse:
      return author + " used a leave to disclose";
    case TimelineKind::kDisclosure:
      return author + " disclosed something with leave";
    case TimelineKind::kAct:
      return author + ": " + CaseActName(event.act);
    case TimelineKind::kOffer:
      return author + " made an offer, or a new version of one";
    case TimelineKind::kOfferAnswer:
      return author + " answered an offer";
    case TimelineKind::kOfferEnd:
      return author + " ended an offer";
    case TimelineKind::kOptions:
      return author + " put up options, or evaluated some";
    case TimelineKind::kSession:
      return author + " wrote or answered what leads the session";
    case TimelineKind::kFloor:
      return author + " gave the floor, or asked for it";
    case TimelineKind::kRetraction:
      return author + " took back what they had said";
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
  object.Text("event", TimelineKindName(event.kind))
      .Text("channel", channel.channel_name)
      .Text("channel_id", channel.channel.channel_id.ToString())
      .Number("incarnation", event.incarnation)
      .Number("position", event.position)
      .Text("hash", event.hash);
  AddPerson(object, "author", event.author);
  if (event.subject) AddPerson(object, "subject", *event.subject);
  if (event.kind == TimelineKind::kAct) object.Text("act", CaseActName(event.act));
  if (event.kind == TimelineKind::kDocument) object.Number("size_up_to", event.size);
  if (event.time != 0) object.Text("time", IsoTime(event.time));
  return object;
}

JsonObject ToJson(const TimelineAct& act) {
  JsonObject object;
  object.Text("act", CaseActName(act.act))
      .Number("incarnation", act.incarnation)
      .Number("position", act.position);
  AddPerson(object, "author", act.author);
  object.Text("time", IsoTime(act.time)).Bool("counts", act.counts);
  if (act.counts) object.Text("state", CaseStateName(act.state));
  return object;
}

void PrintJson(Session& session, const CaseTimeline& timeline) {
  for (const ChannelTimeline& channel : timeline.channels) {
    for (const TimelineEvent& event : channel.events) session.Print(ToJson(event, channel));
  }
  for (const TimelineAct& act : timeline.acts) session.Print(ToJson(act));
  for (const Alarm& alarm : timeline.alarms) session.Print(cli::ToJson(alarm));
}

void PrintText(Session& session, const CaseTimeline& timeline) {
  std::ostream& out = session.out();
  for (const ChannelTimeline& channel : timeline.channels) {
    out << Harmless(channel.channel_name) << '\n';
    for (const TimelineEvent& event : channel.events) {
      out << "  " << event.position << "  "
          << (event.time != 0 ? LocalTime(event.time) : std::string("                ")) << "  "
          << WhatText(event) << "  " << event.hash.substr(0, kShownHash) << '\n';
    }
  }
  if (!timeline.acts.empty()) out << "The case's state\n";
  for (const TimelineAct& act : timeline.acts) {
    out << "  joint " << act.position << "  " << LocalTime(act.time) << "  " << NameText(act.author)
        << ": " << CaseActName(act.act) << ", "
        << (act.counts ? CaseStateName(act.state) : "passed over by everybody") << '\n';
  }
  if (!timeline.alarms.empty()) out << "Noticed by this profile\n";
  for (const Alarm& alarm : timeline.alarms) out << "  " << Harmless(alarm.text) << '\n';
}

JsonObject ToJson(const ChainCheck& check) {
  JsonObject object;
  object.Text("chain", check.channel_name)
      .Text("channel_id", check.channel.channel_id.ToString())
      .Number("incarnation", check.incarnation)
      .Number("from", check.from)
      .Number("head", check.head)
      .Number("not_recorded", check.not_recorded)
      .Bool("whole", check.whole);
  if (!check.whole) object.Number("broken_at", check.broken_at).Text("problem", check.problem);
  return object;
}

std::string ToText(const ChainCheck& check) {
  std::string text = Harmless(check.channel_name);
  if (check.incarnation > 1)
    text += ", opened for the " + std::to_string(check.incarnation) + ". time";
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
  return text + "\n";
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
    PARLEY_TRY_ASSIGN(const Case info, profile->FindCase(arguments.case_text));
    request.case_id = info.id;
    if (!arguments.channel.empty()) {
      PARLEY_TRY_ASSIGN(const Channel channel, profile->FindChannel(info.id, arguments.channel));
      request.channel = channel.ref;
    }
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
  PARLEY_TRY_ASSIGN(const Case info,
                    session.OpenCase(arguments.case_text, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  if (arguments.verify) return Verify(session, *profile, info.id);
  PARLEY_TRY_ASSIGN(const CaseTimeline timeline, profile->Timeline(info.id));
  if (session.json()) {
    PrintJson(session, timeline);
  } else {
    PrintText(session, timeline);
  }
  return {};
}

}  // namespace parley::cli

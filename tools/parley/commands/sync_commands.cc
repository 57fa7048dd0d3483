// sync, watch.
#include "tools/parley/commands/commands.h"
#include "tools/parley/interruption.h"
#include "tools/parley/output/records.h"
#include "tools/parley/output/text.h"
#include "tools/parley/try.h"

namespace parley::cli {
namespace {

const char* EventName(EventKind kind) {
  switch (kind) {
    case EventKind::kMessage:
      return "message";
    case EventKind::kParticipants:
      return "participants";
    case EventKind::kChannels:
      return "channels";
    case EventKind::kAlarm:
      return "warning";
    case EventKind::kConnected:
      return "connected";
    case EventKind::kDisconnected:
      return "disconnected";
  }
  return "unknown";
}

std::string ChannelName(const Profile& profile, const std::optional<ChannelRef>& channel) {
  if (!channel) return "";
  const Result<Channel> found = profile.GetChannel(*channel);
  return found.ok() ? found->name : "";
}

void PrintEventJson(Session& session, const Event& event, const std::string& channel) {
  JsonObject object;
  object.Text("event", EventName(event.kind));
  if (!event.alarm) object.Text("case", event.case_id.ToString());
  if (event.message) {
    object.All(ToJson(*event.message, channel));
  } else if (event.alarm) {
    object.All(ToJson(*event.alarm));
  } else {
    object.Text("channel", channel).Text("text", event.text);
  }
  session.Print(object);
}

void PrintEvent(Session& session, const Profile& profile, const Event& event) {
  const std::string channel =
      ChannelName(profile, event.message ? std::optional(event.message->channel) : event.channel);
  if (session.json()) {
    PrintEventJson(session, event, channel);
  } else if (event.message) {
    session.out() << Harmless(channel) << ToText(*event.message);
  } else if (event.alarm) {
    session.out() << "warning: " << Harmless(event.alarm->text) << '\n';
  } else {
    session.out() << "(" << Harmless(event.text.empty() ? EventName(event.kind) : event.text)
                  << ")\n";
  }
  session.out().flush();
}

std::string ProblemsText(const std::vector<Problem>& problems) {
  if (problems.size() == 1) return problems[0].status.message();
  std::string out = std::to_string(problems.size()) + " things went wrong: ";
  for (size_t i = 0; i < problems.size(); ++i) {
    out += (i > 0 ? "; " : "") + problems[i].status.message();
  }
  return out;
}

// What the owner was asked to do, or to say when they come.
std::vector<TodoItem> RemindersOf(const Profile& profile, const CaseId& id) {
  Result<std::vector<TodoItem>> items = profile.Todo(id);
  if (!items.ok()) return {};  // the commands about that case say what is wrong with it
  std::erase_if(*items, [](const TodoItem& item) {
    return item.kind != TodoKind::kReminder && item.kind != TodoKind::kMeeting;
  });
  return *std::move(items);
}

Status PrintReminders(Session& session, const Profile& profile) {
  PARLEY_TRY_ASSIGN(const std::vector<Case> cases, profile.Cases());
  for (const Case& info : cases) {
    for (const TodoItem& item : RemindersOf(profile, info.id)) {
      session.out() << Harmless(info.title) << ": " << ToText(item);
    }
  }
  return {};
}

// What the text and the notes beside it say, of all cases.
Status AddNews(Session& session, const Profile& profile, JsonObject& object) {
  std::vector<JsonObject> todo;
  std::vector<JsonObject> warnings;
  PARLEY_TRY_ASSIGN(const std::vector<Case> cases, profile.Cases());
  for (const Case& info : cases) {
    for (const TodoItem& item : RemindersOf(profile, info.id)) {
      todo.push_back(JsonObject().Text("case", info.id.ToString()).All(ToJson(item)));
    }
    const Result<std::vector<Alarm>> alarms = session.GraveAlarms(info.id);
    if (!alarms.ok()) continue;
    for (const Alarm& alarm : *alarms) warnings.push_back(ToJson(alarm));
  }
  object.Objects("todo", todo).Objects("warnings", warnings);
  return {};
}

// The alarms of all cases that nobody may overlook.
Status NoteAllAlarms(Session& session, const Profile& profile) {
  PARLEY_TRY_ASSIGN(const std::vector<Case> cases, profile.Cases());
  for (const Case& info : cases) {
    // The commands about that case say what is wrong with it.
    static_cast<void>(session.NoteAlarms(info.id, "\"" + info.title + "\": "));
  }
  return {};
}

// A failure is one line, and notes aren't shown beside it: whoever makes each sync fail must not
// keep warnings back by it.
Status WithNotes(const Session& session, const Status& status) {
  std::string text = status.message();
  for (const std::string& note : session.notes()) text += "; " + note;
  return Status(status.code(), text);
}

}  // namespace

Status Run(Session& session, const SyncArguments& arguments) {
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  SyncOptions options;
  options.wait_seconds = arguments.wait_seconds;
  if (arguments.wait_seconds > 0) options.cancellation = &Interruption();
  const Result<SyncReport> synced = profile->Sync(options);
  if (!synced.ok()) {
    PARLEY_TRY(NoteAllAlarms(session, *profile));
    return WithNotes(session, synced.status());
  }
  const SyncReport& report = *synced;
  if (session.json()) {
    JsonObject object;
    object.Number("received", report.messages_received)
        .Number("sent", report.messages_sent)
        .Number("waiting", report.messages_waiting)
        .Number("never_sent", report.messages_never_sent)
        .Number("problems", report.problems.size());
    PARLEY_TRY(AddNews(session, *profile, object));
    session.Print(object);
  } else {
    session.out() << report.messages_received << " received, " << report.messages_sent << " sent";
    if (report.messages_waiting > 0) {
      session.out() << ", " << report.messages_waiting << " waiting to be sent";
    }
    if (report.messages_never_sent > 0) {
      session.out() << ", " << report.messages_never_sent
                    << " never to be sent; \"parley read\" shows what and why";
    }
    session.out() << '\n';
    PARLEY_TRY(PrintReminders(session, *profile));
  }
  PARLEY_TRY(NoteAllAlarms(session, *profile));
  if (!report.problems.empty()) {
    return WithNotes(session,
                     Status(report.problems[0].status.code(), ProblemsText(report.problems)));
  }
  return {};
}

Status Run(Session& session, const WatchArguments& arguments) {
  const Cancellation& interruption = Interruption();
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const Case info, profile->FindCase(arguments.case_text));
  return profile->Watch(
      info.id, [&](const Event& event) { PrintEvent(session, *profile, event); }, interruption);
}

}  // namespace parley::cli

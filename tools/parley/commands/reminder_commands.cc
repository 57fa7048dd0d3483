// reminder set, done, cancel; reminders.
#include <algorithm>

#include "tools/parley/commands/commands.h"
#include "tools/parley/output/calendar.h"
#include "tools/parley/output/text.h"
#include "tools/parley/try.h"

namespace parley::cli {
namespace {

void PrintChanged(Session& session, const CalendarEntry& reminder) {
  const bool waits = reminder.version == 0;
  if (session.json()) {
    JsonObject object;
    object.Text("reminder", reminder.id.ToString()).Bool("queued", waits);
    if (!waits) object.All(ToJson(reminder));
    session.Print(object);
    return;
  }
  session.out() << (waits ? "The relay can't be reached: it goes out at a later sync.\n"
                          : ToText(reminder));
  if (!waits && AnyNotCompared(reminder)) session.out() << kNotComparedNote << '\n';
  session.out() << reminder.id.ToString() << '\n';
}

// Nobody is asked for it any more.
bool IsSettled(const CalendarEntry& entry) {
  return entry.cancelled ||
         std::all_of(entry.answers.begin(), entry.answers.end(), [](const CalendarAnswer& answer) {
           return answer.reply == CalendarReply::kDone;
         });
}

}  // namespace

Status Run(Session& session, const ReminderSetArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(const Channel channel, session.OpenChannel(info, arguments.channel));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(
      const CalendarEntry reminder,
      profile->AddToCalendar(channel.ref, CalendarKind::kReminder, arguments.request));
  PrintChanged(session, reminder);
  return {};
}

Status Run(Session& session, const ReminderDoneArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const CalendarEntry reminder,
                    profile->FindInCalendar(info.id, CalendarKind::kReminder, arguments.reminder));
  PARLEY_TRY_ASSIGN(const CalendarEntry done,
                    profile->AnswerInCalendar(reminder, CalendarReply::kDone));
  PrintChanged(session, done);
  return {};
}

Status Run(Session& session, const ReminderCancelArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const CalendarEntry reminder,
                    profile->FindInCalendar(info.id, CalendarKind::kReminder, arguments.reminder));
  PARLEY_TRY_ASSIGN(const CalendarEntry cancelled, profile->CancelInCalendar(reminder));
  PrintChanged(session, cancelled);
  return {};
}

Status Run(Session& session, const RemindersArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info,
                    session.OpenCase(arguments.case_text, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const std::vector<CalendarEntry> entries, profile->Calendar(info.id));
  size_t shown = 0;
  bool not_compared = false;
  for (const CalendarEntry& entry : entries) {
    if (entry.kind != CalendarKind::kReminder || (!arguments.all && IsSettled(entry))) continue;
    ++shown;
    not_compared = not_compared || AnyNotCompared(entry);
    if (session.json()) {
      session.Print(ToJson(entry));
    } else {
      session.out() << ToText(entry);
    }
  }
  if (session.json()) return {};
  if (not_compared) session.out() << kNotComparedNote << '\n';
  if (shown == 0) session.out() << "No reminders.\n";
  return {};
}

}  // namespace parley::cli

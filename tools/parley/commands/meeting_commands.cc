// meeting propose, change, cancel, yes, maybe, no, export; meetings.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tools/parley/commands/commands.h"
#include "tools/parley/output/calendar.h"
#include "tools/parley/output/text.h"
#include "tools/parley/try.h"

namespace parley::cli {
namespace {

// Readable by its owner alone, and there whole or not at all.
Status WriteNewFile(const std::string& path, const std::string& content, bool replace) {
  const std::string target = replace ? path + ".part-" + std::to_string(getpid()) : path;
  const int file = open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) {
    const bool exists = errno == EEXIST && !replace;
    return Status(exists ? StatusCode::kAlreadyExists : StatusCode::kFileError,
                  "\"" + path + "\" " +
                      (exists ? std::string("exists; --force replaces it")
                              : "can't be written: " + std::string(std::strerror(errno))));
  }
  size_t done = 0;
  int problem = 0;
  while (done < content.size() && problem == 0) {
    const ssize_t written = write(file, content.data() + done, content.size() - done);
    if (written >= 0) {
      done += static_cast<size_t>(written);
    } else if (errno != EINTR) {
      problem = errno;
    }
  }
  if (close(file) != 0 && problem == 0) problem = errno;
  if (problem == 0 && replace && std::rename(target.c_str(), path.c_str()) != 0) problem = errno;
  if (problem == 0) return {};
  unlink(target.c_str());
  return Status(StatusCode::kFileError,
                "\"" + path + "\" can't be written: " + std::string(std::strerror(problem)));
}

void PrintChanged(Session& session, const CalendarEntry& meeting, const char* queued) {
  const bool waits = meeting.version == 0;
  if (session.json()) {
    JsonObject object;
    object.Text("meeting", meeting.id.ToString()).Bool("queued", waits);
    if (!waits) object.All(ToJson(meeting));
    session.Print(object);
    return;
  }
  session.out() << (waits ? std::string(queued) + "\n" : ToText(meeting));
  if (!waits && AnyNotCompared(meeting)) session.out() << kNotComparedNote << '\n';
  session.out() << meeting.id.ToString() << '\n';
}

constexpr const char* kWaits = "The relay can't be reached: it goes out at a later sync.";

}  // namespace

Status Run(Session& session, const MeetingProposeArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(const Channel channel, session.OpenChannel(info, arguments.channel));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const CalendarEntry meeting,
                    profile->AddToCalendar(channel.ref, CalendarKind::kMeeting, arguments.request));
  PrintChanged(session, meeting, kWaits);
  return {};
}

Status Run(Session& session, const MeetingChangeArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const CalendarEntry meeting,
                    profile->FindInCalendar(info.id, CalendarKind::kMeeting, arguments.meeting));
  PARLEY_TRY_ASSIGN(const CalendarEntry changed,
                    profile->ChangeInCalendar(meeting, arguments.change));
  PrintChanged(session, changed, kWaits);
  return {};
}

Status Run(Session& session, const MeetingCancelArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const CalendarEntry meeting,
                    profile->FindInCalendar(info.id, CalendarKind::kMeeting, arguments.meeting));
  PARLEY_TRY_ASSIGN(const CalendarEntry cancelled, profile->CancelInCalendar(meeting));
  PrintChanged(session, cancelled, kWaits);
  return {};
}

Status Run(Session& session, const MeetingAnswerArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const CalendarEntry meeting,
                    profile->FindInCalendar(info.id, CalendarKind::kMeeting, arguments.meeting));
  PARLEY_TRY_ASSIGN(const CalendarEntry answered,
                    profile->AnswerInCalendar(meeting, arguments.reply));
  PrintChanged(session, answered, kWaits);
  return {};
}

Status Run(Session& session, const MeetingExportArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info,
                    session.OpenCase(arguments.case_text, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const CalendarEntry meeting,
                    profile->FindInCalendar(info.id, CalendarKind::kMeeting, arguments.meeting));
  PARLEY_TRY_ASSIGN(const std::string file, profile->MeetingFile(meeting, arguments.with_details));
  PARLEY_TRY(WriteNewFile(arguments.output, file, arguments.force));
  if (arguments.with_details) {
    session.Note(
        "the file has the meeting's title and place, and a name: mind who reads your "
        "calendar");
  }
  if (session.json()) {
    session.Print(JsonObject()
                      .Text("meeting", meeting.id.ToString())
                      .Text("file", arguments.output)
                      .Bool("with_details", arguments.with_details));
  } else {
    session.out() << Harmless(arguments.output) << '\n';
  }
  return {};
}

Status Run(Session& session, const MeetingsArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info,
                    session.OpenCase(arguments.case_text, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const std::vector<CalendarEntry> entries, profile->Calendar(info.id));
  size_t shown = 0;
  size_t others = 0;
  bool not_compared = false;
  for (const CalendarEntry& entry : entries) {
    if (entry.kind != CalendarKind::kMeeting) continue;
    if (!arguments.all && (entry.cancelled || IsPast(entry))) {
      ++others;
      continue;
    }
    ++shown;
    not_compared = not_compared || AnyNotCompared(entry);
    if (session.json()) {
      session.Print(ToJson(entry));
    } else {
      session.out() << ToText(entry);
    }
  }
  if (session.json()) return {};
  if (shown == 0) session.out() << "No meetings.\n";
  if (not_compared) session.out() << kNotComparedNote << '\n';
  if (others > 0) session.out() << "(" << others << " are over or cancelled: --all)\n";
  return {};
}

}  // namespace parley::cli

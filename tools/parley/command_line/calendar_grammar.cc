#include "tools/parley/command_line/grammar.h"
#include "tools/parley/command_line/value_checks.h"

namespace parley::cli {
namespace {

constexpr const char* kCalendarGroup = "Meetings and what waits for you";
constexpr const char* kMeetingHelp =
    "The meeting: its title, or the beginning of its id (parley meetings)";
constexpr const char* kReminderHelp = "The reminder: the beginning of its id (parley reminders)";
constexpr const char* kZoneHelp = "Its time zone, by a place: Europe/Zurich, America/New_York; UTC";

CLI::Option* AddOccurrence(CLI::App* command, Occurrence& occurrence) {
  return command
      ->add_option_function<std::string>(
          "--occurrence",
          [&occurrence](const std::string& which) {
            occurrence = which == "first" ? Occurrence::kFirst : Occurrence::kSecond;
          },
          "Which one, where the clocks are put back and show that time twice: first or second")
      ->type_name("WHICH")
      ->check(CLI::IsMember({"first", "second"}));
}

// An option that may be left out.
void AddOptional(CLI::App* command, const char* name, std::optional<std::string>& target,
                 const char* type, const char* about) {
  command
      ->add_option_function<std::string>(
          name, [&target](const std::string& text) { target = text; }, about)
      ->type_name(type);
}

void AddPropose(Grammar& grammar, CLI::App& meeting) {
  auto& in = grammar.Keep<MeetingProposeArguments>();
  CLI::App* propose = grammar.Add(meeting, "propose", "Propose a meeting", in, kCalendarGroup);
  Positional(propose, "CASE", in.case_text, kCaseHelp);
  Positional(propose, "CHANNEL", in.channel, kChannelHelp);
  Positional(propose, "TITLE", in.request.title, "What it is, in a few words");
  propose->add_option("--start", in.request.start, "When it begins there: \"2026-12-04 10:00\"")
      ->required()
      ->type_name("TIME");
  propose->add_option("--zone", in.request.zone, kZoneHelp)->required()->type_name("ZONE");
  propose->add_option("--minutes", in.request.minutes, "How long it takes; without it, 60")
      ->type_name("N");
  propose->add_option("--place", in.request.place, "Where, or how to take part")->type_name("TEXT");
  AddOccurrence(propose, in.request.occurrence);
  Explain(propose,
          "Everybody in the channel sees it and answers. The neutrals propose meetings anywhere, "
          "parties and counsel in their caucus. Prints the meeting's id on the last line.");
}

void AddChange(Grammar& grammar, CLI::App& meeting) {
  auto& in = grammar.Keep<MeetingChangeArguments>();
  CLI::App* change = grammar.Add(
      meeting, "change", "Change a meeting (who proposed it, and neutrals)", in, kCalendarGroup);
  Positional(change, "CASE", in.case_text, kCaseHelp);
  Positional(change, "MEETING", in.meeting, kMeetingHelp);
  AddOptional(change, "--title", in.change.title, "TEXT", "Another title");
  AddOptional(change, "--start", in.change.start, "TIME", "When it begins now");
  AddOptional(change, "--zone", in.change.zone, "ZONE", kZoneHelp);
  AddOptional(change, "--place", in.change.place, "TEXT", "Another place");
  change
      ->add_option_function<uint32_t>(
          "--minutes", [&in](const uint32_t& minutes) { in.change.minutes = minutes; },
          "How long it takes now")
      ->type_name("N");
  AddOccurrence(change, in.change.occurrence);
  Explain(change,
          "What you don't name stays. Everybody answers anew. Export it again: calendar programs "
          "put the new one in the place of the old one.");
}

void AddExport(Grammar& grammar, CLI::App& meeting) {
  auto& in = grammar.Keep<MeetingExportArguments>();
  CLI::App* command = grammar.Add(meeting, "export", "Save a meeting for your calendar program", in,
                                  kCalendarGroup);
  Positional(command, "CASE", in.case_text, kCaseHelp);
  Positional(command, "MEETING", in.meeting, kMeetingHelp);
  command
      ->add_option("-o,--output", in.output,
                   "Where to save it; calendar programs know it by a name that ends in .ics")
      ->required()
      ->type_name("FILE")
      ->check(Check(ReadOutput));
  command->add_flag("--with-details", in.with_details,
                    "Put title, place and who proposed it into the file, too");
  command->add_flag("--force", in.force, "Replace FILE if it exists");
  Explain(command,
          "Calendars are often read by others, and even the fact of a mediation can be secret: "
          "the file only says that you have a \"Meeting\" then. Its times are in UTC, which your "
          "calendar shows in its own time zone.");
}

void AddMeetingCommands(Grammar& grammar) {
  CLI::App* meeting =
      grammar.AddParent(grammar.app(), "meeting",
                        "Propose, change, cancel, answer or export meetings", kCalendarGroup);
  AddPropose(grammar, *meeting);
  AddChange(grammar, *meeting);
  auto& in_cancel = grammar.Keep<MeetingCancelArguments>();
  CLI::App* cancel =
      grammar.Add(*meeting, "cancel", "Cancel a meeting (who proposed it, and neutrals)", in_cancel,
                  kCalendarGroup);
  Positional(cancel, "CASE", in_cancel.case_text, kCaseHelp);
  Positional(cancel, "MEETING", in_cancel.meeting, kMeetingHelp);
  for (const CalendarReply reply :
       {CalendarReply::kYes, CalendarReply::kMaybe, CalendarReply::kNo}) {
    auto& in_answer = grammar.Keep<MeetingAnswerArguments>();
    in_answer.reply = reply;
    const std::string about = reply == CalendarReply::kYes     ? "Say that you will be there"
                              : reply == CalendarReply::kMaybe ? "Say that you may be there"
                                                               : "Say that you can't be there";
    CLI::App* answer =
        grammar.Add(*meeting, CalendarReplyName(reply), about, in_answer, kCalendarGroup);
    Positional(answer, "CASE", in_answer.case_text, kCaseHelp);
    Positional(answer, "MEETING", in_answer.meeting, kMeetingHelp);
  }
  AddExport(grammar, *meeting);
  auto& in_list = grammar.Keep<MeetingsArguments>();
  CLI::App* list = grammar.Add(grammar.app(), "meetings",
                               "Show meetings, in your time and the meeting's, and who comes",
                               in_list, kCalendarGroup);
  Positional(list, "CASE", in_list.case_text, kCaseHelp);
  list->add_flag("--all", in_list.all, "Those that are over or cancelled, too");
}

void AddReminderCommands(Grammar& grammar) {
  CLI::App* reminder = grammar.AddParent(
      grammar.app(), "reminder", "Remind people of what they are asked to do", kCalendarGroup);
  auto& in_set = grammar.Keep<ReminderSetArguments>();
  CLI::App* set =
      grammar.Add(*reminder, "set", "Set a reminder (neutrals)", in_set, kCalendarGroup);
  Positional(set, "CASE", in_set.case_text, kCaseHelp);
  Positional(set, "CHANNEL", in_set.channel, kChannelHelp);
  Positional(set, "TEXT", in_set.request.title, "What of: \"Answer the agenda\"");
  set->add_option("--due", in_set.request.start, "By when: \"2026-12-04 17:00\"")
      ->required()
      ->type_name("TIME");
  set->add_option("--zone", in_set.request.zone, kZoneHelp)->required()->type_name("ZONE");
  set->add_option("--side", in_set.request.side,
                  "Of the joint channel: this side alone; the others see it, too")
      ->type_name("SIDE");
  AddOccurrence(set, in_set.request.occurrence);
  Explain(set,
          "It waits for those who are asked (parley todo) until they say that it is done, or it is "
          "cancelled; one of a side says so for all of it. In a caucus only that side and the "
          "neutrals see it. Prints the reminder's id on the last line.");
  auto& in_done = grammar.Keep<ReminderDoneArguments>();
  CLI::App* done = grammar.Add(*reminder, "done", "Say that it is done", in_done, kCalendarGroup);
  Positional(done, "CASE", in_done.case_text, kCaseHelp);
  Positional(done, "REMINDER", in_done.reminder, kReminderHelp);
  auto& in_cancel = grammar.Keep<ReminderCancelArguments>();
  CLI::App* cancel =
      grammar.Add(*reminder, "cancel", "Cancel a reminder (neutrals)", in_cancel, kCalendarGroup);
  Positional(cancel, "CASE", in_cancel.case_text, kCaseHelp);
  Positional(cancel, "REMINDER", in_cancel.reminder, kReminderHelp);
  auto& in_list = grammar.Keep<RemindersArguments>();
  CLI::App* list =
      grammar.Add(grammar.app(), "reminders", "Show reminders, and who has done what they ask",
                  in_list, kCalendarGroup);
  Positional(list, "CASE", in_list.case_text, kCaseHelp);
  list->add_flag("--all", in_list.all, "Those that are cancelled, or done by all, too");
}

}  // namespace

void AddCalendarCommands(Grammar& grammar) {
  AddMeetingCommands(grammar);
  AddReminderCommands(grammar);
  auto& in_todo = grammar.Keep<TodoArguments>();
  CLI::App* todo = grammar.Add(grammar.app(), "todo", "Show what waits for you in a case", in_todo,
                               kCalendarGroup);
  Positional(todo, "CASE", in_todo.case_text, kCaseHelp);
  Explain(todo,
          "What you are asked to sign, answer, confirm or do, with its time where it has one, and "
          "the command for it. It is worked out on this machine, by its clock.");
  auto& in_receipts = grammar.Keep<ReceiptsArguments>();
  CLI::App* receipts =
      grammar.Add(grammar.app(), "receipts", "Show how far each member has read a channel",
                  in_receipts, kCalendarGroup);
  Positional(receipts, "CASE", in_receipts.case_text, kCaseHelp);
  Positional(receipts, "CHANNEL", in_receipts.channel, kChannelHelp);
  auto& in_setting = grammar.Keep<SendReceiptsArguments>();
  CLI::App* setting =
      grammar.Add(grammar.app(), "send-receipts", "Let others see how far you have read, or not",
                  in_setting, kCalendarGroup);
  setting->add_option("SETTING", in_setting.setting, "on or off; without it, shows which")
      ->type_name("")
      ->check(CLI::IsMember({"on", "off"}));
  Explain(setting,
          "Of all cases of this profile. Only the members of a channel see how far you have read "
          "it, at most every few minutes. What they have seen before stays.");
}

}  // namespace parley::cli

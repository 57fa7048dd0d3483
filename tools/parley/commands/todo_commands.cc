// todo.
#include "tools/parley/commands/commands.h"
#include "tools/parley/output/calendar.h"
#include "tools/parley/output/text.h"
#include "tools/parley/try.h"

namespace parley::cli {

std::string ToText(const TodoItem& item) {
  std::string text = "- " + Harmless(item.text);
  if (!item.channel_name.empty()) text += ", in " + Harmless(item.channel_name);
  if (item.due != 0) text += (item.overdue ? "; was due " : "; by ") + YourTime(item.due);
  if (!item.about.empty()) text += "  [" + Harmless(item.about) + "]";
  return text + "\n";
}

JsonObject ToJson(const TodoItem& item) {
  JsonObject object;
  object.Text("todo", TodoKindName(item.kind))
      .Text("channel", item.channel_name)
      .Text("text", item.text)
      .Text("about", item.about)
      .Text("id", item.id);
  if (item.due != 0) object.Text("due", IsoTime(item.due));
  return object.Bool("overdue", item.overdue);
}

Status Run(Session& session, const TodoArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info,
                    session.OpenCase(arguments.case_text, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const std::vector<TodoItem> items, profile->Todo(info.id));
  for (const TodoItem& item : items) {
    if (session.json()) {
      session.Print(ToJson(item));
    } else {
      session.out() << ToText(item);
    }
  }
  if (items.empty() && !session.json()) session.out() << "Nothing waits for you.\n";
  return {};
}

}  // namespace parley::cli

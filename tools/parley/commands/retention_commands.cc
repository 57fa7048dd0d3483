// case retention, destroy.
#include <algorithm>
#include <ctime>
#include <iostream>

#include "tools/parley/commands/commands.h"
#include "tools/parley/output/records.h"
#include "tools/parley/output/text.h"
#include "tools/parley/terminal.h"
#include "tools/parley/try.h"

namespace parley::cli {
namespace {

std::vector<std::string> IdsOf(const std::vector<Person>& people) {
  std::vector<std::string> ids;
  for (const Person& person : people) ids.push_back(person.id.ToString());
  return ids;
}

std::vector<std::string> NamesOf(const std::vector<Person>& people) {
  std::vector<std::string> names;
  for (const Person& person : people) names.push_back(person.name);
  return names;
}

std::string Listed(const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& word : words) list += (list.empty() ? "" : ", ") + Harmless(word);
  return list;
}

JsonObject ToJson(const RetentionClass& one) {
  JsonObject object;
  object.Text("class", one.name)
      .Text("kept", one.how_long)
      .Bool("destroyable", one.destroyable)
      .Text("note", one.note)
      .Number("records", one.records)
      .Number("records_due", one.records_due)
      .Texts("destroyed_by", NamesOf(one.destroyed_by))
      .Texts("destroyed_by_ids", IdsOf(one.destroyed_by))
      .Texts("awaited", NamesOf(one.awaited))
      .Texts("awaited_ids", IdsOf(one.awaited));
  if (one.due_at != 0) object.Text("due", IsoTime(one.due_at));
  return object;
}

JsonObject ToJson(const CaseRetention& kept) {
  std::vector<JsonObject> classes;
  for (const RetentionClass& one : kept.classes) classes.push_back(ToJson(one));
  JsonObject object;
  object.Bool("agreed", kept.agreed)
      .Bool("ended", kept.ended)
      .Bool("automatic", kept.automatic)
      .Text("hold", kept.hold)
      .Bool("unfinished", kept.unfinished)
      .Number("uncovered", kept.uncovered)
      .Objects("classes", classes);
  if (kept.ended) object.Text("ended_at", IsoTime(kept.ended_at));
  if (kept.by_itself_at != 0) object.Text("by_itself_at", IsoTime(kept.by_itself_at));
  return object;
}

std::string ToText(const RetentionClass& one) {
  std::string out = Harmless(one.name) + ": kept " + Harmless(one.how_long);
  if (!one.note.empty()) return out + " (" + one.note + ")\n";
  out += ", " + std::to_string(one.records) + (one.records == 1 ? " record" : " records") + " here";
  if (one.due_at != 0) out += ", due " + LocalTime(one.due_at);
  if (one.records_due != 0) out += "; " + std::to_string(one.records_due) + " due now";
  out += "\n";
  if (!one.destroyed_by.empty()) {
    out += "    destroyed by: " + Listed(NamesOf(one.destroyed_by)) + "\n";
  }
  if (!one.awaited.empty()) out += "    not yet by: " + Listed(NamesOf(one.awaited)) + "\n";
  return out;
}

std::string ToText(const CaseRetention& kept) {
  if (!kept.agreed) {
    return "No agreement to mediate is in force: nothing says how long anything is kept, and "
           "nothing is destroyed.\n";
  }
  std::string out = kept.ended ? "The case has ended; this device has heard of it " +
                                     LocalTime(kept.ended_at) + ".\n"
                               : std::string("The case goes on: nothing is due.\n");
  for (const RetentionClass& one : kept.classes) out += ToText(one);
  if (kept.uncovered != 0) {
    out += std::to_string(kept.uncovered) +
           " records of which the policy says nothing: they are kept.\n";
  }
  if (!kept.hold.empty()) {
    out += "Held on this device: " + Harmless(kept.hold) + ". Nothing is destroyed here.\n";
  } else if (kept.by_itself_at != 0) {
    out += "This program destroys what is due by itself, when it syncs, from " +
           LocalTime(kept.by_itself_at) + " on.\n";
  }
  if (kept.unfinished) {
    out += "A destruction was interrupted; the next sync, or parley case destroy, finishes it.\n";
  }
  return out;
}

// Whether destroying has something to do here: records, or to tell the others that there is nothing
// of a class.
bool AnythingDue(const CaseRetention& kept) {
  if (kept.unfinished) return true;
  const auto now = static_cast<int64_t>(std::time(nullptr));
  return std::any_of(kept.classes.begin(), kept.classes.end(), [now](const RetentionClass& one) {
    const bool told = std::any_of(one.destroyed_by.begin(), one.destroyed_by.end(),
                                  [](const Person& person) { return person.self; });
    return one.records_due > 0 ||
           (one.destroyable && one.due_at != 0 && one.due_at <= now && !told);
  });
}

}  // namespace

Status Run(Session& session, const CaseRetentionArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info,
                    session.OpenCase(arguments.case_text, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  if (arguments.release || !arguments.hold.empty()) {
    PARLEY_TRY(profile->HoldRecords(info.id, arguments.hold));
  }
  PARLEY_TRY_ASSIGN(const CaseRetention kept, profile->RecordsKept(info.id));
  if (session.json()) {
    session.Print(ToJson(kept));
  } else {
    session.out() << ToText(kept);
  }
  return {};
}

Status Run(Session& session, const CaseDestroyArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const CaseRetention kept, profile->RecordsKept(info.id));
  const bool refused = !kept.agreed || !kept.ended || !kept.hold.empty();
  if (!refused && !AnythingDue(kept)) {
    if (session.json()) {
      session.Print(JsonObject().Number("records", 0).Texts("classes", {}).Bool("reported", false));
    } else {
      session.out() << "Nothing is due, and nothing was destroyed (parley case retention).\n";
    }
    return {};
  }
  if (!arguments.yes) {
    if (!InputIsTerminal()) {
      return Status(StatusCode::kInvalidArgument,
                    "there is no terminal to ask on: see what is due (parley case retention), and "
                    "add -y");
    }
    std::cerr << ToText(kept);
    if (!Confirm("Destroy on this device, for good, what is due?")) {
      return Status(StatusCode::kCancelled, "nothing was destroyed");
    }
  }
  PARLEY_TRY_ASSIGN(const Destruction done, profile->DestroyRecords(info.id));
  if (session.json()) {
    session.Print(JsonObject()
                      .Number("records", done.records)
                      .Texts("classes", done.classes)
                      .Bool("reported", done.reported));
    return {};
  }
  session.out() << done.records << (done.records == 1 ? " record" : " records") << " destroyed"
                << (done.classes.empty() ? "" : ": " + Listed(done.classes)) << ".\n";
  if (done.reported) session.out() << "The others are told so.\n";
  return {};
}

}  // namespace parley::cli

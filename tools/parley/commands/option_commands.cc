// options make, evaluate, list.
#include <charconv>
#include <optional>
#include <string_view>

#include "tools/parley/commands/commands.h"
#include "tools/parley/output/records.h"
#include "tools/parley/output/text.h"
#include "tools/parley/try.h"

namespace parley::cli {
namespace {

// A number at the beginning of `text`, which is taken off it.
std::optional<uint32_t> TakeNumber(std::string_view& text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

// "2=7 if paid by June".
Result<OptionRating> ReadRating(const std::string& argument) {
  std::string_view text = argument;
  const std::optional<uint32_t> option = TakeNumber(text);
  std::optional<uint32_t> points;
  if (option.has_value() && text.starts_with('=')) {
    text.remove_prefix(1);
    points = TakeNumber(text);
  }
  const bool has_note = !text.empty();
  if (!points.has_value() || (has_note && text.front() != ' ')) {
    return Status(StatusCode::kInvalidArgument,
                  "\"" + argument +
                      "\" is no rating; write the option's number, =, its points from 0 to 10, and "
                      "why after a space: \"2=7 if paid by June\"");
  }
  if (has_note) text.remove_prefix(1);
  return OptionRating{*option, *points, std::string(text)};
}

JsonObject ToJson(const OptionEvaluation& evaluation) {
  std::vector<JsonObject> ratings;
  for (const OptionRating& rating : evaluation.ratings) {
    ratings.push_back(JsonObject()
                          .Number("option", rating.option)
                          .Number("points", rating.points)
                          .Text("note", rating.note));
  }
  return JsonObject()
      .All(Who("by", evaluation.by))
      .Text("channel", evaluation.channel_name)
      .Objects("ratings", ratings)
      .Text("note", evaluation.note)
      .Text("against_procedure", evaluation.against)
      .Text("time", IsoTime(evaluation.time));
}

JsonObject ToJson(const OptionSheet& sheet) {
  std::vector<JsonObject> evaluations;
  for (const OptionEvaluation& one : sheet.evaluations) evaluations.push_back(ToJson(one));
  return JsonObject()
      .Text("sheet", sheet.id)
      .Text("channel", sheet.channel_name)
      .Number("position", sheet.position)
      .All(Who("by", sheet.author))
      .Text("title", sheet.title)
      .Texts("options", sheet.options)
      .Objects("evaluations", evaluations)
      .Text("against_procedure", sheet.against)
      .Text("time", IsoTime(sheet.time));
}

std::string ToText(const OptionSheet& sheet) {
  std::string out = sheet.id.substr(0, 8) + "  " + Harmless(sheet.title) + ", by " +
                    PersonText(sheet.author) + " in " + Harmless(sheet.channel_name) + "\n";
  if (!sheet.against.empty()) out += "    [" + Harmless(sheet.against) + "]\n";
  for (size_t i = 0; i < sheet.options.size(); ++i) {
    out += "    " + std::to_string(i + 1) + ": " + Harmless(sheet.options[i]) + "\n";
  }
  for (const OptionEvaluation& one : sheet.evaluations) {
    out += "    In " + Harmless(one.channel_name) + " alone, " + PersonText(one.by) + ":\n";
    if (!one.against.empty()) out += "        [" + Harmless(one.against) + "]\n";
    for (const OptionRating& rating : one.ratings) {
      out += "        " + std::to_string(rating.option) + ": " + std::to_string(rating.points) +
             " of 10" + (rating.note.empty() ? "" : ", " + Harmless(rating.note)) + "\n";
    }
    if (!one.note.empty()) out += HarmlessLines(one.note, "        ") + "\n";
  }
  return out;
}

// `sheet`: the id of the sheet that was made; empty for an evaluation, and as long as the channel
// hasn't the sheet.
void PrintSent(Session& session, const SentMessage& sent, const std::string& channel,
               const std::string& sheet = {}) {
  if (session.json()) {
    JsonObject object;
    object.Text("message", sent.id.ToString())
        .Text("channel", channel)
        .Bool("queued", sent.queued)
        .Objects("readers", cli::ToJson(sent.readers));
    if (sent.position) object.Number("position", *sent.position);
    if (!sheet.empty()) object.Text("sheet", sheet);
    session.Print(object);
    return;
  }
  if (sent.queued) {
    session.out()
        << "The relay can't be reached: it is stored, and a later command sends it, once.\n";
  }
  session.out() << Harmless(channel) << (sent.queued ? ", will be read by " : ", read by ")
                << PeopleText(sent.readers) << '\n'
                << (sheet.empty() ? sent.id.ToString() : sheet) << '\n';
}

}  // namespace

Status Run(Session& session, const OptionsMakeArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const Channel channel, session.OpenChannel(info, arguments.channel));
  PARLEY_TRY_ASSIGN(const SentMessage sent,
                    profile->MakeOptionSheet(channel.ref, arguments.title, arguments.options));
  // The id that the sheet is evaluated by is known once the channel has it.
  PARLEY_TRY_ASSIGN(const std::vector<OptionSheet> sheets, profile->OptionSheets(info.id));
  const OptionSheet* made = nullptr;
  for (const OptionSheet& sheet : sheets) {
    const bool fits = sheet.author.self && sheet.channel.channel_id == channel.ref.channel_id &&
                      sheet.title == arguments.title && sheet.options == arguments.options;
    if (fits && (made == nullptr || sheet.position > made->position)) made = &sheet;
  }
  PrintSent(session, sent, channel.name, made == nullptr ? "" : made->id);
  return {};
}

Status Run(Session& session, const OptionsEvaluateArguments& arguments) {
  std::vector<OptionRating> ratings;
  for (const std::string& text : arguments.ratings) {
    PARLEY_TRY_ASSIGN(OptionRating rating, ReadRating(text));
    ratings.push_back(std::move(rating));
  }
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const OptionSheet sheet, profile->FindOptionSheet(info.id, arguments.sheet));
  PARLEY_TRY_ASSIGN(
      const Channel channel,
      session.OpenChannel(info, arguments.channel.empty() ? "caucus" : arguments.channel));
  PARLEY_TRY_ASSIGN(const SentMessage sent,
                    profile->EvaluateOptions(channel.ref, sheet, ratings, arguments.note));
  PrintSent(session, sent, channel.name);
  return {};
}

Status Run(Session& session, const OptionsListArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info,
                    session.OpenCase(arguments.case_text, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const std::vector<OptionSheet> sheets, profile->OptionSheets(info.id));
  for (const OptionSheet& sheet : sheets) {
    if (session.json()) {
      session.Print(ToJson(sheet));
    } else {
      session.out() << ToText(sheet);
    }
  }
  if (sheets.empty() && !session.json()) session.out() << "No options have been put up.\n";
  return {};
}

}  // namespace parley::cli

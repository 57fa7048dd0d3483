// init, whoami, warnings.
#include <algorithm>

#include "tools/parley/commands/commands.h"
#include "tools/parley/output/records.h"
#include "tools/parley/output/text.h"
#include "tools/parley/try.h"

namespace parley::cli {
namespace {

Status AskAgain(const SecretText& first) {
  PARLEY_TRY_ASSIGN(const SecretText second, AskSecret("The same again: "));
  if (first.Reveal() == second.Reveal()) return {};
  return Status(StatusCode::kInvalidArgument, "the two passphrases differ: nothing was done");
}

// The passphrase for a new profile: from the file, or asked twice; nothing for none.
Result<std::optional<SecretText>> NewPassphrase(const Session& session) {
  PARLEY_TRY_ASSIGN(std::optional<SecretText> given, session.PassphraseFromFile());
  if (given || !InputIsTerminal()) return given;
  PARLEY_TRY_ASSIGN(SecretText first, AskSecret("Passphrase for the new profile (empty: none): "));
  if (first.empty()) return std::optional<SecretText>();
  PARLEY_TRY(AskAgain(first));
  return std::optional<SecretText>(std::move(first));
}

std::optional<std::string_view> ViewOf(const std::optional<SecretText>& text) {
  return text ? std::optional<std::string_view>(text->Reveal()) : std::nullopt;
}

// The passphrase to change to: from its file, or asked twice.
Result<SecretText> NextPassphrase(const PassphraseChangeArguments& arguments) {
  if (!arguments.new_passphrase_file.empty()) {
    return ReadSecretFile(arguments.new_passphrase_file);
  }
  PARLEY_TRY_ASSIGN(SecretText first, AskSecret("New passphrase: "));
  if (first.empty()) {
    return Status(
        StatusCode::kInvalidArgument,
        "an empty passphrase protects nothing; \"parley passphrase remove\" takes it away");
  }
  PARLEY_TRY(AskAgain(first));
  return first;
}

Status PrintLocked(Session& session, bool locked) {
  if (session.json()) {
    session.Print(JsonObject().Text("profile", session.settings().profile).Bool("locked", locked));
    return {};
  }
  session.out() << (locked ? "The profile is locked with the new passphrase. Nobody can restore a "
                             "lost one.\n"
                           : "The profile has no passphrase: whoever can read its folder can read "
                             "the cases.\n");
  return {};
}

}  // namespace

Status Run(Session& session, const InitArguments& arguments) {
  const std::string& folder = session.settings().profile;
  PARLEY_TRY_ASSIGN(const std::optional<SecretText> passphrase, NewPassphrase(session));
  PARLEY_TRY_ASSIGN(
      const Profile profile,
      Profile::Create(
          folder, arguments.name,
          passphrase ? std::optional<std::string_view>(passphrase->Reveal()) : std::nullopt));
  if (session.json()) {
    session.Print(JsonObject()
                      .Text("profile", folder)
                      .Text("name", profile.name())
                      .Bool("locked", passphrase.has_value()));
    return {};
  }
  session.out() << "A profile for " << Harmless(profile.name())
                << (passphrase ? ", locked with a passphrase. Nobody can restore a lost one."
                               : ", without a passphrase: whoever can read its folder can read "
                                 "the cases.")
                << '\n'
                << Harmless(folder) << '\n';
  return {};
}

Status Run(Session& session, const WhoAmIArguments& /*arguments*/) {
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY(session.Refresh(std::nullopt, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(const std::vector<Case> cases, profile->Cases());
  if (session.json()) {
    std::vector<JsonObject> objects;
    for (const Case& info : cases) objects.push_back(ToJson(info));
    session.Print(JsonObject()
                      .Text("name", profile->name())
                      .Text("profile", session.settings().profile)
                      .Objects("cases", objects));
    return {};
  }
  session.out() << Harmless(profile->name()) << '\n';
  for (const Case& info : cases) {
    const auto same_title = std::count_if(cases.begin(), cases.end(), [&info](const Case& other) {
      return other.title == info.title;
    });
    session.out() << "    " << RoleText(info.own_role, info.own_side) << " in \""
                  << Harmless(info.title) << "\" (" << ParticipantStateName(info.own_state) << ")"
                  << (same_title > 1 ? "  [" + info.id.ToString().substr(0, 8) + "]" : "") << '\n';
  }
  return {};
}

Status Run(Session& session, const PassphraseChangeArguments& arguments) {
  PARLEY_TRY_ASSIGN(const std::optional<SecretText> current, session.CurrentPassphrase());
  PARLEY_TRY_ASSIGN(Profile profile, Profile::Open(session.settings().profile, ViewOf(current)));
  PARLEY_TRY_ASSIGN(const SecretText next, NextPassphrase(arguments));
  PARLEY_TRY(profile.ChangePassphrase(ViewOf(current), next.Reveal()));
  return PrintLocked(session, true);
}

Status Run(Session& session, const PassphraseRemoveArguments& arguments) {
  PARLEY_TRY_ASSIGN(const std::optional<SecretText> current, session.CurrentPassphrase());
  PARLEY_TRY_ASSIGN(Profile profile, Profile::Open(session.settings().profile, ViewOf(current)));
  if (!arguments.yes &&
      !Confirm("Without a passphrase, whoever can read the profile's folder can read your cases. "
               "Remove it?")) {
    return Status(StatusCode::kCancelled, "nothing was done");
  }
  PARLEY_TRY(profile.ChangePassphrase(ViewOf(current), std::nullopt));
  return PrintLocked(session, false);
}

Status Run(Session& session, const WarningsArguments& arguments) {
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  std::vector<Case> cases;
  if (arguments.case_text.empty()) {
    PARLEY_TRY(session.Refresh(std::nullopt, Session::Purpose::kShow));
    PARLEY_TRY_ASSIGN(cases, profile->Cases());
  } else {
    PARLEY_TRY_ASSIGN(Case found, profile->FindCase(arguments.case_text));
    PARLEY_TRY(session.Refresh(found.id, Session::Purpose::kShow));
    cases.push_back(std::move(found));
  }
  size_t count = 0;
  for (const Case& info : cases) {
    PARLEY_TRY_ASSIGN(const std::vector<Alarm> alarms, profile->Alarms(info.id));
    for (const Alarm& alarm : alarms) {
      ++count;
      if (session.json()) {
        session.Print(ToJson(alarm));
      } else {
        session.out() << Harmless(info.title) << ": " << Harmless(alarm.text) << '\n';
      }
    }
    if (arguments.seen) PARLEY_TRY(profile->MarkSeen(info.id));
  }
  if (count == 0 && !session.json()) session.out() << "No warnings.\n";
  return {};
}

}  // namespace parley::cli

// What a command works with: the opened profile, the case and channel that it names, and where its
// output goes.
#ifndef PARLEY_TOOLS_PARLEY_SESSION_H_
#define PARLEY_TOOLS_PARLEY_SESSION_H_

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "parley/profile.h"
#include "tools/parley/arguments.h"
#include "tools/parley/output/json.h"
#include "tools/parley/terminal.h"

namespace parley::cli {

// Not thread-safe.
class Session {
 public:
  // `out` gets what the command prints, and must outlive the session.
  Session(Settings settings, std::ostream& out);

  const Settings& settings() const { return settings_; }
  bool json() const { return settings_.json; }
  std::ostream& out() { return out_; }
  void Print(const JsonObject& object) { out_ << object.ToString() << '\n'; }

  // The passphrase of --passphrase-file, if that was given.
  Result<std::optional<SecretText>> PassphraseFromFile() const;

  // The passphrase that the profile is locked with, from the file or asked for; nothing when it
  // isn't locked.
  Result<std::optional<SecretText>> CurrentPassphrase() const;

  // Opens the profile at the first call; asks for its passphrase if it is locked.
  Result<Profile*> profile();

  // What a command does with what it has opened.
  enum class Purpose { kShow, kChange };

  // Brings a case (or all) up to date, unless --offline. When the relay can't be reached, that is a
  // note: what is stored is used (and, to show it, the note says so).
  Status Refresh(const std::optional<CaseId>& id, Purpose purpose);

  // Finds a case and brings it up to date.
  Result<Case> OpenCase(const std::string& text, Purpose purpose = Purpose::kChange);

  // Finds a channel of a case that was opened.
  Result<Channel> OpenChannel(const Case& info, const std::string& channel_text);

  // Something that the person should know and that is no failure. Shown on standard error when the
  // command has succeeded, so that a failure stays one line.
  void Note(std::string text);
  // Takes a note back whose text the command says itself.
  void DropNote(const std::string& text) { std::erase(notes_, text); }
  const std::vector<std::string>& notes() const { return notes_; }

  // A command's failure as it is shown: that something wasn't found may be because the relay
  // couldn't be reached, and then says so.
  Status Explained(const Status& failure) const;

  // Alarms of a case that nobody may overlook.
  Result<std::vector<Alarm>> GraveAlarms(const CaseId& id);

  // They become notes; `where` stands before each.
  Status NoteAlarms(const CaseId& id, const std::string& where = "");

 private:
  Status OpenProfile();

  const Settings settings_;
  std::ostream& out_;
  std::optional<Profile> profile_;
  std::vector<std::string> notes_;
  std::string unreached_;  // why what is stored wasn't brought up to date; empty: it was
};

}  // namespace parley::cli

#endif  // PARLEY_TOOLS_PARLEY_SESSION_H_

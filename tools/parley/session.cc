#include "tools/parley/session.h"

#include <algorithm>
#include <utility>

#include "tools/parley/output/text.h"
#include "tools/parley/try.h"

namespace parley::cli {
namespace {

bool IsGrave(AlarmKind kind) {
  switch (kind) {
    case AlarmKind::kInvitationUsedTwice:
    case AlarmKind::kFork:
    case AlarmKind::kHalted:
    case AlarmKind::kRestored:
    case AlarmKind::kRefused:
    case AlarmKind::kReopened:
      return true;
    default:
      return false;
  }
}

}  // namespace

Session::Session(Settings settings, std::ostream& out)
    : settings_(std::move(settings)), out_(out) {}

Result<std::optional<SecretText>> Session::PassphraseFromFile() const {
  if (settings_.passphrase_file.empty()) return std::optional<SecretText>();
  PARLEY_TRY_ASSIGN(SecretText passphrase, ReadSecretFile(settings_.passphrase_file));
  return std::optional<SecretText>(std::move(passphrase));
}

Result<std::optional<SecretText>> Session::CurrentPassphrase() const {
  PARLEY_TRY_ASSIGN(const bool locked, Profile::IsLocked(settings_.profile));
  std::optional<SecretText> passphrase;
  if (locked) {
    PARLEY_TRY_ASSIGN(passphrase, PassphraseFromFile());
    if (!passphrase) {
      PARLEY_TRY_ASSIGN(passphrase,
                        AskSecret("Passphrase of " + Harmless(settings_.profile) + ": "));
    }
  }
  return passphrase;
}

Status Session::OpenProfile() {
  PARLEY_TRY_ASSIGN(const std::optional<SecretText> passphrase, CurrentPassphrase());
  if (!passphrase && !settings_.passphrase_file.empty()) {
    Note("the profile has no passphrase: --passphrase-file was not used");
  }
  PARLEY_TRY_ASSIGN(profile_,
                    Profile::Open(settings_.profile,
                                  passphrase ? std::optional<std::string_view>(passphrase->Reveal())
                                             : std::nullopt));
  return {};
}

Result<Profile*> Session::profile() {
  if (!profile_) PARLEY_TRY(OpenProfile());
  return &*profile_;
}

Status Session::Refresh(const std::optional<CaseId>& id, Purpose purpose) {
  if (settings_.offline) return {};
  PARLEY_TRY_ASSIGN(Profile* const opened, profile());
  SyncOptions options;
  options.case_id = id;
  const Result<SyncReport> report = opened->Sync(options);
  if (!report.ok()) {
    if (report.status().code() != StatusCode::kUnavailable) return report.status();
    unreached_ = report.status().message();
    Note(report.status().message() +
         (purpose == Purpose::kShow ? ". Showing what was received before." : ""));
    return {};
  }
  for (const Problem& problem : report->problems) Note(problem.status.message());
  if (report->messages_never_sent > 0) {
    Note(
        std::to_string(report->messages_never_sent) +
        " of your messages can never be sent: you were put out of the channel, or somebody came to "
        "read it, before; \"parley read\" shows what and why");
  }
  return {};
}

Result<std::vector<Alarm>> Session::GraveAlarms(const CaseId& id) {
  PARLEY_TRY_ASSIGN(std::vector<Alarm> alarms, profile_->Alarms(id));
  std::erase_if(alarms, [](const Alarm& alarm) { return !IsGrave(alarm.kind); });
  return alarms;
}

Status Session::NoteAlarms(const CaseId& id, const std::string& where) {
  PARLEY_TRY_ASSIGN(const std::vector<Alarm> alarms, GraveAlarms(id));
  for (const Alarm& alarm : alarms) Note("warning: " + where + alarm.text);
  return {};
}

Result<Case> Session::OpenCase(const std::string& text, Purpose purpose) {
  PARLEY_TRY_ASSIGN(Profile* const opened, profile());
  PARLEY_TRY_ASSIGN(const Case found, opened->FindCase(text));
  PARLEY_TRY(Refresh(found.id, purpose));
  PARLEY_TRY(NoteAlarms(found.id));
  return opened->GetCase(found.id);
}

Result<Channel> Session::OpenChannel(const Case& info, const std::string& channel_text) {
  PARLEY_TRY_ASSIGN(Profile* const opened, profile());
  return opened->FindChannel(info.id, channel_text);
}

Status Session::Explained(const Status& failure) const {
  if (failure.code() != StatusCode::kNotFound || unreached_.empty()) return failure;
  return Status(
      failure.code(),
      failure.message() + "; it was looked for in what was received before: " + unreached_);
}

void Session::Note(std::string text) {
  if (std::find(notes_.begin(), notes_.end(), text) == notes_.end()) {
    notes_.push_back(std::move(text));
  }
}

}  // namespace parley::cli

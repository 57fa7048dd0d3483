#include "client-lib/api/profile_impl.h"

#include <algorithm>
#include <ctime>
#include <filesystem>

#include "client-lib/api/carried_files.h"
#include "client-lib/api/find.h"
#include "client-lib/api/status_conversion.h"
#include "client-lib/cases/connection.h"
#include "client-lib/cases/membership.h"
#include "client-lib/cases/opening.h"
#include "client-lib/channels/names.h"
#include "client-lib/firewall/offer_log.h"
#include "client-lib/pairing/device.h"
#include "client-lib/pairing/invitation_code.h"

namespace parley {
namespace {

using client::CaseContext;
using client::CaseView;
using client::ReadTransaction;

constexpr char kProfileRecord[] = "profile";

struct ProfileRecord {
  std::string name;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.name);
  }
};

std::optional<crypto::Secret> SecretOf(std::optional<std::string_view> passphrase) {
  if (!passphrase.has_value()) return std::nullopt;
  return crypto::Secret::CopyOf(crypto::ViewOf(*passphrase));
}

uint64_t Now() { return static_cast<uint64_t>(std::time(nullptr)); }

}  // namespace

// ---- Opening ----

absl::StatusOr<std::shared_ptr<Profile::Impl>> Profile::Impl::Create(
    const std::string& folder, std::string_view name, std::optional<std::string_view> passphrase) {
  PARLEY_RETURN_IF_ERROR(client::CheckName("the name", name));
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::absolute(folder, error).parent_path();
  if (!error) std::filesystem::create_directories(parent, error);
  if (error) {
    return client::FileError("the folder for the profile can't be made: " + error.message());
  }
  PARLEY_ASSIGN_OR_RETURN(std::unique_ptr<Store> store,
                          Store::Create(folder, SecretOf(passphrase)));
  PARLEY_ASSIGN_OR_RETURN(client::Transaction step, store->Begin());
  PARLEY_RETURN_IF_ERROR(client::PutRecord(step, client::RecordClass::kContent, kProfileRecord,
                                           ProfileRecord{std::string(name)}));
  PARLEY_RETURN_IF_ERROR(step.Commit());
  return std::shared_ptr<Impl>(
      new Impl(std::move(store), std::filesystem::absolute(folder, error), std::string(name)));
}

absl::StatusOr<std::shared_ptr<Profile::Impl>> Profile::Impl::Open(
    const std::string& folder, std::optional<std::string_view> passphrase) {
  absl::StatusOr<std::unique_ptr<Store>> store = Store::Open(folder, SecretOf(passphrase));
  if (absl::IsPermissionDenied(store.status())) {
    return absl::UnauthenticatedError(std::string(store.status().message()));
  }
  PARLEY_RETURN_IF_ERROR(store.status());
  std::optional<ProfileRecord> record;
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, (*store)->Read());
    PARLEY_ASSIGN_OR_RETURN(record, client::GetRecord<ProfileRecord>(
                                        read, client::RecordClass::kContent, kProfileRecord));
  }
  if (!record.has_value()) {
    return absl::DataLossError(
        "the profile is incomplete: making it was interrupted; delete its folder and make it anew");
  }
  // Documents in the clear that a killed process left.
  client::SweepCarriedFiles(folder);
  std::error_code error;
  return std::shared_ptr<Impl>(new Impl(std::move(*store), std::filesystem::absolute(folder, error),
                                        std::move(record->name)));
}

absl::Status Profile::Impl::ChangePassphrase(std::optional<std::string_view> current,
                                             std::optional<std::string_view> next) {
  const absl::Status changed = store_->ChangePassphrase(SecretOf(current), SecretOf(next));
  if (absl::IsPermissionDenied(changed)) {
    return absl::UnauthenticatedError(std::string(changed.message()));
  }
  return absl::IsAborted(changed) ? absl::UnavailableError(std::string(changed.message()))
                                  : changed;
}

// ---- Contexts ----

CaseContext Profile::Impl::LocalContext(const CaseId& id) {
  CaseContext context;
  context.store = store_.get();
  context.now_seconds = Now;
  context.id = id;
  return context;
}

absl::StatusOr<client::CaseRecord> Profile::Impl::LoadCase(const CaseId& id) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  return LocalContext(id).Records().Case(read);
}

absl::StatusOr<Profile::Impl::Connected> Profile::Impl::ConnectTo(
    const client::ConnectionInfo& relay, const CaseId& id, client::Patience patience) {
  Connected connected;
  PARLEY_ASSIGN_OR_RETURN(connected.relay, relays_.Get(relay, patience));
  connected.context = LocalContext(id);
  connected.context.relay = connected.relay->client.get();
  connected.context.mailboxes = &connected.relay->mailboxes;
  return connected;
}

absl::StatusOr<Profile::Impl::Connected> Profile::Impl::Connect(const CaseId& id,
                                                                client::Patience patience) {
  PARLEY_ASSIGN_OR_RETURN(client::CaseRecord record, LoadCase(id));
  return ConnectTo(record.Relay(), id, patience);
}

absl::Status Profile::Impl::SyncAfter(const Connected& connected,
                                      std::vector<client::CaseProblem>* problems) {
  PARLEY_ASSIGN_OR_RETURN(client::CaseSyncResult result, client::SyncCase(connected.context));
  if (problems != nullptr) *problems = result.problems;
  for (const client::CaseProblem& problem : result.problems) {
    if (!problem.channel.has_value() && !absl::IsFailedPrecondition(problem.status)) {
      return problem.status;
    }
  }
  return absl::OkStatus();
}

// ---- Looking ----

absl::StatusOr<std::vector<Case>> Profile::Impl::Cases() {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  PARLEY_ASSIGN_OR_RETURN(std::vector<CaseId> ids, client::CaseRecords::List(read));
  std::vector<Case> cases;
  for (const CaseId& id : ids) {
    PARLEY_ASSIGN_OR_RETURN(Case view, client::ViewCase(read, LocalContext(id)));
    cases.push_back(std::move(view));
  }
  return cases;
}

absl::StatusOr<Case> Profile::Impl::GetCase(const CaseId& id) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  return client::ViewCase(read, LocalContext(id));
}

absl::StatusOr<Case> Profile::Impl::FindCase(std::string_view text) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<Case> cases, Cases());
  return client::PickCase(cases, text);
}

absl::StatusOr<std::vector<Participant>> Profile::Impl::Participants(const CaseId& id) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  return client::ViewParticipants(read, LocalContext(id));
}

absl::StatusOr<Participant> Profile::Impl::FindParticipant(const CaseId& id,
                                                           std::string_view text) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<Participant> participants, Participants(id));
  return client::PickParticipant(participants, text);
}

absl::StatusOr<std::vector<Channel>> Profile::Impl::Channels(const CaseId& id) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  PARLEY_ASSIGN_OR_RETURN(CaseView view, CaseView::Create(read, LocalContext(id)));
  return view.Channels(read);
}

absl::StatusOr<Channel> Profile::Impl::GetChannel(const ChannelRef& channel) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  PARLEY_ASSIGN_OR_RETURN(CaseView view, CaseView::Create(read, LocalContext(channel.case_id)));
  return view.Channel(read, channel.channel_id);
}

absl::StatusOr<Channel> Profile::Impl::FindChannel(const CaseId& id, std::string_view text) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<Channel> channels, Channels(id));
  if (channels.empty()) {
    PARLEY_ASSIGN_OR_RETURN(client::CaseRecord record, LoadCase(id));
    if (record.own_state == ParticipantState::kWaiting) {
      return absl::FailedPreconditionError(
          "you are waiting for approval; until the mediator has approved you there are no "
          "channels");
    }
  }
  return client::PickChannel(channels, text);
}

absl::StatusOr<std::vector<Message>> Profile::Impl::Read(const ChannelRef& channel,
                                                         const Page& page) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  PARLEY_ASSIGN_OR_RETURN(CaseView view, CaseView::Create(read, LocalContext(channel.case_id)));
  PARLEY_RETURN_IF_ERROR(view.Channel(read, channel.channel_id).status());
  return view.Messages(read, channel.channel_id, page);
}

absl::StatusOr<std::vector<Message>> Profile::Impl::Unsent(const ChannelRef& channel) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  PARLEY_ASSIGN_OR_RETURN(CaseView view, CaseView::Create(read, LocalContext(channel.case_id)));
  PARLEY_RETURN_IF_ERROR(view.Channel(read, channel.channel_id).status());
  return view.Unsent(read, channel.channel_id);
}

absl::StatusOr<std::vector<Message>> Profile::Impl::NeverSent(const ChannelRef& channel) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  PARLEY_ASSIGN_OR_RETURN(CaseView view, CaseView::Create(read, LocalContext(channel.case_id)));
  PARLEY_RETURN_IF_ERROR(view.Channel(read, channel.channel_id).status());
  return view.NeverSent(read, channel.channel_id);
}

absl::StatusOr<std::vector<Document>> Profile::Impl::Documents(const ChannelRef& channel,
                                                               const Page& page) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  PARLEY_ASSIGN_OR_RETURN(CaseView view, CaseView::Create(read, LocalContext(channel.case_id)));
  PARLEY_RETURN_IF_ERROR(view.Channel(read, channel.channel_id).status());
  return view.Documents(read, channel.channel_id, page);
}

absl::StatusOr<Document> Profile::Impl::FindDocument(const ChannelRef& channel,
                                                     std::string_view text) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<Document> documents, Documents(channel));
  return client::PickDocument(documents, text);
}

absl::StatusOr<std::vector<Alarm>> Profile::Impl::Alarms(const CaseId& id) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  return client::ViewAlarms(read, LocalContext(id));
}

// ---- Who takes part ----

absl::StatusOr<CaseId> Profile::Impl::CreateCase(std::string_view title,
                                                 std::string_view connection,
                                                 const CaseOptions& asked) {
  client::NewCase options;
  options.with_procedure = asked.with_procedure;
  options.title = std::string(title);
  options.own_name = name_;
  PARLEY_ASSIGN_OR_RETURN(options.connection, client::ParseConnectionString(connection));
  PARLEY_ASSIGN_OR_RETURN(Connected connected, ConnectTo(options.connection.relay, CaseId()));
  PARLEY_ASSIGN_OR_RETURN(CaseId id, client::CreateCase(connected.context, options));
  connected.context.id = id;
  // The case is there; a relay that goes away now is told of the channels by the next sync.
  const absl::Status synced = SyncAfter(connected);
  if (!synced.ok() && !absl::IsUnavailable(synced) && !absl::IsDeadlineExceeded(synced)) {
    return synced;
  }
  return id;
}

absl::Status Profile::Impl::ChangeConnection(const CaseId& id, std::string_view connection) {
  PARLEY_ASSIGN_OR_RETURN(const client::ConnectionString parsed,
                          client::ParseConnectionString(connection));
  PARLEY_ASSIGN_OR_RETURN(Connected connected, Connect(id));
  PARLEY_RETURN_IF_ERROR(client::ChangeConnection(connected.context, parsed));
  // It is stored; a relay that goes away now is told by the next sync.
  const absl::Status synced = SyncAfter(connected);
  if (absl::IsUnavailable(synced) || absl::IsDeadlineExceeded(synced)) return absl::OkStatus();
  return synced;
}

absl::StatusOr<Invitation> Profile::Impl::Invite(const CaseId& id,
                                                 const InvitationRequest& request) {
  PARLEY_ASSIGN_OR_RETURN(Connected connected, Connect(id));
  absl::StatusOr<Invitation> made = client::Invite(connected.context, request);
  if (!absl::IsAborted(made.status())) return made;
  PARLEY_RETURN_IF_ERROR(SyncAfter(connected));
  return client::Invite(connected.context, request);
}

absl::StatusOr<CaseId> Profile::Impl::Join(std::string_view invitation) {
  PARLEY_ASSIGN_OR_RETURN(client::InvitationCode code, client::ParseInvitation(invitation));
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(std::optional<CaseId> joined, client::FindJoined(read, code));
    if (joined.has_value()) return *joined;
  }
  if (code.expires_at <= Now()) {
    return absl::FailedPreconditionError("the invitation expired on " +
                                         client::DateText(code.expires_at) +
                                         "; ask the mediator for a new one");
  }
  PARLEY_ASSIGN_OR_RETURN(Connected connected,
                          ConnectTo({code.relay_address, code.relay_identity}, CaseId()));
  return client::JoinCase(connected.context, code);
}

absl::Status Profile::Impl::Decide(const CaseId& id,
                                   const std::function<absl::Status(const CaseContext&)>& decide,
                                   std::vector<client::CaseProblem>* problems) {
  const CaseContext local = LocalContext(id);
  absl::Status decided = decide(local);
  absl::StatusOr<Connected> connected = Connect(id);
  if (!decided.ok()) {
    // What is stored here may be behind: somebody may have joined, or come into a channel.
    const bool may_be_behind = absl::IsFailedPrecondition(decided) || absl::IsNotFound(decided);
    if (!may_be_behind || !connected.ok() || !client::SyncCase(connected->context).ok()) {
      return decided;
    }
    PARLEY_RETURN_IF_ERROR(decide(local));
  }
  const absl::Status synced = connected.ok() ? SyncAfter(*connected, problems) : connected.status();
  if (!absl::IsUnavailable(synced) && !absl::IsDeadlineExceeded(synced)) return synced;
  return absl::UnavailableError(std::string(synced.message()) +
                                "; the decision is stored, and the next sync carries it out");
}

absl::Status Profile::Impl::CheckCarriedOut(const CaseId& id, const ParticipantId& participant,
                                            bool put_out,
                                            const std::vector<client::CaseProblem>& problems) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  PARLEY_ASSIGN_OR_RETURN(CaseView view, CaseView::Create(read, LocalContext(id)));
  PARLEY_ASSIGN_OR_RETURN(std::vector<Alarm> alarms, client::ViewAlarms(read, LocalContext(id)));
  absl::StatusCode code = absl::StatusCode::kFailedPrecondition;
  std::string due;
  for (const Alarm& alarm : alarms) {
    if (alarm.kind != AlarmKind::kJobWaiting || alarm.participant != participant) continue;
    std::string why = "it has to wait for an earlier change or for another neutral";
    bool went_wrong = false;
    for (const client::CaseProblem& problem : problems) {
      if (problem.channel != alarm.channel->channel_id) continue;
      why = std::string(problem.status.message());
      code = problem.status.code();
      went_wrong = true;
    }
    if (!went_wrong && !put_out) continue;
    PARLEY_ASSIGN_OR_RETURN(const Channel channel, view.Channel(read, alarm.channel->channel_id));
    due += (due.empty() ? "" : "; ") + channel.name + " (" + why + ")";
  }
  if (due.empty()) return absl::OkStatus();
  std::string name = "the participant";
  PARLEY_ASSIGN_OR_RETURN(const std::vector<Participant> people,
                          client::ViewParticipants(read, LocalContext(id)));
  for (const Participant& person : people) {
    if (person.id == participant) name = person.name;
  }
  return absl::Status(
      code, name +
                (put_out ? " is still in, and can read what is said there: "
                         : " takes part, but isn't yet in: ") +
                due + ". The decision is stored and stays due: each sync goes on with it");
}

absl::Status Profile::Impl::Approve(const CaseId& id, const ParticipantId& participant) {
  std::vector<client::CaseProblem> problems;
  PARLEY_RETURN_IF_ERROR(Decide(
      id, [&](const CaseContext& context) { return client::Approve(context, participant); },
      &problems));
  return CheckCarriedOut(id, participant, /*put_out=*/false, problems);
}

absl::Status Profile::Impl::MarkCompared(const CaseId& id, const ParticipantId& participant) {
  return client::MarkCompared(LocalContext(id), participant);
}

absl::Status Profile::Impl::MarkSeen(const CaseId& id) {
  PARLEY_RETURN_IF_ERROR(client::SettleAlarms(LocalContext(id)));
  PARLEY_RETURN_IF_ERROR(client::SettleRefusedDisclosures(LocalContext(id)));
  PARLEY_RETURN_IF_ERROR(client::SettleRefusedReleases(LocalContext(id)));
  return client::SettleRefusedOffers(LocalContext(id));
}

absl::Status Profile::Impl::Remove(const CaseId& id, const ParticipantId& participant) {
  std::vector<client::CaseProblem> problems;
  const absl::Status decided = Decide(
      id,
      [&](const CaseContext& context) { return client::RemoveParticipant(context, participant); },
      &problems);
  // Whoever is still in is named before whatever else went wrong in a sync that was made.
  if (decided.ok() || !problems.empty()) {
    PARLEY_RETURN_IF_ERROR(CheckCarriedOut(id, participant, /*put_out=*/true, problems));
  }
  // A full quota keeps what is due beside it, such as telling them, for a later sync.
  if (!problems.empty() && absl::IsResourceExhausted(decided)) return absl::OkStatus();
  return decided;
}

absl::Status Profile::Impl::Leave(const CaseId& id) {
  return Decide(id, [](const CaseContext& context) { return client::LeaveCase(context); });
}

absl::Status Profile::Impl::Reopen(const ChannelRef& channel) {
  PARLEY_ASSIGN_OR_RETURN(Connected connected, Connect(channel.case_id));
  // A mailbox that the relay has lost isn't halted: it is found out by asking.
  const absl::Status found = connected.context.Channel(channel.channel_id).Sync().status();
  PARLEY_RETURN_IF_ERROR(client::ReopenChannel(connected.context, channel.channel_id,
                                               /*mailbox_lost=*/absl::IsNotFound(found)));
  return SyncAfter(connected);
}

}  // namespace parley

#include "client-lib/cases/session_work.h"

#include <algorithm>
#include <memory>

#include "client-lib/cases/naming.h"
#include "client-lib/cases/procedure_gate.h"
#include "client-lib/cases/procedure_work.h"
#include "client-lib/content/parse.h"

namespace parley::client {
namespace {

using content::v1::Content;

// "case/<id>/session".
struct SessionSeenRecord {
  uint64_t passed_over_seen = 0;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.passed_over_seen);
  }
};

std::string Name(const CaseContext& context) {
  return "case/" + context.id.ToString() + "/session";
}

absl::StatusOr<std::vector<ChannelMessage>> SessionMessages(const ReadTransaction& step,
                                                            const CaseContext& context,
                                                            const ChannelId& joint) {
  MessageQuery query;
  query.kinds = {ContentKind::kSession};
  return context.Channel(joint).Messages(step, query);
}

// The joint channel that counts, if this device has it.
absl::StatusOr<std::optional<ChannelId>> JointHere(const ReadTransaction& step,
                                                   const CaseContext& context,
                                                   const CaseRecord& record) {
  PARLEY_ASSIGN_OR_RETURN(const ChannelChoice choice, ChannelChoice::Load(step, context));
  const std::optional<ChannelId> joint = choice.Of(ChannelKind::kJoint);
  const bool here = joint.has_value() && std::find(record.channels.begin(), record.channels.end(),
                                                   *joint) != record.channels.end();
  return here ? joint : std::nullopt;
}

uint64_t ToldNumber(const std::vector<ChannelMessage>& messages, const SessionLog& log) {
  if (messages.empty()) return 0;
  uint64_t told = messages.front().number;
  for (const SessionLog::Step& step : log.steps()) {
    if (!step.standing || !step.refused.empty()) continue;
    for (const ChannelMessage& message : messages) {
      const JointPosition at{message.incarnation, message.position};
      if (at == step.at) told = std::max(told, message.number);
    }
  }
  return told;
}

// Whether an own standing waits to be sent.
absl::StatusOr<bool> StandingWaits(const ReadTransaction& step, const CaseContext& context,
                                   const ChannelId& joint) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<ChannelMessage> unsent, context.Channel(joint).Unsent(step));
  return std::any_of(unsent.begin(), unsent.end(), [](const ChannelMessage& message) {
    Content content;
    return message.kind == ContentKind::kSession &&
           ParseFromPeer(content, message.content.Reveal()) && content.has_session_standing();
  });
}

// Whether somebody is in the joint channel who has come since it was last told.
bool OwesStanding(const ChannelInfo& info, const LoadedSession& session) {
  if (session.told_number == 0 || !session.log.is_based()) return false;
  return std::any_of(info.since.begin(), info.since.end(), [&](const MemberSince& since) {
    return since.number > session.told_number &&
           info.state.FindMember(since.participant_id) != nullptr;
  });
}

bool IsTooLong(const Content& standing) {
  return standing.ByteSizeLong() + 1024 > kMaxContentBytes;
}

}  // namespace

absl::StatusOr<std::optional<LoadedSession>> LoadSession(const ReadTransaction& step,
                                                         const CaseContext& context,
                                                         const LoadedProcedure* procedure) {
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  PARLEY_ASSIGN_OR_RETURN(const std::optional<ChannelId> joint, JointHere(step, context, record));
  if (!joint.has_value()) return std::optional<LoadedSession>();
  PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context.Channel(*joint).Info(step));
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> messages,
                          SessionMessages(step, context, *joint));
  std::vector<LoggedRecord> records;
  for (const ChannelMessage& message : messages) {
    const ByteView content = message.content.Reveal();
    records.push_back({{message.incarnation, message.position},
                       ActorOf(message.author),
                       Bytes(content.begin(), content.end())});
  }
  std::optional<LoadedProcedure> own_procedure;
  if (procedure == nullptr) {
    PARLEY_ASSIGN_OR_RETURN(own_procedure, LoadProcedure(step, context));
    procedure = own_procedure.has_value() ? &*own_procedure : nullptr;
  }
  PARLEY_ASSIGN_OR_RETURN(const JointPosition joined, JoinedJoint(step, context, record, info));
  const SessionGate gate = procedure == nullptr ? NoGate() : GateOf(procedure->log);
  LoadedSession loaded{*joint,
                       {},
                       {},
                       {info.state.incarnation, info.head.position},
                       SessionLog::Play(records, joined, gate,
                                        procedure == nullptr ? Rests() : RestsOf(procedure->log)),
                       {},
                       0};
  for (const RosterMember& member : info.state.members) {
    loaded.roster.push_back(ActorOf(member));
    if (member.participant_id == record.own_id) loaded.self = ActorOf(member);
  }
  if (procedure != nullptr) {
    loaded.missing = MissingText(
        procedure->log.At(loaded.head).KeepsFromTalk(loaded.self.id, ChannelKind::kJoint, ""));
  }
  std::sort(loaded.roster.begin(), loaded.roster.end());
  loaded.told_number = ToldNumber(messages, loaded.log);
  return loaded;
}

absl::StatusOr<MessageId> QueueSessionRecord(Transaction& step, const CaseContext& context,
                                             const Content& content, Readers readers) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<LoadedProcedure> procedure, LoadProcedure(step, context));
  PARLEY_ASSIGN_OR_RETURN(
      std::optional<LoadedSession> session,
      LoadSession(step, context, procedure.has_value() ? &*procedure : nullptr));
  if (!session.has_value() || session->self.id.is_zero()) {
    return absl::FailedPreconditionError(
        "you aren't in the joint channel yet; the mediator has to let you in first");
  }
  Content probe = content;
  if (probe.message_id().empty()) probe.set_message_id(ToField(RandomId<MessageId>()));
  const SessionRecord record{*IdFrom<MessageId>(probe.message_id()), session->self,
                             static_cast<int64_t>(context.now_seconds())};
  SessionState state = session->log.state();
  if (!RoleAllows(session->self, probe)) {
    return absl::PermissionDeniedError("you " + state.Take(record, probe));
  }
  std::string refusal;
  if (procedure.has_value()) {
    refusal = GateOf(procedure->log)(session->self, session->head);
    PARLEY_ASSIGN_OR_RETURN(const std::vector<CaseProcedure::Missing> missing,
                            KeepsFromTalk(step, context, *procedure, session->joint));
    if (refusal.empty() && !missing.empty()) {
      refusal = "may not lead or answer anything yet; missing is: " + missing.front().who + " " +
                missing.front().what;
    }
  }
  if (refusal.empty()) refusal = state.Take(record, probe);
  if (refusal.empty()) {
    if (IsNeutral(session->self.role) && !session->log.was_told()) {
      Content beginning;
      *beginning.mutable_session_standing() = session->log.state().Standing(session->head);
      PARLEY_RETURN_IF_ERROR(context.Channel(session->joint).Queue(step, beginning).status());
    }
    return context.Channel(session->joint).Queue(step, probe, readers);
  }
  if (!session->log.is_based()) {
    return absl::FailedPreconditionError(
        "this device may not know yet how the session stands: sync when a mediator has been online "
        "(as far as is known here, you " +
        refusal + ")");
  }
  return absl::FailedPreconditionError("you " + refusal);
}

absl::StatusOr<bool> RunSessionErrands(Transaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  PARLEY_ASSIGN_OR_RETURN(const std::optional<ChannelId> joint, JointHere(step, context, record));
  if (!joint.has_value()) return false;
  PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context.Channel(*joint).Info(step));
  PARLEY_RETURN_IF_ERROR(NoteJoining(step, context, info));
  if (!record.IsNeutral()) return false;
  if (info.standing != Standing::kActive || info.leaving) return false;
  PARLEY_ASSIGN_OR_RETURN(std::optional<LoadedSession> session, LoadSession(step, context));
  if (!OwesStanding(info, *session)) return false;
  PARLEY_ASSIGN_OR_RETURN(const bool waits, StandingWaits(step, context, *joint));
  if (waits) return false;
  Content content;
  *content.mutable_session_standing() = session->log.state().Standing(session->head);
  if (IsTooLong(content)) return false;  // CantTell says so
  PARLEY_RETURN_IF_ERROR(context.Channel(*joint).Queue(step, content).status());
  return true;
}

absl::StatusOr<bool> CantTell(const ReadTransaction& step, const CaseContext& context,
                              const LoadedSession& session) {
  if (!IsNeutral(session.self.role)) return false;
  PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context.Channel(session.joint).Info(step));
  if (!OwesStanding(info, session)) return false;
  Content content;
  *content.mutable_session_standing() = session.log.state().Standing(session.head);
  return IsTooLong(content);
}

namespace {

// Whether own texts and documents must wait, and as of which place of the log that was found: it
// changes with the log alone, and many may wait.
struct Found {
  ChannelId channel;
  JointPosition head;
  bool holds = false;
};

// Whether the floor is somebody else's, or the procedure keeps the owner from speaking.
absl::StatusOr<bool> MustWait(const ReadTransaction& step, const CaseContext& context,
                              const ChannelId& channel) {
  // Most cases have nothing of a session: then no history is played.
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> messages,
                          SessionMessages(step, context, channel));
  if (messages.empty()) return false;
  PARLEY_ASSIGN_OR_RETURN(std::optional<LoadedSession> session, LoadSession(step, context));
  if (!session.has_value() || session->joint != channel) return false;
  const SessionFloor* const floor = session->log.FloorAt(session->head);
  return (floor != nullptr && !floor->MaySpeak(session->self)) || !session->missing.empty();
}

}  // namespace

HoldBack CaseContext::Holds() const {
  return [context = *this, found = std::make_shared<Found>()](
             const ReadTransaction& step, const ChannelId& channel,
             const Content& content) -> absl::StatusOr<bool> {
    if (!content.has_text() && !content.has_document()) return false;
    PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
    if (record.IsNeutral()) return false;
    PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context.Channel(channel).Info(step));
    if (info.state.kind != ChannelKind::kJoint) return false;
    const JointPosition head{info.state.incarnation, info.head.position};
    if (found->channel == channel && found->head == head) return found->holds;
    PARLEY_ASSIGN_OR_RETURN(const bool holds, MustWait(step, context, channel));
    *found = {channel, head, holds};
    return holds;
  };
}

absl::StatusOr<uint64_t> SeenOfSession(const ReadTransaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(const std::optional<SessionSeenRecord> record,
                          GetRecord<SessionSeenRecord>(step, RecordClass::kContent, Name(context)));
  return record.has_value() ? record->passed_over_seen : 0;
}

absl::Status SettleSession(Transaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<LoadedSession> session, LoadSession(step, context));
  if (!session.has_value() || !session->log.is_based()) return absl::OkStatus();
  SessionSeenRecord record;
  for (const SessionLog::Step& passed : session->log.steps()) {
    record.passed_over_seen += passed.refused.empty() ? 0 : 1;
  }
  return PutRecord(step, RecordClass::kContent, Name(context), record);
}

}  // namespace parley::client

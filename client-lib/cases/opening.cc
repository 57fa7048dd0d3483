#include "client-lib/cases/opening.h"

#include <ctime>

#include "client-lib/cases/key_stock.h"
#include "client-lib/cases/procedure_work.h"
#include "client-lib/channels/names.h"
#include "client-lib/pairing/device.h"
#include "client-lib/pairing/inviting.h"
#include "client-lib/pairing/rendezvous.h"
#include "crypto/primitives/random.h"

namespace parley::client {
namespace {

// Append keys of the own inbox that go to the inviter with the first hello: its own, and those to
// hand on to other neutrals (for a neutral: to the participants, too).
constexpr size_t kSeedsOfNeutral = 12;
constexpr size_t kSeedsOfOthers = 8;

CaseRecord RecordOf(const CaseId& id, const std::string& title, const OwnDevice& device,
                    const ConnectionInfo& relay, uint64_t now) {
  CaseRecord record;
  record.id = id;
  record.title = title;
  record.own_id = device.participant_id;
  record.created_at = now;
  record.relay_address = relay.address;
  record.relay_identity = relay.identity_key;
  return record;
}

absl::Status OpenChannel(Transaction& step, const CaseContext& context, CaseRecord& record,
                         const OwnDevice& device, ChannelKind kind) {
  NewChannel options;
  options.case_id = record.id;
  options.kind = kind;
  options.self = OwnCredential(device);
  options.name = record.own_name;
  options.role = record.own_role;
  options.payment = {Credential::Kind::kSponsorToken, record.sponsor_token.Clone()};
  const ChannelId id = RandomId<ChannelId>();
  PARLEY_RETURN_IF_ERROR(context.Channel(id).Create(step, std::move(options)));
  record.channels.push_back(id);
  if (kind != ChannelKind::kNeutrals) {
    record.named.push_back({id, static_cast<uint8_t>(kind), {}, {device.participant_id}});
  }
  return absl::OkStatus();
}

absl::Status UsedBefore() {
  return absl::AlreadyExistsError(
      "the invitation was used before, by you on another machine or by somebody else; the mediator "
      "sees an alarm: speak with them and ask for a new one");
}

absl::Status Expired(uint64_t when) {
  return absl::FailedPreconditionError("the invitation expired on " + DateText(when) +
                                       "; ask the mediator for a new one");
}

// Whether entries after the inviter's, up to `before`, hold somebody else's answer.
bool AnsweredBefore(const InvitationCode& code, const std::vector<Entry>& entries,
                    const AppendId& own, uint64_t before) {
  for (const Entry& entry : entries) {
    if (entry.position >= 2 && entry.position < before && entry.append_id != own &&
        IsInviteeHello(code, entry.payload)) {
      return true;
    }
  }
  return false;
}

absl::StatusOr<std::vector<Entry>> ReadOrExplain(const CaseContext& context,
                                                 const InvitationCode& code) {
  absl::StatusOr<std::vector<Entry>> entries = ReadRendezvous(*context.relay, code);
  if (absl::IsNotFound(entries.status())) {
    if (code.expires_at <= context.now_seconds()) return Expired(code.expires_at);
    return absl::FailedPreconditionError(
        "the invitation was withdrawn, or the relay no longer has it; ask the mediator for a new "
        "one");
  }
  if (entries.ok() && entries->empty()) {
    return absl::DataLossError("the relay holds back the invitation's first entry");
  }
  return entries;
}

template <typename Table>
absl::Status DeleteAll(Transaction& step, const Table& table) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<std::string> keys, table.Keys(step));
  for (const std::string& key : keys) PARLEY_RETURN_IF_ERROR(table.Delete(step, key));
  return absl::OkStatus();
}

// Forgets a case that this profile has joined, but never came into a channel of.
absl::Status Forget(Transaction& step, const CaseContext& context, ByteView rendezvous_id) {
  PARLEY_RETURN_IF_ERROR(CaseRecords::DeleteJoin(step, rendezvous_id));
  PARLEY_RETURN_IF_ERROR(context.Records().DeleteCase(step));
  PARLEY_RETURN_IF_ERROR(DeleteAll(step, context.Records().deferred));
  const PairingRecords records = context.Pairings();
  PARLEY_RETURN_IF_ERROR(DeleteAll(step, records.pairings));
  PARLEY_RETURN_IF_ERROR(DeleteAll(step, records.own_key_packages));
  PARLEY_RETURN_IF_ERROR(DeleteAll(step, records.traffic));
  PARLEY_RETURN_IF_ERROR(DeleteAll(step, records.unconfirmed));
  return DeleteAll(step, records.outbox);
}

absl::StatusOr<std::string> InviterOf(const ReadTransaction& step, const CaseContext& context,
                                      const CaseRecord& record) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<Pairing> pairing,
                          context.Pairings().PairingWith(step, record.inviter));
  if (!pairing.has_value()) return std::string("somebody who has gone");
  PARLEY_ASSIGN_OR_RETURN(const content::v1::DeviceCard card, ParseCard(pairing->peer_card));
  return card.name();
}

// Any member knows the case's id, and could keep somebody out of it by an invitation of their own.
// So an earlier one that led into no channel gives way. Gives whose it was; empty for none.
// Errors: AlreadyExists when this profile is in the case.
absl::StatusOr<std::string> MakeWay(Transaction& step, const CaseContext& context) {
  const absl::StatusOr<CaseRecord> earlier = context.Records().Case(step);
  if (absl::IsNotFound(earlier.status())) return std::string();
  PARLEY_RETURN_IF_ERROR(earlier.status());
  if (earlier->inviter.is_zero()) {
    return absl::AlreadyExistsError("this profile takes part in the case already: it created it");
  }
  PARLEY_ASSIGN_OR_RETURN(std::string inviter, InviterOf(step, context, *earlier));
  const bool never_in =
      earlier->channels.empty() && earlier->own_state != ParticipantState::kApproved;
  if (!never_in) {
    return absl::AlreadyExistsError("this profile takes part in the case already, invited by " +
                                    inviter + "; to join it a second time, use another profile");
  }
  PARLEY_RETURN_IF_ERROR(Forget(step, context, earlier->joined_with));
  return inviter;
}

// Stores the case in its waiting state together with the answer that is going out.
absl::StatusOr<JoinRecord> Prepare(const CaseContext& profile, const InvitationCode& code,
                                   const ReceivedInvitation& invitation) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, profile.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(std::optional<JoinRecord> begun,
                          CaseRecords::Join(step, code.rendezvous_id));
  if (begun.has_value()) return std::move(*begun);  // by another process in the meantime

  CaseContext context = profile;
  const std::optional<CaseId> id = IdFrom<CaseId>(invitation.hello.case_id());
  if (!id.has_value()) return absl::InvalidArgumentError("an invitation to no case");
  context.id = *id;
  PARLEY_ASSIGN_OR_RETURN(const std::string inviter_before, MakeWay(step, context));
  // The card says the name by which the case knows the owner, as all later records do.
  OwnDevice device = MakeDevice(invitation.hello.invitee_name());
  PARLEY_RETURN_IF_ERROR(BeginProcedure(step, context, device, invitation.hello.with_procedure()));
  const Bytes provisional = crypto::ToBytes("joining");
  const Role role = FromWire(invitation.hello.invitee_role());
  PARLEY_ASSIGN_OR_RETURN(
      std::vector<Secret> seeds,
      TakeSlots(device, IsNeutral(role) ? kSeedsOfNeutral : kSeedsOfOthers, provisional));
  PARLEY_ASSIGN_OR_RETURN(std::vector<Bytes> packages,
                          MakeKeyPackages(step, context, device, provisional, kStockSize));
  PARLEY_ASSIGN_OR_RETURN(Answer answer,
                          AnswerInvitation(code, invitation, device, seeds, packages));
  PassSlots(device, provisional, answer.pairing.id);
  PARLEY_RETURN_IF_ERROR(AssignKeyPackages(step, context, provisional, answer.pairing.id));
  answer.pairing.seeds_out = static_cast<uint16_t>(seeds.size() - 1);
  PARLEY_RETURN_IF_ERROR(context.Pairings().PutDevice(step, device));
  PARLEY_RETURN_IF_ERROR(context.Pairings().PutPairing(step, answer.pairing));

  CaseRecord record = RecordOf(*id, invitation.hello.case_title(), device,
                               {code.relay_address, code.relay_identity}, profile.now_seconds());
  record.own_name = invitation.hello.invitee_name();
  record.own_role = role;
  record.own_side = invitation.hello.invitee_side();
  record.own_state = ParticipantState::kWaiting;
  record.inviter = answer.pairing.peer;
  record.joined_with.assign(code.rendezvous_id.begin(), code.rendezvous_id.end());
  if (!inviter_before.empty()) {
    PARLEY_ASSIGN_OR_RETURN(const std::string inviter, InviterOf(step, context, record));
    record.Refuse("an earlier invitation to this case, by " + inviter_before +
                  ", gave way to this one, by " + inviter + "; ask which of them is genuine");
  }
  PARLEY_RETURN_IF_ERROR(context.Records().PutCase(step, record));

  JoinRecord join;
  join.case_id = *id;
  join.append_id = crypto::RandomArray<16>();
  join.payload = std::move(answer.payload);
  join.secret = code.secret.Clone();
  join.voucher = code.voucher;
  PARLEY_RETURN_IF_ERROR(CaseRecords::PutJoin(step, code.rendezvous_id, join));
  PARLEY_RETURN_IF_ERROR(step.Commit());
  return join;
}

// Forgets a join that didn't come about: somebody else was first.
absl::Status Undo(const CaseContext& context, const InvitationCode& code) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_RETURN_IF_ERROR(Forget(step, context, code.rendezvous_id));
  return step.Commit();
}

absl::Status Finish(const CaseContext& context, const InvitationCode& code) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(std::optional<JoinRecord> join,
                          CaseRecords::Join(step, code.rendezvous_id));
  if (!join.has_value()) return absl::OkStatus();
  join->answered = 1;
  join->payload.clear();
  join->secret = Secret();
  join->voucher.clear();
  PARLEY_RETURN_IF_ERROR(CaseRecords::PutJoin(step, code.rendezvous_id, *join));
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
  record.inbox_made = 1;
  PARLEY_RETURN_IF_ERROR(context.Records().PutCase(step, record));
  return step.Commit();
}

// Makes the inbox and posts the answer; the same bytes each time.
absl::StatusOr<CaseId> SendAnswer(const CaseContext& profile, const InvitationCode& code,
                                  const JoinRecord& join) {
  CaseContext context = profile;
  context.id = join.case_id;
  const absl::Status made =
      context.OwnInbox().Create(*context.relay, Credential::Voucher(join.voucher));
  if (absl::IsUnauthenticated(made)) {
    // The voucher serves once: somebody may have used the invitation. Or its sponsor's string was
    // renewed, or its sponsor removed.
    PARLEY_ASSIGN_OR_RETURN(std::vector<Entry> entries, ReadOrExplain(context, code));
    PARLEY_RETURN_IF_ERROR(Undo(context, code));
    if (AnsweredBefore(code, entries, join.append_id, UINT64_MAX)) return UsedBefore();
    return absl::UnauthenticatedError(
        "the relay doesn't take the invitation's voucher any more; ask for a new invitation (the "
        "relay says: " +
        std::string(made.message()) + ")");
  }
  PARLEY_RETURN_IF_ERROR(made);
  PARLEY_ASSIGN_OR_RETURN(uint64_t position,
                          PostAnswer(*context.relay, code, join.append_id, join.payload));
  if (position > 2) {
    PARLEY_ASSIGN_OR_RETURN(std::vector<Entry> entries, ReadOrExplain(context, code));
    if (AnsweredBefore(code, entries, join.append_id, position)) {
      PARLEY_RETURN_IF_ERROR(Undo(context, code));
      return UsedBefore();
    }
  }
  PARLEY_RETURN_IF_ERROR(Finish(context, code));
  return join.case_id;
}

}  // namespace

std::string DateText(uint64_t seconds) {
  static constexpr const char* kMonths[] = {"January",   "February", "March",    "April",
                                            "May",       "June",     "July",     "August",
                                            "September", "October",  "November", "December"};
  const time_t time = static_cast<time_t>(seconds);
  tm parts{};
  gmtime_r(&time, &parts);
  return std::to_string(parts.tm_mday) + " " + kMonths[parts.tm_mon] + " " +
         std::to_string(parts.tm_year + 1900);
}

absl::StatusOr<CaseId> CreateCase(const CaseContext& profile, const NewCase& options) {
  PARLEY_RETURN_IF_ERROR(CheckName("the title", options.title));
  CaseContext context = profile;
  context.id = RandomId<CaseId>();
  OwnDevice device = MakeDevice(options.own_name);
  PARLEY_ASSIGN_OR_RETURN(GenerationKeys keys, InboxKeys(device, device.slots));
  PARLEY_RETURN_IF_ERROR(context.relay->CreateMailbox(
      Credential::SponsorToken(options.connection.sponsor_token.Reveal()), device.inbox_id, keys));

  CaseRecord record =
      RecordOf(context.id, options.title, device, options.connection.relay, context.now_seconds());
  record.own_name = options.own_name;
  record.own_role = Role::kMediator;
  record.own_state = ParticipantState::kApproved;
  record.inbox_made = 1;
  record.sponsor_token = options.connection.sponsor_token.Clone();
  PersonRecord self;
  self.id = device.participant_id;
  self.name = options.own_name;
  self.role = Role::kMediator;
  self.state = ParticipantState::kApproved;
  self.recorded = ParticipantState::kApproved;
  self.approver = self.id;

  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_RETURN_IF_ERROR(BeginProcedure(step, context, device, options.with_procedure));
  self.card = device.card;
  PARLEY_RETURN_IF_ERROR(context.Pairings().PutDevice(step, device));
  PARLEY_RETURN_IF_ERROR(OpenChannel(step, context, record, device, ChannelKind::kNeutrals));
  PARLEY_RETURN_IF_ERROR(OpenChannel(step, context, record, device, ChannelKind::kJoint));
  if (options.with_procedure) {
    PARLEY_RETURN_IF_ERROR(QueueOpening(step, context, record.channels.back()));
  }
  PARLEY_RETURN_IF_ERROR(context.Records().PutCase(step, record));
  PARLEY_RETURN_IF_ERROR(context.Records().PutPerson(step, self));
  PARLEY_RETURN_IF_ERROR(step.Commit());
  return context.id;
}

absl::StatusOr<std::optional<CaseId>> FindJoined(const ReadTransaction& step,
                                                 const InvitationCode& code) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<JoinRecord> join,
                          CaseRecords::Join(step, code.rendezvous_id));
  if (!join.has_value() || join->answered == 0) return std::optional<CaseId>();
  return std::optional<CaseId>(join->case_id);
}

absl::StatusOr<CaseId> JoinCase(const CaseContext& context, const InvitationCode& code) {
  std::optional<JoinRecord> begun;
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, context.store->Read());
    PARLEY_ASSIGN_OR_RETURN(begun, CaseRecords::Join(read, code.rendezvous_id));
  }
  if (begun.has_value() && begun->answered != 0) return begun->case_id;
  if (code.expires_at <= context.now_seconds()) return Expired(code.expires_at);
  if (!begun.has_value()) {
    PARLEY_ASSIGN_OR_RETURN(std::vector<Entry> entries, ReadOrExplain(context, code));
    absl::StatusOr<ReceivedInvitation> invitation = OpenInvitation(code, entries[0].payload);
    if (absl::IsUnauthenticated(invitation.status())) {
      return absl::UnauthenticatedError(
          "what lies at the relay is not from whoever made this invitation; ask for a new one");
    }
    PARLEY_RETURN_IF_ERROR(invitation.status());
    if (AnsweredBefore(code, entries, {}, UINT64_MAX)) {
      // What is posted pairs nobody; it is how the mediator learns of this.
      const absl::Status posted = PostAnswer(*context.relay, code, crypto::RandomArray<16>(),
                                             AlarmPayload(code, *invitation))
                                      .status();
      if (!posted.ok() && !absl::IsResourceExhausted(posted)) return posted;
      return UsedBefore();
    }
    PARLEY_ASSIGN_OR_RETURN(begun, Prepare(context, code, *invitation));
    if (begun->answered != 0) return begun->case_id;
  }
  return SendAnswer(context, code, *begun);
}

}  // namespace parley::client

#include "client-lib/cases/procedure_work.h"

#include <algorithm>

#include "client-lib/cases/naming.h"
#include "client-lib/cases/participant_listing.h"
#include "client-lib/cases/record_keys.h"
#include "client-lib/channels/coming_back.h"
#include "client-lib/pairing/device.h"
#include "client-lib/procedure/agreement.h"
#include "client-lib/procedure/procedure_table.h"
#include "crypto/primitives/signature.h"

namespace parley::client {
namespace {

using content::v1::Content;

// "case/<id>/procedure".
struct ProcedureRecord {
  uint8_t with_procedure = 0;
  Secret record_seed;  // Ed25519
  uint64_t passed_over_seen = 0;
  // Where this device came into the joint channel first; incarnation 0: not yet, as far as noted.
  uint32_t joined_incarnation = 0;
  uint64_t joined_position = 0;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.with_procedure, self.record_seed, self.passed_over_seen,
                    self.joined_incarnation, self.joined_position);
  }
};

std::string Name(const CaseContext& context, const char* what) {
  return "case/" + context.id.ToString() + "/" + what;
}

absl::StatusOr<std::optional<ProcedureRecord>> Load(const ReadTransaction& step,
                                                    const CaseContext& context) {
  return GetRecord<ProcedureRecord>(step, RecordClass::kKeys, Name(context, "procedure"));
}

// `numbers`: of the messages, in the same order.
absl::StatusOr<std::vector<LoggedRecord>> LoadRecords(const ReadTransaction& step,
                                                      const CaseContext& context,
                                                      const ChannelId& joint,
                                                      std::vector<uint64_t>& numbers) {
  MessageQuery query;
  query.kinds = {ContentKind::kProcedure};
  PARLEY_ASSIGN_OR_RETURN(std::vector<ChannelMessage> messages,
                          context.Channel(joint).Messages(step, query));
  std::vector<LoggedRecord> records;
  for (const ChannelMessage& message : messages) {
    const ByteView content = message.content.Reveal();
    records.push_back({{message.incarnation, message.position},
                       ActorOf(message.author),
                       Bytes(content.begin(), content.end())});
    numbers.push_back(message.number);
  }
  return records;
}

// Where the latest list that counts stands, or the case's beginning where there is none.
void SetListed(const std::vector<LoggedRecord>& records, const std::vector<uint64_t>& numbers,
               LoadedProcedure& loaded) {
  const ProcedureLog& log = loaded.log;
  const std::vector<ProcedureLog::Step>& steps = log.steps();
  const auto listed = std::find_if(steps.rbegin(), steps.rend(), [](const auto& one) {
    return one.refused.empty() &&
           (one.read.act.kind == CaseAct::kListParticipants || one.read.act.kind == CaseAct::kOpen);
  });
  if (listed == steps.rend()) return;
  loaded.listed_at = listed->record.at;
  for (size_t i = 0; i < records.size(); ++i) {
    if (records[i].at == listed->record.at) loaded.listed_number = numbers[i];
  }
}

absl::StatusOr<Actor> OwnActor(const LoadedProcedure& procedure, const CaseRecord& record) {
  for (const Actor& member : procedure.roster) {
    if (member.id == record.own_id) return member;
  }
  return absl::FailedPreconditionError("you aren't in the joint channel");
}

// Who is in the channel although the agreement doesn't let them read it.
void AddForbiddenReaders(const LoadedProcedure& procedure, const ChannelState& channel,
                         std::vector<CaseProcedure::Missing>& missing) {
  const std::optional<ConfidentialityPolicy> policy = PolicyOf(procedure);
  if (!policy.has_value()) return;
  for (const RosterMember& reader : channel.members) {
    if (policy->MayRead(reader.role, channel.kind)) continue;
    missing.push_back({kAnyNeutral,
                       "takes " + reader.name + " out of " +
                           DescribeChannel(channel.kind, channel.side) +
                           ", who may not read it by the agreement's policy",
                       "parley channel dismiss"});
  }
}

// Of a reader who can't sign, since they aren't in the joint channel; only a neutral can mend that.
std::optional<CaseProcedure::Missing> CanNotSign(const LoadedProcedure& procedure,
                                                 const ChannelInfo& channel,
                                                 const RosterMember& reader) {
  const bool is_in =
      std::any_of(procedure.roster.begin(), procedure.roster.end(),
                  [&](const Actor& member) { return member.id == reader.participant_id; });
  // Others come into the joint channel by themselves.
  if (is_in || IsNeutral(reader.role) || !reader.side.empty()) return std::nullopt;
  const std::string name = DescribeChannel(channel.state.kind, channel.state.side);
  return CaseProcedure::Missing{
      kAnyNeutral,
      "lets " + reader.name + ", who reads " + name +
          ", into the joint channel, where they can sign the agreement to mediate, or puts them "
          "out of " +
          name,
      "parley channel admit, dismiss"};
}

// Of the first coming in; position 0 for who has created the channel.
absl::StatusOr<JointPosition> FirstJoinedJoint(const ReadTransaction& step,
                                               const CaseContext& context, const CaseRecord& record,
                                               const ChannelInfo& info) {
  // Who opened the case has no inviter; others came into the log as it was then.
  if (record.inviter.is_zero()) return JointPosition();
  PARLEY_ASSIGN_OR_RETURN(std::optional<ProcedureRecord> own, Load(step, context));
  if (!own.has_value() || own->joined_incarnation == 0) {
    return JointPosition{info.state.incarnation, info.joined.position};
  }
  return JointPosition{own->joined_incarnation, own->joined_position};
}

absl::StatusOr<std::vector<Absence>> AbsencesFrom(const ReadTransaction& step,
                                                  const ChannelId& joint) {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ComingBack> again, LoadComingsBack(step, joint));
  std::vector<Absence> absences;
  for (const ComingBack& one : again) {
    absences.push_back(
        {{one.left_incarnation, one.left_position}, {one.incarnation, one.position}});
  }
  return absences;
}

}  // namespace

// A later incarnation has another place where this device came in, but no gap before it.
absl::Status NoteJoining(Transaction& step, const CaseContext& context, const ChannelInfo& info) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<ProcedureRecord> own, Load(step, context));
  if (!own.has_value() || own->joined_incarnation != 0) return absl::OkStatus();
  own->joined_incarnation = info.state.incarnation;
  own->joined_position = info.joined.position;
  return PutRecord(step, RecordClass::kKeys, Name(context, "procedure"), *own);
}

absl::StatusOr<JointPosition> JoinedJoint(const ReadTransaction& step, const CaseContext& context,
                                          const CaseRecord& record, const ChannelInfo& info) {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ComingBack> again,
                          LoadComingsBack(step, info.state.channel_id));
  if (!again.empty()) return JointPosition{again.back().incarnation, again.back().position};
  return FirstJoinedJoint(step, context, record, info);
}

absl::Status BeginProcedure(Transaction& step, const CaseContext& context, OwnDevice& device,
                            bool with_procedure) {
  const crypto::SignatureKey key = crypto::SignatureKey::Generate();
  PARLEY_ASSIGN_OR_RETURN(content::v1::DeviceCard card, ParseCard(device.card));
  card.set_record_key(crypto::ToString(key.public_key()));
  device.card = crypto::ToBytes(card.SerializeAsString());
  ProcedureRecord record;
  record.with_procedure = with_procedure ? 1 : 0;
  record.record_seed = key.Seed();
  return PutRecord(step, RecordClass::kKeys, Name(context, "procedure"), record);
}

absl::Status QueueOpening(Transaction& step, const CaseContext& context, const ChannelId& joint) {
  Content content;
  content.mutable_case_act()->set_act(static_cast<uint32_t>(CaseAct::kOpen));
  return context.Channel(joint).Queue(step, content).status();
}

absl::StatusOr<bool> KeepsProcedure(const ReadTransaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<ProcedureRecord> record, Load(step, context));
  return record.has_value() && record->with_procedure != 0;
}

absl::StatusOr<std::optional<LoadedProcedure>> LoadProcedure(const ReadTransaction& step,
                                                             const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(const bool keeps, KeepsProcedure(step, context));
  if (!keeps) return std::optional<LoadedProcedure>();
  LoadedProcedure loaded{std::nullopt, {}, {}, {}, ProcedureLog::Play(context.id, {}, {}), {}, 0};
  PARLEY_ASSIGN_OR_RETURN(const ChannelChoice choice, ChannelChoice::Load(step, context));
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  const std::optional<ChannelId> joint = choice.Of(ChannelKind::kJoint);
  const bool here = joint.has_value() && std::find(record.channels.begin(), record.channels.end(),
                                                   *joint) != record.channels.end();
  if (!here) return loaded;
  loaded.joint = joint;
  PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context.Channel(*joint).Info(step));
  for (const RosterMember& member : info.state.members) loaded.roster.push_back(ActorOf(member));
  std::sort(loaded.roster.begin(), loaded.roster.end());
  loaded.head = {info.state.incarnation, info.head.position};
  loaded.head_hash = info.head.hash;
  std::vector<uint64_t> numbers;
  PARLEY_ASSIGN_OR_RETURN(const std::vector<LoggedRecord> records,
                          LoadRecords(step, context, *joint, numbers));
  PARLEY_ASSIGN_OR_RETURN(const JointPosition joined,
                          FirstJoinedJoint(step, context, record, info));
  PARLEY_ASSIGN_OR_RETURN(const std::vector<Absence> absences, AbsencesFrom(step, *joint));
  loaded.log = ProcedureLog::Play(context.id, records, joined, absences);
  SetListed(records, numbers, loaded);
  return loaded;
}

namespace {

std::optional<ConfidentialityPolicy> PolicyBy(const LoadedProcedure& procedure,
                                              const CaseProcedure::Proposal& agreement) {
  const content::v1::AgreementProposal* const text = procedure.log.TextOf(agreement.record);
  if (text == nullptr) return std::nullopt;
  absl::StatusOr<ConfidentialityPolicy> policy = ParsePolicy(text->policy());
  // One that can't be read was passed over when it was proposed.
  return policy.ok() ? std::optional(std::move(*policy)) : std::nullopt;
}

}  // namespace

std::optional<ConfidentialityPolicy> PolicyOf(const LoadedProcedure& procedure) {
  const CaseProcedure::Proposal* const agreement = procedure.log.procedure().in_force();
  return agreement == nullptr ? std::nullopt : PolicyBy(procedure, *agreement);
}

std::optional<ConfidentialityPolicy> PolicySignedBy(const LoadedProcedure& procedure,
                                                    const ParticipantId& self, ByteView own_key) {
  const std::vector<ProcedureLog::Step>& steps = procedure.log.steps();
  const Bytes key(own_key.begin(), own_key.end());
  const auto has_signed = [&](const DocumentHash& document) {
    return std::any_of(steps.begin(), steps.end(), [&](const ProcedureLog::Step& one) {
      // Whoever tells a history can make a key, and sign with it in somebody's name.
      const bool is_theirs = one.told_at.position == 0 || one.read.record_key == key;
      return one.refused.empty() && one.read.act.kind == CaseAct::kSign &&
             one.record.author.id == self && one.read.act.document == document && is_theirs;
    });
  };
  for (auto one = steps.rbegin(); one != steps.rend(); ++one) {
    if (!one->refused.empty()) continue;
    const CaseProcedure::Proposal* const agreement = one->afterwards.in_force();
    if (agreement != nullptr && agreement->signers.contains(self) &&
        has_signed(agreement->document)) {
      return PolicyBy(procedure, *agreement);
    }
  }
  return std::nullopt;
}

absl::StatusOr<Bytes> OwnRecordKey(const ReadTransaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<ProcedureRecord> own, Load(step, context));
  if (!own.has_value()) return Bytes();
  PARLEY_ASSIGN_OR_RETURN(const crypto::SignatureKey key,
                          crypto::SignatureKey::FromSeed(own->record_seed.Reveal()));
  return Bytes(key.public_key().begin(), key.public_key().end());
}

absl::StatusOr<std::optional<ConfidentialityPolicy>> PolicyInForce(const ReadTransaction& step,
                                                                   const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<LoadedProcedure> procedure, LoadProcedure(step, context));
  return procedure.has_value() ? PolicyOf(*procedure) : std::nullopt;
}

absl::StatusOr<std::vector<CaseProcedure::Missing>> KeepsFromTalk(const ReadTransaction& step,
                                                                  const CaseContext& context,
                                                                  const LoadedProcedure& procedure,
                                                                  const ChannelId& channel) {
  using Missing = CaseProcedure::Missing;
  if (!procedure.joint.has_value()) {
    return std::vector<Missing>{
        {kAnyNeutral, "lets you into the joint channel, where the agreement to mediate is signed"}};
  }
  if (!procedure.log.has_begun()) {
    return std::vector<Missing>{{kAnyNeutral, "comes online and tells what was done before"}};
  }
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context.Channel(channel).Info(step));
  const CaseProcedure& now = procedure.log.procedure();
  std::vector<Missing> missing = now.KeepsFromTalk(record.own_id, info.state.kind, info.state.side);
  if (!missing.empty()) return missing;
  AddForbiddenReaders(procedure, info.state, missing);
  // Beyond what all clients can tell from the log: who reads here, and whose key has signed.
  PARLEY_ASSIGN_OR_RETURN(const auto keys, KnownRecordKeys(step, context, procedure));
  const std::vector<SignatureRecord> signatures = procedure.log.Signatures();
  for (const RosterMember& reader : info.state.members) {
    const auto signature =
        std::find_if(signatures.begin(), signatures.end(), [&](const SignatureRecord& candidate) {
          return candidate.signer == reader.participant_id &&
                 candidate.document == now.in_force()->document;
        });
    const std::optional<CaseProcedure::Missing> elsewhere = CanNotSign(procedure, info, reader);
    if (signature == signatures.end() && elsewhere.has_value()) {
      missing.push_back(*elsewhere);
      continue;
    }
    if (signature == signatures.end()) {
      missing.push_back({reader.name,
                         "signs the agreement to mediate (version " +
                             std::to_string(now.in_force()->version) + ")",
                         IsOpenTo(CaseAct::kSign, now.state()) ? kSignCommand : ""});
      continue;
    }
    const auto key = keys.find(reader.participant_id);
    if (key == keys.end() || (key->second.key.empty() && !key->second.contradicted)) {
      missing.push_back(
          {kAnyNeutral,
           "comes online and vouches for the key that " + reader.name + " has signed with",
           kProgramsDoIt});
    } else if (key->second.contradicted) {
      missing.push_back({"the neutrals", "agree on the key of " + reader.name +
                                             ", about which they contradict each other"});
    } else if (key->second.key != signature->record_key) {
      missing.push_back({reader.name, "signs with their own key, and not with another"});
    }
  }
  return missing;
}

absl::StatusOr<std::vector<CaseProcedure::Missing>> WhoCanNotSign(
    const ReadTransaction& step, const CaseContext& context, const LoadedProcedure& procedure) {
  std::vector<CaseProcedure::Missing> missing;
  if (!procedure.joint.has_value()) return missing;
  PARLEY_ASSIGN_OR_RETURN(const std::vector<CaseChannel> channels, ChannelsOf(step, context));
  for (const CaseChannel& channel : channels) {
    if (channel.info.standing != Standing::kActive) continue;
    for (const RosterMember& reader : channel.info.state.members) {
      std::optional<CaseProcedure::Missing> one = CanNotSign(procedure, channel.info, reader);
      if (one.has_value()) missing.push_back(*std::move(one));
    }
  }
  return missing;
}

absl::StatusOr<MessageId> QueueAct(Transaction& step, const CaseContext& context,
                                   const Content& content) {
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  PARLEY_ASSIGN_OR_RETURN(std::optional<LoadedProcedure> procedure, LoadProcedure(step, context));
  if (!procedure.has_value()) {
    return absl::FailedPreconditionError(
        "this case was opened without a procedure; open one with it (parley case create "
        "--procedure)");
  }
  if (!procedure->joint.has_value() || !procedure->log.has_begun()) {
    return absl::FailedPreconditionError(
        "this device doesn't know the case's history yet; sync, and try again when a neutral has "
        "been online");
  }
  PARLEY_ASSIGN_OR_RETURN(const Actor self, OwnActor(*procedure, record));
  Content probe = content;
  probe.set_message_id(ToField(RandomId<MessageId>()));
  const std::optional<ReadAct> read =
      ReadActOf(context.id, {{}, self, crypto::ToBytes(probe.SerializeAsString())});
  if (!read.has_value()) return absl::InvalidArgumentError("this is no act of a case");
  CaseProcedure procedure_then = procedure->log.procedure();
  const Verdict verdict = procedure_then.Apply(self, read->act);
  if (verdict.counts()) return context.Channel(*procedure->joint).Queue(step, probe);
  const ActRule* const rule = FindRule(read->act.kind);
  const bool by_role = rule != nullptr && (rule->who & SetOf(self.role)) == 0;
  const std::string reason = "you " + verdict.refusal;
  if (by_role) return absl::PermissionDeniedError(reason);
  return absl::FailedPreconditionError(reason);
}

absl::Status QueueSignature(Transaction& step, const CaseContext& context,
                            const DocumentHash& document) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<ProcedureRecord> own, Load(step, context));
  if (!own.has_value()) {
    return absl::FailedPreconditionError(
        "this case was joined before participants had keys to sign with");
  }
  PARLEY_ASSIGN_OR_RETURN(const crypto::SignatureKey key,
                          crypto::SignatureKey::FromSeed(own->record_seed.Reveal()));
  Content content;
  content::v1::AgreementSignature& signature = *content.mutable_agreement_signature();
  signature.set_document_hash(crypto::ToString(document));
  signature.set_record_key(crypto::ToString(key.public_key()));
  signature.set_signature(crypto::ToString(SignAgreement(key, context.id, document)));
  return QueueAct(step, context, content).status();
}

absl::StatusOr<bool> RunProcedureErrands(Transaction& step, const CaseContext& context,
                                         const std::set<ChannelId>& unread) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<LoadedProcedure> procedure, LoadProcedure(step, context));
  if (!procedure.has_value() || !procedure->joint.has_value()) return false;
  PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context.Channel(*procedure->joint).Info(step));
  PARLEY_RETURN_IF_ERROR(NoteJoining(step, context, info));
  if (info.standing == Standing::kActive && !unread.contains(*procedure->joint)) {
    PARLEY_RETURN_IF_ERROR(NoteAwaitedLists(step, context, *procedure));
  }
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  if (!record.IsNeutral()) return false;
  if (info.standing != Standing::kActive || info.leaving) return false;
  PARLEY_ASSIGN_OR_RETURN(const bool listed, ListParticipants(step, context, *procedure));
  PARLEY_ASSIGN_OR_RETURN(const bool told,
                          TellRecordKeys(step, context, *procedure, record.own_id));
  return listed || told;
}

absl::StatusOr<uint64_t> SeenPassedOver(const ReadTransaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<ProcedureRecord> record, Load(step, context));
  return record.has_value() ? record->passed_over_seen : 0;
}

absl::Status SettlePassedOver(Transaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<LoadedProcedure> procedure, LoadProcedure(step, context));
  if (!procedure.has_value()) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(std::optional<ProcedureRecord> record, Load(step, context));
  record->passed_over_seen = 0;
  for (const ProcedureLog::Step& passed : procedure->log.steps()) {
    record->passed_over_seen += passed.refused.empty() ? 0 : 1;
  }
  return PutRecord(step, RecordClass::kKeys, Name(context, "procedure"), *record);
}

}  // namespace parley::client

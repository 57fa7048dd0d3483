// The procedure of a case on this device: reading it, doing acts, and the neutrals' clients' work
// for who has joined later.
//
// Threading: functions on a transaction.
// Errors: the store's; others are named.
#ifndef PARLEY_CLIENT_LIB_CASES_PROCEDURE_WORK_H_
#define PARLEY_CLIENT_LIB_CASES_PROCEDURE_WORK_H_

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/cases/case_context.h"
#include "client-lib/procedure/agreement.h"
#include "client-lib/procedure/procedure_log.h"

namespace parley::client {

// ---- Beginning ----

// Makes the own record key, puts its public half into the device's card, and notes whether the case
// keeps a procedure.
absl::Status BeginProcedure(Transaction& step, const CaseContext& context, OwnDevice& device,
                            bool with_procedure);
// The joint channel's first record.
absl::Status QueueOpening(Transaction& step, const CaseContext& context, const ChannelId& joint);

// ---- Reading ----

// False, too, for cases from before there were procedures.
absl::StatusOr<bool> KeepsProcedure(const ReadTransaction& step, const CaseContext& context);

inline Actor ActorOf(const RosterMember& member) {
  return {member.participant_id, member.name, member.role, member.side};
}

struct LoadedProcedure {
  // Nothing before this device is in the joint channel.
  std::optional<ChannelId> joint;
  std::vector<Actor> roster;  // of the joint channel, sorted
  JointPosition head;
  TranscriptHash head_hash{};
  ProcedureLog log;
  // Where the participants were listed last, and the number of that message; 0 for none here.
  JointPosition listed_at;
  uint64_t listed_number = 0;
};
// Nothing for a case without a procedure.
absl::StatusOr<std::optional<LoadedProcedure>> LoadProcedure(const ReadTransaction& step,
                                                             const CaseContext& context);

// The confidentiality policy of the agreement in force; nothing where there is none.
std::optional<ConfidentialityPolicy> PolicyOf(const LoadedProcedure& procedure);
// That of the last agreement that was in force with the device's owner's signature under it: one
// that stands in the log as theirs or, where a neutral tells it, is by their record key. A
// neutral's list of participants can leave somebody out, so that an agreement comes into force
// without them: it decides nothing about what they have on their device.
std::optional<ConfidentialityPolicy> PolicySignedBy(const LoadedProcedure& procedure,
                                                    const ParticipantId& self,
                                                    crypto::ByteView own_key);
// Empty where this case was joined before participants had keys to sign with.
absl::StatusOr<crypto::Bytes> OwnRecordKey(const ReadTransaction& step, const CaseContext& context);
absl::StatusOr<std::optional<ConfidentialityPolicy>> PolicyInForce(const ReadTransaction& step,
                                                                   const CaseContext& context);

// Notes where this device has come into the joint channel, the first time.
absl::Status NoteJoining(Transaction& step, const CaseContext& context, const ChannelInfo& info);
// The place where this device has come in last after it had missed something, or else that, of the
// channel with this `info`; position 0 for who has created it.
absl::StatusOr<JointPosition> JoinedJoint(const ReadTransaction& step, const CaseContext& context,
                                          const CaseRecord& record, const ChannelInfo& info);

// Why nothing can be said in the channel by this device's owner: what is missing, and from whom.
// Empty: they may speak. Stricter than what all clients agree on by the joint channel's log alone:
// signatures must also be by keys that are known to be the signers'.
absl::StatusOr<std::vector<CaseProcedure::Missing>> KeepsFromTalk(const ReadTransaction& step,
                                                                  const CaseContext& context,
                                                                  const LoadedProcedure& procedure,
                                                                  const ChannelId& channel);

// Who reads a channel here and can't sign, since they aren't in the joint channel, with what a
// neutral can do about each.
absl::StatusOr<std::vector<CaseProcedure::Missing>> WhoCanNotSign(const ReadTransaction& step,
                                                                  const CaseContext& context,
                                                                  const LoadedProcedure& procedure);

// ---- Doing ----

// Queues an act in the joint channel. Errors: PermissionDenied where the own role doesn't allow it;
// FailedPrecondition where the case's state doesn't, or the case keeps no procedure.
absl::StatusOr<MessageId> QueueAct(Transaction& step, const CaseContext& context,
                                   const content::v1::Content& content);

// Signs the agreement of that hash and queues the signature. Errors: as QueueAct.
absl::Status QueueSignature(Transaction& step, const CaseContext& context,
                            const DocumentHash& document);

// ---- By themselves ----

// Of neutrals: lists participants in the joint channel when its roster has changed, and tells those
// who are paired with this device the others' record keys. Of everybody: notes how long a list is
// waited for, unless the joint channel is among those that couldn't be read to their ends. Whether
// anything was done for others.
absl::StatusOr<bool> RunProcedureErrands(Transaction& step, const CaseContext& context,
                                         const std::set<ChannelId>& unread);

// Acts that were passed over: how many of them the owner has seen, the first ones.
absl::StatusOr<uint64_t> SeenPassedOver(const ReadTransaction& step, const CaseContext& context);
absl::Status SettlePassedOver(Transaction& step, const CaseContext& context);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_PROCEDURE_WORK_H_

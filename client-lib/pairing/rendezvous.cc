#include "client-lib/pairing/rendezvous.h"

#include "crypto/primitives/random.h"

namespace parley::client {
namespace {

using crypto::SignatureKey;

// A hello with a stock of key packages fits many times; a flood ends soon.
constexpr Allowance kRendezvousAllowance{.entries = 64, .bytes = 4 << 20};

absl::StatusOr<std::vector<Entry>> ReadFrom(RelayClient& relay, const ObjectId& rendezvous,
                                            const Secret& read_seed, uint64_t from) {
  PARLEY_ASSIGN_OR_RETURN(SignatureKey key, SignatureKey::FromSeed(read_seed.Reveal()));
  std::vector<Entry> entries;
  while (true) {
    PARLEY_ASSIGN_OR_RETURN(ReadResult page, relay.Read(rendezvous, 1, key, from));
    for (Entry& entry : page.entries) {
      from = entry.position + 1;
      entries.push_back(std::move(entry));
    }
    if (entries.size() > kRendezvousAllowance.entries) {
      return absl::DataLossError("the relay shows more answers to an invitation than it may take");
    }
    if (page.entries.empty() || from > page.generation_head) return entries;
  }
}

}  // namespace

absl::Status PostInvitation(RelayClient& relay, const Credential& credential,
                            const PreparedInvitation& invitation) {
  const InvitationKeys keys = DeriveInvitationKeys(invitation.code.secret);
  PARLEY_ASSIGN_OR_RETURN(SignatureKey read, SignatureKey::FromSeed(keys.read_seed.Reveal()));
  PARLEY_ASSIGN_OR_RETURN(SignatureKey append, SignatureKey::FromSeed(keys.append_seed.Reveal()));
  PARLEY_ASSIGN_OR_RETURN(SignatureKey control,
                          SignatureKey::FromSeed(invitation.record.control_seed.Reveal()));
  const GenerationKeys generation{read.public_key(), {append.public_key()}, control.public_key()};
  const ObjectId& id = invitation.record.rendezvous_id;
  PARLEY_RETURN_IF_ERROR(relay.CreateMailbox(credential, id, generation, kRendezvousAllowance,
                                             invitation.record.expires_at));
  PARLEY_ASSIGN_OR_RETURN(
      AppendOutcome outcome,
      relay.Append(id, 1, append, crypto::RandomArray<16>(),
                   SealHello(keys.seal_key, id, HelloKind::kInviter, invitation.record.hello)));
  const Appended* appended = std::get_if<Appended>(&outcome);
  if (appended == nullptr || appended->position != 1) {
    return absl::DataLossError("the relay put the invitation in the wrong place");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Entry>> ReadAnswers(RelayClient& relay,
                                               const MadeInvitation& invitation) {
  return ReadFrom(relay, invitation.rendezvous_id, invitation.read_seed, invitation.next);
}

absl::Status DeleteRendezvous(RelayClient& relay, const MadeInvitation& invitation) {
  PARLEY_ASSIGN_OR_RETURN(SignatureKey control,
                          SignatureKey::FromSeed(invitation.control_seed.Reveal()));
  return relay.ControlMailbox(invitation.rendezvous_id, 1, control, DeleteMailbox{});
}

absl::StatusOr<std::vector<Entry>> ReadRendezvous(RelayClient& relay, const InvitationCode& code) {
  const InvitationKeys keys = DeriveInvitationKeys(code.secret);
  return ReadFrom(relay, code.rendezvous_id, keys.read_seed, 1);
}

absl::StatusOr<uint64_t> PostAnswer(RelayClient& relay, const InvitationCode& code,
                                    const AppendId& append_id, ByteView payload) {
  const InvitationKeys keys = DeriveInvitationKeys(code.secret);
  PARLEY_ASSIGN_OR_RETURN(SignatureKey append, SignatureKey::FromSeed(keys.append_seed.Reveal()));
  PARLEY_ASSIGN_OR_RETURN(AppendOutcome outcome,
                          relay.Append(code.rendezvous_id, 1, append, append_id, payload));
  const Appended* appended = std::get_if<Appended>(&outcome);
  if (appended == nullptr) return absl::DataLossError("the relay closed the invitation's mailbox");
  return appended->position;
}

}  // namespace parley::client

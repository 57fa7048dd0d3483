#include "client-lib/pairing/inviting.h"

#include <algorithm>

#include "client-lib/content/parse.h"
#include "client-lib/content/wipe.h"
#include "client-lib/pairing/device.h"
#include "crypto/base/status_macros.h"
#include "crypto/primitives/hash.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/signature.h"
#include "parley/version.h"

namespace parley::client {
namespace {

using content::v1::InviteeHello;
using content::v1::InviterHello;

bool Speaks(const google::protobuf::RepeatedField<uint32_t>& versions) {
  return std::find(versions.begin(), versions.end(), kProtocolVersion) != versions.end();
}

Bytes HelloHash(ByteView bytes) { return crypto::Hash(crypto::HashAlgorithm::kSha256, bytes); }

std::string SeedOf(const Secret& secret) { return crypto::ToString(secret.Reveal()); }

// The time as people read it: "3 May 2026, 14:05 UTC".
std::string TimeText(uint64_t seconds) {
  static constexpr const char* kMonths[] = {"January",   "February", "March",    "April",
                                            "May",       "June",     "July",     "August",
                                            "September", "October",  "November", "December"};
  const time_t time = static_cast<time_t>(seconds);
  tm parts{};
  gmtime_r(&time, &parts);
  char clock[16];
  strftime(clock, sizeof(clock), "%H:%M", &parts);
  return std::to_string(parts.tm_mday) + " " + kMonths[parts.tm_mon] + " " +
         std::to_string(parts.tm_year + 1900) + ", " + clock + " UTC";
}

absl::Status CheckInviteeHello(const InviteeHello& hello, ByteView inviter_hello) {
  if (!Speaks(hello.protocol_versions())) {
    return absl::UnimplementedError("the invitee speaks no protocol version of ours");
  }
  PARLEY_RETURN_IF_ERROR(CheckCard(hello.card()));
  if (!crypto::PublicEquals(crypto::ViewOf(hello.inviter_hello_hash()), HelloHash(inviter_hello))) {
    return absl::InvalidArgumentError("the invitee saw another hello");
  }
  if (hello.append_seeds_size() < 1 || hello.append_seeds_size() > kMaxAppendSeedsInMessage ||
      hello.key_packages_size() > kMaxKeyPackagesInMessage) {
    return absl::InvalidArgumentError("a hello with too few or too many keys");
  }
  for (const std::string& seed : hello.append_seeds()) {
    if (seed.size() != crypto::kSignatureSeedSize) {
      return absl::InvalidArgumentError("an append seed of the wrong size");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<JoinedPeer> OpenAnswer(const MadeInvitation& invitation, ByteView payload) {
  PARLEY_ASSIGN_OR_RETURN(Bytes bytes, OpenHello(invitation.seal_key, invitation.rendezvous_id,
                                                 HelloKind::kInvitee, payload));
  const crypto::ScopedWipe wipe(bytes);
  JoinedPeer joined;
  if (!ParseFromPeer(joined.hello, bytes)) {
    return absl::InvalidArgumentError("not an invitee's hello");
  }
  PARLEY_RETURN_IF_ERROR(CheckInviteeHello(joined.hello, invitation.hello));
  PARLEY_ASSIGN_OR_RETURN(Secret shared,
                          PairingKem().Decap(crypto::ViewOf(joined.hello.pairing_kem_ciphertext()),
                                             invitation.pairing_private.Reveal()));
  PairingKeys keys =
      DerivePairing(invitation.pairing_salt.Reveal(), shared, invitation.hello, bytes);
  joined.pairing.id = std::move(keys.id);
  joined.pairing.secret = std::move(keys.secret);
  joined.pairing.safety_number = std::move(keys.safety_number);
  ParticipantId::Bytes peer{};
  std::copy_n(joined.hello.card().participant_id().begin(), peer.size(), peer.begin());
  joined.pairing.peer = ParticipantId(peer);
  joined.pairing.peer_card = crypto::ToBytes(joined.hello.card().SerializeAsString());
  joined.pairing.peer_role = invitation.role;
  joined.pairing.append_seed = Secret::CopyOf(crypto::ViewOf(joined.hello.append_seeds(0)));
  for (int i = 1; i < joined.hello.append_seeds_size(); ++i) {
    joined.pairing.reserve_seeds.push_back(
        Secret::CopyOf(crypto::ViewOf(joined.hello.append_seeds(i))));
  }
  for (std::string& seed : *joined.hello.mutable_append_seeds()) {
    const crypto::ScopedWipe wipe_seed(seed);
  }
  return joined;
}

}  // namespace

absl::StatusOr<PreparedInvitation> PrepareInvitation(OwnDevice& device,
                                                     const InvitationOffer& offer) {
  PreparedInvitation prepared;
  InvitationCode& code = prepared.code;
  code.relay_identity = offer.relay.identity_key;
  code.relay_address = offer.relay.address;
  code.rendezvous_id = crypto::RandomArray<32>();
  code.secret = Secret::Random(32);
  code.expires_at = offer.expires_at;
  code.voucher = offer.voucher;

  PARLEY_ASSIGN_OR_RETURN(std::vector<Secret> seeds, TakeSlots(device, 1, code.rendezvous_id));
  crypto::KemKeyPair kem = PairingKem().GenerateKeyPair();
  InviterHello hello;
  const ScopedMessageWipe wipe(hello);
  hello.add_protocol_versions(kProtocolVersion);
  PARLEY_ASSIGN_OR_RETURN(*hello.mutable_card(), ParseCard(device.card));
  hello.set_inviter_role(offer.inviter_role);
  hello.set_pairing_kem_key(crypto::ToString(kem.public_key));
  hello.set_append_seed(SeedOf(seeds[0]));
  hello.set_case_id(crypto::ToString(offer.case_id.bytes()));
  hello.set_case_title(offer.case_title);
  hello.set_invitee_name(offer.invitee_name);
  hello.set_invitee_role(offer.invitee_role);
  hello.set_invitee_side(offer.invitee_side);
  hello.set_with_procedure(offer.with_procedure);

  InvitationKeys keys = DeriveInvitationKeys(code.secret);
  MadeInvitation& record = prepared.record;
  record.rendezvous_id = code.rendezvous_id;
  record.name = offer.invitee_name;
  record.role = static_cast<uint8_t>(offer.invitee_role);
  record.side = offer.invitee_side;
  record.expires_at = offer.expires_at;
  record.created_at = offer.created_at;
  record.seal_key = std::move(keys.seal_key);
  record.pairing_salt = std::move(keys.pairing_salt);
  record.pairing_private = std::move(kem.private_key);
  record.read_seed = std::move(keys.read_seed);
  record.control_seed = Secret::Random(crypto::kSignatureSeedSize);
  record.hello = crypto::ToBytes(hello.SerializeAsString());
  return prepared;
}

std::optional<JoinedPeer> TakeRendezvousEntry(MadeInvitation& invitation, OwnDevice& device,
                                              ByteView payload, uint64_t now) {
  constexpr size_t kMostAlarms = 8;  // who has the invitation can go on for ever
  ++invitation.next;
  if (invitation.state == InvitationState::kOpen || invitation.state == InvitationState::kMaking ||
      invitation.state == InvitationState::kExpired) {
    absl::StatusOr<JoinedPeer> joined = OpenAnswer(invitation, payload);
    if (joined.ok()) {
      invitation.state = InvitationState::kUsed;
      invitation.participant = joined->pairing.peer;
      // Later uses can't open anything, and neither can who takes this profile.
      invitation.seal_key = Secret();
      invitation.pairing_salt = Secret();
      invitation.pairing_private = Secret();
      PassSlots(device, invitation.rendezvous_id, joined->pairing.id);
      return std::move(*joined);
    }
    if (invitation.alarms.size() >= kMostAlarms) return std::nullopt;
    invitation.alarms.push_back("somebody used the invitation for " + invitation.name +
                                " wrongly on " + TimeText(now) +
                                ": it may be known to others; withdraw it and make a new one");
    return std::nullopt;
  }
  if (invitation.alarms.size() < kMostAlarms) {
    invitation.alarms.push_back(
        "the invitation for " + invitation.name + " was used a second time on " + TimeText(now) +
        ": compare the safety number with " + invitation.name + " by voice before you go on");
  }
  return std::nullopt;
}

absl::StatusOr<ReceivedInvitation> OpenInvitation(const InvitationCode& code, ByteView payload) {
  const InvitationKeys keys = DeriveInvitationKeys(code.secret);
  ReceivedInvitation received;
  PARLEY_ASSIGN_OR_RETURN(received.hello_bytes, OpenHello(keys.seal_key, code.rendezvous_id,
                                                          HelloKind::kInviter, payload));
  InviterHello& hello = received.hello;
  if (!ParseFromPeer(hello, received.hello_bytes)) {
    return absl::InvalidArgumentError("the inviter's hello is malformed");
  }
  if (!Speaks(hello.protocol_versions())) {
    return absl::UnimplementedError(
        "the inviter's program speaks no protocol version of this one; bring both up to date");
  }
  PARLEY_RETURN_IF_ERROR(CheckCard(hello.card()));
  PARLEY_RETURN_IF_ERROR(PairingKem().CheckPublicKey(crypto::ViewOf(hello.pairing_kem_key())));
  const bool neutral = hello.invitee_role() == content::v1::ROLE_MEDIATOR ||
                       hello.invitee_role() == content::v1::ROLE_CO_MEDIATOR;
  // Only neutrals invite: who came as one of a side would be taken for one of it ever after.
  const bool by_neutral = hello.inviter_role() == content::v1::ROLE_MEDIATOR ||
                          hello.inviter_role() == content::v1::ROLE_CO_MEDIATOR;
  if (!by_neutral || hello.append_seed().size() != crypto::kSignatureSeedSize ||
      hello.case_id().size() != 16 || !IsGoodName(hello.case_title()) ||
      !IsGoodName(hello.invitee_name()) || !content::v1::Role_IsValid(hello.invitee_role()) ||
      hello.invitee_role() == content::v1::ROLE_UNSPECIFIED ||
      (!hello.invitee_side().empty() && (neutral || !IsGoodName(hello.invitee_side())))) {
    return absl::InvalidArgumentError("the inviter's hello is incomplete or breaks a rule");
  }
  return received;
}

absl::StatusOr<Answer> AnswerInvitation(const InvitationCode& code,
                                        const ReceivedInvitation& invitation,
                                        const OwnDevice& device,
                                        const std::vector<Secret>& append_seeds,
                                        const std::vector<Bytes>& key_packages) {
  PARLEY_ASSIGN_OR_RETURN(crypto::Encapsulation sent,
                          PairingKem().Encap(crypto::ViewOf(invitation.hello.pairing_kem_key())));
  InviteeHello hello;
  const ScopedMessageWipe wipe(hello);
  hello.add_protocol_versions(kProtocolVersion);
  PARLEY_ASSIGN_OR_RETURN(*hello.mutable_card(), ParseCard(device.card));
  hello.set_pairing_kem_ciphertext(crypto::ToString(sent.enc));
  hello.set_inviter_hello_hash(crypto::ToString(HelloHash(invitation.hello_bytes)));
  for (const Secret& seed : append_seeds) hello.add_append_seeds(SeedOf(seed));
  for (const Bytes& package : key_packages) hello.add_key_packages(crypto::ToString(package));
  std::string serialized = hello.SerializeAsString();
  const crypto::ScopedWipe wipe_serialized(serialized);
  const ByteView bytes = crypto::ViewOf(serialized);

  const InvitationKeys keys = DeriveInvitationKeys(code.secret);
  PairingKeys derived =
      DerivePairing(keys.pairing_salt.Reveal(), sent.shared_secret, invitation.hello_bytes, bytes);
  Answer answer;
  answer.payload = SealHello(keys.seal_key, code.rendezvous_id, HelloKind::kInvitee, bytes);
  answer.pairing.id = std::move(derived.id);
  answer.pairing.secret = std::move(derived.secret);
  answer.pairing.safety_number = std::move(derived.safety_number);
  ParticipantId::Bytes peer{};
  std::copy_n(invitation.hello.card().participant_id().begin(), peer.size(), peer.begin());
  answer.pairing.peer = ParticipantId(peer);
  answer.pairing.peer_card = crypto::ToBytes(invitation.hello.card().SerializeAsString());
  answer.pairing.peer_role = static_cast<uint8_t>(invitation.hello.inviter_role());
  answer.pairing.append_seed = Secret::CopyOf(crypto::ViewOf(invitation.hello.append_seed()));
  return answer;
}

bool IsInviteeHello(const InvitationCode& code, ByteView payload) {
  const InvitationKeys keys = DeriveInvitationKeys(code.secret);
  absl::StatusOr<Bytes> hello =
      OpenHello(keys.seal_key, code.rendezvous_id, HelloKind::kInvitee, payload);
  if (!hello.ok()) return false;
  const crypto::ScopedWipe wipe(*hello);
  return true;
}

Bytes AlarmPayload(const InvitationCode& code, const ReceivedInvitation& invitation) {
  InviteeHello hello;
  hello.add_protocol_versions(kProtocolVersion);
  hello.set_inviter_hello_hash(crypto::ToString(HelloHash(invitation.hello_bytes)));
  const InvitationKeys keys = DeriveInvitationKeys(code.secret);
  return SealHello(keys.seal_key, code.rendezvous_id, HelloKind::kInvitee,
                   crypto::ToBytes(hello.SerializeAsString()));
}

}  // namespace parley::client

// What comes from others while pairing: invitations as text, and both hellos after their seals.
#include <cstdlib>
#include <string>
#include <string_view>

#include "client-lib/pairing/device.h"
#include "client-lib/pairing/inviting.h"
#include "crypto/base/check.h"
#include "crypto/primitives/random.h"

namespace parley::client {
namespace {

// One invitation for the whole run.
struct Scene {
  OwnDevice mira = MakeDevice("Mira");
  PreparedInvitation prepared;
  InvitationKeys keys;

  Scene() {
    InvitationOffer offer;
    offer.relay.address = "relay.example:7443";
    offer.case_id = CaseId(crypto::RandomArray<16>());
    offer.case_title = "Harbor v Northline";
    offer.inviter_role = content::v1::ROLE_MEDIATOR;
    offer.invitee_name = "Ana";
    offer.invitee_role = content::v1::ROLE_PARTY;
    offer.invitee_side = "Harbor";
    offer.expires_at = 1;
    auto made = PrepareInvitation(mira, offer);
    PARLEY_CHECK(made.ok());
    prepared = std::move(*made);
    keys = DeriveInvitationKeys(prepared.code.secret);
  }
};

void Text(ByteView input) {
  const std::string text = crypto::ToString(input);
  const auto code = ParseInvitation(text);
  if (!code.ok()) {
    PARLEY_CHECK(absl::IsInvalidArgument(code.status()));
    return;
  }
  std::string dense;
  for (const char c : text) {
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') dense += c;
  }
  PARLEY_CHECK(FormatInvitation(*code) == dense);
}

// The inviter's hello, sealed rightly.
void FirstHello(const Scene& scene, ByteView input) {
  const auto received = OpenInvitation(
      scene.prepared.code, SealHello(scene.keys.seal_key, scene.prepared.code.rendezvous_id,
                                     HelloKind::kInviter, input));
  if (!received.ok()) return;
  PARLEY_CHECK(IsGoodName(received->hello.case_title()));
  PARLEY_CHECK(received->hello.case_id().size() == 16);
  PARLEY_CHECK(CheckCard(received->hello.card()).ok());
}

// An invitee's, sealed rightly: at most one is taken, and every other entry is an alarm.
void SecondHello(Scene& scene, ByteView input) {
  MadeInvitation record;
  record.state = InvitationState::kOpen;
  record.rendezvous_id = scene.prepared.code.rendezvous_id;
  record.seal_key = scene.keys.seal_key.Clone();
  record.pairing_salt = scene.keys.pairing_salt.Clone();
  record.pairing_private = scene.prepared.record.pairing_private.Clone();
  record.hello = scene.prepared.record.hello;
  const auto joined = TakeRendezvousEntry(
      record, scene.mira,
      SealHello(scene.keys.seal_key, record.rendezvous_id, HelloKind::kInvitee, input), 1);
  PARLEY_CHECK(joined.has_value() == (record.state == InvitationState::kUsed));
  PARLEY_CHECK(joined.has_value() != (record.alarms.size() == 1));
  PARLEY_CHECK(record.next == 3);
  if (joined.has_value()) PARLEY_CHECK(joined->pairing.secret.size() == 32);
}

}  // namespace
}  // namespace parley::client

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static auto* const scene = new parley::client::Scene();
  const parley::crypto::ByteView input(data, size);
  if (size == 0) return 0;
  switch (data[0] % 3) {
    case 0:
      parley::client::Text(input.subspan(1));
      break;
    case 1:
      parley::client::FirstHello(*scene, input.subspan(1));
      break;
    default:
      parley::client::SecondHello(*scene, input.subspan(1));
      break;
  }
  return 0;
}

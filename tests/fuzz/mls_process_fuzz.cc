// A member of a group gets whatever the relay or a hostile member makes up: nothing crashes, and
// what is refused leaves no trace in the group.
//
// First byte of the input: 0 the rest is the message; 1 and 2 the rest is a proposal or commit that
// a member signs and sends in the open; 3 the same encrypted; 4 edits to a genuine message; 5 edits
// to a genuine Welcome. Commits of the fuzzer's own can't have a fitting confirmation tag.
#include <optional>

#include "crypto/mls/group.h"
#include "crypto/mls/group_state.h"
#include "crypto/mls/message_protection.h"
#include "tests/fuzz/fuzz_check.h"

namespace parley::mls {
namespace {

constexpr CipherSuiteId kSuite = CipherSuiteId::k0x0003;

// Mira and Ana in a group of two, and what Mira has sent.
struct Scene {
  Scene()
      : mira(*Group::Create({.suite = kSuite,
                             .group_id = crypto::ToBytes("a group"),
                             .identity = crypto::ToBytes("mira")})),
        bundle(KeyPackageBundle::Create({.suite = kSuite, .identity = crypto::ToBytes("ana")})
                   ->SerializeSecret()) {
    KeyPackageBundle ana_bundle = *KeyPackageBundle::Parse(bundle.Reveal());
    PreparedCommit start = *mira.PrepareCommit({.adds = {ana_bundle.message()}});
    welcome = *start.welcome;
    ana = *Group::Join(welcome, std::move(ana_bundle));
    mira = std::move(start.next);
    genuine.push_back(*mira.Protect(crypto::ViewOf("hello"), crypto::ViewOf("data"), 3));
    genuine.push_back(*mira.ProposeUpdate());
    genuine.push_back(mira.PrepareCommit()->message);
    genuine.push_back(mira.PrepareCommit({.public_message = true})->message);
    before = ana->Serialize();
  }

  Group mira;
  Secret bundle;
  Bytes welcome;
  std::optional<Group> ana;
  Secret before;  // Ana's state, to which every run goes back
  std::vector<Bytes> genuine;
};

Scene& TheScene() {
  static Scene scene;
  return scene;
}

void Process(Scene& scene, ByteView message) {
  absl::StatusOr<Received> received = scene.ana->Process(message);
  const bool unchanged =
      crypto::ConstantTimeEquals(scene.before.Reveal(), scene.ana->Serialize().Reveal());
  if (!received.ok()) {
    FUZZ_CHECK(unchanged);
    return;
  }
  if (std::holds_alternative<StagedCommit>(*received)) FUZZ_CHECK(unchanged);
  if (!unchanged) {
    // Whatever was taken in must survive a restart, and the next commit.
    scene.ana = *Group::Parse(scene.ana->Serialize().Reveal());
    (void)scene.ana->PrepareCommit().ok();
    scene.ana = *Group::Parse(scene.before.Reveal());
  }
}

// `body` as content of `type`, signed by Mira.
std::optional<AuthenticatedContent> SignedByMira(Scene& scene, ContentType type, ByteView body,
                                                 WireFormat format) {
  const GroupState& state = scene.mira.state();
  FramedContent content = NewContent(state, {});
  crypto::Reader r(body);
  if (!DecodeContentBody(r, type, content).ok()) return std::nullopt;
  AuthenticatedContent authenticated = SignAs(state, format, std::move(content));
  authenticated.auth.confirmation_tag = Bytes(32, 1);
  return authenticated;
}

void ProcessOpen(Scene& scene, ContentType type, ByteView body) {
  auto content = SignedByMira(scene, type, body, WireFormat::kPublicMessage);
  if (!content.has_value()) return;
  const GroupState& state = scene.mira.state();
  Process(scene, crypto::Serialize(MlsMessage{ProtectPublic(*state.suite, state.secrets.membership,
                                                            state.context, std::move(*content))}));
}

void ProcessEncrypted(Scene& scene, ContentType type, ByteView body) {
  const auto content = SignedByMira(scene, type, body, WireFormat::kPrivateMessage);
  if (!content.has_value()) return;
  const GroupState& state = scene.mira.state();
  // A key far enough ahead that no genuine message has used it.
  const FoundKey key =
      *state.secret_tree.Find(*state.suite, state.own_leaf, RatchetFor(type),
                              state.secret_tree.NextGeneration(state.own_leaf, RatchetFor(type)));
  Process(scene, crypto::Serialize(MlsMessage{
                     ProtectPrivate(*state.suite, state.secrets.sender_data, key, *content, 5)}));
}

}  // namespace
}  // namespace parley::mls

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace parley::mls;  // NOLINT
  if (size == 0) return 0;
  Scene& scene = TheScene();
  parley::fuzz::Input input(data + 1, size - 1);
  switch (data[0] % 6) {
    case 0:
      Process(scene, input.Rest());
      break;
    case 1:
      ProcessOpen(scene, ContentType::kProposal, input.Rest());
      break;
    case 2:
      ProcessOpen(scene, ContentType::kCommit, input.Rest());
      break;
    case 3: {
      const ContentType type =
          input.Byte() % 2 == 0 ? ContentType::kProposal : ContentType::kCommit;
      ProcessEncrypted(scene, type, input.Rest());
      break;
    }
    case 4: {
      const Bytes& genuine = scene.genuine[input.Byte() % scene.genuine.size()];
      Process(scene, parley::fuzz::Edited(genuine, input));
      break;
    }
    default: {
      const Bytes edited = parley::fuzz::Edited(scene.welcome, input);
      const bool accepted =
          Group::Join(edited, *KeyPackageBundle::Parse(scene.bundle.Reveal())).ok();
      FUZZ_CHECK(accepted == (edited == scene.welcome));
    }
  }
  return 0;
}

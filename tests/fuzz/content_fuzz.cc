// What members of a channel and correspondents send, once it is decrypted: a channel's state, a
// leaf's credential, contents, inbox messages. Whatever it is, nothing is printed; what has one
// form re-encodes to the same bytes, and what may come from a newer version loses nothing.
//
// The input is the kind (1), fix-ups (1), bytes. Fix-ups put right what a fuzzer could never guess.
#include <google/protobuf/stubs/logging.h>

#include <cstdint>
#include <string>

#include "client-lib/channels/caucus_rule.h"
#include "client-lib/channels/channel_state.h"
#include "client-lib/channels/credential.h"
#include "client-lib/channels/message_log.h"
#include "client-lib/channels/names.h"
#include "client-lib/content/parse.h"
#include "client-lib/content/utf8.h"
#include "client-lib/documents/transfer.h"
#include "client-lib/pairing/device.h"
#include "crypto/file/file_cipher.h"
#include "parley/content/v1/content.pb.h"
#include "parley/content/v1/control.pb.h"
#include "tests/fuzz/fuzz_check.h"

namespace parley::client {
namespace {

namespace pb = content::v1;

bool printed = false;
void NotePrinting(google::protobuf::LogLevel, const char*, int, const std::string&) {
  printed = true;
}

// Reads a message as the library does, and compares with what protobuf alone would have made of it.
template <typename Message>
bool Read(ByteView bytes, Message& message) {
  printed = false;
  const bool good = ParseFromPeer(message, bytes);
  FUZZ_CHECK(!printed);
  Message other;
  FUZZ_CHECK(other.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) == good);
  if (!good) return false;
  const std::string written = message.SerializeAsString();
  FUZZ_CHECK(!printed);
  FUZZ_CHECK(written == other.SerializeAsString());
  // Fields may have come in another order, or twice; from the second time on nothing changes.
  Message again;
  FUZZ_CHECK(ParseFromPeer(again, crypto::ViewOf(written)));
  FUZZ_CHECK(again.SerializeAsString() == written);
  return true;
}

void State(ByteView bytes) {
  printed = false;
  const absl::StatusOr<ChannelState> state = ParseChannelState(bytes);
  FUZZ_CHECK(!printed);
  if (!state.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(state.status()));
    FUZZ_CHECK(IsWellFormedUtf8(std::string(state.status().message())));
    return;
  }
  FUZZ_CHECK(crypto::PublicEquals(SerializeChannelState(*state), bytes));
  const absl::StatusOr<ChannelState> again =
      ChannelStateOf(WithChannelState(mls::Extensions(), *state));
  FUZZ_CHECK(again.ok() && *again == *state);
  for (const RosterMember& member : state->members) {
    FUZZ_CHECK(CheckName("a name", member.name).ok());
    FUZZ_CHECK(state->FindMember(member.participant_id) == &member);
  }
  if (!CheckCaucusRule(*state).ok()) return;
  for (const RosterMember& member : state->members) {
    FUZZ_CHECK(MayBeIn(state->kind, state->side, member.role, member.side));
  }
}

void LeafCredential(ByteView bytes) {
  const absl::StatusOr<ParleyCredential> credential = ParseCredential(bytes);
  if (!credential.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(credential.status()));
    return;
  }
  FUZZ_CHECK(crypto::PublicEquals(SerializeCredential(*credential), bytes));
}

// Makes the manifest fit its own size and key.
void FixManifest(pb::Document& manifest, uint8_t fix) {
  if (fix & 1) manifest.set_file_format(1);
  if (fix & 2) {
    const auto layout = crypto::FileLayout::Create(manifest.size());
    if (layout.ok()) {
      manifest.set_chunks(layout->chunk_count());
      manifest.set_stored_bytes(layout->sealed_size());
    }
  }
  if (fix & 4) {
    const auto commitment = crypto::FileKeyCommitment(crypto::ViewOf(manifest.file_key()),
                                                      crypto::ViewOf(manifest.share_id()));
    if (commitment.ok()) manifest.set_key_commitment(crypto::ToString(*commitment));
  }
}

void Document(pb::Document& manifest, uint8_t fix) {
  FixManifest(manifest, fix);
  const absl::Status checked = CheckManifest(manifest);
  FUZZ_CHECK(checked.ok() || absl::IsInvalidArgument(checked));
  if (checked.ok()) {
    FUZZ_CHECK(manifest.blob_id().size() == 32 && manifest.read_seed().size() == 32);
    FUZZ_CHECK(manifest.stored_bytes() >= manifest.size());
    FUZZ_CHECK(manifest.chunks() >= 1);
  }
  const std::string name = SafeFileName(manifest.name());
  FUZZ_CHECK(!name.empty() && name.size() <= 200 && IsWellFormedUtf8(name));
  FUZZ_CHECK(name.find_first_of(std::string("/\\\0\n", 4)) == std::string::npos);
  FUZZ_CHECK(name != "." && name != "..");
  FUZZ_CHECK(SafeFileName(name) == name);
}

void ContentOf(ByteView bytes, uint8_t fix) {
  pb::Content content;
  if (!Read(bytes, content)) return;
  switch (KindOf(content)) {
    case ContentKind::kText:
      FUZZ_CHECK(IsWellFormedUtf8(content.text().text()));
      break;
    case ContentKind::kDocument:
      Document(*content.mutable_document(), fix);
      break;
    case ContentKind::kUnknown:
      FUZZ_CHECK(content.body_case() == pb::Content::BODY_NOT_SET);
      break;
    default:
      break;
  }
}

void Inbox(ByteView bytes) {
  pb::InboxMessage message;
  if (!Read(bytes, message) || !message.has_introduction()) return;
  const std::string card = message.introduction().card().SerializeAsString();
  const absl::StatusOr<pb::DeviceCard> parsed = ParseCard(crypto::ViewOf(card));
  FUZZ_CHECK(parsed.ok() == CheckCard(message.introduction().card()).ok());
  if (parsed.ok()) FUZZ_CHECK(IsGoodName(parsed->name()) && parsed->inbox_id().size() == 32);
}

}  // namespace
}  // namespace parley::client

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool set = [] {
    google::protobuf::SetLogHandler(parley::client::NotePrinting);
    return true;
  }();
  FUZZ_CHECK(set);
  parley::fuzz::Input input(data, size);
  const uint8_t kind = input.Byte();
  const uint8_t fix = input.Byte();
  switch (kind % 4) {
    case 0:
      parley::client::State(input.Rest());
      break;
    case 1:
      parley::client::ContentOf(input.Rest(), fix);
      break;
    case 2:
      parley::client::Inbox(input.Rest());
      break;
    default:
      parley::client::LeafCredential(input.Rest());
      break;
  }
  return 0;
}

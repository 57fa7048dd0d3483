// For tests: a relay on the memory engine with a clock that moves when told, and a client's side of
// every signature.
#ifndef PARLEY_SERVER_CORE_RELAY_FIXTURE_FOR_TEST_H_
#define PARLEY_SERVER_CORE_RELAY_FIXTURE_FOR_TEST_H_

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "crypto/primitives/random.h"
#include "server/core/relay.h"
#include "server/core/request_fields.h"
#include "server/core/signed_acts.h"
#include "storage/kv/memory_store.h"

namespace parley::server {

inline std::string RandomString(size_t size) { return crypto::ToString(crypto::RandomBytes(size)); }
inline std::string Text(const crypto::SignatureKey& key) {
  return crypto::ToString(key.public_key());
}
inline std::string Signed(const crypto::SignatureKey& key, const crypto::Bytes& message) {
  return crypto::ToString(key.Sign(message));
}

// The private keys of one generation.
struct GenerationSecrets {
  crypto::SignatureKey read = crypto::SignatureKey::Generate();
  crypto::SignatureKey append = crypto::SignatureKey::Generate();
  crypto::SignatureKey control = crypto::SignatureKey::Generate();

  v1::GenerationKeys PublicKeys() const {
    v1::GenerationKeys keys;
    keys.set_read_key(Text(read));
    keys.add_append_keys(Text(append));
    keys.set_control_key(Text(control));
    return keys;
  }
  storage::GenerationKeySet KeySet() const { return *KeysField(PublicKeys(), "keys", Limits()); }
};

// A mailbox as its owners know it: generation g has secrets[g - 1].
struct TestMailbox {
  std::string id = RandomString(32);
  std::vector<GenerationSecrets> secrets;

  TestMailbox() { secrets.emplace_back(); }
  uint64_t generation() const { return secrets.size(); }
  storage::ObjectId object() const { return *storage::IdFrom<32>(id); }
};

struct TestBlob {
  std::string id = RandomString(32);
  crypto::SignatureKey read = crypto::SignatureKey::Generate();
  crypto::SignatureKey write = crypto::SignatureKey::Generate();
  storage::ObjectId object() const { return *storage::IdFrom<32>(id); }
};

class RelayFixture {
 public:
  explicit RelayFixture(const Limits& limits_in = Limits())
      : limits(limits_in),
        relay(std::make_unique<Relay>(store, clock, RelayIdentity::Generate(), limits_in)) {
    sponsor_token = AddSponsor("sponsor", uint64_t{1} << 40);
  }

  std::string AddSponsor(const std::string& name, uint64_t bytes, uint64_t objects = 0) {
    absl::StatusOr<crypto::Secret> token = relay->sponsors().Add(name, bytes, objects);
    EXPECT_TRUE(token.ok()) << token.status();
    return crypto::ToString(token->Reveal());
  }
  SponsorInfo Usage(const std::string& name) {
    absl::StatusOr<std::vector<SponsorInfo>> sponsors = relay->sponsors().List();
    EXPECT_TRUE(sponsors.ok());
    for (const SponsorInfo& sponsor : *sponsors) {
      if (sponsor.name == name) return sponsor;
    }
    ADD_FAILURE() << "no sponsor " << name;
    return {};
  }

  std::string Challenge() {
    v1::GetChallengeResponse response;
    relay->sessions().GetChallenge(response);
    return response.challenge();
  }

  v1::OpenSessionRequest SessionRequest(const storage::ObjectId& object, uint64_t generation,
                                        AccessRight right, const crypto::SignatureKey& key) {
    v1::OpenSessionRequest request;
    request.set_challenge(Challenge());
    request.set_object_id(std::string(storage::IdView(object)));
    request.set_generation(generation);
    request.set_right(static_cast<v1::Right>(right));
    request.set_public_key(Text(key));
    request.set_signature(Signed(key, SessionMessage(relay->identity_key(), request.challenge(),
                                                     object, generation, right)));
    return request;
  }
  absl::StatusOr<std::string> Token(const storage::ObjectId& object, uint64_t generation,
                                    AccessRight right, const crypto::SignatureKey& key) {
    v1::OpenSessionResponse response;
    absl::Status status =
        relay->sessions().OpenSession(SessionRequest(object, generation, right, key), response);
    if (!status.ok()) return status;
    return response.token();
  }
  std::string ReadToken(const TestMailbox& mailbox, uint64_t generation) {
    absl::StatusOr<std::string> token = Token(mailbox.object(), generation, AccessRight::kRead,
                                              mailbox.secrets[generation - 1].read);
    EXPECT_TRUE(token.ok()) << token.status();
    return token.ok() ? *token : "";
  }
  std::string AppendToken(const TestMailbox& mailbox, uint64_t generation) {
    absl::StatusOr<std::string> token = Token(mailbox.object(), generation, AccessRight::kAppend,
                                              mailbox.secrets[generation - 1].append);
    EXPECT_TRUE(token.ok()) << token.status();
    return token.ok() ? *token : "";
  }

  v1::CreateMailboxRequest CreateRequest(const TestMailbox& mailbox) {
    v1::CreateMailboxRequest request;
    request.set_sponsor_token(sponsor_token);
    request.set_mailbox_id(mailbox.id);
    *request.mutable_keys() = mailbox.secrets[0].PublicKeys();
    return request;
  }
  absl::Status Create(const v1::CreateMailboxRequest& request) {
    return Wait([&](auto done) { relay->mailboxes().Create(request, done); });
  }
  TestMailbox NewMailbox() {
    TestMailbox mailbox;
    EXPECT_TRUE(Create(CreateRequest(mailbox)).ok());
    return mailbox;
  }

  v1::AppendRequest AppendRequest(const TestMailbox& mailbox, uint64_t generation,
                                  const std::string& token, const std::string& payload) {
    v1::AppendRequest request;
    request.set_token(token);
    request.set_mailbox_id(mailbox.id);
    request.set_generation(generation);
    request.set_append_id(RandomString(16));
    request.set_payload(payload);
    return request;
  }
  v1::AppendRequest AppendRequest(const TestMailbox& mailbox, const std::string& payload) {
    return AppendRequest(mailbox, mailbox.generation(), AppendToken(mailbox, mailbox.generation()),
                         payload);
  }
  // Makes `request` close its generation for `next`, signed by `control`.
  static void AddClosing(v1::AppendRequest& request, const TestMailbox& mailbox,
                         const GenerationSecrets& next, const crypto::SignatureKey& control) {
    *request.mutable_closing()->mutable_next_keys() = next.PublicKeys();
    request.mutable_closing()->set_control_signature(Signed(
        control,
        ClosingMessage(mailbox.object(), request.generation(), request.payload(), next.KeySet())));
  }
  absl::StatusOr<uint64_t> Append(const v1::AppendRequest& request) {
    std::promise<absl::StatusOr<uint64_t>> result;
    relay->mailboxes().Append(
        request, [&](absl::StatusOr<uint64_t> position) { result.set_value(std::move(position)); });
    return result.get_future().get();
  }
  absl::StatusOr<uint64_t> Append(const TestMailbox& mailbox, const std::string& payload) {
    return Append(AppendRequest(mailbox, payload));
  }
  // Closes the current generation; the mailbox then knows the next one's secrets.
  absl::StatusOr<uint64_t> Close(TestMailbox& mailbox, const std::string& payload) {
    GenerationSecrets next;
    v1::AppendRequest request = AppendRequest(mailbox, payload);
    AddClosing(request, mailbox, next, mailbox.secrets.back().control);
    absl::StatusOr<uint64_t> position = Append(request);
    if (position.ok()) mailbox.secrets.push_back(std::move(next));
    return position;
  }

  absl::StatusOr<v1::ReadResponse> Read(const TestMailbox& mailbox, const std::string& token,
                                        uint64_t from, uint32_t max_entries = 0) {
    v1::ReadRequest request;
    request.set_token(token);
    request.set_mailbox_id(mailbox.id);
    request.set_from(from);
    request.set_max_entries(max_entries);
    v1::ReadResponse response;
    absl::Status status = relay->mailboxes().Read(request, response);
    if (!status.ok()) return status;
    return response;
  }
  // Every entry of a generation, read page by page.
  std::vector<v1::Entry> ReadAll(const TestMailbox& mailbox, uint64_t generation,
                                 uint32_t page = 0) {
    std::vector<v1::Entry> all;
    const std::string token = ReadToken(mailbox, generation);
    uint64_t from = 1;
    while (true) {
      absl::StatusOr<v1::ReadResponse> response = Read(mailbox, token, from, page);
      EXPECT_TRUE(response.ok()) << response.status();
      if (!response.ok() || response->entries().empty()) return all;
      for (const v1::Entry& entry : response->entries()) all.push_back(entry);
      from = all.back().position() + 1;
      if (from > response->generation_head()) return all;
    }
  }

  v1::ControlMailboxRequest ControlRequest(const TestMailbox& mailbox, ControlAct act,
                                           uint64_t argument, const crypto::SignatureKey& control) {
    v1::ControlMailboxRequest request;
    request.set_mailbox_id(mailbox.id);
    request.set_generation(mailbox.generation());
    request.set_challenge(Challenge());
    if (act == ControlAct::kTrim) request.mutable_trim()->set_first_position(argument);
    if (act == ControlAct::kExpire) request.mutable_expire()->set_expires_at(argument);
    if (act == ControlAct::kDelete) request.mutable_delete_();
    request.set_control_signature(
        Signed(control, ControlMessage(relay->identity_key(), request.challenge(), mailbox.object(),
                                       mailbox.generation(), act, argument)));
    return request;
  }
  absl::Status Control(const v1::ControlMailboxRequest& request) {
    return Wait([&](auto done) { relay->mailboxes().Control(request, done); });
  }
  absl::Status Control(const TestMailbox& mailbox, ControlAct act, uint64_t argument) {
    return Control(ControlRequest(mailbox, act, argument, mailbox.secrets.back().control));
  }

  v1::CreateBlobRequest CreateRequest(const TestBlob& blob, uint64_t total_bytes) {
    v1::CreateBlobRequest request;
    request.set_sponsor_token(sponsor_token);
    request.set_blob_id(blob.id);
    request.set_read_key(Text(blob.read));
    request.set_write_key(Text(blob.write));
    request.set_total_bytes(total_bytes);
    return request;
  }
  absl::Status Create(const v1::CreateBlobRequest& request) {
    return Wait([&](auto done) { relay->blobs().Create(request, done); });
  }
  std::string BlobToken(const TestBlob& blob, AccessRight right) {
    absl::StatusOr<std::string> token =
        Token(blob.object(), 0, right, right == AccessRight::kRead ? blob.read : blob.write);
    EXPECT_TRUE(token.ok()) << token.status();
    return token.ok() ? *token : "";
  }
  absl::StatusOr<std::unique_ptr<BlobUpload>> Upload(const TestBlob& blob) {
    std::unique_ptr<BlobUpload> upload = relay->StartUpload();
    v1::UploadBlobRequest::Header header;
    header.set_token(BlobToken(blob, AccessRight::kWrite));
    header.set_blob_id(blob.id);
    absl::Status status = upload->Start(header);
    if (!status.ok()) return status;
    return upload;
  }
  absl::Status Seal(const TestBlob& blob, uint64_t chunks, uint64_t bytes) {
    v1::SealBlobRequest request;
    request.set_token(BlobToken(blob, AccessRight::kWrite));
    request.set_blob_id(blob.id);
    request.set_chunks(chunks);
    request.set_total_bytes(bytes);
    return Wait([&](auto done) { relay->blobs().Seal(request, done); });
  }

  template <typename Call>
  static absl::Status Wait(Call call) {
    std::promise<absl::Status> result;
    call([&](absl::Status status) { result.set_value(std::move(status)); });
    return result.get_future().get();
  }

  static uint64_t CurrentGeneration(const absl::Status& stale) {
    auto payload = stale.GetPayload(kStaleGenerationPayload);
    v1::StaleGeneration details;
    if (!payload.has_value() || !details.ParseFromString(std::string(*payload))) return 0;
    return details.current_generation();
  }

  storage::MemoryStore store;
  ManualClock clock{1'800'000'000};
  const Limits limits;
  std::unique_ptr<Relay> relay;
  std::string sponsor_token;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_RELAY_FIXTURE_FOR_TEST_H_

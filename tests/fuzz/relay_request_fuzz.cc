// Whatever a client (or the disk, or the admin socket) sends: the relay answers with one of the
// codes that relay.proto promises, accepts no token that it hasn't made, and its logs stay without
// a gap. Records that parse re-encode to the same bytes.
//
// The input is a list of calls: kind (1), fix-ups (1), size (2), protobuf bytes. Fix-ups put a real
// id or token where the fuzzer could never guess one.
#include <cstdint>
#include <future>
#include <memory>
#include <string>

#include "server/admin/admin_protocol.h"
#include "server/core/mailbox_log.h"
#include "server/core/relay.h"
#include "server/core/request_fields.h"
#include "server/core/signed_acts.h"
#include "storage/kv/memory_store.h"
#include "tests/fuzz/fuzz_check.h"

namespace parley::server {
namespace {

std::string Text(crypto::ByteView bytes) { return crypto::ToString(bytes); }

// A relay with one mailbox and one blob, whose keys are known.
class World {
 public:
  World() : relay_(store_, clock_, RelayIdentity::Generate(), Limits()) {
    sponsor_token_ = Text(relay_.sponsors().Add("fuzz", 1 << 20, 100)->Reveal());
    v1::CreateMailboxRequest mailbox;
    mailbox.set_sponsor_token(sponsor_token_);
    mailbox.set_mailbox_id(id_);
    mailbox.mutable_keys()->set_read_key(Text(key_.public_key()));
    mailbox.mutable_keys()->set_control_key(Text(key_.public_key()));
    mailbox.mutable_keys()->add_append_keys(Text(key_.public_key()));
    FUZZ_CHECK(Wait([&](auto done) { relay_.mailboxes().Create(mailbox, done); }).ok());
    v1::CreateBlobRequest blob;
    blob.set_sponsor_token(sponsor_token_);
    blob.set_blob_id(id_);
    blob.set_read_key(Text(key_.public_key()));
    blob.set_write_key(Text(key_.public_key()));
    blob.set_total_bytes(100000);
    FUZZ_CHECK(Wait([&](auto done) { relay_.blobs().Create(blob, done); }).ok());
    read_token_ = Token(1, AccessRight::kRead);
    append_token_ = Token(1, AccessRight::kAppend);
    blob_read_token_ = Token(0, AccessRight::kRead);
    blob_write_token_ = Token(0, AccessRight::kWrite);
    subscription_ = relay_.Subscribe([] {});
    upload_ = relay_.StartUpload();
  }
  ~World() { subscription_->Close(); }

  void Call(uint8_t kind, uint8_t fix, crypto::ByteView bytes);
  void CheckLog();

 private:
  template <typename Function>
  static absl::Status Wait(Function function) {
    std::promise<absl::Status> result;
    function([&](absl::Status status) { result.set_value(std::move(status)); });
    return result.get_future().get();
  }

  std::string Challenge() {
    v1::GetChallengeResponse response;
    relay_.sessions().GetChallenge(response);
    return response.challenge();
  }

  std::string Token(uint64_t generation, AccessRight right) {
    v1::OpenSessionRequest request;
    FixSession(request, generation, right);
    v1::OpenSessionResponse response;
    FUZZ_CHECK(relay_.sessions().OpenSession(request, response).ok());
    return response.token();
  }

  void FixSession(v1::OpenSessionRequest& request, uint64_t generation, AccessRight right) {
    request.set_challenge(Challenge());
    request.set_object_id(id_);
    request.set_generation(generation);
    request.set_right(static_cast<v1::Right>(right));
    request.set_public_key(Text(key_.public_key()));
    request.set_signature(Text(key_.Sign(
        SessionMessage(relay_.identity_key(), request.challenge(), object_, generation, right))));
  }

  void Append(v1::AppendRequest& request, uint8_t fix);
  void Control(v1::ControlMailboxRequest& request, uint8_t fix);
  void Blob(uint8_t kind, uint8_t fix, crypto::ByteView bytes);

  static void CheckCode(const absl::Status& status) {
    switch (status.code()) {
      case absl::StatusCode::kOk:
      case absl::StatusCode::kInvalidArgument:
      case absl::StatusCode::kNotFound:
      case absl::StatusCode::kUnauthenticated:
      case absl::StatusCode::kPermissionDenied:
      case absl::StatusCode::kAborted:
      case absl::StatusCode::kAlreadyExists:
      case absl::StatusCode::kFailedPrecondition:
      case absl::StatusCode::kResourceExhausted:
      case absl::StatusCode::kOutOfRange:
        return;
      default:
        FUZZ_CHECK(false && "a status that relay.proto doesn't promise");
    }
  }

  storage::MemoryStore store_;
  ManualClock clock_{1'800'000'000};
  Relay relay_;
  const std::string id_ = std::string(32, 'i');
  const storage::ObjectId object_ = *storage::IdFrom<32>(id_);
  crypto::SignatureKey key_ = crypto::SignatureKey::Generate();
  std::string sponsor_token_;
  std::string read_token_;
  std::string append_token_;
  std::string blob_read_token_;
  std::string blob_write_token_;
  std::shared_ptr<Subscription> subscription_;
  std::unique_ptr<BlobUpload> upload_;
};

template <typename Message>
Message Parsed(crypto::ByteView bytes) {
  Message message;
  // What doesn't parse never reaches the relay: the part that did is as good a request as any.
  (void)message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  return message;
}

void World::Append(v1::AppendRequest& request, uint8_t fix) {
  if (fix & 1) request.set_mailbox_id(id_);
  if (fix & 2) request.set_token(append_token_);
  if (fix & 4) request.set_generation(1);
  if (fix & 8) request.set_append_id(std::string(16, static_cast<char>(fix)));
  if ((fix & 16) && request.has_closing()) {
    absl::StatusOr<storage::ClosingRecord> closing = ClosingField(request.closing(), Limits());
    if (closing.ok()) {
      request.mutable_closing()->set_control_signature(Text(key_.Sign(
          ClosingMessage(object_, request.generation(), request.payload(), closing->next_keys))));
    }
  }
  CheckCode(Wait([&](auto done) {
    relay_.mailboxes().Append(
        request, [done](absl::StatusOr<uint64_t> position) { done(position.status()); });
  }));
}

void World::Control(v1::ControlMailboxRequest& request, uint8_t fix) {
  if (fix & 1) request.set_mailbox_id(id_);
  if (fix & 2) request.set_challenge(Challenge());
  // Deleting the one mailbox would make what follows dull.
  if ((fix & 4) && request.has_trim()) {
    request.set_control_signature(Text(key_.Sign(
        ControlMessage(relay_.identity_key(), request.challenge(), object_, request.generation(),
                       ControlAct::kTrim, request.trim().first_position()))));
  }
  CheckCode(Wait([&](auto done) { relay_.mailboxes().Control(request, done); }));
}

void World::Blob(uint8_t kind, uint8_t fix, crypto::ByteView bytes) {
  const std::string& token = (fix & 2) ? blob_write_token_ : blob_read_token_;
  if (kind == 0) {
    auto request = Parsed<v1::UploadBlobRequest>(bytes);
    if (request.has_header()) {
      if (fix & 1) {
        request.mutable_header()->set_blob_id(id_);
        request.mutable_header()->set_token(token);
      }
      CheckCode(upload_->Start(request.header()));
    } else {
      CheckCode(upload_->Write(request.chunk().index(), request.chunk().data()).status());
    }
  } else if (kind == 1) {
    auto request = Parsed<v1::SealBlobRequest>(bytes);
    request.set_blob_id(id_);
    if (fix & 1) request.set_token(token);
    CheckCode(Wait([&](auto done) { relay_.blobs().Seal(request, done); }));
  } else if (kind == 2) {
    auto request = Parsed<v1::StatBlobRequest>(bytes);
    request.set_blob_id(id_);
    if (fix & 1) request.set_token(token);
    v1::StatBlobResponse response;
    CheckCode(relay_.blobs().Stat(request, response));
  } else {
    auto request = Parsed<v1::DownloadBlobRequest>(bytes);
    request.set_blob_id(id_);
    if (fix & 1) request.set_token(token);
    absl::StatusOr<Blobs::Range> range = relay_.blobs().OpenRange(request);
    CheckCode(range.status());
    if (range.ok() && range->first < range->end) {
      FUZZ_CHECK(relay_.blobs().ReadChunk(range->blob, range->first).ok());
      FUZZ_CHECK(relay_.blobs().ReadChunk(range->blob, range->end - 1).ok());
    }
  }
}

void World::Call(uint8_t kind, uint8_t fix, crypto::ByteView bytes) {
  switch (kind % 12) {
    case 0: {
      auto request = Parsed<v1::AppendRequest>(bytes);
      return Append(request, fix);
    }
    case 1: {
      auto request = Parsed<v1::ControlMailboxRequest>(bytes);
      return Control(request, fix);
    }
    case 2: {
      auto request = Parsed<v1::ReadRequest>(bytes);
      if (fix & 1) request.set_mailbox_id(id_);
      if (fix & 2) request.set_token(read_token_);
      v1::ReadResponse response;
      return CheckCode(relay_.mailboxes().Read(request, response));
    }
    case 3: {
      auto request = Parsed<v1::OpenSessionRequest>(bytes);
      if (fix & 1) FixSession(request, fix >> 1, static_cast<AccessRight>(fix % 3 + 1));
      v1::OpenSessionResponse response;
      return CheckCode(relay_.sessions().OpenSession(request, response));
    }
    case 4: {
      auto request = Parsed<v1::CreateMailboxRequest>(bytes);
      if (fix & 1) request.set_sponsor_token(sponsor_token_);
      return CheckCode(Wait([&](auto done) { relay_.mailboxes().Create(request, done); }));
    }
    case 5: {
      auto request = Parsed<v1::CreateBlobRequest>(bytes);
      if (fix & 1) request.set_sponsor_token(sponsor_token_);
      return CheckCode(Wait([&](auto done) { relay_.blobs().Create(request, done); }));
    }
    case 6: {
      auto request = Parsed<v1::SubscribeRequest>(bytes);
      if ((fix & 1) && request.has_add()) {
        request.mutable_add()->set_mailbox_id(id_);
        request.mutable_add()->set_token(read_token_);
      }
      if (request.has_add()) CheckCode(subscription_->Add(request.add()));
      if (fix & 2) CheckCode(subscription_->Drop(request.drop_mailbox_id()));
      v1::SubscribeEvent event;
      while (subscription_->Next(event)) {
      }
      return;
    }
    case 7: {
      auto request = Parsed<v1::IssueVouchersRequest>(bytes);
      if (fix & 1) request.set_sponsor_token(sponsor_token_);
      v1::IssueVouchersResponse response;
      return CheckCode(relay_.sponsors().IssueVouchers(request, response));
    }
    default:
      return Blob(kind % 12 - 8, fix, bytes);
  }
}

// Whatever was appended, closed and trimmed: each generation's entries follow one another.
void World::CheckLog() {
  for (uint64_t generation = 1; generation < 5; ++generation) {
    absl::StatusOr<LogWindow> window = LoadWindow(store_, object_, generation, clock_.NowSeconds());
    if (!window.ok()) continue;
    google::protobuf::RepeatedPtrField<v1::Entry> entries;
    FUZZ_CHECK(
        ReadEntries(store_, object_, window->first, window->last, {1000, 1 << 30}, entries).ok());
    uint64_t next = window->first;
    for (const v1::Entry& entry : entries) {
      FUZZ_CHECK(entry.position() == next++);
      FUZZ_CHECK(entry.generation() == generation);
    }
  }
}

template <typename Record>
void CheckRecord(crypto::ByteView bytes) {
  const std::string text = Text(bytes);
  absl::StatusOr<Record> record = storage::ParseRecord<Record>(text);
  if (record.ok()) FUZZ_CHECK(storage::SerializeRecord(*record) == text);
}

void CheckDecoders(crypto::ByteView bytes) {
  CheckRecord<storage::MailboxRecord>(bytes);
  CheckRecord<storage::GenerationRecord>(bytes);
  CheckRecord<storage::AppendIdRecord>(bytes);
  CheckRecord<storage::BlobRecord>(bytes);
  CheckRecord<storage::BlobProgressRecord>(bytes);
  CheckRecord<storage::SponsorRecord>(bytes);
  CheckRecord<storage::SponsorLinkRecord>(bytes);
  CheckRecord<storage::SpentVoucherRecord>(bytes);
  const std::string text = Text(bytes);
  absl::StatusOr<storage::EntryView> entry = storage::ParseEntry(text);
  if (entry.ok()) FUZZ_CHECK(storage::SerializeEntry(entry->record, entry->payload) == text);
  absl::StatusOr<AdminRequest> admin = crypto::Parse<AdminRequest>(bytes);
  if (admin.ok()) FUZZ_CHECK(crypto::PublicEquals(crypto::Serialize(*admin), bytes));
  static const Credentials credentials(crypto::Secret::Random(32));
  FUZZ_CHECK(!credentials.CheckToken(text, 0).ok());
  FUZZ_CHECK(!credentials.CheckVoucher(text).ok());
  FUZZ_CHECK(!credentials.CheckChallenge(text, 0).ok());
}

}  // namespace
}  // namespace parley::server

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using parley::server::World;
  parley::fuzz::Input input(data, size);
  if (input.Byte() == 'd') {
    parley::server::CheckDecoders(input.Rest());
    return 0;
  }
  // A world costs four threads: it serves many inputs, and not so many that it fills up.
  static std::unique_ptr<World> world;
  static int uses = 0;
  if (world == nullptr || ++uses % 64 == 0) world = std::make_unique<World>();
  for (int calls = 0; calls < 32 && !input.empty(); ++calls) {
    const uint8_t kind = input.Byte();
    const uint8_t fix = input.Byte();
    const parley::crypto::ByteView bytes = input.Take(input.Number() % 2048);
    world->Call(kind, fix, bytes);
  }
  world->CheckLog();
  return 0;
}

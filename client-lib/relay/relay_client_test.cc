#include "client-lib/relay/relay_client.h"

#include <algorithm>
#include <ctime>
#include <set>
#include <thread>
#include <vector>

#include "client-lib/relay/relay_test_kit.h"
#include "gmock/gmock.h"

namespace parley::client {
namespace {

using parley::testing::TestRelay;
using ::testing::HasSubstr;

// --- mailboxes ---

TEST(Mailbox, AppendsAndReads) {
  TestRelay relay;
  auto client = MustConnect(relay);
  TestMailbox mailbox(*client, relay);
  for (uint64_t i = 1; i <= 5; ++i) mailbox.MustAppend(*client, "entry " + std::to_string(i), i);
  absl::StatusOr<ReadResult> result = client->Read(mailbox.id, 1, mailbox.keys.read, 1);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->entries.size(), 5u);
  EXPECT_EQ(TextOf(result->entries[4]), "entry 5");
  EXPECT_EQ(result->generation_head, 5u);
  EXPECT_FALSE(result->closed);
  result = client->Read(mailbox.id, 1, mailbox.keys.read, 4, 1);
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->entries.size(), 1u);
  EXPECT_EQ(result->entries[0].position, 4u);
  result = client->Read(mailbox.id, 1, mailbox.keys.read, 6);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->entries.empty());
}

TEST(Mailbox, RepeatedAppendGivesTheFirstAnswer) {
  TestRelay relay;
  auto client = MustConnect(relay);
  TestMailbox mailbox(*client, relay);
  const AppendId id = crypto::RandomArray<16>();
  ASSERT_TRUE(mailbox.Append(*client, "once", id).ok());
  mailbox.MustAppend(*client, "another", 2);
  absl::StatusOr<AppendOutcome> again = mailbox.Append(*client, "once", id);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(std::get<Appended>(*again).position, 1u);
  EXPECT_EQ(mailbox.Append(*client, "other bytes", id).status().code(),
            absl::StatusCode::kAlreadyExists);
  mailbox.Close(*client);
  again = mailbox.Append(*client, "once", id);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(std::get<Appended>(*again).position, 1u);
}

TEST(Mailbox, StaleGenerationIsAnAnswer) {
  TestRelay relay;
  auto client = MustConnect(relay);
  TestMailbox mailbox(*client, relay);
  EXPECT_EQ(*client->CurrentGeneration(mailbox.id, 1, mailbox.keys.append), 1u);
  const GenerationSeeds next = mailbox.Close(*client);
  absl::StatusOr<AppendOutcome> outcome = mailbox.Append(*client, "late");
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  ASSERT_TRUE(std::holds_alternative<StaleGeneration>(*outcome));
  EXPECT_EQ(std::get<StaleGeneration>(*outcome).current_generation, 2u);
  EXPECT_EQ(*client->CurrentGeneration(mailbox.id, 1, mailbox.keys.append), 2u);

  absl::StatusOr<ReadResult> first = client->Read(mailbox.id, 1, mailbox.keys.read, 1);
  ASSERT_TRUE(first.ok());
  EXPECT_TRUE(first->closed);
  const Entry& closing = first->entries.back();
  ASSERT_TRUE(closing.closing.has_value());
  EXPECT_EQ(closing.closing->next_keys, next.Public());
  EXPECT_TRUE(VerifyClosing(mailbox.id, 1, mailbox.keys.control.public_key(), closing.payload,
                            *closing.closing)
                  .ok());
  ASSERT_TRUE(
      client->Append(mailbox.id, 2, next.append, crypto::RandomArray<16>(), crypto::ViewOf("new"))
          .ok());
  absl::StatusOr<ReadResult> second = client->Read(mailbox.id, 2, next.read, 2);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(TextOf(second->entries.at(0)), "new");
}

TEST(Mailbox, ClosingsAreBoundToAllTheySay) {
  const GenerationSeeds keys, next, other;
  const ObjectId id = crypto::RandomArray<32>();
  const Closing closing = SignClosing(keys.control, id, 3, crypto::ViewOf("c"), next.Public());
  const auto verify = [](const ObjectId& mailbox, uint64_t generation, const PublicKey& control,
                         std::string_view payload, const Closing& c) {
    return VerifyClosing(mailbox, generation, control, crypto::ViewOf(payload), c).code();
  };
  const PublicKey& control = keys.control.public_key();
  const auto bad = absl::StatusCode::kUnauthenticated;
  EXPECT_EQ(verify(id, 3, control, "c", closing), absl::StatusCode::kOk);
  EXPECT_EQ(verify(id, 4, control, "c", closing), bad);
  EXPECT_EQ(verify(id, 3, control, "d", closing), bad);
  EXPECT_EQ(verify(crypto::RandomArray<32>(), 3, control, "c", closing), bad);
  EXPECT_EQ(verify(id, 3, other.control.public_key(), "c", closing), bad);
  Closing changed = closing;
  changed.next_keys.append_keys.push_back(other.append.public_key());
  EXPECT_EQ(verify(id, 3, control, "c", changed), bad);
  changed = closing;
  std::swap(changed.next_keys.read_key, changed.next_keys.control_key);
  EXPECT_EQ(verify(id, 3, control, "c", changed), bad);
}

TEST(Mailbox, ForgedClosingIsRefused) {
  TestRelay relay;
  auto client = MustConnect(relay);
  TestMailbox mailbox(*client, relay);
  const GenerationSeeds next;
  const Closing closing = SignClosing(crypto::SignatureKey::Generate(), mailbox.id, 1,
                                      crypto::ViewOf("commit"), next.Public());
  const absl::Status status =
      client
          ->Append(mailbox.id, 1, mailbox.keys.append, crypto::RandomArray<16>(),
                   crypto::ViewOf("commit"), closing)
          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated) << status;
}

TEST(Mailbox, WrongKeysGetNothing) {
  TestRelay relay;
  auto client = MustConnect(relay);
  TestMailbox mailbox(*client, relay);
  mailbox.MustAppend(*client, "x", 1);
  const crypto::SignatureKey stranger = crypto::SignatureKey::Generate();
  const auto not_found = absl::StatusCode::kNotFound;
  EXPECT_EQ(client->Read(mailbox.id, 1, stranger, 1).status().code(), not_found);
  EXPECT_EQ(client->Read(mailbox.id, 1, mailbox.keys.append, 1).status().code(), not_found);
  EXPECT_EQ(client->Read(mailbox.id, 2, mailbox.keys.read, 1).status().code(), not_found);
  EXPECT_EQ(
      client
          ->Append(mailbox.id, 1, mailbox.keys.read, crypto::RandomArray<16>(), crypto::ViewOf("x"))
          .status()
          .code(),
      not_found);
  EXPECT_EQ(client->Read(crypto::RandomArray<32>(), 1, mailbox.keys.read, 1).status().code(),
            not_found);
}

TEST(Mailbox, SizesAreBounded) {
  TestRelay relay;
  auto client = MustConnect(relay);
  TestMailbox mailbox(*client, relay);
  mailbox.MustAppend(*client, std::string(kMaxEntryBytes, 'x'), 1);
  EXPECT_EQ(mailbox.Append(*client, std::string(kMaxEntryBytes + 1, 'x')).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(mailbox.Append(*client, "").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Mailbox, ExpiredTokensAreRenewed) {
  TestRelay relay;
  auto client = MustConnect(relay);
  TestMailbox mailbox(*client, relay);
  mailbox.MustAppend(*client, "one", 1);
  ASSERT_TRUE(client->Read(mailbox.id, 1, mailbox.keys.read, 1).ok());
  relay.AdvanceClock(3600);
  mailbox.MustAppend(*client, "two", 2);
  absl::StatusOr<ReadResult> result = client->Read(mailbox.id, 1, mailbox.keys.read, 1);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->entries.size(), 2u);
}

TEST(Mailbox, AReadBeyondTheEndTellsOfALostLog) {
  TestRelay relay;
  auto client = MustConnect(relay);
  TestMailbox mailbox(*client, relay);
  mailbox.MustAppend(*client, "one", 1);
  EXPECT_EQ(client->Read(mailbox.id, 1, mailbox.keys.read, 5).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST(Mailbox, IsTrimmedAndDeletedByItsControlKey) {
  TestRelay relay;
  auto client = MustConnect(relay);
  TestMailbox mailbox(*client, relay);
  for (uint64_t i = 1; i <= 3; ++i) mailbox.MustAppend(*client, "x", i);
  EXPECT_FALSE(
      client->ControlMailbox(mailbox.id, 1, crypto::SignatureKey::Generate(), Trim{3}).ok());
  ASSERT_TRUE(client->ControlMailbox(mailbox.id, 1, mailbox.keys.control, Trim{3}).ok());
  absl::StatusOr<ReadResult> result = client->Read(mailbox.id, 1, mailbox.keys.read, 1);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->first_position, 3u);
  ASSERT_EQ(result->entries.size(), 1u);
  EXPECT_EQ(result->entries[0].position, 3u);
  ASSERT_TRUE(client->ControlMailbox(mailbox.id, 1, mailbox.keys.control, DeleteMailbox{}).ok());
  EXPECT_EQ(client->Read(mailbox.id, 1, mailbox.keys.read, 3).status().code(),
            absl::StatusCode::kNotFound);
}

TEST(Mailbox, ManyThreadsAppendEachEntryOnce) {
  TestRelay relay;
  auto client = MustConnect(relay);
  TestMailbox mailbox(*client, relay);
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        const std::string text = std::to_string(t) + "/" + std::to_string(i);
        ASSERT_TRUE(mailbox.Append(*client, text).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  absl::StatusOr<ReadResult> result = client->Read(mailbox.id, 1, mailbox.keys.read, 1, 1000);
  ASSERT_TRUE(result.ok());
  std::set<std::string> texts;
  for (const Entry& entry : result->entries) texts.insert(TextOf(entry));
  EXPECT_EQ(result->entries.size(), 120u);
  EXPECT_EQ(texts.size(), 120u);
}

TEST(Mailbox, CallsOutliveARestart) {
  TestRelay relay;
  RelayOptions options;
  options.retry_for = std::chrono::seconds(20);
  auto client = MustConnect(relay, options);
  TestMailbox mailbox(*client, relay);
  mailbox.MustAppend(*client, "one", 1);
  relay.Stop();
  std::thread starter([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    relay.Start();
  });
  mailbox.MustAppend(*client, "two", 2);
  starter.join();
}

// --- vouchers and blobs ---

// More calls than the relay takes at once: the client waits as it is told, and each is done, once.
TEST(Mailbox, ARelayThatIsAskedTooOftenIsAskedLater) {
  TestRelay relay;
  auto client = MustConnect(relay);
  TestMailbox mailbox(*client, relay);
  auto subscription = client->Subscribe();
  relay.LimitCalls(8);  // and 80 at once, of which few are left
  for (uint64_t i = 1; i <= 90; ++i) mailbox.MustAppend(*client, std::to_string(i), i);
  // Streams as well.
  subscription->Add(mailbox.id, 1, mailbox.keys.read, 1);
  uint64_t next = 1;
  while (next <= 90) {
    const std::optional<Subscription::Event> event = subscription->Next(std::chrono::seconds(60));
    ASSERT_TRUE(event.has_value());
    const auto* entries = std::get_if<Subscription::Entries>(&*event);
    if (entries == nullptr) continue;
    for (const Entry& entry : entries->entries) EXPECT_EQ(TextOf(entry), std::to_string(next++));
  }
}

TEST(Vouchers, MakeOneMailboxEach) {
  TestRelay relay;
  auto client = MustConnect(relay);
  auto vouchers = client->IssueVouchers(relay.sponsor_token().Reveal(), 2, 1 << 20,
                                        static_cast<uint64_t>(time(nullptr)) + 3600);
  ASSERT_TRUE(vouchers.ok()) << vouchers.status();
  ASSERT_EQ(vouchers->size(), 2u);
  const GenerationSeeds keys;
  const ObjectId id = crypto::RandomArray<32>();
  const Credential voucher = Credential::Voucher((*vouchers)[0]);
  EXPECT_TRUE(client->CreateMailbox(voucher, id, keys.Public()).ok());
  EXPECT_TRUE(client->CreateMailbox(voucher, id, keys.Public()).ok());  // repeated
  EXPECT_FALSE(client->CreateMailbox(voucher, crypto::RandomArray<32>(), keys.Public()).ok());
  EXPECT_EQ(client->CreateMailbox(Credential::SponsorToken(crypto::Bytes(32, 1)), id, keys.Public())
                .code(),
            absl::StatusCode::kUnauthenticated);
}

class BlobTest : public ::testing::Test {
 protected:
  void Make(uint64_t chunks, uint64_t size) {
    ASSERT_TRUE(client_
                    ->CreateBlob(Credential::SponsorToken(relay_.sponsor_token().Reveal()), id_,
                                 read_.public_key(), write_.public_key(), chunks * size)
                    .ok());
  }
  static std::string Chunk(uint64_t index) {
    return std::string(100'000, static_cast<char>('a' + index));
  }

  TestRelay relay_;
  std::unique_ptr<RelayClient> client_ = MustConnect(relay_);
  ObjectId id_ = crypto::RandomArray<32>();
  crypto::SignatureKey read_ = crypto::SignatureKey::Generate();
  crypto::SignatureKey write_ = crypto::SignatureKey::Generate();
};

TEST_F(BlobTest, GoesUpAndDown) {
  Make(10, 100'000);
  auto upload = client_->UploadBlob(id_, write_, 0, 0, 3);
  ASSERT_TRUE(upload.ok()) << upload.status();
  for (uint64_t i = 0; i < 10; ++i) {
    ASSERT_TRUE((*upload)->Send(i, Chunk(i)).ok());
  }
  ASSERT_TRUE((*upload)->Finish().ok());
  EXPECT_EQ((*upload)->acknowledged(), 10u);
  EXPECT_FALSE(
      client_
          ->DownloadBlob(id_, read_, 0, 0, [](uint64_t, std::string&) { return absl::OkStatus(); })
          .ok());  // not sealed
  ASSERT_TRUE(client_->SealBlob(id_, write_, 10, 1'000'000).ok());
  ASSERT_TRUE(client_->SealBlob(id_, write_, 10, 1'000'000).ok());
  absl::StatusOr<BlobStat> stat = client_->StatBlob(id_, RelayClient::BlobKey::kRead, read_);
  ASSERT_TRUE(stat.ok());
  EXPECT_EQ(stat->chunks, 10u);
  EXPECT_TRUE(stat->sealed);
  uint64_t next = 4;
  ASSERT_TRUE(client_
                  ->DownloadBlob(id_, read_, 4, 0,
                                 [&](uint64_t index, std::string& data) {
                                   EXPECT_EQ(index, next++);
                                   EXPECT_EQ(data, Chunk(index));
                                   return absl::OkStatus();
                                 })
                  .ok());
  EXPECT_EQ(next, 10u);
  EXPECT_EQ(client_
                ->DownloadBlob(id_, read_, 2, 3,
                               [](uint64_t index, std::string&) {
                                 return index == 3 ? absl::DataLossError("mine") : absl::OkStatus();
                               })
                .code(),
            absl::StatusCode::kDataLoss);
  ASSERT_TRUE(client_->DeleteBlob(id_, write_).ok());
  EXPECT_EQ(client_->StatBlob(id_, RelayClient::BlobKey::kWrite, write_).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(BlobTest, UploadEndsWhenTheRelayDoesAndGoesOn) {
  Make(10, 100'000);
  auto upload = client_->UploadBlob(id_, write_, 0, 0);
  ASSERT_TRUE(upload.ok());
  for (uint64_t i = 0; i < 4; ++i) {
    ASSERT_TRUE((*upload)->Send(i, Chunk(i)).ok());
  }
  while ((*upload)->acknowledged() < 4) usleep(1000);
  relay_.Stop();
  absl::Status status;
  for (uint64_t i = 4; i < 10 && status.ok(); ++i) {
    status = (*upload)->Send(i, Chunk(i));
  }
  if (status.ok()) status = (*upload)->Finish();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  relay_.Start();
  RelayOptions options;
  options.retry_for = std::chrono::seconds(10);
  client_ = (upload->reset(), MustConnect(relay_, options));
  absl::StatusOr<BlobStat> stat = client_->StatBlob(id_, RelayClient::BlobKey::kWrite, write_);
  ASSERT_TRUE(stat.ok()) << stat.status();
  ASSERT_GE(stat->chunks, 4u);
  upload = client_->UploadBlob(id_, write_, stat->chunks, stat->chunks);
  ASSERT_TRUE(upload.ok());
  for (uint64_t i = stat->chunks; i < 10; ++i) {
    ASSERT_TRUE((*upload)->Send(i, Chunk(i)).ok());
  }
  ASSERT_TRUE((*upload)->Finish().ok());
  EXPECT_TRUE(client_->SealBlob(id_, write_, 10, 1'000'000).ok());
}

TEST_F(BlobTest, ReplacedChunksAreAcknowledgedWhenTheyAre) {
  Make(8, 100'000);
  auto upload = client_->UploadBlob(id_, write_, 0, 0);
  for (uint64_t i = 0; i < 6; ++i) {
    ASSERT_TRUE((*upload)->Send(i, Chunk(9)).ok());
  }
  ASSERT_TRUE((*upload)->Finish().ok());
  upload = client_->UploadBlob(id_, write_, 2, 6);
  for (uint64_t i = 2; i < 6; ++i) {
    ASSERT_TRUE((*upload)->Send(i, Chunk(i)).ok());
  }
  usleep(200'000);
  EXPECT_EQ((*upload)->acknowledged(), 2u);  // the relay's "6" says nothing of these
  ASSERT_TRUE((*upload)->Send(6, Chunk(6)).ok());
  ASSERT_TRUE((*upload)->Send(7, Chunk(7)).ok());
  ASSERT_TRUE((*upload)->Finish().ok());
  EXPECT_EQ((*upload)->acknowledged(), 8u);
  // Replacing alone, up to the end: acknowledged by the stream's end.
  upload = client_->UploadBlob(id_, write_, 6, 8);
  ASSERT_TRUE((*upload)->Send(6, Chunk(1)).ok());
  ASSERT_TRUE((*upload)->Send(7, Chunk(0)).ok());
  ASSERT_TRUE((*upload)->Finish().ok());
  EXPECT_EQ((*upload)->acknowledged(), 8u);
  ASSERT_TRUE(client_->SealBlob(id_, write_, 8, 800'000).ok());
  const std::vector<uint64_t> expected = {9, 9, 2, 3, 4, 5, 1, 0};
  ASSERT_TRUE(client_
                  ->DownloadBlob(id_, read_, 0, 0,
                                 [&](uint64_t index, std::string& data) {
                                   EXPECT_EQ(data, Chunk(expected[index])) << index;
                                   return absl::OkStatus();
                                 })
                  .ok());
}

TEST_F(BlobTest, QuotaIsSaid) {
  const absl::Status status =
      client_->CreateBlob(Credential::SponsorToken(relay_.sponsor_token().Reveal()), id_,
                          read_.public_key(), write_.public_key(), TestRelay::kQuotaBytes + 1);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_EQ(ShortageOf(status), Shortage::kQuota);
}

}  // namespace
}  // namespace parley::client

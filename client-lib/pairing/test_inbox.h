// People with inboxes at a real relay, and pairings between them. Only tests include it.
#ifndef PARLEY_CLIENT_LIB_PAIRING_TEST_INBOX_H_
#define PARLEY_CLIENT_LIB_PAIRING_TEST_INBOX_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "client-lib/pairing/device.h"
#include "client-lib/pairing/inbox.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/signature.h"
#include "tests/in_process/test_relay.h"

namespace parley::client {

using content::v1::InboxMessage;

// One person with a profile, an inbox, and a connection.
class Someone {
 public:
  // `allowance`: of the inbox.
  Someone(const std::string& name, const CaseId& id, testing::TestRelay& relay,
          const Allowance& allowance = {})
      : id_(id), records_(id), relay_server_(relay) {
    std::string pattern = (std::filesystem::temp_directory_path() / "parley-inbox-XXXXXX").string();
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    auto store = ProfileStore::Create((folder_ / "profile").string());
    EXPECT_TRUE(store.ok()) << store.status();
    store_ = std::move(*store);
    Connect();
    Change([&](Transaction& step) { return records_.PutDevice(step, MakeDevice(name)); });
    const Credential payment = Credential::SponsorToken(relay.sponsor_token().Reveal());
    if (allowance.bytes != 0) {
      const OwnDevice device = Device();
      EXPECT_TRUE(
          client_
              ->CreateMailbox(payment, device.inbox_id, *InboxKeys(device, device.slots), allowance)
              .ok());
    } else {
      EXPECT_TRUE(InboxOf().Create(*client_, payment).ok());
    }
  }
  ~Someone() {
    client_.reset();
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  void Connect() {
    client_.reset();
    auto client = RelayClient::Connect({relay_server_.address(), relay_server_.identity_key()});
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = std::move(*client);
  }

  // Puts a copy of the profile aside, and later in the place of the profile.
  void SetAside() { CopyProfile("profile", "copy"); }
  void PutBack() { CopyProfile("copy", "profile"); }

  Inbox InboxOf() {
    return Inbox(*store_, id_, [this] { return now; });
  }
  ProfileStore& store() { return *store_; }
  RelayClient& client() { return *client_; }
  const PairingRecords& records() const { return records_; }

  template <typename Step>
  void Change(Step change) {
    auto step = store_->Begin();
    ASSERT_TRUE(step.ok()) << step.status();
    const absl::Status changed = change(*step);
    ASSERT_TRUE(changed.ok()) << changed;
    const absl::Status committed = step->Commit();
    ASSERT_TRUE(committed.ok()) << committed;
  }

  OwnDevice Device() {
    auto read = store_->Read();
    return std::move(*records_.Device(*read));
  }

  // Queues a message that the text can be seen in.
  void Write(const Pairing& pairing, const std::string& text) {
    Change([&](Transaction& step) {
      InboxMessage message;
      message.mutable_approval()->set_name(text);
      return InboxOf().Queue(step, pairing, std::move(message));
    });
  }

  // What the end of a sync does.
  bool Answer() {
    auto queued = InboxOf().Answer();
    EXPECT_TRUE(queued.ok()) << queued.status();
    return queued.ok() && *queued;
  }

  Traffic TrafficWith(const Pairing& pairing) {
    auto read = store_->Read();
    return std::move(*records_.TrafficOf(*read, pairing.id));
  }

  std::vector<std::string> Kept() {
    auto read = store_->Read();
    return std::move(*records_.unconfirmed.Keys(*read));
  }

  FlushResult Flush() {
    auto result = InboxOf().Flush(*client_);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? *result : FlushResult();
  }

  // What the handler took, in order.
  std::vector<std::string> Receive() {
    std::vector<std::string> texts;
    auto taken =
        InboxOf().Receive(*client_, [&](Transaction&, const Pairing&, const InboxMessage& message) {
          texts.push_back(message.approval().name());
          return absl::OkStatus();
        });
    EXPECT_TRUE(taken.ok()) << taken.status();
    return texts;
  }

  uint64_t now = 1'000'000;

 private:
  void CopyProfile(const char* from, const char* to) {
    store_.reset();
    std::filesystem::remove_all(folder_ / to);
    std::filesystem::copy(folder_ / from, folder_ / to, std::filesystem::copy_options::recursive);
    auto store = ProfileStore::Open((folder_ / "profile").string());
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = std::move(*store);
  }

  CaseId id_;
  PairingRecords records_;
  testing::TestRelay& relay_server_;
  std::filesystem::path folder_;
  std::unique_ptr<ProfileStore> store_;
  std::unique_ptr<RelayClient> client_;
};

class InboxTest : public ::testing::Test {
 protected:
  // Both ends of one pairing, stored on both sides.
  void Pair(Someone& a, Someone& b, Pairing& at_a, Pairing& at_b) {
    at_a.id = at_b.id = crypto::RandomBytes(16);
    const Secret secret = Secret::Random(32);
    at_a.secret = secret.Clone();
    at_b.secret = secret.Clone();
    Link(a, b, at_a);
    Link(b, a, at_b);
  }
  void Link(Someone& from, Someone& to, Pairing& pairing) {
    OwnDevice device = to.Device();
    pairing.peer = device.participant_id;
    pairing.peer_card = device.card;
    auto seeds = TakeSlots(device, 1, pairing.id);
    ASSERT_TRUE(seeds.ok());
    pairing.append_seed = (*seeds)[0].Clone();
    to.Change([&](Transaction& step) { return to.records().PutDevice(step, device); });
    from.Change([&](Transaction& step) { return from.records().PutPairing(step, pairing); });
  }

  testing::TestRelay relay_;
  CaseId id_{crypto::RandomArray<16>()};
};

// Two who are paired with each other.
class PairedInboxTest : public InboxTest {
 protected:
  void SetUp() override { Pair(mira_, ana_, to_ana_, to_mira_); }

  Someone mira_{"Mira", id_, relay_};
  Someone ana_{"Ana", id_, relay_};
  Pairing to_ana_;
  Pairing to_mira_;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_PAIRING_TEST_INBOX_H_

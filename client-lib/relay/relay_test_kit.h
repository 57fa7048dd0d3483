// Mailboxes with their keys, for tests of the relay client.
#ifndef PARLEY_CLIENT_LIB_RELAY_RELAY_TEST_KIT_H_
#define PARLEY_CLIENT_LIB_RELAY_RELAY_TEST_KIT_H_

#include <memory>
#include <string>
#include <utility>

#include "client-lib/relay/relay_client.h"
#include "crypto/primitives/random.h"
#include "gtest/gtest.h"
#include "tests/in_process/test_relay.h"

namespace parley::client {

struct GenerationSeeds {
  crypto::SignatureKey read = crypto::SignatureKey::Generate();
  crypto::SignatureKey append = crypto::SignatureKey::Generate();
  crypto::SignatureKey control = crypto::SignatureKey::Generate();

  GenerationKeys Public() const {
    return {read.public_key(), {append.public_key()}, control.public_key()};
  }
};

inline ConnectionInfo InfoOf(const testing::TestRelay& relay) {
  return {relay.address(), relay.identity_key()};
}

inline std::unique_ptr<RelayClient> MustConnect(const testing::TestRelay& relay,
                                                RelayOptions options = {}) {
  absl::StatusOr<std::unique_ptr<RelayClient>> client =
      RelayClient::Connect(InfoOf(relay), std::move(options));
  EXPECT_TRUE(client.ok()) << client.status();
  return client.ok() ? std::move(*client) : nullptr;
}

// A mailbox at generation 1.
struct TestMailbox {
  ObjectId id = crypto::RandomArray<32>();
  GenerationSeeds keys;

  TestMailbox(RelayClient& client, const testing::TestRelay& relay, uint64_t expires_at = 0) {
    const absl::Status made =
        client.CreateMailbox(Credential::SponsorToken(relay.sponsor_token().Reveal()), id,
                             keys.Public(), {}, expires_at);
    EXPECT_TRUE(made.ok()) << made;
  }

  absl::StatusOr<AppendOutcome> Append(RelayClient& client, std::string_view text,
                                       const AppendId& append_id = crypto::RandomArray<16>()) {
    return client.Append(id, 1, keys.append, append_id, crypto::ViewOf(text));
  }
  void MustAppend(RelayClient& client, std::string_view text, uint64_t position) {
    absl::StatusOr<AppendOutcome> outcome = Append(client, text);
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    ASSERT_TRUE(std::holds_alternative<Appended>(*outcome));
    EXPECT_EQ(std::get<Appended>(*outcome).position, position);
  }
  // Closes generation 1 and returns the keys of generation 2.
  GenerationSeeds Close(RelayClient& client, std::string_view text = "commit") {
    GenerationSeeds next;
    const Closing closing = SignClosing(keys.control, id, 1, crypto::ViewOf(text), next.Public());
    absl::StatusOr<AppendOutcome> outcome =
        client.Append(id, 1, keys.append, crypto::RandomArray<16>(), crypto::ViewOf(text), closing);
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    return next;
  }
};

inline std::string TextOf(const Entry& entry) { return crypto::ToString(entry.payload); }

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_RELAY_RELAY_TEST_KIT_H_

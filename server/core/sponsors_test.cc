// Sponsors and vouchers: single use, bounds, quotas, removal, and what is not stored.
#include "server/core/sponsors.h"

#include <gtest/gtest.h>

#include "server/core/relay_fixture_for_test.h"

namespace parley::server {
namespace {

using absl::StatusCode;

class SponsorsTest : public testing::Test {
 protected:
  absl::StatusOr<std::vector<std::string>> Vouchers(uint32_t count, uint64_t max_bytes,
                                                    uint64_t seconds = 1000) {
    v1::IssueVouchersRequest request;
    request.set_sponsor_token(relay_.sponsor_token);
    request.set_count(count);
    request.set_max_bytes(max_bytes);
    request.set_expires_at(relay_.clock.NowSeconds() + seconds);
    v1::IssueVouchersResponse response;
    absl::Status status = relay_.relay->sponsors().IssueVouchers(request, response);
    if (!status.ok()) return status;
    return std::vector<std::string>(response.vouchers().begin(), response.vouchers().end());
  }
  v1::CreateMailboxRequest WithVoucher(const TestMailbox& mailbox, const std::string& voucher) {
    v1::CreateMailboxRequest request = relay_.CreateRequest(mailbox);
    request.set_voucher(voucher);
    return request;
  }

  static v1::Exhausted::What WhatIsExhausted(const absl::StatusOr<uint64_t>& append) {
    return WhatIsExhausted(append.status());
  }
  static v1::Exhausted::What WhatIsExhausted(const absl::Status& status) {
    EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << status;
    v1::Exhausted details;
    const auto payload = status.GetPayload(kExhaustedPayload);
    EXPECT_TRUE(payload.has_value() && details.ParseFromString(std::string(*payload)));
    return details.what();
  }

  RelayFixture relay_;
};

TEST_F(SponsorsTest, AVoucherMakesOneObject) {
  const std::string voucher = (*Vouchers(1, 10000))[0];
  TestMailbox mailbox;
  ASSERT_TRUE(relay_.Create(WithVoucher(mailbox, voucher)).ok());
  EXPECT_EQ(relay_.Create(WithVoucher(TestMailbox(), voucher)).code(),
            StatusCode::kUnauthenticated);
  v1::CreateBlobRequest blob = relay_.CreateRequest(TestBlob(), 100);
  blob.set_voucher(voucher);
  EXPECT_EQ(relay_.Create(blob).code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(relay_.Usage("sponsor").used_objects, 1u);
}

// The answer to a creation was lost: the same request must succeed again, even after the voucher's
// expiry; and it stays used when its object is gone.
TEST_F(SponsorsTest, ARepeatedCreationIsAnsweredAgain) {
  const std::string voucher = (*Vouchers(1, 10000))[0];
  TestMailbox mailbox;
  const v1::CreateMailboxRequest request = WithVoucher(mailbox, voucher);
  ASSERT_TRUE(relay_.Create(request).ok());
  EXPECT_TRUE(relay_.Create(request).ok());
  ASSERT_TRUE(relay_.Control(mailbox, ControlAct::kDelete, 0).ok());
  EXPECT_EQ(relay_.Create(request).code(), StatusCode::kUnauthenticated);
}

TEST_F(SponsorsTest, VouchersExpireAndTheirTraceIsSwept) {
  std::vector<std::string> vouchers = *Vouchers(2, 10000, 100);
  ASSERT_TRUE(relay_.Create(WithVoucher(TestMailbox(), vouchers[0])).ok());
  auto spent = [&] {
    int count = 0;
    EXPECT_TRUE(relay_.store
                    .Scan(storage::Space::kRecords, "v", "w",
                          [&](std::string_view, std::string_view) { return ++count, true; })
                    .ok());
    return count;
  };
  EXPECT_EQ(spent(), 1);
  relay_.clock.Advance(100);
  EXPECT_EQ(relay_.Create(WithVoucher(TestMailbox(), vouchers[1])).code(),
            StatusCode::kUnauthenticated);
  EXPECT_EQ(relay_.Create(WithVoucher(TestMailbox(), vouchers[0])).code(),
            StatusCode::kUnauthenticated);
  ASSERT_TRUE(relay_.relay->Sweep().ok());
  EXPECT_EQ(spent(), 0);
}

TEST_F(SponsorsTest, VouchersAreBounded) {
  v1::CreateBlobRequest blob = relay_.CreateRequest(TestBlob(), 1001);
  blob.set_voucher((*Vouchers(1, 1000))[0]);
  EXPECT_EQ(WhatIsExhausted(relay_.Create(blob)), v1::Exhausted::WHAT_VOUCHER);
  blob.set_total_bytes(1000);
  EXPECT_TRUE(relay_.Create(blob).ok());  // the refusal didn't use it up
  // A mailbox stores no more than the voucher pays for, however often it is closed.
  TestMailbox mailbox;
  ASSERT_TRUE(relay_.Create(WithVoucher(mailbox, (*Vouchers(1, 1600))[0])).ok());
  ASSERT_TRUE(relay_.Append(mailbox, std::string(600, 'x')).ok());
  // Though there would be room: it is kept for a closing.
  EXPECT_EQ(WhatIsExhausted(relay_.Append(mailbox, "y")), v1::Exhausted::WHAT_MAILBOX);
  ASSERT_TRUE(relay_.Close(mailbox, "c").ok());
  EXPECT_EQ(WhatIsExhausted(relay_.Append(mailbox, "y")), v1::Exhausted::WHAT_MAILBOX);
  EXPECT_EQ(WhatIsExhausted(relay_.Close(mailbox, "c")), v1::Exhausted::WHAT_MAILBOX);
  ASSERT_TRUE(relay_.Control(mailbox, ControlAct::kTrim, 3).ok());
  EXPECT_TRUE(relay_.Append(mailbox, "y").ok());
}

// What a spent voucher leaves behind has nothing in common with what it made.
TEST_F(SponsorsTest, AVoucherIsNotLinkedToItsObject) {
  const std::string voucher = (*Vouchers(1, 10000))[0];
  const std::string voucher_id = voucher.substr(1, 16);
  TestMailbox mailbox;
  ASSERT_TRUE(relay_.Create(WithVoucher(mailbox, voucher)).ok());
  ASSERT_TRUE(relay_.store
                  .Scan(storage::Space::kRecords, "", "\xFF",
                        [&](std::string_view key, std::string_view value) {
                          const bool names_voucher =
                              key.find(voucher_id) != std::string_view::npos ||
                              value.find(voucher_id) != std::string_view::npos;
                          const bool names_mailbox =
                              key.find(mailbox.id) != std::string_view::npos ||
                              value.find(mailbox.id) != std::string_view::npos;
                          EXPECT_FALSE(names_voucher && names_mailbox);
                          return true;
                        })
                  .ok());
}

TEST_F(SponsorsTest, IssuingChecksItsFieldsAndItsSponsor) {
  EXPECT_EQ(Vouchers(0, 1).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Vouchers(257, 1).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Vouchers(1, 1, 0).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Vouchers(256, 1)->size(), 256u);
  relay_.sponsor_token = RandomString(32);
  EXPECT_EQ(Vouchers(1, 1).status().code(), StatusCode::kUnauthenticated);
}

TEST_F(SponsorsTest, RemovalRefusesNewObjectsAndKeepsOldOnes) {
  relay_.sponsor_token = relay_.AddSponsor("leaving", 1 << 20);
  const std::string voucher = (*Vouchers(1, 10000))[0];
  TestMailbox mailbox = relay_.NewMailbox();
  ASSERT_TRUE(relay_.relay->sponsors().Remove("leaving").ok());
  EXPECT_EQ(relay_.relay->sponsors().Remove("leaving").code(), StatusCode::kNotFound);
  EXPECT_EQ(relay_.Create(relay_.CreateRequest(TestMailbox())).code(),
            StatusCode::kUnauthenticated);
  EXPECT_EQ(relay_.Create(WithVoucher(TestMailbox(), voucher)).code(),
            StatusCode::kUnauthenticated);
  EXPECT_TRUE(relay_.Append(mailbox, "still here").ok());
  EXPECT_EQ(relay_.ReadAll(mailbox, 1).size(), 1u);
  EXPECT_TRUE(relay_.Usage("leaving").removed);
  // The name is free again, for another sponsor; the old one is forgotten with its last object.
  relay_.sponsor_token = relay_.AddSponsor("leaving", 1 << 20);
  EXPECT_EQ(relay_.relay->sponsors().List()->size(), 3u);
  ASSERT_TRUE(relay_.Control(mailbox, ControlAct::kDelete, 0).ok());
  EXPECT_EQ(relay_.relay->sponsors().List()->size(), 2u);
  EXPECT_FALSE(relay_.Usage("leaving").removed);
}

TEST_F(SponsorsTest, QuotasHoldForAppends) {
  relay_.sponsor_token = relay_.AddSponsor("small", 16000, 1);
  TestMailbox mailbox = relay_.NewMailbox();
  EXPECT_EQ(WhatIsExhausted(relay_.Create(relay_.CreateRequest(TestMailbox()))),
            v1::Exhausted::WHAT_QUOTA);
  EXPECT_EQ(WhatIsExhausted(relay_.Create(relay_.CreateRequest(TestBlob(), 1))),
            v1::Exhausted::WHAT_QUOTA);
  ASSERT_TRUE(relay_.Append(mailbox, std::string(15584, 'x')).ok());
  EXPECT_EQ(relay_.Usage("small").used_bytes, 16000u);
  EXPECT_EQ(relay_.Append(mailbox, "y").status().code(), StatusCode::kResourceExhausted);
  // A flooded sponsor can still remove the one who floods: a closing has a little room beyond.
  ASSERT_TRUE(relay_.Close(mailbox, std::string(100, 'c')).ok());
  EXPECT_EQ(relay_.Close(mailbox, std::string(1000, 'c')).status().code(),
            StatusCode::kResourceExhausted);
  EXPECT_EQ(relay_.Append(mailbox, "y").status().code(), StatusCode::kResourceExhausted);
}

// Who reserves all that vouchers pay for must not keep the others' mailboxes from taking entries.
TEST_F(SponsorsTest, VouchersLeaveRoomForEntries) {
  relay_.sponsor_token = relay_.AddSponsor("small", 8000, 10);
  TestMailbox mailbox = relay_.NewMailbox();
  v1::CreateBlobRequest blob = relay_.CreateRequest(TestBlob(), 7001);
  blob.set_voucher((*Vouchers(1, 10000))[0]);
  EXPECT_EQ(WhatIsExhausted(relay_.Create(blob)), v1::Exhausted::WHAT_QUOTA);
  blob.set_total_bytes(6840);
  EXPECT_TRUE(relay_.Create(blob).ok());
  EXPECT_TRUE(relay_.Append(mailbox, std::string(500, 'x')).ok());
}

// An invitee spends the invitation's voucher on a mailbox of his own, whose control key he holds.
TEST_F(SponsorsTest, ClosingsTakeNoMoreThanTheVoucherPaysFor) {
  constexpr uint64_t kVoucher = 4 << 20;
  relay_.sponsor_token = relay_.AddSponsor("generous", 64 << 20);
  TestMailbox mailbox;
  ASSERT_TRUE(relay_.Create(WithVoucher(mailbox, (*Vouchers(1, kVoucher))[0])).ok());
  int closed = 0;
  for (int i = 0; i < 100; ++i) {
    closed += relay_.Close(mailbox, std::string(700'000, 'c')).ok();
  }
  EXPECT_GT(closed, 0);
  EXPECT_LE(relay_.Usage("generous").used_bytes, kVoucher);
  // Nor with keys instead of payloads.
  GenerationSecrets next;
  v1::GenerationKeys keys = next.PublicKeys();
  while (keys.append_keys_size() < 256) keys.add_append_keys(RandomString(32));
  const storage::GenerationKeySet key_set = *KeysField(keys, "keys", Limits());
  for (int i = 0; i < 1000; ++i) {
    v1::AppendRequest request = relay_.AppendRequest(mailbox, "");
    *request.mutable_closing()->mutable_next_keys() = keys;
    request.mutable_closing()->set_control_signature(
        Signed(mailbox.secrets.back().control,
               ClosingMessage(mailbox.object(), request.generation(), "", key_set)));
    if (!relay_.Append(request).ok()) break;
    mailbox.secrets.push_back({next.read.Clone(), next.append.Clone(), next.control.Clone()});
  }
  EXPECT_LE(relay_.Usage("generous").used_bytes, kVoucher);
  // And none of the room that a full sponsor has for removals.
  relay_.sponsor_token = relay_.AddSponsor("full", 1 << 20);
  TestMailbox others;
  ASSERT_TRUE(relay_.Create(WithVoucher(others, (*Vouchers(1, kVoucher))[0])).ok());
  TestMailbox own = relay_.NewMailbox();
  ASSERT_TRUE(relay_.Append(own, std::string((1 << 20) - 1000, 'x')).ok());
  EXPECT_EQ(WhatIsExhausted(relay_.Close(others, std::string(1000, 'c'))),
            v1::Exhausted::WHAT_QUOTA);
  EXPECT_TRUE(relay_.Close(own, std::string(1000, 'c')).ok());
}

// What the relay can't know is whether a closing removes anybody.
TEST_F(SponsorsTest, FewClosingsAnHourExceedTheQuota) {
  relay_.sponsor_token = relay_.AddSponsor("full", 1 << 20);
  TestMailbox mailbox = relay_.NewMailbox();
  TestMailbox other = relay_.NewMailbox();
  ASSERT_TRUE(relay_.Append(mailbox, std::string((1 << 20) - 600, 'x')).ok());
  EXPECT_EQ(WhatIsExhausted(relay_.Append(mailbox, "y")), v1::Exhausted::WHAT_QUOTA);
  int closed = 0;
  for (int i = 0; i < 100; ++i) closed += relay_.Close(mailbox, std::string(1000, 'c')).ok();
  EXPECT_EQ(closed, 4);
  EXPECT_EQ(WhatIsExhausted(relay_.Close(mailbox, "c")), v1::Exhausted::WHAT_QUOTA);
  EXPECT_TRUE(relay_.Close(other, "c").ok());  // another mailbox has its own
  relay_.clock.Advance(3600);
  EXPECT_TRUE(relay_.Close(mailbox, "c").ok());
}

TEST_F(SponsorsTest, KeysOfGenerationsArePaidFor) {
  TestMailbox mailbox;
  v1::CreateMailboxRequest request = relay_.CreateRequest(mailbox);
  while (request.keys().append_keys_size() < 256) {
    request.mutable_keys()->add_append_keys(RandomString(32));
  }
  ASSERT_TRUE(relay_.Create(request).ok());
  EXPECT_GE(relay_.Usage("sponsor").used_bytes, 256u * 32);
  TestMailbox poor;
  request.set_mailbox_id(poor.id);
  request.set_voucher((*Vouchers(1, 1000))[0]);
  EXPECT_EQ(WhatIsExhausted(relay_.Create(request)), v1::Exhausted::WHAT_VOUCHER);
  ASSERT_TRUE(relay_.Control(mailbox, ControlAct::kDelete, 0).ok());
  EXPECT_EQ(relay_.Usage("sponsor").used_bytes, 0u);
}

// Who was put out of a case knows the token: it is replaced, and the account goes on.
TEST_F(SponsorsTest, ARenewedTokenTakesTheOldOnesPlace) {
  const std::string voucher = (*Vouchers(1, 10000))[0];
  TestMailbox mailbox = relay_.NewMailbox();
  ASSERT_TRUE(relay_.Append(mailbox, "before").ok());
  const uint64_t used = relay_.Usage("sponsor").used_bytes;
  absl::StatusOr<crypto::Secret> renewed = relay_.relay->sponsors().Renew("sponsor");
  ASSERT_TRUE(renewed.ok()) << renewed.status();
  EXPECT_EQ(relay_.Create(relay_.CreateRequest(TestMailbox())).code(),
            StatusCode::kUnauthenticated);
  EXPECT_EQ(relay_.Create(relay_.CreateRequest(TestBlob(), 100)).code(),
            StatusCode::kUnauthenticated);
  EXPECT_EQ(Vouchers(1, 100).status().code(), StatusCode::kUnauthenticated);
  relay_.sponsor_token = crypto::ToString(renewed->Reveal());
  EXPECT_TRUE(relay_.Create(relay_.CreateRequest(TestMailbox())).ok());
  EXPECT_TRUE(Vouchers(1, 100).ok());
  // What was there before isn't touched, and is charged to the same account.
  EXPECT_TRUE(relay_.Append(mailbox, "after").ok());
  EXPECT_TRUE(relay_.Create(WithVoucher(TestMailbox(), voucher)).ok());
  EXPECT_GT(relay_.Usage("sponsor").used_bytes, used);
  EXPECT_EQ(relay_.relay->sponsors().Renew("nobody").status().code(), StatusCode::kNotFound);
  ASSERT_TRUE(relay_.relay->sponsors().Remove("sponsor").ok());
  EXPECT_EQ(relay_.Create(relay_.CreateRequest(TestMailbox())).code(),
            StatusCode::kUnauthenticated);
  EXPECT_EQ(relay_.relay->sponsors().Renew("sponsor").status().code(), StatusCode::kNotFound);
}

TEST_F(SponsorsTest, NamesAreChecked) {
  EXPECT_EQ(relay_.relay->sponsors().Add("", 1, 1).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(relay_.relay->sponsors().Add("a\nb", 1, 1).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(relay_.relay->sponsors().Add(std::string(65, 'a'), 1, 1).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_TRUE(relay_.relay->sponsors().Add("Schlichtungsstelle Köln", 1, 1).ok());
  EXPECT_EQ(relay_.relay->sponsors().Add("sponsor", 1, 1).status().code(),
            StatusCode::kAlreadyExists);
}

// The token itself is nowhere in the store.
TEST_F(SponsorsTest, TokensAreStoredAsHashes) {
  ASSERT_TRUE(relay_.store
                  .Scan(storage::Space::kRecords, "", "\xFF",
                        [&](std::string_view key, std::string_view value) {
                          EXPECT_EQ(key.find(relay_.sponsor_token), std::string_view::npos);
                          EXPECT_EQ(value.find(relay_.sponsor_token), std::string_view::npos);
                          return true;
                        })
                  .ok());
}

}  // namespace
}  // namespace parley::server

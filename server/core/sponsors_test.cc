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
  relay_.clock.Advance(120);  // the end of that minute
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
  // Nobody draws vouchers that outlive everything. A year by a clock that is a little ahead is
  // good.
  constexpr uint64_t kDay = 24 * 60 * 60;
  EXPECT_TRUE(Vouchers(1, 1, 365 * kDay + 3600).ok());
  const absl::Status too_long = Vouchers(1, 1, 366 * kDay + 1).status();
  EXPECT_EQ(too_long.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(too_long.message().find("a year"), std::string_view::npos) << too_long;
  EXPECT_EQ(Vouchers(1, 1, UINT64_MAX - relay_.clock.NowSeconds()).status().code(),
            StatusCode::kInvalidArgument);
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
  const uint64_t reserve = relay_.limits.least_closing_reserve_bytes;
  relay_.sponsor_token = relay_.AddSponsor("small", reserve + 16000, 1);
  TestMailbox mailbox = relay_.NewMailbox();
  EXPECT_EQ(WhatIsExhausted(relay_.Create(relay_.CreateRequest(TestMailbox()))),
            v1::Exhausted::WHAT_QUOTA);
  EXPECT_EQ(WhatIsExhausted(relay_.Create(relay_.CreateRequest(TestBlob(), 1))),
            v1::Exhausted::WHAT_QUOTA);
  ASSERT_TRUE(relay_.Append(mailbox, std::string(15584, 'x')).ok());
  EXPECT_EQ(relay_.Usage("small").used_bytes, reserve + 16000);
  EXPECT_EQ(relay_.Append(mailbox, std::string(reserve, 'y')).status().code(),
            StatusCode::kResourceExhausted);
  // A flooded sponsor can still remove the one who floods: a closing has room that is set aside.
  ASSERT_TRUE(relay_.Close(mailbox, std::string(100, 'c')).ok());
  EXPECT_EQ(relay_.Close(mailbox, std::string(reserve, 'c')).status().code(),
            StatusCode::kResourceExhausted);
  EXPECT_EQ(relay_.Usage("small").used_bytes, reserve + 16000);
}

// Who reserves all that vouchers pay for must not keep the others' mailboxes from taking entries.
TEST_F(SponsorsTest, VouchersLeaveRoomForEntries) {
  const uint64_t reserve = relay_.limits.least_closing_reserve_bytes;
  relay_.sponsor_token = relay_.AddSponsor("small", 8 * reserve, 10);
  TestMailbox mailbox = relay_.NewMailbox();
  const uint64_t most = 7 * reserve - relay_.Usage("small").used_bytes;
  v1::CreateBlobRequest blob = relay_.CreateRequest(TestBlob(), most + 1);
  blob.set_voucher((*Vouchers(1, 10 * reserve))[0]);
  EXPECT_EQ(WhatIsExhausted(relay_.Create(blob)), v1::Exhausted::WHAT_QUOTA);
  blob.set_total_bytes(most);
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
  const uint64_t left = (1 << 20) - relay_.Usage("full").used_bytes;
  ASSERT_TRUE(relay_.Create(relay_.CreateRequest(TestBlob(), left)).ok());
  EXPECT_EQ(WhatIsExhausted(relay_.Close(others, std::string(1000, 'c'))),
            v1::Exhausted::WHAT_QUOTA);
  EXPECT_TRUE(relay_.Close(own, std::string(1000, 'c')).ok());
}

// Who was put out of a case knows the token: he makes mailboxes of his own, fills the quota, and
// then uses whatever room there is for closings, hour after hour. Each mailbox of the case takes a
// few closings all the same, and what has to be said after them.
TEST_F(SponsorsTest, WhoHoldsTheTokenCantKeepACaseFromRemovals) {
  constexpr uint64_t kQuota = 64 << 20;
  const std::string commit(6000, 'c');
  relay_.sponsor_token = relay_.AddSponsor("robbed", kQuota);
  std::vector<TestMailbox> channels;
  for (int i = 0; i < 4; ++i) {
    channels.push_back(relay_.NewMailbox());
    ASSERT_TRUE(relay_.Close(channels.back(), commit).ok());
  }
  std::vector<TestMailbox> thiefs;
  for (int i = 0; i < 10; ++i) thiefs.push_back(relay_.NewMailbox());
  auto fill = [&] {
    const uint64_t left = kQuota - std::min(kQuota, relay_.Usage("robbed").used_bytes);
    if (left == 0) return;
    EXPECT_TRUE(relay_.Create(relay_.CreateRequest(TestBlob(), left)).ok());
  };
  for (int hour = 0; hour < 3; ++hour) {
    fill();
    for (TestMailbox& mailbox : thiefs) {
      for (size_t size : {size_t{768} << 10, size_t{60} << 10, size_t{1}}) {
        for (int i = 0; i < 5; ++i) relay_.Close(mailbox, std::string(size, 't')).IgnoreError();
      }
    }
    relay_.clock.Advance(3600);
  }
  for (int i = 0; i < 4; ++i) {
    for (TestMailbox& channel : channels) {
      absl::StatusOr<uint64_t> removal = relay_.Close(channel, commit);
      EXPECT_TRUE(removal.ok()) << removal.status();
      absl::StatusOr<uint64_t> keys = relay_.Append(channel, std::string(1000, 'k'));
      EXPECT_TRUE(keys.ok()) << keys.status();
    }
  }
  EXPECT_LE(relay_.Usage("robbed").used_bytes, kQuota);
}

// Entries, which every member of a channel can make, never take what closings need.
TEST_F(SponsorsTest, EntriesLeaveHalfOfTheReserveToClosings) {
  constexpr uint64_t kQuota = 1 << 20;
  const uint64_t reserve = relay_.limits.least_closing_reserve_bytes;
  relay_.sponsor_token = relay_.AddSponsor("full", kQuota);
  TestMailbox mailbox = relay_.NewMailbox();
  EXPECT_GE(relay_.Usage("full").used_bytes, reserve);
  const uint64_t left = kQuota - relay_.Usage("full").used_bytes;
  ASSERT_TRUE(relay_.Create(relay_.CreateRequest(TestBlob(), left)).ok());
  uint64_t taken = 0;
  while (relay_.Append(mailbox, std::string(1000, 'x')).ok()) taken += 1256;
  EXPECT_LE(taken, reserve / 2);
  EXPECT_GT(taken + 1256, reserve / 2);
  EXPECT_EQ(WhatIsExhausted(relay_.Append(mailbox, std::string(1000, 'x'))),
            v1::Exhausted::WHAT_QUOTA);
  EXPECT_EQ(WhatIsExhausted(relay_.Close(mailbox, std::string(reserve, 'c'))),
            v1::Exhausted::WHAT_QUOTA);
  int closed = 0;
  while (relay_.Close(mailbox, std::string(6000, 'c')).ok()) ++closed;
  EXPECT_GE(closed, 8);
  EXPECT_EQ(relay_.Usage("full").used_bytes, kQuota);
  // What is trimmed comes back to the mailbox first, though others would take all that is free.
  ASSERT_TRUE(relay_.Control(mailbox, ControlAct::kTrim, taken / 1256 + 1).ok());
  EXPECT_EQ(relay_.Usage("full").used_bytes, kQuota);
  EXPECT_TRUE(relay_.Close(mailbox, std::string(6000, 'c')).ok());
  // All of it is free again when the mailbox has gone.
  ASSERT_TRUE(relay_.Control(mailbox, ControlAct::kDelete, 0).ok());
  EXPECT_EQ(relay_.Usage("full").used_bytes, left);
}

// Who makes mailboxes pays for their reserves then.
TEST_F(SponsorsTest, AReserveIsPaidForWhenAMailboxIsMade) {
  const uint64_t reserve = relay_.limits.least_closing_reserve_bytes;
  relay_.sponsor_token = relay_.AddSponsor("small", 4 * reserve);
  int made = 0;
  while (made < 10 && relay_.Create(relay_.CreateRequest(TestMailbox())).ok()) ++made;
  EXPECT_EQ(made, 3);
}

// The commit that removes somebody is as large as its channel: what closings have taken so far says
// how large that can be.
TEST_F(SponsorsTest, TheReserveGrowsWithTheClosings) {
  const std::string large(300'000, 'c');
  relay_.sponsor_token = relay_.AddSponsor("large", 64 << 20);
  TestMailbox mailbox = relay_.NewMailbox();
  ASSERT_TRUE(relay_.Close(mailbox, large).ok());
  ASSERT_TRUE(relay_.Close(mailbox, large).ok());
  const uint64_t left = (64 << 20) - relay_.Usage("large").used_bytes;
  ASSERT_TRUE(relay_.Create(relay_.CreateRequest(TestBlob(), left)).ok());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(relay_.Close(mailbox, large).ok());
  // Within bounds: it can't be used to set all of the quota aside.
  relay_.sponsor_token = relay_.AddSponsor("larger", 64 << 20);
  mailbox = relay_.NewMailbox();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(relay_.Close(mailbox, large).ok());
  EXPECT_LE(relay_.Usage("larger").used_bytes,
            20 * 301'000 + relay_.limits.most_closing_reserve_bytes);
  // It is filled up again when there is room.
  const uint64_t before = relay_.Usage("larger").used_bytes;
  TestBlob blob;
  ASSERT_TRUE(relay_.Create(relay_.CreateRequest(blob, (64 << 20) - before)).ok());
  ASSERT_TRUE(relay_.Close(mailbox, large).ok());
  EXPECT_EQ(relay_.Usage("larger").used_bytes, uint64_t{64} << 20);
  v1::DeleteBlobRequest remove;
  remove.set_token(relay_.BlobToken(blob, AccessRight::kWrite));
  remove.set_blob_id(blob.id);
  ASSERT_TRUE(relay_.Wait([&](auto done) { relay_.relay->blobs().Delete(remove, done); }).ok());
  ASSERT_TRUE(relay_.Append(mailbox, "x").ok());
  EXPECT_GT(relay_.Usage("larger").used_bytes, before + 300'000);
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
  EXPECT_TRUE(relay_.Create(WithVoucher(TestMailbox(), (*Vouchers(1, 10000))[0])).ok());
  EXPECT_GT(relay_.Usage("sponsor").used_bytes, used);
  EXPECT_EQ(relay_.relay->sponsors().Renew("nobody").status().code(), StatusCode::kNotFound);
  ASSERT_TRUE(relay_.relay->sponsors().Remove("sponsor").ok());
  EXPECT_EQ(relay_.Create(relay_.CreateRequest(TestMailbox())).code(),
            StatusCode::kUnauthenticated);
  EXPECT_EQ(relay_.relay->sponsors().Renew("sponsor").status().code(), StatusCode::kNotFound);
}

// The thief has drawn vouchers before anybody noticed: they end with the token.
TEST_F(SponsorsTest, RenewalEndsTheVouchersDrawnBefore) {
  std::vector<std::string> vouchers = *Vouchers(3, 10000);
  const v1::CreateMailboxRequest made = WithVoucher(TestMailbox(), vouchers[0]);
  ASSERT_TRUE(relay_.Create(made).ok());
  relay_.sponsor_token = crypto::ToString(relay_.relay->sponsors().Renew("sponsor")->Reveal());
  const absl::Status refused = relay_.Create(WithVoucher(TestMailbox(), vouchers[1]));
  EXPECT_EQ(refused.code(), StatusCode::kUnauthenticated);
  EXPECT_NE(refused.message().find("renewed"), std::string_view::npos) << refused;
  EXPECT_NE(refused.message().find("new invitation"), std::string_view::npos) << refused;
  v1::CreateBlobRequest blob = relay_.CreateRequest(TestBlob(), 100);
  blob.set_voucher(vouchers[2]);
  EXPECT_EQ(relay_.Create(blob).code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(relay_.Usage("sponsor").used_objects, 1u);
  // Whose answer was lost learns that their object is there.
  EXPECT_TRUE(relay_.Create(made).ok());
  // Those drawn since are good, until the next renewal.
  vouchers = *Vouchers(2, 10000);
  EXPECT_TRUE(relay_.Create(WithVoucher(TestMailbox(), vouchers[0])).ok());
  ASSERT_TRUE(relay_.relay->sponsors().Renew("sponsor").ok());
  EXPECT_EQ(relay_.Create(WithVoucher(TestMailbox(), vouchers[1])).code(),
            StatusCode::kUnauthenticated);
}

// Another sponsor's vouchers go on.
TEST_F(SponsorsTest, RenewalEndsNobodyElsesVouchers) {
  const std::string voucher = (*Vouchers(1, 10000))[0];
  relay_.AddSponsor("another", 1 << 20);
  ASSERT_TRUE(relay_.relay->sponsors().Renew("another").ok());
  EXPECT_TRUE(relay_.Create(WithVoucher(TestMailbox(), voucher)).ok());
}

TEST_F(SponsorsTest, NamesAreChecked) {
  EXPECT_EQ(relay_.relay->sponsors().Add("", 1, 1).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(relay_.relay->sponsors().Add("a\nb", 1, 1).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(relay_.relay->sponsors().Add(std::string(65, 'a'), 1, 1).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_TRUE(relay_.relay->sponsors().Add("Schlichtungsstelle Köln", 1, 1).ok());
  const absl::Status again = relay_.relay->sponsors().Add("sponsor", 1, 1).status();
  EXPECT_EQ(again.code(), StatusCode::kAlreadyExists);
  // Removing it would end the connection string that the mediators have.
  EXPECT_NE(again.message().find("renew it (parley-relay sponsor renew \"sponsor\")"),
            std::string::npos)
      << again.message();
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

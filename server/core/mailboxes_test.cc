// Mailboxes: what is promised, and the attempts to get more than that.
#include "server/core/mailboxes.h"

#include <gtest/gtest.h>

#include "server/core/relay_fixture_for_test.h"

namespace parley::server {
namespace {

using absl::StatusCode;

class MailboxesTest : public testing::Test {
 protected:
  RelayFixture relay_;
};

TEST_F(MailboxesTest, EntriesComeBackInOrder) {
  TestMailbox mailbox = relay_.NewMailbox();
  for (int i = 1; i <= 10; ++i) {
    absl::StatusOr<uint64_t> position = relay_.Append(mailbox, "entry " + std::to_string(i));
    ASSERT_TRUE(position.ok()) << position.status();
    EXPECT_EQ(*position, static_cast<uint64_t>(i));
  }
  std::vector<v1::Entry> entries = relay_.ReadAll(mailbox, 1, 3);
  ASSERT_EQ(entries.size(), 10u);
  for (size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(entries[i].position(), i + 1);
    EXPECT_EQ(entries[i].generation(), 1u);
    EXPECT_EQ(entries[i].payload(), "entry " + std::to_string(i + 1));
    EXPECT_EQ(entries[i].append_id().size(), 16u);
  }
}

TEST_F(MailboxesTest, CreationIsIdempotentAndNotASecondTime) {
  TestMailbox mailbox;
  v1::CreateMailboxRequest request = relay_.CreateRequest(mailbox);
  EXPECT_TRUE(relay_.Create(request).ok());
  EXPECT_TRUE(relay_.Create(request).ok());
  EXPECT_EQ(relay_.Usage("sponsor").used_objects, 1u);
  request.mutable_allowance()->set_entries(5);
  EXPECT_EQ(relay_.Create(request).code(), StatusCode::kAlreadyExists);
}

TEST_F(MailboxesTest, ReadHonoursItsBounds) {
  TestMailbox mailbox = relay_.NewMailbox();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(relay_.Append(mailbox, std::string(1000, 'x')).ok());
  v1::ReadRequest request;
  request.set_token(relay_.ReadToken(mailbox, 1));
  request.set_mailbox_id(mailbox.id);
  request.set_from(2);
  request.set_max_bytes(10);  // less than one entry: one comes all the same
  v1::ReadResponse response;
  ASSERT_TRUE(relay_.relay->mailboxes().Read(request, response).ok());
  ASSERT_EQ(response.entries_size(), 1);
  EXPECT_EQ(response.entries(0).position(), 2u);
  EXPECT_EQ(response.generation_head(), 4u);
  EXPECT_FALSE(response.closed());
  request.set_max_bytes(2500);
  response.Clear();
  ASSERT_TRUE(relay_.relay->mailboxes().Read(request, response).ok());
  EXPECT_EQ(response.entries_size(), 2);
}

TEST_F(MailboxesTest, ReadingAtTheHeadIsEmptyAndBeyondItRefused) {
  TestMailbox mailbox = relay_.NewMailbox();
  const std::string token = relay_.ReadToken(mailbox, 1);
  EXPECT_EQ(relay_.Read(mailbox, token, 1)->entries_size(), 0);
  EXPECT_EQ(relay_.Read(mailbox, token, 2).status().code(), StatusCode::kOutOfRange);
  EXPECT_EQ(relay_.Read(mailbox, token, 0).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(MailboxesTest, ClosingOpensTheNextGeneration) {
  TestMailbox mailbox = relay_.NewMailbox();
  ASSERT_TRUE(relay_.Append(mailbox, "one").ok());
  absl::StatusOr<uint64_t> closing = relay_.Close(mailbox, "commit");
  ASSERT_TRUE(closing.ok()) << closing.status();
  EXPECT_EQ(*closing, 2u);
  ASSERT_TRUE(relay_.Append(mailbox, "three").ok());

  std::vector<v1::Entry> first = relay_.ReadAll(mailbox, 1);
  ASSERT_EQ(first.size(), 2u);
  EXPECT_FALSE(first[0].has_closing());
  ASSERT_TRUE(first[1].has_closing());
  EXPECT_EQ(first[1].closing().next_keys().SerializeAsString(),
            mailbox.secrets[1].PublicKeys().SerializeAsString());
  std::vector<v1::Entry> second = relay_.ReadAll(mailbox, 2);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].position(), 3u);
  EXPECT_EQ(second[0].payload(), "three");
}

// A removed member's read key shows nothing after the entry that removed him.
TEST_F(MailboxesTest, AReadKeySeesItsGenerationOnly) {
  TestMailbox mailbox = relay_.NewMailbox();
  ASSERT_TRUE(relay_.Append(mailbox, "one").ok());
  const std::string old_token = relay_.ReadToken(mailbox, 1);
  ASSERT_TRUE(relay_.Close(mailbox, "removal").ok());
  ASSERT_TRUE(relay_.Append(mailbox, "secret").ok());
  absl::StatusOr<v1::ReadResponse> response = relay_.Read(mailbox, old_token, 1);
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->entries_size(), 2);
  EXPECT_EQ(response->generation_head(), 2u);
  EXPECT_TRUE(response->closed());
  EXPECT_EQ(relay_.Read(mailbox, old_token, 4).status().code(), StatusCode::kOutOfRange);
  EXPECT_EQ(relay_.Read(mailbox, old_token, 3)->entries_size(), 0);
  // Nor does a new member's show what was before.
  EXPECT_EQ(relay_.Read(mailbox, relay_.ReadToken(mailbox, 2), 1)->entries(0).position(), 3u);
  // The old read key opens no session for the new generation.
  EXPECT_EQ(relay_.Token(mailbox.object(), 2, AccessRight::kRead, mailbox.secrets[0].read)
                .status()
                .code(),
            StatusCode::kNotFound);
}

TEST_F(MailboxesTest, AStaleAppendIsToldTheCurrentGeneration) {
  TestMailbox mailbox = relay_.NewMailbox();
  const std::string old_token = relay_.AppendToken(mailbox, 1);
  ASSERT_TRUE(relay_.Close(mailbox, "1").ok());
  ASSERT_TRUE(relay_.Close(mailbox, "2").ok());
  absl::Status status = relay_.Append(relay_.AppendRequest(mailbox, 1, old_token, "late")).status();
  EXPECT_EQ(status.code(), StatusCode::kAborted);
  EXPECT_EQ(RelayFixture::CurrentGeneration(status), 3u);
  EXPECT_EQ(relay_.ReadAll(mailbox, 3).size(), 0u);
}

TEST_F(MailboxesTest, ARepeatedAppendGetsItsFirstAnswer) {
  TestMailbox mailbox = relay_.NewMailbox();
  v1::AppendRequest request = relay_.AppendRequest(mailbox, "once");
  ASSERT_EQ(*relay_.Append(request), 1u);
  ASSERT_EQ(*relay_.Append(request), 1u);
  ASSERT_TRUE(relay_.Close(mailbox, "commit").ok());
  // Also after its generation was closed, with the closed generation's token, old or new.
  EXPECT_EQ(*relay_.Append(request), 1u);
  request.set_token(relay_.AppendToken(mailbox, 1));
  EXPECT_EQ(*relay_.Append(request), 1u);
  EXPECT_EQ(relay_.ReadAll(mailbox, 1).size(), 2u);
}

TEST_F(MailboxesTest, ARepeatedClosingGetsItsFirstAnswer) {
  TestMailbox mailbox = relay_.NewMailbox();
  GenerationSecrets next;
  v1::AppendRequest request = relay_.AppendRequest(mailbox, "commit");
  RelayFixture::AddClosing(request, mailbox, next, mailbox.secrets[0].control);
  EXPECT_EQ(*relay_.Append(request), 1u);
  EXPECT_EQ(*relay_.Append(request), 1u);
}

TEST_F(MailboxesTest, AnAppendIdWithOtherContentIsRefused) {
  TestMailbox mailbox = relay_.NewMailbox();
  v1::AppendRequest request = relay_.AppendRequest(mailbox, "once");
  ASSERT_TRUE(relay_.Append(request).ok());
  request.set_payload("twice");
  EXPECT_EQ(relay_.Append(request).status().code(), StatusCode::kAlreadyExists);
  request.set_payload("once");
  RelayFixture::AddClosing(request, mailbox, GenerationSecrets(), mailbox.secrets[0].control);
  EXPECT_EQ(relay_.Append(request).status().code(), StatusCode::kAlreadyExists);
}

TEST_F(MailboxesTest, AClosingNeedsTheControlKeyAndExactlyWhatItSigned) {
  TestMailbox mailbox = relay_.NewMailbox();
  GenerationSecrets next;
  auto attempt = [&](auto alter) {
    v1::AppendRequest request = relay_.AppendRequest(mailbox, "commit");
    RelayFixture::AddClosing(request, mailbox, next, mailbox.secrets[0].control);
    alter(request);
    return relay_.Append(request).status().code();
  };
  // Signed by the append key, by the next control key, over another payload, other keys, another
  // mailbox or generation.
  EXPECT_EQ(attempt([&](auto& r) {
              RelayFixture::AddClosing(r, mailbox, next, mailbox.secrets[0].append);
            }),
            StatusCode::kUnauthenticated);
  EXPECT_EQ(attempt([&](auto& r) { RelayFixture::AddClosing(r, mailbox, next, next.control); }),
            StatusCode::kUnauthenticated);
  EXPECT_EQ(attempt([&](auto& r) { r.set_payload("other"); }), StatusCode::kUnauthenticated);
  EXPECT_EQ(attempt([&](auto& r) {
              r.mutable_closing()->mutable_next_keys()->set_control_key(RandomString(32));
            }),
            StatusCode::kUnauthenticated);
  EXPECT_EQ(attempt([&](auto& r) {
              r.mutable_closing()->mutable_next_keys()->add_append_keys(RandomString(32));
            }),
            StatusCode::kUnauthenticated);
  TestMailbox other = relay_.NewMailbox();
  EXPECT_EQ(attempt([&](auto& r) {
              RelayFixture::AddClosing(r, other, next, mailbox.secrets[0].control);
            }),
            StatusCode::kUnauthenticated);
  EXPECT_EQ(attempt([&](auto& r) { r.mutable_closing()->clear_control_signature(); }),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(
      attempt([&](auto& r) { r.mutable_closing()->mutable_next_keys()->clear_append_keys(); }),
      StatusCode::kInvalidArgument);
  EXPECT_EQ(relay_.ReadAll(mailbox, 1).size(), 0u);
  EXPECT_EQ(attempt([](auto&) {}), StatusCode::kOk);
}

TEST_F(MailboxesTest, AnOldControlKeyClosesNothingAnyMore) {
  TestMailbox mailbox = relay_.NewMailbox();
  ASSERT_TRUE(relay_.Close(mailbox, "1").ok());
  v1::AppendRequest request = relay_.AppendRequest(mailbox, "2");
  RelayFixture::AddClosing(request, mailbox, GenerationSecrets(), mailbox.secrets[0].control);
  EXPECT_EQ(relay_.Append(request).status().code(), StatusCode::kUnauthenticated);
}

TEST_F(MailboxesTest, TokensAreBoundToObjectGenerationAndRight) {
  TestMailbox mailbox = relay_.NewMailbox();
  TestMailbox other = relay_.NewMailbox();
  const std::string read = relay_.ReadToken(mailbox, 1);
  const std::string append = relay_.AppendToken(mailbox, 1);
  auto append_with = [&](const TestMailbox& target, uint64_t generation, const std::string& token) {
    return relay_.Append(relay_.AppendRequest(target, generation, token, "x")).status().code();
  };
  EXPECT_EQ(append_with(mailbox, 1, read), StatusCode::kPermissionDenied);
  EXPECT_EQ(append_with(other, 1, append), StatusCode::kPermissionDenied);
  EXPECT_EQ(append_with(mailbox, 2, append), StatusCode::kPermissionDenied);
  EXPECT_EQ(append_with(mailbox, 1, ""), StatusCode::kUnauthenticated);
  EXPECT_EQ(relay_.Read(mailbox, append, 1).status().code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(relay_.Read(other, read, 1).status().code(), StatusCode::kPermissionDenied);
  relay_.clock.Advance(relay_.limits.token_seconds);
  EXPECT_EQ(append_with(mailbox, 1, append), StatusCode::kUnauthenticated);
}

TEST_F(MailboxesTest, ASessionNeedsTheRightKeyAndAFreshChallengeOfThisRelay) {
  TestMailbox mailbox = relay_.NewMailbox();
  const GenerationSecrets& secrets = mailbox.secrets[0];
  auto open = [&](const v1::OpenSessionRequest& request) {
    v1::OpenSessionResponse response;
    return relay_.relay->sessions().OpenSession(request, response).code();
  };
  auto request = [&] {
    return relay_.SessionRequest(mailbox.object(), 1, AccessRight::kRead, secrets.read);
  };
  EXPECT_EQ(open(request()), StatusCode::kOk);
  // The append key for reading, the read key for appending, a stranger's key.
  EXPECT_EQ(open(relay_.SessionRequest(mailbox.object(), 1, AccessRight::kRead, secrets.append)),
            StatusCode::kNotFound);
  EXPECT_EQ(open(relay_.SessionRequest(mailbox.object(), 1, AccessRight::kAppend, secrets.read)),
            StatusCode::kNotFound);
  EXPECT_EQ(open(relay_.SessionRequest(mailbox.object(), 1, AccessRight::kRead, secrets.control)),
            StatusCode::kNotFound);
  // Claiming a key without being able to sign with it.
  v1::OpenSessionRequest forged =
      relay_.SessionRequest(mailbox.object(), 1, AccessRight::kRead, secrets.append);
  forged.set_public_key(Text(secrets.read));
  EXPECT_EQ(open(forged), StatusCode::kUnauthenticated);
  // A signature for another right, generation or object.
  v1::OpenSessionRequest moved = request();
  moved.set_right(v1::RIGHT_APPEND);
  EXPECT_EQ(open(moved), StatusCode::kUnauthenticated);
  moved = request();
  moved.set_generation(2);
  EXPECT_EQ(open(moved), StatusCode::kUnauthenticated);
  moved = request();
  moved.set_object_id(RandomString(32));
  EXPECT_EQ(open(moved), StatusCode::kUnauthenticated);
  // A challenge that is old, or made up.
  v1::OpenSessionRequest late = request();
  relay_.clock.Advance(relay_.limits.challenge_seconds);
  EXPECT_EQ(open(late), StatusCode::kUnauthenticated);
  v1::OpenSessionRequest made_up = request();
  made_up.set_challenge(RandomString(57));
  EXPECT_EQ(open(made_up), StatusCode::kUnauthenticated);
}

// A relay that passes a challenge of another one on to a client gains nothing: the signature names
// the relay that the client meant.
TEST_F(MailboxesTest, AChallengeRelayedFromAnotherRelayIsUseless) {
  TestMailbox mailbox = relay_.NewMailbox();
  const storage::PublicKey evil_identity = crypto::SignatureKey::Generate().public_key();
  v1::OpenSessionRequest request =
      relay_.SessionRequest(mailbox.object(), 1, AccessRight::kRead, mailbox.secrets[0].read);
  request.set_signature(Signed(
      mailbox.secrets[0].read,
      SessionMessage(evil_identity, request.challenge(), mailbox.object(), 1, AccessRight::kRead)));
  v1::OpenSessionResponse response;
  EXPECT_EQ(relay_.relay->sessions().OpenSession(request, response).code(),
            StatusCode::kUnauthenticated);
}

// Who knows an id and none of its keys can't find out whether it exists.
TEST_F(MailboxesTest, ProbingGivesTheSameAnswerForWhatExistsAndWhatDoesNot) {
  TestMailbox mailbox = relay_.NewMailbox();
  TestMailbox absent;
  crypto::SignatureKey stranger = crypto::SignatureKey::Generate();
  auto session = [&](const TestMailbox& target, uint64_t generation) {
    return relay_.Token(target.object(), generation, AccessRight::kRead, stranger).status();
  };
  EXPECT_EQ(session(mailbox, 1), session(absent, 1));
  EXPECT_EQ(session(mailbox, 1).code(), StatusCode::kNotFound);
  EXPECT_EQ(session(mailbox, 9), session(absent, 9));
  auto control = [&](const TestMailbox& target) {
    return relay_.Control(relay_.ControlRequest(target, ControlAct::kDelete, 0, stranger));
  };
  EXPECT_EQ(control(mailbox), control(absent));
  EXPECT_EQ(control(mailbox).code(), StatusCode::kNotFound);
}

TEST_F(MailboxesTest, MissingFieldsAreNamed) {
  TestMailbox mailbox = relay_.NewMailbox();
  v1::AppendRequest request = relay_.AppendRequest(mailbox, "x");
  request.clear_append_id();
  absl::Status status = relay_.Append(request).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(std::string(status.message()).find("append_id is missing"), std::string::npos);
  request = relay_.AppendRequest(mailbox, "x");
  request.set_mailbox_id("short");
  status = relay_.Append(request).status();
  EXPECT_NE(std::string(status.message()).find("mailbox_id has 5 bytes"), std::string::npos);
  request = relay_.AppendRequest(mailbox, "");
  EXPECT_EQ(relay_.Append(request).status().code(), StatusCode::kInvalidArgument);
  request = relay_.AppendRequest(mailbox, std::string(relay_.limits.max_entry_bytes + 1, 'x'));
  EXPECT_EQ(relay_.Append(request).status().code(), StatusCode::kInvalidArgument);
  request = relay_.AppendRequest(mailbox, std::string(relay_.limits.max_entry_bytes, 'x'));
  EXPECT_TRUE(relay_.Append(request).ok());
  v1::CreateMailboxRequest create = relay_.CreateRequest(TestMailbox());
  create.clear_keys();
  EXPECT_EQ(relay_.Create(create).code(), StatusCode::kInvalidArgument);
  create = relay_.CreateRequest(TestMailbox());
  create.clear_sponsor_token();
  EXPECT_EQ(relay_.Create(create).code(), StatusCode::kInvalidArgument);
  create = relay_.CreateRequest(TestMailbox());
  for (int i = 0; i < 256; ++i) create.mutable_keys()->add_append_keys(RandomString(32));
  EXPECT_EQ(relay_.Create(create).code(), StatusCode::kInvalidArgument);
}

TEST_F(MailboxesTest, AllowanceIsRenewedByAClosingWhichItDoesNotBind) {
  TestMailbox mailbox;
  v1::CreateMailboxRequest create = relay_.CreateRequest(mailbox);
  create.mutable_allowance()->set_entries(2);
  create.mutable_allowance()->set_bytes(100);
  ASSERT_TRUE(relay_.Create(create).ok());
  EXPECT_EQ(relay_.Append(mailbox, std::string(101, 'x')).status().code(),
            StatusCode::kResourceExhausted);
  ASSERT_TRUE(relay_.Append(mailbox, "a").ok());
  ASSERT_TRUE(relay_.Append(mailbox, "b").ok());
  const absl::Status used_up = relay_.Append(mailbox, "c").status();
  EXPECT_EQ(used_up.code(), StatusCode::kResourceExhausted);
  v1::Exhausted details;
  ASSERT_TRUE(details.ParseFromString(
      std::string(used_up.GetPayload(kExhaustedPayload).value_or(absl::Cord()))));
  EXPECT_EQ(details.what(), v1::Exhausted::WHAT_ALLOWANCE);
  EXPECT_EQ(relay_.Close(mailbox, std::string((768 << 10) + 1, 'x')).status().code(),
            StatusCode::kInvalidArgument);
  ASSERT_TRUE(relay_.Close(mailbox, std::string(768 << 10, 'x')).ok());
  EXPECT_TRUE(relay_.Append(mailbox, "c").ok());
}

TEST_F(MailboxesTest, TrimForgetsEntriesAndGivesTheirRoomBack) {
  TestMailbox mailbox = relay_.NewMailbox();
  const uint64_t before = relay_.Usage("sponsor").used_bytes;
  v1::AppendRequest first = relay_.AppendRequest(mailbox, "first");
  ASSERT_TRUE(relay_.Append(first).ok());
  for (int i = 0; i < 600; ++i) ASSERT_TRUE(relay_.Append(mailbox, "x").ok());
  ASSERT_TRUE(relay_.Close(mailbox, "commit").ok());
  ASSERT_TRUE(relay_.Append(mailbox, "kept").ok());
  EXPECT_EQ(relay_.Control(mailbox, ControlAct::kTrim, 605).code(), StatusCode::kOutOfRange);
  ASSERT_TRUE(relay_.Control(mailbox, ControlAct::kTrim, 603).ok());
  ASSERT_TRUE(relay_.Control(mailbox, ControlAct::kTrim, 603).ok());  // again: nothing to do
  absl::StatusOr<v1::ReadResponse> response = relay_.Read(mailbox, relay_.ReadToken(mailbox, 2), 1);
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->first_position(), 603u);
  ASSERT_EQ(response->entries_size(), 1);
  EXPECT_EQ(response->entries(0).payload(), "kept");
  EXPECT_EQ(relay_.Usage("sponsor").used_bytes, before + 4 + relay_.limits.entry_overhead_bytes);
  // The closed generation went with its entries.
  EXPECT_EQ(relay_.Token(mailbox.object(), 1, AccessRight::kRead, mailbox.secrets[0].read)
                .status()
                .code(),
            StatusCode::kNotFound);
  ASSERT_TRUE(relay_.Append(mailbox, "next").ok());
  EXPECT_EQ(relay_.ReadAll(mailbox, 2).back().position(), 604u);
}

TEST_F(MailboxesTest, DeletingForgetsEverything) {
  TestMailbox mailbox = relay_.NewMailbox();
  ASSERT_TRUE(relay_.Append(mailbox, "x").ok());
  const std::string read = relay_.ReadToken(mailbox, 1);
  const std::string append = relay_.AppendToken(mailbox, 1);
  ASSERT_TRUE(relay_.Control(mailbox, ControlAct::kDelete, 0).ok());
  EXPECT_EQ(relay_.Read(mailbox, read, 1).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(relay_.Append(relay_.AppendRequest(mailbox, 1, append, "x")).status().code(),
            StatusCode::kNotFound);
  EXPECT_EQ(relay_.Usage("sponsor").used_bytes, 0u);
  EXPECT_EQ(relay_.Usage("sponsor").used_objects, 0u);
  // No key of it is left in the store.
  for (storage::Space space : storage::kSpaces) {
    ASSERT_TRUE(relay_.store
                    .Scan(space, "", "\xFF",
                          [&](std::string_view key, std::string_view) {
                            EXPECT_EQ(key.find(mailbox.id), std::string_view::npos);
                            return true;
                          })
                    .ok());
  }
}

TEST_F(MailboxesTest, ControlActsNeedTheCurrentControlKeyAndTheirOwnSignature) {
  TestMailbox mailbox = relay_.NewMailbox();
  ASSERT_TRUE(relay_.Append(mailbox, "x").ok());
  const GenerationSecrets& secrets = mailbox.secrets[0];
  EXPECT_EQ(
      relay_.Control(relay_.ControlRequest(mailbox, ControlAct::kDelete, 0, secrets.append)).code(),
      StatusCode::kNotFound);
  // A signed trim is no delete, and no other trim.
  v1::ControlMailboxRequest request =
      relay_.ControlRequest(mailbox, ControlAct::kTrim, 1, secrets.control);
  request.mutable_delete_();
  EXPECT_EQ(relay_.Control(request).code(), StatusCode::kNotFound);
  request.mutable_trim()->set_first_position(2);
  EXPECT_EQ(relay_.Control(request).code(), StatusCode::kNotFound);
  request.clear_act();
  EXPECT_EQ(relay_.Control(request).code(), StatusCode::kInvalidArgument);
  // A session token or an old challenge doesn't do either.
  request = relay_.ControlRequest(mailbox, ControlAct::kDelete, 0, secrets.control);
  relay_.clock.Advance(60);
  EXPECT_EQ(relay_.Control(request).code(), StatusCode::kUnauthenticated);
  // The control key of a closed generation.
  v1::ControlMailboxRequest old =
      relay_.ControlRequest(mailbox, ControlAct::kDelete, 0, secrets.control);
  ASSERT_TRUE(relay_.Close(mailbox, "commit").ok());
  EXPECT_EQ(relay_.Control(old).code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(relay_.ReadAll(mailbox, 1).size(), 2u);
}

TEST_F(MailboxesTest, ExpiryComesMovesAndIsSwept) {
  TestMailbox mailbox;
  v1::CreateMailboxRequest create = relay_.CreateRequest(mailbox);
  create.set_expires_at(relay_.clock.NowSeconds());
  EXPECT_EQ(relay_.Create(create).code(), StatusCode::kInvalidArgument);
  create.set_expires_at(relay_.clock.NowSeconds() + 100);
  ASSERT_TRUE(relay_.Create(create).ok());
  ASSERT_TRUE(relay_.Append(mailbox, "x").ok());
  ASSERT_TRUE(relay_.Control(mailbox, ControlAct::kExpire, relay_.clock.NowSeconds() + 300).ok());
  relay_.clock.Advance(150);
  ASSERT_TRUE(relay_.relay->Sweep().ok());
  EXPECT_EQ(relay_.ReadAll(mailbox, 1).size(), 1u);
  const std::string token = relay_.ReadToken(mailbox, 1);
  relay_.clock.Advance(150);
  EXPECT_EQ(relay_.Read(mailbox, token, 1).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(relay_.Usage("sponsor").used_objects, 1u);
  ASSERT_TRUE(relay_.relay->Sweep().ok());
  EXPECT_EQ(relay_.Usage("sponsor").used_objects, 0u);
  EXPECT_EQ(relay_.Usage("sponsor").used_bytes, 0u);
}

// A clock that is set, by hand or by a time server: what is gone stays gone, and what is there
// stays.
TEST_F(MailboxesTest, ClockStepsBringNothingBackAndLoseNothing) {
  constexpr uint64_t kDay = 24 * 60 * 60;
  TestMailbox kept = relay_.NewMailbox();
  ASSERT_TRUE(relay_.Append(kept, "before").ok());
  TestMailbox expiring;
  v1::CreateMailboxRequest create = relay_.CreateRequest(expiring);
  create.set_expires_at(relay_.clock.NowSeconds() + kDay);
  ASSERT_TRUE(relay_.Create(create).ok());
  const std::string token = relay_.ReadToken(kept, 1);

  // Forward by two days: tokens run out, and what has expired is swept.
  relay_.clock.Advance(2 * kDay);
  EXPECT_EQ(relay_.Read(kept, token, 1).status().code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(relay_.ReadAll(kept, 1).size(), 1u);
  ASSERT_TRUE(relay_.relay->Sweep().ok());
  EXPECT_EQ(relay_.Usage("sponsor").used_objects, 1u);

  // And back by three: what was swept is gone, what is there is there.
  relay_.clock.StepBack(3 * kDay);
  EXPECT_FALSE(
      relay_.Token(expiring.object(), 1, AccessRight::kRead, expiring.secrets[0].read).ok());
  EXPECT_EQ(*relay_.Append(kept, "after"), 2u);
  EXPECT_EQ(relay_.ReadAll(kept, 1).size(), 2u);
  ASSERT_TRUE(relay_.relay->Sweep().ok());
  // A token's time is over by the relay's clock alone, so it is good for longer now; never for
  // another mailbox, generation or right.
  EXPECT_TRUE(relay_.Read(kept, token, 1).ok());
  v1::AppendRequest request = relay_.AppendRequest(kept, 1, token, "x");
  EXPECT_EQ(relay_.Append(request).status().code(), StatusCode::kPermissionDenied);
}

// A second would tell when somebody acted; and who asks again gets the same answer all the same.
TEST_F(MailboxesTest, ExpiriesAreStoredInMinutes) {
  const uint64_t now = relay_.clock.NowSeconds();
  TestMailbox mailbox;
  v1::CreateMailboxRequest create = relay_.CreateRequest(mailbox);
  create.set_expires_at(now + 61);
  ASSERT_TRUE(relay_.Create(create).ok());
  ASSERT_TRUE(relay_.Create(create).ok());
  const auto stored = [&] {
    return storage::ParseRecord<storage::MailboxRecord>(
               **relay_.store.Get(storage::Space::kRecords, storage::MailboxKey(mailbox.object())))
        ->expires_at;
  };
  EXPECT_EQ(stored(), now + 120);
  ASSERT_TRUE(relay_.Control(mailbox, ControlAct::kExpire, now + 301).ok());
  EXPECT_EQ(stored(), now + 360);
  ASSERT_TRUE(relay_.Control(mailbox, ControlAct::kExpire, 0).ok());
  EXPECT_EQ(stored(), 0u);
  EXPECT_EQ(StoredExpiry(now), now);
  EXPECT_EQ(StoredExpiry(UINT64_MAX) % 60, 0u);
  EXPECT_GT(StoredExpiry(UINT64_MAX), UINT64_MAX - 60);
}

TEST_F(MailboxesTest, AFullDiskRefusesAndLosesNothing) {
  TestMailbox mailbox = relay_.NewMailbox();
  ASSERT_TRUE(relay_.Append(mailbox, "kept").ok());
  v1::AppendRequest request = relay_.AppendRequest(mailbox, "later");
  relay_.store.FailCommits(absl::ResourceExhaustedError("the disk is full"));
  EXPECT_EQ(relay_.Append(request).status().code(), StatusCode::kResourceExhausted);
  relay_.store.FailCommits(absl::OkStatus());
  EXPECT_EQ(*relay_.Append(request), 2u);
  EXPECT_EQ(relay_.ReadAll(mailbox, 1).size(), 2u);
}

}  // namespace
}  // namespace parley::server

// The relay's operator has renewed what pays for a case, because somebody who knew it was removed.
#include "client-lib/api/attacker_for_test.h"

namespace parley {
namespace {

using testing::Attacker;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Must;
using ::testing::Not;

class ConnectionTest : public testing::Mediation {
 protected:
  void LetNeutralsIn() {
    OpenCase();
    LetIn("Tomas", Role::kCoMediator);
    LetIn("Kim", Role::kCoMediator);
    LetIn("Ana", Role::kParty, "Harbor");
    SyncAll({"Mira", "Tomas", "Kim", "Ana"});
  }

  // The string before is kept as `old_`.
  void Renew() {
    old_ = connection_;
    relay_.RenewSponsorToken();
    connection_ = client::FormatConnectionString({relay_.address(), relay_.identity_key()},
                                                 relay_.sponsor_token().Reveal());
  }

  Status TryInvite(const std::string& inviter, const std::string& name) {
    return Of(inviter)
        .Invite(case_, {.name = name, .role = Role::kParty, .side = "Northline"})
        .status();
  }

  // What Tomas says of the connection in the neutrals' channel.
  void TomasSays(const std::string& connection) {
    const ChannelId neutrals = Ref("Mira", "neutrals").channel_id;
    profiles_.erase("Tomas");
    content::v1::Content content;
    content.mutable_case_secrets()->set_connection(connection);
    content.mutable_case_secrets()->set_renewed(true);
    Attacker(folder_ / "Tomas", relay_, case_).Say(neutrals, content);
  }

  std::string old_;
};

TEST_F(ConnectionTest, OneNeutralGivesItAndTheOthersLearnIt) {
  LetNeutralsIn();
  PARLEY_ASSERT_OK(Of("Mira").Remove(case_, Id("Mira", "Tomas")));
  SyncAll({"Mira", "Kim", "Ana"});
  Renew();
  EXPECT_EQ(TryInvite("Mira", "Ben").code(), StatusCode::kUnauthenticated);
  PARLEY_ASSERT_OK(Of("Mira").ChangeConnection(case_, connection_));
  PARLEY_ASSERT_OK(TryInvite("Mira", "Ben"));
  EXPECT_EQ(TryInvite("Kim", "Nora").code(), StatusCode::kUnauthenticated);
  SyncAll({"Kim", "Mira"});
  PARLEY_ASSERT_OK(TryInvite("Kim", "Nora"));
  testing::WriteFile(folder_ / "note.txt", "among us");
  PARLEY_ASSERT_OK(Of("Kim").Share(Ref("Kim", "neutrals"), folder_ / "note.txt"));
  // Whoever comes later is given the new one, and it makes their side's channel.
  LetIn("Lou", Role::kCoMediator);
  SyncAll({"Mira", "Kim", "Lou"}, 3);
  LetIn("Shah", Role::kCounsel, "Northline", "Lou");
  SyncAll({"Lou", "Mira", "Kim", "Shah"}, 3);
  EXPECT_THAT(ChannelNames("Shah"), ElementsAre("joint", "caucus:Northline"));
  for (const char* name : {"Mira", "Kim", "Lou", "Ana"}) {
    EXPECT_THAT(AlarmTexts(name), Not(HasSubstr("connection string"))) << name;
  }
}

TEST_F(ConnectionTest, WhatIsNotForTheCaseIsRefusedAndChangesNothing) {
  OpenCase();
  LetIn("Ana", Role::kParty, "Harbor");
  Renew();
  EXPECT_EQ(Of("Mira").ChangeConnection(case_, "nonsense").code(), StatusCode::kInvalidArgument);
  const Status elsewhere = Of("Mira").ChangeConnection(
      case_,
      client::FormatConnectionString({relay_.address(), {7}}, relay_.sponsor_token().Reveal()));
  EXPECT_EQ(elsewhere.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(elsewhere.message(), HasSubstr("for another relay"));
  const Status outdated = Of("Mira").ChangeConnection(case_, old_);
  EXPECT_EQ(outdated.code(), StatusCode::kUnauthenticated);
  EXPECT_THAT(outdated.message(), HasSubstr("the relay doesn't take this connection string"));
  EXPECT_EQ(Of("Ana").ChangeConnection(case_, connection_).code(), StatusCode::kPermissionDenied);
  relay_.Stop();
  EXPECT_EQ(Of("Mira").ChangeConnection(case_, connection_).code(), StatusCode::kUnavailable);
  relay_.Start();
  EXPECT_EQ(TryInvite("Mira", "Ben").code(), StatusCode::kUnauthenticated);
  PARLEY_ASSERT_OK(Of("Mira").ChangeConnection(case_, connection_));
  PARLEY_ASSERT_OK(TryInvite("Mira", "Ben"));
}

// The caucus was to be made with the token that counts no more.
TEST_F(ConnectionTest, AChannelThatCouldNotBeMadeIsMadeWithTheNewOne) {
  OpenCase();
  const std::string text = Invite("Ana", Role::kParty, "Harbor");
  PARLEY_ASSERT_OK(Of("Ana").Join(text));
  Sync("Mira");
  Renew();
  (void)Of("Mira").Approve(case_, Id("Mira", "Ana"));
  const Result<SyncReport> report = Of("Mira").Sync({.case_id = case_});
  PARLEY_ASSERT_OK(report);
  EXPECT_FALSE(report->problems.empty());
  PARLEY_ASSERT_OK(Of("Mira").ChangeConnection(case_, connection_));
  SyncAll({"Mira", "Ana"}, 3);
  EXPECT_THAT(ChannelNames("Ana"), ElementsAre("joint", "caucus:Harbor"));
}

TEST_F(ConnectionTest, ANeutralCannotTakeTheCasesMeansAway) {
  LetNeutralsIn();
  TomasSays(client::FormatConnectionString({relay_.address(), relay_.identity_key()},
                                           crypto::Secret::Random(32).Reveal()));
  SyncAll({"Mira", "Kim"}, 1);
  for (const char* name : {"Mira", "Kim"}) {
    EXPECT_THAT(AlarmTexts(name), HasSubstr("Tomas gave the case a connection string that the "
                                            "relay doesn't take; the earlier one is kept"));
  }
  PARLEY_ASSERT_OK(TryInvite("Mira", "Ben"));
  PARLEY_ASSERT_OK(TryInvite("Kim", "Nora"));
  // Another relay's is no string for this case at all.
  TomasSays(
      client::FormatConnectionString({relay_.address(), {7}}, crypto::Secret::Random(32).Reveal()));
  Sync("Mira");
  // Nor is the earlier one, once there is another.
  Renew();
  PARLEY_ASSERT_OK(Of("Mira").ChangeConnection(case_, connection_));
  TomasSays(old_);
  SyncAll({"Mira", "Kim"});
  PARLEY_ASSERT_OK(TryInvite("Mira", "Shah"));
  PARLEY_ASSERT_OK(TryInvite("Kim", "Sue"));
}

TEST_F(ConnectionTest, TheProfileHoldsItSealed) {
  OpenCase();
  Renew();
  PARLEY_ASSERT_OK(Of("Mira").ChangeConnection(case_, connection_));
  const crypto::ByteView token = relay_.sponsor_token().Reveal();
  const std::string text = connection_.substr(connection_.size() - 32);
  size_t files = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder_ / "Mira")) {
    const std::string bytes = testing::ReadFile(file.path());
    ++files;
    EXPECT_THAT(bytes, Not(HasSubstr(crypto::ToString(token)))) << file.path();
    EXPECT_THAT(bytes, Not(HasSubstr(text))) << file.path();
  }
  EXPECT_GE(files, 2u);
}

}  // namespace
}  // namespace parley

// Calls that concern a whole profile or a channel that is lost: passphrases, and opening anew.
#include <ctime>

#include "client-lib/api/mediation_for_test.h"
#include "client-lib/cases/case_context.h"

namespace parley {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::Must;

class ProfileTest : public testing::Mediation {
 protected:
  // The relay loses a channel's mailbox. The test's hold on the relay is a neutral's control key.
  void Lose(const ChannelRef& channel) {
    auto store = client::ProfileStore::Open(folder_ / "Mira");
    ASSERT_TRUE(store.ok()) << store.status();
    auto relay = client::RelayClient::Connect({relay_.address(), relay_.identity_key()});
    ASSERT_TRUE(relay.ok()) << relay.status();
    client::CaseContext context;
    context.store = store->get();
    context.now_seconds = [] { return static_cast<uint64_t>(std::time(nullptr)); };
    context.id = channel.case_id;
    auto read = (*store)->Read();
    ASSERT_TRUE(read.ok()) << read.status();
    const auto seed = context.Channel(channel.channel_id).ControlSeed(*read);
    ASSERT_TRUE(seed.ok()) << seed.status();
    const auto control = crypto::SignatureKey::FromSeed(seed->Reveal());
    ASSERT_TRUE(control.ok()) << control.status();
    const auto info = context.Channel(channel.channel_id).Info(*read);
    ASSERT_TRUE(info.ok()) << info.status();
    const absl::Status deleted = (*relay)->ControlMailbox(info->state.mailbox_id, info->generation,
                                                          *control, client::DeleteMailbox{});
    ASSERT_TRUE(deleted.ok()) << deleted;
  }
};

TEST_F(ProfileTest, ALostChannelIsOpenedAnewWithItsMembersAndItsMessages) {
  LetEverybodyIn();
  Say("Ana", "caucus:Harbor", "before");
  SyncAll({"Mira", "Tomas", "Lee"});
  const ChannelRef caucus = Ref("Mira", "caucus:Harbor");
  Lose(caucus);
  const Result<SyncReport> report = Of("Ana").Sync({.case_id = case_});
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_EQ(report->problems.size(), 1u);

  EXPECT_EQ(Of("Ana").Reopen(caucus).code(), StatusCode::kPermissionDenied);
  PARLEY_ASSERT_OK(Of("Mira").Reopen(caucus));
  // The first sync still finds the old mailbox lost, and then the Welcome into the new one.
  for (const char* name : {"Ana", "Lee", "Tomas"}) {
    PARLEY_ASSERT_OK(Of(name).Sync({.case_id = case_}));
  }
  SyncAll({"Ana", "Lee", "Tomas", "Mira"});
  EXPECT_EQ(Ref("Ana", "caucus:Harbor"), caucus);
  EXPECT_EQ(Readers("Ana", "caucus:Harbor").size(), 4u);
  EXPECT_THAT(AlarmKinds("Ana"), Contains(AlarmKind::kReopened));
  Say("Ana", "caucus:Harbor", "after");
  SyncAll({"Ana", "Lee", "Tomas", "Mira"});
  for (const char* name : {"Ana", "Lee", "Tomas", "Mira"}) {
    EXPECT_THAT(Texts(name, "caucus:Harbor"), ElementsAre("Ana: before", "Ana: after")) << name;
  }
  EXPECT_THAT(ChannelNames("Ben"), ElementsAre("joint", "caucus:Northline"));
}

TEST_F(ProfileTest, OnlyAHaltedOrLostChannelIsOpenedAnew) {
  OpenCase();
  LetIn("Ana", Role::kParty, "Harbor");
  const ChannelRef joint = Ref("Mira", "joint");
  EXPECT_EQ(Of("Mira").Reopen(joint).code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(Of("Mira").Reopen({case_, ChannelId(ChannelId::Bytes{7})}).code(),
            StatusCode::kNotFound);
  Say("Ana", "joint", "undisturbed");
  Sync("Mira");
  EXPECT_THAT(Texts("Mira", "joint"), ElementsAre("Ana: undisturbed"));
}

// Readers' programs would pass over the whole message.
TEST_F(ProfileTest, AMediaTypeThatIsNotUtf8IsRefused) {
  OpenCase();
  const std::string path = folder_ / "brief.pdf";
  testing::WriteFile(path, "brief");
  ShareOptions options;
  options.media_type = "application/\xFF";
  EXPECT_EQ(Of("Mira").Share(Ref("Mira", "joint"), path, options).status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(ProfileTest, APassphraseIsSetChangedAndTakenAway) {
  const std::string folder = folder_ / "Mira";
  Profile& mira = Of("Mira");
  Profile other = Another("Mira");
  OpenCase();
  PARLEY_ASSERT_OK(mira.ChangePassphrase(std::nullopt, "first"));
  EXPECT_EQ(Profile::Open(folder, std::nullopt).status().code(), StatusCode::kUnauthenticated);
  // Those that are open go on, and ask for it when they change it.
  EXPECT_EQ(Must(other.Cases(), "cases").size(), 1u);
  EXPECT_EQ(other.ChangePassphrase(std::nullopt, "second").code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(other.ChangePassphrase("wrong", std::nullopt).code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(other.ChangePassphrase("first", "").code(), StatusCode::kInvalidArgument);
  PARLEY_ASSERT_OK(other.ChangePassphrase("first", "second"));
  EXPECT_EQ(Profile::Open(folder, "first").status().code(), StatusCode::kUnauthenticated);
  PARLEY_ASSERT_OK(Profile::Open(folder, "second"));
  PARLEY_ASSERT_OK(mira.ChangePassphrase("second", std::nullopt));
  EXPECT_FALSE(Must(Profile::IsLocked(folder), "looking"));
  EXPECT_EQ(Must(Another("Mira").Cases(), "cases").size(), 1u);
}

}  // namespace
}  // namespace parley

// A neutral who was removed, and uses what they still have before everybody has read of it.
#include "client-lib/api/mediation_for_test.h"
#include "client-lib/cases/case_context.h"
#include "client-lib/cases/key_stock.h"
#include "client-lib/channels/relay_mailboxes.h"
#include "client-lib/pairing/device.h"

namespace parley {
namespace {

using ::testing::Contains;

using ::testing::HasSubstr;
using testing::Must;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

template <typename T>
T Have(absl::StatusOr<T> value) {
  if (!value.ok()) {
    std::fprintf(stderr, "%s\n", value.status().ToString().c_str());
    std::abort();
  }
  return std::move(*value);
}
void Have(const absl::Status& status) {
  Have(status.ok() ? absl::StatusOr<int>(0) : absl::StatusOr<int>(status));
}

// Tomas' profile, used by a program that asks nobody for leave.
class Attacker {
 public:
  Attacker(const std::string& folder, testing::TestRelay& relay, const CaseId& id)
      : store_(Have(client::ProfileStore::Open(folder))),
        relay_(Have(client::RelayClient::Connect({relay.address(), relay.identity_key()}))),
        mailboxes_(*relay_),
        token_(relay.sponsor_token().Clone()) {
    context_.store = store_.get();
    context_.relay = relay_.get();
    context_.mailboxes = &mailboxes_;
    context_.now_seconds = [] { return static_cast<uint64_t>(time(nullptr)); };
    context_.id = id;
  }

  // The real channel's next incarnation, for the victim alone.
  void Reopen(const ChannelId& channel, const client::PersonRecord& victim) {
    client::Transaction step = Have(store_->Begin());
    const client::OwnDevice device = Have(context_.Pairings().Device(step));
    Have(context_.Channel(channel).Reopen(step, Payment(), client::OwnCredential(device), true));
    Have(step.Commit());
    Welcome(channel, victim);
  }

  // Another channel of that kind and side.
  void OpenAnother(const ChannelId& channel, ChannelKind kind, const std::string& side,
                   const client::PersonRecord& victim) {
    client::Transaction step = Have(store_->Begin());
    const client::CaseRecord record = Have(context_.Records().Case(step));
    const client::OwnDevice device = Have(context_.Pairings().Device(step));
    client::NewChannel options;
    options.case_id = context_.id;
    options.kind = kind;
    options.side = side;
    options.self = client::OwnCredential(device);
    options.name = record.own_name;
    options.role = record.own_role;
    options.payment = Payment();
    Have(context_.Channel(channel).Create(step, std::move(options)));
    Have(step.Commit());
    Welcome(channel, victim);
  }

  void Introduce(const client::PersonRecord& victim) {
    client::Transaction step = Have(store_->Begin());
    const client::OwnDevice device = Have(context_.Pairings().Device(step));
    content::v1::InboxMessage message;
    auto& introduction = *message.mutable_introduction();
    *introduction.mutable_card() = Have(client::ParseCard(device.card));
    introduction.mutable_card()->set_participant_id(std::string(16, 'x'));
    introduction.set_role(client::ToWire(Role::kCoMediator));
    introduction.set_introduction_secret(std::string(32, 's'));
    introduction.set_append_seed(std::string(32, 'a'));
    Post(step, victim, std::move(message));
  }

  void TellOfRemoval(const client::PersonRecord& victim) {
    client::Transaction step = Have(store_->Begin());
    content::v1::InboxMessage message;
    message.mutable_removal()->set_left(false);
    Post(step, victim, std::move(message));
  }

  client::PersonRecord Person(const ParticipantId& id) {
    client::ReadTransaction read = Have(store_->Read());
    return *Have(context_.Records().Person(read, id));
  }

  void Send() {
    const client::FlushResult flushed = Have(context_.OwnInbox().Flush(*relay_));
    EXPECT_GT(flushed.sent, 0u);
    EXPECT_EQ(flushed.waiting, 0u);
  }

 private:
  client::MailboxPayment Payment() const {
    return {client::Credential::Kind::kSponsorToken, token_.Clone()};
  }

  void Post(client::Transaction& step, const client::PersonRecord& victim,
            content::v1::InboxMessage message) {
    const auto pairing = Have(context_.Pairings().PairingWith(step, victim.id));
    ASSERT_TRUE(pairing.has_value());
    Have(context_.OwnInbox().Queue(step, *pairing, std::move(message)));
    Have(step.Commit());
  }

  void Welcome(const ChannelId& channel, const client::PersonRecord& victim) {
    {
      client::Transaction step = Have(store_->Begin());
      client::MembershipChange change;
      change.adds.push_back(
          {victim.id,
           victim.name,
           victim.role,
           victim.side,
           {Have(client::ReserveKeyPackage(step, context_, victim.id, channel))}});
      Have(context_.Channel(channel).PrepareCommit(step, change));
      Have(step.Commit());
    }
    Have(context_.Channel(channel).Exchange().status());
    client::Transaction step = Have(store_->Begin());
    const auto deliveries = Have(context_.Channel(channel).PendingWelcomes(step));
    ASSERT_EQ(deliveries.size(), 1u);
    content::v1::InboxMessage message;
    ASSERT_TRUE(
        message.mutable_welcome()->ParseFromString(crypto::ToString(deliveries[0].wrapper)));
    Post(step, victim, std::move(message));
  }

  std::unique_ptr<client::ProfileStore> store_;
  std::unique_ptr<client::RelayClient> relay_;
  client::RelayMailboxes mailboxes_;
  crypto::Secret token_;
  client::CaseContext context_;
};

class TakeoverTest : public testing::Mediation {
 protected:
  // Tomas is removed, and then does all of it to `victim`, who is away.
  void Attack(const std::string& victim, const std::string& channel, ChannelKind kind,
              const std::string& side) {
    const ChannelId real = Ref("Tomas", channel).channel_id;
    PARLEY_ASSERT_OK(Of("Mira").Remove(case_, Id("Mira", "Tomas")));
    Sync("Mira");
    const ParticipantId id = Id("Mira", victim);
    profiles_.erase("Tomas");
    Attacker tomas(folder_ / "Tomas", relay_, case_);
    const client::PersonRecord person = tomas.Person(id);
    tomas.TellOfRemoval(person);
    tomas.Introduce(person);
    tomas.Reopen(real, person);
    tomas.OpenAnother(ChannelId(ChannelId::Bytes{1}), kind, side, person);
    tomas.Send();
  }

  std::string AlarmTexts(const std::string& name) {
    std::string texts;
    for (const Alarm& alarm : Must(Of(name).Alarms(case_), "alarms")) {
      if (alarm.kind == AlarmKind::kRefused) texts += alarm.text + "\n";
    }
    return texts;
  }

  void ExpectUnharmed(const std::string& name, const std::string& channel,
                      const std::vector<std::string>& channels) {
    const ChannelRef before = Ref(name, channel);
    SyncAll({name}, 2);
    EXPECT_EQ(Ref(name, channel), before);
    EXPECT_EQ(ChannelNames(name), channels);
    EXPECT_EQ(Must(Of(name).GetCase(case_), "case").own_state, ParticipantState::kApproved);
    EXPECT_THAT(Readers(name, channel), Not(Contains("Tomas")));
    Say(name, channel, "among us");
    Sync("Mira");
    EXPECT_EQ(Texts("Mira", channel).back(), name + ": among us");
    const std::string alarms = AlarmTexts(name);
    EXPECT_THAT(alarms, HasSubstr("Tomas, who is no neutral of the case any more, sent a Welcome"));
    EXPECT_THAT(alarms, HasSubstr("sent an introduction"));
    EXPECT_THAT(alarms, HasSubstr("sent word that you were removed"));
  }
};

TEST_F(TakeoverTest, ARemovedNeutralTakesNoCaucusOver) {
  LetEverybodyIn();
  Attack("Ana", "caucus:Harbor", ChannelKind::kCaucus, "Harbor");
  ExpectUnharmed("Ana", "caucus:Harbor", {"joint", "caucus:Harbor"});
  EXPECT_THAT(Readers("Ana", "caucus:Harbor"), UnorderedElementsAre("Mira", "Ana", "Lee"));
  // A genuine removal still counts.
  PARLEY_ASSERT_OK(Of("Mira").Remove(case_, Id("Mira", "Ana")));
  Sync("Ana");
  EXPECT_EQ(Must(Of("Ana").GetCase(case_), "case").own_state, ParticipantState::kRemoved);
}

TEST_F(TakeoverTest, NorTheNeutralsChannel) {
  OpenCase();
  LetIn("Tomas", Role::kCoMediator);
  LetIn("Kim", Role::kCoMediator);
  LetIn("Ana", Role::kParty, "Harbor");
  SyncAll({"Mira", "Tomas", "Kim", "Ana"}, 3);
  Attack("Kim", "neutrals", ChannelKind::kNeutrals, "");
  ExpectUnharmed("Kim", "neutrals", {"joint", "caucus:Harbor", "neutrals"});
}

// Ana is away while Tomas goes, Kim comes, and Kim alone adds her to what she isn't in yet.
TEST_F(TakeoverTest, ANewNeutralIsHeardByWhoWasAway) {
  LetEverybodyIn();
  PARLEY_ASSERT_OK(Of("Mira").Remove(case_, Id("Mira", "Tomas")));
  Sync("Mira");
  LetIn("Kim", Role::kCoMediator);
  SyncAll({"Mira", "Kim"}, 3);
  LetIn("Eva", Role::kParty, "Harbor", "Kim");
  SyncAll({"Kim", "Ana", "Kim", "Eva", "Ana", "Mira"}, 2);
  EXPECT_THAT(Readers("Ana", "caucus"), UnorderedElementsAre("Mira", "Kim", "Ana", "Lee", "Eva"));
  EXPECT_EQ(Find("Ana", "Kim").safety_number, Find("Kim", "Ana").safety_number);
  EXPECT_FALSE(Find("Ana", "Kim").safety_number.empty());
  EXPECT_EQ(AlarmTexts("Ana"), "");
}

}  // namespace
}  // namespace parley

// Tomas' profile, used by a program that asks nobody for leave.
#ifndef PARLEY_CLIENT_LIB_API_ATTACKER_FOR_TEST_H_
#define PARLEY_CLIENT_LIB_API_ATTACKER_FOR_TEST_H_

#include <ctime>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client-lib/api/mediation_for_test.h"
#include "client-lib/cases/case_context.h"
#include "client-lib/cases/key_stock.h"
#include "client-lib/cases/procedure_work.h"
#include "client-lib/cases/team_records.h"
#include "client-lib/channels/relay_mailboxes.h"
#include "client-lib/pairing/device.h"
#include "parley/content/v1/content.pb.h"
#include "parley/content/v1/control.pb.h"

namespace parley::testing {

template <typename T>
T Have(absl::StatusOr<T> value) {
  if (!value.ok()) {
    std::fprintf(stderr, "%s\n", value.status().ToString().c_str());
    std::abort();
  }
  return std::move(*value);
}
inline void Have(const absl::Status& status) {
  Have(status.ok() ? absl::StatusOr<int>(0) : absl::StatusOr<int>(status));
}

class Attacker {
 public:
  Attacker(const std::string& folder, TestRelay& relay, const CaseId& id)
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

  // Somebody into a channel that is there, whatever the records say.
  void LetInto(const ChannelId& channel, const client::PersonRecord& victim) {
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

  // A team of that side, in which he shows himself as one of it.
  void OpenTeamDisguised(const ChannelId& channel, const std::string& side,
                         const client::PersonRecord& victim) {
    OpenTeamAs(channel, Role::kParty, side, victim);
  }

  // A team of the own side under an id that they choose.
  void OpenTeam(const ChannelId& channel, const client::PersonRecord& victim) {
    const client::CaseRecord record = CaseOf();
    OpenTeamAs(channel, record.own_role, record.own_side, victim);
  }

  // Whether the profile has anything of a channel.
  bool HasChannel(const ChannelId& channel) {
    client::ReadTransaction read = Have(store_->Read());
    return context_.Channel(channel).Info(read).ok();
  }
  // How far the caucus was looked at for what those of a side pair by.
  uint64_t TeamCursor() {
    client::ReadTransaction read = Have(store_->Read());
    return Have(client::LoadTeam(read, context_)).cursor;
  }
  // As if the profile had seen them by another device before the one that the rosters show.
  void HaveSeenAnotherDeviceOf(const ParticipantId& id) {
    client::Transaction step = Have(store_->Begin());
    client::TeamRecord team = Have(client::LoadTeam(step, context_));
    std::erase_if(team.first_devices, [&id](const auto& one) { return one.participant_id == id; });
    team.first_devices.push_back({id, client::RandomId<client::DeviceId>(), {}});
    Have(client::PutTeam(step, context_, team));
    Have(step.Commit());
  }

  // Whether it has a pairing with them.
  bool IsPairedWith(const ParticipantId& id) {
    client::ReadTransaction read = Have(store_->Read());
    return Have(context_.Pairings().PairingWith(read, id)).has_value();
  }

  // A seed for a channel's control key, said in the neutrals' channel.
  void SayControl(const ChannelId& neutrals, const ChannelId& channel, uint32_t incarnation,
                  const std::string& seed) {
    content::v1::Content content;
    auto& control = *content.mutable_case_secrets()->add_controls();
    control.set_channel_id(client::ToField(channel));
    control.set_incarnation(incarnation);
    control.set_control_seed(seed);
    Say(neutrals, content);
  }

  void Say(const ChannelId& channel, const content::v1::Content& content) {
    client::Transaction step = Have(store_->Begin());
    Have(context_.Channel(channel).Queue(step, content).status());
    Have(step.Commit());
    Have(context_.Channel(channel).Exchange().status());
  }

  // The last document that was shared in a channel, or disclosed there.
  content::v1::Document LastDocument(const ChannelId& channel) {
    client::ReadTransaction read = Have(store_->Read());
    content::v1::Document last;
    for (const client::ChannelMessage& message :
         Have(context_.Channel(channel).Messages(read, {}))) {
      content::v1::Content content;
      if (!content.ParseFromString(crypto::ToString(message.content.Reveal()))) continue;
      if (content.has_document()) last = content.document();
      if (content.disclosure().has_document()) last = content.disclosure().document();
    }
    return last;
  }

  // A commit of his own, after which nobody else knows the control key.
  void KeepControl(const ChannelId& channel) {
    client::Transaction step = Have(store_->Begin());
    client::MembershipChange change;
    change.new_control_seed = client::Secret::Random(crypto::kSignatureSeedSize);
    Have(context_.Channel(channel).PrepareCommit(step, change));
    Have(step.Commit());
    Have(context_.Channel(channel).Exchange().status());
  }

  // Says that they leave, and tells nobody anything else.
  void AskToLeave(const ChannelId& channel) {
    client::Transaction step = Have(store_->Begin());
    Have(context_.Channel(channel).Leave(step));
    Have(step.Commit());
    Have(context_.Channel(channel).Exchange().status());
  }

  void PutOut(const ChannelId& channel, const ParticipantId& victim) {
    client::Transaction step = Have(store_->Begin());
    client::MembershipChange change;
    change.removes.push_back(victim);
    change.new_control_seed = client::Secret::Random(crypto::kSignatureSeedSize);
    Have(context_.Channel(channel).PrepareCommit(step, change));
    Have(step.Commit());
    Have(context_.Channel(channel).Exchange().status());
  }

  void ReopenAlone(const ChannelId& channel) {
    client::Transaction step = Have(store_->Begin());
    const client::OwnDevice device = Have(context_.Pairings().Device(step));
    Have(context_.Channel(channel).Reopen(step, Payment(), client::OwnCredential(device), true));
    Have(step.Commit());
  }

  // The relay has the channel's mailbox no more.
  void Lose(const ChannelId& channel) {
    client::ReadTransaction read = Have(store_->Read());
    const client::ChannelInfo info = Have(context_.Channel(channel).Info(read));
    const crypto::Secret seed = Have(context_.Channel(channel).ControlSeed(read));
    Have(relay_->ControlMailbox(info.state.mailbox_id, info.generation,
                                Have(crypto::SignatureKey::FromSeed(seed.Reveal())),
                                client::DeleteMailbox{}));
  }

  // An overview for who has come (back), of what this profile knows.
  content::v1::Content Overview() {
    client::ReadTransaction read = Have(store_->Read());
    const auto procedure = Have(client::LoadProcedure(read, context_));
    content::v1::Content content;
    *content.mutable_case_overview() =
        procedure->log.MakeOverview(procedure->roster, procedure->head);
    return content;
  }

  client::ChannelInfo Info(const ChannelId& channel) {
    client::ReadTransaction read = Have(store_->Read());
    return Have(context_.Channel(channel).Info(read));
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

  // Introduces himself to the victim as a neutral who has another one's ids and identity key, which
  // every roster shows, and his own inbox.
  void IntroduceAs(const client::PersonRecord& other, const client::PersonRecord& victim) {
    client::Transaction step = Have(store_->Begin());
    const client::OwnDevice device = Have(context_.Pairings().Device(step));
    content::v1::InboxMessage message;
    auto& introduction = *message.mutable_introduction();
    *introduction.mutable_card() = Have(client::ParseCard(other.card));
    const content::v1::DeviceCard own = Have(client::ParseCard(device.card));
    introduction.mutable_card()->set_inbox_id(own.inbox_id());
    introduction.mutable_card()->set_inbox_kem_key(own.inbox_kem_key());
    introduction.set_role(client::ToWire(Role::kCoMediator));
    introduction.set_introduction_secret(std::string(32, 's'));
    introduction.set_append_seed(std::string(32, 'a'));
    Post(step, victim, std::move(message));
  }

  // The own card, with another one's ids and identity key where one is given.
  crypto::Bytes CardAs(const client::PersonRecord* other = nullptr) {
    client::ReadTransaction read = Have(store_->Read());
    const client::OwnDevice device = Have(context_.Pairings().Device(read));
    if (other == nullptr) return device.card;
    const content::v1::DeviceCard own = Have(client::ParseCard(device.card));
    content::v1::DeviceCard card = Have(client::ParseCard(other->card));
    card.set_inbox_id(own.inbox_id());
    card.set_inbox_kem_key(own.inbox_kem_key());
    return crypto::ToBytes(card.SerializeAsString());
  }

  // Answers an introduction with that card, as one of a side does; nothing of it is kept.
  client::Inbox::ChannelHello AnswerInChannel(const crypto::Bytes& card,
                                              const crypto::Secret& secret) {
    client::Transaction step = Have(store_->Begin());
    const client::OwnDevice device = Have(context_.Pairings().Device(step));
    return Have(context_.OwnInbox().AnswerInChannel(
        step, card, 0, secret,
        [&](client::Transaction&, content::v1::IntroductionHello& hello) -> absl::Status {
          *hello.mutable_card() = Have(client::ParseCard(device.card));
          hello.set_append_seed(std::string(32, 'a'));
          return absl::OkStatus();
        }));
  }

  // Takes such an answer to an introduction with that card of his.
  client::Pairing TakeAnswer(const crypto::Bytes& card, const crypto::Secret& secret,
                             const crypto::Bytes& sealed) {
    client::Transaction step = Have(store_->Begin());
    client::OwnDevice device = Have(context_.Pairings().Device(step));
    device.card = card;
    Have(context_.Pairings().PutDevice(step, device));
    return Have(context_.OwnInbox().TakeChannelHello(
        step, 0, secret, sealed,
        [](const content::v1::IntroductionHello&) { return absl::OkStatus(); }));
  }

  void SendKeyPackages(const client::PersonRecord& victim,
                       const std::vector<std::string>& packages) {
    client::Transaction step = Have(store_->Begin());
    content::v1::InboxMessage message;
    for (const std::string& package : packages) {
      message.mutable_key_packages()->add_key_packages(package);
    }
    Post(step, victim, std::move(message));
  }

  // A key package of the credential given, whose private half nobody has.
  static std::string KeyPackage(const client::ParleyCredential& credential) {
    return crypto::ToString(Have(client::MakeKeyPackage(credential)).message());
  }
  client::ParleyCredential OwnCredential() {
    client::ReadTransaction read = Have(store_->Read());
    return client::OwnCredential(Have(context_.Pairings().Device(read)));
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

  client::CaseRecord CaseOf() {
    client::ReadTransaction read = Have(store_->Read());
    return Have(context_.Records().Case(read));
  }

  void OpenTeamAs(const ChannelId& channel, Role role, const std::string& side,
                  const client::PersonRecord& victim) {
    const client::CaseRecord record = CaseOf();
    client::Transaction step = Have(store_->Begin());
    const client::OwnDevice device = Have(context_.Pairings().Device(step));
    client::NewChannel options;
    options.case_id = context_.id;
    options.kind = ChannelKind::kTeam;
    options.side = side;
    options.self = client::OwnCredential(device);
    options.name = record.own_name;
    options.role = role;
    options.own_side = side;
    options.stewards = {record.own_id};
    options.payment = Payment();
    Have(context_.Channel(channel).Create(step, std::move(options)));
    Have(step.Commit());
    Welcome(channel, victim);
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

}  // namespace parley::testing

#endif  // PARLEY_CLIENT_LIB_API_ATTACKER_FOR_TEST_H_

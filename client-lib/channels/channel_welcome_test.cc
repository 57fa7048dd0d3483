// Welcomes that must not be taken: docs/protocol.md section 5.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "client-lib/channels/channel_step.h"
#include "client-lib/channels/entry_log.h"
#include "client-lib/channels/test_policy.h"

namespace parley::client {
namespace {

using ::testing::IsEmpty;

class WelcomeTest : public Room {
 protected:
  void SetUp() override {
    Open(ChannelKind::kCaucus, "Harbor", {&ana});
    Settle({&mira, &ana});
    MembershipChange change;
    change.adds = {lee.AsNewMember()};
    Must(mira.Prepare(id, change));
    Must(mira.In(id).Exchange());
    const ReadTransaction tx = Must(mira.store->Read());
    std::vector<WelcomeDelivery> pending = Must(mira.In(id).PendingWelcomes(tx));
    ASSERT_EQ(pending.size(), 1u);
    EXPECT_EQ(pending[0].participant_id, lee.self.participant_id);
    PARLEY_CHECK(wrapper.ParseFromArray(pending[0].wrapper.data(),
                                        static_cast<int>(pending[0].wrapper.size())));
  }

  absl::Status Join() {
    return lee.Join(case_id, adder, crypto::ToBytes(wrapper.SerializeAsString())).status();
  }

  content::v1::WelcomeWrapper wrapper;
  ParticipantId adder = mira.self.participant_id;
};

TEST_F(WelcomeTest, IsTakenOnce) {
  Must(Join());
  EXPECT_EQ(lee.Info(id).standing, Standing::kActive);
  lee.AsNewMember();
  EXPECT_EQ(Join().code(), absl::StatusCode::kNotFound) << "the key package is used up";
}

TEST_F(WelcomeTest, FromSomebodyWhoMayNotAdd) {
  adder = ana.self.participant_id;
  const absl::Status status = Join();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()), HasSubstr("Ana (party, Harbor), who may not add"));
  adder = RandomId<ParticipantId>();
  EXPECT_EQ(Join().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(WelcomeTest, ToAnotherCaseOrChannel) {
  EXPECT_EQ(lee.Join(RandomId<CaseId>(), adder, crypto::ToBytes(wrapper.SerializeAsString()))
                .status()
                .code(),
            absl::StatusCode::kPermissionDenied);
  wrapper.set_channel_id(ToField(RandomId<ChannelId>()));
  EXPECT_EQ(Join().code(), absl::StatusCode::kPermissionDenied);
}

// The committer's roster makes another of the recipient than the inviter's approval did.
// RFC 9420 section 12.4.3, for a group of another channel than that whose group has the id.
TEST_F(WelcomeTest, ToAGroupOfTheIdOfAnotherChannels) {
  Must(Join());
  crypto::Bytes group_id;
  {
    Transaction tx = Must(lee.store->Begin());
    ChannelStep step = Must(ChannelStep::Load(tx, id, 0));
    group_id = Must(step.group())->group_id();
  }
  mls::Group twin = Must(mls::Group::Create(
      {.suite = mls::CipherSuiteId::kParley, .group_id = group_id, .identity = {1}}));
  wrapper.set_welcome(crypto::ToString(
      *Must(twin.PrepareCommit({.adds = lee.AsNewMember().key_packages})).welcome));
  wrapper.set_channel_id(ToField(RandomId<ChannelId>()));
  EXPECT_EQ(Join().code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(WelcomeTest, WithAnotherRoleOrSideThanApproved) {
  const auto join = [&](Role role, const std::string& side) {
    mls::KeyPackageBundle bundle =
        Must(mls::KeyPackageBundle::Parse(lee.packages.back().SerializeSecret().Reveal()));
    Transaction tx = Must(lee.store->Begin());
    JoinExpectations expected{case_id, adder, lee.self};
    expected.role = role;
    expected.side = side;
    return Channel::Join(tx, lee.context, wrapper, std::move(bundle), expected).status();
  };
  EXPECT_EQ(join(Role::kParty, "Harbor").code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(join(Role::kCounsel, "Northline").code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(join(Role::kMediator, "").code(), absl::StatusCode::kPermissionDenied);
  const absl::Status right = join(Role::kCounsel, "Harbor");
  EXPECT_TRUE(right.ok()) << right;
}

TEST_F(WelcomeTest, WithAWrapperThatIsNotRight) {
  const content::v1::WelcomeWrapper good = wrapper;
  wrapper.set_generation(good.generation() + 1);
  EXPECT_EQ(Join().code(), absl::StatusCode::kInvalidArgument);
  wrapper = good;
  wrapper.mutable_joined()->set_transcript_hash("short");
  EXPECT_EQ(Join().code(), absl::StatusCode::kInvalidArgument);
  wrapper = good;
  wrapper.mutable_joined()->set_position(0);
  EXPECT_EQ(Join().code(), absl::StatusCode::kInvalidArgument);
  wrapper = good;
  wrapper.set_channel_id("x");
  EXPECT_EQ(Join().code(), absl::StatusCode::kInvalidArgument);
  wrapper = good;
  (*wrapper.mutable_welcome())[wrapper.welcome().size() / 2] ^= 1;
  EXPECT_FALSE(Join().ok());
  const ReadTransaction tx = Must(lee.store->Read());
  EXPECT_THAT(Must(Channel::List(tx)), IsEmpty()) << "nothing of it is kept";
}

TEST_F(WelcomeTest, ForAnotherDeviceOfTheSameKeyPackage) {
  lee.self.device_id = RandomId<DeviceId>();
  EXPECT_EQ(Join().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(WelcomeTest, IntoAGroupThatBreaksTheCaucusRule) {
  // Mira's client is honest; a hostile one adds Ben to Harbor's caucus.
  Insider insider = InsiderOf(mira, id);
  ChannelState after = insider.state;
  after.members.push_back({ben.self.participant_id,
                           "Ben",
                           Role::kParty,
                           "Northline",
                           {{ben.self.device_id, ben.self.identity_key}}});
  mls::CommitOptions options;
  options.adds = ben.AsNewMember().key_packages;
  options.extensions = WithChannelState(insider.group.extensions(), after);
  const mls::PreparedCommit commit = Must(insider.group.PrepareCommit(options));
  wrapper.set_welcome(crypto::ToString(*commit.welcome));
  wrapper.set_generation(GenerationOf(commit.next.epoch()));
  const absl::Status status =
      ben.Join(case_id, adder, crypto::ToBytes(wrapper.SerializeAsString())).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()), HasSubstr("Ben (party, Northline) may not be in"));
}

// As a hostile committer's client makes it, into another incarnation than there is.
class WelcomeToAnIncarnationTest : public WelcomeTest {
 protected:
  absl::Status Join(Person& person, uint32_t incarnation) {
    Insider insider = InsiderOf(mira, id);
    ChannelState after = insider.state;
    after.incarnation = incarnation;
    mls::CommitOptions options;
    for (const mls::Member& member : insider.group.members()) {
      const ParleyCredential credential = Must(CredentialOf(member.credential));
      if (credential.participant_id == person.self.participant_id) {
        options.removes.push_back(member.leaf);
      }
    }
    options.adds = person.AsNewMember().key_packages;
    options.extensions = WithChannelState(insider.group.extensions(), after);
    const mls::PreparedCommit commit = Must(insider.group.PrepareCommit(options));
    wrapper.set_welcome(crypto::ToString(*commit.welcome));
    wrapper.set_generation(GenerationOf(commit.next.epoch()));
    return person.Join(case_id, adder, crypto::ToBytes(wrapper.SerializeAsString())).status();
  }
  static void ExpectTooFar(const absl::Status& status, const std::string& words) {
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("a Welcome by Mira (mediator), which was to bring this device into the "
                          "channel caucus:Harbor, says that the channel "));
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("Ask Mira by another way than Parley what happened; "));
    EXPECT_THAT(std::string(status.message()), HasSubstr(words));
  }
  std::vector<uint32_t> IncarnationsOf(Person& person) {
    std::vector<uint32_t> numbers;
    const ReadTransaction tx = Must(person.store->Read());
    for (const LoggedIncarnation& one : Must(ListIncarnations(tx, id))) {
      numbers.push_back(one.incarnation);
    }
    return numbers;
  }
};

TEST_F(WelcomeToAnIncarnationTest, FarFromTheOneThatTheMemberKnows) {
  ExpectTooFar(Join(ana, 0xFFFFFFFF), "is now opened anew for the last time possible");
  ExpectTooFar(Join(ana, 66),
               "was opened anew 65 times since this device last knew of it (at most 64 are");
  EXPECT_EQ(IncarnationsOf(ana), std::vector<uint32_t>({1}));
  // Its mailbox isn't there any more, so that there is nothing left to read.
  relay.mailboxes.clear();
  Must(Join(ana, 65));
  EXPECT_FALSE(ana.In(id).Exchange().ok());
  EXPECT_EQ(IncarnationsOf(ana), std::vector<uint32_t>({1, 65}));
}

TEST_F(WelcomeToAnIncarnationTest, FurtherThanAnyChannelHasCome) {
  ExpectTooFar(Join(lee, 0xFFFFFFFF), "was opened anew 4294967294 times already");
  ExpectTooFar(Join(lee, 65'537),
               "was opened anew 65536 times already, which no channel comes to (at most 65535");
  Must(Join(lee, 65'536));
  EXPECT_EQ(IncarnationsOf(lee), std::vector<uint32_t>({65'536}));
}

// However it came there: nobody's device counts to it, and none goes on to 0.
TEST_F(WelcomeToAnIncarnationTest, BesideTheLastHasNoNext) {
  {
    const ChannelNames names(id);
    Transaction tx = Must(mira.store->Begin());
    IncarnationRecord log = Must(LoadIncarnation(tx, names, 1));
    Must(StoreRecord(tx, RecordClass::kContent, names.Incarnation(0xFFFFFFFE), log));
    StateRecord state;
    state.state = log.state;
    state.since = log.since;
    Must(StoreRecord(tx, RecordClass::kContent, names.State(0xFFFFFFFE), state));
    ChannelRecord channel = Must(LoadChannel(tx, names));
    channel.incarnation = 0xFFFFFFFE;
    Must(StoreRecord(tx, RecordClass::kContent, names.Channel(), channel));
    Must(tx.Commit());
  }
  EXPECT_EQ(IncarnationsOf(mira), std::vector<uint32_t>({0xFFFFFFFE}));
  MailboxPayment payment;
  payment.bytes = crypto::Secret::CopyOf(crypto::ViewOf("token"));
  Transaction tx = Must(mira.store->Begin());
  const absl::Status status = mira.In(id).Reopen(tx, std::move(payment), mira.self, true);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("was opened anew as often as can be"));
}

}  // namespace
}  // namespace parley::client

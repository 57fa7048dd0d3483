// What goes wrong, and what people are told: invitations, names, relays, passphrases.
#include <ctime>
#include <thread>

#include "client-lib/api/mediation_for_test.h"
#include "client-lib/api/views.h"
#include "client-lib/cases/case_sync.h"
#include "client-lib/cases/opening.h"
#include "client-lib/cases/records.h"
#include "client-lib/channels/relay_mailboxes.h"
#include "crypto/primitives/random.h"

namespace parley {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Must;
using ::testing::Not;

class TroubleTest : public testing::Mediation {
 protected:
  // Works on somebody's profile as no other process does just then; `work` gets the case's context,
  // with the clock of this machine.
  template <typename Work>
  void InProfileOf(const std::string& name, Work work) {
    profiles_.erase(name);
    {
      auto store = client::ProfileStore::Open(folder_ / name);
      ASSERT_TRUE(store.ok()) << store.status();
      client::CaseContext context;
      context.store = store->get();
      context.now_seconds = [] { return static_cast<uint64_t>(time(nullptr)); };
      context.id = case_;
      work(context);
    }
    Reopen(name);
  }
  void Reopen(const std::string& name) { profiles_.emplace(name, Another(name)); }

  // As though so many messages, which never went out, waited for the other one to confirm them.
  void LetWait(const std::string& name, const ParticipantId& other, int64_t messages) {
    InProfileOf(name, [&](const client::CaseContext& context) {
      auto step = context.store->Begin();
      ASSERT_TRUE(step.ok()) << step.status();
      const auto pairing = context.Pairings().PairingWith(*step, other);
      ASSERT_TRUE(pairing.ok() && pairing->has_value());
      auto traffic = context.Pairings().TrafficOf(*step, (*pairing)->id);
      ASSERT_TRUE(traffic.ok()) << traffic.status();
      traffic->numbered += static_cast<uint64_t>(messages);
      ASSERT_TRUE(context.Pairings().PutTraffic(*step, (*pairing)->id, *traffic).ok());
      ASSERT_TRUE(step->Commit().ok());
    });
  }
  static constexpr int64_t kMany = client::kMostUnconfirmed;
};

TEST_F(TroubleTest, AnInvitationServesOnce) {
  OpenCase();
  const std::string text = Invite("Ana", Role::kParty, "Harbor");
  PARLEY_ASSERT_OK(Of("Ana").Join(text));
  PARLEY_ASSERT_OK(Of("Ana").Join(text));  // the same profile again: nothing happens
  const Result<CaseId> second = Of("Eve").Join(text);
  EXPECT_EQ(second.status().code(), StatusCode::kAlreadyExists);
  EXPECT_THAT(second.status().message(), HasSubstr("used before"));
  EXPECT_THAT(Must(Of("Eve").Cases(), "cases"), IsEmpty());
  Sync("Mira");
  EXPECT_THAT(AlarmKinds("Mira"), Contains(AlarmKind::kInvitationUsedTwice));
  const Participant ana = Find("Mira", "Ana");
  ASSERT_EQ(ana.alarms.size(), 1u);
  EXPECT_THAT(ana.alarms[0], HasSubstr("used a second time"));
  PARLEY_ASSERT_OK(Of("Mira").MarkSeen(case_));
  EXPECT_THAT(AlarmKinds("Mira"), Not(Contains(AlarmKind::kInvitationUsedTwice)));
  EXPECT_THAT(Find("Mira", "Ana").alarms, IsEmpty());
  EXPECT_EQ(Find("Mira", "Ana").settled_alarms, ana.alarms);
  EXPECT_EQ(Of("Mira").MarkSeen(CaseId()).code(), StatusCode::kNotFound);
  // The first one is not harmed.
  PARLEY_ASSERT_OK(Of("Mira").Approve(case_, ana.id));
  Sync("Ana");
  EXPECT_THAT(ChannelNames("Ana"), ElementsAre("joint", "caucus:Harbor"));
}

// The real relay, which gives no answer about one mailbox.
class SilentAbout final : public client::Mailboxes {
 public:
  SilentAbout(client::RelayClient& relay, const client::ObjectId& mailbox)
      : relay_(relay), mailbox_(mailbox) {}
  absl::Status Create(const client::Credential& credential, const client::ObjectId& mailbox_id,
                      const client::GenerationKeys& keys) override {
    return relay_.Create(credential, mailbox_id, keys);
  }
  absl::StatusOr<client::AppendOutcome> Append(
      const client::ObjectId& mailbox_id, uint64_t generation,
      const crypto::SignatureKey& append_key, const client::AppendId& append_id,
      crypto::ByteView payload, const std::optional<client::Closing>& closing) override {
    return relay_.Append(mailbox_id, generation, append_key, append_id, payload, closing);
  }
  absl::StatusOr<client::ReadResult> Read(const client::ObjectId& mailbox_id, uint64_t generation,
                                          const crypto::SignatureKey& read_key,
                                          uint64_t from) override {
    if (mailbox_id == mailbox_) return absl::UnavailableError("no answer");
    return relay_.Read(mailbox_id, generation, read_key, from);
  }

 private:
  client::RelayMailboxes relay_;
  client::ObjectId mailbox_;
};

TEST_F(TroubleTest, SilenceAboutOneMailboxKeepsBackNoOther) {
  OpenCase();
  LetIn("Ana", Role::kParty, "Harbor");
  Say("Mira", "joint", "in the joint channel");
  Say("Mira", "caucus:Harbor", "in the caucus");
  profiles_.erase("Ana");
  auto store = client::ProfileStore::Open(folder_ / "Ana");
  ASSERT_TRUE(store.ok()) << store.status();
  auto relay = client::RelayClient::Connect({relay_.address(), relay_.identity_key()});
  ASSERT_TRUE(relay.ok()) << relay.status();
  client::CaseContext context;
  context.store = store->get();
  context.relay = relay->get();
  context.now_seconds = [] { return static_cast<uint64_t>(time(nullptr)); };
  context.id = case_;
  ChannelId silent;
  client::ObjectId mailbox{};
  {
    auto read = (*store)->Read();
    ASSERT_TRUE(read.ok());
    const auto record = context.Records().Case(*read);
    ASSERT_TRUE(record.ok()) << record.status();
    for (const ChannelId& id : record->channels) {
      const auto info = context.Channel(id).Info(*read);
      ASSERT_TRUE(info.ok()) << info.status();
      if (info->state.kind != ChannelKind::kJoint) continue;
      silent = id;
      mailbox = info->state.mailbox_id;
    }
  }
  SilentAbout mailboxes(**relay, mailbox);
  context.mailboxes = &mailboxes;
  const auto synced = client::SyncCase(context);
  ASSERT_TRUE(synced.ok()) << synced.status();
  EXPECT_EQ(synced->messages, 1u);
  ASSERT_EQ(synced->problems.size(), 1u);
  EXPECT_EQ(synced->problems[0].channel, silent);
  EXPECT_TRUE(absl::IsUnavailable(synced->problems[0].status));
  EXPECT_THAT(std::string(synced->problems[0].status.message()),
              HasSubstr("gives no answer about the channel joint"));
  client::RelayMailboxes honest(**relay);
  context.mailboxes = &honest;
  EXPECT_EQ(client::SyncCase(context)->messages, 1u);
}

// A copy from before the approval: what Ana's device has sent to Mira's since is unknown to it.
TEST_F(TroubleTest, AnOldCopyOfAProfileIsToldByWhatOthersConfirm) {
  OpenCase();
  PARLEY_ASSERT_OK(Of("Ana").Join(Invite("Ana", Role::kParty, "Harbor")));
  profiles_.erase("Ana");
  std::filesystem::copy(folder_ / "Ana", folder_ / "copy",
                        std::filesystem::copy_options::recursive);
  Reopen("Ana");
  Sync("Mira");
  PARLEY_ASSERT_OK(Of("Mira").Approve(case_, Id("Mira", "Ana")));
  SyncAll({"Ana", "Mira"});
  EXPECT_THAT(AlarmKinds("Ana"), Not(Contains(AlarmKind::kRestored)));
  profiles_.erase("Ana");
  std::filesystem::remove_all(folder_ / "Ana");
  std::filesystem::rename(folder_ / "copy", folder_ / "Ana");
  Reopen("Ana");
  PARLEY_ASSERT_OK(Of("Ana").Sync({.case_id = case_}));
  const ParticipantId mira = Id("Ana", "Mira");
  std::string told;
  for (const Alarm& alarm : Must(Of("Ana").Alarms(case_), "alarms")) {
    if (alarm.kind == AlarmKind::kRestored && alarm.participant == mira) told = alarm.text;
  }
  EXPECT_THAT(told, HasSubstr("the device of Mira has confirmed"));
  EXPECT_THAT(told, HasSubstr("ask a neutral to remove you and invite you anew"));
  EXPECT_THAT(AlarmKinds("Ana"), Not(Contains(AlarmKind::kRefused)));  // nobody has flooded it
}

TEST_F(TroubleTest, OneWhoConfirmsNothingHoldsUpNobodyElse) {
  OpenCase();
  LetIn("Ana", Role::kParty, "Harbor");
  LetIn("Ben", Role::kParty, "Northline");
  SyncAll({"Mira", "Ana", "Ben"});
  const ParticipantId ana = Id("Mira", "Ana");
  LetWait("Mira", ana, kMany);
  EXPECT_THAT(AlarmTexts("Mira"), HasSubstr("nothing more is sent to them until they confirm"));
  // Both are to be introduced to Tomas.
  LetIn("Tomas", Role::kCoMediator);
  SyncAll({"Mira", "Tomas", "Ben", "Ana"});
  EXPECT_THAT(Find("Tomas", "Ben").safety_number, Not(IsEmpty()));
  EXPECT_THAT(Find("Tomas", "Ana").safety_number, IsEmpty());
  // Nothing was lost by waiting.
  LetWait("Mira", ana, -kMany);
  EXPECT_THAT(AlarmTexts("Mira"), Not(HasSubstr("nothing more is sent")));
  SyncAll({"Mira", "Ana", "Tomas"});
  EXPECT_THAT(Find("Tomas", "Ana").safety_number, Not(IsEmpty()));
}

TEST_F(TroubleTest, WhatTheRelayShowsAgainAndAgainIsToldWithoutBlame) {
  OpenCase();
  EXPECT_THAT(AlarmTexts("Mira"), Not(HasSubstr("only repeat what had come before")));
  InProfileOf("Mira", [](const client::CaseContext& context) {
    auto step = context.store->Begin();
    ASSERT_TRUE(step.ok()) << step.status();
    auto device = context.Pairings().Device(*step);
    ASSERT_TRUE(device.ok()) << device.status();
    device->repeats_at = context.now_seconds();
    ASSERT_TRUE(context.Pairings().PutDevice(*step, *device).ok());
    ASSERT_TRUE(step->Commit().ok());
  });
  EXPECT_THAT(AlarmTexts("Mira"), HasSubstr("only repeat what had come before"));
  EXPECT_THAT(AlarmTexts("Mira"), HasSubstr("nobody is shut out for it"));
}

TEST_F(TroubleTest, WhoConfirmsNothingIsCutOffAllTheSame) {
  OpenCase();
  LetIn("Ana", Role::kParty, "Harbor");
  SyncAll({"Mira", "Ana"});
  const ParticipantId ana = Id("Mira", "Ana");
  LetWait("Mira", ana, kMany);
  PARLEY_ASSERT_OK(Of("Mira").Remove(case_, ana));
  Sync("Mira");
  EXPECT_THAT(Readers("Mira", "joint"), ElementsAre("Mira"));
  InProfileOf("Mira", [&](const client::CaseContext& context) {
    auto read = context.store->Read();
    ASSERT_TRUE(read.ok());
    EXPECT_FALSE(context.Pairings().PairingWith(*read, ana)->has_value());
    EXPECT_EQ((*context.Records().Person(*read, ana))->cut_off, 1);
  });
}

// Who fills their own inbox before they are removed keeps nothing by it.
TEST_F(TroubleTest, WhoseInboxTakesNothingIsCutOffAllTheSame) {
  OpenCase();
  LetIn("Ana", Role::kParty, "Harbor");
  SyncAll({"Mira", "Ana"});
  const ParticipantId ana = Id("Mira", "Ana");
  // What the relay doesn't take, as an inbox that is full, lies before the notice of removal.
  InProfileOf("Mira", [&](const client::CaseContext& context) {
    auto step = context.store->Begin();
    ASSERT_TRUE(step.ok()) << step.status();
    const auto pairing = context.Pairings().PairingWith(*step, ana);
    ASSERT_TRUE(pairing.ok() && pairing->has_value());
    auto traffic = context.Pairings().TrafficOf(*step, (*pairing)->id);
    ASSERT_TRUE(traffic.ok()) << traffic.status();
    client::OutgoingMessage outgoing;
    outgoing.message_id = client::Bytes(16, 'm');
    outgoing.pairing_id = (*pairing)->id;
    outgoing.number = ++traffic->numbered;
    outgoing.append_id = crypto::RandomArray<16>();
    outgoing.payload = client::Bytes(3 << 20, 'x');
    ASSERT_TRUE(
        context.Pairings()
            .outbox.Put(*step, client::OutgoingKey((*pairing)->id, outgoing.number), outgoing)
            .ok());
    ASSERT_TRUE(context.Pairings().PutTraffic(*step, (*pairing)->id, *traffic).ok());
    ASSERT_TRUE(step->Commit().ok());
  });
  (void)Of("Mira").Remove(case_, ana);
  for (int i = 0; i < 3; ++i) PARLEY_ASSERT_OK(Of("Mira").Sync({.case_id = case_}));
  InProfileOf("Mira", [&](const client::CaseContext& context) {
    auto read = context.store->Read();
    ASSERT_TRUE(read.ok());
    EXPECT_FALSE(context.Pairings().PairingWith(*read, ana)->has_value());
    EXPECT_EQ((*context.Records().Person(*read, ana))->cut_off, 1);
    EXPECT_THAT(*context.Pairings().outbox.Keys(*read), IsEmpty());
  });
  Sync("Mira");  // without a problem
}

// Somebody's inviter isn't the only one who can introduce others to them.
TEST_F(TroubleTest, WhoseInviterIsOutOfReachIsIntroducedByAnother) {
  OpenCase();
  LetIn("Tomas", Role::kCoMediator);
  LetIn("Ana", Role::kParty, "Harbor");
  SyncAll({"Mira", "Tomas", "Ana"});
  LetWait("Ana", Id("Ana", "Mira"), kMany);
  SyncAll({"Ana", "Tomas"});
  LetIn("Zoe", Role::kCoMediator, "", "Tomas");
  SyncAll({"Tomas", "Zoe", "Ana"});
  EXPECT_THAT(Find("Zoe", "Ana").safety_number, Not(IsEmpty()));
}

TEST_F(TroubleTest, WhoLeavesTellsEverybodyInTheEnd) {
  OpenCase();
  LetIn("Ana", Role::kParty, "Harbor");
  SyncAll({"Mira", "Ana"});
  const ParticipantId mira = Id("Ana", "Mira");
  const auto due = [&] {
    int farewell = -1;
    InProfileOf("Ana", [&](const client::CaseContext& context) {
      auto read = context.store->Read();
      ASSERT_TRUE(read.ok());
      farewell = (*context.Pairings().PairingWith(*read, mira))->farewell_due;
    });
    return farewell;
  };
  LetWait("Ana", mira, kMany);
  PARLEY_ASSERT_OK(Of("Ana").Leave(case_));
  Sync("Ana");
  EXPECT_EQ(due(), 1);
  LetWait("Ana", mira, -kMany);
  Sync("Ana");
  EXPECT_EQ(due(), 0);
}

TEST_F(TroubleTest, ALogThatNobodyConfirmsIsAnAlarmAfterAWeek) {
  constexpr uint64_t kDay = 24 * 60 * 60;
  OpenCase();
  LetIn("Ana", Role::kParty, "Harbor");
  SyncAll({"Mira", "Ana"});
  Say("Ana", "joint", "this confirms what was there before");
  Sync("Mira");
  const ChannelId joint = Ref("Mira", "joint").channel_id;
  InProfileOf("Mira", [&](client::CaseContext context) {
    auto read = context.store->Read();
    ASSERT_TRUE(read.ok());
    const auto info = context.Channel(joint).Info(*read);
    ASSERT_TRUE(info.ok()) << info.status();
    const uint64_t since = info->confirmed_at;
    ASSERT_NE(since, 0u);
    ASSERT_GE(since, info->company_since);
    uint64_t now = since + 7 * kDay;
    context.now_seconds = [&now] { return now; };
    const auto told = [&] {
      std::vector<std::string> texts;
      const auto alarms = client::ViewAlarms(*read, context);
      EXPECT_TRUE(alarms.ok()) << alarms.status();
      for (const Alarm& alarm : *alarms) {
        if (alarm.kind != AlarmKind::kStaleCheckpoint || !alarm.channel) continue;
        if (alarm.channel->channel_id == joint) texts.push_back(alarm.text);
      }
      return texts;
    };
    EXPECT_THAT(told(), IsEmpty());
    ++now;
    EXPECT_THAT(told(), ElementsAre(HasSubstr("nobody has confirmed the log of joint since " +
                                              client::DateText(since) + ", 7 days ago")));
    now = since + 30 * kDay;
    EXPECT_THAT(told(), ElementsAre(HasSubstr(", 30 days ago")));
  });
  // It is over as soon as somebody confirms it again.
  Say("Ana", "joint", "still here");
  Sync("Mira");
  EXPECT_THAT(AlarmKinds("Mira"), Not(Contains(AlarmKind::kStaleCheckpoint)));
}

TEST_F(TroubleTest, AWithdrawnInvitationIsRefused) {
  OpenCase();
  const std::string text = Invite("Ana", Role::kParty, "Harbor");
  PARLEY_ASSERT_OK(Of("Mira").Remove(case_, Id("Mira", "Ana")));
  const Result<CaseId> joined = Of("Ana").Join(text);
  EXPECT_EQ(joined.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(joined.status().message(), HasSubstr("withdrawn"));
  EXPECT_THAT(joined.status().message(), HasSubstr("ask the mediator for a new one"));
  Invite("Ana", Role::kParty, "Harbor");  // the name is free again
}

TEST_F(TroubleTest, AnExpiredInvitationSaysWhen) {
  EXPECT_EQ(client::DateText(1777777777), "3 May 2026");
  OpenCase();
  const auto code = client::ParseInvitation(Invite("Ana", Role::kParty, "Harbor"));
  ASSERT_TRUE(code.ok());
  Of("Ana");
  profiles_.erase("Ana");
  auto store = client::ProfileStore::Open(folder_ / "Ana");
  ASSERT_TRUE(store.ok());
  client::CaseContext context;
  context.store = store->get();
  context.now_seconds = [&] { return code->expires_at + 1; };
  const auto joined = client::JoinCase(context, *code);
  EXPECT_EQ(joined.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(joined.status().message(), "the invitation expired on " +
                                           client::DateText(code->expires_at) +
                                           "; ask the mediator for a new one");
  // The relay, too, forgets what has expired, whatever the invitee's clock says.
  auto relay = client::RelayClient::Connect({relay_.address(), relay_.identity_key()});
  ASSERT_TRUE(relay.ok());
  context.relay = relay->get();
  context.now_seconds = [] { return uint64_t{1}; };
  relay_.AdvanceClock(15 * 24 * 60 * 60);
  EXPECT_FALSE(client::JoinCase(context, *code).ok());
}

TEST_F(TroubleTest, MalformedInvitationsAreNamed) {
  OpenCase();
  const std::string text = Invite("Ana", Role::kParty, "Harbor");
  EXPECT_THAT(Of("Ana").Join("hello").status().message(), HasSubstr("not an invitation"));
  EXPECT_EQ(Of("Ana").Join(text.substr(0, text.size() - 5)).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(Of("Ana").Join(connection_).status().code(), StatusCode::kInvalidArgument);
  // Mail programs break lines.
  PARLEY_ASSERT_OK(Of("Ana").Join("  " + text.substr(0, 60) + "\r\n" + text.substr(60) + "\n"));
}

TEST_F(TroubleTest, RequestsThatBreakARuleAreRefused) {
  OpenCase();
  const auto code = [&](const std::string& name, Role role, const std::string& side = {},
                        int64_t valid_for_seconds = 3600) {
    return Of("Mira")
        .Invite(case_,
                {.name = name, .role = role, .side = side, .valid_for_seconds = valid_for_seconds})
        .status()
        .code();
  };
  EXPECT_EQ(code("", Role::kParty, "Harbor"), StatusCode::kInvalidArgument);
  EXPECT_EQ(code("Ana", Role::kParty), StatusCode::kInvalidArgument);
  EXPECT_EQ(code("Ana", Role::kUnknown), StatusCode::kInvalidArgument);
  EXPECT_EQ(code("Tomas", Role::kCoMediator, "Harbor"), StatusCode::kInvalidArgument);
  EXPECT_EQ(code("Tomas", Role::kMediator), StatusCode::kInvalidArgument);
  EXPECT_EQ(code("A\nB", Role::kParty, "Harbor"), StatusCode::kInvalidArgument);
  EXPECT_EQ(code("Ana", Role::kParty, "Harbor", 1), StatusCode::kInvalidArgument);
  Invite("Ana", Role::kParty, "Harbor");
  EXPECT_EQ(code("Ana", Role::kParty, "Harbor"), StatusCode::kAlreadyExists);
  const Status early = Of("Mira").Approve(case_, Id("Mira", "Ana"));
  EXPECT_EQ(early.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(early.message(), HasSubstr("hasn't joined"));
  const Status nothing_to_compare = Of("Mira").MarkCompared(case_, Id("Mira", "Ana"));
  EXPECT_EQ(nothing_to_compare.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(nothing_to_compare.message(), HasSubstr("hasn't joined"));
}

TEST_F(TroubleTest, WhoWaitsCanDoNothingYet) {
  OpenCase();
  const std::string text = Invite("Ana", Role::kParty, "Harbor");
  PARLEY_ASSERT_OK(Of("Ana").Join(text));
  Sync("Ana");
  const Result<Channel> channel = Of("Ana").FindChannel(case_, "joint");
  EXPECT_EQ(channel.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(channel.status().message(), HasSubstr("waiting for approval"));
  EXPECT_EQ(Of("Ana")
                .Invite(case_, {.name = "Eve", .role = Role::kParty, .side = "Harbor"})
                .status()
                .code(),
            StatusCode::kPermissionDenied);
  // Refused before approval.
  Sync("Mira");
  PARLEY_ASSERT_OK(Of("Mira").Remove(case_, Id("Mira", "Ana")));
  Sync("Ana");
  EXPECT_EQ(Must(Of("Ana").GetCase(case_), "case").own_state, ParticipantState::kRemoved);
}

TEST_F(TroubleTest, MessagesWaitForTheRelayAndGoOutOnce) {
  OpenCase();
  LetIn("Ana", Role::kParty, "Harbor");
  SyncAll({"Mira", "Ana"});
  relay_.Stop();
  for (const char* text : {"one", "two"}) {
    const Result<SentMessage> sent = Of("Ana").Send(Ref("Ana", "joint"), text);
    PARLEY_ASSERT_OK(sent);
    EXPECT_TRUE(sent->queued);
    EXPECT_FALSE(sent->position.has_value());
  }
  EXPECT_EQ(Must(Of("Ana").Unsent(Ref("Ana", "joint")), "unsent").size(), 2u);
  const Result<SyncReport> failed = Of("Ana").Sync({});
  EXPECT_EQ(failed.status().code(), StatusCode::kUnavailable);
  relay_.Start();
  const Result<SyncReport> report = Of("Ana").Sync({});
  PARLEY_ASSERT_OK(report);
  EXPECT_EQ(report->messages_sent, 2u);
  EXPECT_EQ(report->messages_waiting, 0u);
  SyncAll({"Mira"}, 1);
  EXPECT_THAT(Texts("Mira", "joint"), ElementsAre("Ana: one", "Ana: two"));
}

TEST_F(TroubleTest, AnotherRelayOnTheSameAddressIsNotTrusted) {
  OpenCase();
  const std::string text = Invite("Ana", Role::kParty, "Harbor");
  relay_.ReplaceIdentity();
  EXPECT_EQ(Of("Ana").Join(text).status().code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(Another("Mira").Sync({}).status().code(), StatusCode::kUnauthenticated);
}

TEST_F(TroubleTest, LimitsOfMessages) {
  OpenCase();
  const ChannelRef joint = Ref("Mira", "joint");
  EXPECT_EQ(Of("Mira").Send(joint, "").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Of("Mira").Send(joint, "\xff\xfe").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Of("Mira").Send(joint, std::string(256 * 1024 + 1, 'x')).status().code(),
            StatusCode::kResourceExhausted);
  PARLEY_ASSERT_OK(Of("Mira").Send(joint, std::string(256 * 1024, 'x')));
}

TEST_F(TroubleTest, NamesThatFitSeveralOrNone) {
  OpenCase();
  const Result<Channel> none = Of("Mira").FindChannel(case_, "caucus:Nowhere");
  EXPECT_EQ(none.status().code(), StatusCode::kNotFound);
  EXPECT_THAT(none.status().message(), HasSubstr("joint, neutrals"));
  LetIn("Ana Ruiz", Role::kParty, "Harbor");
  LetIn("Ana Stone", Role::kParty, "Northline");
  EXPECT_EQ(Of("Mira").FindParticipant(case_, "Ana").status().code(), StatusCode::kAmbiguous);
  EXPECT_EQ(Find("Mira", "ana stone").side, "Northline");
  EXPECT_EQ(Of("Mira").FindChannel(case_, "caucus").status().code(), StatusCode::kAmbiguous);
  EXPECT_EQ(Find("Mira", "northline", 0).name, "caucus:Northline");
  EXPECT_EQ(Must(Of("Mira").FindCase("harbor V northline"), "case").id, case_);
  EXPECT_EQ(Must(Of("Mira").FindCase(case_.ToString().substr(0, 8)), "case").id, case_);
}

TEST_F(TroubleTest, ProfilesAndPassphrases) {
  const std::string folder = folder_ / "locked";
  PARLEY_ASSERT_OK(Profile::Create(folder, "Mira Voss", "correct horse"));
  EXPECT_TRUE(Must(Profile::IsLocked(folder), "locked"));
  EXPECT_EQ(Profile::Open(folder, std::nullopt).status().code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(Profile::Open(folder, "wrong").status().code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(Must(Profile::Open(folder, "correct horse"), "opening").name(), "Mira Voss");
  EXPECT_EQ(Profile::Create(folder, "Mira", std::nullopt).status().code(),
            StatusCode::kAlreadyExists);
  EXPECT_EQ(Profile::Open(folder_ / "none", std::nullopt).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Profile::Create(folder_ / "x", " ", std::nullopt).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(Profile::Create(folder_ / "x", "X", "").status().code(), StatusCode::kInvalidArgument);
}

TEST_F(TroubleTest, ACaseNeedsAConnectionThatWorks) {
  EXPECT_EQ(Of("Mira").CreateCase("", connection_).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Of("Mira").CreateCase("A", "nonsense").status().code(), StatusCode::kInvalidArgument);
  const std::string forged = client::FormatConnectionString(
      {relay_.address(), relay_.identity_key()}, crypto::Secret::Random(32).Reveal());
  EXPECT_EQ(Of("Mira").CreateCase("A", forged).status().code(), StatusCode::kUnauthenticated);
  relay_.Stop();
  EXPECT_EQ(Of("Mira").CreateCase("A", connection_).status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(Must(Of("Mira").Cases(), "cases"), IsEmpty());
}

}  // namespace
}  // namespace parley

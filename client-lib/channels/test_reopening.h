// A room in which channels are opened anew and people let in again, honestly and not. Only tests
// include it.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_TEST_REOPENING_H_
#define PARLEY_CLIENT_LIB_CHANNELS_TEST_REOPENING_H_

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "client-lib/channels/successors.h"
#include "client-lib/channels/test_lying_relay.h"

namespace parley::client {

class ReopeningTest : public RelayTest {
 protected:
  // A committer's client makes an entry that everybody must refuse.
  void Halt(Person& committer) {
    const Insider insider = InsiderOf(committer, id);
    const Bytes payload(300, 7);
    const GenerationKeys keys = relay.mailboxes.at(insider.state.mailbox_id).current().keys;
    Must(AppendPayload(relay, insider, payload,
                       SignClosing(ControlKeyOf(committer, id), insider.state.mailbox_id,
                                   insider.generation, payload, keys)));
    Must(committer.In(id).Exchange());
    ASSERT_EQ(committer.Info(id).standing, Standing::kHalted);
  }
  void HaltAndReopen() {
    Halt(mira);
    Reopen(mira, id);
  }

  // Lets Ana in by a Welcome that `change` has altered.
  void AddByAltered(const std::function<void(content::v1::WelcomeWrapper&)>& change) {
    MembershipChange adding;
    adding.adds = {ana.AsNewMember()};
    Must(mira.Prepare(id, adding));
    Must(mira.In(id).Exchange());
    Transaction tx = Must(mira.store->Begin());
    const std::vector<WelcomeDelivery> pending = Must(mira.In(id).PendingWelcomes(tx));
    ASSERT_EQ(pending.size(), 1u);
    content::v1::WelcomeWrapper wrapper;
    ASSERT_TRUE(wrapper.ParseFromArray(pending[0].wrapper.data(),
                                       static_cast<int>(pending[0].wrapper.size())));
    change(wrapper);
    Must(ana.Join(case_id, mira.self.participant_id, crypto::ToBytes(wrapper.SerializeAsString())));
    Must(mira.In(id).WelcomeDelivered(tx, pending[0].id));
    Must(tx.Commit());
  }

  // A Welcome by `by` into a group that nobody else is in, as if Ana had been let in at `place`.
  Bytes PlantedBy(Person& by, const Successor::Place& place,
                  const std::function<void(ChannelState&)>& change = {}) {
    Insider insider = InsiderOf(by, id);
    ChannelState after = insider.state;
    after.incarnation = place.first;
    if (change) change(after);
    mls::CommitOptions options;
    for (const mls::Member& member : insider.group.members()) {
      if (member.leaf != insider.group.own_leaf()) options.removes.push_back(member.leaf);
    }
    std::erase_if(after.members, [&](const RosterMember& member) {
      return member.participant_id != by.self.participant_id &&
             member.participant_id != ana.self.participant_id;
    });
    options.adds = ana.AsNewMember().key_packages;
    options.extensions = WithChannelState(insider.group.extensions(), after);
    const mls::PreparedCommit commit = Must(insider.group.PrepareCommit(options));
    content::v1::WelcomeWrapper wrapper;
    wrapper.set_channel_id(ToField(id));
    wrapper.set_welcome(crypto::ToString(*commit.welcome));
    wrapper.set_generation(GenerationOf(commit.next.epoch()));
    wrapper.mutable_joined()->set_position(place.second);
    wrapper.mutable_joined()->set_transcript_hash(std::string(32, 'h'));
    return crypto::ToBytes(wrapper.SerializeAsString());
  }
  absl::Status Plant(Person& by, const Successor::Place& place,
                     const std::function<void(ChannelState&)>& change = {}) {
    return ana.Join(case_id, by.self.participant_id, PlantedBy(by, place, change)).status();
  }

  std::vector<Successor> Waiting() {
    Transaction tx = Must(ana.store->Begin());
    return Must(LoadWaiting(tx, ChannelNames(id)));
  }

  std::vector<ChannelAlarm> AlarmsOf(ChannelAlarmKind kind) {
    std::vector<ChannelAlarm> alarms = ana.Info(id).alarms;
    std::erase_if(alarms, [&](const ChannelAlarm& alarm) { return alarm.kind != kind; });
    return alarms;
  }
  std::vector<ChannelAlarm> Forks() { return AlarmsOf(ChannelAlarmKind::kFork); }

  std::vector<std::string> LastHeard(size_t n) {
    std::vector<std::string> heard = ana.Heard(id);
    heard.erase(heard.begin(),
                heard.end() - static_cast<std::ptrdiff_t>(std::min(n, heard.size())));
    return heard;
  }
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_TEST_REOPENING_H_

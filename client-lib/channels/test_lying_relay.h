// A room of three whose relay lies. Only tests include it.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_TEST_LYING_RELAY_H_
#define PARLEY_CLIENT_LIB_CHANNELS_TEST_LYING_RELAY_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "client-lib/channels/coming_back.h"
#include "client-lib/channels/test_insider.h"
#include "gmock/gmock.h"

namespace parley::client {

using ::testing::HasSubstr;

// What somebody knows to have missed of the channel.
inline std::vector<ComingBack> ComingsBackIn(Person& person, const ChannelId& id) {
  Transaction tx = Must(person.store->Begin());
  return Must(LoadComingsBack(tx, id));
}

// A neutral opens the channel anew.
inline void Reopen(Person& neutral, const ChannelId& id, bool even_if_active = false) {
  MailboxPayment payment;
  payment.bytes = crypto::Secret::CopyOf(crypto::ViewOf("token"));
  Transaction tx = Must(neutral.store->Begin());
  Must(neutral.In(id).Reopen(tx, std::move(payment), neutral.self, even_if_active));
  Must(tx.Commit());
}

class RelayTest : public Room {
 protected:
  void SetUp() override {
    Open(ChannelKind::kJoint, "", {&ana, &ben});
    Settle({&mira, &ana, &ben});
    Must(mira.Say(id, "one"));
    Must(ana.Say(id, "two"));
    Must(ben.Say(id, "three"));
    Settle({&mira, &ana, &ben});
  }

  // Ana's next sync fails as one by a lying relay must, with these words and an alarm; nothing is
  // taken in. Afterwards `mend` and all is well.
  void ExpectNoticed(const std::string& words, const std::function<void()>& mend) {
    const ChannelInfo before = ana.Info(id);
    for (int i = 0; i < 2; ++i) {
      const absl::Status status = ana.In(id).Exchange().status();
      EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr("another log of the channel joint"));
      EXPECT_THAT(std::string(status.message()), HasSubstr(words));
      ana.Restart();
    }
    const ChannelInfo after = ana.Info(id);
    EXPECT_EQ(after.head, before.head);
    EXPECT_EQ(after.standing, Standing::kActive);
    ASSERT_EQ(after.alarms.size(), before.alarms.size() + 1) << "once, not at every sync";
    EXPECT_EQ(after.alarms.back().kind, ChannelAlarmKind::kRelayLog);
    EXPECT_THAT(after.alarms.back().text, HasSubstr(words));
    mend();
    Must(ana.Say(id, "it is mended"));
    Settle({&mira, &ana, &ben});
    EXPECT_EQ(mira.Heard(id).back(), "Ana: it is mended");
    EXPECT_EQ(ana.Info(id).head, mira.Info(id).head);
  }

  std::vector<Entry>& entries() { return relay.Only().entries; }
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_TEST_LYING_RELAY_H_

// A member who breaks the rules: takes group and keys out of a profile and makes entries by hand.
// Only tests include it.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_TEST_INSIDER_H_
#define PARLEY_CLIENT_LIB_CHANNELS_TEST_INSIDER_H_

#include <functional>
#include <optional>
#include <utility>

#include "client-lib/channels/channel_step.h"
#include "client-lib/channels/own_commit.h"
#include "client-lib/channels/test_people.h"

namespace parley::client {

// What somebody's profile knows of a channel, and may misuse.
struct Insider {
  mls::Group group;
  ChannelState state;
  uint64_t generation = 1;
  crypto::Secret entry_key;
  crypto::Secret append_seed;
};

inline Insider InsiderOf(Person& person, const ChannelId& id) {
  Transaction tx = Must(person.store->Begin());
  ChannelStep step = Must(ChannelStep::Load(tx, id, 0));
  const EpochKeysRecord* keys = Must(step.keys());
  mls::Group* group = Must(step.group());
  return {group->Clone(), step.state(), step.log().generation, keys->entry_key.Clone(),
          keys->append_seed.Clone()};
}

inline crypto::SignatureKey ControlKeyOf(Person& person, const ChannelId& id) {
  const ReadTransaction tx = Must(person.store->Read());
  return Must(crypto::SignatureKey::FromSeed(Must(person.In(id).ControlSeed(tx)).Reveal()));
}

inline absl::Status AppendPayload(TestRelay& relay, const Insider& insider, const Bytes& payload,
                                  const std::optional<Closing>& closing = std::nullopt) {
  const crypto::SignatureKey key =
      Must(crypto::SignatureKey::FromSeed(insider.append_seed.Reveal()));
  return relay
      .Append(insider.state.mailbox_id, insider.generation, key, crypto::RandomArray<16>(), payload,
              closing)
      .status();
}

inline absl::Status AppendMessage(TestRelay& relay, const Insider& insider, const Bytes& message) {
  return AppendPayload(
      relay, insider,
      SealEntry(insider.entry_key, insider.state.mailbox_id, insider.generation, message));
}

// Appends `message` as the closing entry. `next` is whose keys open the next generation; `change`
// may spoil them before they are signed.
inline absl::Status AppendClosing(TestRelay& relay, const Insider& insider,
                                  const crypto::SignatureKey& control, const Bytes& message,
                                  const mls::Group& next, const ChannelState& after,
                                  const std::function<void(GenerationKeys&)>& change = {}) {
  const EpochKeys keys = Must(DeriveEpochKeys(next, insider.state.mailbox_id));
  GenerationKeys next_keys = Must(PublicKeysOf(keys, after.control_key));
  if (change) change(next_keys);
  const Bytes payload =
      SealEntry(insider.entry_key, insider.state.mailbox_id, insider.generation, message);
  const Closing closing =
      SignClosing(control, insider.state.mailbox_id, insider.generation, payload, next_keys);
  return AppendPayload(relay, insider, payload, closing);
}

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_TEST_INSIDER_H_

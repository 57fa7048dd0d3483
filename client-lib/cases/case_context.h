// What the steps of a case work with.
#ifndef PARLEY_CLIENT_LIB_CASES_CASE_CONTEXT_H_
#define PARLEY_CLIENT_LIB_CASES_CASE_CONTEXT_H_

#include <cstdint>
#include <functional>

#include "client-lib/cases/records.h"
#include "client-lib/channels/channel.h"
#include "client-lib/pairing/inbox.h"
#include "client-lib/relay/relay_client.h"
#include "client-lib/store/profile_store.h"

namespace parley::client {

// Threading: copies are cheap, and as safe as what they point to, which outlives them. Without a
// relay (null) only the steps that need none can be taken.
struct CaseContext {
  ProfileStore* store = nullptr;
  RelayClient* relay = nullptr;
  Mailboxes* mailboxes = nullptr;
  std::function<uint64_t()> now_seconds;
  CaseId id;

  CaseRecords Records() const { return CaseRecords(id); }
  PairingRecords Pairings() const { return PairingRecords(id); }
  Inbox OwnInbox() const { return Inbox(*store, id, now_seconds); }
  ChannelContext Channels() const {
    return {store, mailboxes, now_seconds, &StandardPolicy(), Holds()};
  }
  client::Channel Channel(const ChannelId& channel) const {
    return client::Channel(Channels(), channel);
  }

 private:
  // Own messages wait while the floor is somebody else's (session_work.h).
  HoldBack Holds() const;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_CASE_CONTEXT_H_

// A mediation in session, and a way to put records into it that the library wouldn't.
#ifndef PARLEY_CLIENT_LIB_API_SESSION_FOR_TEST_H_
#define PARLEY_CLIENT_LIB_API_SESSION_FOR_TEST_H_

#include <ctime>
#include <string>
#include <vector>

#include "client-lib/api/attacker_for_test.h"
#include "client-lib/api/mediation_for_test.h"
#include "client-lib/channels/relay_mailboxes.h"

namespace parley::testing {

class SessionTest : public Mediation {
 protected:
  void Everybody(int rounds = 2) { SyncAll({"Mira", "Tomas", "Ana", "Lee", "Ben"}, rounds); }

  // Leaves a content waiting, as after a call that didn't reach the relay.
  void LeaveWaiting(const std::string& name, const std::string& channel,
                    const content::v1::Content& content) {
    const ChannelRef ref = Ref(name, channel);
    auto store = Have(client::ProfileStore::Open(folder_ / name));
    client::ChannelContext context;
    context.store = store.get();
    context.now_seconds = [] { return static_cast<uint64_t>(time(nullptr)); };
    client::Transaction step = Have(store->Begin());
    Have(client::Channel(context, ref.channel_id).Queue(step, content).status());
    Have(step.Commit());
  }

  // Sends a content as a modified program does: asking nobody, and holding nothing.
  void Inject(const std::string& name, const std::string& channel,
              const content::v1::Content& content) {
    const ChannelRef ref = Ref(name, channel);
    auto store = Have(client::ProfileStore::Open(folder_ / name));
    auto relay = Have(client::RelayClient::Connect({relay_.address(), relay_.identity_key()}));
    client::RelayMailboxes mailboxes(*relay);
    client::ChannelContext context;
    context.store = store.get();
    context.mailboxes = &mailboxes;
    context.now_seconds = [] { return static_cast<uint64_t>(time(nullptr)); };
    client::Channel in(context, ref.channel_id);
    client::Transaction step = Have(store->Begin());
    Have(in.Queue(step, content));
    Have(step.Commit());
    Have(in.Exchange().status());
  }
  static content::v1::Content Text(const std::string& text) {
    content::v1::Content content;
    content.mutable_text()->set_text(text);
    return content;
  }

  std::vector<Message> Read(const std::string& name, const std::string& channel = "joint") {
    return Must(Of(name).Read(Ref(name, channel)), "reading");
  }
  Message Last(const std::string& name, const std::string& channel = "joint") {
    return Read(name, channel).back();
  }
  Message FindText(const std::string& name, const std::string& text,
                   const std::string& channel = "joint") {
    for (const Message& message : Read(name, channel)) {
      if (message.text == text) return message;
    }
    ADD_FAILURE() << name << " has no message \"" << text << "\"";
    return {};
  }
};

}  // namespace parley::testing

#endif  // PARLEY_CLIENT_LIB_API_SESSION_FOR_TEST_H_

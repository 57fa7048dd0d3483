// Mailboxes of a real relay.
//
// Threading: as RelayClient. Lifetime: the client outlives it.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_RELAY_MAILBOXES_H_
#define PARLEY_CLIENT_LIB_CHANNELS_RELAY_MAILBOXES_H_

#include "client-lib/channels/mailboxes.h"
#include "client-lib/relay/relay_client.h"

namespace parley::client {

class RelayMailboxes final : public Mailboxes {
 public:
  explicit RelayMailboxes(RelayClient& relay) : relay_(relay) {}

  absl::Status Create(const Credential& credential, const ObjectId& mailbox_id,
                      const GenerationKeys& keys) override {
    return relay_.CreateMailbox(credential, mailbox_id, keys);
  }
  absl::StatusOr<AppendOutcome> Append(const ObjectId& mailbox_id, uint64_t generation,
                                       const crypto::SignatureKey& append_key,
                                       const AppendId& append_id, crypto::ByteView payload,
                                       const std::optional<Closing>& closing) override {
    return relay_.Append(mailbox_id, generation, append_key, append_id, payload, closing);
  }
  absl::StatusOr<ReadResult> Read(const ObjectId& mailbox_id, uint64_t generation,
                                  const crypto::SignatureKey& read_key, uint64_t from) override {
    return relay_.Read(mailbox_id, generation, read_key, from);
  }

 private:
  RelayClient& relay_;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_RELAY_MAILBOXES_H_

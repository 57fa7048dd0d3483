// What waits to be sent: contents and proposals, in order. A content is stored as it was asked for;
// encrypted, with a fresh append id, when the log has been read to its head; kept with the same
// bytes until it is seen in the log or its generation has ended without it, and then encrypted
// anew.
//
// Threading: free functions on a transaction.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_OUTBOX_H_
#define PARLEY_CLIENT_LIB_CHANNELS_OUTBOX_H_

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/channels/channel.h"
#include "client-lib/channels/channel_step.h"

namespace parley::client {

// An entry that is ready to be appended, again if need be.
struct Outgoing {
  uint64_t item = 0;
  uint64_t generation = 0;
  AppendId append_id{};
  Bytes payload;
};

// Errors: InvalidArgument for a content without a body or over the limit.
absl::StatusOr<MessageId> QueueContent(ChannelStep& step, const content::v1::Content& content,
                                       Readers readers);
// Errors: NotFound for one that isn't there or is encrypted already.
absl::Status UnqueueContent(ChannelStep& step, const MessageId& id);

// Encrypts up to `most` waiting contents for the current generation, and says how many. Those that
// somebody would read for whom they weren't meant are given up, and counted in `result`; those that
// `holds` (which may be null) keeps back are left waiting, and don't keep back others. Requires:
// the log has been read to its head, and the incarnation is active.
absl::StatusOr<size_t> EncryptWaiting(ChannelStep& step, size_t most, const HoldBack& holds,
                                      ExchangeResult& result);
// Queues a proposal's message (an MLSMessage that the group has just made), encrypted already.
absl::Status QueueProposal(ChannelStep& step, ByteView mls_message);

// What is encrypted and not acknowledged yet, in order.
absl::StatusOr<std::vector<Outgoing>> UnacknowledgedEntries(const ReadTransaction& tx,
                                                            const ChannelNames& names,
                                                            const IncarnationRecord& log);
// The relay has taken back that it has this own entry, or the commit: the same bytes are sent
// again.
void ForgetAcknowledgement(ChannelStep& step, const AppendId& append_id);
// Whether the relay has acknowledged the own commit in flight that has this id.
bool IsCommitAcknowledged(const IncarnationRecord& log, const AppendId& append_id);

// Takes an item out, after it has been seen in the log.
absl::Status RemoveItem(ChannelStep& step, uint64_t item, OutboxKind kind);
// The generation has ended, or the incarnation: what is in flight isn't in the log. Contents wait
// to be encrypted anew, proposals are dropped.
absl::Status TakeBackInFlight(ChannelStep& step);

// This participant is out: nothing that waits can be sent. Texts and documents are kept to be
// shown, and counted in `result`; the rest is dropped. Requires: nothing is in flight.
absl::Status GiveUpWaiting(ChannelStep& step, ExchangeResult& result);

// Own contents of this kind, as messages: those that wait, or those that are never sent.
absl::StatusOr<std::vector<ChannelMessage>> ListOutbox(const ReadTransaction& tx,
                                                       const ChannelNames& names,
                                                       const ChannelRecord& channel,
                                                       const IncarnationRecord& log,
                                                       OutboxKind kind);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_OUTBOX_H_

// A channel: one MLS group over one mailbox, for each of its incarnations.
//
//   // Mira opens a caucus and adds Ana.
//   Channel caucus(context, channel_id);
//   PARLEY_ASSIGN_OR_RETURN(Transaction tx, store.Begin());
//   PARLEY_RETURN_IF_ERROR(caucus.Create(tx, std::move(new_channel)));
//   PARLEY_RETURN_IF_ERROR(caucus.PrepareCommit(tx, {.adds = {ana}}));
//   PARLEY_RETURN_IF_ERROR(tx.Commit());
//   caucus.Exchange();                    // makes the mailbox, sends the commit, merges it
//   caucus.PendingWelcomes(tx);           // → Ana's inbox, then WelcomeDelivered(tx, id)
//
//   // Ana, with the wrapper from her inbox and the key package that it names:
//   Channel::Join(tx, wrapper, std::move(bundle), expectations);
//   caucus.Queue(tx, content);  caucus.Exchange();  caucus.Messages(tx, {.after = 17});
//
// Steps. Nothing is kept in memory: an object is an id and a context, and costs nothing. Calls that
// take a Transaction load the channel, work and save in that transaction, and never use the
// network. Sync and Exchange use the network, between transactions of their own: call them with
// none open. After a crash between any two steps the next Exchange goes on; content goes out
// exactly once, a commit's bytes are sent again before anything else.
//
// Several processes. Steps of several processes on one profile may interleave at transactions.
//
// Refused commits. What breaks a rule of docs/protocol.md section 5 in an entry that closes its
// generation halts the incarnation (Standing::kHalted, with the reason). Entries of other kinds
// that don't open or verify are passed over and counted. What only the relay can have done (a log
// that shrank, another log than before, a forged closing) is an error of Sync, DataLoss, and an
// alarm; nothing of it is taken in, so that an honest answer later goes on from there.
//
// Errors, for all calls: NotFound when the profile doesn't have the channel; DataLoss when its
// records are damaged; the store's own.
//
// Threading: as safe as its context: any number of threads and objects.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_CHANNEL_H_
#define PARLEY_CLIENT_LIB_CHANNELS_CHANNEL_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/channels/channel_types.h"
#include "client-lib/channels/mailboxes.h"
#include "client-lib/store/profile_store.h"
#include "crypto/mls/key_package.h"

namespace parley::content::v1 {
class ChannelHeads;
class Content;
class WelcomeWrapper;
}  // namespace parley::content::v1

namespace parley::client {

// Over this a content can't be sent.
inline constexpr size_t kMaxContentBytes = 960 * 1024;
// How often an own leaf is renewed.
inline constexpr uint64_t kLeafRenewalSeconds = 7 * 24 * 60 * 60;

// Whether an own content that waits must go on waiting, by what the channel's log shows up to here.
// It is asked each time before the content would be encrypted.
using HoldBack = std::function<absl::StatusOr<bool>(
    const ReadTransaction& tx, const ChannelId& channel, const content::v1::Content& content)>;

class ChannelPolicy;
const ChannelPolicy& StandardPolicy();

// What channels work with. The pointers stay valid as long as the channels that have them.
struct ChannelContext {
  ProfileStore* store = nullptr;
  Mailboxes* mailboxes = nullptr;
  std::function<uint64_t()> now_seconds;
  // What judges commits, proposals, messages and Welcomes.
  const ChannelPolicy* policy = &StandardPolicy();
  // Null: nothing is held back.
  HoldBack holds = nullptr;
};

// What pays for a channel's mailbox; kept in the profile until the mailbox has been made.
struct MailboxPayment {
  Credential::Kind kind = Credential::Kind::kSponsorToken;
  crypto::Secret bytes;
};

// A channel that this device creates.
struct NewChannel {
  CaseId case_id;
  ChannelKind kind = ChannelKind::kUnknown;
  std::string side;  // of a caucus or team
  // The creator: credential, and how the roster shows them.
  ParleyCredential self;
  std::string name;
  Role role = Role::kUnknown;
  std::string own_side;
  std::vector<ParticipantId> stewards;  // of a team
  MailboxPayment payment;
};

struct JoinExpectations {
  CaseId case_id;
  // Whose pairing brought the Welcome. The roster must show them as a committer.
  ParticipantId adder;
  // This device.
  ParleyCredential self;
  // How the roster must show it; kUnknown: not known yet.
  Role role = Role::kUnknown;
  std::string side = {};
  // Asked about a channel that the profile doesn't have yet: an error of it ends Join with that
  // error. Null: any may come.
  std::function<absl::Status(const ChannelState& state)> may_come = nullptr;
};

struct MessageQuery {
  uint64_t after = 0;       // numbers above this
  size_t limit = SIZE_MAX;  // at most so many
  // Only these kinds; empty for all. The procedure's records alone (IsProcedure) are found without
  // reading other messages.
  std::vector<ContentKind> kinds = {};
  // Only what was one of the procedure's records when it came, so that what is left of a destroyed
  // one (kDestroyed), too, is found without reading other messages.
  bool records_alone = false;
};

// Who may read what waits to be sent.
enum class Readers {
  kWhoeverIsIn,  // when it goes out
  kWhoIsInNow,   // when it is queued, or some of them: where somebody else has come, it isn't sent
};

class Channel {
 public:
  Channel(ChannelContext context, const ChannelId& id) : context_(std::move(context)), id_(id) {}

  const ChannelId& id() const { return id_; }

  // All channels of the profile, in the order in which they came.
  static absl::StatusOr<std::vector<ChannelId>> List(const ReadTransaction& tx);

  // ---- Beginning ----

  // Makes the group, with the creator alone, and a control key; the mailbox is made by the next
  // Exchange. Errors: AlreadyExists; InvalidArgument when the caucus rule doesn't allow the creator
  // or the creator would be no committer.
  absl::Status Create(Transaction& tx, NewChannel options);

  // Opens the next incarnation: a new group, mailbox and control key with the creator alone. Add
  // the others by PrepareCommit. Content that waits to be sent goes there. Errors:
  // FailedPrecondition when this participant is no committer, or was removed, or the channel is
  // active and `even_if_active` (a lost mailbox, a move) is not set.
  absl::Status Reopen(Transaction& tx, MailboxPayment payment, const ParleyCredential& self,
                      bool even_if_active = false);

  // Takes over a Welcome: a first one, one for a later incarnation, or one for a new leaf in the
  // same incarnation when the old leaf is removed or of a restored profile. Checks the group as
  // docs/protocol.md section 5 has it. Gives the channel's id. An active channel is never left at
  // once: the next Sync reads the log to its end, and takes the Welcome's state over if the adder
  // is a committer there; what it refuses becomes an alarm. Where this device is in no log that it
  // can read, the caller answers for the adder. Errors: InvalidArgument or PermissionDenied for a
  // Welcome that must not be taken, saying why; NotFound when it isn't for this key package;
  // AlreadyExists for one that was taken already.
  static absl::StatusOr<ChannelId> Join(Transaction& tx, const ChannelContext& context,
                                        const content::v1::WelcomeWrapper& wrapper,
                                        mls::KeyPackageBundle&& key_package,
                                        const JoinExpectations& expectations);

  // ---- Looking ----

  absl::StatusOr<ChannelInfo> Info(const ReadTransaction& tx) const;
  // Received and own contents in the order of their numbers.
  absl::StatusOr<std::vector<ChannelMessage>> Messages(const ReadTransaction& tx,
                                                       const MessageQuery& query) const;
  // The message of that index. Errors: NotFound when there is none.
  absl::StatusOr<ChannelMessage> At(const ReadTransaction& tx, uint64_t index) const;
  // The author's message of that id; nothing when there is none here.
  absl::StatusOr<std::optional<ChannelMessage>> Find(const ReadTransaction& tx,
                                                     const ParticipantId& author,
                                                     const MessageId& id) const;
  // Whether the participant was in the channel when its DisclosureUse of that index was said.
  absl::StatusOr<bool> WasPresent(const ReadTransaction& tx, uint64_t index,
                                  const ParticipantId& participant) const;
  // Whether this device has read the log of that incarnation at that position: what stands there
  // is among Messages then. What it read before it was put out and let in again into the same
  // incarnation doesn't count.
  absl::StatusOr<bool> HasRead(const ReadTransaction& tx, uint32_t incarnation,
                               uint64_t position) const;
  // Own contents that wait to be sent, in order.
  absl::StatusOr<std::vector<ChannelMessage>> Unsent(const ReadTransaction& tx) const;
  // Own contents that are never sent, whatever comes, in order, each with the reason: texts and
  // documents that waited when this participant was put out or had left, and what was queued for
  // kWhoIsInNow when somebody else came.
  absl::StatusOr<std::vector<ChannelMessage>> NeverSent(const ReadTransaction& tx) const;
  // Nothing when there is nothing to listen to: not active, or the mailbox isn't made yet.
  absl::StatusOr<std::optional<SubscriptionTarget>> Subscription(const ReadTransaction& tx) const;

  // ---- Sending ----

  // Stores a content to be sent by the next Exchange, and gives its message id. The body is the
  // caller's; message_id (unless set), seen and claimed_time are filled in.
  // Errors: InvalidArgument for one over kMaxContentBytes or without a body; FailedPrecondition
  // when the channel isn't active (the message says why).
  absl::StatusOr<MessageId> Queue(Transaction& tx, const content::v1::Content& content,
                                  Readers readers = Readers::kWhoeverIsIn);

  // Drops a content that nothing has been sent of yet, or never will. Errors: NotFound when there
  // is none such.
  absl::Status Unqueue(Transaction& tx, const MessageId& id);

  // ---- Destroying ----

  // Destroys the content of these messages, by index: DestroyMessages (destruction.h). For a
  // channel that this participant has left, too.
  absl::Status Destroy(Transaction& tx, const std::vector<uint64_t>& indices);

  // ---- Leaving ----

  // Asks for one's own removal, by a proposal that the next committer commits.
  // Errors: FailedPrecondition when the channel isn't active.
  absl::Status Leave(Transaction& tx);

  // Stops an active incarnation on this device, with an alarm, for a reason that the caller knows:
  // nothing is sent any more until it is opened anew. Errors: FailedPrecondition when it isn't
  // active.
  absl::Status Halt(Transaction& tx, const std::string& reason);

  // ---- Membership (committers) ----

  // Prepares a commit with these changes and all fitting proposals that wait, and saves it with its
  // next state and Welcomes; the next Exchange sends it. An empty change renews the own leaf.
  // Errors: FailedPrecondition when this participant is no committer, doesn't have the control key,
  // the channel isn't active, or another own commit is in flight; InvalidArgument when the change
  // breaks a rule (naming it) or a key package doesn't fit; NotFound for a removed one who isn't
  // in.
  absl::Status PrepareCommit(Transaction& tx, const MembershipChange& change);
  // Members whose wish to leave waits for a commit. Parties and others are put out by the next
  // committer's Exchange; for a committer who leaves somebody calls PrepareCommit with a new
  // control key.
  absl::StatusOr<std::vector<ParticipantId>> Leavers(const ReadTransaction& tx) const;

  // Welcomes of own commits that have won, until WelcomeDelivered says that they are on their way.
  absl::StatusOr<std::vector<WelcomeDelivery>> PendingWelcomes(const ReadTransaction& tx) const;
  absl::Status WelcomeDelivered(Transaction& tx, uint64_t delivery_id);

  // Keeps a control seed that came through the neutrals' channel, for this incarnation or a later
  // state of it. Errors: InvalidArgument for a wrong length.
  absl::Status LearnControlSeed(Transaction& tx, const crypto::Secret& seed);
  // The current control key's seed, for the neutrals' channel. Errors: NotFound when unknown here.
  absl::StatusOr<crypto::Secret> ControlSeed(const ReadTransaction& tx) const;

  // ---- With the relay ----

  // Reads from the last entry received to the head, walking from generation to generation.
  // Errors: Unavailable; NotFound when the relay has lost the mailbox; DataLoss (see above).
  absl::StatusOr<ExchangeResult> Sync();

  // Makes the mailbox if need be, sends again what is in flight, syncs, then sends what waits: an
  // own commit, contents, and what is due (checkpoint, leaf renewal, a committer's commit of
  // others' proposals); and syncs again when it sent anything. Content stays queued when this
  // fails. Errors: as Sync.
  absl::StatusOr<ExchangeResult> Exchange();

  // ---- Comparing logs ----

  // In the neutrals' channel: the heads of those of `channels` whose head moved by 64 entries or a
  // commit since they were last announced; nothing when none has. Marks them as announced.
  static absl::StatusOr<std::optional<content::v1::ChannelHeads>> DueHeads(
      Transaction& tx, const std::vector<ChannelId>& channels);
  // Compares what `author` announced with the own logs, now or once they have come as far. What
  // differs becomes an alarm of the channel that it concerns.
  static absl::Status CompareHeads(Transaction& tx, const content::v1::ChannelHeads& heads,
                                   const RosterMember& author, uint64_t now_seconds);

 private:
  ChannelContext context_;
  ChannelId id_;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_CHANNEL_H_

// What people say: Profile::Impl's part.
#include "client-lib/api/profile_impl.h"
#include "client-lib/cases/naming.h"
#include "client-lib/channels/names.h"
#include "client-lib/content/folded_text.h"
#include "client-lib/firewall/firewall.h"
#include "client-lib/firewall/quotes.h"

namespace parley {
namespace {

using client::CaseView;
using client::ReadTransaction;
using client::Transaction;

constexpr size_t kMostTextBytes = 256 * 1024;
constexpr size_t kMostOverrideReasonBytes = 4 * 1024;

absl::Status CheckReason(std::string_view reason) {
  if (reason.empty()) return absl::OkStatus();
  if (client::IsBlank(reason) || !client::IsUtf8(reason) ||
      reason.size() > kMostOverrideReasonBytes) {
    return absl::InvalidArgumentError(
        "say why the firewall is to be overridden, in UTF-8 and at most 4 KiB");
  }
  return absl::OkStatus();
}

content::v1::Content OverrideRecord(const client::ChannelState& to, const MessageId& message,
                                    const std::string& reason, const client::Firewall& firewall,
                                    const content::v1::CasePosition& said_at) {
  content::v1::Content content;
  content::v1::FirewallOverride& record = *content.mutable_firewall_override();
  record.set_reason(reason);
  record.set_kind(static_cast<content::v1::ChannelKind>(to.kind));
  record.set_side(to.side);
  record.set_message_id(client::ToField(message));
  firewall.NameOverridden(record);
  *content.mutable_case_position() = said_at;
  return content;
}

}  // namespace

absl::Status Profile::Impl::CheckWritable(const ChannelRef& channel) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  PARLEY_ASSIGN_OR_RETURN(CaseView view, CaseView::Create(read, LocalContext(channel.case_id)));
  switch (view.record().own_state) {
    case ParticipantState::kWaiting:
      return absl::FailedPreconditionError(
          "you are waiting for approval; the mediator has to approve you first");
    case ParticipantState::kRemoved:
      return absl::FailedPreconditionError("you were removed from this case");
    case ParticipantState::kLeft:
      return absl::FailedPreconditionError("you have left this case");
    default:
      break;
  }
  PARLEY_ASSIGN_OR_RETURN(Channel shown, view.Channel(read, channel.channel_id));
  if (shown.status == ChannelStatus::kHalted) {
    return absl::FailedPreconditionError(
        "the channel " + shown.name + " is halted: " + shown.halted_reason +
        "; a neutral has to reopen it before anything can be sent");
  }
  if (shown.status == ChannelStatus::kClosed) {
    return absl::FailedPreconditionError("you are not in the channel " + shown.name + " any more");
  }
  return absl::OkStatus();
}

absl::Status Profile::Impl::TakeBackGivenUp(const ChannelRef& channel, const MessageId& id) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, store_->Begin());
  client::Channel in = LocalContext(channel.case_id).Channel(channel.channel_id);
  PARLEY_ASSIGN_OR_RETURN(const std::vector<client::ChannelMessage> never_sent, in.NeverSent(step));
  for (const client::ChannelMessage& message : never_sent) {
    if (message.id != id) continue;
    PARLEY_RETURN_IF_ERROR(in.Unqueue(step, id));
    PARLEY_RETURN_IF_ERROR(step.Commit());
    return absl::FailedPreconditionError("nothing was sent: " + message.reason);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Profile::Impl::HoldOf(const ChannelRef& channel, const MessageId& id) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  PARLEY_ASSIGN_OR_RETURN(CaseView view, CaseView::Create(read, LocalContext(channel.case_id)));
  PARLEY_ASSIGN_OR_RETURN(const std::vector<Message> unsent, view.Unsent(read, channel.channel_id));
  for (const Message& message : unsent) {
    if (message.id == id) return message.note;
  }
  return std::string();
}

absl::StatusOr<std::string> Profile::Impl::WhyItWaits(const ChannelRef& channel,
                                                      const MessageId& id) {
  const absl::Status writable = CheckWritable(channel);
  if (absl::IsFailedPrecondition(writable)) return std::string(writable.message());
  PARLEY_RETURN_IF_ERROR(writable);
  return HoldOf(channel, id);
}

absl::StatusOr<SentMessage> Profile::Impl::Deliver(const ChannelRef& channel, const MessageId& id,
                                                   bool may_stay_queued) {
  SentMessage sent;
  sent.id = id;
  absl::Status failed;
  absl::StatusOr<Connected> connected = Connect(channel.case_id, client::Patience::kBrief);
  failed = connected.status();
  if (failed.ok()) {
    failed = client::ExchangeChannel(connected->context, channel.channel_id).status();
  }
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(CaseView view, CaseView::Create(read, LocalContext(channel.case_id)));
    PARLEY_ASSIGN_OR_RETURN(Channel shown, view.Channel(read, channel.channel_id));
    sent.readers = std::move(shown.readers);
    PARLEY_ASSIGN_OR_RETURN(const std::optional<client::ChannelMessage> message,
                            LocalContext(channel.case_id)
                                .Channel(channel.channel_id)
                                .Find(read, view.record().own_id, id));
    if (message.has_value()) sent.position = message->number;
  }
  if (sent.position.has_value()) return sent;
  PARLEY_RETURN_IF_ERROR(TakeBackGivenUp(channel, id));
  const bool unreachable = absl::IsUnavailable(failed) || absl::IsDeadlineExceeded(failed);
  if ((failed.ok() || unreachable) && CheckWritable(channel).ok()) {
    sent.queued = true;
    sent.queued_because = failed.ok() ? "the relay hasn't shown it in the channel yet"
                                      : std::string(failed.message());
    PARLEY_ASSIGN_OR_RETURN(const std::string hold, HoldOf(channel, id));
    sent.held = !hold.empty();
    if (sent.held) sent.queued_because = hold;
    return sent;
  }
  // It can't go out: take it back, if nothing of it has left.
  bool is_kept = may_stay_queued;
  if (!may_stay_queued) {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, store_->Begin());
    const absl::Status taken_back =
        LocalContext(channel.case_id).Channel(channel.channel_id).Unqueue(step, id);
    if (taken_back.ok()) PARLEY_RETURN_IF_ERROR(step.Commit());
    is_kept = !taken_back.ok();
  }
  if (!failed.ok() && is_kept) {
    return absl::Status(failed.code(),
                        std::string(failed.message()) +
                            ". What you sent is kept and waits: each sync tries to send it, until "
                            "it has gone out, once. Don't send it again");
  }
  if (!failed.ok()) return failed;
  PARLEY_RETURN_IF_ERROR(CheckWritable(channel));
  sent.queued = true;
  sent.queued_because = "the relay hasn't shown it in the channel yet";
  return sent;
}

absl::Status Profile::Impl::RecordOverride(const ChannelRef& channel, const std::string& text,
                                           const std::string& reason,
                                           content::v1::Content& content) {
  const client::CaseContext context = LocalContext(channel.case_id);
  std::optional<ChannelRef> neutrals;
  MessageId record;
  {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, store_->Begin());
    PARLEY_ASSIGN_OR_RETURN(client::Firewall firewall,
                            client::Firewall::Create(step, context, channel.channel_id));
    PARLEY_RETURN_IF_ERROR(firewall.AllowOverride());
    PARLEY_RETURN_IF_ERROR(firewall.CheckText(step, text));
    if (!firewall.HasOverridden()) return absl::OkStatus();
    PARLEY_ASSIGN_OR_RETURN(const client::ChannelChoice choice,
                            client::ChannelChoice::Load(step, context));
    const std::optional<ChannelId> where = choice.Of(ChannelKind::kNeutrals);
    if (!where.has_value()) {
      return absl::FailedPreconditionError(
          "the reason can't be recorded: this device isn't in the neutrals' channel yet. Nothing "
          "was sent");
    }
    neutrals = ChannelRef{channel.case_id, *where};
    PARLEY_ASSIGN_OR_RETURN(const client::ChannelInfo to,
                            context.Channel(channel.channel_id).Info(step));
    const MessageId message = client::RandomId<MessageId>();
    content.set_message_id(client::ToField(message));
    PARLEY_ASSIGN_OR_RETURN(record, context.Channel(*where).Queue(
                                        step, OverrideRecord(to.state, message, reason, firewall,
                                                             content.case_position())));
    PARLEY_RETURN_IF_ERROR(step.Commit());
  }
  PARLEY_ASSIGN_OR_RETURN(const SentMessage recorded,
                          Deliver(*neutrals, record, /*may_stay_queued=*/false));
  if (recorded.position.has_value()) return absl::OkStatus();
  // Where it can't be taken back it is on its way, and says more than what happened.
  PARLEY_ASSIGN_OR_RETURN(Transaction step, store_->Begin());
  if (context.Channel(neutrals->channel_id).Unqueue(step, record).ok()) {
    PARLEY_RETURN_IF_ERROR(step.Commit());
  }
  return absl::UnavailableError(
      "the reason can't be put into the neutrals' channel now, and goes there first: " +
      recorded.queued_because + ". Nothing was sent; send it again later");
}

absl::StatusOr<SentMessage> Profile::Impl::Send(const ChannelRef& channel, std::string_view text,
                                                const SendOptions& options) {
  if (client::IsBlank(text)) {
    return absl::InvalidArgumentError("there is nothing to send: the text is " +
                                      std::string(text.empty() ? "empty" : "blank"));
  }
  if (text.size() > kMostTextBytes) {
    return absl::ResourceExhaustedError("the message has " + std::to_string(text.size()) +
                                        " bytes; at most " + std::to_string(kMostTextBytes) +
                                        " can be sent: share it as a file");
  }
  if (!client::IsUtf8(text)) {
    return absl::InvalidArgumentError("the text is not UTF-8; share it as a file instead");
  }
  PARLEY_RETURN_IF_ERROR(CheckReason(options.override_reason));
  PARLEY_RETURN_IF_ERROR(CheckWritable(channel));
  content::v1::Content content;
  content.mutable_text()->set_text(std::string(text));
  content.set_reserved(options.reserved);
  PARLEY_RETURN_IF_ERROR(SayUnderProcedure(channel, content));
  const client::CaseContext context = LocalContext(channel.case_id);
  if (options.quote.has_value()) {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(*content.mutable_quote(),
                            client::MakeQuote(read, context, channel.channel_id, *options.quote));
  }
  PARLEY_RETURN_IF_ERROR(client::Firewall::BringUpToDate(context));
  if (!options.override_reason.empty()) {
    PARLEY_RETURN_IF_ERROR(
        RecordOverride(channel, std::string(text), options.override_reason, content));
  }
  MessageId id;
  {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, store_->Begin());
    PARLEY_ASSIGN_OR_RETURN(client::Firewall firewall,
                            client::Firewall::Create(step, context, channel.channel_id));
    if (!content.message_id().empty()) PARLEY_RETURN_IF_ERROR(firewall.AllowOverride());
    PARLEY_RETURN_IF_ERROR(firewall.CheckText(step, text));
    PARLEY_ASSIGN_OR_RETURN(
        id, context.Channel(channel.channel_id).Queue(step, content, firewall.AllowedReaders()));
    PARLEY_RETURN_IF_ERROR(step.Commit());
  }
  return Deliver(channel, id, /*may_stay_queued=*/false);
}

}  // namespace parley

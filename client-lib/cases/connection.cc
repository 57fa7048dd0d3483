#include "client-lib/cases/connection.h"

#include "client-lib/cases/controls.h"
#include "client-lib/cases/membership.h"
#include "client-lib/cases/neutrals_log.h"
#include "client-lib/channels/channel_records.h"

namespace parley::client {
namespace {

// "case/<id>/offered": a token that a neutral has said, and the relay hasn't been asked about.
struct OfferedToken {
  Secret token;
  ParticipantId author;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.token, self.author);
  }
};

std::string OfferName(const CaseContext& context) {
  return "case/" + context.id.ToString() + "/offered";
}

absl::StatusOr<std::optional<OfferedToken>> LoadOffer(const ReadTransaction& step,
                                                      const CaseContext& context) {
  return GetRecord<OfferedToken>(step, RecordClass::kKeys, OfferName(context));
}

// Whether the relay takes a token. Issuing a voucher stores and reserves nothing there; this one is
// worth a byte, and is thrown away. It lasts long enough for a clock that is far behind.
absl::Status AskRelay(const CaseContext& context, const Secret& token) {
  constexpr uint64_t kSeconds = 28 * 24 * 60 * 60;
  return context.relay->IssueVouchers(token.Reveal(), 1, 1, context.now_seconds() + kSeconds)
      .status();
}

// The relay's word on the token, as opposed to silence or trouble there.
bool IsRefusal(const absl::Status& status) {
  return absl::IsUnauthenticated(status) || absl::IsInvalidArgument(status) ||
         absl::IsPermissionDenied(status) || absl::IsNotFound(status);
}

// Puts the token in the place of the earlier one, also where that was going to pay for a channel
// whose mailbox the relay hasn't made yet.
absl::Status PutToken(Transaction& step, const CaseContext& context, CaseRecord& record,
                      const Secret& token) {
  record.sponsor_token = token.Clone();
  PARLEY_ASSIGN_OR_RETURN(std::vector<CaseChannel> channels, ChannelsOf(step, context));
  for (const CaseChannel& channel : channels) {
    if (channel.info.mailbox_made) continue;
    const std::string name = ChannelNames(channel.id).Payment(channel.info.state.incarnation);
    PARLEY_ASSIGN_OR_RETURN(std::optional<PaymentRecord> payment,
                            LoadRecord<PaymentRecord>(step, RecordClass::kKeys, name));
    if (!payment.has_value()) continue;
    payment->kind = static_cast<uint8_t>(Credential::Kind::kSponsorToken);
    payment->bytes = token.Clone();
    PARLEY_RETURN_IF_ERROR(StoreRecord(step, RecordClass::kKeys, name, *payment));
  }
  return context.Records().PutCase(step, record);
}

absl::Status CheckChange(const CaseRecord& record, const ConnectionString& connection) {
  PARLEY_RETURN_IF_ERROR(RequireNeutral(record, "change what pays for the case"));
  if (connection.relay.identity_key == record.relay_identity) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the connection string is for another relay, with the fingerprint " +
      IdentityFingerprint(connection.relay.identity_key) + "; this case is at the one with " +
      IdentityFingerprint(record.relay_identity) + ", and can't move");
}

}  // namespace

absl::Status ChangeConnection(const CaseContext& context, const ConnectionString& connection) {
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, context.store->Read());
    PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(read));
    PARLEY_RETURN_IF_ERROR(CheckChange(record, connection));
  }
  const absl::Status taken = AskRelay(context, connection.sponsor_token);
  if (IsRefusal(taken)) {
    return absl::UnauthenticatedError(
        "the relay doesn't take this connection string: its operator has renewed or removed it "
        "since; ask for the present one");
  }
  PARLEY_RETURN_IF_ERROR(taken);
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
  PARLEY_RETURN_IF_ERROR(CheckChange(record, connection));
  PARLEY_ASSIGN_OR_RETURN(std::vector<CaseChannel> channels, ChannelsOf(step, context));
  const CaseChannel* neutrals = FindByKind(channels, ChannelKind::kNeutrals);
  if (neutrals == nullptr) {
    return absl::FailedPreconditionError(
        "you aren't in the neutrals' channel yet; sync, and try again when the mediator has been "
        "online");
  }
  PARLEY_RETURN_IF_ERROR(PutToken(step, context, record, connection.sponsor_token));
  PARLEY_RETURN_IF_ERROR(PostToken(step, context, neutrals->id, record));
  PARLEY_RETURN_IF_ERROR(step.Delete(RecordClass::kKeys, OfferName(context)));
  return step.Commit();
}

absl::Status KeepOffer(Transaction& step, const CaseContext& context, const Secret& token,
                       const ParticipantId& author) {
  return PutRecord(step, RecordClass::kKeys, OfferName(context),
                   OfferedToken{token.Clone(), author});
}

absl::StatusOr<bool> TakeOffer(const CaseContext& context) {
  std::optional<OfferedToken> offer;
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, context.store->Read());
    PARLEY_ASSIGN_OR_RETURN(offer, LoadOffer(read, context));
  }
  if (!offer.has_value()) return false;
  const absl::Status taken = AskRelay(context, offer->token);
  if (!taken.ok() && !IsRefusal(taken)) return taken;
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(const std::optional<OfferedToken> now, LoadOffer(step, context));
  // Another process has dealt with it, or something else was said meanwhile.
  if (!now.has_value() || !crypto::ConstantTimeEquals(now->token.Reveal(), offer->token.Reveal())) {
    return false;
  }
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
  if (taken.ok()) {
    PARLEY_RETURN_IF_ERROR(PutToken(step, context, record, offer->token));
  } else {
    PARLEY_ASSIGN_OR_RETURN(const std::optional<PersonRecord> author,
                            context.Records().Person(step, offer->author));
    record.Refuse((author.has_value() ? author->name : std::string("A neutral")) +
                  " gave the case a connection string that the relay doesn't take; the earlier one "
                  "is kept");
    PARLEY_RETURN_IF_ERROR(context.Records().PutCase(step, record));
  }
  PARLEY_RETURN_IF_ERROR(step.Delete(RecordClass::kKeys, OfferName(context)));
  PARLEY_RETURN_IF_ERROR(step.Commit());
  return taken.ok();
}

}  // namespace parley::client

#include "client-lib/relay/relay_client.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "client-lib/relay/grpc_relay_client.h"
#include "client-lib/relay/wire.h"
#include "crypto/base/status_macros.h"
#include "crypto/primitives/hash.h"

namespace parley::client {

absl::StatusOr<std::unique_ptr<RelayClient>> RelayClient::Connect(const ConnectionInfo& relay,
                                                                  RelayOptions options) {
  PARLEY_ASSIGN_OR_RETURN(std::unique_ptr<internal::RelayConnection> connection,
                          internal::RelayConnection::Open(relay, std::move(options)));
  return std::make_unique<internal::GrpcRelayClient>(std::move(connection));
}

namespace internal {
namespace {

using crypto::ByteView;

constexpr std::string_view kControlLabel{"parley mailbox control v1\0", 26};

template <typename Request>
void SetCredential(const Credential& credential, Request& request) {
  if (credential.kind == Credential::Kind::kSponsorToken) {
    request.set_sponsor_token(crypto::ToString(credential.bytes));
  } else {
    request.set_voucher(crypto::ToString(credential.bytes));
  }
}

SessionTarget Reading(const ObjectId& mailbox_id, uint64_t generation) {
  return {mailbox_id, generation, v1::RIGHT_READ};
}
SessionTarget Appending(const ObjectId& mailbox_id, uint64_t generation) {
  return {mailbox_id, generation, v1::RIGHT_APPEND};
}

// The generation in the details of an ABORTED append. Nullopt when there is none.
std::optional<uint64_t> StaleGenerationIn(const std::string& details) {
  v1::StaleGeneration stale;
  if (!stale.ParseFromString(details) || stale.current_generation() == 0) return std::nullopt;
  return stale.current_generation();
}

// What the details of a RESOURCE_EXHAUSTED answer say.
Shortage ShortageIn(const std::string& details) {
  v1::Exhausted exhausted;
  if (!exhausted.ParseFromString(details)) return Shortage::kOther;
  switch (exhausted.what()) {
    case v1::Exhausted::WHAT_ALLOWANCE:
      return Shortage::kAllowance;
    case v1::Exhausted::WHAT_MAILBOX:
      return Shortage::kMailbox;
    case v1::Exhausted::WHAT_QUOTA:
      return Shortage::kQuota;
    case v1::Exhausted::WHAT_VOUCHER:
      return Shortage::kVoucher;
    default:
      return Shortage::kOther;
  }
}

// A call that makes something: a shortage comes with its reason.
template <typename Request, typename Response>
absl::Status CallToCreate(RelayConnection& connection,
                          grpc::Status (v1::Relay::Stub::*method)(grpc::ClientContext*,
                                                                  const Request&, Response*),
                          const Request& request) {
  Response response;
  grpc::Status failure;
  absl::Status status = connection.Repeat(
      [&](v1::Relay::Stub& stub, grpc::ClientContext& context) {
        return (stub.*method)(&context, request, &response);
      },
      &failure);
  if (!absl::IsResourceExhausted(status)) return status;
  return ShortageError(ShortageIn(failure.error_details()), std::string(status.message()));
}

absl::Status CheckPayload(ByteView payload, bool closes) {
  if (payload.size() > kMaxEntryBytes) {
    return absl::InvalidArgumentError(
        "the message is too long: with its padding it has " + std::to_string(payload.size()) +
        " bytes, and " + std::to_string(kMaxEntryBytes) + " are allowed; share it as a document");
  }
  if (payload.empty() && !closes) return absl::InvalidArgumentError("an entry can't be empty");
  return absl::OkStatus();
}

struct ActCode {
  uint8_t number;
  uint64_t argument;
};
ActCode CodeOf(const ControlAct& act) {
  if (const Trim* trim = std::get_if<Trim>(&act)) return {1, trim->first_position};
  if (const Expire* expire = std::get_if<Expire>(&act)) return {2, expire->expires_at};
  return {3, 0};
}

}  // namespace

absl::Status GrpcRelayClient::CreateMailbox(const Credential& credential,
                                            const ObjectId& mailbox_id, const GenerationKeys& keys,
                                            const Allowance& allowance, uint64_t expires_at) {
  v1::CreateMailboxRequest request;
  SetCredential(credential, request);
  request.set_mailbox_id(crypto::ToString(mailbox_id));
  ToWire(keys, *request.mutable_keys());
  request.mutable_allowance()->set_entries(allowance.entries);
  request.mutable_allowance()->set_bytes(allowance.bytes);
  request.set_expires_at(expires_at);
  return CallToCreate(*connection_, &v1::Relay::Stub::CreateMailbox, request);
}

absl::StatusOr<AppendOutcome> GrpcRelayClient::Append(const ObjectId& mailbox_id,
                                                      uint64_t generation,
                                                      const crypto::SignatureKey& append_key,
                                                      const AppendId& append_id, ByteView payload,
                                                      const std::optional<Closing>& closing) {
  PARLEY_RETURN_IF_ERROR(CheckPayload(payload, closing.has_value()));
  v1::AppendRequest request;
  request.set_mailbox_id(crypto::ToString(mailbox_id));
  request.set_generation(generation);
  request.set_append_id(crypto::ToString(append_id));
  request.set_payload(payload.data(), payload.size());
  if (closing.has_value()) ToWire(*closing, *request.mutable_closing());

  const SessionTarget target = Appending(mailbox_id, generation);
  v1::AppendResponse response;
  grpc::Status failure;
  absl::Status status = sessions_.With(target, append_key, [&](const Session& session) {
    request.set_token(session.token);
    return connection_->Repeat(
        [&](v1::Relay::Stub& stub, grpc::ClientContext& context) {
          return stub.Append(&context, request, &response);
        },
        &failure);
  });
  if (absl::IsAborted(status)) {
    std::optional<uint64_t> current = StaleGenerationIn(failure.error_details());
    if (!current.has_value()) {
      PARLEY_ASSIGN_OR_RETURN(Session session, sessions_.GetNew(target, append_key));
      current = session.current_generation;
    }
    if (*current <= generation) {
      return FalseAnswer("generation " + std::to_string(generation) +
                         " is called closed, and the current one is said to be " +
                         std::to_string(*current));
    }
    return StaleGeneration{*current};
  }
  if (absl::IsResourceExhausted(status)) {
    return ShortageError(ShortageIn(failure.error_details()), std::string(status.message()));
  }
  PARLEY_RETURN_IF_ERROR(status);
  if (response.position() == 0) return FalseAnswer("an append has no position");
  return Appended{response.position()};
}

absl::StatusOr<ReadResult> GrpcRelayClient::Read(const ObjectId& mailbox_id, uint64_t generation,
                                                 const crypto::SignatureKey& read_key,
                                                 uint64_t from, uint32_t max_entries,
                                                 uint32_t max_bytes) {
  v1::ReadRequest request;
  request.set_mailbox_id(crypto::ToString(mailbox_id));
  request.set_from(from);
  request.set_max_entries(max_entries);
  request.set_max_bytes(max_bytes);
  v1::ReadResponse response;
  absl::Status status =
      sessions_.With(Reading(mailbox_id, generation), read_key, [&](const Session& session) {
        request.set_token(session.token);
        response.Clear();
        return connection_->Call(&v1::Relay::Stub::Read, request, response);
      });
  if (absl::IsOutOfRange(status)) {
    return FalseAnswer("its log ends before entry " + std::to_string(from) +
                       ", up to which it was read before");
  }
  PARLEY_RETURN_IF_ERROR(status);
  ReadResult result;
  result.generation_head = response.generation_head();
  result.closed = response.closed();
  result.first_position = response.first_position();
  if (result.generation_head == UINT64_MAX || result.first_position == UINT64_MAX) {
    return FalseAnswer("a position is beyond all that a log can have");
  }
  const uint64_t first = std::max(from, result.first_position);
  PARLEY_ASSIGN_OR_RETURN(result.entries, FromWire(*response.mutable_entries(), generation, first));
  const uint64_t next = first + result.entries.size();
  if (result.entries.empty() && first <= result.generation_head) {
    return FalseAnswer("there are entries up to " + std::to_string(result.generation_head) +
                       ", but entry " + std::to_string(first) + " doesn't come");
  }
  if (next > result.generation_head + 1 && !result.entries.empty()) {
    return FalseAnswer("entry " + std::to_string(next - 1) + " lies beyond the last one, " +
                       std::to_string(result.generation_head));
  }
  const bool ends = !result.entries.empty() && result.entries.back().closing.has_value();
  if (ends && (!result.closed || next != result.generation_head + 1)) {
    return FalseAnswer("a closing entry isn't the last of its generation");
  }
  const bool complete = !result.entries.empty() && next == result.generation_head + 1;
  if (complete && result.closed && !ends) {
    return FalseAnswer("a closed generation ends without its closing entry");
  }
  return result;
}

absl::StatusOr<uint64_t> GrpcRelayClient::CurrentGeneration(
    const ObjectId& mailbox_id, uint64_t generation, const crypto::SignatureKey& append_key) {
  PARLEY_ASSIGN_OR_RETURN(Session session,
                          sessions_.GetNew(Appending(mailbox_id, generation), append_key));
  if (session.current_generation < generation) {
    return FalseAnswer("generation " + std::to_string(generation) +
                       " is called current no longer, " +
                       std::to_string(session.current_generation) + " is");
  }
  return session.current_generation;
}

std::unique_ptr<Subscription> GrpcRelayClient::Subscribe() {
  return MakeSubscription(*connection_, sessions_);
}

absl::Status GrpcRelayClient::ControlMailbox(const ObjectId& mailbox_id, uint64_t generation,
                                             const crypto::SignatureKey& control_key,
                                             const ControlAct& act) {
  PARLEY_ASSIGN_OR_RETURN(std::string challenge, sessions_.NewChallenge());
  const ActCode code = CodeOf(act);
  v1::ControlMailboxRequest request;
  request.set_mailbox_id(crypto::ToString(mailbox_id));
  request.set_generation(generation);
  request.set_challenge(challenge);
  if (code.number == 1) request.mutable_trim()->set_first_position(code.argument);
  if (code.number == 2) request.mutable_expire()->set_expires_at(code.argument);
  if (code.number == 3) request.mutable_delete_();
  const crypto::Bytes signed_act = crypto::Concat(
      {crypto::ViewOf(kControlLabel), connection_->relay().identity_key,
       crypto::Sha256({crypto::ViewOf(challenge)}), mailbox_id, crypto::BigEndian64(generation),
       ByteView(&code.number, 1), crypto::BigEndian64(code.argument)});
  request.set_control_signature(crypto::ToString(control_key.Sign(signed_act)));
  v1::ControlMailboxResponse response;
  return connection_->Call(&v1::Relay::Stub::ControlMailbox, request, response);
}

absl::Status GrpcRelayClient::CreateBlob(const Credential& credential, const ObjectId& blob_id,
                                         const PublicKey& read_key, const PublicKey& write_key,
                                         uint64_t total_bytes, uint64_t expires_at) {
  v1::CreateBlobRequest request;
  SetCredential(credential, request);
  request.set_blob_id(crypto::ToString(blob_id));
  request.set_read_key(crypto::ToString(read_key));
  request.set_write_key(crypto::ToString(write_key));
  request.set_total_bytes(total_bytes);
  request.set_expires_at(expires_at);
  return CallToCreate(*connection_, &v1::Relay::Stub::CreateBlob, request);
}

absl::Status GrpcRelayClient::SealBlob(const ObjectId& blob_id,
                                       const crypto::SignatureKey& write_key, uint64_t chunks,
                                       uint64_t total_bytes) {
  v1::SealBlobRequest request;
  request.set_blob_id(crypto::ToString(blob_id));
  request.set_chunks(chunks);
  request.set_total_bytes(total_bytes);
  return sessions_.With({blob_id, 0, v1::RIGHT_WRITE}, write_key, [&](const Session& session) {
    request.set_token(session.token);
    v1::SealBlobResponse response;
    return connection_->Call(&v1::Relay::Stub::SealBlob, request, response);
  });
}

absl::StatusOr<BlobStat> GrpcRelayClient::StatBlob(const ObjectId& blob_id, BlobKey which,
                                                   const crypto::SignatureKey& key) {
  v1::StatBlobRequest request;
  request.set_blob_id(crypto::ToString(blob_id));
  v1::StatBlobResponse response;
  const v1::Right right = which == BlobKey::kRead ? v1::RIGHT_READ : v1::RIGHT_WRITE;
  PARLEY_RETURN_IF_ERROR(sessions_.With({blob_id, 0, right}, key, [&](const Session& session) {
    request.set_token(session.token);
    return connection_->Call(&v1::Relay::Stub::StatBlob, request, response);
  }));
  return BlobStat{response.chunks(), response.bytes(), response.sealed()};
}

absl::Status GrpcRelayClient::DeleteBlob(const ObjectId& blob_id,
                                         const crypto::SignatureKey& write_key) {
  v1::DeleteBlobRequest request;
  request.set_blob_id(crypto::ToString(blob_id));
  return sessions_.With({blob_id, 0, v1::RIGHT_WRITE}, write_key, [&](const Session& session) {
    request.set_token(session.token);
    v1::DeleteBlobResponse response;
    return connection_->Call(&v1::Relay::Stub::DeleteBlob, request, response);
  });
}

absl::StatusOr<std::vector<crypto::Bytes>> GrpcRelayClient::IssueVouchers(ByteView sponsor_token,
                                                                          uint32_t count,
                                                                          uint64_t max_bytes,
                                                                          uint64_t expires_at) {
  v1::IssueVouchersRequest request;
  request.set_sponsor_token(crypto::ToString(sponsor_token));
  request.set_count(count);
  request.set_max_bytes(max_bytes);
  request.set_expires_at(expires_at);
  v1::IssueVouchersResponse response;
  PARLEY_RETURN_IF_ERROR(connection_->Call(&v1::Relay::Stub::IssueVouchers, request, response));
  if (response.vouchers_size() != static_cast<int>(count)) {
    return FalseAnswer(std::to_string(response.vouchers_size()) + " vouchers came, not " +
                       std::to_string(count));
  }
  std::vector<crypto::Bytes> vouchers;
  for (const std::string& voucher : response.vouchers()) {
    vouchers.push_back(crypto::ToBytes(voucher));
  }
  return vouchers;
}

}  // namespace internal
}  // namespace parley::client

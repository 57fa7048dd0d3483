#include "client-lib/relay/relay_connection.h"

#include <algorithm>
#include <ctime>
#include <string_view>
#include <utility>
#include <vector>

#include "client-lib/relay/retry_hint.h"
#include "crypto/base/status_macros.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/signature.h"

namespace parley::client::internal {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr uint32_t kProtocolVersions[] = {1};
constexpr std::string_view kTlsKeyLabel{"parley relay tls key v1\0", 24};

// Machines' clocks may be wrong by so much, before the relay's TLS key seems out of date.
constexpr uint64_t kClockToleranceSeconds = 24 * 60 * 60;
// Between two attempts to have the TLS key certified anew.
constexpr uint64_t kCertificationPauseSeconds = 10 * 60;
// How long a call that comes too often is tried again.
constexpr milliseconds kPatience{60'000};
// A certification is worth storing when it lasts so much longer than the one that is stored.
constexpr uint64_t kWorthKeepingSeconds = 6 * 60 * 60;

std::string TimeText(uint64_t seconds) {
  const auto time = static_cast<time_t>(std::min<uint64_t>(seconds, UINT32_MAX));
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[32];
  return std::string(text, std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &parts));
}

absl::StatusCode CodeOf(grpc::StatusCode code) { return static_cast<absl::StatusCode>(code); }

// The system's reason ("Connection refused"), which gRPC hides at the end of a long line.
std::string ReasonIn(const std::string& message) {
  for (const char* known :
       {"Connection refused", "Connection reset", "No route to host", "Network is unreachable",
        "Domain name not found", "DNS resolution failed", "Socket closed"}) {
    if (message.find(known) != std::string::npos) return std::string(" (") + known + ")";
  }
  return "";
}

// Whether nobody listens there, as ReasonIn says it.
bool IsRefused(const absl::Status& status) {
  return std::string(status.message()).find(" (Connection refused)") != std::string::npos;
}

absl::StatusOr<uint32_t> CommonVersion(const v1::GetInfoResponse& info) {
  uint32_t best = 0;
  uint32_t newest = 0;
  for (uint32_t theirs : info.protocol_versions()) {
    newest = std::max(newest, theirs);
    for (uint32_t ours : kProtocolVersions) {
      if (theirs == ours) best = std::max(best, ours);
    }
  }
  if (best != 0) return best;
  const bool relay_is_older = newest < kProtocolVersions[0];
  return absl::FailedPreconditionError(
      relay_is_older ? "the relay is older than this program: its operator must update it"
                     : "this program is older than the relay: update it");
}

}  // namespace

milliseconds BackoffPause(int attempt) {
  const int64_t bound = std::min<int64_t>(10'000, int64_t{100} << std::min(attempt, 7));
  const auto random = crypto::RandomArray<2>();
  const int64_t part = (random[0] << 8) | random[1];
  return milliseconds(bound / 2 + bound * part / 2 / 65536);
}

// --- calls ---

int64_t ActiveCall::NowMs() {
  return std::chrono::duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

ActiveCall::ActiveCall(RelayConnection& connection, std::optional<milliseconds> stalls_after)
    : connection_(connection), stalls_after_(stalls_after), last_progress_ms_(NowMs()) {
  std::lock_guard lock(connection_.mutex_);
  connection_.calls_.insert(this);
  if (connection_.shut_down_) context_.TryCancel();
  if (stalls_after_.has_value() && !connection_.watchdog_.joinable()) {
    connection_.watchdog_ = std::thread([&connection] { connection.Watch(); });
  }
}

ActiveCall::~ActiveCall() {
  std::lock_guard lock(connection_.mutex_);
  connection_.calls_.erase(this);
}

void RelayConnection::Watch() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    changed_.wait_for(lock, milliseconds(500));
    const int64_t now = ActiveCall::NowMs();
    for (ActiveCall* call : calls_) {
      const int64_t last = call->last_progress_ms_.load(std::memory_order_relaxed);
      if (!call->stalls_after_.has_value() || last == INT64_MAX) continue;
      if (now - last > call->stalls_after_->count()) {
        call->stalled_ = true;
        call->context_.TryCancel();
      }
    }
  }
}

// --- opening ---

absl::StatusOr<std::unique_ptr<RelayConnection>> RelayConnection::Open(const ConnectionInfo& relay,
                                                                       RelayOptions options) {
  PARLEY_RETURN_IF_ERROR(CheckAddress(relay.address));
  std::unique_ptr<RelayConnection> connection(new RelayConnection(relay, std::move(options)));
  PARLEY_RETURN_IF_ERROR(connection->Start());
  return connection;
}

RelayConnection::~RelayConnection() {
  Shutdown();
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (watchdog_.joinable()) watchdog_.join();
}

absl::Status RelayConnection::Start() {
  const auto begun = steady_clock::now();
  for (int attempt = 0;; ++attempt) {
    if (options_.tls_key_cache.load) kept_ = options_.tls_key_cache.load();
    absl::Status status;
    v1::GetInfoResponse info;
    if (kept_.has_value() && IsOfNow(*kept_)) {
      // Repeat() checks the identity anew if the relay now has another key.
      PARLEY_RETURN_IF_ERROR(UseKey(*kept_));
      status = RepeatFor(milliseconds(0), [&](v1::Relay::Stub& stub, grpc::ClientContext& context) {
        return stub.GetInfo(&context, v1::GetInfoRequest(), &info);
      });
      if (status.ok()) {
        // The key is the one that was checked, and must still be vouched for.
        PARLEY_ASSIGN_OR_RETURN(const CertifiedTlsKey key, CheckCertification(info, key_.hash));
        PARLEY_RETURN_IF_ERROR(AcceptInfo(info));
        Keep(key);
        return UseKey(key);
      }
    } else {
      absl::StatusOr<CertifiedTlsKey> key = CheckIdentity(info);
      status = key.status();
      if (status.ok()) {
        PARLEY_RETURN_IF_ERROR(AcceptInfo(info));
        Keep(*key);
        return UseKey(*key);
      }
    }
    const milliseconds pause = WaitOf(status) + BackoffPause(attempt);
    const bool worth_it = absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
    const milliseconds retry_for = IsRefused(status)
                                       ? options_.retry_refused_for.value_or(options_.retry_for)
                                       : options_.retry_for;
    const bool too_late = steady_clock::now() + pause >= begun + retry_for;
    if (!worth_it || too_late || !Pause(pause)) return status;
  }
}

absl::StatusOr<CertifiedTlsKey> RelayConnection::CheckIdentity(v1::GetInfoResponse& info) {
  auto shown = std::make_shared<ShownKeys>();
  PARLEY_ASSIGN_OR_RETURN(std::shared_ptr<grpc::Channel> channel,
                          MakeTlsChannel(relay_.address, std::nullopt, shown));
  std::unique_ptr<v1::Relay::Stub> probe = v1::Relay::NewStub(channel);
  ActiveCall call(*this);
  call.context().set_deadline(std::chrono::system_clock::now() + options_.deadline);
  const grpc::Status status = probe->GetInfo(&call.context(), v1::GetInfoRequest(), &info);
  if (!status.ok()) return ToStatus(status);
  return CheckCertification(info, shown->latest());
}

absl::StatusOr<CertifiedTlsKey> RelayConnection::CheckCertification(
    const v1::GetInfoResponse& info, const std::optional<TlsKeyHash>& shown) const {
  const crypto::ByteView identity = crypto::ViewOf(info.identity_key());
  const std::string expected = IdentityFingerprint(relay_.identity_key);
  if (!crypto::PublicEquals(identity, relay_.identity_key)) {
    return absl::UnauthenticatedError("another relay answers at " + relay_.address +
                                      ": its fingerprint is " + IdentityFingerprint(identity) +
                                      " where " + expected +
                                      " is expected; ask the relay's operator, and use a new "
                                      "connection string if it has changed");
  }
  const crypto::Bytes certified =
      crypto::Concat({crypto::ViewOf(kTlsKeyLabel), crypto::ViewOf(info.tls_key_hash()),
                      crypto::BigEndian64(info.tls_key_not_before()),
                      crypto::BigEndian64(info.tls_key_not_after())});
  const bool proven = shown.has_value() &&
                      crypto::VerifySignature(relay_.identity_key, certified,
                                              crypto::ViewOf(info.tls_key_signature()))
                          .ok() &&
                      crypto::PublicEquals(*shown, crypto::ViewOf(info.tls_key_hash()));
  if (!proven) {
    return absl::UnauthenticatedError(
        "what answers at " + relay_.address + " claims the fingerprint " + expected +
        " but shows the TLS key " +
        (shown.has_value() ? crypto::ToHex(*shown) : std::string("(none)")) +
        ", which that relay has not signed: somebody may stand between; use another network");
  }
  const CertifiedTlsKey key{*shown, info.tls_key_not_before(), info.tls_key_not_after()};
  if (!IsOfNow(key)) {
    return absl::UnauthenticatedError(
        "what answers at " + relay_.address + " shows a TLS key that the relay has vouched for " +
        "from " + TimeText(key.not_before) + " to " + TimeText(key.not_after) +
        " only, and this machine's clock says " + TimeText(Now()) +
        ": set the clock if it is wrong; else somebody may use an old key, so use another network");
  }
  return key;
}

uint64_t RelayConnection::Now() const {
  if (options_.now_seconds) return options_.now_seconds();
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

bool RelayConnection::IsOfNow(const CertifiedTlsKey& key) const {
  const uint64_t now = Now();
  // The later times come from the other side: they are subtracted from, not added to.
  const bool begun = key.not_before <= now || key.not_before - now <= kClockToleranceSeconds;
  const bool over = key.not_after < now && now - key.not_after > kClockToleranceSeconds;
  return begun && !over;
}

void RelayConnection::Keep(const CertifiedTlsKey& key) {
  if (!options_.tls_key_cache.store) return;
  {
    std::lock_guard lock(mutex_);
    if (kept_.has_value() && kept_->hash == key.hash && key.not_after >= kept_->not_after &&
        key.not_after - kept_->not_after < kWorthKeepingSeconds) {
      return;
    }
    kept_ = key;
  }
  options_.tls_key_cache.store(key);
}

absl::Status RelayConnection::UseKey(const CertifiedTlsKey& key) {
  bool same = false;
  {
    std::lock_guard lock(mutex_);
    same = channel_ != nullptr && key_.hash == key.hash;
    key_ = key;
    const uint64_t middle = key.not_before / 2 + key.not_after / 2;
    certification_due_ = std::max(middle, Now() + kCertificationPauseSeconds);
  }
  if (same) return absl::OkStatus();
  auto shown = std::make_shared<ShownKeys>();
  PARLEY_ASSIGN_OR_RETURN(std::shared_ptr<grpc::Channel> channel,
                          MakeTlsChannel(relay_.address, key.hash, shown));
  std::lock_guard lock(mutex_);
  stub_ = v1::Relay::NewStub(channel);
  channel_ = std::move(channel);
  shown_ = std::move(shown);
  return absl::OkStatus();
}

absl::Status RelayConnection::AcceptInfo(const v1::GetInfoResponse& info) {
  PARLEY_ASSIGN_OR_RETURN(info_.protocol_version, CommonVersion(info));
  info_.protocol_versions.assign(info.protocol_versions().begin(), info.protocol_versions().end());
  info_.max_entry_bytes = info.max_entry_bytes();
  info_.max_chunk_bytes = info.max_chunk_bytes();
  info_.software = info.software();
  return absl::OkStatus();
}

absl::Status RelayConnection::RenewKey() {
  v1::GetInfoResponse info;
  PARLEY_ASSIGN_OR_RETURN(const CertifiedTlsKey key, CheckIdentity(info));
  PARLEY_RETURN_IF_ERROR(CommonVersion(info).status());
  Keep(key);
  return UseKey(key);
}

absl::Status RelayConnection::KeepCertified() {
  const uint64_t now = Now();
  const auto is_due = [&] {
    std::lock_guard lock(mutex_);
    return now >= certification_due_;
  };
  if (!is_due()) return absl::OkStatus();
  std::lock_guard renewal(renewal_mutex_);
  if (!is_due()) return absl::OkStatus();  // another thread was first
  absl::Status renewed = RenewKey();
  if (renewed.ok() || absl::IsUnauthenticated(renewed) || absl::IsFailedPrecondition(renewed)) {
    return renewed;
  }
  std::lock_guard lock(mutex_);
  if (!IsOfNow(key_)) return renewed;
  certification_due_ = now + kCertificationPauseSeconds;
  return absl::OkStatus();
}

// --- calling ---

std::shared_ptr<v1::Relay::Stub> RelayConnection::stub() const {
  std::lock_guard lock(mutex_);
  return stub_;
}

absl::Status RelayConnection::ToStatus(const grpc::Status& status) const {
  if (status.ok()) return absl::OkStatus();
  if (is_shut_down()) return absl::CancelledError("the connection was closed");
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      return absl::UnavailableError("the relay at " + relay_.address + " can't be reached" +
                                    ReasonIn(status.error_message()) +
                                    "; check the network, and whether the relay runs");
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return absl::DeadlineExceededError("the relay at " + relay_.address +
                                         " doesn't answer in time; try again later");
    case grpc::StatusCode::UNIMPLEMENTED:
      return absl::FailedPreconditionError("what answers at " + relay_.address +
                                           " is not a Parley relay, or a much older one");
    case grpc::StatusCode::RESOURCE_EXHAUSTED: {
      const std::optional<milliseconds> wait = WaitIn(status);
      if (wait.has_value()) {
        return TooOftenError(*wait, "the relay at " + relay_.address +
                                        " is asked for too much at once; try again later");
      }
      return absl::Status(CodeOf(status.error_code()), status.error_message());
    }
    default:
      return absl::Status(CodeOf(status.error_code()), status.error_message());
  }
}

absl::Status RelayConnection::EndOf(const ActiveCall& call, const grpc::Status& status) {
  if (call.stalled() && !is_shut_down()) {
    return absl::UnavailableError("the relay at " + relay_.address +
                                  " has stopped answering; check the network");
  }
  if (status.error_code() == grpc::StatusCode::CANCELLED && !call.cancelled() && !is_shut_down()) {
    return absl::UnavailableError("the relay at " + relay_.address +
                                  " needed the room that its answer took; try again");
  }
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
    std::lock_guard renewal(renewal_mutex_);
    std::shared_ptr<ShownKeys> shown;
    {
      std::lock_guard lock(mutex_);
      shown = shown_;
    }
    if (shown->TakeRefused()) {
      const absl::Status renewed = RenewKey();
      if (absl::IsUnauthenticated(renewed) || absl::IsFailedPrecondition(renewed)) return renewed;
    }
  }
  return ToStatus(status);
}

absl::Status RelayConnection::Repeat(
    const std::function<grpc::Status(v1::Relay::Stub&, grpc::ClientContext&)>& call,
    grpc::Status* failure) {
  return RepeatFor(options_.retry_for, call, failure);
}

absl::Status RelayConnection::RepeatFor(
    milliseconds retry_for,
    const std::function<grpc::Status(v1::Relay::Stub&, grpc::ClientContext&)>& call,
    grpc::Status* failure) {
  const auto begun = steady_clock::now();
  bool key_renewed = false;
  for (int attempt = 0;; ++attempt) {
    grpc::Status status;
    absl::Status result = KeepCertified();
    const std::shared_ptr<v1::Relay::Stub> used = stub();
    if (result.ok()) {
      ActiveCall active(*this);
      active.context().set_deadline(std::chrono::system_clock::now() + options_.deadline);
      status = call(*used, active.context());
      if (status.ok()) return absl::OkStatus();
      result = EndOf(active, status);
    }
    if (failure != nullptr) *failure = status;
    if (!absl::IsUnavailable(result) && !absl::IsDeadlineExceeded(result)) return result;
    if (stub() != used && !std::exchange(key_renewed, true)) continue;  // the key was renewed
    // A relay that asks to wait is there, and takes the call when it has its turn.
    const milliseconds wait = WaitOf(result);
    const milliseconds pause = wait + BackoffPause(attempt);
    const milliseconds patience = wait.count() != 0 ? std::max(retry_for, kPatience) : retry_for;
    if (steady_clock::now() + pause >= begun + patience) return result;
    if (!Pause(pause)) return absl::CancelledError("the connection was closed");
  }
}

// --- ending ---

void RelayConnection::Shutdown() {
  {
    std::lock_guard lock(mutex_);
    shut_down_ = true;
    for (ActiveCall* call : calls_) call->context_.TryCancel();
  }
  changed_.notify_all();
}

bool RelayConnection::is_shut_down() const {
  std::lock_guard lock(mutex_);
  return shut_down_;
}

bool RelayConnection::Pause(milliseconds time) {
  constexpr milliseconds kSlice{50};
  const auto until = steady_clock::now() + time;
  std::unique_lock lock(mutex_);
  const std::shared_ptr<grpc::Channel> channel = channel_;
  if (channel == nullptr || channel->GetState(true) == GRPC_CHANNEL_READY) {
    return !changed_.wait_until(lock, until, [this] { return shut_down_; });
  }
  while (!shut_down_ && steady_clock::now() < until) {
    lock.unlock();
    if (channel->WaitForConnected(std::chrono::system_clock::now() + kSlice)) return true;
    lock.lock();
  }
  return !shut_down_;
}

}  // namespace parley::client::internal

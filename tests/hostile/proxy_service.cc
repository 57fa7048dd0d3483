#include "tests/hostile/proxy_service.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <utility>
#include <variant>

#include "crypto/base/bytes.h"

namespace parley::hostile {
namespace {

using relay::v1::AppendRequest;
using relay::v1::AppendResponse;
using relay::v1::ReadRequest;
using relay::v1::ReadResponse;

// Sessions of generations that the true relay doesn't know.
constexpr char kShadowToken[] = "shadow ";

constexpr std::array<std::string_view, 8> kCallRules = {"lose-request",   "lose-answer", "swallow",
                                                        "wrong-position", "duplicate",   "refuse",
                                                        "withhold",       "break-upload"};

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
}

// As google.rpc.Status: field 1 the code, 2 the message, 3 an Any that holds a StaleGeneration.
grpc::Status StaleStatus(uint64_t current_generation) {
  const std::string message =
      "the generation is closed; the current one is " + std::to_string(current_generation);
  relay::v1::StaleGeneration stale;
  stale.set_current_generation(current_generation);
  const auto field = [](int number, const std::string& bytes) {
    return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} + bytes;
  };
  const std::string any =
      field(1, "type.googleapis.com/" + stale.GetTypeName()) + field(2, stale.SerializeAsString());
  const std::string details = std::string{'\x08', static_cast<char>(grpc::StatusCode::ABORTED)} +
                              field(2, message) + field(3, any);
  return {grpc::StatusCode::ABORTED, message, details};
}

}  // namespace

bool ProxyService::IsCallRule(std::string_view kind) {
  return std::find(kCallRules.begin(), kCallRules.end(), kind) != kCallRules.end();
}

void ProxyService::Fork(const std::string& mailbox_id, uint64_t from, uint64_t generation) {
  const std::lock_guard lock(mutex_);
  shadows_[mailbox_id] = std::make_shared<ShadowLog>(from, generation);
}

void ProxyService::Forget() {
  rules_.Clear();
  book_.Clear();
  const std::lock_guard lock(mutex_);
  token_generations_.clear();
  shadows_.clear();
  appends_.clear();
  attempts_.clear();
  blobs_.clear();
}

std::vector<NotedAppend> ProxyService::TakeAppends() {
  const std::lock_guard lock(mutex_);
  return std::exchange(appends_, {});
}

std::vector<NotedAttempt> ProxyService::TakeAttempts() {
  const std::lock_guard lock(mutex_);
  return std::exchange(attempts_, {});
}

std::vector<std::string> ProxyService::TakeBlobs() {
  const std::lock_guard lock(mutex_);
  return std::exchange(blobs_, {});
}

std::shared_ptr<ShadowLog> ProxyService::ShadowOf(const std::string& mailbox_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = shadows_.find(mailbox_id);
  return found == shadows_.end() ? nullptr : found->second;
}

uint64_t ProxyService::GenerationOf(const std::string& token) const {
  const std::lock_guard lock(mutex_);
  const auto found = token_generations_.find(token);
  return found == token_generations_.end() ? 0 : found->second;
}

void ProxyService::NoteAppend(const AppendRequest& request, uint64_t position) {
  const std::lock_guard lock(mutex_);
  appends_.push_back({request.mailbox_id(), position, request.generation(), request.has_closing()});
}

// ---- Mailboxes ----------------------------------------------------------------------------------

grpc::Status ProxyService::OpenSession(Context*, const relay::v1::OpenSessionRequest* request,
                                       relay::v1::OpenSessionResponse* response) {
  const std::shared_ptr<ShadowLog> shadow = ShadowOf(request->object_id());
  if (shadow != nullptr && request->generation() > shadow->fork_generation()) {
    response->set_token(kShadowToken + std::to_string(request->generation()) + " " +
                        std::to_string(request->right()));
    response->set_expires_at(static_cast<uint64_t>(std::time(nullptr)) + 600);
  } else {
    grpc::ClientContext context;
    SetDeadline(context);
    const grpc::Status status = relay_->OpenSession(&context, *request, response);
    if (!status.ok()) return status;
  }
  if (shadow != nullptr) response->set_current_generation(shadow->generation());
  const std::lock_guard lock(mutex_);
  token_generations_[response->token()] = request->generation();
  return grpc::Status::OK;
}

grpc::Status ProxyService::Append(Context*, const AppendRequest* request,
                                  AppendResponse* response) {
  const grpc::Status status = AppendAsTold(*request, *response);
  const std::lock_guard lock(mutex_);
  attempts_.push_back({*request, status.ok() ? response->position() : 0, status.error_code()});
  return status;
}

grpc::Status ProxyService::AppendAsTold(const AppendRequest& request, AppendResponse& response) {
  const std::string& mailbox = request.mailbox_id();
  if (rules_.Take("refuse", "mailbox", mailbox)) {
    return {grpc::StatusCode::PERMISSION_DENIED, "not here"};
  }
  if (rules_.Take("lose-request", "mailbox", mailbox)) {
    return {grpc::StatusCode::UNAVAILABLE, "the connection broke"};
  }
  if (const auto shadow = ShadowOf(mailbox)) return AppendToShadow(*shadow, request, response);
  if (const auto rule = rules_.Take("swallow", "mailbox", mailbox)) {
    response.set_position(rule->Number("position", 1));
    NoteAppend(request, response.position());
    return grpc::Status::OK;
  }
  grpc::ClientContext context;
  SetDeadline(context);
  grpc::Status status = relay_->Append(&context, request, &response);
  if (!status.ok()) return status;
  if (rules_.Take("duplicate", "mailbox", mailbox)) {
    grpc::ClientContext again;
    SetDeadline(again);
    status = relay_->Append(&again, request, &response);
    if (!status.ok()) return status;
  }
  relay::v1::Entry entry;
  entry.set_position(response.position());
  entry.set_generation(request.generation());
  entry.set_append_id(request.append_id());
  entry.set_payload(request.payload());
  if (request.has_closing()) *entry.mutable_closing() = request.closing();
  book_.Note(mailbox, entry);
  for (const auto& rule : rules_.For("mailbox", mailbox)) {
    const uint64_t place = rule->Number("position", 0);
    if (rule->kind() == "hide" && response.position() > place) {
      response.set_position(response.position() - 1);
    } else if (rule->kind() == "replay" && response.position() >= place) {
      response.set_position(response.position() + 1);
    }
  }
  NoteAppend(request, response.position());
  if (rules_.Take("wrong-position", "mailbox", mailbox)) {
    response.set_position(response.position() + 1);
  }
  if (rules_.Take("lose-answer", "mailbox", mailbox)) {
    return {grpc::StatusCode::UNAVAILABLE, "the connection broke"};
  }
  return grpc::Status::OK;
}

grpc::Status ProxyService::AppendToShadow(ShadowLog& shadow, const AppendRequest& request,
                                          AppendResponse& response) {
  const auto before = book_.FindAppend(request.mailbox_id(), request.append_id());
  if (before && before->position() < shadow.from()) {
    response.set_position(before->position());
    return grpc::Status::OK;
  }
  const auto outcome = shadow.Append(request);
  if (const auto* stale = std::get_if<ShadowLog::Stale>(&outcome)) {
    return StaleStatus(stale->current_generation);
  }
  response.set_position(std::get<uint64_t>(outcome));
  NoteAppend(request, response.position());
  return grpc::Status::OK;
}

grpc::Status ProxyService::TrueRead(const ReadRequest& request, ReadResponse& response) {
  grpc::ClientContext context;
  SetDeadline(context);
  const grpc::Status status = relay_->Read(&context, request, &response);
  if (!status.ok()) return status;
  for (const auto& entry : response.entries()) book_.Note(request.mailbox_id(), entry);
  return status;
}

grpc::Status ProxyService::ReadPage(const ReadRequest& request, ReadResponse& response) {
  const std::string& mailbox = request.mailbox_id();
  if (rules_.Take("withhold", "mailbox", mailbox)) {
    return {grpc::StatusCode::UNAVAILABLE, "not now"};
  }
  if (const auto shadow = ShadowOf(mailbox)) {
    const uint64_t generation = GenerationOf(request.token());
    if (generation <= shadow->fork_generation()) {
      const grpc::Status status = TrueRead(request, response);
      // Past the true generation's end there is this log only.
      if (!status.ok() && status.error_code() != grpc::StatusCode::OUT_OF_RANGE) return status;
    }
    shadow->Complete(generation, request.from(), response);
    return grpc::Status::OK;
  }
  ReadRequest asked = request;
  const auto rules = rules_.For("mailbox", mailbox);
  for (const auto& rule : rules) {
    const LogMutator* mutator = FindLogMutator(rule->kind());
    if (mutator != nullptr && mutator->asked != nullptr) {
      asked.set_from(mutator->asked(*rule, asked.from()));
    }
  }
  const grpc::Status status = TrueRead(asked, response);
  if (!status.ok()) return status;
  Page page{.mailbox_id = mailbox, .from = request.from(), .response = std::move(response)};
  for (const auto& rule : rules) {
    const LogMutator* mutator = FindLogMutator(rule->kind());
    if (mutator != nullptr && mutator->shown(*rule, book_, page)) rule->Hit();
  }
  response = std::move(page.response);
  return grpc::Status::OK;
}

grpc::Status ProxyService::Read(Context*, const ReadRequest* request, ReadResponse* response) {
  return ReadPage(*request, *response);
}

// ---- Passed on as they are ----------------------------------------------------------------------

#define PARLEY_PASS_ON(Method)                                                           \
  grpc::Status ProxyService::Method(Context*, const relay::v1::Method##Request* request, \
                                    relay::v1::Method##Response* response) {             \
    grpc::ClientContext context;                                                         \
    SetDeadline(context);                                                                \
    return relay_->Method(&context, *request, response);                                 \
  }

PARLEY_PASS_ON(GetInfo)
PARLEY_PASS_ON(GetChallenge)
PARLEY_PASS_ON(CreateMailbox)
PARLEY_PASS_ON(ControlMailbox)
PARLEY_PASS_ON(SealBlob)
PARLEY_PASS_ON(StatBlob)
PARLEY_PASS_ON(DeleteBlob)
PARLEY_PASS_ON(IssueVouchers)

grpc::Status ProxyService::CreateBlob(Context*, const relay::v1::CreateBlobRequest* request,
                                      relay::v1::CreateBlobResponse* response) {
  grpc::ClientContext context;
  SetDeadline(context);
  const grpc::Status status = relay_->CreateBlob(&context, *request, response);
  const std::lock_guard lock(mutex_);
  if (status.ok()) blobs_.push_back(request->blob_id());
  return status;
}

}  // namespace parley::hostile

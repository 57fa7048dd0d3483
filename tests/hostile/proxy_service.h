// The hostile relay's service: passes every call on to the true relay, and lies as its rules say.
//
// It stands in the operator's place, with the operator's TLS key: clients can't tell it from the
// true relay by its keys, only by what it does.
//
// Kinds of rules beside those of the tables:
//   lose-request    Append: UNAVAILABLE, and nothing is appended
//   lose-answer     Append: appended, but the client is told UNAVAILABLE
//   swallow         Append: acknowledged, but not appended
//   wrong-position  Append: acknowledged with a position that is one too high
//   duplicate       Append: handed to the true relay twice
//   refuse          Append: refused with PERMISSION_DENIED
//   withhold        Read and Subscribe: UNAVAILABLE
//   break-upload    UploadBlob: the stream ends at a chunk
#ifndef PARLEY_TESTS_HOSTILE_PROXY_SERVICE_H_
#define PARLEY_TESTS_HOSTILE_PROXY_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "parley/relay/v1/relay.grpc.pb.h"
#include "tests/hostile/blob_mutators.h"
#include "tests/hostile/log_mutators.h"
#include "tests/hostile/rules.h"
#include "tests/hostile/shadow_log.h"

namespace parley::hostile {

// One acknowledged append, for the test to know which mailbox and position it was.
struct NotedAppend {
  std::string mailbox_id;
  uint64_t position = 0;
  uint64_t generation = 0;
  bool closing = false;
};

// One append that a client tried, refused or not.
struct NotedAttempt {
  relay::v1::AppendRequest request;
  uint64_t position = 0;  // 0: the client was told of no success
  grpc::StatusCode code = grpc::StatusCode::OK;
};

class ProxyService final : public relay::v1::Relay::Service {
 public:
  explicit ProxyService(const std::shared_ptr<grpc::Channel>& true_relay)
      : relay_(relay::v1::Relay::NewStub(true_relay)) {}

  // Whether there is such a kind of rule about calls.
  static bool IsCallRule(std::string_view kind);

  Rules& rules() { return rules_; }
  // From now on this mailbox has two logs; see ShadowLog.
  void Fork(const std::string& mailbox_id, uint64_t from, uint64_t generation);
  // Forgets everything, rules and other logs included; for a test that sets the true relay back.
  void Forget();
  // The appends that were acknowledged since the last call.
  std::vector<NotedAppend> TakeAppends();
  // All that clients tried to append since the last call.
  std::vector<NotedAttempt> TakeAttempts();
  // Ids of blobs that were made since the last call.
  std::vector<std::string> TakeBlobs();
  // Ends streams, so that the server can shut down.
  void Stop() { stopping_ = true; }

  using Context = grpc::ServerContext;
  template <typename Reader, typename Writer>
  using Stream = grpc::ServerReaderWriter<Writer, Reader>;

  grpc::Status GetInfo(Context* context, const relay::v1::GetInfoRequest* request,
                       relay::v1::GetInfoResponse* response) override;
  grpc::Status GetChallenge(Context* context, const relay::v1::GetChallengeRequest* request,
                            relay::v1::GetChallengeResponse* response) override;
  grpc::Status OpenSession(Context* context, const relay::v1::OpenSessionRequest* request,
                           relay::v1::OpenSessionResponse* response) override;
  grpc::Status CreateMailbox(Context* context, const relay::v1::CreateMailboxRequest* request,
                             relay::v1::CreateMailboxResponse* response) override;
  grpc::Status Append(Context* context, const relay::v1::AppendRequest* request,
                      relay::v1::AppendResponse* response) override;
  grpc::Status Read(Context* context, const relay::v1::ReadRequest* request,
                    relay::v1::ReadResponse* response) override;
  grpc::Status Subscribe(
      Context* context,
      Stream<relay::v1::SubscribeRequest, relay::v1::SubscribeEvent>* stream) override;
  grpc::Status ControlMailbox(Context* context, const relay::v1::ControlMailboxRequest* request,
                              relay::v1::ControlMailboxResponse* response) override;
  grpc::Status CreateBlob(Context* context, const relay::v1::CreateBlobRequest* request,
                          relay::v1::CreateBlobResponse* response) override;
  grpc::Status UploadBlob(
      Context* context,
      Stream<relay::v1::UploadBlobRequest, relay::v1::UploadBlobResponse>* stream) override;
  grpc::Status SealBlob(Context* context, const relay::v1::SealBlobRequest* request,
                        relay::v1::SealBlobResponse* response) override;
  grpc::Status StatBlob(Context* context, const relay::v1::StatBlobRequest* request,
                        relay::v1::StatBlobResponse* response) override;
  grpc::Status DownloadBlob(Context* context, const relay::v1::DownloadBlobRequest* request,
                            grpc::ServerWriter<relay::v1::DownloadBlobResponse>* writer) override;
  grpc::Status DeleteBlob(Context* context, const relay::v1::DeleteBlobRequest* request,
                          relay::v1::DeleteBlobResponse* response) override;
  grpc::Status IssueVouchers(Context* context, const relay::v1::IssueVouchersRequest* request,
                             relay::v1::IssueVouchersResponse* response) override;

 private:
  // What a reader is shown; Subscribe is made of the same pages.
  grpc::Status ReadPage(const relay::v1::ReadRequest& request, relay::v1::ReadResponse& response);
  grpc::Status TrueRead(const relay::v1::ReadRequest& request, relay::v1::ReadResponse& response);
  grpc::Status AppendAsTold(const relay::v1::AppendRequest& request,
                            relay::v1::AppendResponse& response);
  grpc::Status AppendToShadow(ShadowLog& shadow, const relay::v1::AppendRequest& request,
                              relay::v1::AppendResponse& response);
  std::shared_ptr<ShadowLog> ShadowOf(const std::string& mailbox_id) const;
  // The generation that a session token is for; 0 when it isn't known.
  uint64_t GenerationOf(const std::string& token) const;
  void NoteAppend(const relay::v1::AppendRequest& request, uint64_t position);

  std::unique_ptr<relay::v1::Relay::Stub> relay_;
  Rules rules_;
  LogBook book_;
  ChunkBook chunks_;
  std::atomic<bool> stopping_{false};

  mutable std::mutex mutex_;
  std::map<std::string, uint64_t> token_generations_;
  std::map<std::string, std::shared_ptr<ShadowLog>> shadows_;
  std::vector<NotedAppend> appends_;
  std::vector<NotedAttempt> attempts_;
  std::vector<std::string> blobs_;
};

}  // namespace parley::hostile

#endif  // PARLEY_TESTS_HOSTILE_PROXY_SERVICE_H_

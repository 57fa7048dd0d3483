// RelayClient over gRPC.
#ifndef PARLEY_CLIENT_LIB_RELAY_GRPC_RELAY_CLIENT_H_
#define PARLEY_CLIENT_LIB_RELAY_GRPC_RELAY_CLIENT_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client-lib/relay/relay_client.h"
#include "client-lib/relay/relay_connection.h"
#include "client-lib/relay/sessions.h"

namespace parley::client::internal {

class GrpcRelayClient final : public RelayClient {
 public:
  explicit GrpcRelayClient(std::unique_ptr<RelayConnection> connection)
      : connection_(std::move(connection)), sessions_(*connection_) {}

  const ConnectionInfo& connection() const override { return connection_->relay(); }
  const RelayInfo& info() const override { return connection_->info(); }
  void Shutdown() override { connection_->Shutdown(); }

  absl::Status CreateMailbox(const Credential& credential, const ObjectId& mailbox_id,
                             const GenerationKeys& keys, const Allowance& allowance,
                             uint64_t expires_at) override;
  absl::StatusOr<AppendOutcome> Append(const ObjectId& mailbox_id, uint64_t generation,
                                       const crypto::SignatureKey& append_key,
                                       const AppendId& append_id, crypto::ByteView payload,
                                       const std::optional<Closing>& closing) override;
  absl::StatusOr<ReadResult> Read(const ObjectId& mailbox_id, uint64_t generation,
                                  const crypto::SignatureKey& read_key, uint64_t from,
                                  uint32_t max_entries, uint32_t max_bytes) override;
  absl::StatusOr<uint64_t> CurrentGeneration(const ObjectId& mailbox_id, uint64_t generation,
                                             const crypto::SignatureKey& append_key) override;
  std::unique_ptr<Subscription> Subscribe() override;
  absl::Status ControlMailbox(const ObjectId& mailbox_id, uint64_t generation,
                              const crypto::SignatureKey& control_key,
                              const ControlAct& act) override;

  absl::Status CreateBlob(const Credential& credential, const ObjectId& blob_id,
                          const PublicKey& read_key, const PublicKey& write_key,
                          uint64_t total_bytes, uint64_t expires_at) override;
  absl::StatusOr<std::unique_ptr<BlobUpload>> UploadBlob(const ObjectId& blob_id,
                                                         const crypto::SignatureKey& write_key,
                                                         uint64_t first_chunk,
                                                         uint64_t stored_chunks,
                                                         uint64_t window) override;
  absl::Status SealBlob(const ObjectId& blob_id, const crypto::SignatureKey& write_key,
                        uint64_t chunks, uint64_t total_bytes) override;
  absl::StatusOr<BlobStat> StatBlob(const ObjectId& blob_id, BlobKey which,
                                    const crypto::SignatureKey& key) override;
  absl::Status DownloadBlob(
      const ObjectId& blob_id, const crypto::SignatureKey& read_key, uint64_t first_chunk,
      uint64_t count, const std::function<absl::Status(uint64_t, std::string&)>& receive) override;
  absl::Status DeleteBlob(const ObjectId& blob_id, const crypto::SignatureKey& write_key) override;

  absl::StatusOr<std::vector<crypto::Bytes>> IssueVouchers(crypto::ByteView sponsor_token,
                                                           uint32_t count, uint64_t max_bytes,
                                                           uint64_t expires_at) override;

 private:
  std::unique_ptr<RelayConnection> connection_;
  Sessions sessions_;
};

// How long a transfer may stand still before it counts as broken.
inline constexpr std::chrono::seconds kStallLimit{60};

// subscription.cc
std::unique_ptr<Subscription> MakeSubscription(RelayConnection& connection, Sessions& sessions);

}  // namespace parley::client::internal

#endif  // PARLEY_CLIENT_LIB_RELAY_GRPC_RELAY_CLIENT_H_

#include "server/grpc/download_stream.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/slice.h>

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "crypto/base/status_macros.h"
#include "parley/relay/v1/relay.pb.h"
#include "server/core/request_fields.h"
#include "server/grpc/admission.h"
#include "server/grpc/counted_call.h"
#include "server/grpc/status_mapping.h"

namespace parley::server {
namespace {

namespace v1 = relay::v1;

absl::StatusOr<v1::DownloadBlobRequest> ParseRequest(const grpc::ByteBuffer& bytes,
                                                     const Limits& limits) {
  PARLEY_RETURN_IF_ERROR(CheckRequestSize(bytes.Length(), limits));
  grpc::ByteBuffer copy = bytes;  // of the references; parsing uses it up
  v1::DownloadBlobRequest request;
  const grpc::Status parsed =
      grpc::SerializationTraits<v1::DownloadBlobRequest>::Deserialize(&copy, &request);
  if (!parsed.ok()) return absl::InvalidArgumentError("the request is no DownloadBlobRequest");
  return request;
}

// A DownloadBlobResponse around the chunk, which stays where it is.
grpc::ByteBuffer ResponseOf(uint64_t index, storage::PinnedValue chunk) {
  using google::protobuf::internal::WireFormatLite;
  std::string head;
  {
    google::protobuf::io::StringOutputStream stream(&head);
    google::protobuf::io::CodedOutputStream out(&stream);
    out.WriteTag(WireFormatLite::MakeTag(v1::DownloadBlobResponse::kIndexFieldNumber,
                                         WireFormatLite::WIRETYPE_VARINT));
    out.WriteVarint64(index);
    out.WriteTag(WireFormatLite::MakeTag(v1::DownloadBlobResponse::kDataFieldNumber,
                                         WireFormatLite::WIRETYPE_LENGTH_DELIMITED));
    out.WriteVarint32(static_cast<uint32_t>(chunk.bytes.size()));
  }
  using Owner = std::shared_ptr<const void>;
  const std::array<grpc::Slice, 2> slices = {
      grpc::Slice(head), grpc::Slice(
                             const_cast<char*>(chunk.bytes.data()), chunk.bytes.size(),
                             [](void* owner) { delete static_cast<Owner*>(owner); },
                             new Owner(std::move(chunk.owner)))};
  return grpc::ByteBuffer(slices.data(), slices.size());
}

// While one chunk is on its way to the client, the next is read from the store.
class DownloadStream final : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                             public EndableStream,
                             public std::enable_shared_from_this<DownloadStream> {
 public:
  DownloadStream(Relay& relay, OpenStreams& streams, UnreadAnswers& unread,
                 grpc::CallbackServerContext& context)
      : relay_(relay), streams_(streams), call_(unread, context) {}

  // Takes ownership of itself until OnDone.
  void Begin(const grpc::CallbackServerContext& context, const grpc::ByteBuffer& request_bytes) {
    self_ = shared_from_this();
    const absl::Status opened = Open(context, request_bytes);
    if (!opened.ok()) {
      End(opened);
      return;
    }
    streams_.Add(self_, relay_.limits().max_open_streams);
    ReadNext();
    SendNext();
  }

  void End(const grpc::Status& status) override {
    std::lock_guard lock(mutex_);
    told_to_end_ = status;  // whoever sends next sees it
  }

  void OnWriteDone(bool ok) override {
    call_.Sent();
    {
      std::lock_guard lock(mutex_);
      is_written_ = true;
      failed_ = !ok;
      if (!has_next_) return;  // whoever reads it goes on
    }
    SendNext();
  }

  void OnDone() override {
    streams_.Remove(this);
    call_.Close();
    self_.reset();
  }

 private:
  void End(const absl::Status& status) {
    relay_.metrics().Ended(Call::kDownloadBlob, OutcomeOf(status));
    Finish(ToGrpcStatus(status));
  }
  // Whether it was told to end.
  bool EndAsTold() {
    std::optional<grpc::Status> told;
    {
      std::lock_guard lock(mutex_);
      told = told_to_end_;
    }
    if (!told.has_value()) return false;
    // The two enumerations of codes have the same values.
    relay_.metrics().Ended(
        Call::kDownloadBlob,
        OutcomeOf(absl::Status(static_cast<absl::StatusCode>(told->error_code()), "")));
    Finish(*told);
    return true;
  }

  absl::Status Open(const grpc::CallbackServerContext& context,
                    const grpc::ByteBuffer& request_bytes) {
    PARLEY_ASSIGN_OR_RETURN(v1::DownloadBlobRequest request,
                            ParseRequest(request_bytes, relay_.limits()));
    PARLEY_RETURN_IF_ERROR(Admit(relay_, context, request.token()));
    PARLEY_ASSIGN_OR_RETURN(range_, relay_.blobs().OpenRange(request));
    return absl::OkStatus();
  }

  // Sends what was read, and reads what follows meanwhile. One thread at a time is here: the one
  // that finds the write done and the next chunk read.
  void SendNext() {
    while (true) {
      if (failed_) return End(absl::CancelledError());
      if (EndAsTold()) return;
      if (!next_.ok()) return End(next_.status());
      if (!next_->has_value()) return End(absl::OkStatus());
      relay_.metrics().of(Call::kDownloadBlob).bytes.Add((*next_)->bytes.size());
      response_ = ResponseOf(range_.first - 1, **std::move(next_));
      call_.Sending(2 * response_.Length());  // and the next chunk
      {
        std::lock_guard lock(mutex_);
        is_written_ = false;
        has_next_ = false;
      }
      StartWrite(&response_);
      ReadNext();
      std::lock_guard lock(mutex_);
      has_next_ = true;
      if (!is_written_) return;  // OnWriteDone goes on
    }
  }

  // Into next_: nothing at the end.
  void ReadNext() {
    if (range_.first == range_.end) {
      next_ = std::optional<storage::PinnedValue>();
      return;
    }
    absl::StatusOr<storage::PinnedValue> chunk =
        relay_.blobs().ReadChunk(range_.blob, range_.first++);
    if (chunk.ok()) {
      next_ = std::optional<storage::PinnedValue>(*std::move(chunk));
    } else {
      next_ = chunk.status();
    }
  }

  Relay& relay_;
  OpenStreams& streams_;
  std::shared_ptr<DownloadStream> self_;
  CountedCall call_;
  Blobs::Range range_;
  grpc::ByteBuffer response_;
  absl::StatusOr<std::optional<storage::PinnedValue>> next_;

  std::mutex mutex_;
  bool is_written_ = true;
  bool has_next_ = false;
  bool failed_ = false;
  std::optional<grpc::Status> told_to_end_;
};

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* NewDownloadStream(Relay& relay, OpenStreams& streams,
                                                              UnreadAnswers& unread,
                                                              grpc::CallbackServerContext& context,
                                                              const grpc::ByteBuffer& request) {
  auto stream = std::make_shared<DownloadStream>(relay, streams, unread, context);
  stream->Begin(context, request);
  return stream.get();
}

}  // namespace parley::server

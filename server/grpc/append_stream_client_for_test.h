// For tests: a stream of appends as a client sees it.
#ifndef PARLEY_SERVER_GRPC_APPEND_STREAM_CLIENT_FOR_TEST_H_
#define PARLEY_SERVER_GRPC_APPEND_STREAM_CLIENT_FOR_TEST_H_

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>

#include "parley/relay/v1/relay.grpc.pb.h"

namespace parley::server {

namespace v1 = relay::v1;

// One stream: sent without waiting, answered by number.
class Appends {
 public:
  using Result = v1::AppendStreamResponse::Result;

  explicit Appends(v1::Relay::Stub& stub) : stream_(stub.AppendStream(&context_)) {}

  bool Send(uint64_t number, const v1::AppendRequest& append) {
    v1::AppendStreamRequest request;
    request.set_number(number);
    *request.mutable_append() = append;
    return stream_->Write(request);
  }
  bool SendEmpty() { return stream_->Write(v1::AppendStreamRequest()); }

  // The next answer; a result without an outcome when the stream has ended.
  Result Next() {
    while (next_ == batch_.results_size()) {
      next_ = 0;
      batch_.Clear();
      if (!stream_->Read(&batch_)) return Result();
      EXPECT_GT(batch_.results_size(), 0);
    }
    return batch_.results(next_++);
  }
  // The position, or 0.
  uint64_t NextPosition() { return Next().appended().position(); }

  // After which no answer may be left.
  grpc::Status EndAfterAll() {
    stream_->WritesDone();
    EXPECT_EQ(Next().outcome_case(), Result::OUTCOME_NOT_SET);
    return stream_->Finish();
  }
  grpc::Status Finish() { return stream_->Finish(); }
  void WritesDone() { stream_->WritesDone(); }
  void Cancel() { context_.TryCancel(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::AppendStreamRequest, v1::AppendStreamResponse>>
      stream_;
  v1::AppendStreamResponse batch_;
  int next_ = 0;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_GRPC_APPEND_STREAM_CLIENT_FOR_TEST_H_

// Calls that no runner would make: ids of nothing, arguments that are noise, and many clients at
// once. The service answers each with a reason, and goes on serving.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <atomic>
#include <functional>
#include <thread>

#include "tools/parley-mls-interop/service.h"
#include "tools/parley-mls-interop/stage_testing.h"

namespace parley::interop::testing {
namespace {

using namespace mls_client;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

class HostileCallsTest : public ::testing::Test {
 protected:
  static std::unique_ptr<Stub> Connect(const InteropServer& server) {
    grpc::ChannelArguments own_connection;
    own_connection.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return MLSClient::NewStub(
        grpc::CreateCustomChannel("localhost:" + std::to_string(server.port()),
                                  grpc::InsecureChannelCredentials(), own_connection));
  }

  InteropServer server_ = *InteropServer::Start("localhost", 0);
  std::unique_ptr<Stub> stub_ = Connect(server_);
  Stage stage_{{stub_.get()}, 3, true};
};

// ---- Noise ------------------------------------------------------------------------------------

// Fills every field of a request, whatever it is called, with something.
class Noise {
 public:
  Noise(uint64_t seed, std::vector<uint32_t> ids) : random_(seed), ids_(std::move(ids)) {}

  void Fill(Message& message) {
    const auto* descriptor = message.GetDescriptor();
    for (int i = 0; i < descriptor->field_count(); ++i) {
      const FieldDescriptor* field = descriptor->field(i);
      for (size_t n = field->is_repeated() ? random_() % 3 : 1; n > 0; --n) Set(message, *field);
    }
  }

 private:
  void Set(Message& message, const FieldDescriptor& field) {
    const auto* reflection = message.GetReflection();
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        return field.is_repeated() ? reflection->AddString(&message, &field, Text(field))
                                   : reflection->SetString(&message, &field, Text(field));
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return Fill(field.is_repeated() ? *reflection->AddMessage(&message, &field)
                                        : *reflection->MutableMessage(&message, &field));
      case FieldDescriptor::CPPTYPE_UINT32:
        return reflection->SetUInt32(&message, &field, Number(field));
      case FieldDescriptor::CPPTYPE_UINT64:
        return reflection->SetUInt64(&message, &field, random_() >> (random_() % 64));
      case FieldDescriptor::CPPTYPE_BOOL:
        return reflection->SetBool(&message, &field, random_() % 2 == 0);
      default:
        FAIL() << "a field of a type that this test doesn't know: " << field.full_name();
    }
  }

  uint32_t Number(const FieldDescriptor& field) {
    if (field.name().ends_with("_id")) return ids_[random_() % ids_.size()];
    if (field.name() == "cipher_suite" && random_() % 2 == 0) return 3;
    return static_cast<uint32_t>(random_() >> (32 + random_() % 32));
  }

  std::string Text(const FieldDescriptor& field) {
    static const char* const kTypes[] = {"add",           "remove", "externalPSK",
                                         "resumptionPSK", "reinit", "groupContextExtensions"};
    if (field.name() == "proposal_type") return kTypes[random_() % std::size(kTypes)];
    std::string text(kLengths[random_() % std::size(kLengths)], '\0');
    const bool ascii = field.type() == FieldDescriptor::TYPE_STRING;
    for (char& byte : text) byte = static_cast<char>(ascii ? 'a' + random_() % 26 : random_());
    // Now and then what an MLSMessage begins with: a version and a wire format.
    if (!ascii && text.size() > 4 && random_() % 2 == 0) {
      text.replace(0, 4, {'\0', '\1', '\0', static_cast<char>(1 + random_() % 5)});
    }
    return text;
  }

  static constexpr size_t kLengths[] = {0, 1, 4, 32, 200, 3000, 70000};
  std::mt19937_64 random_;
  std::vector<uint32_t> ids_;
};

// Calls `visit` with every method of the interface that names a state, a key package, a signer or
// an ended group by its id, but Free.
template <typename Visit>
void ForEachCallOnId(Visit visit) {
  visit(&Stub::JoinGroup);
  visit(&Stub::GroupInfo);
  visit(&Stub::StateAuth);
  visit(&Stub::Export);
  visit(&Stub::Protect);
  visit(&Stub::Unprotect);
  visit(&Stub::StorePSK);
  visit(&Stub::AddProposal);
  visit(&Stub::UpdateProposal);
  visit(&Stub::RemoveProposal);
  visit(&Stub::ExternalPSKProposal);
  visit(&Stub::ResumptionPSKProposal);
  visit(&Stub::GroupContextExtensionsProposal);
  visit(&Stub::Commit);
  visit(&Stub::HandleCommit);
  visit(&Stub::HandlePendingCommit);
  visit(&Stub::ReInitProposal);
  visit(&Stub::ReInitCommit);
  visit(&Stub::HandlePendingReInitCommit);
  visit(&Stub::HandleReInitCommit);
  visit(&Stub::ReInitWelcome);
  visit(&Stub::HandleReInitWelcome);
  visit(&Stub::CreateBranch);
  visit(&Stub::HandleBranch);
  visit(&Stub::AddExternalSigner);
  visit(&Stub::ExternalSignerProposal);
}

// And with those that don't.
template <typename Visit>
void ForEachOtherCall(Visit visit) {
  visit(&Stub::CreateGroup);
  visit(&Stub::CreateKeyPackage);
  visit(&Stub::ExternalJoin);
  visit(&Stub::NewMemberAddProposal);
  visit(&Stub::CreateExternalSigner);
}

// A request of the method's own kind.
template <typename Request, typename Response>
Request RequestOf(Method<Request, Response> /*method*/) {
  return Request();
}

// And an answer.
template <typename Request, typename Response>
Response ResponseOf(Method<Request, Response> /*method*/) {
  return Response();
}

template <typename Request, typename Response>
void MustAnswer(Stub& stub, Method<Request, Response> method, const Request& request) {
  Response response;
  const grpc::Status status = Try(stub, method, request, &response);
  EXPECT_TRUE(status.ok() || IsRefusal(status))
      << request.GetTypeName() << ": code " << status.error_code() << ", "
      << status.error_message();
}

constexpr int kTimes = 60;

uint32_t NewTransaction(Stub& stub) {
  CreateKeyPackageRequest wanted;
  wanted.set_cipher_suite(3);
  wanted.set_identity("dora");
  return Must(stub, &Stub::CreateKeyPackage, wanted).transaction_id();
}

// The id of a group that the member has ended by a ReInit of its own.
uint32_t EndGroup(Stub& stub, uint32_t state_id) {
  ReInitProposalRequest proposing;
  proposing.set_state_id(state_id);
  proposing.set_cipher_suite(3);
  proposing.set_group_id("the next");
  CommitRequest committing;
  committing.set_state_id(state_id);
  committing.add_by_reference(Must(stub, &Stub::ReInitProposal, proposing).proposal());
  Must(stub, &Stub::ReInitCommit, committing);
  HandlePendingCommitRequest pending;
  pending.set_state_id(state_id);
  return Must(stub, &Stub::HandlePendingReInitCommit, pending).reinit_id();
}

TEST_F(HostileCallsTest, NoiseInEveryField) {
  stage_.CreateGroup("carol", {"dave"});
  const uint32_t ended = EndGroup(*stub_, stage_.state("carol"));
  stage_.CreateGroup("alice", {"bob"});
  const uint32_t transaction = NewTransaction(*stub_);
  Noise noise(7, {0, 1, stage_.state("alice"), stage_.state("bob"), stage_.state("carol"), ended,
                  transaction, transaction + 1, 99});
  const auto call = [&](auto method) {
    auto request = RequestOf(method);
    MustAnswer(*stub_, method, request);  // without any field
    for (int i = 0; i < kTimes; ++i) {
      request.Clear();
      noise.Fill(request);
      MustAnswer(*stub_, method, request);
    }
  };
  ForEachCallOnId(call);
  ForEachOtherCall(call);
  // The two may have committed something, each for itself; but the server serves.
  stage_.CreateGroup("alice", {"bob"});
  stage_.ExpectTalk({"alice", "bob"});
}

TEST_F(HostileCallsTest, NoiseForMessages) {
  stage_.CreateGroup("carol", {"dave"});
  const uint32_t ended = EndGroup(*stub_, stage_.state("carol"));
  stage_.CreateGroup("alice", {"bob"});
  const std::string before = stage_.Authenticator("alice");
  const uint32_t transaction = NewTransaction(*stub_);
  Noise noise(11, {stage_.state("alice"), stage_.state("bob"), ended, transaction});
  const auto refuse = [&](auto method) {
    auto request = RequestOf(method);
    int looked_at = 0;
    for (int i = 0; i < kTimes; ++i) {
      request.Clear();
      noise.Fill(request);
      auto response = ResponseOf(method);
      const grpc::Status status = Try(*stub_, method, request, &response);
      EXPECT_TRUE(IsRefusal(status)) << request.GetTypeName() << ": code " << status.error_code()
                                     << ", " << status.error_message();
      looked_at += status.error_code() != grpc::StatusCode::NOT_FOUND;
    }
    // An id of nothing is refused before the message is.
    EXPECT_GT(looked_at, 0) << request.GetTypeName();
  };
  refuse(&Stub::JoinGroup);
  refuse(&Stub::ExternalJoin);
  refuse(&Stub::Unprotect);
  refuse(&Stub::AddProposal);
  refuse(&Stub::HandleCommit);
  refuse(&Stub::HandleReInitCommit);
  refuse(&Stub::HandleReInitWelcome);
  refuse(&Stub::HandleBranch);
  refuse(&Stub::NewMemberAddProposal);
  EXPECT_EQ(stage_.Authenticator("alice"), before);
  stage_.ExpectTalk({"alice", "bob"});
}

// ---- Ids --------------------------------------------------------------------------------------

TEST_F(HostileCallsTest, IdsOfNothing) {
  stage_.CreateGroup("alice");
  CreateExternalSignerRequest wanted;
  wanted.set_cipher_suite(3);
  const uint32_t of_a_signer = Must(*stub_, &Stub::CreateExternalSigner, wanted).signer_id();
  for (const uint32_t id : {0u, of_a_signer, of_a_signer + 1, UINT32_MAX}) {
    ForEachCallOnId([&](auto method) {
      auto request = RequestOf(method);
      const auto* descriptor = request.GetDescriptor();
      if (id == of_a_signer && descriptor->FindFieldByName("signer_id") != nullptr) return;
      for (int i = 0; i < descriptor->field_count(); ++i) {
        const FieldDescriptor* field = descriptor->field(i);
        if (field->cpp_type() == FieldDescriptor::CPPTYPE_UINT32 &&
            field->name().ends_with("_id")) {
          request.GetReflection()->SetUInt32(&request, field, id);
        }
      }
      MustRefuse(*stub_, method, request);
    });
    FreeRequest free;
    free.set_state_id(id);
    MustRefuse(*stub_, &Stub::Free, free);
    ProtectRequest protect;
    protect.set_state_id(id);
    ProtectResponse response;
    const grpc::Status status = Try(*stub_, &Stub::Protect, protect, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
    EXPECT_NE(status.error_message().find(std::to_string(id)), std::string::npos)
        << status.error_message();
  }
}

TEST_F(HostileCallsTest, FreedStatesAreGone) {
  stage_.CreateGroup("alice", {"bob"});
  const std::string message = stage_.Protect("alice", "hello");
  FreeRequest free;
  free.set_state_id(stage_.state("alice"));
  Must(*stub_, &Stub::Free, free);
  MustRefuse(*stub_, &Stub::Free, free);
  ProtectRequest protect;
  protect.set_state_id(stage_.state("alice"));
  MustRefuse(*stub_, &Stub::Protect, protect);
  stage_.Unprotect("bob", message, "hello");
}

TEST_F(HostileCallsTest, LengthsThatCantBe) {
  stage_.CreateGroup("alice");
  ExportRequest request;
  request.set_state_id(stage_.state("alice"));
  request.set_label("a label");
  constexpr uint32_t kMost = 255 * 32;  // of HKDF with SHA-256
  for (const uint32_t length : {1u, kMost}) {
    request.set_key_length(length);
    EXPECT_EQ(Must(*stub_, &Stub::Export, request).exported_secret().size(), length);
  }
  for (const uint32_t length : {kMost + 1, 65536u, 65537u, UINT32_MAX}) {
    request.set_key_length(length);
    MustRefuse(*stub_, &Stub::Export, request);
  }
}

// ---- Many at once -----------------------------------------------------------------------------

constexpr int kThreads = 6;

void InThreads(const std::function<void(int)>& work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
}

TEST_F(HostileCallsTest, GroupsSideBySide) {
  const InteropServer other = *InteropServer::Start("localhost", 0);
  InThreads([&](int thread) {
    const std::unique_ptr<Stub> here = Connect(server_);
    const std::unique_ptr<Stub> there = Connect(other);
    for (int i = 0; i < 3; ++i) {
      Stage stage({here.get(), there.get()}, thread % 2 == 0 ? 3 : 0xF001, i % 2 == 0);
      stage.CreateGroup("alice", {"bob", "carol"});
      stage.FullCommit(
          "bob", {.by_reference = {stage.ProposeUpdate("carol")}, .members = {"alice", "carol"}});
      stage.ExternalJoin({.adder = "carol", .joiner = "dora", .members = {"alice", "bob"}});
      stage.ExpectTalk({"alice", "bob", "carol", "dora"});
    }
  });
}

TEST_F(HostileCallsTest, OneStateFromManySides) {
  stage_.CreateGroup("alice", {"bob"});
  constexpr int kEach = 40;
  std::vector<std::string> sent(kThreads * kEach);
  InThreads([&](int thread) {
    const std::unique_ptr<Stub> stub = Connect(server_);
    for (int i = thread * kEach; i < (thread + 1) * kEach; ++i) {
      ProtectRequest request;
      request.set_state_id(stage_.state("alice"));
      request.set_plaintext(std::to_string(i));
      sent[static_cast<size_t>(i)] = Must(*stub, &Stub::Protect, request).ciphertext();
    }
  });
  // No key served twice, and each message is read once, whoever asks first.
  std::atomic<int> read = 0;
  InThreads([&](int /*thread*/) {
    const std::unique_ptr<Stub> stub = Connect(server_);
    for (size_t i = sent.size(); i-- > 0;) {
      UnprotectRequest request;
      request.set_state_id(stage_.state("bob"));
      request.set_ciphertext(sent[i]);
      UnprotectResponse response;
      const grpc::Status status = Try(*stub, &Stub::Unprotect, request, &response);
      if (!status.ok()) {
        EXPECT_TRUE(IsRefusal(status)) << status.error_message();
        continue;
      }
      EXPECT_EQ(response.plaintext(), std::to_string(i));
      ++read;
    }
  });
  EXPECT_EQ(read, kThreads * kEach);
}

TEST_F(HostileCallsTest, OnlyOneOfManyWins) {
  stage_.CreateGroup("alice", {"bob"});
  CreateKeyPackageRequest wanted;
  wanted.set_cipher_suite(3);
  wanted.set_identity("dora");
  const auto key_package = Must(*stub_, &Stub::CreateKeyPackage, wanted);
  CommitRequest committing;
  committing.set_state_id(stage_.state("alice"));
  *committing.add_by_value() = DescribeAdd(key_package.key_package());
  const auto made = Must(*stub_, &Stub::Commit, committing);

  HandleCommitRequest handling;
  handling.set_state_id(stage_.state("bob"));
  handling.set_commit(made.commit());
  HandlePendingCommitRequest pending;
  pending.set_state_id(stage_.state("alice"));
  JoinGroupRequest joining;
  joining.set_transaction_id(key_package.transaction_id());
  joining.set_welcome(made.welcome());
  std::atomic<int> handled = 0;
  std::atomic<int> merged = 0;
  std::atomic<int> joined = 0;
  const auto count = [](std::atomic<int>& won, const grpc::Status& status) {
    won += status.ok();
    EXPECT_TRUE(status.ok() || IsRefusal(status)) << status.error_message();
  };
  InThreads([&](int /*thread*/) {
    const std::unique_ptr<Stub> stub = Connect(server_);
    HandleCommitResponse response;
    count(handled, Try(*stub, &Stub::HandleCommit, handling, &response));
    count(merged, Try(*stub, &Stub::HandlePendingCommit, pending, &response));
    JoinGroupResponse join_response;
    count(joined, Try(*stub, &Stub::JoinGroup, joining, &join_response));
  });
  EXPECT_EQ(handled, 1);
  EXPECT_EQ(merged, 1);
  EXPECT_EQ(joined, 1);
  stage_.ExpectTalk({"alice", "bob"});
}

}  // namespace
}  // namespace parley::interop::testing

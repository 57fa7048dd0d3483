// Whatever a member takes in, damaged: with the smaller suite each byte changed, one at a time,
// each length that it can be cut to, and a byte too many; with the post-quantum one, whose messages
// are ten times as long, every 17th byte and length. The service must refuse all of it, nothing may
// have changed, and the genuine message must still be accepted, once.
#include <functional>

#include "tools/parley-mls-interop/group_info.h"
#include "tools/parley-mls-interop/service.h"
#include "tools/parley-mls-interop/stage_testing.h"

namespace parley::interop::testing {
namespace {

using namespace mls_client;

struct Setting {
  uint32_t suite = 0;
  bool encrypt_handshake = false;
  // Every how manieth byte is changed, and length tried.
  size_t stride = 1;
};

// Whether a GroupInfo reads well, but without the tree by which alone its signature can be checked.
bool HidesTheTree(const std::string& group_info) {
  const auto info = ReadGroupInfo(group_info);
  return info.ok() &&
         mls::FindExtension(info->extensions, mls::ExtensionType::kRatchetTree) == nullptr;
}

class HostileMessagesTest : public ::testing::TestWithParam<Setting> {
 protected:
  static void SetUpTestSuite() {
    server_ = std::make_unique<InteropServer>(*InteropServer::Start("localhost", 0));
    stub_ = MLSClient::NewStub(grpc::CreateChannel("localhost:" + std::to_string(server_->port()),
                                                   grpc::InsecureChannelCredentials()));
  }
  static void TearDownTestSuite() {
    stub_.reset();
    server_.reset();
  }

  void SetUp() override { stage_.CreateGroup("alice", {"bob", "carol"}); }

  // `call` is made with each damaged form of `message`, all of which must be refused for a reason.
  static void ExpectRefused(const std::string& what, const std::string& message,
                            const std::function<grpc::Status(std::string)>& call) {
    ASSERT_NE(message, "") << what;
    const size_t stride = GetParam().stride;
    const auto refused = [&](std::string damaged, const char* how, size_t where) {
      const grpc::Status status = call(std::move(damaged));
      EXPECT_TRUE(IsRefusal(status))
          << what << ' ' << how << ' ' << where << " of " << message.size() << ": code "
          << status.error_code() << ' ' << status.error_message();
      return IsRefusal(status);
    };
    for (size_t i = 0; i < message.size(); i += stride) {
      std::string damaged = message;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << (i / stride % 8)));
      if (!refused(std::move(damaged), "changed at", i)) return;
    }
    for (size_t i = 0; i < message.size(); i += stride) {
      if (!refused(message.substr(0, i), "cut to", i)) return;
    }
    refused(message + '\0', "with a byte more than", message.size());
  }

  template <typename Request, typename Response>
  static grpc::Status StatusOf(Method<Request, Response> method, const Request& request) {
    Response response;
    return Try(*stub_, method, request, &response);
  }

  HandleCommitRequest Handling(const std::string& member, const std::string& commit) const {
    HandleCommitRequest request;
    request.set_state_id(stage_.state(member));
    request.set_commit(commit);
    return request;
  }

  // All three are in the epoch of `commit`, and none takes it once more.
  void ExpectOver(const std::string& commit) {
    for (const char* member : {"alice", "bob", "carol"}) {
      MustRefuse(*stub_, &Stub::HandleCommit, Handling(member, commit));
    }
    stage_.ExpectTalk({"alice", "bob", "carol"});
  }

  static std::unique_ptr<InteropServer> server_;
  static std::unique_ptr<Stub> stub_;
  Stage stage_{{stub_.get()}, GetParam().suite, GetParam().encrypt_handshake};
};

std::unique_ptr<InteropServer> HostileMessagesTest::server_;
std::unique_ptr<Stub> HostileMessagesTest::stub_;

TEST_P(HostileMessagesTest, ApplicationMessage) {
  const std::string earlier = stage_.Protect("alice", "earlier");
  const std::string message = stage_.Protect("alice", "hello");
  const std::string before = stage_.Authenticator("bob");
  UnprotectRequest request;
  request.set_state_id(stage_.state("bob"));
  ExpectRefused("an application message", message, [&](std::string damaged) {
    request.set_ciphertext(std::move(damaged));
    return StatusOf(&Stub::Unprotect, request);
  });
  EXPECT_EQ(stage_.Authenticator("bob"), before);
  stage_.Unprotect("bob", message, "hello");  // which also tries it a second time
  stage_.Unprotect("bob", earlier, "earlier");
  // Every bit of it, at another member.
  request.set_state_id(stage_.state("carol"));
  for (size_t bit = 0; bit < message.size() * 8; bit += GetParam().stride) {
    std::string damaged = message;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    request.set_ciphertext(damaged);
    ASSERT_TRUE(IsRefusal(StatusOf(&Stub::Unprotect, request))) << bit;
  }
  stage_.Unprotect("carol", message, "hello");
}

TEST_P(HostileMessagesTest, Proposal) {
  const std::string proposal = stage_.ProposeUpdate("carol");
  CommitRequest committing;
  committing.set_state_id(stage_.state("alice"));
  ExpectRefused("a proposal that is committed", proposal, [&](std::string damaged) {
    committing.clear_by_reference();
    committing.add_by_reference(std::move(damaged));
    return StatusOf(&Stub::Commit, committing);
  });
  committing.clear_by_reference();
  committing.add_by_reference(proposal);
  const std::string commit = Must(*stub_, &Stub::Commit, committing).commit();

  HandleCommitRequest handling = Handling("bob", commit);
  ExpectRefused("a proposal to which a commit refers", proposal, [&](std::string damaged) {
    handling.clear_proposal();
    handling.add_proposal(std::move(damaged));
    return StatusOf(&Stub::HandleCommit, handling);
  });
  handling.clear_proposal();
  MustRefuse(*stub_, &Stub::HandleCommit, handling);  // without it at all
  handling.add_proposal(proposal);
  handling.add_proposal(proposal);  // a second time is the same
  Must(*stub_, &Stub::HandleCommit, handling);
  Must(*stub_, &Stub::HandleCommit, Handling("carol", commit));
  Must(*stub_, &Stub::HandleCommit, Handling("alice", commit));
  ExpectOver(commit);
}

TEST_P(HostileMessagesTest, Commit) {
  const std::string before = stage_.Authenticator("bob");
  CommitRequest committing;
  committing.set_state_id(stage_.state("alice"));
  committing.set_force_path(true);
  const std::string commit = Must(*stub_, &Stub::Commit, committing).commit();
  for (const char* member : {"bob", "alice"}) {  // alice made it
    HandleCommitRequest handling = Handling(member, "");
    ExpectRefused("a commit", commit, [&](std::string damaged) {
      handling.set_commit(std::move(damaged));
      return StatusOf(&Stub::HandleCommit, handling);
    });
    EXPECT_EQ(stage_.Authenticator(member), before);
  }
  // Nor as a commit of the other kind, which would end the group.
  MustRefuse(*stub_, &Stub::HandleReInitCommit, Handling("bob", commit));
  const auto at_bob = Must(*stub_, &Stub::HandleCommit, Handling("bob", commit));
  HandlePendingCommitRequest pending;
  pending.set_state_id(stage_.state("alice"));
  const auto at_alice = Must(*stub_, &Stub::HandlePendingCommit, pending);
  EXPECT_EQ(at_alice.epoch_authenticator(), at_bob.epoch_authenticator());
  EXPECT_NE(at_alice.epoch_authenticator(), before);
  MustRefuse(*stub_, &Stub::HandlePendingCommit, pending);
  Must(*stub_, &Stub::HandleCommit, Handling("carol", commit));
  ExpectOver(commit);
}

TEST_P(HostileMessagesTest, KeyPackage) {
  const std::string key_package = stage_.CreateKeyPackage("dora");
  AddProposalRequest proposing;
  proposing.set_state_id(stage_.state("bob"));
  ExpectRefused("a key package", key_package, [&](std::string damaged) {
    proposing.set_key_package(std::move(damaged));
    return StatusOf(&Stub::AddProposal, proposing);
  });
  stage_.FullCommit(
      "alice",
      {.by_value = {DescribeAdd(key_package)}, .members = {"bob", "carol"}, .joiners = {"dora"}});
  stage_.ExpectTalk({"alice", "bob", "carol", "dora"});
}

TEST_P(HostileMessagesTest, Welcome) {
  for (const bool tree_beside : {false, true}) {
    CreateKeyPackageRequest wanted;
    wanted.set_cipher_suite(GetParam().suite);
    wanted.set_identity("dora");
    const auto key_package = Must(*stub_, &Stub::CreateKeyPackage, wanted);
    CommitRequest committing;
    committing.set_state_id(stage_.state("alice"));
    committing.set_external_tree(tree_beside);
    *committing.add_by_value() = DescribeAdd(key_package.key_package());
    const auto made = Must(*stub_, &Stub::Commit, committing);
    JoinGroupRequest joining;
    joining.set_transaction_id(key_package.transaction_id());
    joining.set_identity("dora");
    joining.set_ratchet_tree(made.ratchet_tree());
    ExpectRefused("a Welcome", made.welcome(), [&](std::string damaged) {
      joining.set_welcome(std::move(damaged));
      return StatusOf(&Stub::JoinGroup, joining);
    });
    joining.set_welcome(made.welcome());
    if (tree_beside) {
      ExpectRefused("a tree beside a Welcome", made.ratchet_tree(), [&](std::string damaged) {
        joining.set_ratchet_tree(std::move(damaged));
        return StatusOf(&Stub::JoinGroup, joining);
      });
      joining.set_ratchet_tree(made.ratchet_tree());
    }
    const auto joined = Must(*stub_, &Stub::JoinGroup, joining);
    MustRefuse(*stub_, &Stub::JoinGroup, joining);
    EXPECT_EQ(
        Must(*stub_, &Stub::HandleCommit, Handling("bob", made.commit())).epoch_authenticator(),
        joined.epoch_authenticator());
    Must(*stub_, &Stub::HandleCommit, Handling("carol", made.commit()));
    Must(*stub_, &Stub::HandleCommit, Handling("alice", made.commit()));
    ExpectOver(made.commit());
  }
}

TEST_P(HostileMessagesTest, GroupInfoAndExternalCommit) {
  ExternalJoinRequest joining;
  joining.set_identity("zed");
  const std::string info = stage_.GroupInfoOf("alice", false).group_info();
  ExpectRefused("a GroupInfo", info, [&](std::string damaged) {
    joining.set_group_info(std::move(damaged));
    return StatusOf(&Stub::ExternalJoin, joining);
  });
  joining.set_group_info(info);
  const auto joined = Must(*stub_, &Stub::ExternalJoin, joining);
  HandleCommitRequest handling = Handling("bob", "");
  ExpectRefused("an external commit", joined.commit(), [&](std::string damaged) {
    handling.set_commit(std::move(damaged));
    return StatusOf(&Stub::HandleCommit, handling);
  });
  for (const char* member : {"alice", "bob", "carol"}) {
    const auto handled = Must(*stub_, &Stub::HandleCommit, Handling(member, joined.commit()));
    EXPECT_EQ(handled.epoch_authenticator(), joined.epoch_authenticator());
  }
  ExpectOver(joined.commit());
}

TEST_P(HostileMessagesTest, ProposalOfANewcomer) {
  NewMemberAddProposalRequest asking;
  const std::string info = stage_.GroupInfoOf("alice", false).group_info();
  asking.set_identity("dora");
  ExpectRefused("a GroupInfo", info, [&](std::string damaged) {
    if (HidesTheTree(damaged)) return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "no tree");
    asking.set_group_info(std::move(damaged));
    return StatusOf(&Stub::NewMemberAddProposal, asking);
  });
  asking.set_group_info(info);
  const auto asked = Must(*stub_, &Stub::NewMemberAddProposal, asking);
  CommitRequest committing;
  committing.set_state_id(stage_.state("alice"));
  ExpectRefused("a newcomer's proposal", asked.proposal(), [&](std::string damaged) {
    committing.clear_by_reference();
    committing.add_by_reference(std::move(damaged));
    return StatusOf(&Stub::Commit, committing);
  });
  committing.clear_by_reference();
  committing.add_by_reference(asked.proposal());
  const auto made = Must(*stub_, &Stub::Commit, committing);
  JoinGroupRequest joining;
  joining.set_transaction_id(asked.transaction_id());
  joining.set_identity("dora");
  joining.set_welcome(made.welcome());
  const auto joined = Must(*stub_, &Stub::JoinGroup, joining);
  for (const char* member : {"bob", "carol", "alice"}) {
    HandleCommitRequest handling = Handling(member, made.commit());
    handling.add_proposal(asked.proposal());
    EXPECT_EQ(Must(*stub_, &Stub::HandleCommit, handling).epoch_authenticator(),
              joined.epoch_authenticator());
  }
  ExpectOver(made.commit());
}

TEST_P(HostileMessagesTest, WelcomeToABranch) {
  CreateKeyPackageRequest wanted;
  wanted.set_cipher_suite(GetParam().suite);
  wanted.set_identity("bob");
  const auto key_package = Must(*stub_, &Stub::CreateKeyPackage, wanted);
  CreateBranchRequest branching;
  branching.set_state_id(stage_.state("alice"));
  branching.set_group_id("a branch");
  branching.add_key_packages(key_package.key_package());
  const auto branch = Must(*stub_, &Stub::CreateBranch, branching);
  HandleBranchRequest handling;
  handling.set_state_id(stage_.state("bob"));
  handling.set_transaction_id(key_package.transaction_id());
  ExpectRefused("a Welcome to a branch", branch.welcome(), [&](std::string damaged) {
    handling.set_welcome(std::move(damaged));
    return StatusOf(&Stub::HandleBranch, handling);
  });
  handling.set_welcome(branch.welcome());
  EXPECT_EQ(Must(*stub_, &Stub::HandleBranch, handling).epoch_authenticator(),
            branch.epoch_authenticator());
  MustRefuse(*stub_, &Stub::HandleBranch, handling);
  stage_.ExpectTalk({"alice", "bob", "carol"});
}

TEST_P(HostileMessagesTest, WelcomeToAReinitializedGroup) {
  // Of two, since what a Welcome says to a third is nothing that the second could judge.
  stage_.CreateGroup("alice", {"bob"});
  ReInitProposalRequest proposing;
  proposing.set_state_id(stage_.state("alice"));
  proposing.set_cipher_suite(GetParam().suite);
  proposing.set_group_id("the next");
  const std::string proposal = Must(*stub_, &Stub::ReInitProposal, proposing).proposal();
  CommitRequest committing;
  committing.set_state_id(stage_.state("alice"));
  committing.add_by_reference(proposal);
  const std::string commit = Must(*stub_, &Stub::ReInitCommit, committing).commit();
  HandlePendingCommitRequest pending;
  pending.set_state_id(stage_.state("alice"));
  const auto at_alice = Must(*stub_, &Stub::HandlePendingReInitCommit, pending);
  ReInitWelcomeRequest welcoming;
  welcoming.set_reinit_id(at_alice.reinit_id());
  HandleCommitRequest handling = Handling("bob", commit);
  handling.add_proposal(proposal);
  const auto at_bob = Must(*stub_, &Stub::HandleReInitCommit, handling);
  welcoming.add_key_package(at_bob.key_package());
  const auto next = Must(*stub_, &Stub::ReInitWelcome, welcoming);
  HandleReInitWelcomeRequest joining;
  joining.set_reinit_id(at_bob.reinit_id());
  ExpectRefused("a Welcome to a reinitialised group", next.welcome(), [&](std::string damaged) {
    joining.set_welcome(std::move(damaged));
    return StatusOf(&Stub::HandleReInitWelcome, joining);
  });
  joining.set_welcome(next.welcome());
  EXPECT_EQ(Must(*stub_, &Stub::HandleReInitWelcome, joining).epoch_authenticator(),
            next.epoch_authenticator());
  MustRefuse(*stub_, &Stub::HandleReInitWelcome, joining);
}

INSTANTIATE_TEST_SUITE_P(All, HostileMessagesTest,
                         ::testing::Values(Setting{3, false, 1}, Setting{3, true, 1},
                                           Setting{0xF001, false, 17}, Setting{0xF001, true, 17}),
                         [](const auto& test) {
                           return std::string(test.param.suite == 3 ? "X25519" : "MlKem") +
                                  (test.param.encrypt_handshake ? "Private" : "Public");
                         });

}  // namespace
}  // namespace parley::interop::testing

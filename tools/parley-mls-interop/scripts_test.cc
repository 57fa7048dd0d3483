// The scripts of the MLS working group's test runner, with this program in every role: in three
// servers, with public and private handshakes, on each suite. PARLEY_MLS_PEER=HOST:PORT puts
// another implementation in the place of the second server, so that what comes from it is what ours
// get with a bit flipped first, and twice.
#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>

#include "tools/parley-mls-interop/service.h"
#include "tools/parley-mls-interop/stage_testing.h"

namespace parley::interop::testing {
namespace {

struct Setting {
  uint32_t suite = 0;
  bool encrypt_handshake = false;
};

class ScriptsTest : public ::testing::TestWithParam<Setting> {
 protected:
  static void SetUpTestSuite() {
    for (int i = 0; i < 3; ++i) {
      servers_.push_back(*InteropServer::Start("localhost", 0));
      stubs_.push_back(MLSClient::NewStub(
          grpc::CreateChannel("localhost:" + std::to_string(servers_.back().port()),
                              grpc::InsecureChannelCredentials())));
    }
    const char* peer = std::getenv("PARLEY_MLS_PEER");
    if (peer == nullptr) return;
    stubs_[1] = MLSClient::NewStub(grpc::CreateChannel(peer, grpc::InsecureChannelCredentials()));
  }
  static void TearDownTestSuite() {
    stubs_.clear();
    servers_.clear();
  }

  static std::vector<Stub*> Servers() {
    std::vector<Stub*> servers;
    for (const auto& stub : stubs_) servers.push_back(stub.get());
    return servers;
  }

  Stage stage_{Servers(), GetParam().suite, GetParam().encrypt_handshake};
  // Lists of nothing: what most groups understand.
  const mls_client::Extension nothing_required_ = ExtensionOf(3, std::string(3, '\0'));
  const mls_client::Extension nobody_outside_ = ExtensionOf(5, std::string(1, '\0'));
  const Names five_{"alice", "bob", "charlie", "diana", "eliza"};
  const Names other_four_{"bob", "charlie", "diana", "eliza"};

 private:
  static std::vector<InteropServer> servers_;
  static std::vector<std::unique_ptr<Stub>> stubs_;
};

std::vector<InteropServer> ScriptsTest::servers_;
std::vector<std::unique_ptr<Stub>> ScriptsTest::stubs_;

TEST_P(ScriptsTest, AnswersForItself) {
  Stub& stub = stage_.ServerOf("anyone");
  EXPECT_EQ(Must(stub, &Stub::Name, mls_client::NameRequest()).name(), "Parley");
  const auto suites =
      Must(stub, &Stub::SupportedCiphersuites, mls_client::SupportedCiphersuitesRequest());
  EXPECT_TRUE(std::find(suites.ciphersuites().begin(), suites.ciphersuites().end(),
                        GetParam().suite) != suites.ciphersuites().end());
  mls_client::CreateGroupRequest unknown;
  unknown.set_cipher_suite(0x10003);  // suite 3 in its lower half
  MustRefuse(stub, &Stub::CreateGroup, unknown);
  mls_client::ProtectRequest nowhere;
  MustRefuse(stub, &Stub::Protect, nowhere);
}

// ---- welcome_join -----------------------------------------------------------------------------

TEST_P(ScriptsTest, WelcomeJoin) {
  for (const bool force_path : {false, true}) {
    for (const bool external_tree : {false, true}) {
      stage_.CreateGroup("alice");
      const std::string add = stage_.ProposeAdd("alice", stage_.CreateKeyPackage("bob"));
      stage_.FullCommit("alice", {.by_reference = {add},
                                  .joiners = {"bob"},
                                  .force_path = force_path,
                                  .external_tree = external_tree});
      stage_.ExpectTalk({"alice", "bob"});
    }
  }
}

TEST_P(ScriptsTest, WelcomeJoinWithPsk) {
  stage_.CreateGroup("alice");
  const std::string add = stage_.ProposeAdd("alice", stage_.CreateKeyPackage("bob"));
  const std::string psk = stage_.InstallPsk({"alice", "bob"});
  stage_.FullCommit("alice",
                    {.by_reference = {add, stage_.ProposePsk("alice", psk)}, .joiners = {"bob"}});
  stage_.ExpectTalk({"alice", "bob"});
}

// ---- application ------------------------------------------------------------------------------

TEST_P(ScriptsTest, ApplicationInAnyOrder) {
  stage_.CreateGroup("alice", {"bob"});
  const std::string first = stage_.Protect("alice", "1");
  const std::string second = stage_.Protect("alice", "2");
  stage_.FullCommit("alice", {.members = {"bob"}});
  const std::string third = stage_.Protect("alice", "3");
  const std::string fourth = stage_.Protect("alice", "4");
  stage_.Unprotect("bob", fourth, "4");
  stage_.Unprotect("bob", third, "3");
  stage_.Unprotect("bob", second, "2");
  stage_.Unprotect("bob", first, "1");
}

// ---- commit -----------------------------------------------------------------------------------

TEST_P(ScriptsTest, CommitEmptyAddRemoveUpdate) {
  stage_.CreateGroup("alice", {"bob"});
  stage_.FullCommit("alice", {.members = {"bob"}});
  for (const bool force_path : {true, false}) {
    const std::string by_alice = stage_.ProposeAdd("alice", stage_.CreateKeyPackage("charlie1"));
    const std::string by_bob = stage_.ProposeAdd("bob", stage_.CreateKeyPackage("charlie2"));
    stage_.FullCommit("alice", {.by_reference = {by_alice, by_bob},
                                .by_value = {DescribeAdd(stage_.CreateKeyPackage("charlie3"))},
                                .members = {"bob"},
                                .joiners = {"charlie1", "charlie2", "charlie3"},
                                .force_path = force_path});
    stage_.FullCommit("charlie2", {.by_reference = {stage_.ProposeUpdate("charlie1"),
                                                    stage_.ProposeUpdate("alice")},
                                   .members = {"alice", "bob", "charlie1", "charlie3"}});
    stage_.FullCommit("alice", {.by_reference = {stage_.ProposeRemove("alice", "charlie1"),
                                                 stage_.ProposeRemove("bob", "charlie2")},
                                .by_value = {DescribeRemove("charlie3")},
                                .members = {"bob"}});
    stage_.ExpectTalk({"alice", "bob"});
  }
}

TEST_P(ScriptsTest, CommitGroupContextExtensions) {
  stage_.CreateGroup("alice", {"bob"});
  stage_.FullCommit(
      "alice",
      {.by_reference = {stage_.ProposeExtensions("alice", {nothing_required_, nobody_outside_})},
       .members = {"bob"}});
  stage_.FullCommit("alice",
                    {.by_reference = {stage_.ProposeExtensions("bob", {})}, .members = {"bob"}});
  stage_.FullCommit("alice",
                    {.by_value = {DescribeExtensions({nothing_required_})}, .members = {"bob"}});
  stage_.ExpectTalk({"alice", "bob"});
}

TEST_P(ScriptsTest, CommitPsks) {
  stage_.CreateGroup("alice", {"bob"});
  Names psks;
  for (int i = 0; i < 3; ++i) psks.push_back(stage_.InstallPsk({"alice", "bob"}));
  for (const bool force_path : {true, false}) {
    stage_.FullCommit("alice", {.by_reference = {stage_.ProposePsk("alice", psks[0]),
                                                 stage_.ProposePsk("bob", psks[1])},
                                .by_value = {DescribePsk(psks[2])},
                                .members = {"bob"},
                                .force_path = force_path});
  }
  stage_.FullCommit("alice", {.by_reference = {stage_.ProposeResumption("alice", 1),
                                               stage_.ProposeResumption("bob", 2)},
                              .by_value = {DescribeResumption(3)},
                              .members = {"bob"}});
  stage_.ExpectTalk({"alice", "bob"});

  mls_client::CommitRequest unknown;
  unknown.set_state_id(stage_.state("alice"));
  *unknown.add_by_value() = DescribePsk("an id that nobody has");
  MustRefuse(stage_.ServerOf("alice"), &Stub::Commit, unknown);
  *unknown.mutable_by_value(0) = DescribeResumption(99);
  MustRefuse(stage_.ServerOf("alice"), &Stub::Commit, unknown);
}

TEST_P(ScriptsTest, CommitAllTogether) {
  for (const std::string proposer : {"alice", "bob"}) {
    stage_.CreateGroup("alice", {"bob", "charlie1", "charlie2"});
    stage_.FullCommit("alice", {.members = {"bob", "charlie1", "charlie2"}});
    const std::string psk1 = stage_.InstallPsk({"alice", "bob"});
    const std::string psk2 = stage_.InstallPsk({"alice", "bob"});
    std::vector<std::string> proposals{
        stage_.ProposeAdd(proposer, stage_.CreateKeyPackage("charlie3")),
        stage_.ProposeRemove(proposer, "charlie1"),
        stage_.ProposeExtensions(proposer, {nothing_required_, nobody_outside_}),
        stage_.ProposePsk(proposer, psk1), stage_.ProposeResumption(proposer, 1)};
    if (proposer == "bob") proposals.push_back(stage_.ProposeUpdate("bob"));
    // Who is added never joins: they don't have the group's resumption secrets.
    stage_.FullCommit("alice", {.by_reference = proposals,
                                .by_value = {DescribeAdd(stage_.CreateKeyPackage("charlie4")),
                                             DescribeRemove("charlie2"), DescribePsk(psk2),
                                             DescribeResumption(2)},
                                .members = {"bob"}});
    stage_.ExpectTalk({"alice", "bob"});
  }
}

// ---- external_join ----------------------------------------------------------------------------

TEST_P(ScriptsTest, ExternalJoin) {
  stage_.CreateGroup("alice");
  const std::string psk = stage_.InstallPsk({"alice"});
  stage_.ExternalJoin({.adder = "alice", .joiner = "bob", .psk_ids = {psk}});
  stage_.ExpectTalk({"alice", "bob"});
  stage_.ExternalJoin({.adder = "alice", .joiner = "bob", .remove_prior = true});
  stage_.ExpectTalk({"alice", "bob"});
  stage_.ExternalJoin(
      {.adder = "bob", .joiner = "charlie", .members = {"alice"}, .external_tree = true});
  stage_.ExternalJoin({.adder = "charlie",
                       .joiner = "bob",
                       .members = {"alice"},
                       .external_tree = true,
                       .remove_prior = true});
  stage_.ExpectTalk({"alice", "bob", "charlie"});
}

TEST_P(ScriptsTest, ExternalJoinAmongMore) {
  stage_.CreateGroup("alice", {"bob", "charlie", "diana"});
  stage_.ExternalJoin(
      {.adder = "diana", .joiner = "eliza", .members = {"alice", "bob", "charlie"}});
  stage_.ExpectTalk(five_);
}

// ---- external_proposals -----------------------------------------------------------------------

TEST_P(ScriptsTest, JoinerProposesItself) {
  stage_.CreateGroup("alice");
  const std::string info = stage_.GroupInfoOf("alice", false).group_info();
  stage_.FullCommit("alice",
                    {.by_reference = {stage_.ProposeToJoin("bob", info)}, .joiners = {"bob"}});
  stage_.ExpectTalk({"alice", "bob"});
}

TEST_P(ScriptsTest, ExternalSignersPropose) {
  const Names two{"bob", "charlie"};
  stage_.CreateGroup("alice", two);
  const std::string psk = stage_.InstallPsk({"alice", "bob", "charlie"});
  for (const char* signer : {"ds1", "ds2"}) {
    stage_.FullCommit(
        "alice", {.by_reference = {stage_.AddExternalSigner("alice", signer)}, .members = two});
  }
  stage_.FullCommit(
      "alice", {.by_reference = {stage_.ProposeFromOutside("ds1", 0, "alice", DescribePsk(psk)),
                                 stage_.ProposeFromOutside("ds2", 1, "bob", DescribeResumption(2))},
                .members = two});
  stage_.FullCommit("bob", {.by_reference = {stage_.ProposeFromOutside(
                                "ds2", 1, "alice", DescribeAdd(stage_.CreateKeyPackage("diana")))},
                            .members = {"alice", "charlie"},
                            .joiners = {"diana"}});
  stage_.FullCommit(
      "alice",
      {.by_reference = {stage_.ProposeFromOutside("ds1", 0, "alice", DescribeRemove("bob"))},
       .members = {"charlie", "diana"}});
  stage_.ExpectTalk({"alice", "charlie", "diana"});

  // One signer in the other's name.
  mls_client::CommitRequest forged;
  forged.set_state_id(stage_.state("alice"));
  forged.add_by_reference(stage_.ProposeFromOutside("ds1", 1, "alice", DescribeRemove("charlie")));
  MustRefuse(stage_.ServerOf("alice"), &Stub::Commit, forged);

  // The last thing that they do is to remove themselves.
  stage_.FullCommit("alice", {.by_reference = {stage_.ProposeFromOutside(
                                  "ds1", 0, "alice", DescribeExtensions({nothing_required_}))},
                              .members = {"charlie", "diana"}});
  forged.set_by_reference(0,
                          stage_.ProposeFromOutside("ds1", 0, "alice", DescribeRemove("charlie")));
  MustRefuse(stage_.ServerOf("alice"), &Stub::Commit, forged);
}

// ---- branch, reinit ---------------------------------------------------------------------------

TEST_P(ScriptsTest, Branch) {
  for (const bool force_path : {false, true}) {
    for (const bool external_tree : {false, true}) {
      stage_.CreateGroup("alice", other_four_);
      std::vector<mls_client::Extension> extensions;
      if (external_tree) extensions = {nothing_required_, nobody_outside_};
      stage_.Branch("alice", other_four_, extensions, force_path, external_tree);
      stage_.ExpectTalk(five_);
    }
  }
}

TEST_P(ScriptsTest, BranchRefusesStrangers) {
  stage_.CreateGroup("alice", {"bob"});
  mls_client::CreateBranchRequest request;
  request.set_state_id(stage_.state("alice"));
  request.set_group_id("with a stranger");
  request.add_key_packages(stage_.CreateKeyPackage("mallory"));
  MustRefuse(stage_.ServerOf("alice"), &Stub::CreateBranch, request);
}

// A Welcome of a group that has nothing to do with the one that it is said to branch from.
TEST_P(ScriptsTest, BranchMustBeOne) {
  stage_.CreateGroup("alice", {"bob"});
  mls_client::CreateKeyPackageRequest wanted;
  wanted.set_cipher_suite(stage_.suite());
  wanted.set_identity("bob");
  Stub& at_bob = stage_.ServerOf("bob");
  const auto key_package = Must(at_bob, &Stub::CreateKeyPackage, wanted);
  mls_client::HandleBranchRequest handle;
  handle.set_state_id(stage_.state("bob"));
  handle.set_transaction_id(key_package.transaction_id());
  stage_.CreateGroup("mallory");
  mls_client::CommitRequest commit;
  commit.set_state_id(stage_.state("mallory"));
  *commit.add_by_value() = DescribeAdd(key_package.key_package());
  handle.set_welcome(Must(stage_.ServerOf("mallory"), &Stub::Commit, commit).welcome());
  MustRefuse(at_bob, &Stub::HandleBranch, handle);
}

TEST_P(ScriptsTest, ReInit) {
  const uint32_t other_suite = GetParam().suite == 3 ? 0xF001 : 3;
  for (const bool flag : {false, true}) {
    stage_.CreateGroup("alice", other_four_);
    stage_.ReInit({.proposer = "alice",
                   .committer = "bob",
                   .welcomer = "charlie",
                   .members = five_,
                   .new_group_id = stage_.group_id() + (flag ? "++" : ""),
                   .new_suite = flag ? other_suite : GetParam().suite,
                   .extensions = {nothing_required_, nobody_outside_},
                   .force_path = flag,
                   .external_tree = flag});
    stage_.ExpectTalk(five_);
  }
  stage_.CreateGroup("alice", other_four_);
  stage_.ReInit({.proposer = "alice",
                 .committer = "alice",
                 .welcomer = "alice",
                 .members = five_,
                 .new_group_id = stage_.group_id() + "++",
                 .new_suite = GetParam().suite});
  stage_.ExpectTalk(five_);
}

TEST_P(ScriptsTest, ExternalReInit) {
  stage_.CreateGroup("alice", {"bob", "charlie"});
  stage_.FullCommit("alice", {.by_reference = {stage_.AddExternalSigner("alice", "ds")},
                              .members = {"bob", "charlie"}});
  mls_client::ProposalDescription reinit = Describe("reinit");
  reinit.set_group_id(stage_.group_id() + "++");
  reinit.set_cipher_suite(GetParam().suite == 3 ? 0x4D : 3);
  *reinit.add_extensions() = nothing_required_;
  stage_.ReInit({.external_proposal = stage_.ProposeFromOutside("ds", 0, "alice", reinit),
                 .committer = "alice",
                 .welcomer = "bob",
                 .members = {"alice", "bob", "charlie"},
                 .force_path = true});
  stage_.ExpectTalk({"alice", "bob", "charlie"});
}

// ---- Long and random --------------------------------------------------------------------------

// Steps of every kind by anybody, in a group that grows and shrinks.
class RandomScript {
 public:
  RandomScript(Stage& stage, uint64_t seed) : stage_(stage), random_(seed) {}

  void Run(int steps) {
    stage_.CreateGroup("actor 0", {"actor 1", "actor 2"});
    members_ = {"actor 0", "actor 1", "actor 2"};
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      if (Below(6) == 0) {
        JoinFromOutside();
      } else if (Below(4) == 0) {
        Speak();
      } else {
        CommitSome();
      }
    }
    stage_.ExpectTalk(members_);
  }

 private:
  size_t Below(size_t limit) { return random_() % limit; }
  const std::string& Anyone() { return members_[Below(members_.size())]; }
  std::string Newcomer() { return "actor " + std::to_string(++last_actor_); }
  Names AllBut(const Names& left_out) {
    Names others;
    for (const std::string& member : members_) {
      if (std::find(left_out.begin(), left_out.end(), member) == left_out.end()) {
        others.push_back(member);
      }
    }
    return others;
  }

  void Speak() {
    const std::string speaker = Anyone();
    const std::string message = stage_.Protect(speaker, "said at random");
    for (const std::string& listener : AllBut({speaker})) {
      stage_.Unprotect(listener, message, "said at random");
    }
  }

  void JoinFromOutside() {
    if (members_.size() >= kMost) return;
    const std::string adder = Anyone();
    const std::string joiner = Newcomer();
    stage_.ExternalJoin({.adder = adder,
                         .joiner = joiner,
                         .members = AllBut({adder}),
                         .external_tree = Below(2) == 0});
    members_.push_back(joiner);
  }

  void CommitSome() {
    const std::string committer = Anyone();
    Names removed;
    CommitStep step{.force_path = Below(2) == 0, .external_tree = Below(2) == 0};
    for (size_t i = Below(4); i > 0; --i) {
      const std::string other = Anyone();
      if (Below(3) == 0 && members_.size() - removed.size() > 3) {
        if (other == committer || !touched_.insert(other).second) continue;
        removed.push_back(other);
        if (Below(2) == 0) {
          step.by_value.push_back(DescribeRemove(other));
        } else {
          step.by_reference.push_back(stage_.ProposeRemove(Anyone(), other));
        }
      } else if (Below(2) == 0 && members_.size() < kMost) {
        step.joiners.push_back(Newcomer());
        const std::string key_package = stage_.CreateKeyPackage(step.joiners.back());
        if (Below(2) == 0) {
          step.by_value.push_back(DescribeAdd(key_package));
        } else {
          step.by_reference.push_back(stage_.ProposeAdd(Anyone(), key_package));
        }
      } else if (other != committer && touched_.insert(other).second) {
        step.by_reference.push_back(stage_.ProposeUpdate(other));
      }
    }
    touched_.clear();
    Names left_out = removed;
    left_out.push_back(committer);
    step.members = AllBut(left_out);
    stage_.FullCommit(committer, step);
    members_ = AllBut(removed);
    members_.insert(members_.end(), step.joiners.begin(), step.joiners.end());
  }

  static constexpr size_t kMost = 24;
  Stage& stage_;
  std::mt19937_64 random_;
  Names members_;
  std::set<std::string> touched_;  // by an Update or Remove in the commit that is being made
  int last_actor_ = 2;
};

TEST_P(ScriptsTest, LongAndRandom) { RandomScript(stage_, GetParam().suite).Run(60); }

INSTANTIATE_TEST_SUITE_P(Suites, ScriptsTest,
                         ::testing::Values(Setting{3, false}, Setting{3, true},
                                           Setting{0x4D, false}, Setting{0x54, true},
                                           Setting{0xF001, false}, Setting{0xF001, true}),
                         [](const auto& setting) {
                           return "Suite" + std::to_string(setting.param.suite) +
                                  (setting.param.encrypt_handshake ? "Private" : "Public");
                         });

}  // namespace
}  // namespace parley::interop::testing

// Plays scripts of the MLS working group's kind: actors at several servers, steps that several of
// them take together, and what must hold after each.
//
// Whatever an actor takes in is first given to it with a bit flipped, which must be refused, and
// afterwards once more, which must be refused too.
#ifndef PARLEY_TOOLS_PARLEY_MLS_INTEROP_STAGE_TESTING_H_
#define PARLEY_TOOLS_PARLEY_MLS_INTEROP_STAGE_TESTING_H_

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "parley/interop/mls_client.grpc.pb.h"

namespace parley::interop::testing {

using mls_client::MLSClient;
using Stub = MLSClient::Stub;
using Names = std::vector<std::string>;
using Descriptions = std::vector<mls_client::ProposalDescription>;

// Calls that must succeed, or must not, as functions.
template <typename Request, typename Response>
using Method = grpc::Status (Stub::*)(grpc::ClientContext*, const Request&, Response*);

template <typename Request, typename Response>
grpc::Status Try(Stub& stub, Method<Request, Response> method, const Request& request,
                 Response* response) {
  grpc::ClientContext context;
  return (stub.*method)(&context, request, response);
}

template <typename Request, typename Response>
Response Must(Stub& stub, Method<Request, Response> method, const Request& request) {
  Response response;
  const grpc::Status status = Try(stub, method, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message() << " for " << Request().GetTypeName();
  return response;
}

// Whether a call was refused for a reason that the server gave. A server that is gone, or that
// failed in a way of its own, gives other codes.
bool IsRefusal(const grpc::Status& status);

// Whether `stub` is of this program. What another implementation refuses is its own to test, and
// what it wrongly took in would spoil the rest: it gets no damaged messages.
bool IsOurs(Stub& stub);

template <typename Request, typename Response>
void MustRefuse(Stub& stub, Method<Request, Response> method, const Request& request) {
  if (!IsOurs(stub)) return;
  Response response;
  const grpc::Status status = Try(stub, method, request, &response);
  EXPECT_TRUE(IsRefusal(status)) << Request().GetTypeName() << ": code " << status.error_code()
                                 << ", " << status.error_message();
}

struct CommitStep {
  std::vector<std::string> by_reference{};
  Descriptions by_value{};
  Names members{};  // beside the committer
  Names joiners{};
  bool force_path = false;
  bool external_tree = false;
};

struct ReInitStep {
  std::string proposer{};           // or:
  std::string external_proposal{};  // a message
  std::string committer{};
  std::string welcomer{};
  Names members{};  // all of them
  std::string new_group_id{};
  uint32_t new_suite = 0;
  std::vector<mls_client::Extension> extensions{};
  bool force_path = false;
  bool external_tree = false;
};

mls_client::Extension ExtensionOf(uint32_t type, std::string data);
mls_client::ProposalDescription Describe(std::string type);
mls_client::ProposalDescription DescribeAdd(std::string key_package);
mls_client::ProposalDescription DescribeRemove(std::string identity);
mls_client::ProposalDescription DescribePsk(std::string psk_id);
mls_client::ProposalDescription DescribeResumption(uint64_t epoch);
mls_client::ProposalDescription DescribeExtensions(std::vector<mls_client::Extension> extensions);

class Stage {
 public:
  // Actors are given to the servers in turn.
  Stage(std::vector<Stub*> servers, uint32_t suite, bool encrypt_handshake);

  Stub& ServerOf(const std::string& actor);
  uint32_t state(const std::string& actor) const { return states_.at(actor); }
  uint32_t suite() const { return suite_; }
  const std::string& group_id() const { return group_id_; }

  void CreateGroup(const std::string& creator, const Names& members = {});
  // The message; the actor's next join uses it.
  std::string CreateKeyPackage(const std::string& actor);
  // Gives all of them one more key, whose id is returned.
  std::string InstallPsk(const Names& actors);

  std::string ProposeAdd(const std::string& actor, const std::string& key_package);
  std::string ProposeUpdate(const std::string& actor);
  std::string ProposeRemove(const std::string& actor, const std::string& removed);
  std::string ProposePsk(const std::string& actor, const std::string& psk_id);
  std::string ProposeResumption(const std::string& actor, uint64_t epoch);
  std::string ProposeExtensions(const std::string& actor,
                                const std::vector<mls_client::Extension>& extensions);
  void FullCommit(const std::string& committer, const CommitStep& step);

  mls_client::GroupInfoResponse GroupInfoOf(const std::string& actor, bool external_tree);
  struct ExternalJoinStep {
    std::string adder{};  // whose GroupInfo is used
    std::string joiner{};
    Names members{};  // beside the adder
    bool external_tree = false;
    bool remove_prior = false;
    std::vector<std::string> psk_ids{};  // from InstallPsk
  };
  void ExternalJoin(const ExternalJoinStep& step);

  std::string ProposeToJoin(const std::string& joiner, const std::string& group_info);
  std::string AddExternalSigner(const std::string& actor, const std::string& signer);
  std::string ProposeFromOutside(const std::string& signer, uint32_t index,
                                 const std::string& member,
                                 const mls_client::ProposalDescription& description);

  void Branch(const std::string& creator, const Names& members,
              const std::vector<mls_client::Extension>& extensions, bool force_path,
              bool external_tree);
  void ReInit(const ReInitStep& step);

  std::string Protect(const std::string& actor, const std::string& text);
  void Unprotect(const std::string& actor, const std::string& message, const std::string& text);
  // Everybody says something that all the others read; and all agree on the epoch.
  void ExpectTalk(const Names& members);

  // A bit of `bytes` flipped, anywhere.
  std::string Flipped(std::string bytes);

  // Differs from epoch to epoch.
  std::string Authenticator(const std::string& actor);

 private:
  std::string Proposal(const mls_client::ProposalResponse& response);
  std::string HandlePending(const std::string& committer);
  void Handle(const std::string& member, const std::vector<std::string>& proposals,
              const std::string& commit, const std::string& authenticator);
  void Join(const std::string& joiner, const std::string& welcome, const std::string& tree,
            bool only_joiner, const std::string& authenticator);
  mls_client::HandleReInitCommitResponse HandleReInit(const std::string& member,
                                                      const std::string& proposal,
                                                      const std::string& commit);

  std::vector<Stub*> servers_;
  const uint32_t suite_;
  const bool encrypt_handshake_;
  std::map<std::string, size_t> server_of_;
  std::map<std::string, uint32_t> states_;
  std::map<std::string, uint32_t> transactions_;
  std::map<std::string, uint32_t> signers_;
  std::map<std::string, std::string> psks_;
  std::string group_id_;
  std::mt19937_64 random_{20240607};
};

}  // namespace parley::interop::testing

#endif  // PARLEY_TOOLS_PARLEY_MLS_INTEROP_STAGE_TESTING_H_

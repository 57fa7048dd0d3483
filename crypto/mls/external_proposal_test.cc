// Proposals from outside the group (RFC 9420 section 12.1.8), by friend and foe.
#include "crypto/mls/external_proposal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/mls/forging.h"
#include "crypto/mls/testing.h"

namespace parley::mls {
namespace {

using namespace testing;  // NOLINT
using ::testing::HasSubstr;

// A group that admits `service` as its only external sender.
std::vector<Group> Admitting(const SignatureKey& service) {
  std::vector<Group> groups = NewGroups(3);
  ExternalSender listed{.credential = Credential::Basic(ToBytes("service"))};
  listed.signature_key.assign(service.public_key().begin(), service.public_key().end());
  CommitToAll(groups, 0,
              Must(groups[0].PrepareCommit(
                  {.extensions = Extensions{ExternalSendersExtension({listed})}})));
  return groups;
}

TEST(ExternalProposal, OfEveryKindIsCommitted) {
  const SignatureKey service = SignatureKey::Generate();
  const KeyPackageBundle dora = NewKeyPackage("dora");
  const PreSharedKeyId psk =
      PreSharedKeyId::External(**FindCipherSuite(CipherSuiteId::k0x0003), ToBytes("pass"));
  const PskLookup lookup = [](const PreSharedKeyId&) { return Secret::CopyOf(Bytes(32, 3)); };
  for (const Proposal& proposal :
       {Proposal{Remove{LeafIndex(2)}}, Proposal{Add{dora.key_package()}},
        Proposal{PreSharedKey{psk}}, Proposal{GroupContextExtensions{}},
        Proposal{ReInit{.group_id = ToBytes("next"), .suite = CipherSuiteId::kParley}}}) {
    std::vector<Group> groups = Admitting(service);
    const GroupAddress address{groups[0].group_id(), groups[0].epoch()};
    const Bytes message = Must(ProposeFromOutside(service, 0, address, proposal, ToBytes("why")));
    for (Group& group : groups) {
      Received received = Must(group.Process(message));
      EXPECT_EQ(std::get<ReceivedProposal>(received).authenticated_data, ToBytes("why"));
      EXPECT_EQ(std::get<ReceivedProposal>(received).proposal.sender.type, SenderType::kExternal);
    }
    CommitOptions options;
    options.psk_lookup = lookup;
    PreparedCommit commit = Must(groups[0].PrepareCommit(options));
    Received received = Must(groups[1].Process(commit.message, {.psks = lookup}));
    Group next = Must(std::move(std::get<StagedCommit>(received)).Next());
    EXPECT_EQ(next.EpochAuthenticator(), commit.next.EpochAuthenticator());
  }
}

// Section 12.1.8: "External proposals MUST be sent as PublicMessage". A PrivateMessage has no
// sender but a member: what an external sender signed is no member's, whoever encrypts it.
TEST(ExternalProposal, InAPrivateMessageIsNobodys) {
  const SignatureKey service = SignatureKey::Generate();
  std::vector<Group> groups = Admitting(service);
  const GroupState& state = groups[1].state();
  const Secret before = groups[0].Serialize();
  for (WireFormat signed_as : {WireFormat::kPrivateMessage, WireFormat::kPublicMessage}) {
    FramedContent content = NewContent(state, {});
    content.sender = {.type = SenderType::kExternal, .index = 0};
    content.body = Proposal{Remove{LeafIndex(2)}};
    const Bytes signature = SignContent(service, signed_as, content, state.context);
    crypto::Writer plaintext;
    EncodeContentBody(plaintext, content);
    EncodeAuthData(plaintext, ContentType::kProposal,
                   {.signature = signature, .confirmation_tag = {}});
    const Bytes message = ForgeHandshake(groups[1], ContentType::kProposal, plaintext.view());
    EXPECT_EQ(groups[0].Process(message).status().code(), absl::StatusCode::kUnauthenticated);
  }
  EXPECT_TRUE(crypto::ConstantTimeEquals(before.Reveal(), groups[0].Serialize().Reveal()));
  EXPECT_TRUE(groups[0].pending_proposals().empty());
}

TEST(ExternalProposal, IsNotMadeOfOtherKinds) {
  const SignatureKey service = SignatureKey::Generate();
  EXPECT_FALSE(ProposeFromOutside(service, 0, {}, Proposal{Update{}}).ok());
  EXPECT_FALSE(ProposeFromOutside(service, 0, {}, Proposal{ExternalInit{}}).ok());
}

TEST(ExternalProposal, NewcomerAsksToJoin) {
  std::vector<Group> groups = NewGroups(2);
  KeyPackageBundle dora = NewKeyPackage("dora");
  const GroupAddress address =
      Must(GroupAddress::OfGroupInfo(Must(groups[0].GroupInfoMessage(false, false))));
  EXPECT_EQ(address.group_id, groups[0].group_id());
  EXPECT_EQ(address.epoch, 1u);
  EXPECT_FALSE(GroupAddress::OfGroupInfo(dora.message()).ok());
  const Bytes message = Must(ProposeToJoin(dora, address));
  for (Group& group : groups) ASSERT_TRUE(group.Process(message).ok());
  PreparedCommit commit = Must(groups[1].PrepareCommit());
  const Bytes welcome = *commit.welcome;
  CommitToAll(groups, 1, std::move(commit));
  groups.push_back(Must(Group::Join(welcome, std::move(dora))));
  ExpectAgreement(groups);
}

TEST(ExternalProposal, OfAnotherEpochOrGroupIsRefused) {
  const SignatureKey service = SignatureKey::Generate();
  std::vector<Group> groups = Admitting(service);
  const Proposal remove{Remove{LeafIndex(2)}};
  for (const GroupAddress& address : {GroupAddress{groups[0].group_id(), groups[0].epoch() - 1},
                                      GroupAddress{groups[0].group_id(), groups[0].epoch() + 1},
                                      GroupAddress{ToBytes("another group"), groups[0].epoch()}}) {
    EXPECT_EQ(
        groups[0].Process(Must(ProposeFromOutside(service, 0, address, remove))).status().code(),
        absl::StatusCode::kFailedPrecondition);
  }
}

TEST(ExternalProposal, SendersOutsideSignNothingElse) {
  // An external sender's commit, a newcomer's commit, a joiner's proposal.
  const SignatureKey service = SignatureKey::Generate();
  std::vector<Group> groups = Admitting(service);
  const Commit commit{};
  for (SenderType type :
       {SenderType::kExternal, SenderType::kNewMemberProposal, SenderType::kNewMemberCommit}) {
    EXPECT_EQ(groups[0]
                  .Process(OutsideContent(groups[0], service, {.type = type, .index = 0}, commit))
                  .status()
                  .code(),
              absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(groups[0]
                .Process(OutsideProposal(groups[0], service,
                                         {.type = SenderType::kNewMemberCommit, .index = 0},
                                         Proposal{Remove{LeafIndex(1)}}))
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(ExternalProposal, ExternalSendersMakeNoCommits) {
  // With a member's help it could be right in every other way.
  const SignatureKey service = SignatureKey::Generate();
  std::vector<Group> groups = Admitting(service);
  const Bytes forged = ForgeWholeCommit(
      groups[0], {.sender = Sender{.type = SenderType::kExternal, .index = 0}, .signer = &service});
  const absl::Status status = groups[1].Process(forged).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("can make proposals only"));
  EXPECT_TRUE(groups[1].Process(ForgeWholeCommit(groups[0], {})).ok());
}

TEST(ExternalProposal, OfKindsThatAreOthersToMake) {
  const SignatureKey service = SignatureKey::Generate();
  std::vector<Group> groups = Admitting(service);
  const Sender outside{.type = SenderType::kExternal, .index = 0};
  // An Update that would be a good one of member 0, who is in league with the service.
  const GroupState& state = groups[0].state();
  LeafNode leaf = state.own_leaf_node();
  leaf.source = LeafNodeSource::kUpdate;
  leaf.encryption_key = state.suite->kem().GenerateKeyPair().public_key;
  SignLeafNode(state.signature_key, state.place(state.own_leaf), leaf);
  const Proposal update{Update{leaf}};
  const Proposal init{ExternalInit{Bytes(32, 9)}};
  for (const Bytes& message :
       {OutsideProposal(groups[0], service, outside, update),
        OutsideProposal(groups[0], service, outside, init), ForgeProposal(groups[0], init)}) {
    const absl::Status status = groups[1].Process(message).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("its sender can't make"));
  }
  EXPECT_TRUE(groups[1].Process(ForgeProposal(groups[0], update)).ok());
}

TEST(ExternalProposal, ExternalSendersMustBeListed) {
  std::vector<Group> groups = NewGroups(3);
  const SignatureKey service = SignatureKey::Generate();
  const SignatureKey stranger = SignatureKey::Generate();
  const Sender first{.type = SenderType::kExternal, .index = 0};
  const Sender second{.type = SenderType::kExternal, .index = 1};
  const Proposal remove{Remove{LeafIndex(2)}};
  EXPECT_FALSE(groups[1].Process(OutsideProposal(groups[1], service, first, remove)).ok());

  ExternalSender listed{.credential = Credential::Basic(ToBytes("service"))};
  listed.signature_key.assign(service.public_key().begin(), service.public_key().end());
  const Extensions extensions = {
      {ExtensionType::kExternalSenders, crypto::Serialize(std::vector{listed})}};
  CommitToAll(groups, 0, Must(groups[0].PrepareCommit({.extensions = extensions})));
  EXPECT_FALSE(groups[1].Process(OutsideProposal(groups[1], stranger, first, remove)).ok());
  EXPECT_FALSE(groups[1].Process(OutsideProposal(groups[1], service, second, remove)).ok());
  EXPECT_FALSE(groups[1]
                   .Process(OutsideProposal(groups[1], service, first,
                                            Proposal{Update{groups[0].state().own_leaf_node()}}))
                   .ok());
  const Bytes good = OutsideProposal(groups[1], service, first, remove);
  EXPECT_TRUE(groups[1].Process(good).ok());
  ASSERT_TRUE(groups[0].Process(good).ok());
  PreparedCommit commit = Must(groups[0].PrepareCommit());
  groups.pop_back();
  CommitToAll(groups, 0, std::move(commit));
  ExpectAgreement(groups);
  EXPECT_EQ(groups[0].members().size(), 2u);
}

TEST(ExternalProposal, NewcomersProposeTheirOwnAddOnly) {
  std::vector<Group> groups = NewGroups(2);
  KeyPackageBundle dora = NewKeyPackage("dora");
  const SignatureKey key = Must(SignatureKey::FromSeed(dora.signature_private().Reveal()));
  const Sender newcomer{.type = SenderType::kNewMemberProposal, .index = 0};
  EXPECT_FALSE(
      groups[0]
          .Process(OutsideProposal(groups[0], key, newcomer, Proposal{Remove{LeafIndex(1)}}))
          .ok());
  EXPECT_FALSE(groups[0]
                   .Process(OutsideProposal(groups[0], SignatureKey::Generate(), newcomer,
                                            Proposal{Add{dora.key_package()}}))
                   .ok());
  EXPECT_TRUE(
      groups[0]
          .Process(OutsideProposal(groups[0], key, newcomer, Proposal{Add{dora.key_package()}}))
          .ok());
}

}  // namespace
}  // namespace parley::mls

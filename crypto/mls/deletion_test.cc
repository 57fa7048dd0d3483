// The deletion schedule of RFC 9420 section 9.2 and forward secrecy at rest: what has been consumed
// is in nothing that a group stores, neither whole nor in records.
#include <algorithm>

#include "crypto/mls/group_records.h"
#include "crypto/mls/group_state.h"
#include "crypto/mls/testing.h"

namespace parley::mls {
namespace {

using namespace testing;

bool Contains(const Secret& stored, const Secret& secret) {
  const ByteView in = stored.Reveal();
  const ByteView wanted = secret.Reveal();
  return std::search(in.begin(), in.end(), wanted.begin(), wanted.end()) != in.end();
}

// Whether any form of the group's saved state holds `secret`.
bool IsStored(const Group& group, const Secret& secret) {
  if (Contains(group.Serialize(), secret)) return true;
  const Group all = group.Clone();
  const GroupRecordChanges changes = ChangedRecords(all);
  return std::any_of(changes.put.begin(), changes.put.end(),
                     [&](const auto& record) { return Contains(record.second, secret); });
}

// The present secret of a sender's handshake ratchet, with which the record begins after a length
// of one byte; empty before the first message.
Secret RatchetSecretOf(const Group& group, LeafIndex leaf) {
  const std::optional<Secret> stored = group.state().secret_tree.StoreRatchets(leaf.value);
  if (!stored.has_value()) return {};
  return Secret::CopyOf(stored->Reveal().subspan(1, group.state().suite->hash_size()));
}

FoundKey KeyOf(const Group& group, LeafIndex sender, uint32_t generation,
               RatchetType type = RatchetType::kApplication) {
  return Must(group.state().secret_tree.Find(*group.state().suite, sender, type, generation));
}

class DeletionTest : public ::testing::TestWithParam<CipherSuiteId> {
 protected:
  std::vector<Group> groups_ = NewGroups(5, GetParam());
  Group& reader_ = groups_[0];
  Group& writer_ = groups_[3];
};

// "If K is consumed": the key and nonce of a message that was read or written.
TEST_P(DeletionTest, KeysOfMessages) {
  const FoundKey key = KeyOf(reader_, writer_.own_leaf(), 0);
  const Bytes message = Must(writer_.Protect(ViewOf("once")));
  EXPECT_FALSE(IsStored(writer_, key.key.key));
  EXPECT_FALSE(IsStored(writer_, key.key.nonce));
  Must(reader_.Process(message));
  EXPECT_FALSE(IsStored(reader_, key.key.key));
  EXPECT_FALSE(IsStored(reader_, key.key.nonce));
}

// A skipped key is kept, which also shows that this test can find one, until its message comes.
TEST_P(DeletionTest, SkippedKeys) {
  const FoundKey first = KeyOf(reader_, writer_.own_leaf(), 0);
  const FoundKey second = KeyOf(reader_, writer_.own_leaf(), 1);
  const Bytes late = Must(writer_.Protect(ViewOf("late")));
  Must(reader_.Process(Must(writer_.Protect(ViewOf("early")))));
  EXPECT_TRUE(IsStored(reader_, first.key.key));
  EXPECT_FALSE(IsStored(reader_, second.key.key));
  Must(reader_.Process(late));
  EXPECT_FALSE(IsStored(reader_, first.key.key));
  EXPECT_FALSE(IsStored(reader_, first.key.nonce));
}

// "All the secrets … from which K was derived": nodes of the secret tree and the ratchet's state.
TEST_P(DeletionTest, WhatKeysWereDerivedFrom) {
  const SecretTree& tree = reader_.state().secret_tree;
  ASSERT_EQ(tree.StoredNodes().size(), 1u) << "only the root's secret";
  const uint32_t root = tree.StoredNodes()[0];
  const Secret encryption_secret = *tree.StoreNode(root);
  EXPECT_TRUE(IsStored(reader_, encryption_secret));
  Must(reader_.Process(Must(writer_.ProposeUpdate())));
  EXPECT_FALSE(IsStored(reader_, encryption_secret));
  const Secret ratchet = RatchetSecretOf(reader_, writer_.own_leaf());
  EXPECT_TRUE(IsStored(reader_, ratchet));
  Must(reader_.Process(Must(writer_.ProposeRemove(LeafIndex(1)))));
  EXPECT_FALSE(IsStored(reader_, ratchet));
  // Of the others' part of the tree nothing is lost.
  Must(reader_.Process(Must(groups_[4].Protect(ViewOf("still here")))));
}

// A refused message consumes nothing: its key is still there to be derived for the genuine one.
TEST_P(DeletionTest, RefusedMessagesConsumeNothing) {
  Bytes message = Must(writer_.Protect(ViewOf("genuine")));
  const Secret before = reader_.Serialize();
  message.back() ^= 1;
  EXPECT_FALSE(reader_.Process(message).ok());
  EXPECT_TRUE(crypto::ConstantTimeEquals(before.Reveal(), reader_.Serialize().Reveal()));
  message.back() ^= 1;
  Must(reader_.Process(message));
}

// A commit that verified and that the application doesn't want: its key goes once that is said, and
// not before, since a caller may also have crashed, or be about to accept it.
TEST_P(DeletionTest, KeysOfCommitsThatAreRefused) {
  Group late = reader_.Clone();
  PreparedCommit unwanted = Must(writer_.PrepareCommit());
  const Bytes proposal = Must(writer_.ProposeRemove(LeafIndex(1)));
  const FoundKey key = KeyOf(reader_, writer_.own_leaf(), 0, RatchetType::kHandshake);
  Received received = Must(reader_.Process(unwanted.message));
  // Another of its sender's comes between, for which the key was skipped and kept.
  Must(reader_.Process(proposal));
  EXPECT_TRUE(IsStored(reader_, key.key.key));
  Received again = Must(reader_.Process(unwanted.message));
  EXPECT_TRUE(reader_.Refuse(std::move(std::get<StagedCommit>(received))).ok());
  EXPECT_FALSE(IsStored(reader_, key.key.key) || IsStored(reader_, key.key.nonce));
  EXPECT_EQ(reader_.Process(unwanted.message).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(reader_.Refuse(std::move(std::get<StagedCommit>(again))).ok()) << "it is gone";
  // The ratchet goes on from where it was, and the group too.
  Must(reader_.Process(Must(writer_.ProposeUpdate())));
  // The first of its ratchet: what it was derived from goes with it.
  Received first = Must(late.Process(unwanted.message));
  EXPECT_TRUE(late.Refuse(std::move(std::get<StagedCommit>(first))).ok());
  EXPECT_FALSE(IsStored(late, key.key.key));
  EXPECT_FALSE(late.Process(unwanted.message).ok());
  Must(late.Process(proposal));
  // One of a past epoch is no longer refused, and one in the open used no key.
  PreparedCommit in_public = Must(
      groups_[1].PrepareCommit({.include = ProposalsToInclude::kNone, .public_message = true}));
  const Secret before = late.Serialize();
  Received open = Must(late.Process(in_public.message));
  EXPECT_TRUE(late.Refuse(std::move(std::get<StagedCommit>(open))).ok());
  EXPECT_TRUE(crypto::ConstantTimeEquals(before.Reveal(), late.Serialize().Reveal()));
  Received past = Must(late.Process(in_public.message));
  Received next = Must(late.Process(in_public.message));
  late = Must(std::move(std::get<StagedCommit>(next)).Next());
  EXPECT_EQ(late.Refuse(std::move(std::get<StagedCommit>(past))).code(),
            absl::StatusCode::kFailedPrecondition);
}

// An epoch's secrets go with it, but for the resumption secret that later PSKs may name.
TEST_P(DeletionTest, SecretsOfAnEpoch) {
  const EpochSecrets& secrets = reader_.state().secrets;
  std::vector<Secret> past;
  for (const Secret* secret :
       {&secrets.sender_data.value, &secrets.exporter.value, &secrets.external.value,
        &secrets.confirmation.value, &secrets.membership.value, &secrets.authenticator.value,
        &secrets.init.value}) {
    EXPECT_TRUE(IsStored(reader_, *secret));
    past.push_back(secret->Clone());
  }
  const Secret resumption = secrets.resumption.value.Clone();
  past.push_back(RatchetSecretOf(reader_, writer_.own_leaf()));
  for (const auto& [node, secret] : reader_.state().keys) {
    if (node != NodeIndex(reader_.own_leaf())) past.push_back(secret.Clone());
  }
  const auto expect_gone = [&](const Group& group) {
    for (const Secret& secret : past) {
      EXPECT_TRUE(secret.empty() || !IsStored(group, secret));
    }
  };
  // Two commits by different members renew every node above the reader.
  CommitToAll(groups_, 3, Must(groups_[3].PrepareCommit()));
  CommitToAll(groups_, 1, Must(groups_[1].PrepareCommit()));
  expect_gone(reader_);
  EXPECT_TRUE(IsStored(reader_, resumption));
}

// An own leaf's key goes when an own commit, or somebody's commit of an own Update, replaces it.
TEST_P(DeletionTest, PrivateKeysOfLeaves) {
  const NodeIndex own(reader_.own_leaf());
  const Secret first = reader_.state().keys.at(own).Clone();
  EXPECT_TRUE(IsStored(reader_, first));
  CommitToAll(groups_, 0, Must(reader_.PrepareCommit()));
  EXPECT_FALSE(IsStored(reader_, first));
  const Secret second = reader_.state().keys.at(own).Clone();
  const Bytes update = Must(reader_.ProposeUpdate({.new_signature_key = true}));
  const Secret seed = reader_.state().signature_key.Seed();
  for (size_t i = 1; i < groups_.size(); ++i) Must(groups_[i].Process(update));
  CommitToAll(groups_, 2, Must(groups_[2].PrepareCommit()));
  EXPECT_FALSE(IsStored(reader_, second));
  EXPECT_FALSE(IsStored(reader_, seed));
}

// Updates that were given up.
TEST_P(DeletionTest, DroppedUpdates) {
  Must(reader_.ProposeUpdate({.new_signature_key = true}));
  Must(reader_.ProposeUpdate());
  const Secret key = reader_.state().pending_updates[0].leaf_private.Clone();
  const Secret seed = reader_.state().pending_updates[0].signature_seed.Clone();
  const Secret other = reader_.state().pending_updates[1].leaf_private.Clone();
  EXPECT_EQ(reader_.DropPendingProposals({reader_.pending_proposals()[0].ref}), 1u);
  EXPECT_FALSE(IsStored(reader_, key) || IsStored(reader_, seed));
  EXPECT_TRUE(IsStored(reader_, other));
}

// Updates that nobody committed.
TEST_P(DeletionTest, PendingUpdates) {
  Must(reader_.ProposeUpdate({.new_signature_key = true}));
  const Secret key = reader_.state().pending_updates[0].leaf_private.Clone();
  const Secret seed = reader_.state().pending_updates[0].signature_seed.Clone();
  EXPECT_TRUE(IsStored(reader_, key) && IsStored(reader_, seed));
  CommitToAll(groups_, 4, Must(groups_[4].PrepareCommit()));
  EXPECT_FALSE(IsStored(reader_, key) || IsStored(reader_, seed));
}

INSTANTIATE_TEST_SUITE_P(Suites, DeletionTest,
                         ::testing::Values(CipherSuiteId::k0x0003, CipherSuiteId::kParley));

}  // namespace
}  // namespace parley::mls

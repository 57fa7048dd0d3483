// Welcomes by a hostile committer (RFC 9420 section 12.4.3.1): each breaks one rule with everything
// else in order, and is refused by that rule. And honest ones by roads that aren't the usual.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <limits>

#include "crypto/mls/forging.h"
#include "crypto/mls/testing.h"
#include "crypto/mls/tree_validation.h"

namespace parley::mls {
namespace {

using namespace testing;  // NOLINT
using ::testing::HasSubstr;

class HostileWelcome : public ::testing::Test {
 protected:
  HostileWelcome() : dora_(NewKeyPackage("dora")) {}
  void SetUp() override {
    groups_ = NewGroups(5);
    for (size_t i : {0, 2, 4}) CommitToAll(groups_, i, Must(groups_[i].PrepareCommit()));
    Use(CommitOptions{.force_path = true});
  }

  void Use(CommitOptions options) {
    options.adds = {dora_.message()};
    PreparedCommit commit = Must(groups_[0].PrepareCommit(options));
    welcome_ = *commit.welcome;
    tree_ = commit.next.state().tree;
  }

  // Whatever is refused, the key package still serves for the genuine Welcome.
  absl::Status JoinBy(const Bytes& welcome, const JoinOptions& options = {}) {
    const Secret stored = dora_.SerializeSecret();
    KeyPackageBundle copy = Must(KeyPackageBundle::Parse(stored.Reveal()));
    const absl::Status status = Group::Join(welcome, std::move(copy), options).status();
    if (status.ok()) return status;
    // NOLINTBEGIN(bugprone-use-after-move)
    EXPECT_TRUE(crypto::ConstantTimeEquals(stored.Reveal(), copy.SerializeSecret().Reveal()));
    EXPECT_TRUE(Group::Join(welcome_, std::move(copy), {.ratchet_tree = tree_->Serialize()}).ok());
    // NOLINTEND(bugprone-use-after-move)
    return status;
  }
  absl::Status Try(const std::function<void(WelcomeContents&)>& tamper) {
    return JoinBy(ForgeWelcome(welcome_, dora_, groups_[0].state().signature_key, tamper));
  }
  void ExpectInvalid(const std::function<void(WelcomeContents&)>& tamper, const char* why) {
    const absl::Status status = Try(tamper);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(why));
  }
  // The tree with member 1's leaf changed and signed by its own key.
  RatchetTree WithLeaf(const std::function<void(LeafNode&)>& change) {
    auto leaf = std::make_shared<LeafNode>(*tree_->leaf(LeafIndex(1)));
    change(*leaf);
    SignLeafNode(groups_[1].state().signature_key, groups_[1].state().place(LeafIndex(1)), *leaf);
    RatchetTree changed = *tree_;
    changed.UpdateLeaf(LeafIndex(1), std::move(leaf));
    return changed;
  }

  KeyPackageBundle dora_;
  std::vector<Group> groups_;
  Bytes welcome_;
  std::optional<RatchetTree> tree_;
};

TEST_F(HostileWelcome, HonestOneIsAccepted) {
  EXPECT_TRUE(Try([](WelcomeContents&) {}).ok());
}

TEST_F(HostileWelcome, ForAnotherKeyPackageOrSuite) {
  KeyPackageBundle other = NewKeyPackage("dora");
  EXPECT_EQ(Group::Join(welcome_, std::move(other)).status().code(), absl::StatusCode::kNotFound);
  KeyPackageBundle strong = NewKeyPackage("dora", CipherSuiteId::kParley);
  EXPECT_THAT(std::string(Group::Join(welcome_, std::move(strong)).status().message()),
              HasSubstr("another cipher suite"));
}

TEST_F(HostileWelcome, SecretsOfTheWrongSize) {
  ExpectInvalid(
      [](WelcomeContents& c) { c.secrets.path_secret->path_secret = Secret::CopyOf(Bytes(5, 1)); },
      "wrong size");
  ExpectInvalid([](WelcomeContents& c) { c.secrets.joiner_secret = Secret::CopyOf(Bytes(33, 1)); },
                "wrong size");
}

TEST_F(HostileWelcome, PskThatIsNotKnown) {
  const PreSharedKeyId id = PreSharedKeyId::External(*groups_[0].state().suite, ToBytes("what"));
  EXPECT_EQ(Try([&](WelcomeContents& c) {
              c.secrets.psks = {id};
              c.psks.push_back({id, Secret::CopyOf(Bytes(32, 1))});
            }).code(),
            absl::StatusCode::kFailedPrecondition);
  ExpectInvalid([&](WelcomeContents& c) { c.secrets.psks.assign(kMaxPsks + 1, id); }, "too many");
}

TEST_F(HostileWelcome, PskThatOnlyTheWelcomeNames) {
  // Secrets that the others don't have: the confirmation tag can't fit.
  const PreSharedKeyId id = PreSharedKeyId::External(*groups_[0].state().suite, ToBytes("mine"));
  const Bytes forged =
      ForgeWelcome(welcome_, dora_, groups_[0].state().signature_key, [&](WelcomeContents& c) {
        c.secrets.psks = {id};
        c.psks.push_back({id, Secret::CopyOf(Bytes(32, 1))});
      });
  JoinOptions options;
  options.psks = [](const PreSharedKeyId&) { return Secret::CopyOf(Bytes(32, 1)); };
  EXPECT_EQ(JoinBy(forged, options).code(), absl::StatusCode::kUnauthenticated);
}

// Section 8.4 and 12.2 bind those who join by a Welcome as they do those who read the commit.
TEST_F(HostileWelcome, PskTwiceOrWithAShortNonce) {
  PreSharedKeyId id = PreSharedKeyId::External(*groups_[0].state().suite, ToBytes("mine"));
  JoinOptions options;
  options.psks = [](const PreSharedKeyId&) { return Secret::CopyOf(Bytes(32, 1)); };
  const auto with = [&](const std::vector<PreSharedKeyId>& ids) {
    const absl::Status status =
        JoinBy(ForgeWelcome(welcome_, dora_, groups_[0].state().signature_key,
                            [&](WelcomeContents& c) {
                              c.secrets.psks = ids;
                              for (const PreSharedKeyId& one : ids) {
                                c.psks.push_back({one, Secret::CopyOf(Bytes(32, 1))});
                              }
                            }),
               options);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    return std::string(status.message());
  };
  EXPECT_THAT(with({id, id}), HasSubstr("twice"));
  id.psk_nonce.pop_back();
  EXPECT_THAT(with({id}), HasSubstr("nonce of the wrong length"));
}

TEST_F(HostileWelcome, GroupInfoSignedByAnother) {
  // By member 1 in the name of member 0; by nobody; by a stranger.
  EXPECT_EQ(JoinBy(ForgeWelcome(welcome_, dora_, groups_[1].state().signature_key,
                                [](WelcomeContents&) {}))
                .code(),
            absl::StatusCode::kUnauthenticated);
  for (uint32_t signer : {6u, 7u, 77u, UINT32_MAX}) {
    ExpectInvalid([&](WelcomeContents& c) { c.info.signer = signer; }, "signed by nobody");
  }
  EXPECT_EQ(JoinBy(ForgeWelcome(welcome_, dora_, SignatureKey::Generate(), [](WelcomeContents&) {}))
                .code(),
            absl::StatusCode::kUnauthenticated);
}

TEST_F(HostileWelcome, GroupOfAnotherVersionOrSuite) {
  ExpectInvalid([](WelcomeContents& c) { c.info.group_context.version = ProtocolVersion{2}; },
                "another version or cipher suite");
  ExpectInvalid([](WelcomeContents& c) { c.info.group_context.suite = CipherSuiteId::kParley; },
                "another version or cipher suite");
}

TEST_F(HostileWelcome, GroupIdInUse) {
  JoinOptions options;
  options.in_use = [](ByteView id) { return crypto::PublicEquals(id, ViewOf("a group")); };
  EXPECT_EQ(JoinBy(welcome_, options).code(), absl::StatusCode::kAlreadyExists);
  options.in_use = [](ByteView) { return false; };
  EXPECT_TRUE(JoinBy(welcome_, options).ok());
}

TEST_F(HostileWelcome, TreeIsMissingOrNotThatOfTheGroup) {
  ExpectInvalid([](WelcomeContents& c) { c.info.extensions.clear(); }, "without its ratchet tree");
  ExpectInvalid([&](WelcomeContents& c) { c.SetTree(groups_[0].RatchetTreeExtension()); },
                "isn't that of the group");
  for (const Bytes& wire : {Bytes{}, Bytes{0}, Bytes{1, 0}, Bytes{1, 7}, Bytes{2, 0, 0}}) {
    ExpectInvalid([&](WelcomeContents& c) { c.SetTree(wire); }, "");
  }
}

TEST_F(HostileWelcome, TreeFromElsewhere) {
  Use({.tree_in_welcome = false});
  EXPECT_FALSE(JoinBy(welcome_).ok());
  EXPECT_TRUE(JoinBy(welcome_, {.ratchet_tree = tree_->Serialize()}).ok());
  // A valid tree with the joiner in it, where only the hash tells that it is another.
  const RatchetTree other = WithLeaf([&](LeafNode& leaf) {
    leaf.encryption_key = groups_[0].state().suite->kem().GenerateKeyPair().public_key;
  });
  const absl::Status status = JoinBy(welcome_, {.ratchet_tree = other.Serialize()});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("isn't that of the group"));
}

TEST_F(HostileWelcome, TreeWithAnInvalidLeaf) {
  EXPECT_EQ(Try([&](WelcomeContents& c) {
              auto leaf = std::make_shared<LeafNode>(*tree_->leaf(LeafIndex(1)));
              leaf->signature[0] ^= 1;
              RatchetTree changed = *tree_;
              changed.UpdateLeaf(LeafIndex(1), std::move(leaf));
              c.SetTree(changed);
            }).code(),
            absl::StatusCode::kUnauthenticated);
  ExpectInvalid(
      [&](WelcomeContents& c) {
        c.SetTree(WithLeaf([](LeafNode& leaf) { leaf.capabilities.cipher_suites.clear(); }));
      },
      "version or suite");
  ExpectInvalid(
      [&](WelcomeContents& c) {
        c.SetTree(WithLeaf([](LeafNode& leaf) {
          leaf.extensions = {{ExtensionType{0xF0FF}, {}}};
        }));
      },
      "extension it doesn't support");
  ExpectInvalid(
      [&](WelcomeContents& c) {
        c.SetTree(WithLeaf([](LeafNode& leaf) { leaf.capabilities.credentials.clear(); }));
      },
      "credential it doesn't support");
  ExpectInvalid(
      [&](WelcomeContents& c) {
        c.SetTree(WithLeaf([](LeafNode& leaf) { leaf.encryption_key = Bytes(32, 0); }));
      },
      "");
  ExpectInvalid(
      [&](WelcomeContents& c) {
        c.SetTree(WithLeaf([&](LeafNode& leaf) {
          leaf.encryption_key = tree_->leaf(LeafIndex(3))->encryption_key;
        }));
      },
      "appears twice");
}

TEST_F(HostileWelcome, TreeWithAParentThatNobodyVouchesFor) {
  ExpectInvalid(
      [&](WelcomeContents& c) {
        RatchetTree changed = *tree_;
        std::vector<std::pair<NodeIndex, ParentNode>> parents;
        for (const auto& step : tree_->FilteredDirectPath(LeafIndex(0))) {
          parents.emplace_back(step.node, *tree_->parent(step.node));
        }
        parents[0].second.encryption_key =
            groups_[0].state().suite->kem().GenerateKeyPair().public_key;
        changed.MergePath(LeafIndex(0), std::make_shared<LeafNode>(*tree_->leaf(LeafIndex(0))),
                          parents);
        c.SetTree(changed);
      },
      "origin isn't proved");
}

TEST_F(HostileWelcome, CredentialsThatNotAllUnderstand) {
  // One member shows a certificate, the others know basic credentials only.
  ExpectInvalid(
      [&](WelcomeContents& c) {
        c.SetTree(WithLeaf([](LeafNode& leaf) {
          leaf.credential = Credential::X509({});
          leaf.capabilities.credentials.push_back(CredentialType::kX509);
        }));
      },
      "credential in use");
}

TEST_F(HostileWelcome, GroupWithoutTheNewMember) {
  ExpectInvalid(
      [&](WelcomeContents& c) {
        RatchetTree changed = *tree_;
        changed.RemoveLeaf(LeafIndex(5));
        c.SetTree(changed);
      },
      "");
  // Another key package of the same person in its place.
  ExpectInvalid(
      [&](WelcomeContents& c) {
        RatchetTree changed = groups_[0].state().tree;
        ASSERT_TRUE(
            changed
                .AddLeaf(std::make_shared<LeafNode>(NewKeyPackage("dora").key_package().leaf_node))
                .ok());
        c.SetTree(changed);
      },
      "without oneself");
}

TEST_F(HostileWelcome, PathSecretThatDoesNotFitTheTree) {
  ExpectInvalid(
      [](WelcomeContents& c) { c.secrets.path_secret->path_secret = Secret::CopyOf(Bytes(32, 1)); },
      "doesn't fit the tree");
}

TEST_F(HostileWelcome, ExtensionsThatTheJoinerDoesNotSupport) {
  ExpectInvalid(
      [](WelcomeContents& c) {
        c.info.group_context.extensions = {{ExtensionType{0xF0FF}, {}}};
      },
      "doesn't support");
  const RequiredCapabilities required{.proposals = {ProposalType{0xF001}}};
  ExpectInvalid(
      [&](WelcomeContents& c) {
        c.info.group_context.extensions = {
            {ExtensionType::kRequiredCapabilities, crypto::Serialize(required)}};
      },
      "doesn't support");
}

TEST_F(HostileWelcome, ExtensionsTwice) {
  ExpectInvalid(
      [](WelcomeContents& c) {
        c.info.extensions.push_back({ExtensionType{0x0A0A}, {1}});
        c.info.extensions.push_back({ExtensionType{0x0A0A}, {2}});
      },
      "one type twice");
  ExpectInvalid(
      [](WelcomeContents& c) {
        c.info.group_context.extensions = {{kRosterExtension, {1}}, {kRosterExtension, {2}}};
      },
      "one type twice");
}

TEST_F(HostileWelcome, UnknownGroupInfoExtensionsAreIgnored) {
  EXPECT_TRUE(Try([](WelcomeContents& c) {
                c.info.extensions.push_back({ExtensionType{0xF0FF}, {1, 2, 3}});
              }).ok());
}

TEST_F(HostileWelcome, ConfirmationTagThatDoesNotFit) {
  EXPECT_EQ(Try([](WelcomeContents& c) { c.info.confirmation_tag[0] ^= 1; }).code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(Try([](WelcomeContents& c) { c.info.confirmation_tag.clear(); }).code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(Try([](WelcomeContents& c) {
              c.info.group_context.confirmed_transcript_hash[0] ^= 1;
            }).code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(Try([](WelcomeContents& c) { ++c.info.group_context.epoch; }).code(),
            absl::StatusCode::kUnauthenticated);
}

TEST_F(HostileWelcome, HugeTreeIsRefusedQuickly) {
  // 2^17 leaves in a quarter of a megabyte: one byte for each node but the last.
  crypto::Writer body;
  for (uint32_t i = 0; i + 1 < (2u << 17); ++i) body.WriteUint8(0);
  crypto::Writer wire;
  wire.WriteOpaque(body.view());
  const Bytes huge(wire.view().begin(), wire.view().end());
  ExpectInvalid([&](WelcomeContents& c) { c.SetTree(huge); }, "too large");
}

// A tree whose leaves all claim, unsigned, to be the one that the root was merged from: telling
// which of them is takes no longer than looking at each.
TEST_F(HostileWelcome, ManyWhoClaimOneParentAreToldApartQuickly) {
  const CipherSuite& suite = *groups_[0].state().suite;
  const auto wire = [&](uint32_t half, const Bytes& parent_hash) {
    crypto::Writer body;
    for (uint32_t node = 0; node < 4 * half - 1; ++node) {
      if (node == 2 * half - 1) {
        ParentNode root{Bytes(32, 0xAA), {}, {}};
        for (uint32_t leaf = 1; leaf < half; ++leaf) root.unmerged_leaves.push_back(leaf);
        body.WriteUint8(1);
        body.WriteUint8(2);
        Encode(body, root);
      } else if (node % 2 == 0 && (node < 2 * half || node + 2 == 4 * half)) {
        LeafNode leaf{};
        leaf.encryption_key = Bytes(32, 1);
        std::memcpy(leaf.encryption_key.data(), &node, sizeof node);
        leaf.signature_key = leaf.encryption_key;
        // Whose name the GroupInfo is signed in.
        if (node == 0) leaf.signature_key = groups_[0].state().own_leaf_node().signature_key;
        leaf.credential = Credential::Basic({});
        leaf.source = LeafNodeSource::kCommit;
        leaf.parent_hash = node < 2 * half ? parent_hash : Bytes(32, 0);
        body.WriteUint8(1);
        body.WriteUint8(1);
        Encode(body, leaf);
      } else {
        body.WriteUint8(0);
      }
    }
    crypto::Writer w;
    w.WriteOpaque(body.view());
    return std::move(w).Take();
  };
  // The root's hash says nothing of the leaves below it on their side.
  const auto tree_of = [&](uint32_t half) {
    const RatchetTree draft = Must(RatchetTree::Parse(suite, wire(half, Bytes(32, 0))));
    const NodeIndex root = RootOf(draft.leaf_count());
    return Must(RatchetTree::Parse(
        suite, wire(half, draft.ParentHash(*draft.parent(root), RightOf(root)))));
  };
  const auto processor_time = [](const RatchetTree& tree) {
    std::clock_t best = std::numeric_limits<std::clock_t>::max();
    for (int i = 0; i < 3; ++i) {
      const std::clock_t start = std::clock();
      EXPECT_TRUE(ValidateParentHashes(tree).ok());
      best = std::min(best, std::clock() - start);
    }
    return best;
  };
  const RatchetTree large = tree_of(kMaxLeaves / 2);
  EXPECT_FALSE(Try([&](WelcomeContents& c) { c.SetTree(large); }).ok());
  // Eight times the leaves: to compare each with all would take 64 times as long.
  EXPECT_LT(processor_time(large), 24 * processor_time(tree_of(kMaxLeaves / 16)));
}

}  // namespace
}  // namespace parley::mls

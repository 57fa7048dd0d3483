// Lists of proposals that can't stand together (RFC 9420 sections 12.1 to 12.3), committed all the
// same by a hostile member: by reference, or with leaves that the rest of the group can't live
// with.
#include <sys/resource.h>

#include "crypto/mls/hostile_commit_testing.h"

namespace parley::mls {
namespace {

using namespace testing;  // NOLINT

class HostileList : public HostileCommit {
 protected:
  // `proposal` of member `from`, taken in by everybody, member 0 included. Returns its name.
  ProposalRef Say(size_t from, const Proposal& proposal) {
    const Bytes message = ForgeProposal(groups_[from], proposal);
    ProposalRef ref;
    for (size_t i = 0; i < groups_.size(); ++i) {
      if (i == from) continue;
      Received received = Must(groups_[i].Process(message));
      ref = std::get<ReceivedProposal>(received).proposal.ref;
    }
    return ref;
  }
  Proposal UpdateOf(
      size_t from, const std::function<void(LeafNode&)>& change = [](LeafNode&) {}) {
    const GroupState& state = groups_[from].state();
    LeafNode leaf = state.own_leaf_node();
    leaf.source = LeafNodeSource::kUpdate;
    leaf.encryption_key = suite().kem().GenerateKeyPair().public_key;
    change(leaf);
    SignLeafNode(state.signature_key, state.place(state.own_leaf), leaf);
    return Proposal{Update{leaf}};
  }
  // Member 0's commit of these references, whatever an honest one would contain.
  Bytes CommitOf(const std::vector<ProposalRef>& refs, const std::vector<Proposal>& values = {}) {
    return Forge(
        [&](Commit& commit) {
          for (const ProposalRef& ref : refs) commit.proposals.push_back({ref});
          for (const Proposal& value : values) commit.proposals.push_back({value});
        },
        {.include = ProposalsToInclude::kNone});
  }
  // The same with a path that is right for them, so that nothing but the proposals is wrong.
  Bytes WithPath(const std::vector<Proposal>& values,
                 const std::vector<PendingProposal>& references = {}) {
    ChosenProposals chosen;
    for (const PendingProposal& pending : references) chosen.AddByReference(pending);
    for (const Proposal& value : values) {
      chosen.AddByValue(Sender::Member(LeafIndex(0)), value);
    }
    return ForgeCommitOf(groups_[0], std::move(chosen));
  }
  // Members 2 and 3 refuse; member 1 has perhaps made the proposals and doesn't know their names.
  void ExpectOthersRefuse(const Bytes& message, const char* why) {
    for (size_t i : {2, 3}) {
      const Secret before = groups_[i].Serialize();
      const absl::Status status = groups_[i].Process(message).status();
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
      EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(why));
      EXPECT_TRUE(crypto::ConstantTimeEquals(before.Reveal(), groups_[i].Serialize().Reveal()));
    }
    // And the group goes on.
    CommitToAll(groups_, 2, Must(groups_[2].PrepareCommit({.include = ProposalsToInclude::kNone})));
    ExpectAgreement(groups_);
  }
};

TEST_F(HostileList, OwnUpdateByReference) {
  ExpectOthersRefuse(CommitOf({Say(0, UpdateOf(0))}), "its own committer");
}

TEST_F(HostileList, TwoUpdatesOfOneLeaf) {
  const ProposalRef first = Say(1, UpdateOf(1));
  ExpectOthersRefuse(CommitOf({first, Say(1, UpdateOf(1))}), "one leaf twice");
}

TEST_F(HostileList, OneProposalTwice) {
  const ProposalRef update = Say(1, UpdateOf(1));
  ExpectOthersRefuse(CommitOf({update, update}), "names one proposal twice");
}

// A short commit that names one long proposal over and over takes no more memory than its length.
TEST_F(HostileList, OneLongProposalThousandsOfTimes) {
  const KeyPackageBundle bundle = Must(KeyPackageBundle::Create(
      {.suite = CipherSuiteId::k0x0003,
       .identity = ToBytes("long"),
       .capabilities = Capabilities::Default(CipherSuiteId::k0x0003, {kRosterExtension}),
       .key_package_extensions = {{kRosterExtension, Bytes(200'000, 1)}}}));
  const ProposalRef add = Say(1, {Add{bundle.key_package()}});
  const auto most_kib = [] {
    struct rusage usage {};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  const long before = most_kib();
  ExpectOthersRefuse(CommitOf(std::vector<ProposalRef>(2000, add)), "names one proposal twice");
  // 2,000 copies would be 400 MB.
  EXPECT_LT(most_kib() - before, 100 << 10);
}

TEST_F(HostileList, UpdateAndRemoveOfOneLeaf) {
  ExpectOthersRefuse(CommitOf({Say(1, UpdateOf(1))}, {{Remove{LeafIndex(1)}}}), "one leaf twice");
}

TEST_F(HostileList, RemovalOfTheCommitterByReference) {
  ExpectOthersRefuse(CommitOf({Say(1, {Remove{LeafIndex(0)}})}), "its own committer");
}

TEST_F(HostileList, ReInitByReferenceWithMore) {
  const ProposalRef reinit =
      Say(1, {ReInit{.group_id = ToBytes("next"), .suite = CipherSuiteId::k0x0003}});
  ExpectOthersRefuse(CommitOf({reinit}, {{Remove{LeafIndex(3)}}}), "ReInit");
}

TEST_F(HostileList, ReInitToAnOlderVersion) {
  ExpectInvalid(ForgeProposals({{ReInit{.group_id = ToBytes("next"),
                                        .version = ProtocolVersion{0},
                                        .suite = CipherSuiteId::k0x0003}}}),
                "older version");
}

// Section 13.4, before the group has ended and nobody can be told any more.
TEST_F(HostileList, ReInitWithExtensionsTwiceOrUnreadable) {
  const auto with = [&](Extensions extensions) {
    return ForgeProposal(groups_[0], {ReInit{.group_id = ToBytes("next"),
                                             .suite = CipherSuiteId::k0x0003,
                                             .extensions = std::move(extensions)}});
  };
  ExpectInvalid(with({{kRosterExtension, {1}}, {kRosterExtension, {2}}}), "one type twice");
  Extensions many;
  for (uint16_t i = 0; i <= kMaxExtensions; ++i) {
    many.push_back({ExtensionType{static_cast<uint16_t>(0xF000 + i)}, {}});
  }
  ExpectInvalid(with(many), "too long");
  ExpectInvalid(with({{ExtensionType::kExternalSenders, {9}}}), "");
  ExpectInvalid(with({{ExtensionType::kRequiredCapabilities, {9}}}), "");
  ExpectInvalid(
      ForgeProposals({{ReInit{.group_id = ToBytes("next"),
                              .suite = CipherSuiteId::k0x0003,
                              .extensions = {{kRosterExtension, {}}, {kRosterExtension, {}}}}}}),
      "one type twice");
  EXPECT_TRUE(groups_[1].Process(with({{kRosterExtension, {1}}})).ok());
}

TEST_F(HostileList, TwoUpdatesToOneKey) {
  const Bytes key = suite().kem().GenerateKeyPair().public_key;
  const auto with_key = [&](LeafNode& leaf) { leaf.encryption_key = key; };
  Say(1, UpdateOf(1, with_key));
  Say(2, UpdateOf(2, with_key));
  ASSERT_EQ(groups_[0].pending_proposals().size(), 2u);
  const absl::Status status =
      groups_[3].Process(WithPath({}, groups_[0].pending_proposals())).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("appears twice"));
}

TEST_F(HostileList, NewExtensionsCountForTheOtherProposals) {
  // An Update that gives up what the same commit makes the group require.
  const ProposalRef update =
      Say(1, UpdateOf(1, [](LeafNode& leaf) { leaf.capabilities.extensions.clear(); }));
  ASSERT_EQ(groups_[0].pending_proposals().back().ref, update);
  ExpectOthersRefuse(WithPath({{GroupContextExtensions{{{kRosterExtension, {}}}}}},
                              groups_[0].pending_proposals()),
                     "doesn't support");
}

TEST_F(HostileList, NewExtensionsCountForWhoIsAdded) {
  const KeyPackageBundle plain =
      Must(KeyPackageBundle::Create({.suite = CipherSuiteId::k0x0003, .identity = ToBytes("p")}));
  ExpectInvalid(
      WithPath({{GroupContextExtensions{{{kRosterExtension, {}}}}}, {Add{plain.key_package()}}}),
      "doesn't support");
}

TEST_F(HostileList, RequiredCapabilitiesThatSomeLack) {
  RequiredCapabilities required{.proposals = {ProposalType{0xF001}}};
  const auto with = [&] {
    return WithPath({{GroupContextExtensions{
        {{ExtensionType::kRequiredCapabilities, crypto::Serialize(required)}}}}});
  };
  ExpectInvalid(with(), "doesn't support");
  required = {.extensions = {ExtensionType{0xF0FE}}};
  ExpectInvalid(with(), "doesn't support");
  required = {.credentials = {CredentialType::kX509}};
  ExpectInvalid(with(), "doesn't support");
  ExpectInvalid(WithPath({{GroupContextExtensions{{{ExtensionType::kRequiredCapabilities, {9}}}}}}),
                "");
  required = {.extensions = std::vector<ExtensionType>(300, kRosterExtension)};
  ExpectInvalid(with(), "too many types");
}

TEST_F(HostileList, ExternalSendersThatCannotBeRead) {
  ExpectInvalid(WithPath({{GroupContextExtensions{{{ExtensionType::kExternalSenders, {9}}}}}}), "");
}

TEST_F(HostileList, AddWithACredentialThatOthersDoNotKnow) {
  Capabilities both = Capabilities::Default(CipherSuiteId::k0x0003, {kRosterExtension});
  both.credentials.push_back(CredentialType::kX509);
  const KeyPackageBundle certified = Must(KeyPackageBundle::Create(
      {.suite = CipherSuiteId::k0x0003, .capabilities = both, .credential = Credential::X509({})}));
  ExpectInvalid(WithPath({{Add{certified.key_package()}}}), "credential in use");
}

TEST_F(HostileList, AddThatKnowsNoneOfTheOthersCredentials) {
  Capabilities other = Capabilities::Default(CipherSuiteId::k0x0003, {kRosterExtension});
  other.credentials = {CredentialType::kX509};
  const KeyPackageBundle certified =
      Must(KeyPackageBundle::Create({.suite = CipherSuiteId::k0x0003,
                                     .capabilities = other,
                                     .credential = Credential::X509({})}));
  ExpectInvalid(WithPath({{Add{certified.key_package()}}}), "credential in use");
}

TEST_F(HostileList, AddWithAMembersKeys) {
  const SignatureKey stolen = groups_[0].state().signature_key.Clone();
  const KeyPackageBundle twin = Must(
      KeyPackageBundle::Create({.suite = CipherSuiteId::k0x0003,
                                .identity = ToBytes("twin"),
                                .capabilities = groups_[0].state().own_leaf_node().capabilities,
                                .signature_key = &stolen}));
  ExpectInvalid(WithPath({{Add{twin.key_package()}}}), "appears twice");
}

// An Add whose key package is changed and signed anew, as a proposal, which has nothing else to be
// refused for.
class HostileAdd : public HostileList {
 protected:
  HostileAdd()
      : dora_(NewKeyPackage("dora")),
        key_(Must(SignatureKey::FromSeed(dora_.signature_private().Reveal()))) {}

  Bytes AddOf(const std::function<void(KeyPackage&)>& change) {
    KeyPackage changed = dora_.key_package();
    change(changed);
    SignLeafNode(key_, {}, changed.leaf_node);
    SignKeyPackage(key_, changed);
    return ForgeProposal(groups_[0], {Add{changed}});
  }

  KeyPackageBundle dora_;
  SignatureKey key_;
};

TEST_F(HostileAdd, HonestOneIsTaken) {
  EXPECT_TRUE(groups_[1].Process(AddOf([](KeyPackage&) {})).ok());
}

TEST_F(HostileAdd, KeysThatTheKemRefuses) {
  ExpectInvalid(AddOf([](KeyPackage& k) { k.init_key = Bytes(32, 0); }), "public key");
  ExpectInvalid(AddOf([](KeyPackage& k) { k.init_key = Bytes(31, 9); }), "public key");
  ExpectInvalid(AddOf([](KeyPackage& k) { k.leaf_node.encryption_key = Bytes(31, 9); }),
                "public key");
}

TEST_F(HostileAdd, SignatureKeyOfAnotherForm) {
  ExpectRefused(AddOf([](KeyPackage& k) { k.leaf_node.signature_key = Bytes(31, 9); }),
                absl::StatusCode::kUnauthenticated, "signature doesn't verify");
}

TEST_F(HostileAdd, LeafThatLacksVersionOrSuiteOrListsTooMuch) {
  ExpectInvalid(AddOf([](KeyPackage& k) { k.leaf_node.capabilities.versions.clear(); }),
                "version or suite");
  ExpectInvalid(AddOf([](KeyPackage& k) { k.leaf_node.capabilities.cipher_suites.clear(); }),
                "version or suite");
  ExpectInvalid(AddOf([](KeyPackage& k) {
                  k.leaf_node.capabilities.proposals.assign(5000, ProposalType{0x0A0A});
                }),
                "too many");
}

TEST_F(HostileAdd, ExtensionsTwice) {
  const Extensions twice = {{ExtensionType{0x0A0A}, {}}, {ExtensionType{0x0A0A}, {}}};
  ExpectInvalid(AddOf([&](KeyPackage& k) { k.extensions = twice; }), "one type twice");
  ExpectInvalid(AddOf([&](KeyPackage& k) { k.leaf_node.extensions = twice; }), "one type twice");
}

// Section 10, with the exception that VALIDATION.md makes for values without meaning.
TEST_F(HostileAdd, ExtensionThatItsLeafDoesNotList) {
  ExpectInvalid(AddOf([](KeyPackage& k) {
                  k.leaf_node.extensions = {{ExtensionType{0xF0FF}, {}}};
                }),
                "extension it doesn't support");
  ExpectInvalid(AddOf([](KeyPackage& k) {
                  k.extensions = {{ExtensionType{0xF0FF}, {}}};
                }),
                "extension its leaf doesn't support");
  for (const Extension& known : Extensions{{kRosterExtension, {1}},
                                           {ExtensionType::kApplicationId, {1}},
                                           {ExtensionType{0x0A0A}, {1}}}) {
    EXPECT_TRUE(groups_[1].Process(AddOf([&](KeyPackage& k) { k.extensions = {known}; })).ok());
  }
  EXPECT_FALSE(KeyPackageBundle::Create({.suite = CipherSuiteId::k0x0003,
                                         .identity = ToBytes("d"),
                                         .key_package_extensions = {{ExtensionType{0xF0FF}, {}}}})
                   .ok());
}

TEST_F(HostileList, AddWhoseLeafIsNotSigned) {
  const KeyPackageBundle dora = NewKeyPackage("dora");
  KeyPackage damaged = dora.key_package();
  damaged.leaf_node.signature[0] ^= 1;
  SignKeyPackage(Must(SignatureKey::FromSeed(dora.signature_private().Reveal())), damaged);
  ExpectRefused(ForgeProposal(groups_[0], {Add{damaged}}), absl::StatusCode::kUnauthenticated,
                "signature doesn't verify");
}

TEST_F(HostileList, PathEncryptedToWhoIsJustAdded) {
  // Section 7.6: new leaves are left out of the resolution.
  const KeyPackageBundle dora = NewKeyPackage("dora");
  ExpectInvalid(Forge(
                    [](Commit& commit) {
                      std::vector<UpdatePathNode>& nodes = commit.path->nodes;
                      ASSERT_TRUE(nodes.back().encrypted_path_secret.empty());
                      nodes.back().encrypted_path_secret.push_back(
                          nodes.front().encrypted_path_secret.front());
                    },
                    {.adds = {dora.message()}, .force_path = true}),
                "wrong number of ciphertexts");
}

TEST_F(HostileList, PathLeafThatLacksWhatIsRequired) {
  const RequiredCapabilities required{.extensions = {kRosterExtension}};
  CommitToAll(
      groups_, 1,
      Must(groups_[1].PrepareCommit({.extensions = Extensions{{ExtensionType::kRequiredCapabilities,
                                                               crypto::Serialize(required)}}})));
  ExpectInvalid(Forge([&](Commit& commit) {
                  commit.path->leaf_node.capabilities.extensions.clear();
                  MendPath(groups_[0], *commit.path);
                }),
                "doesn't support");
}

TEST_F(HostileList, PathLeafWhoseCredentialOthersDoNotKnow) {
  ExpectInvalid(Forge([&](Commit& commit) {
                  LeafNode& leaf = commit.path->leaf_node;
                  leaf.credential = Credential::X509({});
                  leaf.capabilities.credentials.push_back(CredentialType::kX509);
                  MendPath(groups_[0], *commit.path);
                }),
                "credential in use");
}

TEST_F(HostileList, PskThatIsNotKnownOrTooMany) {
  const PreSharedKeyId id = PreSharedKeyId::External(suite(), ToBytes("never heard of"));
  ExpectRefused(ForgeProposals({{PreSharedKey{id}}}), absl::StatusCode::kFailedPrecondition,
                "not known");
  std::vector<Proposal> many;
  for (size_t i = 0; i <= kMaxPsks; ++i) {
    many.push_back({PreSharedKey{PreSharedKeyId::External(suite(), ToBytes("x"))}});
  }
  ExpectInvalid(ForgeProposals(many), "too many PSKs");
}

TEST_F(HostileList, PsksInAnotherOrderGiveAnotherEpoch) {
  CommitOptions options;
  for (const char* name : {"a", "b"}) {
    options.psks.push_back(
        {PreSharedKeyId::External(suite(), ToBytes(name)), Secret::CopyOf(Bytes(32, 1))});
  }
  options.public_message = true;
  options.force_path = true;
  MlsMessage message =
      Must(crypto::Parse<MlsMessage>(Must(groups_[0].PrepareCommit(options)).message));
  auto& in_public = std::get<PublicMessage>(message.body);
  auto& proposals = std::get<Commit>(in_public.content.body).proposals;
  std::swap(proposals[0], proposals[1]);
  const GroupState& state = groups_[0].state();
  AuthenticatedContent content{.wire_format = WireFormat::kPublicMessage,
                               .content = std::move(in_public.content),
                               .auth = std::move(in_public.auth)};
  content.auth.signature =
      SignContent(state.signature_key, content.wire_format, content.content, state.context);
  const Bytes forged = crypto::Serialize(MlsMessage{
      ProtectPublic(suite(), state.secrets.membership, state.context, std::move(content))});
  ProcessOptions known;
  known.psks = [](const PreSharedKeyId&) { return Secret::CopyOf(Bytes(32, 1)); };
  EXPECT_EQ(groups_[1].Process(forged, known).status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(HostileList, ProposalOfAnUnknownType) {
  // Its end can't be known, and no member has said that it supports it.
  crypto::Writer w;
  w.WriteUint16(0x0A0A);
  w.WriteOpaque(Bytes(3, 1));
  EXPECT_EQ(crypto::Parse<Proposal>(w.view()).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace parley::mls

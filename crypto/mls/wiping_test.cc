// That no secret of a group is left in the process's memory once the group is gone: the test looks
// through all memory that the process may write, freed or not, for the bytes.
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include "crypto/mls/framing.h"
#include "crypto/mls/group_state.h"
#include "crypto/mls/testing.h"

namespace parley::mls {
namespace {

using namespace testing;

// Sixteen bytes of a secret, disguised, so that what looks for it doesn't have it.
class Disguised {
 public:
  Disguised(std::string what, ByteView secret) : what_(std::move(what)) {
    for (size_t i = 0; i < bytes_.size(); ++i) {
      bytes_[i] = static_cast<uint8_t>(secret[secret.size() - 16 + i] ^ kMask);
    }
  }
  const std::string& what() const { return what_; }

  size_t CountIn(ByteView memory) const {
    size_t count = 0;
    const int first = bytes_[0] ^ kMask;
    const uint8_t* const end = memory.data() + memory.size();
    for (const uint8_t* at = memory.data(); end - at >= std::ssize(bytes_); ++at) {
      const auto places = static_cast<size_t>(end - at) - bytes_.size() + 1;
      at = static_cast<const uint8_t*>(std::memchr(at, first, places));
      if (at == nullptr) break;
      size_t same = 1;
      while (same < bytes_.size() && (at[same] ^ kMask) == bytes_[same]) ++same;
      count += same == bytes_.size();
    }
    return count;
  }

 private:
  static constexpr uint8_t kMask = 0xA7;
  std::string what_;
  std::array<uint8_t, 16> bytes_{};
};

struct Mapping {
  uintptr_t begin = 0;
  uintptr_t end = 0;
  std::string name;
};

// All that the process may write, but for mappings that no allocator would make (a sanitizer's
// shadow) and this thread's stack, whose depths others' functions used and which isn't freed
// memory.
std::vector<Mapping> WritableMappings() {
  constexpr uintptr_t kLargest = uintptr_t{1} << 28;
  std::vector<Mapping> mappings;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    Mapping mapping;
    char dash = 0;
    std::string rights, offset, device, inode;
    std::istringstream in(line);
    in >> std::hex >> mapping.begin >> dash >> mapping.end >> rights >> offset >> device >> inode;
    std::getline(in, mapping.name);
    if (rights.starts_with("rw") && mapping.end - mapping.begin <= kLargest &&
        mapping.name.find("[stack]") == std::string::npos) {
      mappings.push_back(std::move(mapping));
    }
  }
  return mappings;
}

// Where the secrets are found, one line a place.
std::string FindInMemory(const std::vector<Disguised>& secrets) {
  std::ostringstream found;
  constexpr size_t kPiece = 1 << 16;
  constexpr size_t kOverlap = 15;  // a secret across two pieces
  // What was read lies in no allocator's memory, isn't searched itself, and goes in the end.
  static std::array<uint8_t, kPiece + kOverlap> buffer;
  const auto own = reinterpret_cast<uintptr_t>(buffer.data());
  for (const Mapping& mapping : WritableMappings()) {
    for (uintptr_t at = mapping.begin; at < mapping.end; at += kPiece) {
      const size_t size = std::min<size_t>(buffer.size(), mapping.end - at);
      if (at < own + buffer.size() && own < at + size) continue;
      iovec local{buffer.data(), size};
      iovec remote{reinterpret_cast<void*>(at), size};
      const ssize_t read = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
      if (read <= 0) continue;
      for (const Disguised& secret : secrets) {
        const size_t count = secret.CountIn(ByteView(buffer.data(), static_cast<size_t>(read)));
        for (size_t i = 0; i < count; ++i) found << secret.what() << " in" << mapping.name << "\n";
      }
    }
  }
  crypto::WipeBytes(buffer);
  return found.str();
}

// The secrets that `group` holds now.
void NoteSecrets(const std::string& who, const Group& group, std::vector<Disguised>& noted) {
  const GroupState& state = group.state();
  const auto note = [&](const std::string& what, const Secret& secret) {
    noted.emplace_back(who + "'s " + what, secret.Reveal());
  };
  note("signature key", state.signature_key.Seed());
  for (const auto& [node, key] : state.keys) {
    note("key of node " + std::to_string(node.value), key);
  }
  note("sender data secret", state.secrets.sender_data.value);
  note("exporter secret", state.secrets.exporter.value);
  note("external secret", state.secrets.external.value);
  note("confirmation key", state.secrets.confirmation.value);
  note("membership key", state.secrets.membership.value);
  note("resumption secret", state.secrets.resumption.value);
  note("init secret", state.secrets.init.value);
  for (const uint32_t node : state.secret_tree.StoredNodes()) {
    note("secret of node " + std::to_string(node), *state.secret_tree.StoreNode(node));
  }
  const FoundKey key =
      Must(state.secret_tree.Find(*state.suite, LeafIndex(1), RatchetType::kApplication, 5));
  note("key of a message", key.key.key);
  for (const PendingUpdate& update : state.pending_updates) {
    note("key of a leaf to come", update.leaf_private);
    if (!update.signature_seed.empty()) note("signature key to come", update.signature_seed);
  }
}

// What a Welcome holds for `bundle`, and what follows from it: up to the commit secret, which comes
// behind the path secrets. `before` is the group that committed.
void NoteWelcome(const Group& before, const PreparedCommit& commit, const KeyPackageBundle& bundle,
                 const Psk& psk, std::vector<Disguised>& noted) {
  const CipherSuite& suite = *before.state().suite;
  const MlsMessage message = Must(crypto::Parse<MlsMessage>(*commit.welcome));
  GroupSecrets secrets = Must(OpenGroupSecrets(suite, std::get<Welcome>(message.body), bundle.Ref(),
                                               bundle.init_private()));
  noted.emplace_back("joiner secret", secrets.joiner_secret.Reveal());
  std::vector<Psk> psks;
  psks.push_back({secrets.psks.at(0), psk.secret.Clone()});
  const PskSecret psk_secret(ComputePskSecret(suite, psks));
  noted.emplace_back("psk_secret", psk_secret.value.Reveal());
  const JoinerSecret joiner(secrets.joiner_secret.Clone());
  noted.emplace_back("welcome secret",
                     DeriveWelcomeSecret(suite, joiner, psk_secret).value.Reveal());
  const GroupContext& context = commit.next.state().context;
  noted.emplace_back("epoch secret",
                     DeriveEpochSecret(suite, joiner, psk_secret, context).value.Reveal());
  CommitSecret above(std::move(secrets.path_secret.value().path_secret));
  for (bool top = false; !top;) {
    noted.emplace_back("path secret", above.value.Reveal());
    ASSERT_LT(noted.size(), 10000u) << "no secret above the path secret is the commit secret";
    above = CommitSecret(DeriveSecret(suite, above.value, "path"));
    const JoinerSecret derived =
        DeriveJoinerSecret(suite, before.state().secrets.init, above, context);
    top = crypto::ConstantTimeEquals(derived.value.Reveal(), joiner.value.Reveal());
  }
  noted.emplace_back("commit secret", above.value.Reveal());
}

// Somebody joins by a commit with a path and a pre-shared key.
void WelcomeOneMore(std::vector<Group>& groups, std::vector<Disguised>& noted) {
  const CipherSuite& suite = *groups[0].state().suite;
  KeyPackageBundle dora = NewKeyPackage("dora", suite.id);
  noted.emplace_back("key package's init key", dora.init_private().Reveal());
  noted.emplace_back("key package's leaf key", dora.leaf_private().Reveal());
  noted.emplace_back("key package's signature key", dora.signature_private().Reveal());
  const Psk psk{PreSharedKeyId::External(suite, ToBytes("a kit")), Secret::Random(32)};
  noted.emplace_back("pre-shared key", psk.secret.Reveal());
  const PskLookup lookup = [&](const PreSharedKeyId& /*id*/) { return psk.secret.Clone(); };
  CommitOptions options{.adds = {dora.message()}, .force_path = true};
  options.psks.push_back({psk.id, psk.secret.Clone()});
  PreparedCommit commit = Must(groups[0].PrepareCommit(options));
  NoteWelcome(groups[0], commit, dora, psk, noted);
  for (size_t i = 1; i < groups.size(); ++i) {
    Received received = Must(groups[i].Process(commit.message, {.psks = lookup}));
    groups[i] = Must(std::move(std::get<StagedCommit>(received)).Next());
  }
  groups[0] = std::move(commit.next);
  groups.push_back(Must(Group::Join(*commit.welcome, std::move(dora), {.psks = lookup})));
}

// Says what nobody else can say, in messages of several lengths: where the memory of one is freed
// and used again, that of another isn't.
void SaySecrets(std::vector<Group>& groups, std::vector<Disguised>& noted) {
  for (const size_t size : {32u, 200u, 1000u, 5000u, 40000u}) {
    const Secret text = Secret::Random(size);
    noted.emplace_back("text of " + std::to_string(size) + " bytes", text.Reveal());
    const Bytes message = Must(groups[1].Protect(text.Reveal(), {}, size));
    for (const size_t i : {0u, 2u, 3u}) {
      const Received received = Must(groups[i].Process(message));
      EXPECT_TRUE(crypto::ConstantTimeEquals(
          std::get<ApplicationMessage>(received).plaintext.Reveal(), text.Reveal()));
    }
  }
}

// A life of groups, of which nothing is left but what was noted. In a thread of its own, whose
// stack goes with it.
void LiveAndDie(CipherSuiteId suite, std::vector<Disguised>& noted) {
  std::thread([&] {
    std::vector<Group> groups = NewGroups(4, suite);
    for (size_t committer = 0; committer < 3; ++committer) {
      for (size_t i = 0; i < groups.size(); ++i) {
        NoteSecrets("member " + std::to_string(i), groups[i], noted);
      }
      const Bytes update = Must(groups[3].ProposeUpdate({.new_signature_key = true}));
      NoteSecrets("the updater", groups[3], noted);
      for (size_t i = 0; i < 3; ++i) Must(groups[i].Process(update));
      ExpectHeard(groups, 1, "a message");
      SaySecrets(groups, noted);
      CommitToAll(groups, committer, Must(groups[committer].PrepareCommit()));
    }
    WelcomeOneMore(groups, noted);
    const Secret stored = groups[0].Serialize();
    groups[0] = Must(Group::Parse(stored.Reveal()));
    ExpectAgreement(groups);
  }).join();
}

class WipingTest : public ::testing::TestWithParam<CipherSuiteId> {};

TEST_P(WipingTest, NothingIsLeft) {
  std::vector<Disguised> noted;
  LiveAndDie(GetParam(), noted);
  EXPECT_GT(noted.size(), 150u);
  EXPECT_EQ(FindInMemory(noted), "");
}

// That the search finds what is there, in living and in freed memory.
TEST_P(WipingTest, TheSearchFinds) {
  const Group group = NewGroup("mira", GetParam());
  const std::vector<Disguised> living{{"living", group.state().secrets.init.value.Reveal()}};
  EXPECT_NE(FindInMemory(living), "");

  const Secret secret = Secret::Random(32);
  const std::vector<Disguised> careless{{"careless", secret.Reveal()}};
  // Many copies, since whoever allocates next overwrites some.
  constexpr size_t kCopies = 20;
  auto* copies = new std::vector<uint8_t>(kCopies * 4096);
  for (size_t i = 0; i < kCopies; ++i) {
    std::memcpy(copies->data() + i * 4096 + 2048, secret.Reveal().data(), secret.size());
  }
  const auto count_lines = [](const std::string& found) {
    return static_cast<size_t>(std::count(found.begin(), found.end(), '\n'));
  };
  EXPECT_EQ(count_lines(FindInMemory(careless)), 1 + kCopies);
  delete copies;
  EXPECT_GT(count_lines(FindInMemory(careless)), 1u);
}

INSTANTIATE_TEST_SUITE_P(Suites, WipingTest,
                         ::testing::Values(CipherSuiteId::k0x0003, CipherSuiteId::kParley));

}  // namespace
}  // namespace parley::mls

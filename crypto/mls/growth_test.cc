// Adding N members costs no more than N log N: counted, not timed. What is counted are public-key
// operations (calls of libsodium's functions, by the linker's --wrap), bytes that are allocated,
// which is what copies of trees and lists come to, questions to the judge of credentials, and looks
// into the capabilities of a leaf.
#include <cmath>
#include <cstdlib>
#include <new>

#include "crypto/mls/external_proposal.h"
#include "crypto/mls/testing.h"
#include "crypto/primitives/signature.h"

namespace {

size_t public_key_operations = 0;
size_t looks_at_capabilities = 0;
size_t allocated_bytes = 0;

}  // namespace

// Not inlined: GCC would take a new with its delete for a pair that doesn't match.
[[gnu::noinline]] void* operator new(size_t size) {
  allocated_bytes += size;
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

extern "C" {

int __real_crypto_scalarmult_curve25519(unsigned char* q, const unsigned char* n,
                                        const unsigned char* p);
int __wrap_crypto_scalarmult_curve25519(unsigned char* q, const unsigned char* n,
                                        const unsigned char* p) {
  ++public_key_operations;
  return __real_crypto_scalarmult_curve25519(q, n, p);
}

int __real_crypto_scalarmult_curve25519_base(unsigned char* q, const unsigned char* n);
int __wrap_crypto_scalarmult_curve25519_base(unsigned char* q, const unsigned char* n) {
  ++public_key_operations;
  return __real_crypto_scalarmult_curve25519_base(q, n);
}

int __real_crypto_sign_ed25519_detached(unsigned char* signature, unsigned long long* size,
                                        const unsigned char* m, unsigned long long m_size,
                                        const unsigned char* key);
int __wrap_crypto_sign_ed25519_detached(unsigned char* signature, unsigned long long* size,
                                        const unsigned char* m, unsigned long long m_size,
                                        const unsigned char* key) {
  ++public_key_operations;
  return __real_crypto_sign_ed25519_detached(signature, size, m, m_size, key);
}

int __real_crypto_sign_ed25519_verify_detached(const unsigned char* signature,
                                               const unsigned char* m, unsigned long long m_size,
                                               const unsigned char* key);
int __wrap_crypto_sign_ed25519_verify_detached(const unsigned char* signature,
                                               const unsigned char* m, unsigned long long m_size,
                                               const unsigned char* key) {
  ++public_key_operations;
  return __real_crypto_sign_ed25519_verify_detached(signature, m, m_size, key);
}

// Capabilities::Supports(CredentialType) const
bool __real__ZNK6parley3mls12Capabilities8SupportsENS0_14CredentialTypeE(
    const parley::mls::Capabilities* self, parley::mls::CredentialType type);
bool __wrap__ZNK6parley3mls12Capabilities8SupportsENS0_14CredentialTypeE(
    const parley::mls::Capabilities* self, parley::mls::CredentialType type) {
  ++looks_at_capabilities;
  return __real__ZNK6parley3mls12Capabilities8SupportsENS0_14CredentialTypeE(self, type);
}

}  // extern "C"

namespace parley::mls {
namespace {

using namespace testing;

class CountingJudge : public CredentialJudge {
 public:
  absl::Status Judge(const Credential&, ByteView) const override {
    ++asked;
    return absl::OkStatus();
  }
  Bytes ClientOf(const Credential& credential) const override {
    ++asked;
    return CredentialJudge::ClientOf(credential);
  }
  mutable size_t asked = 0;
};

struct Work {
  size_t operations = 0;
  size_t bytes = 0;
  size_t questions = 0;
  size_t looks = 0;
};

class Counter {
 public:
  explicit Counter(const CountingJudge& judge)
      : judge_(judge),
        before_{public_key_operations, allocated_bytes, judge.asked, looks_at_capabilities} {}
  Work Counted() const {
    return {public_key_operations - before_.operations, allocated_bytes - before_.bytes,
            judge_.asked - before_.questions, looks_at_capabilities - before_.looks};
  }

 private:
  const CountingJudge& judge_;
  const Work before_;
};

struct AddingWork {  // of `count` members at once
  Work commit;       // the committer's
  Work process;      // another member's
  Work join;         // of one who joins
};

// The first and the last member of a tree of `count` more leaves that are blank, under a root that
// isn't: who comes in is in its list of unmerged leaves.
std::vector<Group> TreeWithRoomFor(size_t count) {
  std::vector<Group> groups;
  groups.push_back(NewGroup("first"));
  CommitOptions options;
  for (size_t i = 0; i < count; ++i) {
    options.adds.push_back(NewKeyPackage("left " + std::to_string(i)).message());
  }
  KeyPackageBundle last = NewKeyPackage("last");
  options.adds.push_back(last.message());
  PreparedCommit adding = Must(groups[0].PrepareCommit(options));
  groups[0] = std::move(adding.next);
  groups.push_back(Must(Group::Join(*adding.welcome, std::move(last))));
  CommitOptions removal;
  for (uint32_t i = 1; i <= count; ++i) removal.removes.emplace_back(i);
  CommitToAll(groups, 0, Must(groups[0].PrepareCommit(removal)));
  return groups;
}

AddingWork AddAtOnce(size_t count) {
  CountingJudge judge;
  const LeafChecks checks{.judge = &judge};
  std::vector<Group> groups = TreeWithRoomFor(count);
  std::vector<KeyPackageBundle> bundles;
  CommitOptions options{.checks = checks};
  for (size_t i = 0; i < count; ++i) {
    bundles.push_back(NewKeyPackage("newcomer " + std::to_string(i)));
    options.adds.push_back(bundles.back().message());
  }
  AddingWork work;
  const Counter commit(judge);
  PreparedCommit made = Must(groups[0].PrepareCommit(options));
  work.commit = commit.Counted();
  EXPECT_EQ(made.added.size(), count);
  const Counter process(judge);
  Must(groups[1].Process(made.message, {.checks = checks}));
  work.process = process.Counted();
  const Counter join(judge);
  Must(Group::Join(*made.welcome, std::move(bundles.back()), {.checks = checks}));
  work.join = join.Counted();
  return work;
}

// A tenth above N log N, for what both have in common.
void ExpectNoFasterThanNLogN(const char* what, size_t few, size_t many, Work of_few, Work of_many) {
  const auto n_log_n = [](size_t n) { return static_cast<double>(n) * std::log2(n); };
  const double allowed = 1.1 * n_log_n(many) / n_log_n(few);
  const auto expect = [&](const char* count, size_t a, size_t b) {
    EXPECT_LE(static_cast<double>(b), allowed * static_cast<double>(a))
        << what << ": " << count << " of " << few << " members " << a << ", of " << many << " "
        << b;
  };
  expect("public-key operations", of_few.operations, of_many.operations);
  expect("bytes allocated", of_few.bytes, of_many.bytes);
  expect("questions to the judge", of_few.questions, of_many.questions);
  expect("looks at capabilities", of_few.looks, of_many.looks);
}

TEST(Growth, AddingMembersIsNLogNAtWorst) {
  constexpr size_t kFew = 62;  // and the two that are there
  constexpr size_t kMany = 1022;
  const AddingWork few = AddAtOnce(kFew);
  const AddingWork many = AddAtOnce(kMany);
  EXPECT_GE(few.commit.operations, kFew);
  EXPECT_GE(few.commit.questions, kFew);
  ExpectNoFasterThanNLogN("who commits", kFew, kMany, few.commit, many.commit);
  ExpectNoFasterThanNLogN("who takes the commit", kFew, kMany, few.process, many.process);
  ExpectNoFasterThanNLogN("who joins", kFew, kMany, few.join, many.join);
}

struct ReferringWork {  // to proposals of `count` members
  Work take;            // of the proposals, by another member than the committer
  Work commit;          // the committer's, who chooses among those that wait
  Work process;         // of the commit, by who has taken the proposals
};

// The group's external senders, as many as it takes for nobody to have more proposals waiting than
// one may.
std::vector<crypto::SignatureKey> AdmitServices(std::vector<Group>& groups) {
  std::vector<crypto::SignatureKey> services;
  std::vector<ExternalSender> senders;
  for (int i = 0; i < 16; ++i) {
    services.push_back(crypto::SignatureKey::Generate());
    ExternalSender& sender = senders.emplace_back();
    const auto& key = services.back().public_key();
    sender.signature_key.assign(key.begin(), key.end());
    sender.credential = Credential::Basic(ToBytes("service " + std::to_string(i)));
  }
  CommitToAll(
      groups, 0,
      Must(groups[0].PrepareCommit({.extensions = Extensions{ExternalSendersExtension(senders)}})));
  return services;
}

ReferringWork AddByReference(size_t count) {
  CountingJudge judge;
  const LeafChecks checks{.judge = &judge};
  std::vector<Group> groups = TreeWithRoomFor(count);
  const std::vector<crypto::SignatureKey> services = AdmitServices(groups);
  const GroupAddress address{groups[0].group_id(), groups[0].epoch()};
  std::vector<Bytes> proposals;
  for (size_t i = 0; i < count; ++i) {
    const size_t service = i % services.size();
    const KeyPackageBundle newcomer = NewKeyPackage("newcomer " + std::to_string(i));
    proposals.push_back(Must(ProposeFromOutside(services[service], static_cast<uint32_t>(service),
                                                address, Proposal{Add{newcomer.key_package()}})));
    Must(groups[0].Process(proposals.back(), {.checks = checks}));
  }
  ReferringWork work;
  const Counter take(judge);
  for (const Bytes& proposal : proposals) Must(groups[1].Process(proposal, {.checks = checks}));
  work.take = take.Counted();
  const Counter commit(judge);
  PreparedCommit made = Must(groups[0].PrepareCommit({.checks = checks}));
  work.commit = commit.Counted();
  EXPECT_EQ(made.added.size(), count);
  const Counter process(judge);
  Must(groups[1].Process(made.message, {.checks = checks}));
  work.process = process.Counted();
  return work;
}

TEST(Growth, AddingMembersByReferenceIsNLogNAtWorst) {
  constexpr size_t kFew = 62;
  constexpr size_t kMany = 1022;
  const ReferringWork few = AddByReference(kFew);
  const ReferringWork many = AddByReference(kMany);
  EXPECT_GE(few.take.questions, kFew);
  EXPECT_GE(few.commit.looks, kFew);
  ExpectNoFasterThanNLogN("who takes the proposals", kFew, kMany, few.take, many.take);
  ExpectNoFasterThanNLogN("who commits", kFew, kMany, few.commit, many.commit);
  ExpectNoFasterThanNLogN("who takes the commit", kFew, kMany, few.process, many.process);
}

TEST(Growth, OneMoreInAGroupOfManyCostsNoMoreOperations) {
  size_t operations[2] = {};
  for (const size_t many : {0u, 1u}) {
    std::vector<Group> groups;
    groups.push_back(NewGroup("0"));
    CommitOptions options;
    std::vector<KeyPackageBundle> bundles;
    for (size_t i = 0; i < (many != 0 ? 512u : 32u); ++i) {
      bundles.push_back(NewKeyPackage(std::to_string(i + 1)));
      options.adds.push_back(bundles.back().message());
    }
    groups[0] = Must(groups[0].PrepareCommit(options)).next;
    const KeyPackageBundle one = NewKeyPackage("one more");
    const size_t before = public_key_operations;
    Must(groups[0].PrepareCommit({.adds = {one.message()}}));
    operations[many] = public_key_operations - before;
  }
  EXPECT_GT(operations[0], 0u);
  EXPECT_EQ(operations[0], operations[1]);
}

}  // namespace
}  // namespace parley::mls

// Adding N members costs no more than N log N: counted, not timed. What is counted are public-key
// operations (calls of libsodium's functions, by the linker's --wrap), bytes that are allocated,
// which is what copies of trees and lists come to, and questions to the judge of credentials.
#include <cmath>
#include <cstdlib>
#include <new>

#include "crypto/mls/testing.h"

namespace {

size_t public_key_operations = 0;
size_t allocated_bytes = 0;

}  // namespace

void* operator new(size_t size) {
  allocated_bytes += size;
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

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
};

class Counter {
 public:
  explicit Counter(const CountingJudge& judge)
      : judge_(judge), before_{public_key_operations, allocated_bytes, judge.asked} {}
  Work Counted() const {
    return {public_key_operations - before_.operations, allocated_bytes - before_.bytes,
            judge_.asked - before_.questions};
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

#include "tools/parley-bench/mls_groups.h"

#include <utility>
#include <variant>

#include "crypto/base/check.h"
#include "crypto/primitives/random.h"
#include "tools/parley-bench/must.h"

namespace parley::bench {
namespace {

// The size of Parley's own credentials.
constexpr size_t kIdentitySize = 70;

mls::GroupOptions OwnLeaf(mls::CipherSuiteId suite) {
  return {.suite = suite,
          .group_id = crypto::RandomBytes(32),
          .identity = crypto::RandomBytes(kIdentitySize)};
}

mls::PreparedCommit JoinFromOutside(const mls::Group& group) {
  const crypto::Bytes info = Must(group.GroupInfoMessage(true, true));
  return Must(mls::Group::JoinExternally(info, OwnLeaf(group.suite())));
}

}  // namespace

mls::KeyPackageBundle NewKeyPackage(mls::CipherSuiteId suite) {
  return Must(mls::KeyPackageBundle::Create(
      {.suite = suite, .identity = crypto::RandomBytes(kIdentitySize)}));
}

Founding PrepareFounding(mls::CipherSuiteId suite, size_t members) {
  PARLEY_CHECK(members >= 2);
  Founding founding{Must(mls::Group::Create(OwnLeaf(suite))), {}, {}};
  for (size_t i = 1; i < members; ++i) {
    const mls::KeyPackageBundle bundle = NewKeyPackage(suite);
    if (i == 1) founding.joiner_bundle = bundle.SerializeSecret();
    founding.key_packages.push_back(bundle.message());
  }
  return founding;
}

TwoMembers BlankTree(mls::CipherSuiteId suite, size_t members) {
  Founding founding = PrepareFounding(suite, members);
  mls::PreparedCommit commit =
      Must(founding.founder.PrepareCommit({.adds = std::move(founding.key_packages)}));
  mls::Group receiver = Must(mls::Group::Join(
      *commit.welcome, Must(mls::KeyPackageBundle::Parse(founding.joiner_bundle.Reveal()))));
  return {std::move(commit.next), std::move(receiver)};
}

TwoMembers FullTree(mls::CipherSuiteId suite, size_t members) {
  PARLEY_CHECK(members >= 2);
  mls::Group before = Must(mls::Group::Create(OwnLeaf(suite)));
  for (size_t joined = 1; joined + 1 < members; ++joined) {
    before = std::move(JoinFromOutside(before).next);
  }
  mls::PreparedCommit last = JoinFromOutside(before);
  mls::Received received = Must(before.Process(last.message));
  return {std::move(last.next), Must(std::move(std::get<mls::StagedCommit>(received)).Next())};
}

}  // namespace parley::bench

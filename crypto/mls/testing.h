// What several tests of groups share: members with names, groups of many, messages to all.
#ifndef PARLEY_CRYPTO_MLS_TESTING_H_
#define PARLEY_CRYPTO_MLS_TESTING_H_

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/mls/group.h"

namespace parley::mls::testing {

using crypto::ToBytes;
using crypto::ViewOf;

// The private-use extension that test groups may carry.
inline constexpr ExtensionType kRosterExtension{0xF0A1};

inline std::string TextOf(const Secret& secret) { return crypto::ToString(secret.Reveal()); }

template <typename T>
T Must(absl::StatusOr<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << result.status();
    std::abort();
  }
  return std::move(*result);
}

inline KeyPackageBundle NewKeyPackage(std::string_view name,
                                      CipherSuiteId suite = CipherSuiteId::k0x0003) {
  return Must(
      KeyPackageBundle::Create({.suite = suite,
                                .identity = ToBytes(name),
                                .capabilities = Capabilities::Default(suite, {kRosterExtension})}));
}

inline Group NewGroup(std::string_view name, CipherSuiteId suite = CipherSuiteId::k0x0003) {
  return Must(Group::Create({.suite = suite,
                             .group_id = ToBytes("a group"),
                             .identity = ToBytes(name),
                             .capabilities = Capabilities::Default(suite, {kRosterExtension})}));
}

// A commit by groups[committer], taken by everyone else in `groups`. Returns who was added.
inline void CommitToAll(std::vector<Group>& groups, size_t committer, PreparedCommit commit) {
  for (size_t i = 0; i < groups.size(); ++i) {
    if (i == committer) continue;
    Received received = Must(groups[i].Process(commit.message));
    groups[i] = Must(std::move(std::get<StagedCommit>(received)).Next());
  }
  groups[committer] = std::move(commit.next);
}

// A group of `size` members with a path of everybody's behind it, where `size` is at least 1.
inline std::vector<Group> NewGroups(size_t size, CipherSuiteId suite = CipherSuiteId::k0x0003) {
  std::vector<Group> groups;
  groups.push_back(NewGroup("0", suite));
  std::vector<KeyPackageBundle> bundles;
  CommitOptions options;
  for (size_t i = 1; i < size; ++i) {
    bundles.push_back(NewKeyPackage(std::to_string(i), suite));
    options.adds.push_back(bundles.back().message());
  }
  if (size > 1) {
    PreparedCommit commit = Must(groups[0].PrepareCommit(options));
    groups[0] = std::move(commit.next);
    for (KeyPackageBundle& bundle : bundles) {
      groups.push_back(Must(Group::Join(*commit.welcome, std::move(bundle))));
    }
  }
  return groups;
}

inline void ExpectAgreement(const std::vector<Group>& groups) {
  for (const Group& group : groups) {
    EXPECT_EQ(group.epoch(), groups[0].epoch());
    EXPECT_EQ(group.EpochAuthenticator(), groups[0].EpochAuthenticator());
    EXPECT_EQ(group.tree_hash(), groups[0].tree_hash());
  }
}

// `sender` says `text`; everyone else must read just that.
inline void ExpectHeard(std::vector<Group>& groups, size_t sender, std::string_view text) {
  const Bytes message = Must(groups[sender].Protect(ViewOf(text), {}, 7));
  for (size_t i = 0; i < groups.size(); ++i) {
    if (i == sender) continue;
    const Received received = Must(groups[i].Process(message));
    const auto& said = std::get<ApplicationMessage>(received);
    EXPECT_EQ(TextOf(said.plaintext), text);
    EXPECT_EQ(said.sender, groups[sender].own_leaf());
  }
}

}  // namespace parley::mls::testing

#endif  // PARLEY_CRYPTO_MLS_TESTING_H_

// Groups in a profile, record by record: a group that is loaded anew after each step goes the way
// of one that never leaves memory; what was consumed is found nowhere; no part passes for the
// whole.
#include "client-lib/channels/group_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "client-lib/store/test_profile.h"
#include "crypto/mls/group_records.h"
#include "crypto/mls/group_state.h"
#include "crypto/mls/testing.h"

namespace parley::client {
namespace {

using mls::testing::CommitToAll;
using mls::testing::NewGroups;
using mls::testing::ViewOf;
using ::testing::HasSubstr;

template <typename T>
T Must(absl::StatusOr<T> result) {
  return mls::testing::Must(std::move(result));
}

const GroupPlace kPlace{"group", "group"};
const GroupPlace kNext{"commit/group", "group"};

class GroupStoreTest : public ::testing::Test {
 protected:
  GroupStoreTest() : store(Must(ProfileStore::Create(folder / "profile"))) {}

  void Do(const std::function<absl::Status(Transaction&)>& work) {
    Transaction tx = Must(store->Begin());
    ASSERT_EQ(work(tx), absl::OkStatus());
    ASSERT_EQ(tx.Commit(), absl::OkStatus());
  }
  void Store(mls::Group& group, const GroupPlace& place = kPlace,
             const GroupPlace* shared = nullptr) {
    Do([&](Transaction& tx) { return StoreGroup(tx, place, group, shared); });
  }
  mls::Group Load(const GroupPlace& place = kPlace) {
    const ReadTransaction tx = Must(store->Read());
    std::optional<mls::Group> group = Must(LoadGroup(tx, place));
    EXPECT_TRUE(group.has_value());
    return *std::move(group);
  }
  static bool Same(const mls::Group& a, const mls::Group& b) {
    return crypto::ConstantTimeEquals(a.Serialize().Reveal(), b.Serialize().Reveal());
  }

  size_t Count() {
    size_t count = 0;
    const ReadTransaction tx = Must(store->Read());
    EXPECT_TRUE(tx.ForEachValue([&](const crypto::Secret&) {
                    ++count;
                    return absl::OkStatus();
                  }).ok());
    return count;
  }
  // Whether any value of the profile, opened, holds these bytes.
  bool IsAnywhere(const crypto::Secret& wanted) {
    bool found = false;
    const ReadTransaction tx = Must(store->Read());
    EXPECT_TRUE(tx.ForEachValue([&](const crypto::Secret& value) {
                    const auto in = value.Reveal();
                    const auto what = wanted.Reveal();
                    found = found ||
                            std::search(in.begin(), in.end(), what.begin(), what.end()) != in.end();
                    return absl::OkStatus();
                  }).ok());
    return found;
  }

  // The name in the profile of each of a stored group's records. Of the tree's, the epoch varies.
  std::vector<std::string> NamesOf(const mls::Group& group) {
    const ReadTransaction tx = Must(store->Read());
    std::vector<std::string> names = {kPlace.head};
    for (const auto& [name, record] : mls::ChangedRecords(group.Clone()).put) {
      for (uint64_t epoch = 0; epoch <= group.epoch(); ++epoch) {
        const std::string full = kPlace.base + "/" + std::to_string(epoch) + "/" + name;
        if (Must(tx.Has(RecordClass::kRatchet, full))) names.push_back(full);
      }
    }
    return names;
  }

  TestFolder folder;
  std::unique_ptr<ProfileStore> store;
};

mls::FoundKey KeyOf(const mls::Group& group, const mls::Group& sender, uint32_t generation) {
  return Must(group.state().secret_tree.Find(*group.state().suite, sender.own_leaf(),
                                             mls::RatchetType::kApplication, generation));
}

// The n-th of the epoch's secrets, each of which is stored after a length of one byte.
crypto::Secret EpochSecretOf(const mls::Group& group, size_t n) {
  const crypto::Secret all = crypto::SerializeSecret(group.state().secrets);
  return crypto::Secret::CopyOf(all.Reveal().subspan(n * 33 + 1, 32));
}

// ---- What is written ----

TEST_F(GroupStoreTest, AMessageWritesItsSendersRecord) {
  std::vector<mls::Group> groups = NewGroups(50);
  Store(groups[0]);
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(groups[0].Process(Must(groups[30].Protect(ViewOf("hello")))).ok());
    const WriteTotals before = store->write_totals();
    Store(groups[0]);
    const WriteTotals after = store->write_totals();
    // The first opens the way from the root to the sender's leaf.
    EXPECT_LE(after.puts - before.puts, i == 0 ? 7u : 1u);
    EXPECT_LT(after.bytes - before.bytes, i == 0 ? 500u : 150u);
  }
}

TEST_F(GroupStoreTest, ACommitWritesItsPathOfTheTree) {
  std::vector<mls::Group> groups = NewGroups(100, mls::CipherSuiteId::kParley);
  Store(groups[0]);
  const uint64_t whole = store->write_totals().bytes;
  CommitToAll(groups, 63, Must(groups[63].PrepareCommit({.force_path = true})));
  Store(groups[0]);
  EXPECT_LT(store->write_totals().bytes - whole, whole / 3);
  EXPECT_TRUE(Same(Load(), groups[0]));
}

// ---- Random histories ----

// One member's profile: the group as it is kept there, and an own commit in flight.
class Kept {
 public:
  explicit Kept(mls::Group group) : reference(std::move(group)) {}
  mls::Group reference;  // never leaves memory
  std::optional<mls::PreparedCommit> in_flight;
};

class RandomHistory : public GroupStoreTest, public ::testing::WithParamInterface<uint32_t> {
 protected:
  size_t Below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random); }

  // What is stored, loaded anew, does the same as the one in memory, and is all that is there.
  void Compare(const Kept& kept) {
    mls::Group loaded = Load();
    ASSERT_TRUE(Same(loaded, kept.reference));
    std::set<std::string> names;
    for (const std::string& name : NamesOf(loaded)) names.insert(name);
    size_t expected = names.size();
    if (kept.in_flight.has_value()) {
      const mls::Group next = Load(kNext);
      ASSERT_TRUE(Same(next, kept.in_flight->next));
      const ReadTransaction tx = Must(store->Read());
      ++expected;  // its head
      for (const auto& [name, record] : mls::ChangedRecords(next.Clone()).put) {
        const std::string full = kNext.base + "/" + std::to_string(next.epoch()) + "/" + name;
        if (Must(tx.Has(RecordClass::kRatchet, full))) ++expected;
      }
    }
    EXPECT_EQ(Count(), expected) << "something was left over";
  }

  std::mt19937 random{GetParam()};
};

TEST_P(RandomHistory, GoesAsInMemory) {
  std::vector<mls::Group> groups = NewGroups(11);
  // groups[0] is kept in the profile, loaded anew for each step; `kept.reference` is its twin.
  Kept kept(groups[0].Clone());
  Store(groups[0]);
  for (int step = 0; step < 60; ++step) {
    groups[0] = Load();
    const size_t actor = Below(groups.size());
    switch (Below(6)) {
      case 0: {  // an own commit goes into flight
        if (kept.in_flight.has_value()) break;
        mls::PreparedCommit commit = Must(groups[0].PrepareCommit({.force_path = true}));
        // The twin uses the same key of its ratchet, and waits for the same next group.
        kept.reference = groups[0].Clone();
        Do([&](Transaction& tx) -> absl::Status {
          PARLEY_RETURN_IF_ERROR(StoreGroup(tx, kPlace, groups[0]));
          return StoreGroup(tx, kNext, commit.next, &kPlace);
        });
        kept.in_flight.emplace(std::move(commit));
        break;
      }
      case 1: {  // a commit wins: the own one, or another
        if (kept.in_flight.has_value() && Below(2) == 0) {
          for (size_t i = 1; i < groups.size(); ++i) {
            mls::Received received = Must(groups[i].Process(kept.in_flight->message));
            groups[i] = Must(std::move(std::get<mls::StagedCommit>(received)).Next());
          }
          kept.reference = kept.in_flight->next.Clone();
          kept.in_flight.reset();
          Do([&](Transaction& tx) { return ReplaceGroup(tx, kNext, kPlace); });
          break;
        }
        if (actor == 0) break;
        const Bytes message = [&] {
          mls::PreparedCommit commit = Must(groups[actor].PrepareCommit({.force_path = true}));
          Bytes bytes = commit.message;
          for (size_t i = 0; i < groups.size(); ++i) {
            if (i == actor) continue;
            mls::Received received = Must(groups[i].Process(bytes));
            groups[i] = Must(std::move(std::get<mls::StagedCommit>(received)).Next());
          }
          groups[actor] = std::move(commit.next);
          return bytes;
        }();
        mls::Received twin = Must(kept.reference.Process(message));
        kept.reference = Must(std::move(std::get<mls::StagedCommit>(twin)).Next());
        kept.in_flight.reset();
        Do([&](Transaction& tx) -> absl::Status {
          PARLEY_RETURN_IF_ERROR(DeleteGroup(tx, kNext, &kPlace));
          return StoreGroup(tx, kPlace, groups[0]);
        });
        break;
      }
      case 2: {  // a message of the profile's own
        const Bytes message = Must(groups[0].Protect(ViewOf("mine")));
        Must(kept.reference.Protect(ViewOf("mine")));
        for (size_t i = 1; i < groups.size(); ++i) Must(groups[i].Process(message));
        Store(groups[0]);
        break;
      }
      default: {  // somebody's message, which may be late or lost
        if (actor == 0) break;
        Bytes message = Must(groups[actor].Protect(ViewOf("theirs")));
        if (Below(4) == 0) message = Must(groups[actor].Protect(ViewOf("the one before is lost")));
        ASSERT_TRUE(groups[0].Process(message).ok());
        ASSERT_TRUE(kept.reference.Process(message).ok());
        Store(groups[0]);
      }
    }
    Compare(kept);
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomHistory, ::testing::Range(1u, 7u));

// ---- What is gone ----

TEST_F(GroupStoreTest, WhatAMessageConsumesIsNowhere) {
  std::vector<mls::Group> groups = NewGroups(9);
  Store(groups[0]);
  const mls::SecretTree& tree = groups[0].state().secret_tree;
  const crypto::Secret root = *tree.StoreNode(tree.StoredNodes()[0]);
  EXPECT_TRUE(IsAnywhere(root)) << "so that this test could find something";
  const mls::FoundKey skipped = KeyOf(groups[0], groups[5], 0);
  const mls::FoundKey used = KeyOf(groups[0], groups[5], 1);
  const Bytes late = Must(groups[5].Protect(ViewOf("late")));
  Must(groups[0].Process(Must(groups[5].Protect(ViewOf("early")))));
  Store(groups[0]);
  EXPECT_FALSE(IsAnywhere(root));
  EXPECT_TRUE(IsAnywhere(skipped.key.key));
  EXPECT_FALSE(IsAnywhere(used.key.key));
  EXPECT_FALSE(IsAnywhere(used.key.nonce));
  Must(groups[0].Process(late));
  Store(groups[0]);
  EXPECT_FALSE(IsAnywhere(skipped.key.key));
}

TEST_F(GroupStoreTest, AnEndedEpochIsNowhere) {
  std::vector<mls::Group> groups = NewGroups(9);
  Store(groups[0]);
  const crypto::Secret sender_data = EpochSecretOf(groups[0], 0);
  const crypto::Secret init = EpochSecretOf(groups[0], 7);
  EXPECT_TRUE(IsAnywhere(sender_data));
  EXPECT_TRUE(IsAnywhere(init));
  const mls::FoundKey unused = KeyOf(groups[0], groups[5], 1);
  Must(groups[5].Protect(ViewOf("lost")));
  Must(groups[0].Process(Must(groups[5].Protect(ViewOf("skips one")))));
  const mls::FoundKey skipped = KeyOf(groups[0], groups[5], 0);
  Store(groups[0]);
  EXPECT_TRUE(IsAnywhere(skipped.key.key));
  CommitToAll(groups, 3, Must(groups[3].PrepareCommit({.force_path = true})));
  Store(groups[0]);
  EXPECT_FALSE(IsAnywhere(sender_data));
  EXPECT_FALSE(IsAnywhere(init));
  EXPECT_FALSE(IsAnywhere(skipped.key.key));
  EXPECT_FALSE(IsAnywhere(unused.key.key));
}

TEST_F(GroupStoreTest, ALostCommitsEpochIsNowhere) {
  std::vector<mls::Group> groups = NewGroups(9);
  Store(groups[0]);
  const size_t before = Count();
  mls::PreparedCommit commit = Must(groups[0].PrepareCommit({.force_path = true}));
  const crypto::Secret next = EpochSecretOf(commit.next, 7);
  Do([&](Transaction& tx) -> absl::Status {
    PARLEY_RETURN_IF_ERROR(StoreGroup(tx, kPlace, groups[0]));
    return StoreGroup(tx, kNext, commit.next, &kPlace);
  });
  EXPECT_TRUE(IsAnywhere(next));
  Do([&](Transaction& tx) { return DeleteGroup(tx, kNext, &kPlace); });
  EXPECT_FALSE(IsAnywhere(next));
  EXPECT_TRUE(Same(Load(), groups[0]));
  EXPECT_LE(Count(), before + 8) << "but for the own leaf, which has been opened";
  Do([&](Transaction& tx) { return DeleteGroup(tx, kPlace); });
  EXPECT_EQ(Count(), 0u);
}

// ---- What doesn't load ----

TEST_F(GroupStoreTest, NoPartPassesForTheWhole) {
  std::vector<mls::Group> groups = NewGroups(20);
  CommitToAll(groups, 3, Must(groups[3].PrepareCommit({.force_path = true})));
  Must(groups[0].Process(Must(groups[5].Protect(ViewOf("hello")))));
  Store(groups[0]);
  const std::vector<std::string> names = NamesOf(groups[0]);
  ASSERT_GT(names.size(), 8u);
  for (const std::string& name : names) {
    for (const bool missing : {true, false}) {
      Transaction tx = Must(store->Begin());  // never committed
      if (missing) {
        ASSERT_TRUE(tx.Delete(RecordClass::kRatchet, name).ok());
      } else {
        ASSERT_TRUE(tx.Put(RecordClass::kRatchet, name, ViewOf("damaged")).ok());
      }
      const absl::StatusOr<std::optional<mls::Group>> loaded = LoadGroup(tx, kPlace);
      if (missing && name == kPlace.head) {
        EXPECT_TRUE(loaded.ok() && !loaded->has_value());
        continue;
      }
      // A node's secret has no form: a damaged one shows when a message comes.
      if (!missing && name.find("/node/") != std::string::npos) continue;
      EXPECT_EQ(loaded.status().code(), absl::StatusCode::kDataLoss) << name << missing;
    }
  }
}

TEST_F(GroupStoreTest, AnotherVersionSaysSo) {
  std::vector<mls::Group> groups = NewGroups(2);
  Store(groups[0]);
  Transaction tx = Must(store->Begin());
  crypto::Secret head = *Must(tx.Get(RecordClass::kRatchet, kPlace.head));
  head.RevealMutable()[0] = 9;
  ASSERT_TRUE(tx.Put(RecordClass::kRatchet, kPlace.head, head).ok());
  const absl::Status status = LoadGroup(tx, kPlace).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("later version of Parley (record version 9"));
}

// What is damaged can still be deleted.
TEST_F(GroupStoreTest, DamageKeepsNothingFromBeingDeleted) {
  std::vector<mls::Group> groups = NewGroups(20);
  Must(groups[0].Process(Must(groups[5].Protect(ViewOf("hello")))));
  Store(groups[0]);
  const std::vector<std::string> names = NamesOf(groups[0]);
  Do([&](Transaction& tx) -> absl::Status {
    PARLEY_RETURN_IF_ERROR(tx.Delete(RecordClass::kRatchet, names.back()));
    PARLEY_RETURN_IF_ERROR(tx.Put(RecordClass::kRatchet, names[3], ViewOf("damaged")));
    return DeleteGroup(tx, kPlace);
  });
  EXPECT_EQ(Count(), 0u);
}

}  // namespace
}  // namespace parley::client

#include "crypto/mls/group_records.h"

#include <random>

#include "crypto/mls/testing.h"

namespace parley::mls {
namespace {

using namespace testing;

// What a caller's transaction does.
size_t Apply(GroupRecordChanges changes, GroupRecords& records) {
  size_t bytes = 0;
  if (changes.replaces_all) records.clear();
  for (const std::string& name : changes.remove) records.erase(name);
  for (auto& [name, record] : changes.put) {
    bytes += name.size() + record.size();
    records.insert_or_assign(name, std::move(record));
  }
  return bytes;
}

// Stores what changed, and expects the whole group to be found in the records. Bytes written.
size_t StoreAndCompare(Group& group, GroupRecords& records) {
  const size_t bytes = Apply(ChangedRecords(group), records);
  MarkStored(group);
  const GroupRecordChanges nothing = ChangedRecords(group);
  EXPECT_TRUE(!nothing.replaces_all && nothing.put.empty() && nothing.remove.empty());
  const Group loaded = Must(LoadGroup(records));
  EXPECT_TRUE(crypto::ConstantTimeEquals(loaded.Serialize().Reveal(), group.Serialize().Reveal()));
  return bytes;
}

TEST(GroupRecordsTest, FollowEveryStep) {
  std::vector<Group> groups = NewGroups(9);
  std::vector<GroupRecords> records(groups.size());
  std::mt19937 random(7);
  for (int step = 0; step < 150; ++step) {
    const size_t actor = random() % groups.size();
    Bytes message;
    switch (random() % 5) {
      case 0:
        message = Must(groups[actor].ProposeUpdate());
        break;
      case 1:
        CommitToAll(groups, actor, Must(groups[actor].PrepareCommit()));
        break;
      default:
        message = Must(groups[actor].Protect(ViewOf("a message")));
    }
    for (size_t i = 0; i < groups.size(); ++i) {
      // Some messages are lost on some, so that there are skipped keys.
      if (!message.empty() && i != actor && random() % 4 != 0) {
        const bool is_proposal = Must(PeekMessage(message)).content_type == ContentType::kProposal;
        ASSERT_TRUE(groups[i].Process(message).ok() || is_proposal);
      }
      if (random() % 3 == 0) StoreAndCompare(groups[i], records[i]);
    }
    if (message.empty()) continue;
    // Whoever missed a proposal couldn't follow its commit.
    for (Group& group : groups) group.ClearPendingProposals();
  }
}

TEST(GroupRecordsTest, AMessageRewritesLittle) {
  std::vector<Group> groups = NewGroups(64);
  GroupRecords records;
  const size_t whole = StoreAndCompare(groups[0], records);
  EXPECT_GT(whole, 10'000u);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(groups[0].Process(Must(groups[40].Protect(ViewOf("hello")))).ok());
    // The first opens the sender's leaf: as many nodes as the tree is high.
    EXPECT_LT(StoreAndCompare(groups[0], records), i == 0 ? 600u : 200u);
  }
  Must(groups[0].Protect(ViewOf("hello")));
  EXPECT_LT(StoreAndCompare(groups[0], records), 600u);
  ASSERT_TRUE(groups[0].Process(Must(groups[41].ProposeUpdate())).ok());
  EXPECT_LT(StoreAndCompare(groups[0], records), 1000u);
}

// However many wait already.
TEST(GroupRecordsTest, TheLastProposalWritesNoMoreThanTheFirst) {
  std::vector<Group> groups = NewGroups(8);
  GroupRecords records;
  StoreAndCompare(groups[0], records);
  ASSERT_TRUE(groups[0].Process(Must(groups[1].ProposeUpdate())).ok());
  StoreAndCompare(groups[0], records);  // opens the sender's leaf
  size_t first = 0;
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(groups[0].Process(Must(groups[1].ProposeUpdate())).ok());
    const size_t bytes = StoreAndCompare(groups[0], records);
    if (i == 0) first = bytes;
    EXPECT_LE(bytes, first + 8) << i;
  }
  // Own ones bring their private halves.
  size_t own = 0;
  for (int i = 0; i < 20; ++i) {
    Must(groups[0].ProposeUpdate({.new_signature_key = i % 2 == 0}));
    const size_t bytes = StoreAndCompare(groups[0], records);
    if (i == 2) own = bytes;
    EXPECT_TRUE(i <= 2 || bytes <= own + 8) << i << " " << bytes;
  }
  // Without one of them, of which nothing is left.
  const PendingProposal dropped = groups[0].pending_proposals()[30];
  EXPECT_EQ(groups[0].DropPendingProposals({dropped.ref}), 1u);
  StoreAndCompare(groups[0], records);
  EXPECT_TRUE(records.contains("pending/59") && !records.contains("pending/60"));
  // Fewer than before, others in the places of those that are gone, and none.
  groups[0].ClearPendingProposals();
  ASSERT_TRUE(groups[0].Process(Must(groups[1].ProposeRemove(LeafIndex(2)))).ok());
  StoreAndCompare(groups[0], records);
  EXPECT_TRUE(records.contains("pending/0") && !records.contains("pending/1"));
  groups[0].ClearPendingProposals();
  StoreAndCompare(groups[0], records);
  EXPECT_FALSE(records.contains("pending/0"));
}

TEST(GroupRecordsTest, ACommitLeavesMostOfTheTreeAsItWas) {
  std::vector<Group> groups = NewGroups(100);
  GroupRecords records;
  const size_t whole = StoreAndCompare(groups[0], records);
  CommitToAll(groups, 77, Must(groups[77].PrepareCommit()));
  const GroupRecordChanges changes = ChangedRecords(groups[0]);
  EXPECT_TRUE(changes.replaces_all);
  size_t bytes = 0;
  size_t parts = 0;
  for (const auto& [name, record] : changes.put) {
    const auto before = records.find(name);
    if (before != records.end() &&
        crypto::ConstantTimeEquals(before->second.Reveal(), record.Reveal())) {
      continue;
    }
    bytes += record.size();
    if (name.starts_with("tree/")) ++parts;
  }
  EXPECT_EQ(parts, 2u) << "the path's leaf and three nodes, and the four above";
  EXPECT_LT(bytes, whole / 3);
}

// A store that can't list its records finds all of them, also when senders have opened the tree.
TEST(GroupRecordsTest, AreFoundByTheirNames) {
  std::vector<Group> groups = NewGroups(21);
  GroupRecords records;
  for (const size_t sender : {3, 4, 20, 11}) {
    Must(groups[0].Process(Must(groups[sender].Protect(ViewOf("hello")))));
    StoreAndCompare(groups[0], records);
    size_t asked = 0;
    const GetRecord get = [&](const std::string& name) -> absl::StatusOr<std::optional<Secret>> {
      ++asked;
      const auto found = records.find(name);
      if (found == records.end()) return std::optional<Secret>();
      return std::optional<Secret>(found->second.Clone());
    };
    const GroupRecords found = Must(FindRecords(ChangedRecords(groups[0]).leaves, get));
    EXPECT_EQ(found.size(), records.size());
    EXPECT_TRUE(LoadGroup(found).ok());
    EXPECT_LT(asked, 4 * 32u);
  }
}

// Whichever record is missing, no group comes of the rest.
TEST(GroupRecordsTest, EveryRecordIsNeeded) {
  std::vector<Group> groups = NewGroups(21);
  Must(groups[0].Process(Must(groups[3].Protect(ViewOf("hello")))));
  for (const size_t from : {3, 4}) Must(groups[0].Process(Must(groups[from].ProposeUpdate())));
  GroupRecords records;
  StoreAndCompare(groups[0], records);
  ASSERT_GT(records.size(), 10u);
  for (const auto& [missing, value] : records) {
    const GetRecord get = [&](const std::string& name) -> absl::StatusOr<std::optional<Secret>> {
      const auto found = records.find(name);
      if (found == records.end() || name == missing) return std::optional<Secret>();
      return std::optional<Secret>(found->second.Clone());
    };
    const GroupRecords found = Must(FindRecords(ChangedRecords(groups[0]).leaves, get));
    EXPECT_EQ(LoadGroup(found).status().code(), absl::StatusCode::kDataLoss) << missing;
  }
}

TEST(GroupRecordsTest, ACloneReplacesAll) {
  Group group = NewGroup("mira");
  GroupRecords records;
  StoreAndCompare(group, records);
  Group clone = group.Clone();
  Must(clone.Protect(ViewOf("hello")));
  EXPECT_TRUE(ChangedRecords(clone).replaces_all);
  StoreAndCompare(clone, records);
}

TEST(GroupRecordsTest, RefusesWhatDoesNotBelongTogether) {
  std::vector<Group> groups = NewGroups(4);
  GroupRecords old_records;
  GroupRecords records;
  StoreAndCompare(groups[0], old_records);
  CommitToAll(groups, 1, Must(groups[1].PrepareCommit()));
  StoreAndCompare(groups[0], records);
  const auto load_with = [&](const std::string& name, Secret record) {
    GroupRecords changed;
    for (const auto& [other, value] : records) changed.emplace(other, value.Clone());
    if (record.empty()) {
      changed.erase(name);
    } else {
      changed.insert_or_assign(name, std::move(record));
    }
    return LoadGroup(changed).status().code();
  };
  EXPECT_EQ(load_with("pending", {}), absl::StatusCode::kDataLoss);
  EXPECT_EQ(load_with("group", {}), absl::StatusCode::kDataLoss);
  EXPECT_EQ(load_with("pending", old_records.at("pending").Clone()), absl::StatusCode::kDataLoss);
  EXPECT_EQ(load_with("pending/0", Secret(8)), absl::StatusCode::kDataLoss) << "one too many";
  EXPECT_EQ(load_with("sender/9", Secret(8)), absl::StatusCode::kDataLoss);
  EXPECT_EQ(load_with("tree/7", {}), absl::StatusCode::kDataLoss);
  EXPECT_EQ(load_with("tree/7", old_records.at("tree/7").Clone()), absl::StatusCode::kDataLoss);
  EXPECT_EQ(load_with("tree/x", Secret(8)), absl::StatusCode::kDataLoss);
  EXPECT_EQ(load_with("node/3", {}), absl::StatusCode::kDataLoss) << "nobody's keys";
  EXPECT_EQ(load_with("node/99", Secret(32)), absl::StatusCode::kDataLoss);
  EXPECT_EQ(load_with("something", Secret(8)), absl::StatusCode::kDataLoss);
  Secret later = records.at("group").Clone();
  later.RevealMutable()[1] = 4;
  EXPECT_EQ(load_with("group", std::move(later)), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace parley::mls

// What earlier versions stored loads for ever: see stored/README.md.
#include <filesystem>
#include <fstream>
#include <map>

#include "crypto/mls/group_records.h"
#include "crypto/mls/testing.h"

namespace parley::mls {
namespace {

using namespace testing;

using Sample = std::map<std::string, Bytes>;

Sample ReadSample(const std::filesystem::path& file) {
  Sample sample;
  std::ifstream in(file);
  std::string name;
  std::string hex;
  while (in >> name >> hex) sample[name] = Must(crypto::FromHex(hex));
  return sample;
}

// Files whose names begin like this; there is at least one of each suite.
std::vector<Sample> SamplesOf(const std::string& beginning) {
  std::vector<Sample> samples;
  for (const auto& entry : std::filesystem::directory_iterator(PARLEY_MLS_STORED)) {
    if (entry.path().filename().string().starts_with(beginning)) {
      samples.push_back(ReadSample(entry.path()));
    }
  }
  EXPECT_GE(samples.size(), 2u) << beginning;
  return samples;
}

void ExpectGoesOn(Group& group, const Sample& sample) {
  EXPECT_EQ(group.epoch(), 2u);
  EXPECT_EQ(group.EpochAuthenticator(), sample.at("authenticator"));
  ASSERT_NE(group.FindExtension(kRosterExtension), nullptr);
  EXPECT_EQ(group.FindExtension(kRosterExtension)->data, ToBytes("roster"));
  ASSERT_EQ(group.pending_proposals().size(), 2u);
  EXPECT_EQ(group.pending_proposals()[1].proposal, Proposal{Remove{LeafIndex(1)}});
  for (const char* text : {"skipped", "next"}) {
    const Received received = Must(group.Process(sample.at(text)));
    EXPECT_EQ(TextOf(std::get<ApplicationMessage>(received).plaintext), text);
    EXPECT_FALSE(group.Process(sample.at(text)).ok());
  }
  PreparedCommit commit = Must(group.PrepareCommit());
  EXPECT_EQ(commit.next.members().size(), 2u);
}

TEST(StoredSamplesTest, GroupsGoOn) {
  for (const Sample& sample : SamplesOf("group_v1_")) {
    Group group = Must(Group::Parse(sample.at("group")));
    ExpectGoesOn(group, sample);
  }
}

// A change to what was loaded, whatever version it was of, leaves records that load.
void ExpectStoresChanges(const GroupRecords& loaded) {
  Group group = Must(LoadGroup(loaded));
  Must(group.ProposeUpdate());
  GroupRecordChanges changes = ChangedRecords(group);
  GroupRecords records;
  if (!changes.replaces_all) {
    for (const auto& [name, record] : loaded) records.emplace(name, record.Clone());
  }
  for (const std::string& name : changes.remove) records.erase(name);
  for (auto& [name, record] : changes.put) records.insert_or_assign(name, std::move(record));
  const Group again = Must(LoadGroup(records));
  EXPECT_TRUE(crypto::ConstantTimeEquals(again.Serialize().Reveal(), group.Serialize().Reveal()));
}

TEST(StoredSamplesTest, GroupsInRecordsGoOn) {
  std::vector<Sample> samples = SamplesOf("records_v1_");
  for (const char* later : {"records_v2_", "records_v3_"}) {
    for (Sample& sample : SamplesOf(later)) samples.push_back(std::move(sample));
  }
  for (const Sample& sample : samples) {
    GroupRecords records;
    for (const auto& [name, bytes] : sample) {
      const std::string kind = "record:";
      if (name.starts_with(kind)) {
        records.emplace(name.substr(kind.size()), Secret::CopyOf(bytes));
      }
    }
    Group group = Must(LoadGroup(records));
    ExpectStoresChanges(records);
    ExpectGoesOn(group, sample);
  }
}

TEST(StoredSamplesTest, KeyPackagesAndCommitsInFlightGoOn) {
  for (const Sample& sample : SamplesOf("group_v1_")) {
    PreparedCommit commit = Must(PreparedCommit::Parse(sample.at("commit")));
    EXPECT_EQ(commit.next.EpochAuthenticator(), sample.at("commit_authenticator"));
    const Group joined =
        Must(Group::Join(*commit.welcome, Must(KeyPackageBundle::Parse(sample.at("bundle")))));
    EXPECT_EQ(joined.EpochAuthenticator(), sample.at("commit_authenticator"));
  }
}

}  // namespace
}  // namespace parley::mls

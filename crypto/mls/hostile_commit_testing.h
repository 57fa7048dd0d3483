// A group of four in which member 0 is hostile, for tests of what the others refuse.
#ifndef PARLEY_CRYPTO_MLS_HOSTILE_COMMIT_TESTING_H_
#define PARLEY_CRYPTO_MLS_HOSTILE_COMMIT_TESTING_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "crypto/mls/forging.h"
#include "crypto/mls/testing.h"

namespace parley::mls::testing {

class HostileCommit : public ::testing::Test {
 protected:
  void SetUp() override {
    groups_ = NewGroups(4);
    // A path of everyone's, so that there are parent nodes everywhere.
    for (size_t i = 0; i < groups_.size(); ++i) {
      CommitToAll(groups_, i, Must(groups_[i].PrepareCommit()));
    }
  }

  // Everyone but member 0 refuses `message` for a reason that contains `why`, and nothing changes.
  void ExpectRefused(const Bytes& message, absl::StatusCode code, const char* why) {
    for (size_t i = 1; i < groups_.size(); ++i) {
      const Secret before = groups_[i].Serialize();
      const absl::Status status = groups_[i].Process(message).status();
      EXPECT_EQ(status.code(), code) << status;
      EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(why));
      EXPECT_TRUE(crypto::ConstantTimeEquals(before.Reveal(), groups_[i].Serialize().Reveal()));
    }
  }
  void ExpectInvalid(const Bytes& message, const char* why) {
    ExpectRefused(message, absl::StatusCode::kInvalidArgument, why);
  }

  Bytes Forge(const std::function<void(Commit&)>& tamper, const CommitOptions& options = {}) {
    return ForgeCommit(groups_[0], options, tamper);
  }
  Bytes ForgeProposals(const std::vector<Proposal>& proposals) {
    return Forge([&](Commit& commit) {
      for (const Proposal& proposal : proposals) commit.proposals.push_back({proposal});
    });
  }

  const CipherSuite& suite() { return *groups_[0].state().suite; }

  std::vector<Group> groups_;
};

}  // namespace parley::mls::testing

#endif  // PARLEY_CRYPTO_MLS_HOSTILE_COMMIT_TESTING_H_

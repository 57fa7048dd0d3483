// A group of up to 64 people who come and go, speak, fall silent, race, lose messages and lie to
// each other, beside a model of who is a member and who may read what.
//
// Every step plays one thing that can happen, with the real library on one side and the model on
// the other; Check() compares them. All of it follows from the seed.
#ifndef PARLEY_TESTS_PROPERTY_MLS_WORLD_H_
#define PARLEY_TESTS_PROPERTY_MLS_WORLD_H_

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "crypto/mls/testing.h"

namespace parley::mls::testing {

class World {
 public:
  World(CipherSuiteId suite, uint32_t seed, size_t max_members);

  // One operation. Says by gtest what goes wrong.
  void Step();
  // Everyone who is online agrees with the model and with everyone else.
  void Check();
  // Those who are away come back; at the end of a history.
  void EveryoneReturns();

  struct Counts {
    size_t commits = 0;
    size_t heard = 0;    // application messages that were read by who may
    size_t refused = 0;  // what a relay, an outsider or a member made up
    size_t members = 0;  // at the largest
  };
  const Counts& counts() const { return counts_; }

 private:
  // What waits for somebody who is away.
  struct Queued {
    Bytes message;
    std::optional<std::string> text;  // of an application message
    bool removes = false;             // a commit that removes them
  };
  struct Person {
    Group group;
    bool away = false;
    std::vector<Queued> waiting{};
  };
  struct Late {
    std::string name;
    std::string text;
    Bytes message;
  };

  size_t Pick(size_t below) { return random_() % below; }
  bool Chance(size_t percent) { return Pick(100) < percent; }
  // Somebody who is online. There is always one.
  const std::string& Anyone();
  Group& GroupOf(const std::string& name) { return people_.at(name).group; }
  CommitOptions SomeOptions();
  size_t Room() const { return max_members_ - people_.size(); }

  // mls_world.cc: what honest people do.
  void AddSome();
  void RemoveSome();
  void CommitNothing();
  void ProposeAndCommit();
  void AskToJoin();
  void JoinFromOutside();
  void MixInPsk();
  void BranchOff();
  void ChangeExtensions();
  void LoseARace();
  void Talk();
  void Restart();
  void GoAway();
  void Return(const std::string& name);

  void Deliver(const std::string& committer, PreparedCommit commit,
               const std::set<std::string>& leaving = {});
  void SayProposal(const std::string& proposer, const Bytes& message);
  void Hear(Group& group, const std::string& text, const Bytes& message);
  void Welcome(const Bytes& welcome, std::map<std::string, KeyPackageBundle> joining);

  // mls_world_malice.cc: what hostile ones do.
  void Lie();
  void LieInAnothersName();
  void LieAboutGenerations();
  void LieInACommit();
  void SplitTheGroup();
  void Replay();
  void LieAfterRemoval();
  void LieToNewcomers();
  // `message` is refused by everyone online but `liar`, and changes nothing.
  void ExpectRefused(const std::string& liar, const Bytes& message);
  bool Refuses(Group& group, const Bytes& message);
  // A relay's copy with a flipped bit, or cut short.
  void Attack(Group& group, const Bytes& message);
  void ExpectDeafOutsiders(const Bytes& message);

  CipherSuiteId suite_;
  std::mt19937 random_;
  size_t max_members_;
  std::map<std::string, Person> people_;
  std::vector<Group> removed_;  // as they were when they left
  std::vector<Late> late_;      // lost on the way, to come in this epoch or never
  std::vector<Bytes> old_;      // what was sent in earlier epochs
  std::optional<Bytes> last_;   // the last message that everyone online has processed
  Extensions extensions_;
  size_t names_ = 1;
  Counts counts_;
};

}  // namespace parley::mls::testing

#endif  // PARLEY_TESTS_PROPERTY_MLS_WORLD_H_

// Random acts of random participants, malicious ones included, in a case's joint channel, against
// what the table allows. Several devices play the same log, some from a later joining on.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <random>

#include "client-lib/procedure/procedure_for_test.h"
#include "client-lib/procedure/procedure_table.h"

namespace parley::client {
namespace {

using namespace testing;  // NOLINT: the people of the case

uint32_t FromEnvironment(const char* name, uint32_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : static_cast<uint32_t>(std::strtoul(value, nullptr, 10));
}

class World {
 public:
  explicit World(uint32_t seed) : random_(seed) {
    people_ = Everybody();
    if (Below(8) == 0) return;  // whoever comes first says something else first
    log_.Do(kMira, CaseAct::kOpen);
    log_.List(kMira, people_);
  }

  // Something happens; then everybody looks.
  void Step() {
    const ProcedureLog played = log_.Play();
    const CaseProcedure before = played.procedure();
    const size_t acts = played.steps().size();
    switch (Below(12)) {
      case 0:
        Join();
        break;
      case 1:
        Leave();
        break;
      case 2:
        Propose();
        break;
      case 3:
      case 4:
        Sign();
        break;
      case 5:
        Lie();
        break;
      case 6:
        OneThatIsAllowed();
        break;
      case 7:
      case 8:
        WhatIsMissing();
        break;
      default:
        Do(Author(), AnyAct());
        break;
    }
    CheckLatest(before, acts);
    if (Below(4) == 0) TellNewcomers();
    log_.Pass(Below(3));
  }

  void Check() {
    const ProcedureLog all = log_.Play();
    for (const JointPosition& joined : joined_) {
      const ProcedureLog theirs = log_.PlayFrom(joined);
      if (!theirs.has_begun()) continue;
      ++compared_;
      ASSERT_TRUE(theirs.procedure() == all.procedure())
          << "who joined at " << joined.position << " is in " << NameOf(theirs.procedure().state())
          << ", the others are in " << NameOf(all.procedure().state());
    }
    CheckGate(all.procedure());
  }

  uint64_t counted() const { return counted_; }
  uint64_t refused() const { return refused_; }
  uint64_t compared() const { return compared_; }
  const std::set<CaseState>& seen() const { return seen_; }

 private:
  uint32_t Below(uint32_t bound) { return static_cast<uint32_t>(random_() % bound); }
  const Actor& Author() { return people_[Below(static_cast<uint32_t>(people_.size()))]; }
  CaseProcedure Now() const { return log_.Play().procedure(); }

  // What ends a case comes seldom, so that histories get somewhere.
  CaseAct AnyAct() {
    const CaseAct act = static_cast<CaseAct>(Below(27));
    const bool ends = act == CaseAct::kDecline || act == CaseAct::kWithdraw ||
                      act == CaseAct::kTerminate || act == CaseAct::kDeclareImpasse ||
                      act == CaseAct::kRetain;
    return ends && Below(8) != 0 ? CaseAct::kBeginSession : act;
  }

  MessageId About() {
    if (disclosures_.empty() || Below(8) == 0) return MessageId(crypto::ByteArray<16>{200});
    return disclosures_[Below(static_cast<uint32_t>(disclosures_.size()))];
  }

  void Do(const Actor& author, CaseAct act) {
    log_.SetSettlement(Below(4) == 0 ? 'x' : 's');
    const MessageId id = log_.Do(author, act, About());
    if (act == CaseAct::kDiscloseConflict && log_.LastRefusal().empty()) disclosures_.push_back(id);
  }

  void OneThatIsAllowed() {
    const CaseState state = Now().state();
    std::vector<const ActRule*> rules;
    for (const ActRule& rule : ActRules()) {
      const bool ends = rule.to == CaseState::kWithdrawn || rule.to == CaseState::kTerminated ||
                        rule.to == CaseState::kImpasse;
      if ((rule.from & SetOf(state)) != 0 && (!ends || Below(12) == 0)) rules.push_back(&rule);
    }
    if (rules.empty()) return;
    const ActRule& rule = *rules[Below(static_cast<uint32_t>(rules.size()))];
    for (const Actor& person : people_) {
      if ((rule.who & SetOf(person.role)) != 0 && Below(2) == 0) {
        Do(person, rule.act);
        return;
      }
    }
  }

  // As people do who want to get on.
  void WhatIsMissing() {
    const CaseProcedure now = Now();
    if (now.state() == CaseState::kOpened) Do(kAna, CaseAct::kRequest);
    if (now.state() == CaseState::kRequested) Do(kBen, CaseAct::kAccept);
    for (const CaseProcedure::Disclosure& disclosure : now.disclosures()) {
      if (now.IsSettled(disclosure)) continue;
      log_.Do(kLee, CaseAct::kWaive, disclosure.id);
      log_.Do(kBen, CaseAct::kWaive, disclosure.id);
    }
    if (now.proposals().empty()) {
      documents_.push_back(log_.Propose(kTomas, "the first text"));
    } else {
      for (const Actor& person : people_) log_.Sign(person, now.proposals().back().document);
    }
    if (Below(2) == 0) OneThatIsAllowed();
  }

  void Join() {
    joined_.push_back(log_.head());
    if (people_.size() > 9 || Below(2) == 0) return;  // a device of somebody who is in already
    const Role roles[] = {Role::kParty, Role::kCounsel, Role::kObserver};
    const Role role = roles[Below(3)];
    ++joins_;
    people_.push_back(Person(static_cast<uint8_t>(20 + joins_), "Person " + std::to_string(joins_),
                             role, role == Role::kObserver ? "" : "Harbor"));
  }

  void Leave() {
    if (people_.size() > 6) people_.pop_back();
  }

  void TellNewcomers() { log_.List(kMira, people_); }

  void Propose() {
    documents_.push_back(log_.Propose(Author(), "text " + std::to_string(Below(4)),
                                      Below(5) == 0 ? "nonsense" : Templates()[0].policy));
  }

  void Sign() {
    if (documents_.empty()) return;
    const DocumentHash& document =
        Below(3) != 0 ? documents_.back()
                      : documents_[Below(static_cast<uint32_t>(documents_.size()))];
    if (Below(3) == 0) {
      for (const Actor& person : people_) log_.Sign(person, document);
    } else {
      log_.Sign(Author(), document, Below(4) != 0);
    }
  }

  // An overview by somebody who mayn't, or that leaves out or alters what was.
  void Lie() {
    content::v1::Content lie;
    content::v1::CaseOverview& overview = *lie.mutable_case_overview();
    overview = log_.Play().MakeOverview({kBen}, log_.head());
    const bool by_neutral = overview.history_size() > 1 && Below(2) == 0;
    if (by_neutral) {
      // A neutral's lie is only told to those who know better (see docs/security.md).
      for (const JointPosition& joined : joined_) {
        if (!log_.PlayFrom(joined).has_begun()) return;
      }
      overview.mutable_history()->SwapElements(0, overview.history_size() - 1);
    }
    log_.Say(by_neutral ? kTomas : kBen, lie);
    ASSERT_NE(log_.LastRefusal(), "") << "a lie counts";
  }

  // What came in a step, act by act, against the table.
  void CheckLatest(const CaseProcedure& before, size_t acts_before) {
    const ProcedureLog log = log_.Play();
    CaseProcedure now = before;
    for (size_t i = acts_before; i < log.steps().size(); ++i) {
      const ProcedureLog::Step& step = log.steps()[i];
      if (!step.refused.empty()) {
        ++refused_;
        continue;
      }
      ++counted_;
      CheckOne(step, now.state());
      now = step.afterwards;
    }
    seen_.insert(now.state());
    ASSERT_TRUE(log.procedure() == now) << "what was passed over has changed something";
  }

  static void CheckOne(const ProcedureLog::Step& step, CaseState from) {
    const ActRule* const rule = FindRule(step.read.act.kind);
    ASSERT_NE(rule, nullptr);
    ASSERT_NE(rule->who & SetOf(step.record.author.role), 0u)
        << step.record.author.name << " did " << rule->name;
    ASSERT_NE(rule->from & SetOf(from), 0u) << rule->name << " while " << NameOf(from);
    // By the act, and then perhaps by what follows.
    std::set<CaseState> reachable = {from};
    if (rule->to != CaseState::kNone) reachable.insert(rule->to);
    for (size_t i = 0; i < 3; ++i) {
      for (const FollowingRule& following : FollowingRules()) {
        if (reachable.contains(following.from)) reachable.insert(following.to);
      }
    }
    ASSERT_TRUE(reachable.contains(step.afterwards.state()))
        << rule->name << " led from " << NameOf(from) << " to " << NameOf(step.afterwards.state());
  }

  // Talk is open only to those who have signed, among those who have.
  void CheckGate(const CaseProcedure& procedure) {
    for (const Actor& person : procedure.participants()) {
      if (!procedure.KeepsFromTalk(person.id, ChannelKind::kJoint, {}).empty()) continue;
      ASSERT_NE(procedure.in_force(), nullptr);
      for (const Actor& other : procedure.participants()) {
        ASSERT_TRUE(procedure.in_force()->signers.contains(other.id)) << other.name;
      }
    }
  }

  std::mt19937 random_;
  Log log_;
  std::vector<Actor> people_;
  std::vector<MessageId> disclosures_;
  std::vector<DocumentHash> documents_;
  std::vector<JointPosition> joined_;
  int joins_ = 0;
  uint64_t counted_ = 0;
  uint64_t refused_ = 0;
  uint64_t compared_ = 0;
  std::set<CaseState> seen_;
};

// The same histories each time, in which enough happens, and others by chance.
TEST(ProcedureProperty, DevicesAgreeAndTheTableIsKeptWhateverHappens) {
  constexpr uint32_t kSame = 6;
  const uint32_t first = FromEnvironment("PARLEY_SEED", std::random_device{}());
  const uint32_t seeds = FromEnvironment("PARLEY_SEEDS", 6);
  uint64_t counted = 0;
  uint64_t refused = 0;
  uint64_t compared = 0;
  std::set<CaseState> seen;
  for (uint32_t i = 0; i < kSame + seeds; ++i) {
    const uint32_t seed = i < kSame ? i + 1 : first + (i - kSame);
    SCOPED_TRACE("PARLEY_SEED=" + std::to_string(seed));
    World world(seed);
    for (int step = 0; step < 70; ++step) {
      world.Step();
      if (step % 10 == 9) world.Check();
      if (::testing::Test::HasFailure()) return;
    }
    counted += world.counted();
    refused += world.refused();
    compared += world.compared();
    seen.insert(world.seen().begin(), world.seen().end());
  }
  std::printf("from seed %u: %llu acts counted, %llu passed over, %llu comparisons, %zu states\n",
              first, static_cast<unsigned long long>(counted),
              static_cast<unsigned long long>(refused), static_cast<unsigned long long>(compared),
              seen.size());
  // Histories in which nothing happens prove nothing: what the same ones reach by themselves.
  EXPECT_GT(counted, 100u);
  EXPECT_GT(refused, 100u);
  EXPECT_GT(compared, 50u);
  EXPECT_GE(seen.size(), 10u);
}

}  // namespace
}  // namespace parley::client

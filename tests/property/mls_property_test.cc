// Random histories of an MLS group against a model of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "tests/property/mls_world.h"

namespace parley::mls {
namespace {

using testing::World;

uint32_t FromEnvironment(const char* name, uint32_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : static_cast<uint32_t>(std::strtoul(value, nullptr, 10));
}

uint32_t Seed() { return FromEnvironment("PARLEY_SEED", std::random_device{}()); }

bool Long() { return FromEnvironment("PARLEY_LONG", 0) != 0; }

// Returns how many members there were at the most.
size_t Live(CipherSuiteId suite, uint32_t seed, uint32_t steps, size_t max_members) {
  SCOPED_TRACE("PARLEY_SEED=" + std::to_string(seed));
  World world(suite, seed, max_members);
  for (uint32_t step = 0; step <= steps; ++step) {
    step < steps ? world.Step() : world.EveryoneReturns();
    world.Check();
    if (::testing::Test::HasFatalFailure()) {
      ADD_FAILURE() << "at step " << step << " of up to " << max_members << " members";
      return world.counts().members;
    }
  }
  const World::Counts& counts = world.counts();
  std::printf("seed %u: up to %zu members, %zu commits, %zu messages read, %zu lies refused\n",
              seed, counts.members, counts.commits, counts.heard, counts.refused);
  // A history in which nothing happens proves nothing.
  EXPECT_GT(counts.commits, steps / 4);
  EXPECT_GT(counts.heard, steps / 4);
  EXPECT_GT(counts.refused, steps / 8);
  return counts.members;
}

TEST(MlsProperty, MembersAgreeWhateverHappens) {
  const uint32_t steps = FromEnvironment("PARLEY_STEPS", 200);
  const uint32_t seed = Seed();
  for (size_t max_members : {4, 9, 16, 33}) {
    Live(CipherSuiteId::k0x0003, seed, steps, max_members);
  }
}

TEST(MlsProperty, ManyMembers) {
  const uint32_t seed = Seed();
  const uint32_t steps = FromEnvironment("PARLEY_STEPS", 200);
  // Most histories fill the group; a short one may end before many have come.
  size_t members = 0;
  for (uint32_t i = 0; i < 3 && members < 48; ++i) {
    members = std::max(members, Live(CipherSuiteId::k0x0003, seed + i, steps, 64));
  }
  if (steps >= 200) {
    EXPECT_GE(members, 48u) << "PARLEY_SEED=" << seed;
  }
}

TEST(MlsProperty, FixedHistories) {
  for (uint32_t seed : {1u, 2u, 3u}) Live(CipherSuiteId::k0x0003, seed, 100, 12);
}

TEST(MlsProperty, WithTheSuiteOfRealChannels) { Live(CipherSuiteId::kParley, Seed(), 60, 12); }

TEST(MlsProperty, LongHistories) {
  if (!Long()) GTEST_SKIP() << "100,000 operations, with PARLEY_LONG=1";
  const uint32_t seed = Seed();
  for (uint32_t i = 0; i < 100; ++i) {
    Live(CipherSuiteId::k0x0003, seed + i, 980, 3 + i % 21);
    if (::testing::Test::HasFailure()) return;
  }
  for (uint32_t i = 0; i < 2; ++i) Live(CipherSuiteId::k0x0003, seed + i, 1000, 64);
}

}  // namespace
}  // namespace parley::mls

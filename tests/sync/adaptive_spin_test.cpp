// Waiting awake, as long as it pays.

#include "sync/adaptive_spin.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <cstdint>
#include <thread>

#include "platform/cpu.hpp"

namespace procession::sync {
namespace {

TEST(SpinBudget, IsWholeAtFirst) {
  SpinBudget budget;
  EXPECT_EQ(budget.begin(), SpinBudget::kWhole);
  EXPECT_EQ(budget.begin(), SpinBudget::kWhole);
}

TEST(SpinBudget, FallsToAQuarterWithEachFailure) {
  SpinBudget budget;
  std::int64_t before = budget.begin();
  budget.fail();
  for (std::int64_t now = budget.begin(); now != 0; now = budget.begin()) {
    EXPECT_EQ(now, before / 4);
    EXPECT_GE(now, SpinBudget::kLeast);
    before = now;
    budget.fail();
  }
  EXPECT_LT(before / 4, SpinBudget::kLeast);
}

TEST(SpinBudget, IsWholeAgainAfterASuccess) {
  SpinBudget budget;
  for (int i = 0; i < 10; ++i) {
    static_cast<void>(budget.begin());
    budget.fail();
  }
  EXPECT_EQ(budget.begin(), 0);
  budget.succeed();
  EXPECT_EQ(budget.begin(), SpinBudget::kWhole);
}

TEST(SpinBudget, IsTriedInFullEvery32ndTime) {
  SpinBudget budget;
  for (std::uint32_t wait = 0; wait < 10 * SpinBudget::kProbe; ++wait) {
    const std::int64_t now = budget.begin();
    if (wait % SpinBudget::kProbe == 0) {
      EXPECT_EQ(now, SpinBudget::kWhole) << wait;
    } else if (wait > 4) {
      EXPECT_EQ(now, 0) << wait;
    }
    budget.fail();
  }
}

/// How often it looked where nothing comes.
std::uint64_t looks(AdaptiveSpin& spin) {
  std::uint64_t count = 0;
  EXPECT_FALSE(spin.spin([&] { return ++count, false; }));
  return count;
}

TEST(AdaptiveSpin, WhatIsThereCostsOneLook) {
  AdaptiveSpin spin;
  int count = 0;
  EXPECT_TRUE(spin.spin([&] { return ++count, true; }));
  EXPECT_EQ(count, 1);
}

TEST(AdaptiveSpin, WhereNothingComesItSoonLooksAFewTimesOnly) {
  if (platform::usable_cpus() < 2) GTEST_SKIP() << "waits awake only beside another processor";
  AdaptiveSpin spin;
  for (int wait = 0; wait < 4; ++wait) {
    looks(spin);
  }
  const std::uint64_t few = looks(spin);
  EXPECT_LE(few, 20U);
  EXPECT_GT(few, 1U);
  // Every 32nd after the first is a whole one. Each may be cut short: the time goes on while this
  // thread does not run.
  std::uint64_t most = 0;
  for (std::uint32_t wait = 5; wait < 20 * SpinBudget::kProbe; ++wait) {
    const std::uint64_t count = looks(spin);
    if (wait % SpinBudget::kProbe == 0) {
      most = std::max(most, count);
    } else {
      EXPECT_EQ(count, few) << wait;
    }
  }
  EXPECT_GT(most, few);
}

TEST(AdaptiveSpin, AfterASuccessItLooksLongAgain) {
  if (platform::usable_cpus() < 2) GTEST_SKIP() << "waits awake only beside another processor";
  AdaptiveSpin spin;
  for (int wait = 0; wait < 4; ++wait) {
    looks(spin);
  }
  const std::uint64_t few = looks(spin);
  std::uint64_t most = 0;
  for (int round = 0; round < 12; ++round) {  // the 32nd wait would be a whole one by itself
    int count = 0;
    EXPECT_TRUE(spin.spin([&] { return ++count == 3; }));
    most = std::max(most, looks(spin));
  }
  EXPECT_GT(most, few);
}

TEST(AdaptiveSpin, OnOneProcessorItLooksOnce) {
  std::thread([] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(::sched_getcpu(), &one);
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    AdaptiveSpin spin;
    int count = 0;
    EXPECT_FALSE(spin.spin_every(1, [&] { return ++count, false; }));
    EXPECT_EQ(count, 1);
  }).join();
}

TEST(SpinAt, IsTheSameForOnePlaceAndOnesOwnInEachThread) {
  const int place = 0;
  AdaptiveSpin& mine = spin_at(&place);
  EXPECT_EQ(&spin_at(&place), &mine);
  std::thread([&] { EXPECT_NE(&spin_at(&place), &mine); }).join();
}

}  // namespace
}  // namespace procession::sync

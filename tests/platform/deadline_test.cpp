#include "platform/deadline.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace procession::platform {
namespace {

using std::chrono::hours;
using std::chrono::nanoseconds;

TEST(Deadline, WithoutATimeoutNeverPasses) {
  const Deadline deadline{Timeout()};
  EXPECT_TRUE(deadline.never());
  EXPECT_FALSE(deadline.passed());
  EXPECT_FALSE(deadline.left().has_value());
}

TEST(Deadline, OfZeroHasPassed) {
  const Deadline deadline(Duration::zero());
  EXPECT_FALSE(deadline.never());
  EXPECT_TRUE(deadline.passed());
  EXPECT_EQ(deadline.left(), Duration::zero());
}

TEST(Deadline, LeavesNoMoreThanTheTimeout) {
  const Deadline deadline(hours(1));
  EXPECT_FALSE(deadline.passed());
  EXPECT_LE(*deadline.left(), hours(1));
  EXPECT_GT(*deadline.left(), Duration::zero());
}

TEST(Deadline, BeyondTheClockNeverPasses) {
  const Deadline deadline(Duration::max());
  EXPECT_FALSE(deadline.passed());
  EXPECT_TRUE(deadline.never());
}

TEST(Deadline, BelowZeroHasPassed) {
  const Deadline deadline(nanoseconds(-7));
  EXPECT_TRUE(deadline.passed());
  EXPECT_EQ(deadline.left(), Duration::zero());
}

TEST(Deadline, AMomentPastTheClockIsItsLast) {
  using Clock = std::chrono::steady_clock;
  EXPECT_EQ(moment_in(Duration::max()), Clock::time_point::max());
  EXPECT_LT(moment_in(hours(1)), Clock::time_point::max());
}

TEST(Deadline, TimesAreWrittenAsAPersonWould) {
  EXPECT_EQ(to_text(hours(1)), "3600 s");
  EXPECT_EQ(to_text(std::chrono::milliseconds(1500)), "1.5 s");
  EXPECT_EQ(to_text(std::chrono::milliseconds(-300)), "-300 ms");
  EXPECT_EQ(to_text(std::chrono::microseconds(20)), "20 us");
  EXPECT_EQ(to_text(nanoseconds(0)), "0 ns");
}

}  // namespace
}  // namespace procession::platform

// The examples of what processes share: run as programs of their own, which must print what they
// promise.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "run_program.hpp"

namespace {

using Lines = std::vector<std::string>;

Lines printed_by(const std::string& program) {
  const examples::Outcome outcome = examples::run(program);
  EXPECT_EQ(outcome.exit_code, 0) << program;
  EXPECT_EQ(outcome.err, "") << program;
  return outcome.lines();
}

TEST(Examples, P08AConsumerEatsWhatAProducerMakes) {
  const Lines eaten{"consumed A", "consumed B", "consumed C", "consumed D"};
  Lines twice = eaten;
  twice.insert(twice.end(), eaten.begin(), eaten.end());
  EXPECT_EQ(printed_by("p08_producer_consumer"), twice);
}

TEST(Examples, P17AChildSendsAListThroughAPipe) {
  EXPECT_EQ(printed_by("p17_pipe"), (Lines{"42 43 44 "}));
}

TEST(Examples, P18AChildPutsTheEvenNumbers) {
  EXPECT_EQ(printed_by("p18_even_numbers"), (Lines{"0 2 4 6 8 "}));
}

TEST(Examples, P09AValueIsCountedUpAndAnArrayDoubled) {
  EXPECT_EQ(printed_by("p09_value_array"), (Lines{"1000", "2 4 6 "}));
}

TEST(Examples, P10ThreeProcessesAddUnderALock) { EXPECT_EQ(printed_by("p10_lock"), (Lines{"15"})); }

TEST(Examples, P19TheAccountIsLevelTenTimes) {
  EXPECT_EQ(printed_by("p19_account"), Lines(10, "100"));
}

}  // namespace

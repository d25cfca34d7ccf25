// Sandboxes that forbid system calls: what works without them does, and what does not says so. No
// program that catches exceptions aborts.

#include <errno.h>

#include <string>

#include "process/program.hpp"
#include "support.hpp"

namespace procession::pooltest {
namespace {

using process_test::Outcome;
using process_test::run_program;

struct Case {
  const char* call;
  int code;
  bool works;  ///< else a text says what is the matter
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.call << " " << one.code; }

class Denied : public testing::TestWithParam<Case> {};

TEST_P(Denied, WorksOrSaysWhatDoesNot) {
  if (kSanitized) GTEST_SKIP() << "sanitizers need such calls themselves";
  const Case& one = GetParam();
  const Outcome outcome = run_program("denied_program", {one.call, std::to_string(one.code)});
  EXPECT_EQ(outcome.exitcode, 0) << outcome.out << outcome.err;
  if (outcome.out == "skip\n") GTEST_SKIP() << "there are no filters here";
  if (one.works) {
    EXPECT_EQ(outcome.out, "processes: works\npool: works\nhandles: works\n") << outcome.err;
  } else {
    EXPECT_NE(outcome.out.find("cannot "), std::string::npos) << outcome.out;
    EXPECT_EQ(outcome.out.find("processes: "), outcome.out.rfind("processes: "))
        << "a child went on as its parent would:\n"
        << outcome.out;
  }
}

INSTANTIATE_TEST_SUITE_P(
    By, Denied,
    testing::Values(Case{"nothing", 0, true}, Case{"pidfd_open", ENOSYS, true},
                    Case{"pidfd_open", EPERM, true}, Case{"pidfd_send_signal", ENOSYS, true},
                    Case{"pidfd_send_signal", EPERM, true}, Case{"pidfd", EPERM, true},
                    Case{"memfd_create", EPERM, false}, Case{"clone3", ENOSYS, true},
                    Case{"setsig", EPERM, false}, Case{"prctl", EPERM, true},
                    Case{"affinity", EPERM, true}, Case{"setpgid", EPERM, true},
                    Case{"statx", ENOSYS, true}, Case{"dup2", EPERM, false},
                    Case{"waitid", ENOSYS, true}, Case{"robust", EPERM, true}),
    [](const testing::TestParamInfo<Case>& of) {
      return std::string(of.param.call) + "_" + std::to_string(of.param.code);
    });

}  // namespace
}  // namespace procession::pooltest

// Programs that begin as root and become another user, as servers do.

#include <unistd.h>

#include <string>

#include "process/program.hpp"
#include "support.hpp"

namespace procession::pooltest {
namespace {

using process_test::Outcome;
using process_test::run_program;

struct Came {
  const char* what;
  const char* printed;  ///< begins so
};

void PrintTo(const Came& one, std::ostream* out) { *out << one.what; }

class OtherUser : public testing::TestWithParam<Came> {};

TEST_P(OtherUser, ComesToAnEnd) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const Outcome outcome = run_program("other_user_program", {GetParam().what});
  EXPECT_EQ(outcome.exitcode, 0) << outcome.err;
  EXPECT_EQ(outcome.out.rfind(GetParam().printed, 0), 0U) << outcome.out << outcome.err;
}

INSTANTIATE_TEST_SUITE_P(
    By, OtherUser,
    testing::Values(Came{"forkserver", "process 5\npool 6\n"}, Came{"spawn", "process 5\npool 6\n"},
                    Came{"fork", "process 5\npool 6\n"}, Came{"timeout", "out of time\n"},
                    Came{"stream", "out of time\n"},
                    Came{"cancel", "cancelled\nthe task was cancelled"},
                    Came{"kill", "cannot send a signal to process "}),
    [](const testing::TestParamInfo<Came>& of) { return std::string(of.param.what); });

}  // namespace
}  // namespace procession::pooltest

// Pools that live when the program ends, and what of its end may use them.

#include <string>

#include "process/program.hpp"
#include "support.hpp"

namespace procession::pooltest {
namespace {

TEST(PoolAtExit, IsThereForWhatWasMadeAfterInit) {
  for (const StartMethod method :
       {StartMethod::forkserver, StartMethod::spawn, StartMethod::fork, StartMethod::thread}) {
    for (const char* const how : {"return", "exit"}) {
      const process_test::Outcome outcome = process_test::run_program(
          "at_exit_program", {std::to_string(static_cast<int>(method)), how});
      EXPECT_EQ(outcome.exitcode, 4) << outcome.err;
      const std::string works =
          "atexit: 9\nmade after the pool: 9\nmade before the pool: 9\n"
          "of namespace scope: ProcessError: a task was given to a pool that has ended with the "
          "program";
      EXPECT_EQ(outcome.out.substr(0, works.size()), works) << outcome.err;
      EXPECT_NE(outcome.out.find("made after init()"), std::string::npos) << outcome.out;
    }
  }
}

}  // namespace
}  // namespace procession::pooltest

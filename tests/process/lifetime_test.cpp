#include <signal.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "process/proc_files.hpp"
#include "process/support.hpp"

namespace process_test {
namespace {

using Lifetime = EachMethod;
PROCESSION_BY_ALL_METHODS(Lifetime);
using Ended = EachMethod;
PROCESSION_BY_PROCESS_METHODS(Ended);

TEST_P(Lifetime, StartsAtMostOnce) {
  mp::Process process({.name = "once", .start_method = GetParam()}, [] {});
  process.start();
  for (int i = 0; i < 2; ++i) {  // while it runs, perhaps, and when it has ended
    const std::string text = text_of<mp::ProcessError>([&] { process.start(); });
    EXPECT_NE(text.find("'once'"), std::string::npos) << text;
    EXPECT_NE(text.find("second time"), std::string::npos) << text;
    EXPECT_NE(text.find("make a new one"), std::string::npos) << text;
    process.join();
  }
  EXPECT_EQ(process.exitcode(), 0);
}

TEST_P(Lifetime, CannotBeClosedWhileItRuns) {
  const Board<Flags> flags;
  mp::Process process({.name = "busy", .start_method = GetParam()}, wait_for_go, flags.place());
  process.start();
  const std::string text = text_of<mp::ProcessError>([&] { process.close(); });
  EXPECT_NE(text.find("'busy'"), std::string::npos) << text;
  EXPECT_NE(text.find("while it runs"), std::string::npos) << text;
  flags->go = true;
  EXPECT_TRUE(process.join()) << "it is as it was";
  process.close();
}

TEST_P(Lifetime, ClosedMeansReleased) {
  mp::Process process({.name = "over", .start_method = GetParam()}, [] {});
  process.start();
  process.join();
  process.close();
  process.close();
  const auto said = [](const std::string& what) {
    return "process 'over' was closed, and then asked " + what + "; ask before close()";
  };
  EXPECT_EQ(text_of<mp::ProcessError>([&] { process.join(); }), said("to join"));
  EXPECT_EQ(text_of<mp::ProcessError>([&] { process.start(); }), said("to start"));
  EXPECT_EQ(text_of<mp::ProcessError>([&] { static_cast<void>(process.is_alive()); }),
            said("whether it is alive"));
  EXPECT_EQ(text_of<mp::ProcessError>([&] { static_cast<void>(process.exitcode()); }),
            said("for its exitcode"));
  EXPECT_EQ(text_of<mp::ProcessError>([&] { static_cast<void>(process.pid()); }),
            said("for its pid"));
  EXPECT_EQ(text_of<mp::ProcessError>([&] { static_cast<void>(process.sentinel()); }),
            said("for its sentinel"));
  EXPECT_EQ(text_of<mp::ProcessError>([&] { process.kill(); }), said("to be killed"));
  EXPECT_EQ(text_of<mp::ProcessError>([&] { process.set_name("x"); }),
            said("to take another name"));
  EXPECT_EQ(text_of<mp::ProcessError>([&] { process.set_daemon(true); }),
            said("to become a daemon or none"));
}

TEST_P(Lifetime, CanBeClosedUnstarted) {
  mp::Process process({.start_method = GetParam()}, [] {});
  process.close();
  EXPECT_THROW(process.start(), mp::ProcessError);
}

TEST_P(Lifetime, MovedFromNamesNothing) {
  const Board<Flags> flags;
  mp::Process first({.name = "moved", .start_method = GetParam()}, wait_for_go, flags.place());
  first.start();
  mp::Process second = std::move(first);
  const std::string text = text_of<mp::ProcessError>([&] { first.join(); });  // NOLINT
  EXPECT_NE(text.find("moved from"), std::string::npos) << text;
  EXPECT_THROW(static_cast<void>(first.name()), mp::ProcessError);
  EXPECT_EQ(second.name(), "moved");
  flags->go = true;
  EXPECT_TRUE(second.join());
  EXPECT_EQ(second.exitcode(), 0);
}

TEST_P(Lifetime, AssignmentJoinsWhatWasThere) {
  const Board<Flags> flags;
  mp::Process process = started(GetParam(), wait_for_go, flags.place());
  flags->go = true;
  process = mp::Process({.name = "next", .start_method = GetParam()}, [] {});
  EXPECT_TRUE(flags->done);
  EXPECT_EQ(process.name(), "next");
}

TEST_P(Lifetime, DestructionJoins) {
  const Board<Flags> flags;
  {
    const mp::Process process = started(GetParam(), wait_for_go, flags.place());
    flags->go = true;
  }
  EXPECT_TRUE(flags->done);
  EXPECT_EQ(count_zombies(), 0);
}

TEST_P(Ended, DestructionTerminatesARunningDaemon) {
  const Board<Flags> flags;
  int pid = 0;
  {
    mp::Process process({.daemon = true, .start_method = GetParam()}, wait_for_go, flags.place());
    process.start();
    pid = process.pid();
    wait_until([&] { return flags->up.load(); });
  }
  EXPECT_TRUE(gone(pid));
  EXPECT_FALSE(flags->done);
  EXPECT_EQ(count_zombies(), 0);
}

TEST_P(Ended, DestructionDoesNotReapTwice) {
  mp::Process process = started(GetParam(), [] {});
  process.join();
  EXPECT_EQ(stat_of(process.pid()).state, 0) << "reaped by join";
}

TEST_P(Ended, IsReapedByIsAliveAndExitcodeToo) {
  mp::Process first = started(GetParam(), [] {});
  wait_until([&] { return !first.is_alive(); });
  EXPECT_EQ(stat_of(first.pid()).state, 0);
  mp::Process second = started(GetParam(), [] {});
  wait_until([&] { return second.exitcode().has_value(); });
  EXPECT_EQ(stat_of(second.pid()).state, 0);
}

// A handle to shared memory that a forked child inherits in an object, and destroys at its exit, is
// still the parent's.
TEST(Forked, TheChildsCopyOfAnUnstartedProcessIsNotItsToGiveBack) {
  static std::unique_ptr<mp::Process> unstarted;
  unstarted = std::make_unique<mp::Process>([] {});
  EXPECT_EQ(exitcode_of(StartMethod::fork,
                        [] {
                          unstarted.reset();
                          ::_exit(0);
                        }),
            0);
  unstarted->start();
  unstarted->join();
  EXPECT_EQ(unstarted->exitcode(), 0);
  unstarted.reset();
  static_cast<void>(mp::heap::audit());
}

}  // namespace
}  // namespace process_test

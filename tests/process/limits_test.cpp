#include <unistd.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <system_error>

#include "platform/control_group.hpp"
#include "process/program.hpp"
#include "process/support.hpp"

// What happens where the system has no more to give, or the program takes what it should not.
namespace process_test {
namespace {

using Limits = EachMethod;
PROCESSION_BY_ALL_METHODS(Limits);
using LimitsOfProcesses = EachMethod;
PROCESSION_BY_PROCESS_METHODS(LimitsOfProcesses);

TEST_P(Limits, WithoutDescriptorsAStartFailsWholeOrWorksWhole) {
  const Outcome outcome = run_program("limits_program", {mp::to_string(GetParam()), "descriptors"});
  EXPECT_EQ(outcome.exitcode, 0) << outcome.err;
  std::istringstream lines(outcome.out);
  std::string line;
  int refused = 0;
  int worked = 0;
  while (std::getline(lines, line)) {
    const bool says_limit = line.find("RLIMIT_NOFILE is 64") != std::string::npos &&
                            line.find("ulimit -n") != std::string::npos;
    const bool works = line.ends_with(": 0");
    EXPECT_TRUE(says_limit || works) << line << "\n" << outcome.err;
    refused += says_limit ? 1 : 0;
    worked += works ? 1 : 0;
  }
  EXPECT_GE(refused, 2) << outcome.out;
  EXPECT_GE(worked, 4) << outcome.out;
  EXPECT_NE(outcome.out.find("after: 0\nzombies: 0\n"), std::string::npos) << outcome.out;
}

TEST_P(Limits, WithoutProcessesAStartFails) {
  const Outcome outcome = run_program("limits_program", {mp::to_string(GetParam()), "processes"});
  EXPECT_EQ(outcome.exitcode, 0) << outcome.err;
  if (outcome.out.rfind("skip: ", 0) == 0) {
    GTEST_SKIP() << outcome.out;
  }
  std::istringstream lines(outcome.out);
  std::string line;
  std::getline(lines, line);
  EXPECT_NE(line.find("RLIMIT_NPROC"), std::string::npos) << line;
  EXPECT_NE(line.find("raise the limit"), std::string::npos) << line;
  std::getline(lines, line);
  if (GetParam() == StartMethod::forkserver) {
    EXPECT_NE(line.find("RLIMIT_NPROC is 2"), std::string::npos) << line;
  } else {
    EXPECT_EQ(line, "at most 2: 0");
  }
  EXPECT_NE(outcome.out.find("after: 0\nzombies: 0\n"), std::string::npos)
      << outcome.out << outcome.err;
}

/// A control group of its own that limits how many processes are in it; removed at the end.
class PidsGroup {
 public:
  PidsGroup() {
    for (const mp::platform::ControlGroup& own : mp::platform::control_groups("pids")) {
      const std::string folder = own.folder + "/procession-test-" + std::to_string(::getpid());
      std::error_code failure;
      if (!std::filesystem::create_directory(folder, failure)) {
        continue;
      }
      if (std::filesystem::exists(folder + "/pids.max")) {
        folder_ = folder;
        return;
      }
      ::rmdir(folder.c_str());
    }
  }
  PidsGroup(const PidsGroup&) = delete;
  PidsGroup& operator=(const PidsGroup&) = delete;
  ~PidsGroup() {
    if (!folder_.empty()) {
      wait_until(
          [&] { return ::rmdir(folder_.c_str()) == 0; });  // the last ones may still be ending
    }
  }

  /// Empty where none could be made.
  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
};

TEST_P(Limits, WhereAControlGroupAdmitsNoMoreProcessesAStartFails) {
  const PidsGroup group;
  if (group.folder().empty()) {
    GTEST_SKIP() << "no control group that limits processes can be made here";
  }
  const Outcome outcome =
      run_program("limits_program", {mp::to_string(GetParam()), "group", group.folder()});
  EXPECT_EQ(outcome.exitcode, 0) << outcome.err;
  if (outcome.out.rfind("skip: ", 0) == 0) {
    GTEST_SKIP() << outcome.out;
  }
  std::istringstream lines(outcome.out);
  std::string line;
  std::getline(lines, line);
  EXPECT_NE(line.find("pids.max of " + group.folder() + " is 1"), std::string::npos) << line;
  EXPECT_NE(line.find("raise the limit"), std::string::npos) << line;
  std::getline(lines, line);
  if (GetParam() == StartMethod::forkserver) {
    EXPECT_NE(line.find("pids.max of " + group.folder() + " is 2"), std::string::npos) << line;
  } else {
    EXPECT_EQ(line, "at most 2: 0");
  }
  EXPECT_NE(outcome.out.find("after: 0\nzombies: 0\n"), std::string::npos)
      << outcome.out << outcome.err;
}

TEST_P(Limits, AnArgumentLargerThanTheHeapIsRefusedWhenTheProcessIsMade) {
  const Outcome outcome =
      run_program("limits_program", {mp::to_string(GetParam()), "memory"}, {"PROCESSION_HEAP=16M"});
  EXPECT_EQ(outcome.exitcode, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("before: 0\nrefused: "), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("PROCESSION_HEAP"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("\nafter: 0\n"), std::string::npos) << outcome.out;
}

TEST_P(LimitsOfProcesses, WithSigchldIgnoredOrderlyEndsHaveTheirCodes) {
  const Outcome outcome = run_program("limits_program", {mp::to_string(GetParam()), "ignored"});
  EXPECT_EQ(outcome.exitcode, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "return: 0\nthrow: 1\nexit: 5\nkill: 255\n");
}

TEST_P(LimitsOfProcesses, AProgramThatReapsAllItsChildrenLosesCodesOnly) {
  const Outcome outcome = run_program("limits_program", {mp::to_string(GetParam()), "stolen"});
  EXPECT_EQ(outcome.exitcode, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("return: 0\nthrow: 1\nexit: 5\nkill: "), std::string::npos)
      << outcome.out;
  const std::string kill = outcome.out.substr(outcome.out.find("kill: "));
  EXPECT_TRUE(kill == "kill: 255\n" || kill == "kill: -9\n") << kill;
}

TEST_P(Limits, AGibibyteOfLiveHeapIsNoObstacle) {
  const Outcome outcome = run_program("limits_program", {mp::to_string(GetParam()), "heap"});
  EXPECT_EQ(outcome.exitcode, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "1 GiB: 0\n1\n");
}

}  // namespace
}  // namespace process_test

#include "platform/cpu.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

namespace procession::platform {
namespace {

namespace fs = std::filesystem;

/// A made-up machine: the files of `/proc` and of the mounted groups below a folder of its own.
class FakeMachine : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(testing::TempDir()) /
            ("cpu_test." + std::to_string(getpid()) + "." +
             testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  void file(const std::string& path, const std::string& text) const {
    const fs::path whole = root_ / path;
    fs::create_directories(whole.parent_path());
    std::ofstream(whole) << text;
  }

  void version2(const std::string& group, const std::string& shown = "/") const {
    file("proc/self/cgroup", "0::" + group + "\n");
    file("proc/self/mountinfo", "22 1 0:20 / /proc rw - proc proc rw\n35 24 0:30 " + shown +
                                    " /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n");
  }

  void version1(const std::string& group, const std::string& shown = "/") const {
    file("proc/self/cgroup",
         "5:cpuset:/elsewhere\n4:cpu,cpuacct:" + group + "\n1:name=systemd:/x\n");
    file("proc/self/mountinfo",
         "33 32 0:29 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n34 32 0:28 " + shown +
             " /sys/fs/cgroup/cpu,cpuacct rw shared:4 master:2 - cgroup cgroup rw,cpu,cpuacct\n");
  }

  [[nodiscard]] std::optional<unsigned> quota() const { return quota_cpus(root_.string()); }

  fs::path root_;
};

TEST_F(FakeMachine, WithoutFilesNothingLimits) { EXPECT_EQ(quota(), std::nullopt); }

TEST_F(FakeMachine, Version2MaxIsNoLimit) {
  version2("/job");
  file("sys/fs/cgroup/job/cpu.max", "max 100000\n");
  EXPECT_EQ(quota(), std::nullopt);
}

TEST_F(FakeMachine, Version2WholeProcessors) {
  version2("/job");
  file("sys/fs/cgroup/job/cpu.max", "300000 100000\n");
  EXPECT_EQ(quota(), 3U);
}

TEST_F(FakeMachine, Version2PartsAreRoundedUp) {
  version2("/job");
  file("sys/fs/cgroup/job/cpu.max", "150000 100000\n");
  EXPECT_EQ(quota(), 2U);
  file("sys/fs/cgroup/job/cpu.max", "1000 100000\n");
  EXPECT_EQ(quota(), 1U);
}

TEST_F(FakeMachine, Version2WithoutPeriodMeansTheUsualOne) {
  version2("/job");
  file("sys/fs/cgroup/job/cpu.max", "400000\n");
  EXPECT_EQ(quota(), 4U);
}

TEST_F(FakeMachine, Version2AncestorsLimitToo) {
  version2("/slice/job/step");
  file("sys/fs/cgroup/slice/cpu.max", "200000 100000\n");
  file("sys/fs/cgroup/slice/job/cpu.max", "max 100000\n");
  file("sys/fs/cgroup/slice/job/step/cpu.max", "800000 100000\n");
  EXPECT_EQ(quota(), 2U);
}

TEST_F(FakeMachine, Version2OwnNamespaceShowsTheRoot) {
  version2("/");
  file("sys/fs/cgroup/cpu.max", "50000 100000\n");
  EXPECT_EQ(quota(), 1U);
}

TEST_F(FakeMachine, Version2GroupBelowTheMountedOne) {
  version2("/docker/abc/step", "/docker/abc");
  file("sys/fs/cgroup/cpu.max", "500000 100000\n");
  file("sys/fs/cgroup/step/cpu.max", "700000 100000\n");
  EXPECT_EQ(quota(), 5U);
}

TEST_F(FakeMachine, Version2GroupOutOfSightTakesTheMountedOne) {
  version2("/../../other");
  file("sys/fs/cgroup/cpu.max", "600000 100000\n");
  EXPECT_EQ(quota(), 6U);
}

TEST_F(FakeMachine, SimilarNamesAreOtherGroups) {
  version2("/docker/abcdef", "/docker/abc");  // not below /docker/abc, though it begins so
  file("sys/fs/cgroup/cpu.max", "200000 100000\n");
  file("sys/fs/cgroup/def/cpu.max", "100000 100000\n");
  EXPECT_EQ(quota(), 2U);
}

TEST_F(FakeMachine, MountPointWithABlank) {
  file("proc/self/cgroup", "0::/my job\n");
  file("proc/self/mountinfo", "35 24 0:30 / /sys/fs/c\\040group rw - cgroup2 cgroup2 rw\n");
  file("sys/fs/c group/my job/cpu.max", "200000 100000\n");
  EXPECT_EQ(quota(), 2U);
}

TEST_F(FakeMachine, Version1Quota) {
  version1("/job");
  file("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "250000\n");
  file("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 3U);
}

TEST_F(FakeMachine, Version1MinusOneIsNoLimitButAncestorsAre) {
  version1("/slice/job");
  file("sys/fs/cgroup/cpu,cpuacct/slice/job/cpu.cfs_quota_us", "-1\n");
  file("sys/fs/cgroup/cpu,cpuacct/slice/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), std::nullopt);
  file("sys/fs/cgroup/cpu,cpuacct/slice/cpu.cfs_quota_us", "100000\n");
  file("sys/fs/cgroup/cpu,cpuacct/slice/cpu.cfs_period_us", "50000\n");
  EXPECT_EQ(quota(), 2U);
}

TEST_F(FakeMachine, Version1HostPathInsideAContainer) {
  version1("/docker/abc", "/docker/abc");
  file("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "400000\n");
  file("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 4U);
}

TEST_F(FakeMachine, BothVersionsMounted) {
  file("proc/self/cgroup", "1:cpu:/a\n0::/b\n");
  file("proc/self/mountinfo",
       "32 31 0:29 / /cg/cpu rw - cgroup cgroup rw,cpu\n41 31 0:38 / /cg/unified rw - cgroup2 none "
       "rw\n");
  file("cg/cpu/a/cpu.cfs_quota_us", "500000");
  file("cg/cpu/a/cpu.cfs_period_us", "100000");
  EXPECT_EQ(quota(), 5U);
  file("cg/unified/b/cpu.max", "300000 100000");
  EXPECT_EQ(quota(), 3U);
}

TEST_F(FakeMachine, NonsenseIsNoLimit) {
  version2("/job");
  for (const char* text :
       {"", "fast", "0 100000", "-5 100000", "100000 0", "99999999999999999999 1"}) {
    file("sys/fs/cgroup/job/cpu.max", text);
    EXPECT_EQ(quota(), std::nullopt) << text;
  }
  file("proc/self/cgroup", "::\nx\n0\n:::::\n");
  file("proc/self/mountinfo", "- - -\n \n1 2 - cgroup2\n");
  EXPECT_EQ(quota(), std::nullopt);
}

/// Runs `question` in a forked child, so that what it does to itself stays there; its answer is
/// below 256.
unsigned ask_child(const std::function<unsigned()>& question) {
  const pid_t child = fork();
  if (child == 0) _exit(static_cast<int>(question()));
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  return static_cast<unsigned>(WEXITSTATUS(status));
}

TEST(UsableCpus, IsAtLeastOneAndNoMoreThanTheSchedulerAllows) {
  EXPECT_GE(usable_cpus(), 1U);
  EXPECT_LE(usable_cpus(), affinity_cpus());
  EXPECT_EQ(affinity_cpus(), std::thread::hardware_concurrency());
}

TEST(UsableCpus, CountsAffinity) {
  const unsigned counted = ask_child([] {
    cpu_set_t all, one;
    CPU_ZERO(&one);
    if (sched_getaffinity(0, sizeof all, &all) != 0) return 250U;
    int first = 0;
    while (first < CPU_SETSIZE && !CPU_ISSET(first, &all))
      ++first;
    CPU_SET(first, &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0) return 251U;
    return usable_cpus();
  });
  EXPECT_EQ(counted, 1U);
}

/// A group of its own with a quota of 0.7 processors, where this machine lets us make one.
class RealGroup {
 public:
  RealGroup() {
    const std::string name = "procession_test." + std::to_string(getpid());
    for (const char* top : {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup"}) {
      const bool v1 = fs::exists(fs::path(top) / "cpu.shares");
      const bool v2 = fs::exists(fs::path(top) / "cgroup.controllers");
      if (!v1 && !v2) continue;
      const fs::path group = fs::path(top) / name;
      std::error_code failed;
      if (!fs::create_directory(group, failed)) continue;
      group_ = group;
      const fs::path limit = group / (v1 ? "cpu.cfs_quota_us" : "cpu.max");
      if (fs::exists(limit) && write(limit, v1 ? "70000" : "70000 100000")) return;
      fs::remove(group, failed);
      group_.clear();
    }
  }
  RealGroup(const RealGroup&) = delete;
  RealGroup& operator=(const RealGroup&) = delete;
  ~RealGroup() {
    std::error_code ignored;
    if (made()) fs::remove(group_, ignored);
  }

  [[nodiscard]] bool made() const { return !group_.empty(); }
  [[nodiscard]] bool enter() const { return write(group_ / "cgroup.procs", "0"); }

 private:
  static bool write(const fs::path& file, const std::string& text) {
    std::ofstream stream(file);
    return static_cast<bool>(stream << text << std::flush);
  }

  fs::path group_;
};

TEST(UsableCpus, CountsARealQuota) {
  const RealGroup group;
  if (!group.made()) GTEST_SKIP() << "no group with a processor limit can be made on this machine";
  const unsigned counted = ask_child([&] { return group.enter() ? usable_cpus() : 252U; });
  if (counted == 252U) GTEST_SKIP() << "a process may not enter the group that was made";
  EXPECT_EQ(counted, 1U);
}

}  // namespace
}  // namespace procession::platform

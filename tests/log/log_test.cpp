#include "log/log.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "log/level.hpp"
#include "support/copies.hpp"

namespace procession {
namespace {

/// Each test starts with a silent log and leaves it so.
class Log : public testing::Test {
 protected:
  void SetUp() override { quiet(); }
  void TearDown() override { quiet(); }
  static void quiet() {
    log_to_stderr(LogLevel::off);
    set_log_sink({});
    log::begin_process("MainProcess", log::stderr_level());
  }
};

TEST_F(Log, IsSilentAtFirst) {
  EXPECT_FALSE(log::enabled(LogLevel::error));
  testing::internal::CaptureStderr();
  log::write(LogLevel::error, "nobody asked");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(Log, PrintsFromTheLevelUpwards) {
  log_to_stderr();
  EXPECT_EQ(log::stderr_level(), LogLevel::info);
  testing::internal::CaptureStderr();
  log::write(LogLevel::debug, "a detail");
  log::write(LogLevel::info, "process Process-1 started");
  log::begin_process("Process-1", log::stderr_level());
  log::write(LogLevel::warning, "worker lost");
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "[INFO/MainProcess] process Process-1 started\n[WARNING/Process-1] worker lost\n");
}

TEST_F(Log, HandsRecordsToASink) {
  std::vector<LogRecord> records;
  set_log_sink([&](const LogRecord& record) { records.push_back(record); }, LogLevel::info);
  log::write(LogLevel::debug, "below");
  log::write(LogLevel::error, "above");
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].level, LogLevel::error);
  EXPECT_EQ(records[0].message, "above");
  EXPECT_EQ(records[0].process, "MainProcess");
  EXPECT_EQ(records[0].pid, getpid());
  EXPECT_GT(records[0].time.time_since_epoch().count(), 0);
}

TEST_F(Log, ASinkThatThrowsHarmsNobody) {
  set_log_sink([](const LogRecord&) { throw std::runtime_error("full"); });
  log::write(LogLevel::error, "x");
}

TEST_F(Log, SettingsChangeWhileOthersWrite) {
  std::atomic<int> seen{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> writers;
  for (int i = 0; i < 3; ++i) {
    writers.emplace_back([&] {
      while (!stop)
        log::write(LogLevel::info, "x");
    });
  }
  for (int i = 0; i < 200 || seen == 0; ++i) {
    set_log_sink([&](const LogRecord&) { ++seen; });
    log_to_stderr(LogLevel::off);
    if (i % 50 == 0) std::this_thread::yield();
  }
  stop = true;
  for (std::thread& writer : writers)
    writer.join();
  EXPECT_GT(seen, 0);
}

/// Whoever wrote the record may be in the middle of anything.
TEST_F(Log, ACopyThatASinkMakesEndsThere) {
  using copies::How;
  for (const How how : {How::by_fork, How::by_clone}) {
    int status = -1;
    set_log_sink(
        [&](const LogRecord&) {
          const int ended = copies::copy_process(how);
          if (ended != 0) status = ended;
        },
        LogLevel::info);
    log::write(LogLevel::info, "one");
    EXPECT_EQ(status, copies::kCopyExit);
    if (status == -1) ::_exit(0);  // the copy
  }
}

TEST(LogLevels, AreParsedInAnyCase) {
  EXPECT_EQ(log::parse_level("debug"), LogLevel::debug);
  EXPECT_EQ(log::parse_level("WARNING"), LogLevel::warning);
  EXPECT_EQ(log::parse_level("Off"), LogLevel::off);
  EXPECT_EQ(log::parse_level("loud"), std::nullopt);
  EXPECT_EQ(log::parse_level(""), std::nullopt);
  EXPECT_EQ(log::parse_level("infos"), std::nullopt);
}

/// Runs this test program anew with the word in its environment, up to the test below, and gives
/// what it printed on the standard error stream.
std::string stderr_with(const char* word) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return "no pipe";
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], 2);
    const int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(nothing, 1);
    setenv("PROCESSION_LOG", word, 1);
    execl("/proc/self/exe", "test", "--gtest_also_run_disabled_tests", "--gtest_filter=LogChild.*",
          static_cast<char*>(nullptr));
    _exit(127);
  }
  close(ends[1]);
  std::string text;
  char piece[512];
  for (ssize_t got; (got = read(ends[0], piece, sizeof piece)) > 0;) {
    text.append(piece, static_cast<std::size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  return text;
}

TEST(LogChild, DISABLED_WritesOneOfEach) {
  log::write(LogLevel::debug, "d");
  log::write(LogLevel::info, "i");
  log::write(LogLevel::error, "e");
}

TEST(LogEnvironment, SetsTheLevel) {
  EXPECT_EQ(stderr_with("info"), "[INFO/MainProcess] i\n[ERROR/MainProcess] e\n");
  EXPECT_EQ(stderr_with("debug"),
            "[DEBUG/MainProcess] d\n[INFO/MainProcess] i\n[ERROR/MainProcess] e\n");
  EXPECT_EQ(stderr_with(""), "[ERROR/MainProcess] e\n");
  EXPECT_EQ(stderr_with("off"), "");
}

TEST(LogEnvironment, SaysWhatWordsItKnows) {
  EXPECT_EQ(stderr_with("loud"),
            "procession: PROCESSION_LOG is \"loud\", which is no level; use debug, info, warning, "
            "error or off\n");
}

}  // namespace
}  // namespace procession

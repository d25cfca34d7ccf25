// Those that are ended together, or one after another, have one grace together.

#include "process/grace_period.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "process/program.hpp"
#include "process/support.hpp"
#include "procession/manager.hpp"
#include "procession/pool.hpp"
#include "procession/process.hpp"
#include "procession/value.hpp"

namespace process_test {
namespace {

namespace mp = procession;
using Log = std::vector<std::string>;

/// A child that heeds SIGTERM, or does not.
class FakeChild {
 public:
  FakeChild(Log& log, bool heeds, bool closed) : log_(log), heeds_(heeds), closed_(closed) {}

  void signal(mp::platform::Signal signal) {
    if (closed_) throw mp::ProcessError("closed");
    const bool kills = signal == mp::platform::Signal::kill;
    ended_ = ended_ || kills || heeds_;
    log_.emplace_back(kills ? "kill" : "terminate");
  }
  bool join(mp::Timeout timeout) {
    if (closed_) throw mp::ProcessError("closed");
    EXPECT_TRUE(timeout || ended_) << "it would wait for ever";
    log_.emplace_back(timeout ? "wait" : "join");
    if (timeout) waits.push_back(*timeout);
    return ended_;
  }

  std::vector<mp::Duration> waits;

 private:
  Log& log_;
  bool heeds_;
  bool closed_;
  bool ended_ = false;
};

TEST(GracePeriod, IsOneForAll) {
  Log log;
  std::vector<std::shared_ptr<FakeChild>> children;
  for (const bool heeds : {false, true, false, false}) {
    children.push_back(std::make_shared<FakeChild>(log, heeds, false));
  }
  mp::process::terminate_all(children);
  mp::process::GracePeriod grace(std::chrono::hours(1));
  mp::process::join_terminated(children, grace);
  EXPECT_EQ(log, (Log{"terminate", "terminate", "terminate", "terminate", "wait", "wait", "wait",
                      "wait", "kill", "kill", "kill", "join", "join", "join", "join"}));
  mp::Duration before = std::chrono::hours(1);
  for (const auto& child : children) {
    ASSERT_EQ(child->waits.size(), 1U);
    EXPECT_LT(child->waits[0], before) << "it has what the others have left";
    before = child->waits[0];
  }
}

TEST(GracePeriod, IsNotLostOverOneThatIsClosedMeanwhile) {
  Log log;
  std::vector<std::shared_ptr<FakeChild>> children{std::make_shared<FakeChild>(log, false, true),
                                                   std::make_shared<FakeChild>(log, false, false)};
  mp::process::terminate_all(children);
  mp::process::GracePeriod grace(mp::Duration::zero());
  mp::process::join_terminated(children, grace);
  EXPECT_EQ(log, (Log{"terminate", "wait", "kill", "join"}));
}

using mp::process::GracePeriodAccount;
using mp::process::kGracePeriod;
using mp::process::kLeastGracePeriod;
using std::chrono::seconds;

TEST(GracePeriodAccount, AddsUpWhatIsUsedInARowAndForgetsItWithTime) {
  GracePeriodAccount account;
  const GracePeriodAccount::Moment begin(seconds(1000));
  EXPECT_EQ(account.used(begin), seconds(0));
  account.use(seconds(0), seconds(2), begin);
  EXPECT_EQ(account.used(begin), seconds(2));
  EXPECT_EQ(account.used(begin + seconds(1)), seconds(1));
  EXPECT_EQ(account.used(begin + seconds(2)), seconds(0));
  // What went by while somebody waited does not count as time without waiting.
  account.use(seconds(2), seconds(1), begin + seconds(1));
  EXPECT_EQ(account.used(begin + seconds(1)), seconds(3));
  account.use(seconds(4), seconds(3), begin + seconds(1));
  EXPECT_EQ(account.used(begin + seconds(1)), kGracePeriod) << "more than all is not there";
  account.use(seconds(0), seconds(1), begin + seconds(1));
  EXPECT_EQ(account.used(begin + seconds(1)), kGracePeriod) << "one that began before knows less";
  EXPECT_EQ(account.used(begin + seconds(100)), seconds(0));
}

/// Another test's graces are not this one's.
class GraceInARow : public testing::Test {
 protected:
  GraceInARow() { forget(); }
  ~GraceInARow() override { forget(); }
  static void forget() { new (&mp::process::grace_account) GracePeriodAccount; }
  static void all_is_used_up() {
    mp::process::grace_account.use({}, kGracePeriod, std::chrono::steady_clock::now());
  }
};

TEST_F(GraceInARow, IsUsedUpByWhoHasToBeKilledAndByNobodyElse) {
  Log log;
  const auto end = [&](bool heeds, mp::Duration length) {
    const auto child = std::make_shared<FakeChild>(log, heeds, false);
    child->signal(mp::platform::Signal::terminate);
    mp::process::GracePeriod grace = mp::process::GracePeriod::after_others(length);
    mp::process::join_terminated(std::span(&child, 1), grace);
    return grace.length();
  };
  EXPECT_EQ(end(true, kGracePeriod), kGracePeriod);
  EXPECT_EQ(end(true, kGracePeriod), kGracePeriod);
  EXPECT_EQ(end(false, seconds(2)), seconds(2));
  const mp::Duration left = end(false, kGracePeriod);
  EXPECT_LT(left, kGracePeriod);
  EXPECT_GE(left, seconds(3));
  EXPECT_LT(end(true, kGracePeriod), left);
  EXPECT_EQ(end(false, seconds(2)), kLeastGracePeriod);
}

// What follows counts how often a child that does not heed SIGTERM comes to look before it is
// killed: some 400 times in 5 s, 160 times in 2 s.
constexpr int kFewLooks = 60;

void count_looks(const mp::Value<int>& looks) {
  std::signal(SIGTERM, SIG_IGN);
  for (;;) {
    ++looks;
    std::this_thread::sleep_for(std::chrono::milliseconds(12));
  }
}

void await_begin(const mp::Value<int>& looks) {
  wait_until([&] { return looks.value() != 0; });
}

TEST_F(GraceInARow, OfADaemonIsWhatOthersHaveLeft) {
  const mp::Value<int> looks(0);
  {
    mp::Process daemon({.daemon = true}, count_looks, looks);
    daemon.start();
    await_begin(looks);
    looks.set_value(0);
    all_is_used_up();
  }
  EXPECT_LT(looks.value(), kFewLooks);
}

TEST_F(GraceInARow, OfAPoolIsWhatOthersHaveLeft) {
  const mp::Value<int> looks(0);
  {
    mp::Pool pool(1);
    const auto task = pool.apply_async(count_looks, looks);
    await_begin(looks);
    looks.set_value(0);
    all_is_used_up();
  }
  EXPECT_LT(looks.value(), kFewLooks);
}

// A stopped server cannot look itself.
TEST_F(GraceInARow, OfAManagerIsWhatOthersHaveLeft) {
  std::optional<mp::Manager> manager(std::in_place);
  ASSERT_EQ(::kill(manager->pid(), SIGSTOP), 0);
  all_is_used_up();
  std::atomic<bool> ended = false;
  int looks = 0;
  std::thread looker([&] {
    for (; !ended; ++looks)
      std::this_thread::sleep_for(std::chrono::milliseconds(12));
  });
  manager.reset();
  ended = true;
  looker.join();
  EXPECT_LT(looks, kFewLooks);
}

// At the end of a program: static objects go one after another, and then the library's end comes.
TEST_F(GraceInARow, OfTheEndOfTheProgramIsWhatOthersHaveLeft) {
  const mp::Value<int> looks(0);
  mp::Process program(
      [](const mp::Value<int>& counted) {
        static mp::Process daemon({.daemon = true}, count_looks, counted);
        daemon.start();
        await_begin(counted);
        counted.set_value(0);
        all_is_used_up();
      },
      looks);
  program.start();
  program.join();
  EXPECT_EQ(program.exitcode(), 0);
  EXPECT_LT(looks.value(), kFewLooks);
}

}  // namespace
}  // namespace process_test

// A waiter that is killed while it makes room for more waiters than there were ever: who comes next
// does not wait where nobody looks.

#include <signal.h>

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "process/support.hpp"
#include "procession/condition.hpp"
#include "procession/event.hpp"
#include "support/kill_step.hpp"

#ifndef NDEBUG

namespace sync_test {
namespace {

namespace mp = procession;
using namespace std::chrono_literals;

constexpr int kInFirstPage = 14;

void wait_and_die(const mp::Condition& condition, const mp::Event& locked, std::size_t step) {
  const std::scoped_lock guard(condition);
  locked.set();
  std::this_thread::sleep_for(2ms);  // the next one waits for the lock by then
  kill_step::arm(step);
  condition.wait(0s);
  kill_step::disarm();
}

/// Waits until another thread, which has said that it has the lock, is in its wait.
void let_it_wait(const mp::Condition& condition, const std::atomic<int>& there, int many) {
  process_test::wait_until([&] { return there == many; });
  const std::scoped_lock guard(condition);
}

/// Whether the process was killed.
bool round(std::size_t step) {
  const mp::Condition condition;
  std::atomic<int> there{0};
  std::atomic<int> notified{0};
  std::vector<std::thread> waiters;
  const auto wait = [&] {
    const std::scoped_lock guard(condition);
    ++there;
    if (condition.wait(20s)) ++notified;
  };
  for (int i = 0; i < kInFirstPage; ++i)
    waiters.emplace_back(wait);
  let_it_wait(condition, there, kInFirstPage);
  const mp::Event locked;
  mp::Process process =
      process_test::started(mp::StartMethod::forkserver, wait_and_die, condition, locked, step);
  locked.wait();
  waiters.emplace_back(wait);
  let_it_wait(condition, there, kInFirstPage + 1);
  // What the dead one held goes now.
  process.join();
  {
    const std::scoped_lock guard(condition);
    condition.notify_all();
  }
  for (std::thread& waiter : waiters)
    waiter.join();
  EXPECT_EQ(notified, kInFirstPage + 1);
  return process.exitcode() == -SIGKILL;
}

TEST(ConditionAtEachStep, ThePageOfAKilledWaiterIsThereOrNotAtAll) {
  process_test::exitcode_of(mp::StartMethod::forkserver, [] {});
  std::size_t step = 1;
  for (bool killed = true; killed && !HasFailure(); ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    killed = round(step);
  }
  std::printf("%zu steps\n", step);
  EXPECT_GT(step, 20U);
}

}  // namespace
}  // namespace sync_test

#endif

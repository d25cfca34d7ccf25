// Barriers in a manager: what ends a wait, what an action may ask of its own, and more threads than
// parties.

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "manager/support.hpp"

namespace manager_test {
namespace {

using namespace std::chrono_literals;

class ManagedBarrier : public Managed {};
PROCESSION_BY_ALL_METHODS(ManagedBarrier);

TEST_P(ManagedBarrier, FailsWhoWaitedHoweverOftenItIsReset) {
  const mp::Manager manager = make_manager();
  const auto barrier = manager.barrier(2);
  for (int round = 0; round < 8; ++round) {
    std::string told;
    std::thread waiter([&] { told = text_of<mp::BrokenBarrier>([&] { barrier.wait(); }); });
    wait_until([&] { return barrier.n_waiting() == 1; });
    const bool aborts = round % 2 == 0 && round % 4 != 0;
    for (int i = 0; i < round % 4; ++i) {
      if (aborts) barrier.abort();
      barrier.reset();
    }
    barrier.reset();
    EXPECT_EQ(barrier.n_waiting(), 0);
    EXPECT_FALSE(barrier.broken());
    waiter.join();
    EXPECT_NE(told.find(aborts ? "called abort()" : "call wait() again"), std::string::npos)
        << told;
  }
}

using Itself = mp::QueueProxy<mp::BarrierProxy>;

TEST_P(ManagedBarrier, ItsActionMayAskIt) {
  const mp::Manager manager = make_manager();
  const Itself itself = manager.queue<mp::BarrierProxy>();
  const auto answers = manager.list<int>();
  const auto barrier = manager.barrier(2, mp::bind(
                                              [](const Itself& from, const mp::ListProxy<int>& to) {
                                                const mp::BarrierProxy own = from.get();
                                                to.append(static_cast<int>(own.n_waiting()));
                                                to.append(static_cast<int>(own.parties()));
                                                to.append(own.broken() ? 1 : 0);
                                              },
                                              itself, answers));
  itself.put(barrier);
  std::thread other([&] { EXPECT_NO_THROW(barrier.wait()); });
  EXPECT_NO_THROW(barrier.wait());
  other.join();
  EXPECT_EQ(answers.values(), (std::vector<int>{2, 2, 0}));
}

TEST_P(ManagedBarrier, ItsActionMayBreakOrResetIt) {
  const mp::Manager manager = make_manager();
  const Itself itself = manager.queue<mp::BarrierProxy>();
  const auto aborts = manager.queue<bool>();
  const auto barrier =
      manager.barrier(2, mp::bind(
                             [](const Itself& from, const mp::QueueProxy<bool>& how) {
                               const mp::BarrierProxy own = from.get();
                               how.get() ? own.abort() : own.reset();
                             },
                             itself, aborts));
  for (const bool abort : {true, false}) {
    barrier.reset();
    itself.put(barrier);
    aborts.put(abort);
    std::thread other([&] { EXPECT_THROW(barrier.wait(), mp::BrokenBarrier); });
    EXPECT_THROW(barrier.wait(), mp::BrokenBarrier);
    other.join();
    EXPECT_EQ(barrier.broken(), abort);
  }
}

TEST_P(ManagedBarrier, IsAbortedWhileItsActionRuns) {
  const mp::Manager manager = make_manager();
  const auto begun = manager.event();
  const auto go = manager.event();
  const auto barrier =
      manager.barrier(2, mp::bind(
                             [](const mp::EventProxy& says, const mp::EventProxy& waits) {
                               says.set();
                               waits.wait();
                             },
                             begun, go));
  std::vector<std::thread> parties;
  for (int i = 0; i < 2; ++i)
    parties.emplace_back([&] { EXPECT_THROW(barrier.wait(), mp::BrokenBarrier); });
  begun.wait();
  EXPECT_EQ(barrier.n_waiting(), 2);
  barrier.abort();
  EXPECT_TRUE(barrier.broken());
  EXPECT_THROW(barrier.wait(), mp::BrokenBarrier);
  go.set();
  for (std::thread& party : parties)
    party.join();
}

TEST_P(ManagedBarrier, PairsMoreThreadsThanParties) {
  const mp::Manager manager = make_manager();
  const auto barrier = manager.barrier(2);
  const auto passed = manager.value<int>(0);
  const auto ended = manager.value<int>(0);
  std::vector<mp::Process> processes;
  for (int i = 0; i < 5; ++i) {
    processes.push_back(started(
        GetParam(),
        [](const mp::BarrierProxy& at, const mp::ValueProxy<int>& good,
           const mp::ValueProxy<int>& last) {
          try {
            for (;;) {
              at.wait();
              good += 1;
            }
          } catch (const mp::BrokenBarrier&) {
            last += 1;
          }
        },
        barrier, passed, ended));
  }
  wait_until([&] { return passed.value() >= 100; });
  barrier.abort();
  for (mp::Process& process : processes)
    process.join();
  EXPECT_EQ(passed.value() % 2, 0);
  EXPECT_EQ(ended.value(), 5);
}

}  // namespace
}  // namespace manager_test

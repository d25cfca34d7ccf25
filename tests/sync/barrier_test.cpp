// Barriers: what breaks them, what an action may ask of its own, and more threads than parties.

#include "procession/barrier.hpp"

#include <signal.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "process/support.hpp"
#include "procession/array.hpp"
#include "procession/event.hpp"
#include "support/copies.hpp"

namespace sync_test {
namespace {

namespace mp = procession;
using namespace std::chrono_literals;
using process_test::started;
using process_test::text_of;
using process_test::wait_until;

class BarrierBy : public process_test::EachMethod {};
PROCESSION_BY_ALL_METHODS(BarrierBy);

TEST(Barrier, BreaksByTimeoutAbortAndReset) {
  mp::Barrier barrier(2);
  EXPECT_THROW(barrier.wait(1ms), mp::BrokenBarrier);
  EXPECT_TRUE(barrier.broken());
  EXPECT_THROW(barrier.wait(), mp::BrokenBarrier);
  barrier.reset();
  EXPECT_FALSE(barrier.broken());
  std::string told;
  std::thread waiter([&] {
    try {
      barrier.wait();
    } catch (const mp::BrokenBarrier& error) {
      told = error.what();
    }
  });
  wait_until([&] { return barrier.n_waiting() == 1; });
  barrier.reset();
  waiter.join();
  EXPECT_NE(told.find("call wait() again"), std::string::npos) << told;
  std::thread aborted([&] { EXPECT_THROW(barrier.wait(), mp::BrokenBarrier); });
  wait_until([&] { return barrier.n_waiting() == 1; });
  barrier.abort();
  aborted.join();
  barrier.reset();
  std::thread other([&] { barrier.wait(); });
  barrier.wait();
  other.join();
  EXPECT_EQ(barrier.parties(), 2U);
  EXPECT_THROW(mp::Barrier(0), std::invalid_argument);
  EXPECT_THROW(mp::Barrier().wait(), mp::ProcessError);
}

TEST(Barrier, BreaksByAnActionThatThrows) {
  const mp::Barrier barrier(1, [] { throw std::logic_error("not today"); });
  EXPECT_THROW(barrier.wait(), std::logic_error);
  EXPECT_TRUE(barrier.broken());
}

enum Said { nothing, passed, broke };

/// Waits there and says in `said` what came of it.
void wait_and_say(const mp::Barrier& barrier, const mp::Array<int>& said) {
  Said mine = passed;
  try {
    barrier.wait();
  } catch (const mp::BrokenBarrier&) {
    mine = broke;
  }
  std::atomic_ref<int>(said[0]).store(mine);
}

/// What one says who waits while `act` is done to the barrier, and looks when all of it is over.
int said_after(void (*act)(const mp::Barrier&)) {
  const mp::Barrier barrier(2);
  const mp::Array<int> said(1);
  mp::Process waiter(wait_and_say, barrier, said);
  waiter.start();
  wait_until([&] { return barrier.n_waiting() == 1; });
  ::kill(waiter.pid(), SIGSTOP);
  act(barrier);
  EXPECT_FALSE(barrier.broken());
  EXPECT_EQ(barrier.n_waiting(), 0U);
  ::kill(waiter.pid(), SIGCONT);
  waiter.join();
  return said[0];
}

TEST(Barrier, FailsWhoWaitedWhenItIsResetTwice) {
  EXPECT_EQ(said_after([](const mp::Barrier& barrier) {
              barrier.reset();
              barrier.reset();
            }),
            broke);
}

TEST(Barrier, FailsWhoWaitedWhenItIsAbortedAndResetTwice) {
  EXPECT_EQ(said_after([](const mp::Barrier& barrier) {
              for (int i = 0; i < 2; ++i) {
                barrier.abort();
                barrier.reset();
              }
            }),
            broke);
}

TEST(Barrier, FailsWhoWaitedAlsoWhenOthersHavePassedSince) {
  EXPECT_EQ(said_after([](const mp::Barrier& barrier) {
              barrier.reset();
              std::thread other([&] { barrier.wait(); });
              barrier.wait();
              other.join();
            }),
            broke);
}

TEST(Barrier, LetsThroughWhoWasThereThoughItWasAbortedSince) {
  const mp::Barrier barrier(2);
  const mp::Array<int> said(1);
  mp::Process waiter(wait_and_say, barrier, said);
  waiter.start();
  wait_until([&] { return barrier.n_waiting() == 1; });
  ::kill(waiter.pid(), SIGSTOP);
  EXPECT_EQ(barrier.wait(), 1U);
  barrier.abort();
  ::kill(waiter.pid(), SIGCONT);
  waiter.join();
  EXPECT_EQ(said[0], passed);
}

TEST_P(BarrierBy, FailsWhoWaitsHoweverOftenItIsReset) {
  const mp::Barrier barrier(2);
  for (int round = 0; round < 20; ++round) {
    const mp::Array<int> said(1);
    mp::Process waiter = started(GetParam(), wait_and_say, barrier, said);
    wait_until([&] { return barrier.n_waiting() == 1; });
    for (int i = 0; i < round % 4; ++i) {
      if (round % 2 == 0) barrier.abort();
      barrier.reset();
    }
    barrier.reset();
    waiter.join();
    EXPECT_EQ(said[0], broke);
  }
}

// ---------------------------------------------------------------------------------------- actions

const mp::Barrier* asked = nullptr;  ///< the barrier whose action runs
std::atomic<int> answers[3];

TEST(Barrier, ItsActionMayAskIt) {
  const mp::Barrier barrier(2, [] {
    answers[0] = static_cast<int>(asked->n_waiting());
    answers[1] = static_cast<int>(asked->parties());
    answers[2] = asked->broken() ? 1 : 0;
  });
  asked = &barrier;
  std::thread other([&] { barrier.wait(); });
  barrier.wait();
  other.join();
  EXPECT_EQ(answers[0], 2);
  EXPECT_EQ(answers[1], 2);
  EXPECT_EQ(answers[2], 0);
}

TEST(Barrier, ItsActionMayBreakIt) {
  const mp::Barrier barrier(2, [] { asked->abort(); });
  asked = &barrier;
  std::thread other([&] { EXPECT_THROW(barrier.wait(), mp::BrokenBarrier); });
  EXPECT_THROW(barrier.wait(), mp::BrokenBarrier);
  other.join();
  EXPECT_TRUE(barrier.broken());
}

TEST(Barrier, ItsActionMayResetIt) {
  const mp::Barrier barrier(2, [] { asked->reset(); });
  asked = &barrier;
  std::thread other([&] { EXPECT_THROW(barrier.wait(), mp::BrokenBarrier); });
  EXPECT_THROW(barrier.wait(), mp::BrokenBarrier);
  other.join();
  EXPECT_FALSE(barrier.broken());
}

TEST(Barrier, ItsActionMayNotWaitAtIt) {
  const mp::Barrier barrier(1, [] { asked->wait(); });
  asked = &barrier;
  EXPECT_NE(text_of<mp::ProcessError>([&] { barrier.wait(); }).find("wait at another one"),
            std::string::npos);
  EXPECT_TRUE(barrier.broken());
}

TEST(Barrier, ItsActionMayWaitAtAnother) {
  static const mp::Barrier* inner = nullptr;
  const mp::Barrier one(1);
  const mp::Barrier barrier(1, [] { inner->wait(); });
  inner = &one;
  EXPECT_EQ(barrier.wait(), 0U);
}

TEST(Barrier, IsAbortedByAnotherWhileItsActionRuns) {
  static const mp::Event* begun = nullptr;
  static const mp::Event* go = nullptr;
  const mp::Event first;
  const mp::Event second;
  begun = &first;
  go = &second;
  const mp::Barrier barrier(2, [] {
    begun->set();
    go->wait();
  });
  std::vector<std::thread> parties;
  for (int i = 0; i < 2; ++i)
    parties.emplace_back([&] { EXPECT_THROW(barrier.wait(), mp::BrokenBarrier); });
  begun->wait();
  EXPECT_EQ(barrier.n_waiting(), 2U);
  barrier.abort();
  EXPECT_TRUE(barrier.broken());
  EXPECT_THROW(barrier.wait(), mp::BrokenBarrier);
  go->set();
  for (std::thread& party : parties)
    party.join();
  EXPECT_TRUE(barrier.broken());
}

TEST(BarrierAction, ACopyThatComesOutOfItEndsAndTellsTheBarrierNothing) {
  static std::atomic<int> status;
  status = 0;
  const mp::Barrier barrier(1, [] { status = copies::copy_process(copies::How::by_fork); });
  EXPECT_EQ(barrier.wait(), 0U);
  EXPECT_EQ(status, copies::kCopyExit);
  EXPECT_FALSE(barrier.broken());
  EXPECT_EQ(barrier.wait(), 0U);
}

/// Time-outs stand still while the action runs, and who comes then waits for the next time.
TEST(Barrier, NoTimeOutPassesWhileItsActionRuns) {
  static const mp::Event* begun = nullptr;
  const mp::Event first;
  begun = &first;
  const mp::Barrier barrier(2, [] {
    begun->set();
    std::this_thread::sleep_for(300ms);
  });
  std::atomic<int> gone = 0;
  std::vector<std::thread> parties;
  for (int i = 0; i < 2; ++i) {
    parties.emplace_back([&] {
      EXPECT_NO_THROW(barrier.wait(100ms));
      ++gone;
    });
  }
  begun->wait();
  EXPECT_THROW(barrier.wait(1ms), mp::BrokenBarrier);  // alone in the next generation
  for (std::thread& party : parties)
    party.join();
  EXPECT_EQ(gone, 2);
  EXPECT_TRUE(barrier.broken());
}

// ----------------------------------------------------------------------------------------- deaths

TEST(Barrier, IsBrokenWhenAWaiterWasKilled) {
  const mp::Barrier barrier(3);
  mp::Process victim([](const mp::Barrier& its) { its.wait(); }, barrier);
  victim.start();
  wait_until([&] { return barrier.n_waiting() == 1; });
  EXPECT_FALSE(barrier.broken());
  victim.kill();
  victim.join();
  EXPECT_TRUE(barrier.broken()) << "asked before anything else";
  EXPECT_EQ(barrier.n_waiting(), 0U);
  EXPECT_THROW(barrier.wait(), mp::BrokenBarrier);
  barrier.reset();
  EXPECT_FALSE(barrier.broken());
}

TEST(Barrier, BreaksWhenItsActionIsKilled) {
  const mp::Array<int> begun(1);
  const mp::Barrier barrier(2, mp::bind(
                                   [](const mp::Array<int>& flag) {
                                     std::atomic_ref<int>(flag[0]).store(1);
                                     process_test::sleep_for_ever();
                                   },
                                   begun));
  std::thread waiter([&] { EXPECT_THROW(barrier.wait(), mp::BrokenBarrier); });
  wait_until([&] { return barrier.n_waiting() == 1; });
  mp::Process last([](const mp::Barrier& its) { its.wait(); }, barrier);
  last.start();
  wait_until([&] { return std::atomic_ref<int>(begun[0]) == 1; });
  last.kill();
  waiter.join();
  EXPECT_TRUE(barrier.broken());
  last.join();
}

TEST(Pains, Pain04_ABarrierBreaksWhenAWaiterWasKilled) {
  for (int round = 0; round < 10; ++round) {
    const mp::Barrier barrier(3);
    mp::Process victim([](const mp::Barrier& b) { b.wait(); }, barrier);
    mp::Process survivor(
        [](const mp::Barrier& b) {
          try {
            b.wait();
          } catch (const mp::BrokenBarrier&) {
            std::exit(7);
          }
        },
        barrier);
    victim.start();
    survivor.start();
    wait_until([&] { return barrier.n_waiting() == 2; });
    victim.kill();
    survivor.join();
    EXPECT_EQ(survivor.exitcode(), 7);
    victim.join();
  }
}

// ----------------------------------------------------------------------- more threads than parties

/// Waits until somebody aborts the barrier; how often it passed.
void pass_until_broken(const mp::Barrier& barrier, const mp::Array<int>& counts) {
  try {
    for (;;) {
      barrier.wait();
      std::atomic_ref<int>(counts[0]).fetch_add(1);
    }
  } catch (const mp::BrokenBarrier&) {
    std::atomic_ref<int>(counts[1]).fetch_add(1);
  }
}

TEST_P(BarrierBy, PairsMoreThreadsThanParties) {
  const mp::Barrier barrier(2);
  const mp::Array<int> counts(2);
  std::vector<mp::Process> processes;
  for (int i = 0; i < 9; ++i)
    processes.push_back(started(GetParam(), pass_until_broken, barrier, counts));
  wait_until([&] { return std::atomic_ref<int>(counts[0]) >= 2000; });
  barrier.abort();
  for (mp::Process& process : processes) {
    process.join();
    EXPECT_EQ(process.exitcode(), 0);
  }
  EXPECT_EQ(counts[0] % 2, 0) << "they pass two by two";
  EXPECT_EQ(counts[1], 9) << "all of them waited to the end";
}

/// Of those that have passed and are stopped before they have left, none keeps others out: it is
/// waited for a place, and it comes free.
TEST(Barrier, GivesAPlaceToWhoWaitsForOne) {
  const mp::Barrier barrier(2);
  std::vector<mp::Process> stopped;
  const mp::Array<int> counts(2);
  for (int i = 0; i < 4; ++i) {  // each of them keeps one of the four places
    stopped.emplace_back(wait_and_say, barrier, counts);
    stopped.back().start();
    wait_until([&] { return barrier.n_waiting() == 1; });
    ::kill(stopped.back().pid(), SIGSTOP);
    i < 3 ? barrier.reset() : barrier.abort();
  }
  barrier.reset();
  EXPECT_THROW(barrier.wait(20ms), mp::BrokenBarrier);
  barrier.reset();
  std::thread one([&] { EXPECT_NO_THROW(barrier.wait()); });
  std::thread two([&] { EXPECT_NO_THROW(barrier.wait()); });
  for (mp::Process& process : stopped) {
    ::kill(process.pid(), SIGCONT);
    process.join();
  }
  one.join();
  two.join();
}

}  // namespace
}  // namespace sync_test

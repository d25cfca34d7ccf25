// Managers, owners and clients that are killed, and calls that take long.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "manager/support.hpp"

namespace manager_test {
namespace {

using namespace std::chrono_literals;
using process_test::Board;
using process_test::board;
using process_test::sleep_for_ever;

/// What the processes of a test tell each other.
struct Signs {
  std::atomic<int> ready;
  std::atomic<int> go;
  std::atomic<int> pid;
};

class Slow {
 public:
  void wait_for(std::uint64_t place) const {
    ++board<Signs>(place).ready;
    wait_until([&] { return board<Signs>(place).go != 0; });
  }
  /// How many calls run, this one included.
  int side_by_side() {
    const int now = ++running_;
    std::this_thread::sleep_for(20ms);
    --running_;
    return now;
  }
  void end() const { std::_Exit(3); }
  int answer() const { return 42; }

 private:
  std::atomic<int> running_{0};
};

class Parallel : public Slow {};

}  // namespace
}  // namespace manager_test

template <>
inline constexpr bool procession::concurrent_calls<manager_test::Parallel> = true;

namespace manager_test {
namespace {

/// A call throws that the server has ended. Whether it was before the request was sent is a matter
/// of luck.
template <class F>
bool finds_it_gone(F call) {
  try {
    call();
  } catch (const mp::BrokenPipe&) {
    return true;
  } catch (const mp::EndOfFile&) {
    return true;
  }
  return false;
}

/// What a call says that is under way when `end` ends the server.
template <class F>
std::string text_of_a_call_ended_by(F end) {
  mp::Manager manager;
  const Board<Signs> signs;
  const auto slow = manager.create<Slow>();
  std::string text;
  std::thread caller([&] {
    text = process_test::text_of<mp::EndOfFile>([&] { slow.call<&Slow::wait_for>(signs.place()); });
  });
  wait_until([&] { return signs->ready == 1; });
  end(manager);
  caller.join();
  text += process_test::text_of<mp::BrokenPipe>([&] { slow.call<&Slow::answer>(); });
  return text;
}

TEST(EndedCall, SaysThatItWasTheShutdown) {
  const std::string text =
      text_of_a_call_ended_by([](mp::Manager& manager) { manager.shutdown(); });
  EXPECT_NE(text.find("before it replied: its owner has called shutdown()"), std::string::npos)
      << text;
  EXPECT_NE(text.find("server has ended: its owner has called shutdown()"), std::string::npos)
      << text;
  EXPECT_EQ(text.find("killed"), std::string::npos) << text;
}

TEST(EndedCall, SaysThatItWasNoShutdown) {
  const std::string text =
      text_of_a_call_ended_by([](mp::Manager& manager) { ::kill(manager.pid(), SIGKILL); });
  EXPECT_NE(text.find("before it replied: it was killed"), std::string::npos) << text;
  EXPECT_NE(text.find("server has ended: it was killed"), std::string::npos) << text;
  EXPECT_EQ(text.find("shutdown"), std::string::npos) << text;
}

class Calls : public Managed {};
PROCESSION_BY_ALL_METHODS(Calls);

TEST_P(Calls, ASlowCallDoesNotHoldUpOtherObjects) {
  const mp::Manager manager = make_manager();
  const Board<Signs> signs;
  const auto slow = manager.create<Slow>();
  const auto other = manager.create<Slow>();
  std::thread caller([&] { slow.call<&Slow::wait_for>(signs.place()); });
  wait_until([&] { return signs->ready == 1; });
  EXPECT_EQ(other.call<&Slow::answer>(), 42);
  EXPECT_EQ(manager.create<Slow>().call<&Slow::answer>(), 42);
  EXPECT_EQ(signs->go, 0);
  signs->go = 1;
  caller.join();
}

template <class T>
int most_side_by_side(const mp::Proxy<T>& object) {
  std::atomic<int> most{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 3; ++n) {
        const int seen = object.template call<&T::side_by_side>();
        int before = most;
        while (before < seen && !most.compare_exchange_weak(before, seen)) {
        }
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  return most;
}

TEST_P(Calls, OneAfterAnotherUnlessTheClassSaysOtherwise) {
  const mp::Manager manager = make_manager();
  EXPECT_EQ(most_side_by_side(manager.create<Slow>()), 1);
  EXPECT_GT(most_side_by_side(manager.create<Parallel>()), 1);
}

TEST_P(Calls, ManyThreadsAtOnce) {
  const mp::Manager manager = make_manager();
  const auto value = manager.value<int>(0);
  std::vector<std::thread> threads;
  for (int i = 0; i < 64; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 20; ++n)
        value += 1;
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(value.value(), 64 * 20);
}

TEST_P(Calls, AfterAShutdownTheyThrow) {
  mp::Manager manager = make_manager();
  const auto dict = manager.dict<int, int>();
  dict.set(1, 1);
  manager.shutdown();
  manager.shutdown();
  EXPECT_TRUE(finds_it_gone([&] { dict.set(1, 1); }));
  EXPECT_TRUE(finds_it_gone([&] { static_cast<void>(dict.size()); }));
  std::thread([&] { EXPECT_TRUE(finds_it_gone([&] { static_cast<void>(dict.size()); })); }).join();
  EXPECT_THROW(static_cast<void>(manager.list<int>()), mp::ProcessError);
  manager = make_manager();
  EXPECT_TRUE(manager.list<int>().empty());
}

TEST_P(Calls, AForkOfTheProgramsOwnHasAConnectionOfItsOwn) {
  const mp::Manager manager = make_manager();
  const auto value = manager.value<int>(1);
  EXPECT_EQ(value.value(), 1);
  const auto lock = manager.lock();
  lock.lock();
  const pid_t child = ::fork();
  if (child == 0) {
    // The lock is the parent's, and stays so when the child ends.
    const bool locked = !lock.try_lock();
    for (int i = 0; i < 100; ++i)
      value += 1;
    ::_exit(locked ? 0 : 1);
  }
  for (int i = 0; i < 100; ++i)
    value += 1;
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(value.value(), 201);
  lock.unlock();
}

class Killed : public Managed {};
PROCESSION_BY_PROCESS_METHODS(Killed);

TEST_P(Killed, AnObjectGoesWithTheLastProcessThatHadIt) {
  const mp::Manager manager = make_manager();
  const Board<Signs> signs;
  auto list = manager.list<int>();
  mp::Process process = started(
      GetParam(),
      [](const mp::ListProxy<int>& shared, std::uint64_t place) {
        shared.append(1);
        board<Signs>(place).ready = 1;
        sleep_for_ever();
      },
      list, signs.place());
  list = {};
  wait_until([&] { return signs->ready == 1; });
  EXPECT_EQ(manager.number_of_objects(), 1);
  kill_and_join(process);
  EXPECT_EQ(manager.number_of_objects(), 0);
}

TEST_P(Killed, TheLockOfAKilledOwnerIsFree) {
  const mp::Manager manager = make_manager();
  const Board<Signs> signs;
  const auto lock = manager.rlock();
  mp::Process process = started(
      GetParam(),
      [](const mp::RLockProxy& shared, std::uint64_t place) {
        shared.lock();
        shared.lock();
        board<Signs>(place).ready = 1;
        sleep_for_ever();
      },
      lock, signs.place());
  wait_until([&] { return signs->ready == 1; });
  EXPECT_FALSE(lock.try_lock());
  std::thread waiter([&] {
    lock.lock();
    EXPECT_TRUE(lock.owner_died());
    lock.unlock();
  });
  kill_and_join(process);
  waiter.join();
}

TEST_P(Killed, AKilledConsumerTakesNothingWithIt) {
  const mp::Manager manager = make_manager();
  const Board<Signs> signs;
  const auto queue = manager.queue<int>(1);
  mp::Process process = started(
      GetParam(),
      [](const mp::QueueProxy<int>& shared, std::uint64_t place) {
        board<Signs>(place).ready = 1;
        shared.get();
      },
      queue, signs.place());
  wait_until([&] { return signs->ready == 1; });
  std::this_thread::sleep_for(50ms);  // most likely it waits by now
  kill_and_join(process);
  for (int i = 0; i < 3; ++i) {
    queue.put(i);
    EXPECT_EQ(queue.get(), i);
  }
}

TEST_P(Killed, ABarrierBreaksAndAConditionTellsTheNext) {
  const mp::Manager manager = make_manager();
  const Board<Signs> signs;
  const auto barrier = manager.barrier(2);
  const auto changed = manager.condition();
  mp::Process process =
      started(GetParam(), [](const mp::BarrierProxy& shared) { shared.wait(); }, barrier);
  wait_until([&] { return barrier.n_waiting() == 1; });
  kill_and_join(process);
  EXPECT_THROW(barrier.wait(), mp::BrokenBarrier);

  mp::Process first = started(
      GetParam(),
      [](const mp::ConditionProxy& shared, std::uint64_t place) {
        const std::scoped_lock guard(shared);
        board<Signs>(place).ready = 1;
        shared.wait();
      },
      changed, signs.place());
  wait_until([&] { return signs->ready == 1; });
  std::thread second([&] {
    const std::scoped_lock guard(changed);
    signs->ready = 2;
    changed.wait();
  });
  wait_until([&] { return signs->ready == 2; });
  kill_and_join(first);
  {
    const std::scoped_lock guard(changed);
    changed.notify();
  }
  second.join();
}

TEST_P(Killed, CallsOfAKilledServerThrow) {
  const mp::Manager manager = make_manager();
  const Board<Signs> signs;
  const auto slow = manager.create<Slow>();
  const auto other = manager.create<Slow>();
  std::atomic<int> threw{0};
  std::thread caller([&] {
    EXPECT_THROW(slow.call<&Slow::wait_for>(signs.place()), mp::EndOfFile);
    ++threw;
  });
  mp::Process process = started(
      GetParam(),
      [](const mp::Proxy<Slow>& shared, std::uint64_t place) {
        static_cast<void>(shared.call<&Slow::answer>());
        ++board<Signs>(place).ready;
        wait_until([&] { return board<Signs>(place).go != 0; });
        try {
          static_cast<void>(shared.call<&Slow::answer>());
        } catch (const mp::ProcessError&) {
          std::_Exit(7);
        }
      },
      other, signs.place());
  wait_until([&] { return signs->ready == 2; });
  ::kill(manager.pid(), SIGKILL);
  caller.join();
  signs->go = 1;
  process.join();
  EXPECT_EQ(process.exitcode(), 7);
  EXPECT_TRUE(finds_it_gone([&] { slow.call<&Slow::answer>(); }));
  std::thread([&] { EXPECT_TRUE(finds_it_gone([&] { slow.call<&Slow::answer>(); })); }).join();
}

TEST_P(Killed, ACallMayEndTheServer) {
  const mp::Manager manager = make_manager();
  const auto slow = manager.create<Slow>();
  EXPECT_THROW(slow.call<&Slow::end>(), mp::EndOfFile);
  EXPECT_TRUE(finds_it_gone([&] { slow.call<&Slow::end>(); }));
}

TEST_P(Killed, TheServerEndsWithItsOwner) {
  const Board<Signs> signs;
  mp::Process owner = started(
      GetParam(),
      [](StartMethod method, std::uint64_t place) {
        const mp::Manager manager({.start_method = method});
        board<Signs>(place).pid = manager.pid();
        board<Signs>(place).ready = 1;
        sleep_for_ever();
      },
      GetParam(), signs.place());
  wait_until([&] { return signs->ready == 1; });
  kill_and_join(owner);
  wait_until([&] { return ::kill(signs->pid, 0) != 0; });
}

TEST_P(Killed, ClientsMayComeAndGoByDozens) {
  const mp::Manager manager = make_manager();
  const auto value = manager.value<int>(0);
  for (int round = 0; round < 3; ++round) {
    std::vector<mp::Process> processes;
    for (int i = 0; i < 8; ++i) {
      processes.push_back(started(
          GetParam(),
          [](const mp::ValueProxy<int>& shared) {
            for (;;)
              shared += 1;
          },
          value));
    }
    const int before = value.value();
    wait_until([&] { return value.value() > before + 20; });
    for (mp::Process& process : processes)
      process.kill();
    for (mp::Process& process : processes)
      process.join();
  }
  // What the killed had asked for is done all the same, perhaps a moment later: who is awake is
  // answered before them.
  int at_rest = 0;
  do {
    at_rest = value.value();
    std::this_thread::sleep_for(50ms);
  } while (value.value() != at_rest);
  EXPECT_EQ(value += 1, at_rest + 1);
}

}  // namespace
}  // namespace manager_test

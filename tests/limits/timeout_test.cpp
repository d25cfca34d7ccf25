// Lengths of time at their limits: what makes a Timeout, and every call that takes one.

#include "procession/timeout.hpp"

#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <thread>

#include "support.hpp"

namespace limits_test {
namespace {

using namespace std::chrono_literals;
using mp::Duration;
using mp::Timeout;
using Seconds = std::chrono::duration<double>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(Timeouts, AnyLengthOfTimeMakesOne) {
  EXPECT_EQ(Timeout(0.5s), Timeout(500ms));
  EXPECT_EQ(Timeout(1.5min), Timeout(90s));
  EXPECT_EQ(Timeout(std::chrono::duration<float>(0.25F)), Timeout(250ms));
  EXPECT_EQ(Timeout(std::chrono::hours(2)), Timeout(7200s));
  EXPECT_EQ(Timeout(std::chrono::duration<int, std::ratio<1, 3>>(6)), Timeout(2s));
  EXPECT_EQ(Timeout(std::chrono::duration<int, std::pico>(5000)), Timeout(5ns));
  EXPECT_EQ(Timeout(std::chrono::duration<unsigned char>(200)), Timeout(200s));
  EXPECT_EQ(Timeout(std::optional<std::chrono::seconds>(3)), Timeout(3s));
  EXPECT_EQ(Timeout(std::optional<std::chrono::seconds>()), std::nullopt);
  EXPECT_EQ(Timeout(), std::nullopt);
  static_assert(*Timeout(1ms) == 1'000'000ns);
}

TEST(Timeouts, WhatIsPositiveWaitsSinceZeroPolls) {
  EXPECT_EQ(*Timeout(Seconds(1e-30)), 1ns);
  EXPECT_EQ(*Timeout(std::chrono::duration<int, std::pico>(1)), 1ns);
}

TEST(Timeouts, WhatIsTooLongToCountWaitsForEver) {
  EXPECT_FALSE(Timeout(std::chrono::hours::max()));
  EXPECT_FALSE(Timeout(std::chrono::minutes::max()));
  EXPECT_FALSE(Timeout(std::chrono::seconds::max()));
  EXPECT_FALSE(Timeout(std::chrono::milliseconds::max()));
  EXPECT_FALSE(Timeout(std::chrono::years::max()));
  EXPECT_FALSE(Timeout(Seconds(kInfinity)));
  EXPECT_FALSE(Timeout(Seconds(std::numeric_limits<double>::max())));
  EXPECT_FALSE(Timeout(Seconds(9223372036.854775807)));
  EXPECT_FALSE(Timeout(std::chrono::duration<std::uint64_t>(~std::uint64_t{0})));
  EXPECT_FALSE(Timeout(std::chrono::duration<std::int64_t, std::exa>(1)));
  EXPECT_EQ(*Timeout(Duration::max()), Duration::max());
  EXPECT_EQ(*Timeout(9223372036s), 9223372036s);
}

TEST(Timeouts, WhatIsNegativePolls) {
  EXPECT_EQ(Timeout(-1ns), Timeout(0s));
  EXPECT_EQ(Timeout(std::chrono::hours::min()), Timeout(0s));
  EXPECT_EQ(Timeout(Duration::min()), Timeout(0s));
  EXPECT_EQ(Timeout(Seconds(-kInfinity)), Timeout(0s));
  EXPECT_EQ(Timeout(Seconds(-0.0)), Timeout(0s));
}

TEST(Timeouts, WhatIsNoNumberIsRefused) {
  run({
      {"Timeout(NaN seconds)",
       Comes::invalid,
       {"not a number"},
       [] { return !!Timeout(Seconds(kNaN)); }},
      {"Event::wait(NaN seconds)",
       Comes::invalid,
       {"not a number"},
       [] { return mp::Event().wait(Seconds(kNaN)); }},
  });
}

TEST(Timeouts, CanBeSent) {
  for (const Timeout timeout : {Timeout(), Timeout(0s), Timeout(7ms), Timeout(Duration::max())}) {
    mp::BufferEncoder encoder;
    mp::encode(encoder, timeout);
    mp::Decoder decoder(encoder.bytes());
    EXPECT_EQ(mp::decode<Timeout>(decoder), timeout);
  }
}

TEST(Timeouts, ANegativeOneThatIsReceivedPolls) {
  mp::BufferEncoder encoder;
  mp::encode(encoder, std::optional<Duration>(-5s));
  mp::Decoder decoder(encoder.bytes());
  EXPECT_EQ(mp::decode<Timeout>(decoder), Timeout(0s));
}

/// A call that waits for something: `wait` says whether it came, `let_come` lets it.
struct Call {
  const char* what;
  std::function<bool(Timeout)> wait;
  std::function<void()> let_come;
};

/// Waits for what comes a little later: a time-out that overflows would pass before.
void expect_waits(const Call& call, Timeout timeout) {
  std::thread later([&] {
    std::this_thread::sleep_for(3ms);
    call.let_come();
  });
  EXPECT_NO_THROW(EXPECT_TRUE(call.wait(timeout)) << "did not wait");
  later.join();
}

/// Without anything to come. What throws at the end of its time has not got it either.
void expect_polls(const Call& call, Timeout timeout) {
  try {
    EXPECT_FALSE(call.wait(timeout)) << "got what was not there";
  } catch (const mp::ProcessError&) {
  }
}

const Timeout kLongest[] = {std::chrono::hours::max(), Duration::max(), Duration::max() - 1ns,
                            Seconds(kInfinity),        Seconds(9e9),    std::chrono::years::max()};
const Timeout kShortest[] = {0s, -1ns, std::chrono::hours::min(), Seconds(-kInfinity)};

void expect_both(const Call& call) {
  SCOPED_TRACE(call.what);
  for (const Timeout timeout : kShortest)
    expect_polls(call, timeout);
  for (const Timeout timeout : kLongest)
    expect_waits(call, timeout);
}

TEST(Timeouts, OfLocksAndTheirKin) {
  const mp::Semaphore semaphore(0);
  expect_both({"Semaphore::try_acquire_for",
               [&](Timeout t) { return semaphore.try_acquire_for(t); },
               [&] { semaphore.release(); }});
  const mp::BoundedSemaphore bounded(1);
  bounded.acquire();
  expect_both({"BoundedSemaphore::try_acquire_for",
               [&](Timeout t) { return bounded.try_acquire_for(t); }, [&] { bounded.release(); }});
  const mp::Event event;
  expect_both({"Event::wait",
               [&](Timeout t) {
                 const bool came = event.wait(t);
                 event.clear();
                 return came;
               },
               [&] { event.set(); }});
  const mp::Condition condition;
  const auto notify = [&] {
    const std::scoped_lock guard(condition);
    condition.notify();
  };
  expect_both({"Condition::wait",
               [&](Timeout t) {
                 const std::scoped_lock guard(condition);
                 return condition.wait(t);
               },
               notify});
  std::atomic<bool> there = false;
  expect_both({"Condition::wait(predicate)",
               [&](Timeout t) {
                 const std::scoped_lock guard(condition);
                 return condition.wait([&] { return there.exchange(false); }, t);
               },
               [&] {
                 there = true;
                 notify();
               }});
  const mp::Barrier barrier(2);
  const auto meet = [&](Timeout t) {
    try {
      barrier.wait(t);
      return true;
    } catch (const mp::BrokenBarrier&) {
      barrier.reset();
      return false;
    }
  };
  expect_both({"Barrier::wait", meet, [&] { barrier.wait(); }});
}

template <class L>
void expect_of_lock(const char* what) {
  const L lock;
  const mp::Event locked;
  const mp::Event free_it;
  for (const bool longest : {false, true}) {
    for (const Timeout timeout : longest ? std::span<const Timeout>(kLongest) : kShortest) {
      std::thread other([&] {
        lock.lock();
        locked.set();
        free_it.wait();
        lock.unlock();
      });
      locked.wait();
      locked.clear();
      const auto wait = [&](Timeout t) {
        const bool got = lock.try_lock_for(t);
        if (got) lock.unlock();
        return got;
      };
      const Call call{what, wait, [&] { free_it.set(); }};
      SCOPED_TRACE(what);
      longest ? expect_waits(call, timeout) : expect_polls(call, timeout);
      free_it.set();
      other.join();
      free_it.clear();
    }
  }
}

TEST(Timeouts, OfLocks) {
  expect_of_lock<mp::Lock>("Lock::try_lock_for");
  expect_of_lock<mp::RLock>("RLock::try_lock_for");
}

TEST(Timeouts, OfQueues) {
  const mp::JoinableQueue<int> queue(1);
  const auto put = [&] { queue.put(1); };
  expect_both({"Queue::get", [&](Timeout t) { return queue.get(t) == 1; }, put});
  expect_both(
      {"Queue::get_many", [&](Timeout t) { return queue.get_many(5, t).size() == 1; }, put});
  const mp::Queue<int> full(1);
  full.put(0);
  expect_both({"Queue::put",
               [&](Timeout t) {
                 full.put(1, t);
                 return true;
               },
               [&] { full.get(); }});
  const mp::JoinableQueue<int> unfinished;
  unfinished.put(1);
  expect_both({"JoinableQueue::join",
               [&](Timeout t) {
                 const bool done = unfinished.join(t);
                 if (done) unfinished.put(1);
                 return done;
               },
               [&] { unfinished.task_done(); }});
}

TEST(Timeouts, OfConnections) {
  const auto [here, there] = mp::Pipe();
  const auto send = [&sender = there] { sender.send(1); };
  expect_both(
      {"Connection::poll",
       [&receiver = here](Timeout t) { return receiver.poll(t) && receiver.recv<int>() == 1; },
       send});
  expect_both({"wait",
               [&receiver = here](Timeout t) {
                 return !mp::wait({receiver}, t).empty() && receiver.recv<int>() == 1;
               },
               send});
  mp::Listener listener(mp::Address{"127.0.0.1", 0});
  const auto connect = [&] { static_cast<void>(mp::Client(listener.address())); };
  expect_both({"Listener::accept",
               [&](Timeout t) {
                 static_cast<void>(listener.accept(t));
                 return true;
               },
               connect});
}

TEST(Timeouts, OfClientsAndHandshakes) {
  for (const Timeout timeout : kLongest) {
    mp::Listener listener(mp::Address{"127.0.0.1", 0},
                          {.authkey = mp::make_authkey("a"), .handshake_timeout = timeout});
    std::thread client([&] {
      const mp::Connection made =
          mp::Client(listener.address(), {.authkey = mp::make_authkey("a"), .timeout = timeout});
      made.send(1);
    });
    EXPECT_EQ(listener.accept().recv<int>(), 1);
    client.join();
  }
  for (const Timeout timeout : kShortest) {
    run({{"ListenerOptions::handshake_timeout of nothing",
          Comes::invalid,
          {"handshake_timeout of 0 ns"},
          [&] {
            const mp::Listener refused(mp::Address{"127.0.0.1", 0}, {.handshake_timeout = timeout});
            return false;
          }}});
  }
}

void wait_for(const mp::Event& event) { event.wait(); }
int wait_and_return(const mp::Event& event, int value) {
  event.wait();
  return value;
}

TEST(Timeouts, OfProcessesAndThreads) {
  const mp::Event end;
  for (const bool longest : {false, true}) {
    for (const Timeout timeout : longest ? std::span<const Timeout>(kLongest) : kShortest) {
      mp::Process process(wait_for, end);
      process.start();
      mp::Thread thread(wait_for, end);
      thread.start();
      const Call join_process{"Process::join", [&](Timeout t) { return process.join(t); },
                              [&] { end.set(); }};
      const Call join_thread{"Thread::join", [&](Timeout t) { return thread.join(t); }, [] {}};
      longest ? expect_waits(join_process, timeout) : expect_polls(join_process, timeout);
      longest ? expect_waits(join_thread, timeout) : expect_polls(join_thread, timeout);
      end.set();
      process.join();
      thread.join();
      end.clear();
    }
  }
}

TEST(Timeouts, OfResults) {
  mp::ThreadPool pool(64);
  mp::ThreadPoolExecutor executor(64);
  // Each wait submits anew; what polls leaves its task to the end of its event.
  const auto one = [&](const char* what,
                       const std::function<bool(const mp::Event&, Timeout)>& wait) {
    const mp::Event end;
    expect_both({what,
                 [&](Timeout t) {
                   const bool came = wait(end, t);
                   end.clear();
                   return came;
                 },
                 [&] { end.set(); }});
    end.set();
  };
  one("AsyncResult::get", [&](const mp::Event& end, Timeout t) {
    return pool.apply_async(wait_and_return, end, 7).get(t) == 7;
  });
  one("AsyncResult::wait", [&](const mp::Event& end, Timeout t) {
    return pool.apply_async(wait_and_return, end, 7).wait(t);
  });
  one("ResultRange::next", [&](const mp::Event& end, Timeout t) {
    return pool.imap(mp::bind(wait_and_return, end), std::vector{7}).next(t) == 7;
  });
  one("Future::result", [&](const mp::Event& end, Timeout t) {
    return executor.submit(wait_and_return, end, 7).result(t) == 7;
  });
  one("Future::exception", [&](const mp::Event& end, Timeout t) {
    return executor.submit(wait_and_return, end, 7).exception(t) == nullptr;
  });
  one("as_completed", [&](const mp::Event& end, Timeout t) {
    return mp::as_completed(std::vector{executor.submit(wait_and_return, end, 7)}, t).next().done();
  });
  one("wait(futures)", [&](const mp::Event& end, Timeout t) {
    return mp::wait(std::vector{executor.submit(wait_and_return, end, 7)},
                    mp::ReturnWhen::all_completed, t)
               .done.size() == 1;
  });
}

int thrice(int x) { return 3 * x; }

TEST(Timeouts, OfTasks) {
  mp::Pool pool(2);
  for (const Timeout timeout : kLongest) {
    EXPECT_EQ(pool.map(thrice, {1, 2, 3}, {.timeout = timeout}), (std::vector{3, 6, 9}));
    EXPECT_EQ(pool.map(thrice, {1, 2, 3}, {.chunksize = 2, .timeout = timeout}),
              (std::vector{3, 6, 9}));
    EXPECT_EQ(pool.imap(thrice, {1, 2, 3}, {.timeout = timeout}).next(), 3);
  }
  for (const Timeout timeout : kShortest) {
    run({{"MapOptions::timeout of nothing",
          Comes::invalid,
          {"time-out of 0 or less"},
          [&] { return pool.map(thrice, {1}, {.timeout = timeout}).empty(); }},
         {"MapOptions::timeout of nothing, imap", Comes::invalid, {"time-out of 0 or less"}, [&] {
            return pool.imap(thrice, {1}, {.timeout = timeout}).next() == 0;
          }}});
  }
}

TEST(Timeouts, OfManagers) {
  const mp::Manager manager;
  const auto semaphore = manager.semaphore(0);
  expect_both({"SemaphoreProxy::try_acquire_for",
               [&](Timeout t) { return semaphore.try_acquire_for(t); },
               [&] { semaphore.release(); }});
  const auto event = manager.event();
  expect_both({"EventProxy::wait",
               [&](Timeout t) {
                 const bool came = event.wait(t);
                 event.clear();
                 return came;
               },
               [&] { event.set(); }});
  const auto queue = manager.queue<int>(1);
  expect_both(
      {"QueueProxy::get", [&](Timeout t) { return queue.get(t) == 1; }, [&] { queue.put(1); }});
  const auto full = manager.queue<int>(1);
  full.put(0);
  expect_both({"QueueProxy::put",
               [&](Timeout t) {
                 full.put(1, t);
                 return true;
               },
               [&] { full.get(); }});
  const auto unfinished = manager.queue<int>();
  unfinished.put(1);
  expect_both({"QueueProxy::join",
               [&](Timeout t) {
                 const bool done = unfinished.join(t);
                 if (done) unfinished.put(1);
                 return done;
               },
               [&] { unfinished.task_done(); }});
  const auto condition = manager.condition();
  const auto notify = [&] {
    const std::scoped_lock guard(condition);
    condition.notify();
  };
  expect_both({"ConditionProxy::wait",
               [&](Timeout t) {
                 const std::scoped_lock guard(condition);
                 return condition.wait(t);
               },
               notify});
  const auto barrier = manager.barrier(2);
  expect_both({"BarrierProxy::wait",
               [&](Timeout t) {
                 try {
                   barrier.wait(t);
                   return true;
                 } catch (const mp::BrokenBarrier&) {
                   barrier.reset();
                   return false;
                 }
               },
               [&] { barrier.wait(); }});
}

}  // namespace
}  // namespace limits_test

// Every interleaving of what threads do to a condition, by the code that conditions run, beside
// what CPython's says of it: who waits is in a queue, and notify(n) takes the first n out.

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/sanitized.hpp"
#include "sync/condition_core.hpp"
#include "sync/model.hpp"

namespace sync_test::condition_model {
namespace {

using interleavings::Scenario;
using interleavings::State;
using model::Explorer;
using Deadline = model::System::Deadline;
using Waiter = procession::sync::ConditionWaiter<model::System>;

constexpr std::size_t kMost = 3;

/// CPython's queue, which changes under the lock, when the one who has it begins to do something.
struct Queue {
  std::uint64_t size;
  std::uint64_t threads[kMost];
  /// For each thread: 1 + the one who took it out of the queue.
  std::uint64_t notified_by[kMost];
  std::uint64_t done[kMost];   ///< the thread has done what it does
  std::uint64_t wrong[kMost];  ///< wait() said something else

  void push(std::uint64_t thread) { threads[size++] = thread; }
  void remove(std::uint64_t thread) {
    auto* const end = std::remove(threads, threads + size, thread);
    size = static_cast<std::uint64_t>(end - threads);
    std::fill(end, threads + kMost, 0);
  }
};

struct Shared {
  model::System::Mutex lock;
  std::uint64_t turns;
  Waiter waiters[kMost];
  Queue queue;
};

Shared& all() { return model::shared<Shared>(); }

struct Room {
  static std::uint64_t& turns() { return all().turns; }
  template <class F>
  static Waiter* find(F f) {
    for (Waiter& waiter : all().waiters) {
      if (f(waiter)) return &waiter;
    }
    return nullptr;
  }
  static void more() {}
};
using Condition = procession::sync::ConditionOn<model::System, Room>;

struct Lock {
  static void release() { all().lock.unlock(); }
  static void restore() { static_cast<void>(all().lock.lock()); }
};

enum class Op { wait, timed_wait, notify, notify_two, notify_all };

void wait(bool timed) {
  const std::uint64_t self = Explorer::self();
  Queue& queue = all().queue;
  Lock lock;
  lock.restore();
  queue.push(self);
  const bool notified = Condition(Room()).wait(
      Deadline(timed ? procession::Timeout(procession::Duration(1)) : procession::Timeout()), lock);
  if (notified != (queue.notified_by[self] != 0)) queue.wrong[self] = 1;
  queue.remove(self);
  queue.done[self] = 1;
  lock.release();
}

void notify(std::size_t n) {
  const std::uint64_t self = Explorer::self();
  Queue& queue = all().queue;
  Lock lock;
  lock.restore();
  std::size_t left = n;
  for (std::size_t i = 0; i < queue.size && left != 0;) {
    const std::uint64_t first = queue.threads[i];
    if (Explorer::world().threads[first].state == State::dead) {
      ++i;
      continue;
    }
    queue.notified_by[first] = 1 + self;
    queue.remove(first);
    --left;
  }
  Condition(Room()).notify(n);
  queue.done[self] = 1;
  lock.release();
}

std::string check() {
  const Queue& queue = all().queue;
  const bool none_died = Explorer::world().deaths == 0;
  for (std::size_t i = 0; i < kMost; ++i) {
    if (none_died && queue.wrong[i] != 0) return "wait() says other than what became of it";
    const State state = Explorer::world().threads[i].state;
    const std::uint64_t by = queue.notified_by[i];
    if (state == State::asleep && by != 0 && queue.done[by - 1] != 0) {
      return "one sleeps that was notified";
    }
    if (none_died && state == State::asleep && by == 0 && queue.size == 0) {
      return "one sleeps that is in no queue";
    }
  }
  return {};
}

void explore(const std::vector<Op>& ops, std::uint32_t deaths, std::size_t& states) {
  Scenario scenario;
  std::string text = "threads that do";
  for (const Op op : ops) {
    text += " " + std::to_string(static_cast<int>(op));
    scenario.threads.emplace_back([op] {
      switch (op) {
        case Op::wait:
          return wait(false);
        case Op::timed_wait:
          return wait(true);
        case Op::notify:
          return notify(1);
        case Op::notify_two:
          return notify(2);
        case Op::notify_all:
          return notify(static_cast<std::size_t>(-1));
      }
    });
  }
  scenario.make = [] {
    all().lock.init();
    for (Waiter& waiter : all().waiters)
      waiter.liveness.init();
  };
  scenario.check = check;
  scenario.deaths = deaths;
  scenario.early = deaths == 0 ? 1 : 0;
  const auto explorer = std::make_unique<Explorer>();
  EXPECT_EQ(explorer->explore(scenario), "") << text;
  states += explorer->states();
}

void explore_all(std::uint32_t deaths) {
  if (procession::kSanitized) GTEST_SKIP() << "stacks are copied, of which a sanitizer knows not";
  constexpr Op kOps[] = {Op::wait, Op::timed_wait, Op::notify, Op::notify_two, Op::notify_all};
  std::size_t states = 0;
  for (const Op one : kOps) {
    for (const Op two : kOps) {
      for (const Op three : kOps) {
        if (two < one || three < two || testing::Test::HasFailure()) continue;
        explore({one, two, three}, deaths, states);
      }
    }
  }
  std::printf("%zu states\n", states);
  EXPECT_GT(states, 1000U);
}

TEST(ConditionModel, ThreeThreadsDoAnything) { explore_all(0); }
TEST(ConditionModel, ThreeThreadsOfWhichTwoDieAnywhere) { explore_all(2); }

}  // namespace
}  // namespace sync_test::condition_model

// Every interleaving of what threads do to a semaphore or an event, by the code that these run.

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/sanitized.hpp"
#include "sync/event_core.hpp"
#include "sync/model.hpp"
#include "sync/semaphore_core.hpp"

namespace sync_test::waiting_model {
namespace {

using interleavings::Scenario;
using interleavings::State;
using model::Explorer;
using Deadline = model::System::Deadline;
using SemaphoreBody = procession::sync::SemaphoreBody<model::System>;
using Semaphore = procession::sync::SemaphoreOn<model::System>;
using EventBody = procession::sync::EventBody<model::System>;
using Event = procession::sync::EventOn<model::System>;

constexpr std::size_t kSaidAt = 1024;

/// What the thread says of what it did: 0 until it has done it.
std::uint32_t& said(std::size_t thread) {
  return model::shared<std::uint32_t>(kSaidAt + thread * sizeof(std::uint32_t));
}

/// Which threads slept when somebody who has done it by now began to set the event.
std::uint32_t& told() { return model::shared<std::uint32_t>(kSaidAt + 64); }

std::uint32_t sleepers() {
  std::uint32_t mask = 0;
  for (std::size_t i = 0; i < interleavings::kThreads; ++i) {
    if (Explorer::world().threads[i].state == State::asleep) mask |= 1U << i;
  }
  return mask;
}

std::size_t asleep() {
  std::size_t count = 0;
  for (const interleavings::Thread& thread : Explorer::world().threads)
    count += thread.state == State::asleep ? 1 : 0;
  return count;
}

enum class Op {
  acquire,
  timed,
  try_,
  release,
  release_two,
  release_twice,
  wait,
  timed_wait,
  set,
  clear,
  pulse
};

const procession::Timeout kSome = procession::Duration(1);

constexpr std::uint32_t kYes = 1;
constexpr std::uint32_t kNo = 2;

bool run(Op op) {
  Semaphore semaphore(model::shared<SemaphoreBody>());
  Event event(model::shared<EventBody>());
  std::uint32_t found = 0;
  std::uint32_t slept = 0;
  switch (op) {
    case Op::acquire:
      return semaphore.acquire(Deadline({}));
    case Op::timed:
      return semaphore.acquire(Deadline(kSome));
    case Op::try_:
      return semaphore.take();
    case Op::release:
      return semaphore.release(1, found);
    case Op::release_two:
      return semaphore.release(2, found);
    case Op::release_twice:
      return semaphore.release(1, found) && semaphore.release(1, found);
    case Op::wait:
      return event.wait(Deadline({}));
    case Op::timed_wait:
      return event.wait(Deadline(kSome));
    case Op::set:
      slept = sleepers();
      event.set();
      told() |= slept;
      return true;
    case Op::clear:
      event.clear();
      return true;
    case Op::pulse:
      slept = sleepers();
      event.set();
      told() |= slept;
      event.clear();
      return true;
  }
  return false;
}

/// How many permits this has added, by what CPython's Semaphore says of it.
int added(Op op) {
  switch (op) {
    case Op::acquire:
    case Op::timed:
    case Op::try_:
      return -1;
    case Op::release:
      return 1;
    case Op::release_two:
    case Op::release_twice:
      return 2;
    default:
      return 0;
  }
}

std::string check_semaphore(const std::vector<Op>& ops, int value, int most) {
  int sum = value;
  int lost = 0;  // permits that the dead may have taken or given
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (said(i) == kYes) sum += added(ops[i]);
    if (Explorer::world().threads[i].state == State::dead) lost += std::abs(added(ops[i]));
    if (said(i) == kNo && ops[i] == Op::acquire) return "acquire() without a time-out gave up";
  }
  const int found = static_cast<int>(model::shared<SemaphoreBody>().value.peek());
  if (std::abs(found - sum) > lost) return "permits were lost or made";
  if (found > most) return "there are more permits than there may be";
  if (found != 0 && asleep() != 0) return "one sleeps though there is a permit";
  return {};
}

std::string check_event(const std::vector<Op>& ops) {
  bool ever_set = false;
  bool all_set = false;  // by one who lives, and is never cleared
  for (std::size_t i = 0; i < ops.size(); ++i) {
    ever_set = ever_set || ops[i] == Op::set || ops[i] == Op::pulse;
    all_set = all_set || (ops[i] == Op::set && said(i) == kYes);
  }
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (ops[i] == Op::clear || ops[i] == Op::pulse) all_set = false;
    if (said(i) == kNo && ops[i] == Op::wait) return "wait() without a time-out gave up";
    if (said(i) == kYes && !ever_set && (ops[i] == Op::wait || ops[i] == Op::timed_wait)) {
      return "wait() returned though it was never set";
    }
  }
  if ((told() & sleepers()) != 0) return "one sleeps through a moment at which it was set";
  const bool set = (model::shared<EventBody>().state.peek() & 1) != 0;
  if (all_set && !set) return "it was set, and is not";
  if (set && asleep() != 0) return "one sleeps though it is set";
  return {};
}

/// Each choice of so many operations, in which order does not matter.
void for_each_choice(std::size_t threads, const std::vector<Op>& ops,
                     const std::function<void(const std::vector<Op>&)>& call,
                     const std::vector<Op>& chosen = {}) {
  if (chosen.size() == threads) {
    call(chosen);
    return;
  }
  for (const Op op : ops) {
    if (!chosen.empty() && op < chosen.back()) continue;
    std::vector<Op> more = chosen;
    more.push_back(op);
    for_each_choice(threads, ops, call, more);
  }
}

void explore_all(std::size_t threads, const std::vector<Op>& ops, std::uint32_t deaths,
                 const std::function<void()>& make,
                 const std::function<std::string(const std::vector<Op>&)>& check) {
  if (procession::kSanitized) GTEST_SKIP() << "stacks are copied, of which a sanitizer knows not";
  std::size_t states = 0;
  const auto explorer = std::make_unique<Explorer>();
  for_each_choice(threads, ops, [&](const std::vector<Op>& chosen) {
    if (testing::Test::HasFailure()) return;
    Scenario scenario;
    std::string text = "threads that do";
    for (const Op op : chosen) {
      scenario.threads.emplace_back([op] { said(Explorer::self()) = run(op) ? kYes : kNo; });
      text += " " + std::to_string(static_cast<int>(op));
    }
    scenario.make = make;
    scenario.check = [&] { return check(chosen); };
    scenario.deaths = deaths;
    scenario.early = 1;
    EXPECT_EQ(explorer->explore(scenario), "") << text;
    states += explorer->states();
  });
  std::printf("%zu states\n", states);
  EXPECT_GT(states, 1000U);
}

void explore_semaphores(const std::vector<Op>& ops, int value, int most, std::uint32_t deaths) {
  explore_all(
      3, ops, deaths,
      [value, most] {
        model::shared<SemaphoreBody>().value.store(static_cast<std::uint32_t>(value));
        model::shared<SemaphoreBody>().most = static_cast<std::uint32_t>(most);
      },
      [value, most](const std::vector<Op>& chosen) {
        return check_semaphore(chosen, value, most);
      });
}

const std::vector<Op> kOps{Op::acquire, Op::timed, Op::try_, Op::release, Op::release_two};

TEST(SemaphoreModel, ThreeThreadsDoAnything) {
  explore_semaphores(kOps, 0, 100, 0);
  explore_semaphores(kOps, 1, 100, 0);
}
TEST(SemaphoreModel, ThreeThreadsDoAnythingToABoundedOne) { explore_semaphores(kOps, 1, 1, 0); }
TEST(SemaphoreModel, AWakeUpThatLeavesPermitsIsPassedOn) {
  explore_semaphores({Op::acquire, Op::timed, Op::release_twice}, 0, 100, 0);
}
TEST(SemaphoreModel, ThreeThreadsOfWhichTwoDieAnywhere) { explore_semaphores(kOps, 0, 100, 2); }

TEST(EventModel, ThreeThreadsDoAnything) {
  explore_all(3, {Op::wait, Op::timed_wait, Op::set, Op::clear, Op::pulse}, 0, [] {}, check_event);
}
TEST(EventModel, ThreeThreadsOfWhichTwoDieAnywhere) {
  explore_all(3, {Op::wait, Op::timed_wait, Op::set, Op::clear, Op::pulse}, 2, [] {}, check_event);
}

}  // namespace
}  // namespace sync_test::waiting_model

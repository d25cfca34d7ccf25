// Every interleaving of what up to three threads do to a barrier, by the code that barriers run.

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "support/sanitized.hpp"
#include "sync/barrier_core.hpp"
#include "sync/model.hpp"

namespace sync_test::barrier_model {
namespace {

using model::Explorer;
using Body = procession::sync::BarrierBody<model::System>;
using On = procession::sync::BarrierOn<model::System>;
using Waited = procession::sync::BarrierWait;

enum class Act { none, plain, fails, aborts, resets };
enum class Op { wait, timed_wait, reset, abort, wait_twice };

/// What a thread says of its first and its second wait.
struct Said {
  std::uint32_t what[2];  ///< 0: it has not ended; 1 + Waited::What
  std::uint32_t before[2];
  std::uint64_t generation[2];
  std::uint64_t dead_then[2];  ///< the generation in which one had died in its place before
};

constexpr std::size_t kPlacesAt = 64;
constexpr std::size_t kSaidAt = 1024;
constexpr std::size_t kDeadAt = 2048;

Body& body() { return model::shared<Body>(); }
Said& said(std::size_t thread) { return model::shared<Said>(kSaidAt + thread * sizeof(Said)); }
std::uint64_t& dead_generation() { return model::shared<std::uint64_t>(kDeadAt); }
static_assert(sizeof(Body) <= kPlacesAt);

/// The number of the thread in a place, from 1 on.
std::uint32_t owner_of(std::size_t place) {
  static_assert(sizeof(body().place(place).liveness) == sizeof(model::System::Mutex));
  return *reinterpret_cast<const std::uint32_t*>(&body().place(place).liveness);
}

void run_wait(Act act, bool timed, int nth) {
  const model::System::Deadline deadline(timed ? procession::Timeout(procession::Duration(1))
                                               : procession::Timeout());
  Said& mine = said(Explorer::self());
  mine.dead_then[nth] = dead_generation();
  const Waited waited = On(body()).wait(deadline, act != Act::none, [&] {
    if (act == Act::aborts) On(body()).abort();
    if (act == Act::resets) On(body()).reset();
    return act != Act::fails;
  });
  mine.what[nth] = 1 + static_cast<std::uint32_t>(waited.what);
  mine.before[nth] = static_cast<std::uint32_t>(waited.before);
  mine.generation[nth] = waited.generation;
}

void run(Op op, Act act) {
  switch (op) {
    case Op::wait:
    case Op::timed_wait:
      return run_wait(act, op == Op::timed_wait, 0);
    case Op::wait_twice:
      run_wait(act, false, 0);
      return run_wait(act, false, 1);
    case Op::reset:
      On(body()).reset();
      break;
    case Op::abort:
      On(body()).abort();
      break;
  }
  said(Explorer::self()).what[0] = 1;
}

bool waits(Op op) { return op != Op::reset && op != Op::abort; }

std::string check_passed(std::size_t parties, const std::vector<Op>& ops) {
  std::map<std::uint64_t, std::set<std::uint32_t>> passed;
  std::map<std::uint64_t, std::size_t> failed;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (!waits(ops[i])) continue;
    for (int nth = 0; nth < 2; ++nth) {
      if (said(i).what[nth] == 0 || said(i).generation[nth] == 0) continue;
      const std::uint64_t generation = said(i).generation[nth];
      if (said(i).what[nth] - 1 != Waited::passed) {
        ++failed[generation];
        continue;
      }
      if (generation == said(i).dead_then[nth])
        return "one passed with a dead one that it had seen die";
      if (!passed[generation].insert(said(i).before[nth]).second) return "two have one index";
    }
  }
  const bool none_died = Explorer::world().deaths == 0;
  for (const auto& [generation, indexes] : passed) {
    if (failed[generation] != 0) return "of one generation some passed and some failed";
    if (*indexes.rbegin() >= parties) return "more passed than it is for";
    if (none_died && indexes.size() != parties) return "fewer passed than it is for";
  }
  return {};
}

/// Nobody sleeps but in a generation that lacks parties, all of whom live.
std::string check_sleepers(std::size_t parties) {
  using interleavings::State;
  std::size_t asleep = 0;
  for (const interleavings::Thread& thread : Explorer::world().threads)
    asleep += thread.state == State::asleep ? 1 : 0;
  std::size_t waiting = 0;
  const std::uint64_t state = body().state.peek();
  for (std::size_t i = 0; i < body().places(); ++i) {
    if (body().place(i).word.peek() != state >> 3 << 2) continue;
    ++waiting;
  }
  if (asleep == 0) return {};
  if ((state & 7) != 0) return "somebody sleeps at a barrier that is not filling";
  if (waiting != asleep) return "somebody sleeps who is not in, or with a dead one";
  if (waiting >= parties) return "all are in and sleep";
  if (dead_generation() == state >> 3) return "somebody sleeps in a generation of a dead one";
  return {};
}

interleavings::Scenario scenario_of(std::size_t parties, Act act, const std::vector<Op>& ops) {
  interleavings::Scenario scenario;
  scenario.make = [parties] { On(body()).init(parties); };
  for (const Op op : ops)
    scenario.threads.emplace_back([op, act] { run(op, act); });
  scenario.check = [parties, ops] {
    const std::string wrong = check_passed(parties, ops);
    return wrong.empty() ? check_sleepers(parties) : wrong;
  };
  scenario.on_death = [](std::size_t thread) {
    const std::uint64_t state = body().state.peek();
    if ((state & 7) > 1) return;
    for (std::size_t i = 0; i < body().places(); ++i) {
      if (body().place(i).word.peek() == state >> 3 << 2 && owner_of(i) == thread + 1)
        dead_generation() = state >> 3;
    }
  };
  return scenario;
}

/// Each choice of so many of these operations, in which order does not matter; the first one waits.
void for_each_choice(std::size_t threads, const std::vector<Op>& ops,
                     const std::function<void(const std::vector<Op>&)>& call,
                     const std::vector<Op>& chosen = {}) {
  if (chosen.size() == threads) {
    call(chosen);
    return;
  }
  for (const Op op : ops) {
    if ((chosen.empty() && !waits(op)) || (!chosen.empty() && op < chosen.back())) {
      continue;
    }
    std::vector<Op> more = chosen;
    more.push_back(op);
    for_each_choice(threads, ops, call, more);
  }
}

struct Room {
  std::size_t threads;
  std::size_t least_parties;
  std::size_t most_parties;
  std::vector<Op> ops;
  std::vector<Act> acts;
  std::uint32_t deaths;
  std::uint32_t early;
};

void explore_all(const Room& room) {
  if (procession::kSanitized) GTEST_SKIP() << "stacks are copied, of which a sanitizer knows not";
  std::size_t states = 0;
  const auto explorer = std::make_unique<Explorer>();
  for (std::size_t parties = room.least_parties; parties <= room.most_parties; ++parties) {
    for (const Act act : room.acts) {
      for_each_choice(room.threads, room.ops, [&](const std::vector<Op>& ops) {
        if (testing::Test::HasFailure()) return;
        interleavings::Scenario scenario = scenario_of(parties, act, ops);
        scenario.deaths = room.deaths;
        scenario.early = room.early;
        std::string text = std::to_string(parties) + " parties, action " +
                           std::to_string(static_cast<int>(act)) + ", threads that do";
        for (const Op op : ops)
          text += " " + std::to_string(static_cast<int>(op));
        const std::string wrong = explorer->explore(scenario);
        EXPECT_EQ(wrong, "") << text;
        states += explorer->states();
        if (std::getenv("PROCESSION_MODEL_VERBOSE") != nullptr)
          std::printf("%s: %zu states\n", text.c_str(), explorer->states());
      });
    }
  }
  std::printf("%zu states\n", states);
  EXPECT_GT(states, 1000U);
}

const std::vector<Act> kActs{Act::none, Act::plain, Act::fails, Act::aborts, Act::resets};

const std::vector<Op> kOps{Op::wait, Op::timed_wait, Op::reset, Op::abort};
const std::vector<Op> kUntimed{Op::wait, Op::reset, Op::abort};
const std::vector<Op> kAll{Op::wait, Op::timed_wait, Op::reset, Op::abort, Op::wait_twice};

TEST(BarrierModel, TwoThreadsDoAnything) { explore_all({2, 1, 2, kAll, kActs, 0, 1}); }
TEST(BarrierModel, TwoThreadsDieAnywhere) { explore_all({2, 2, 2, kOps, kActs, 2, 0}); }
TEST(BarrierModel, ThreeThreadsDoAnything) {
  explore_all({3, 2, 3, kOps, {Act::none}, 0, 0});
  explore_all({3, 2, 3, kUntimed, {Act::plain, Act::resets}, 0, 0});
}
TEST(BarrierModel, ThreeThreadsOfWhichOneDiesAnywhere) {
  explore_all({3, 2, 3, kUntimed, {Act::plain}, 1, 0});
}
TEST(BarrierModel, MoreThreadsThanPartiesTakeTurns) {
  explore_all({3, 1, 1, {Op::wait}, {Act::none}, 0, 0});
}

}  // namespace
}  // namespace sync_test::barrier_model

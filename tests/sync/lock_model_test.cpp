// Every interleaving of what threads do to a Lock or an RLock, by the code that these run.

#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/sanitized.hpp"
#include "sync/lock_core.hpp"
#include "sync/model.hpp"

namespace sync_test::lock_model {
namespace {

using interleavings::Scenario;
using interleavings::State;
using model::Explorer;
using procession::sync::Locked;
using Object = procession::sync::BasicLockObject<model::System>;
using Lock = procession::sync::LockOn<model::System>;

/// What those who had the lock wrote down while they had it.
struct Notes {
  std::uint64_t holder;  ///< 1 + a thread, until it is about to give the lock back
  std::uint64_t wrong;   ///< 1 + a place in kWrong
  std::uint64_t times;   ///< how often it was had
};
constexpr const char* kWrong[] = {"two have it at a time",
                                  "a dead owner was not told of",
                                  "a dead owner was told of, and none died",
                                  "its owner does not seem to have it",
                                  "it was given back too early",
                                  "a Lock was locked twice",
                                  "one who has no lock seems to have it"};

constexpr std::size_t kNotesAt = 256;

Object& object() { return model::shared<Object>(); }
Notes& notes() { return model::shared<Notes>(kNotesAt); }
void note(std::uint64_t wrong) { notes().wrong = 1 + wrong; }

/// What a thread does: locks so many times, and unlocks so many times.
struct Op {
  bool recursive;
  bool tries;  ///< and gives up where it is somebody's
  int locks;
  int unlocks;
};

void begin() {
  const std::uint64_t before = notes().holder;
  if (before != 0 && Explorer::is_held(static_cast<std::uint32_t>(before))) note(0);
  const bool told = object().previous_died.peek() != 0;
  if (before != 0 && !told) note(1);
  bool any = Explorer::world().deaths != 0;
  for (const interleavings::Thread& thread : Explorer::world().threads)
    any = any || thread.state == State::ended;
  if (told && !any) note(2);
  notes().holder = 1 + Explorer::self();
  ++notes().times;
}

void run(const Op& op) {
  Lock lock(object(), Explorer::self() + 1);
  for (int i = 0; i < op.locks; ++i) {
    if (lock.is_owned() != (i > 0)) note(i > 0 ? 3 : 6);
    const Locked result = lock.acquire(
        op.recursive, [&] { return op.tries ? object().mutex.try_lock() : object().mutex.lock(); });
    if (result == Locked::deadlock && (op.recursive || i == 0)) note(5);
    if (result == Locked::yes && i > 0 && !op.recursive) note(5);
    if (result == Locked::timed_out) return;
    if (i == 0) begin();
    if (result == Locked::deadlock) break;
  }
  for (int i = 0; i < op.unlocks; ++i) {
    const int last = op.recursive ? op.locks - 1 : 0;
    if (!lock.is_owned()) note(i <= last ? 4 : 3);
    if (i == last) notes().holder = 0;
    Lock::release(object());
  }
}

std::string check(bool all_unlock) {
  if (notes().wrong != 0) return kWrong[notes().wrong - 1];
  const bool none_died = Explorer::world().deaths == 0;
  if (none_died && all_unlock && object().mutex.held()) return "somebody has it for ever";
  if (none_died && all_unlock && object().owner_thread.peek() != 0) return "it has an owner";
  if (none_died && all_unlock && object().previous_died.peek() != 0) return "a death is left";
  return {};
}

void explore_all(bool recursive, std::uint32_t deaths) {
  if (procession::kSanitized) GTEST_SKIP() << "stacks are copied, of which a sanitizer knows not";
  const int most = recursive ? 2 : 1;
  const std::vector<Op> ops{
      {recursive, false, 1, 1},
      {recursive, false, 2, most},
      {recursive, true, 1, 1},
      {recursive, false, 1, 0},  // it ends with the lock
  };
  std::size_t states = 0;
  const auto explorer = std::make_unique<Explorer>();
  for (std::size_t one = 0; one < ops.size(); ++one) {
    for (std::size_t two = one; two < ops.size(); ++two) {
      for (std::size_t three = two; three < ops.size(); ++three) {
        if (testing::Test::HasFailure()) return;
        Scenario scenario;
        bool all_unlock = true;
        for (const std::size_t which : {one, two, three}) {
          const Op op = ops[which];
          all_unlock = all_unlock && op.unlocks != 0;
          scenario.threads.emplace_back([op] { run(op); });
        }
        scenario.make = [] { object().mutex.init(); };
        scenario.check = [all_unlock] { return check(all_unlock); };
        scenario.deaths = deaths;
        EXPECT_EQ(explorer->explore(scenario), "") << one << " " << two << " " << three;
        states += explorer->states();
      }
    }
  }
  std::printf("%zu states\n", states);
  EXPECT_GT(states, 1000U);
}

TEST(LockModel, ThreeThreadsDoAnything) { explore_all(false, 0); }
TEST(LockModel, ThreeThreadsOfWhichTwoDieAnywhere) { explore_all(false, 2); }
TEST(RLockModel, ThreeThreadsDoAnything) { explore_all(true, 0); }
TEST(RLockModel, ThreeThreadsOfWhichTwoDieAnywhere) { explore_all(true, 2); }

}  // namespace
}  // namespace sync_test::lock_model

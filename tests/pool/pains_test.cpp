// What goes wrong in other pools: one test for each, those that need more have files of their own.

#include <csignal>
#include <mutex>
#include <ranges>
#include <set>

#include "procession/error.hpp"
#include "procession/exception.hpp"
#include "procession/process.hpp"
#include "support.hpp"

namespace procession::pooltest {
namespace {

int die_at(int bad, int x) {
  if (x == bad) {
    ::raise(SIGKILL);
  }
  return square(x);
}

TEST(Pains, Pain01_ADeadWorkerFailsItsTaskAloneAndIsReplaced) {
  Pool pool(2);
  std::vector<AsyncResult<int>> results;
  for (int i = 0; i < 100; ++i) {
    results.push_back(pool.apply_async(die_at, 50, i));
  }
  for (int i = 0; i < 100; ++i) {
    if (i != 50) {
      EXPECT_EQ(results[static_cast<std::size_t>(i)].get(), i * i);
      continue;
    }
    try {
      results[50].get();
      FAIL();
    } catch (const WorkerLost& lost) {
      EXPECT_EQ(lost.exitcode(), -SIGKILL);
      EXPECT_GT(lost.pid(), 0);
    }
  }
  until([&] { return pool.pids().size() == 2; });
}

TEST(Pains, Pain05_WorkersAreSaneThoughThreadsHoldLocksWhenTheyStart) {
  // A lock of the program's that some thread always has, as one of malloc's may be.
  static std::mutex often_held;
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        const std::lock_guard guard(often_held);
        const std::string churn(100, 'c');
        static_cast<void>(churn.size());
      }
    });
  }
  for (int round = 0; round < 10; ++round) {
    Pool pool(2);
    const auto taken = pool.map(
        [](int x) {
          const std::lock_guard guard(often_held);
          return square(x);
        },
        {1, 2, 3});
    EXPECT_EQ(taken, (std::vector<int>{1, 4, 9}));
  }
  stop = true;
  for (auto& thread : threads) {
    thread.join();
  }
}

/// A process with a pool, whose workers' ids it notes.
void keep_a_pool(Where where) {
  Pool pool(3);
  const std::vector<int> pids = pool.pids();
  for (std::size_t i = 0; i < pids.size(); ++i) {
    counter(where, i + 1) = static_cast<std::uint32_t>(pids[i]);
  }
  const auto hanging =
      pool.map_async([](int) { std::this_thread::sleep_for(std::chrono::hours(1)); }, {1, 2, 3});
  counter(where) = 1;
  hanging.wait();
}

TEST(Pains, Pain07_WorkersEndWithTheirKilledOwner) {
  Tally tally(4);
  Process owner(keep_a_pool, tally.where());
  owner.start();
  until([&] { return tally[0] == 1; });
  owner.kill();
  owner.join();
  for (std::size_t i = 1; i < 4; ++i) {
    until([&] { return ended(static_cast<int>(tally[i])); });
  }
}

TEST(Pains, Pain10_MaxTasksIsExactAndNothingHangsWhateverDies) {
  constexpr int kTasks = 200;
  Pool pool({.processes = 2, .max_tasks_per_child = 5});
  std::vector<AsyncResult<int>> results;
  for (int i = 0; i < kTasks; ++i) {
    results.push_back(pool.apply_async(
        [](int x) {
          if (x % 23 == 7) {
            ::_exit(1);
          }
          return static_cast<int>(::getpid());
        },
        i));
  }
  std::map<int, int> tasks;
  int lost = 0;
  for (auto& result : results) {
    try {
      ++tasks[result.get()];
    } catch (const WorkerLost&) {
      ++lost;
    }
  }
  EXPECT_EQ(lost, 9);
  for (const auto& [pid, count] : tasks) {
    EXPECT_LE(count, 5) << pid;
  }
  EXPECT_GE(tasks.size(), static_cast<std::size_t>((kTasks - 9) / 5));
  pool.close();
  pool.join();
}

struct Pinned : std::runtime_error {
  explicit Pinned(const std::string& text)
      : std::runtime_error(text), self(this), lock(std::make_unique<std::mutex>()) {}
  Pinned(Pinned&& other) noexcept
      : std::runtime_error(other), self(this), lock(std::move(other.lock)) {}
  const Pinned* self;
  std::unique_ptr<std::mutex> lock;
};

TEST(Pains, Pain11_AnExceptionThatCannotBeSentArrivesByTypeTextAndPlace) {
  Pool pool(1);
  const int pid = pool.pids().at(0);
  try {
    pool.map([](int x) { return x == 2 ? throw Pinned("cannot leave") : x; }, {0, 1, 2, 3});
    FAIL();
  } catch (const RemoteError& error) {
    EXPECT_NE(error.type().find("Pinned"), std::string::npos) << error.type();
    EXPECT_EQ(error.text(), "cannot leave");
    EXPECT_EQ(error.task_index(), 2U);
    EXPECT_EQ(error.pid(), pid);
  }
  EXPECT_EQ(pool.apply(square, 3), 9);
}

TEST(Pains, Pain18_ALargeArgumentIsCopiedOnceAndNotKept) {
  Pool pool(1);
  const std::string large(16U << 20U, 'l');
  const auto size = [](const std::string& text) { return text.size(); };
  EXPECT_EQ(pool.apply(size, large), large.size());
  const heap::Audit before = heap::audit();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(pool.apply(size, large), large.size());
  }
  // The one copy lay in the shared heap, and has been given back.
  EXPECT_LT(heap::audit().in_use, before.in_use + large.size());
}

/// What cannot be taken apart by the library says itself how it is sent.
class Angle {
 public:
  Angle() = default;
  explicit Angle(double degrees) : degrees_(degrees) {}
  [[nodiscard]] double degrees() const { return degrees_; }

 private:
  double degrees_ = 0;
};
void encode(Encoder& out, const Angle& angle) { procession::encode(out, angle.degrees()); }
void decode(Decoder& in, Angle& angle) { angle = Angle(procession::decode<double>(in)); }

TEST(Pains, Pain19_TasksTakeAndReturnWhatBringsItsOwnEncoding) {
  Pool pool(1);
  const Angle twice = pool.apply([](const Angle& a) { return Angle(2 * a.degrees()); }, Angle(21));
  EXPECT_EQ(twice.degrees(), 42);
  const auto halves =
      pool.map([](const Angle& a) { return Angle(a.degrees() / 2); }, {Angle(4), Angle(6)});
  EXPECT_EQ(halves.at(1).degrees(), 3);
}

TEST(Pains, Pain20_WorkersLeaveCtrlCToTheOwner) {
  Tally gate(3);
  Pool pool(2);
  const auto wait = [](Where where, std::size_t begun) {
    counter(where, begun) = 1;
    await(where);
    return 7;
  };
  // Both: one that is still being started is not ready for it.
  const auto waiting = pool.apply_async(wait, gate.where(), std::size_t{1});
  const auto other = pool.apply_async(wait, gate.where(), std::size_t{2});
  until([&] { return gate[1] == 1 && gate[2] == 1; });
  const std::vector<int> pids = pool.pids();
  for (const int pid : pids) {
    ::kill(pid, SIGINT);
  }
  gate[0] = 1;
  EXPECT_EQ(waiting.get(), 7);
  EXPECT_EQ(other.get(), 7);
  EXPECT_EQ(pool.pids(), pids);
}

TEST(Pains, Pain23_APoolHasAsManyWorkersAsThisProcessMayUseProcessors) {
  const Pool pool;
  EXPECT_EQ(pool.size(), cpu_count());
}

TEST(Pains, Pain25_NeitherPathsNorTemporaryFoldersAreNeeded) {
  const char* const before = std::getenv("TMPDIR");
  const std::string kept = before != nullptr ? before : "";
  ::setenv("TMPDIR", ("/" + std::string(300, 'x')).c_str(), 1);
  {
    Pool pool({.processes = 2, .start_method = StartMethod::spawn});
    EXPECT_EQ(pool.map(square, {1, 2}), (std::vector<int>{1, 4}));
  }
  if (before != nullptr) {
    ::setenv("TMPDIR", kept.c_str(), 1);
  } else {
    ::unsetenv("TMPDIR");
  }
}

}  // namespace
}  // namespace procession::pooltest

// Workers that are killed at each step of what they do to the memory that they share with the
// owner, one step after the other: exactly the task that ran is lost, all others run, the pool
// comes to its end, and nothing is left.

#include "support/kill_step.hpp"

#include <csignal>
#include <future>
#include <memory>
#include <numeric>

#include "left.hpp"
#include "procession/error.hpp"
#include "support.hpp"

#ifndef NDEBUG

namespace procession::pooltest {
namespace {

/// In the memory that all share: what tasks did, and who was killed.
class Board {
 public:
  explicit Board(std::size_t tasks) : starts_(tasks), ends_(tasks) {}

  [[nodiscard]] Where starts() const { return starts_.where(); }
  [[nodiscard]] Where ends() const { return ends_.where(); }
  [[nodiscard]] Where armed() const { return armed_.where(); }
  [[nodiscard]] Where gate() const { return gate_.where(); }
  [[nodiscard]] std::uint32_t kills() const { return armed_[1]; }
  [[nodiscard]] bool ready(std::uint32_t workers) const { return armed_[2] >= workers; }
  /// So many workers, the next ones to begin, are killed at a step.
  void arm(std::uint32_t workers) { armed_[0] = workers; }

  /// Of tasks that are not run anew: each began once, but for one of each worker that was killed
  /// before it could begin it, and ended, but for one of each worker that was killed at it.
  void expect_once(std::uint32_t excepted) const {
    std::uint32_t without = 0;
    for (std::size_t i = 0; i < starts_.size(); ++i) {
      EXPECT_LE(starts_[i], 1U) << "task " << i;
      without += ends_[i] == 0 ? 1 : 0;
    }
    EXPECT_LE(without, kills() + excepted);
  }

 private:
  Tally starts_;
  Tally ends_;
  Tally armed_{3};
  Tally gate_;
};

Where killed_count = 0;

/// The initializer of all workers.
void arm_worker(Where armed, std::size_t step) {
  std::atomic<std::uint32_t>& budget = counter(armed, 0);
  std::uint32_t left = budget;
  while (left != 0 && !budget.compare_exchange_weak(left, left - 1)) {
  }
  ++counter(armed, 2);
  if (left != 0) {
    killed_count = armed;
    kill_step::left = step;
    heap::testing::on_step = [] {
      if (kill_step::left != 0 && --kill_step::left == 0) {
        ++counter(killed_count, 1);
        ::kill(::getpid(), SIGKILL);
      }
    };
  }
}

/// Tasks, in which there are steps too: what templates store lies between them.
int doubled(Where starts, Where ends, int index) {
  ++counter(starts, static_cast<std::size_t>(index));
  heap::testing::step();
  ++counter(ends, static_cast<std::size_t>(index));
  return 2 * index;
}
std::string text_of(Where starts, Where ends, int index) {
  return std::string(1'000, static_cast<char>('a' + doubled(starts, ends, index)));
}
int throwing(Where starts, Where ends, int index) {
  return doubled(starts, ends, index) == 2 ? throw std::out_of_range("two") : 2 * index;
}
int gated(Where gate, Where starts, Where ends, int index) {
  await(gate);
  return doubled(starts, ends, index);
}

std::vector<int> numbers(int count) {
  std::vector<int> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

/// What is played with the pool of each step.
struct Scene {
  PoolOptions options = {.processes = 2};
  std::uint32_t armed = 1;     ///< so many workers are
  std::size_t tasks = 1;       ///< of the board
  std::size_t least = 1;       ///< steps there are
  std::uint32_t excepted = 0;  ///< so many tasks do not end by themselves
  void (*play)(Pool& pool, const Board& board) = nullptr;
  bool again = false;  ///< what was lost is run anew
};

/// Makes what the first callback makes for all.
void have_callbacks() {
  Pool pool(1);
  std::promise<void> called;
  pool.apply_async([] {}).then([&] { called.set_value(); });
  called.get_future().wait();
}

void at_each_step(const Scene& scene) {
  have_callbacks();
  settled_audit();
  const Left before = Left::look();
  std::size_t step = 1;
  std::size_t steps = 0;
  // What a worker does differs from time to time: it sleeps, or finds the next task awake, or
  // another one is faster.
  const unsigned enough = scene.options.processes == 1 ? 3 : 15;
  for (unsigned survived = 0; survived < enough && !testing::Test::HasFailure(); ++step) {
    SCOPED_TRACE("killed at step " + std::to_string(step));
    {
      Board board(scene.tasks);
      board.arm(scene.armed);
      PoolOptions options = scene.options;
      options.initializer = procession::bind(arm_worker, board.armed(), step);
      options.start_method = StartMethod::forkserver;
      Pool pool(options);
      scene.play(pool, board);
      pool.close();
      pool.join();
      if (!scene.again) {
        board.expect_once(scene.excepted);
      }
      if (board.kills() != 0) {
        steps = step;
        survived = 0;
      } else {
        ++survived;
      }
    }
    until([&] { return heap::audit().blocks <= before.audit.blocks; });
  }
  expect_nothing_left(before);
  std::printf("%zu steps\n", steps);
  EXPECT_GE(steps, scene.least);
}

/// How many of these were lost; the others have the values that were expected.
template <class T, class Expected>
std::size_t lost_of(std::vector<AsyncResult<T>>& results, Expected expected) {
  std::size_t lost = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    try {
      EXPECT_EQ(results[i].get(), expected(static_cast<int>(i)));
    } catch (const WorkerLost& loss) {
      EXPECT_EQ(loss.exitcode(), -SIGKILL);
      ++lost;
    }
  }
  return lost;
}

void expect_lost(const Board& board, std::size_t lost) { EXPECT_LE(lost, board.kills()); }

TEST(PoolAtEachStep, ASingleCallIsLostOrHasItsValue) {
  at_each_step({.options = {.processes = 1},
                .tasks = 6,
                .least = 10,
                .play = [](Pool& pool, const Board& board) {
                  std::vector<AsyncResult<int>> results;
                  for (int i = 0; i < 6; ++i) {
                    results.push_back(pool.apply_async(doubled, board.starts(), board.ends(), i));
                  }
                  expect_lost(board, lost_of(results, [](int i) { return 2 * i; }));
                }});
}

TEST(PoolAtEachStep, ACallWhoseResultHasABlockIsLostOrHasItsValue) {
  at_each_step({.options = {.processes = 1},
                .tasks = 4,
                .least = 20,
                .play = [](Pool& pool, const Board& board) {
                  std::vector<AsyncResult<std::string>> results;
                  for (int i = 0; i < 4; ++i) {
                    results.push_back(pool.apply_async(text_of, board.starts(), board.ends(), i));
                  }
                  expect_lost(board, lost_of(results, [](int i) {
                                return std::string(1'000, static_cast<char>('a' + 2 * i));
                              }));
                }});
}

/// Also when it is run anew, by another worker.
TEST(PoolAtEachStep, AResultThatOutgrowsItsBlockIsThere) {
  at_each_step({.options = {.processes = 1},
                .tasks = 3,
                .least = 50,
                .play =
                    [](Pool& pool, const Board& /*board*/) {
                      const auto texts = [](int count) {
                        return std::vector<std::string>(static_cast<std::size_t>(count),
                                                        std::string(1'000, 't'));
                      };
                      const auto all = pool.map(texts, {1, 40, 2}, {.chunksize = 3, .retries = 1});
                      EXPECT_EQ(all.at(1), texts(40));
                      EXPECT_EQ(all.at(2), texts(2));
                    },
                .again = true});
}

/// A map of so many elements; when it fails, one was lost, and the others have run.
template <class F>
void map_numbers(Pool& pool, const Board& board, F function, int count, std::size_t chunksize,
                 Timeout timeout = {}) {
  try {
    EXPECT_EQ(pool.map(function, numbers(count), {.chunksize = chunksize, .timeout = timeout})
                  .at(static_cast<std::size_t>(count) - 1),
              2 * (count - 1));
  } catch (const WorkerLost& loss) {
    EXPECT_EQ(loss.exitcode(), -SIGKILL);
    EXPECT_EQ(board.kills(), 1U);
  }
}

TEST(PoolAtEachStep, AMapLosesOneElement) {
  at_each_step({.options = {.processes = 1},
                .tasks = 40,
                .least = 10,
                .play = [](Pool& pool, const Board& board) {
                  map_numbers(pool, board, bind(doubled, board.starts(), board.ends()), 40, 5);
                }});
}

TEST(PoolAtEachStep, AMapWithAChosenChunkSizeLosesOneElement) {
  at_each_step({.tasks = 40, .least = 10, .play = [](Pool& pool, const Board& board) {
                  map_numbers(pool, board, bind(doubled, board.starts(), board.ends()), 40, 0);
                }});
}

TEST(PoolAtEachStep, SharedChunksLoseOneElement) {
  at_each_step({.options = {.processes = 1},
                .tasks = 30,
                .least = 30,
                .play = [](Pool& pool, const Board& board) {
                  map_numbers(pool, board, bind(doubled, board.starts(), board.ends()), 30, 1);
                }});
}

TEST(PoolAtEachStep, AMapWithTimeOutsLosesOneElement) {
  at_each_step({.options = {.processes = 1},
                .tasks = 10,
                .least = 10,
                .play = [](Pool& pool, const Board& board) {
                  map_numbers(pool, board, bind(doubled, board.starts(), board.ends()), 10, 3,
                              1min);
                }});
}

TEST(PoolAtEachStep, AnElementThatThrowsHasThrownOrIsLost) {
  at_each_step({.options = {.processes = 1},
                .tasks = 6,
                .least = 10,
                .play = [](Pool& pool, const Board& board) {
                  try {
                    pool.map(bind(throwing, board.starts(), board.ends()), numbers(6),
                             {.chunksize = 3});
                    ADD_FAILURE() << "nothing was thrown";
                  } catch (const std::out_of_range&) {
                  } catch (const WorkerLost& loss) {
                    EXPECT_EQ(loss.exitcode(), -SIGKILL);
                    EXPECT_EQ(board.kills(), 1U);
                  }
                }});
}

TEST(PoolAtEachStep, AStreamLosesOneElement) {
  at_each_step({.options = {.processes = 1},
                .tasks = 20,
                .least = 10,
                .play = [](Pool& pool, const Board& board) {
                  std::size_t lost = 0;
                  auto results =
                      pool.imap(bind(doubled, board.starts(), board.ends()), numbers(20));
                  for (int i = 0; i < 20; ++i) {
                    try {
                      EXPECT_EQ(results.next(), 2 * i);
                    } catch (const WorkerLost&) {
                      ++lost;
                    }
                  }
                  EXPECT_LE(lost, board.kills());
                }});
}

TEST(PoolAtEachStep, WhoRanTooLongIsToldSo) {
  at_each_step({.options = {.processes = 1},
                .tasks = 2,
                .least = 5,
                .excepted = 1,
                .play = [](Pool& pool, const Board& board) {
                  auto late =
                      pool.map_async(bind(gated, board.gate(), board.starts(), board.ends()), {0},
                                     {.timeout = 10ms});
                  std::vector<AsyncResult<int>> others;
                  others.push_back(pool.apply_async(doubled, board.starts(), board.ends(), 1));
                  EXPECT_THROW(
                      try { late.get(); } catch (const WorkerLost&) {
                        EXPECT_EQ(board.kills(), 1U);
                        throw TimeoutError("lost before");
                      },
                      TimeoutError);
                  expect_lost(board, lost_of(others, [](int) { return 2; }));
                }});
}

TEST(PoolAtEachStep, WhatIsCancelledEnds) {
  at_each_step({.options = {.processes = 1},
                .tasks = 4,
                .least = 5,
                .excepted = 1,
                .play = [](Pool& pool, const Board& board) {
                  std::vector<AsyncResult<int>> results;
                  auto cancelled =
                      pool.apply_async(gated, board.gate(), board.starts(), board.ends(), 0);
                  for (int i = 1; i < 4; ++i) {
                    results.push_back(pool.apply_async(doubled, board.starts(), board.ends(), i));
                  }
                  EXPECT_TRUE(cancelled.cancel() || board.kills() == 1);
                  std::size_t lost = 0;
                  for (auto& result : results) {
                    try {
                      result.get();
                    } catch (const WorkerLost&) {
                      ++lost;
                    }
                  }
                  EXPECT_LE(lost, board.kills());
                  EXPECT_ANY_THROW(cancelled.get());
                }});
}

TEST(PoolAtEachStep, CallbacksAreCalled) {
  at_each_step({.options = {.processes = 1},
                .tasks = 4,
                .least = 10,
                .play = [](Pool& pool, const Board& board) {
                  std::vector<std::future<void>> called;
                  for (int i = 0; i < 4; ++i) {
                    auto told = std::make_shared<std::promise<void>>();
                    called.push_back(told->get_future());
                    pool.apply_async(doubled, board.starts(), board.ends(), i)
                        .then([told](int) { told->set_value(); },
                              [told](std::exception_ptr) { told->set_value(); });
                  }
                  for (auto& one : called) {
                    one.get();
                  }
                }});
}

TEST(PoolAtEachStep, WorkersThatRetireAreReplaced) {
  at_each_step({.options = {.processes = 2, .max_tasks_per_child = 1},
                .tasks = 6,
                .least = 8,
                .play = [](Pool& pool, const Board& board) {
                  std::vector<AsyncResult<int>> results;
                  for (int i = 0; i < 6; ++i) {
                    results.push_back(pool.apply_async(doubled, board.starts(), board.ends(), i));
                  }
                  expect_lost(board, lost_of(results, [](int i) { return 2 * i; }));
                }});
}

/// Every worker is killed once at the step, of what it does when it is woken with others: among
/// others, wake one.
TEST(PoolAtEachStep, SleepersAreWokenThoughTheirWakersDied) {
  for (int round = 0; round < 3; ++round) {
    at_each_step({.options = {.processes = 6},
                  .armed = 6,
                  .tasks = 12,
                  .least = 8,
                  .play = [](Pool& pool, const Board& board) {
                    until([&] { return board.ready(6); });
                    std::this_thread::sleep_for(2ms);
                    std::vector<AsyncResult<int>> results;
                    for (int i = 0; i < 12; ++i) {
                      results.push_back(pool.apply_async(doubled, board.starts(), board.ends(), i));
                    }
                    expect_lost(board, lost_of(results, [](int i) { return 2 * i; }));
                  }});
  }
}

}  // namespace
}  // namespace procession::pooltest

#endif

// oneTBB beside a pool: `tbb_pool OPERATION`. Two threads of an arena, and results that are kept.

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include <atomic>
#include <cstdlib>
#include <vector>

#include "contestant.hpp"

namespace {

int square(int x) { return x * x; }

/// All submitted, then all results.
void apply_async(std::size_t times) {
  static tbb::global_control threads(tbb::global_control::max_allowed_parallelism, 3);
  static tbb::task_arena arena(2, 0);
  std::vector<int> results(times);
  std::atomic<std::size_t> left = times;
  for (std::size_t i = 0; i < times; ++i) {
    arena.enqueue([&results, &left, i] {
      results[i] = square(3);
      if (left.fetch_sub(1) == 1) {
        left.notify_one();
      }
    });
  }
  for (std::size_t seen = left; seen != 0; seen = left) {
    left.wait(seen);
  }
  for (const int result : results) {
    if (result != 9) {
      std::abort();
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  return contestant::serve({{"apply_async", apply_async}}, argc > 1 ? argv[1] : "");
}

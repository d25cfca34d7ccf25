// What pools and executors do with tasks.

#include <unistd.h>

#include <chrono>
#include <numeric>
#include <ranges>
#include <thread>
#include <vector>

#include "ours.hpp"

namespace mp = procession;

namespace {

constexpr int kElements = 1'000'000;

int square(int x) { return x * x; }
long long wide_square(int x) { return static_cast<long long>(x) * x; }

mp::Pool& pool() {
  static mp::Pool two(2);
  return two;
}

auto numbers(std::size_t count) { return std::views::iota(0, static_cast<int>(count)); }

void map(std::size_t times) {
  static const std::vector<int> all = [] {
    std::vector<int> filled(kElements);
    std::iota(filled.begin(), filled.end(), 0);
    return filled;
  }();
  for (std::size_t i = 0; i < times; ++i) {
    check(pool().map(wide_square, all).size() == kElements);
  }
}

/// Each element a task of its own.
void map_each(std::size_t times) {
  check(pool().map(wide_square, numbers(times), {.chunksize = 1}).size() == times);
}

void imap_each(std::size_t times) {
  std::size_t count = 0;
  for (const long long result :
       pool().imap_unordered(wide_square, numbers(times), {.chunksize = 1})) {
    check(result >= 0);
    ++count;
  }
  check(count == times);
}

/// The first result for a range that takes 1 ms for each element.
void imap_first(std::size_t times) {
  const auto slow = std::views::iota(0, 64) | std::views::transform([](int x) {
                      std::this_thread::sleep_for(std::chrono::milliseconds(1));
                      return x;
                    });
  for (std::size_t i = 0; i < times; ++i) {
    check(pool().imap(square, slow).next() == 0);
  }
}

void map_10ms(std::size_t times) {
  check(pool().map([](int) { return contestant::spin_10ms(); }, numbers(times)).size() == times);
}

void apply(std::size_t times) {
  for (std::size_t i = 0; i < times; ++i) {
    check(pool().apply(square, 3) == 9);
  }
}

/// All submitted, then all results.
void apply_async(std::size_t times) {
  std::vector<mp::AsyncResult<int>> results;
  results.reserve(times);
  for (std::size_t i = 0; i < times; ++i) {
    results.push_back(pool().apply_async(square, 3));
  }
  for (const auto& result : results) {
    check(result.get() == 9);
  }
}

void submit(std::size_t times) {
  static mp::ProcessPoolExecutor executor(2);
  for (std::size_t i = 0; i < times; ++i) {
    check(executor.submit(square, 3).result() == 9);
  }
}

/// One map of a function with so many bytes bound to it.
class BoundMap {
 public:
  explicit BoundMap(std::size_t bytes)
      : at_(mp::bind(element, std::vector<double>(bytes / sizeof(double), 1.0))) {}

  void run(std::size_t chunksize) const {
    check(pool().map(at_, numbers(kIndices), {.chunksize = chunksize}).size() == kIndices);
  }

  /// The size of chunks with which it is over first.
  [[nodiscard]] std::size_t best_chunksize() const {
    std::size_t best = 0;
    auto least = std::chrono::nanoseconds::max();
    for (const std::size_t chunksize : {1, 10, 25, 50, 100}) {
      for (int round = 0; round < 3; ++round) {
        const auto begin = std::chrono::steady_clock::now();
        run(chunksize);
        const auto passed = std::chrono::steady_clock::now() - begin;
        if (passed < least) {
          least = passed;
          best = chunksize;
        }
      }
    }
    return best;
  }

 private:
  static constexpr std::size_t kIndices = 200;

  static double element(const std::vector<double>& all, int i) {
    return all[static_cast<std::size_t>(i)];
  }

  decltype(mp::bind(element, std::vector<double>())) at_;
};

contestant::Operation bound(std::size_t bytes, bool best) {
  return [bytes, best](std::size_t times) {
    static const BoundMap map(bytes);
    static const std::size_t chunksize = best ? map.best_chunksize() : 0;
    for (std::size_t i = 0; i < times; ++i) {
      map.run(chunksize);
    }
  };
}

/// A worker's death, and the first task of the one that takes its place.
void recovery(std::size_t times) {
  static mp::Pool one(1);
  for (std::size_t i = 0; i < times; ++i) {
    const auto lost = one.apply_async([] { ::_exit(1); });
    check(one.apply(square, 3) == 9 && lost.ready());
  }
}

}  // namespace

Operations pool_operations() {
  return {{"map", map},
          {"map-each", map_each},
          {"imap-each", imap_each},
          {"imap-first", imap_first},
          {"map-10ms", map_10ms},
          {"apply", apply},
          {"apply_async", apply_async},
          {"submit", submit},
          {"recovery", recovery},
          {"bound-10K", bound(10'000, false)},
          {"bound-10K-best", bound(10'000, true)},
          {"bound-1M", bound(1'000'000, false)},
          {"bound-1M-best", bound(1'000'000, true)},
          {"bound-100M", bound(100'000'000, false)},
          {"bound-100M-best", bound(100'000'000, true)}};
}

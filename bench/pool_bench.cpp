#include <benchmark/benchmark.h>

#include <numeric>
#include <procession/procession.hpp>
#include <string>
#include <thread>
#include <vector>

namespace mp = procession;

namespace {

mp::Pool& pool() {
  static mp::Pool two(2);
  return two;
}

int same(int x) { return x; }
std::string same_text(std::string text) { return text; }

void apply(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(pool().apply(same, 1));
  }
}
BENCHMARK(apply)->UseRealTime();

/// Every worker sleeps when the task comes.
void apply_asleep(benchmark::State& state) {
  for (auto _ : state) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const auto begin = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(pool().apply(same, 1));
    state.SetIterationTime(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
}
BENCHMARK(apply_asleep)->UseManualTime()->Iterations(200);

void apply_text(benchmark::State& state) {
  const std::string text(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) {
    benchmark::DoNotOptimize(pool().apply(same_text, text));
  }
  state.SetBytesProcessed(2 * state.iterations() * state.range(0));
}
BENCHMARK(apply_text)->Arg(100)->Arg(1 << 20)->UseRealTime();

void map(benchmark::State& state) {
  std::vector<int> numbers(1'000'000);
  std::iota(numbers.begin(), numbers.end(), 0);
  const mp::MapOptions options{.chunksize = static_cast<std::size_t>(state.range(0))};
  for (auto _ : state) {
    benchmark::DoNotOptimize(pool().map(same, numbers, options));
  }
  state.SetItemsProcessed(state.iterations() * 1'000'000);
}
BENCHMARK(map)->ArgName("chunksize")->Arg(0)->Arg(100)->Arg(10'000)->UseRealTime();

/// Many tasks under way at a time.
void apply_async(benchmark::State& state) {
  constexpr int kTasks = 1'000;
  for (auto _ : state) {
    std::vector<mp::AsyncResult<int>> results;
    results.reserve(kTasks);
    for (int i = 0; i < kTasks; ++i) {
      results.push_back(pool().apply_async(same, i));
    }
    for (auto& result : results) {
      benchmark::DoNotOptimize(result.get());
    }
  }
  state.SetItemsProcessed(state.iterations() * kTasks);
}
BENCHMARK(apply_async)->UseRealTime();

}  // namespace

int main(int argc, char** argv) {
  mp::init();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}

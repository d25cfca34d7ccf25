#include <benchmark/benchmark.h>

#include <cstring>

#include "heap/heap.hpp"

namespace heap = procession::heap;

namespace {

/// A block taken, written to and given back.
void block(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    const heap::Block taken(size);
    std::memset(taken.data(), 1, size);
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(block)->Arg(64)->Arg(4 << 10)->Arg(1 << 20)->Arg(16 << 20);

/// One more hold on a block, and one less.
void hold(benchmark::State& state) {
  const heap::Block taken(64);
  for (auto _ : state) {
    heap::drop(heap::hold(taken.offset(), heap::self()));
  }
}
BENCHMARK(hold);

}  // namespace

BENCHMARK_MAIN();

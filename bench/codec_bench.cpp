#include <benchmark/benchmark.h>

#include <map>
#include <procession/codec.hpp>
#include <string>
#include <vector>

namespace mp = procession;

namespace {

struct Job {
  int id;
  std::vector<std::string> files;
  std::map<std::string, double> weights;
};

Job some_job() {
  return {7, {"a.txt", "a longer name, beyond small strings.txt"}, {{"x", 0.5}, {"y", 2}}};
}

/// There and back, so that neither half can be optimised at the cost of the other unseen.
template <class T>
void there_and_back(benchmark::State& state, const T& value) {
  std::size_t size = 0;
  for (auto _ : state) {
    mp::BufferEncoder encoder;
    mp::encode(encoder, value);
    mp::Decoder decoder(encoder.bytes());
    benchmark::DoNotOptimize(mp::decode<T>(decoder));
    size = encoder.size();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
}

BENCHMARK_CAPTURE(there_and_back, int, 7);
BENCHMARK_CAPTURE(there_and_back, aggregate, some_job());
BENCHMARK_CAPTURE(there_and_back, million_ints, std::vector<int>(1'000'000, 7));
BENCHMARK_CAPTURE(there_and_back, thousand_strings,
                  std::vector<std::string>(1'000, "twenty characters or so"));

}  // namespace

BENCHMARK_MAIN();

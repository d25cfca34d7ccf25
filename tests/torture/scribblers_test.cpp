// Processes that write past the ends of arrays, values and messages, over and over, several at a
// time, while everything else is on its way, and workers are killed besides. After each round all
// that is shared works as if nothing had been, and nothing is left.
//
// PROCESSION_TORTURE_SEED and PROCESSION_TORTURE_SECONDS as in torture_test.cpp.

#include <gtest/gtest.h>

#include <cinttypes>
#include <cstdio>
#include <random>

#include "kill/traffic.hpp"
#include "pool/left.hpp"
#include "support/scribble.hpp"
#include "support/setting.hpp"

namespace torture_test {
namespace {

using namespace scribble_test;

/// What a round of scribblers does is drawn from its seed.
class Scribbling {
 public:
  Scribbling(std::uint64_t seed, Traffic& traffic) : random_(seed), traffic_(traffic) {}

  /// How many processes died of it.
  std::uint64_t run() {
    const std::uint64_t waves = 1 + random_() % 6;
    for (std::uint64_t wave = 0; wave < waves; ++wave) {
      if (random_() % 2 == 0) traffic_.get_on();
      for (std::uint64_t count = 1 + random_() % 3; count != 0; --count)
        start_one();
      if (random_() % 2 == 0) scribble_as_a_task();
      for (const auto& process : processes_) {
        process->join();
        EXPECT_NE(process->exitcode(), 0);
        ++deaths_;
      }
      processes_.clear();
    }
    return deaths_;
  }

 private:
  void start_one() {
    const mp::ProcessOptions options{.start_method = traffic_.method() == mp::StartMethod::thread
                                                         ? mp::StartMethod::forkserver
                                                         : traffic_.method()};
    if (random_() % 3 == 0) {
      processes_.push_back(std::make_unique<mp::Process>(
          options,
          [](const mp::Value<std::uint64_t>& value, std::uint64_t seed) {
            scribbler::scribble(&value.unsynchronized(), seed);
          },
          traffic_.value(), random_()));
    } else {
      processes_.push_back(std::make_unique<mp::Process>(
          options,
          [](const mp::Array<double>& array, std::uint64_t seed) {
            scribbler::scribble(array.data(), seed);
          },
          traffic_.array(), random_()));
    }
    processes_.back()->start();
  }

  void scribble_as_a_task() {
    if (traffic_.method() == mp::StartMethod::thread) return;
    EXPECT_ANY_THROW(
        traffic_.pool().apply([](const mp::Array<double>& array,
                                 std::uint64_t seed) { scribbler::scribble(array.data(), seed); },
                              traffic_.array(), random_()));
    ++deaths_;
  }

  std::mt19937_64 random_;
  Traffic& traffic_;
  std::vector<std::unique_ptr<mp::Process>> processes_;
  std::uint64_t deaths_ = 0;
};

TEST(Scribblers, HarmNobodyElse) {
  const std::uint64_t seed = setting("PROCESSION_TORTURE_SEED", std::random_device()());
  const std::uint64_t seconds = setting("PROCESSION_TORTURE_SECONDS", 10);
  std::printf("seed %" PRIu64 ", %" PRIu64 " s\n", seed, seconds);
  std::fflush(stdout);
  std::mt19937_64 random(seed);
  constexpr mp::StartMethod kMethods[] = {mp::StartMethod::forkserver, mp::StartMethod::forkserver,
                                          mp::StartMethod::spawn, mp::StartMethod::thread};
  std::uint64_t rounds = 0;
  std::uint64_t deaths = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  std::optional<mp::pooltest::Left> before;
  while (std::chrono::steady_clock::now() < end && !HasFailure()) {
    const std::uint64_t round = random();
    SCOPED_TRACE("round " + std::to_string(rounds) + " with seed " + std::to_string(round));
    {
      Traffic traffic(kMethods[round % 4]);
      deaths += Scribbling(round, traffic).run();
      traffic.expect_to_work();
    }
    // What the first round of each kind made for good is there from then on.
    if (rounds == 8) {
      mp::pooltest::settled_audit();
      before = mp::pooltest::Left::look();
    } else if (rounds > 8) {
      mp::pooltest::expect_nothing_left(*before);
    }
    ++rounds;
  }
  std::printf("%" PRIu64 " rounds, %" PRIu64 " processes died of it\n", rounds, deaths);
}

}  // namespace
}  // namespace torture_test

// A process writes where it should not: past the ends of an array, a value or a message. All others
// go on, and what they share works as before; what was in users' memory may be anything.

#include <gtest/gtest.h>

#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <random>
#include <string>

#include "kill/traffic.hpp"
#include "process/support.hpp"
#include "support/sanitized.hpp"
#include "support/scribble.hpp"
#include "support/setting.hpp"

namespace scribble_test {
namespace {

std::uint64_t announced_seed() {
  const std::uint64_t seed = setting("PROCESSION_TORTURE_SEED", std::random_device()());
  std::printf("seed %" PRIu64 " (PROCESSION_TORTURE_SEED)\n", seed);
  std::fflush(stdout);
  return seed;
}

void scribble_at(const mp::Array<double>& array, std::uint64_t seed) {
  scribbler::scribble(array.data(), seed);
}
void scribble_at_value(const mp::Value<std::uint64_t>& value, std::uint64_t seed) {
  scribbler::scribble(&value.unsynchronized(), seed);
}

/// As a type of a user's, that finds its bytes where they lie and writes there.
struct Grabber {
  std::uint64_t seed = 0;  ///< 0: only looks
  bool on_encoding = false;

  friend void encode(mp::Encoder& encoder, const Grabber& grabber) {
    mp::encode(encoder, grabber.seed);
    std::byte* const bytes = encoder.extend(10'000);
    if (grabber.on_encoding) scribbler::scribble(bytes, grabber.seed);
  }
  friend void decode(mp::Decoder& decoder, Grabber& grabber) {
    mp::decode(decoder, grabber.seed);
    const auto bytes = decoder.take(10'000);
    if (grabber.seed != 0) scribbler::scribble(bytes.data() + 5'000, grabber.seed);
  }
};

void receive_and_scribble(const mp::Queue<Grabber>& queue) { queue.get(); }
void encode_and_scribble(const mp::Queue<Grabber>& queue, std::uint64_t seed) {
  queue.put(Grabber{seed, true});
}

class ScribblerBy : public process_test::EachMethod {
 protected:
  void SetUp() override {
    if (mp::kSanitized && GetParam() == mp::StartMethod::fork) {
      GTEST_SKIP() << "the sanitizers' allocator is not safe to fork beside other threads";
    }
  }

  template <class F, class... Args>
  void expect_death(F f, const Args&... args) {
    // A thread would take all of the process with it.
    const mp::StartMethod method =
        GetParam() == mp::StartMethod::thread ? mp::StartMethod::forkserver : GetParam();
    mp::Process process({.start_method = method}, f, args...);
    process.start();
    process.join();
    if (mp::kSanitized) {
      EXPECT_NE(process.exitcode(), 0);
    } else {
      EXPECT_EQ(process.exitcode(), -SIGSEGV);
    }
  }
};

TEST_P(ScribblerBy, OfAnArrayHarmsNobodyElse) {
  const std::uint64_t seed = announced_seed();
  Traffic traffic(GetParam());
  for (std::uint64_t i = 0; i < 8; ++i) {
    traffic.get_on();
    expect_death(scribble_at, traffic.array(), seed + i);
    traffic.get_on();
  }
  traffic.expect_to_work();
}

TEST_P(ScribblerBy, OfAValueHarmsNobodyElse) {
  const std::uint64_t seed = announced_seed();
  Traffic traffic(GetParam());
  for (std::uint64_t i = 0; i < 4; ++i) {
    traffic.get_on();
    expect_death(scribble_at_value, traffic.value(), seed + i);
  }
  traffic.expect_to_work();
}

TEST_P(ScribblerBy, OfAMessageHarmsNobodyElse) {
  const std::uint64_t seed = announced_seed();
  Traffic traffic(GetParam());
  mp::Queue<Grabber> queue;
  for (std::uint64_t i = 0; i < 4; ++i) {
    traffic.get_on();
    queue.put(Grabber{seed + i + 1});
    expect_death(receive_and_scribble, queue);
    expect_death(encode_and_scribble, queue, seed + i + 1);
  }
  traffic.expect_to_work();
}

TEST_P(ScribblerBy, AsATaskIsALostWorker) {
  const std::uint64_t seed = announced_seed();
  Traffic traffic(GetParam());
  if (GetParam() != mp::StartMethod::thread) {
    for (std::uint64_t i = 0; i < 4; ++i) {
      traffic.get_on();
      EXPECT_ANY_THROW(traffic.pool().apply(scribble_at, traffic.array(), seed + i));
    }
  }
  traffic.expect_to_work();
}

PROCESSION_BY_ALL_METHODS(ScribblerBy);

TEST(Scribbler, OfSharedMemoryWithANameHarmsNobodyElse) {
  if (mp::kSanitized) GTEST_SKIP() << "a sanitizer's own memory may lie beside it";
  const std::uint64_t seed = announced_seed();
  Traffic traffic(mp::StartMethod::forkserver);
  const auto memory = mp::SharedMemory::create(100'000);
  for (std::uint64_t i = 0; i < 4; ++i) {
    traffic.get_on();
    mp::Process process(
        [](const mp::SharedMemory& where, std::uint64_t random) {
          scribbler::scribble(where.buf().data(), random);
        },
        memory, seed + i);
    process.start();
    process.join();
    EXPECT_NE(process.exitcode(), 0);
  }
  traffic.expect_to_work();
}

/// As in a report: a child writes so many doubles past the end of an array of eight.
TEST(Scribbler, ThatWritesSoManyPastTheEndHarmsNobodyElse) {
  const auto write_past = [](const mp::Array<double>& array, std::size_t count) {
    volatile double* const end = array.data() + array.size();
    for (std::size_t i = 0; i < count; ++i)
      end[i] = 1.5;
  };
  const mp::Array<double> before(100'000);  // so that there is something to write to
  for (const std::size_t count : {64U, 512U, 4'096U, 100'000U}) {
    SCOPED_TRACE(count);
    {
      const mp::Array<double> array(8);
      const mp::Queue<int> queue;
      const mp::Queue<Words> large;
      queue.put(1);
      large.put(words(1'000, 1));
      mp::Process process(write_past, array, count);
      process.start();
      process.join();
      // It may have come to the end of what it can access.
      EXPECT_TRUE(process.exitcode() == 0 || process.exitcode() == -SIGSEGV || mp::kSanitized);
      queue.put(2);
      EXPECT_EQ(queue.get(), 1);
      EXPECT_EQ(queue.get(), 2);
      try {
        static_cast<void>(large.get());
      } catch (const mp::DecodeError&) {
      }
      mp::Pool pool(2);
      EXPECT_EQ(pool.map([](int x) { return x * x; }, {1, 2, 3}), (std::vector<int>{1, 4, 9}));
      EXPECT_EQ(mp::Array<double>(1'000)[999], 0);
    }
    mp::heap::audit();
  }
}

}  // namespace
}  // namespace scribble_test

// Callbacks and ranges that call the pool whose they are.

#include <ranges>

#include "support.hpp"

namespace reentrancy_test {
namespace {

int fail(int /*x*/) { throw std::domain_error("no"); }

template <class Kind>
class Callbacks : public testing::Test {};
TYPED_TEST_SUITE(Callbacks, Kinds, KindNames);

TYPED_TEST(Callbacks, OfResultsUseCloseAndJoinTheirPool) {
  for (const bool fails : {false, true}) {
    TypeParam pool(2);
    std::atomic<int> called{0};
    const mp::Event ended;
    const auto end_it = [&] {
      EXPECT_EQ(pool.map(twice, {1, 2}), (std::vector{2, 4}));
      pool.close();
      pool.join();
      ++called;
      ended.set();
    };
    auto result = pool.apply_async(fails ? fail : twice, 1);
    result.then([&](int) { end_it(); }, [&](const std::exception_ptr&) { end_it(); });
    ended.wait();
    EXPECT_EQ(called, 1);
  }
}

TYPED_TEST(Callbacks, OfResultsTerminateTheirPool) {
  TypeParam pool(2);
  const mp::Event ended;
  auto result = pool.apply_async(twice, 1);
  result.then([&](int) {
    pool.terminate();
    pool.join();
    ended.set();
  });
  ended.wait();
  EXPECT_THROW(pool.apply(twice, 1), mp::ProcessError);
}

TYPED_TEST(Callbacks, OfProgressUseAndEndTheirPool) {
  TypeParam pool(2);
  int told = 0;
  const auto results =
      pool.map(twice, std::vector<int>(20, 1),
               {.chunksize = 1, .progress = [&](std::size_t done, std::size_t total) {
                  ++told;
                  EXPECT_EQ(pool.apply(twice, 4), 8);
                  static_cast<void>(pool.pids());
                  if (done == total) pool.close();
                }});
  EXPECT_EQ(results, std::vector<int>(20, 2));
  EXPECT_GE(told, 1);
  pool.join();
}

TYPED_TEST(Callbacks, OfProgressTerminateTheirPool) {
  TypeParam pool(1);
  bool asked = false;
  const auto end_pool = [&](std::size_t, std::size_t) {
    pool.terminate();
    asked = true;
  };
  try {
    const auto all =
        pool.map(twice, std::vector<int>(5000, 1), {.chunksize = 1, .progress = end_pool});
    EXPECT_EQ(all, std::vector<int>(5000, 2)) << "all had ended before anybody heard of one";
  } catch (const mp::Cancelled&) {
  }
  EXPECT_TRUE(asked);
  EXPECT_THROW(pool.apply(twice, 1), mp::ProcessError);
}

TYPED_TEST(Callbacks, OfRangesUseTheirPool) {
  TypeParam pool(2);
  const auto range =
      std::views::iota(0, 50) | std::views::transform([&](int x) { return pool.apply(twice, x); });
  std::vector<int> all;
  for (const int x : pool.imap(twice, range))
    all.push_back(x);
  ASSERT_EQ(all.size(), 50U);
  EXPECT_EQ(all[49], 4 * 49);
  EXPECT_EQ(pool.map(twice, range).at(49), 4 * 49);
}

template <class Executor>
void done_callbacks_use(Executor executor) {
  const mp::Event ended;
  mp::Future<int> future = executor.submit(twice, 2);
  std::atomic<int> sum{0};
  future.add_done_callback([&](const mp::Future<int>& done) {
    sum = done.result() + executor.submit(twice, 5).result();
    executor.shutdown();
    ended.set();
  });
  ended.wait();
  EXPECT_EQ(sum, 14);
}

TEST(DoneCallbacks, OfFuturesUseAndShutDownTheirExecutor) {
  done_callbacks_use<mp::ProcessPoolExecutor>(mp::ProcessPoolExecutor(2));
  done_callbacks_use<mp::ThreadPoolExecutor>(mp::ThreadPoolExecutor(2));
}

}  // namespace
}  // namespace reentrancy_test

// Tasks that end so soon that more workers would be in the owner's way, and what follows them.

#include <gtest/gtest.h>

#include <vector>

#include "procession/barrier.hpp"
#include "procession/pool.hpp"
#include "procession/semaphore.hpp"

namespace procession::pooltest {
namespace {

int twice(int x) { return 2 * x; }

/// Ends once two are at it at the same time.
void meet(const Barrier& barrier, const Semaphore& met) {
  barrier.wait();
  met.release();
}

TEST(PoolShortTask, ThoseThatNeedEachOtherRunSideBySideBehindShortOnes) {
  Pool pool(2);
  const Barrier barrier(2);
  const Semaphore met(0);
  for (int round = 0; round < 20; ++round) {
    std::vector<AsyncResult<int>> short_tasks;
    for (int i = 0; i < 2000; ++i)
      short_tasks.push_back(pool.apply_async(twice, i));
    for (int i = 0; i < 2000; ++i)
      ASSERT_EQ(short_tasks[static_cast<std::size_t>(i)].get(), 2 * i);
    const auto first = pool.apply_async(meet, barrier, met);
    const auto second = pool.apply_async(meet, barrier, met);
    // The owner neither looks at the results nor waits for them.
    met.acquire();
    met.acquire();
  }
}

TEST(PoolShortTask, AStreamMayTurnFromShortToSlow) {
  Pool pool(2);
  const Barrier barrier(2);
  std::vector<int> each(5000);
  for (std::size_t i = each.size() - 40; i < each.size(); ++i)
    each[i] = 1;
  int slow = 0;
  const auto turn = bind(
      [](const Barrier& both, int waits) {
        if (waits != 0) both.wait();
        return waits;
      },
      barrier);
  for (const int waited : pool.imap(turn, each))
    slow += waited;
  EXPECT_EQ(slow, 40);
}

}  // namespace
}  // namespace procession::pooltest

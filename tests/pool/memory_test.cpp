// What pools do with the shared heap.

#include <cstdlib>
#include <ranges>

#include "procession/error.hpp"
#include "support.hpp"

namespace procession::pooltest {
namespace {

TEST(PoolMemory, WithTooLittleOfIt) {
  const std::string program = std::string(PROCESSION_TEST_PROGRAMS_DIR) + "/memory_program";
  EXPECT_EQ(std::system(("PROCESSION_HEAP=32M '" + program + "'").c_str()), 0);
}

std::string some(std::size_t size) { return std::string(size, 's'); }

TEST(PoolMemory, ComesBack) {
  have_servers();
  std::this_thread::sleep_for(10ms);
  const heap::Audit before = heap::audit();
  {
    Pool pool(2);
    pool.apply(some, 5'000'000);
    EXPECT_THROW(pool.apply([] { throw std::runtime_error(some(10'000)); }), std::runtime_error);
    const auto kept = pool.map_async(procession::bind(some), std::vector<std::size_t>(2000, 3000),
                                     {.chunksize = 1});
    pool.map_async(procession::bind(some), std::vector<std::size_t>(100, 3000));  // for nobody
    kept.get();
    const auto cancelled = pool.map_async(
        [](const std::string& s) {
          std::this_thread::sleep_for(1ms);
          return s;
        },
        std::vector<std::string>(3000, some(200)), {.chunksize = 1});
  }
  until([&] {
    const heap::Audit now = heap::audit();
    return now.in_use <= before.in_use && now.blocks <= before.blocks && now.holds <= before.holds;
  });
}

// While a pool lives, what its tasks used comes back as well.
TEST(PoolMemory, ComesBackFromEachTask) {
  Pool pool(1);
  pool.apply(some, 100'000);
  const heap::Audit before = heap::audit();
  for (int i = 0; i < 50; ++i) {
    pool.apply(some, 1'000'000);
    pool.map(some, {std::size_t{100}, std::size_t{200'000}, std::size_t{1'000}});
    EXPECT_THROW(pool.apply([] { throw std::runtime_error(some(10'000)); }), std::runtime_error);
  }
  const heap::Audit after = heap::audit();
  EXPECT_LE(after.in_use, before.in_use);
  EXPECT_LE(after.holds, before.holds);
}

}  // namespace
}  // namespace procession::pooltest

// The elements of a task, run one after another: what is kept of each.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>
#include <numeric>
#include <vector>

#include "procession/codec.hpp"
#include "procession/detail/task_run.hpp"

namespace procession {
namespace {

/// Room for so many bytes and no more.
class NarrowEncoder final : public Encoder {
 public:
  explicit NarrowEncoder(std::size_t room) : bytes_(room) {
    begin_ = cursor_ = bytes_.data();
    end_ = begin_ + room;
  }

 private:
  void grow(std::size_t /*at_least*/) override { throw std::bad_alloc(); }

  std::vector<std::byte> bytes_;
};

struct Ran {
  std::size_t calls = 0;
  std::size_t kept_of = SIZE_MAX;  ///< the element whose exception was kept
  std::uint64_t progress = 0;
  std::vector<int> results;
};

int calls = 0;
std::size_t kept_of = SIZE_MAX;

int negate(int x) {
  ++calls;
  if (x == 1500 || x == 1600) {
    throw x;
  }
  return -x;
}

Ran run_all(int from, int to, std::size_t room) {
  std::vector<int> elements(static_cast<std::size_t>(to - from));
  std::iota(elements.begin(), elements.end(), from);
  BufferEncoder items;
  items.write(elements.data(), elements.size() * sizeof(int));
  NarrowEncoder out(room);
  std::atomic<std::uint64_t> progress = 0;
  calls = 0;
  kept_of = SIZE_MAX;
  detail::TaskRun run{
      out, progress, 0, elements.size(), [](detail::TaskRun& of) { kept_of = of.done; }, nullptr};
  Decoder in(items.bytes());
  int (*target)(int) = negate;
  detail::run_bitwise<int (*)(int), int>(target, in, run);
  in.expect_end();
  Ran ran{static_cast<std::size_t>(calls), kept_of, progress, {}};
  const std::size_t bytes = (progress & ~detail::TaskRun::kThrew) >> detail::TaskRun::kCountBits;
  ran.results.resize(bytes / sizeof(int));
  std::memcpy(ran.results.data(), out.bytes().data(), bytes);
  EXPECT_EQ(run.done, elements.size());
  return ran;
}

std::size_t count_of(std::uint64_t progress) {
  return progress & ((std::uint64_t{1} << detail::TaskRun::kCountBits) - 1);
}

TEST(RunEach, ResultsOfManyBlocks) {
  const Ran ran = run_all(2000, 7000, 100'000);
  EXPECT_EQ(ran.calls, 5000U);
  EXPECT_EQ(ran.kept_of, SIZE_MAX);
  EXPECT_EQ(count_of(ran.progress), 5000U);
  ASSERT_EQ(ran.results.size(), 5000U);
  for (int i = 0; i < 5000; ++i) {
    ASSERT_EQ(ran.results[static_cast<std::size_t>(i)], -2000 - i);
  }
}

TEST(RunEach, OneThatThrowsEndsTheResultsAndNotTheCalls) {
  const Ran ran = run_all(0, 5000, 100'000);
  EXPECT_EQ(ran.calls, 5000U);
  EXPECT_EQ(ran.kept_of, 1500U);
  EXPECT_NE(ran.progress & detail::TaskRun::kThrew, 0U);
  EXPECT_EQ(count_of(ran.progress), 5000U);
  ASSERT_EQ(ran.results.size(), 1500U);
  EXPECT_EQ(ran.results.back(), -1499);
}

TEST(RunEach, WhereMemoryRunsOutWhatHasRoomIsKept) {
  const Ran ran = run_all(2000, 7000, 1100 * sizeof(int));
  EXPECT_EQ(ran.calls, 5000U);
  EXPECT_EQ(ran.kept_of, 1100U);
  EXPECT_EQ(count_of(ran.progress), 5000U);
  ASSERT_EQ(ran.results.size(), 1100U);
  EXPECT_EQ(ran.results.back(), -3099);
}

}  // namespace
}  // namespace procession

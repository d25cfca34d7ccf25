// The functions of jobs: when workers give them back.

#include <stdexcept>
#include <string>
#include <vector>

#include "kept_support.hpp"
#include "kinds.hpp"
#include "procession/connection.hpp"
#include "procession/error.hpp"

namespace procession::pooltest {
namespace {

template <class Kind>
class PoolKeptEnd : public testing::Test {};
TYPED_TEST_SUITE(PoolKeptEnd, PoolKinds, PoolKindNames);

TYPED_TEST(PoolKeptEnd, ItIsGivenBackWhenTheJobHasEnded) {
  TypeParam pool(2);
  Tally tally(2);
  const auto none_left = [&] { return tally[1] == 0; };
  const auto call = procession::bind(plus_added, Counted(tally.where(), 5));
  expect_added(pool.map(call, elements(), {.chunksize = 1}), 5);
  until(none_left);
  {
    auto results = pool.imap(call, elements());
    EXPECT_EQ(results.next(), 5);
    EXPECT_GE(tally[1], 1U);
  }  // nobody wants the rest
  until(none_left);
  EXPECT_THROW(pool.map(procession::bind([](const Counted& counted,
                                            int x) { return throws_at_three(counted(x)); },
                                         Counted(tally.where(), 1)),
                        elements()),
               std::out_of_range);
  until(none_left);
}

TYPED_TEST(PoolKeptEnd, AWorkerThatSleepsGivesItBackToo) {
  TypeParam pool(2);
  Tally tally(2);
  Tally gate;
  const auto result = pool.map_async(procession::bind(
                                         [](const Counted& counted, Where where, int x) {
                                           if (x == 0) {
                                             await(where);
                                           }
                                           return counted(x);
                                         },
                                         Counted(tally.where(), 5), gate.where()),
                                     elements(8), {.chunksize = 1});
  // One is at the first element, the other has run all others and has nothing to do.
  until([&] { return tally[1] == 2; });
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(tally[1], 2U);
  counter(gate.where()) = 1;
  EXPECT_EQ(result.get().at(7), 12);
  until([&] { return tally[1] == 0; });
}

TEST(PoolKeptEndHandles, ThePipesEndIsClosedWithTheJob) {
  Pool pool(2);
  auto [reader, writer] = Pipe();
  pool.map(procession::bind([](const Connection& to, int x) { to.send(x); }, writer), elements(20),
           {.chunksize = 1});
  writer.close();
  int sum = 0;
  try {
    for (;;) {
      sum += reader.recv<int>();
    }
  } catch (const EndOfFile&) {
  }
  EXPECT_EQ(sum, 190);
}

TEST(PoolKeptEndHandles, EvenByAWorkerThatTurnedToSomethingLong) {
  Pool pool(2);
  Tally gate(3);
  auto [reader, writer] = Pipe();
  // Both workers are at the map at the same time; then one at a call that does not end.
  const auto result = pool.map_async(procession::bind(
                                         [](const Connection& /*to*/, Where where, int x) {
                                           ++counter(where, 1);
                                           until([&] { return counter(where, 1) >= 2; });
                                           if (x == 0) {
                                             await(where);
                                           }
                                         },
                                         writer, gate.where()),
                                     elements(2), {.chunksize = 1});
  const auto longer = pool.apply_async(
      [](Where where) {
        counter(where, 2) = 1;
        for (;;) {
          std::this_thread::sleep_for(1s);
        }
      },
      gate.where());
  until([&] { return gate[2] == 1; });
  gate[0] = 1;
  result.get();
  writer.close();
  EXPECT_THROW(reader.recv<int>(), EndOfFile);
  EXPECT_FALSE(longer.ready());
}

TEST(PoolKeptEndMemory, WhereItIsLimitedOnlyThatOfThePresentJobIsKept) {
  constexpr std::size_t kMebi = 1U << 20U;
  constexpr std::size_t kLimit = (kSanitized ? 600 : 100) * kMebi;
  Pool pool({.processes = 1, .max_memory_per_child = kLimit});
  const std::vector<int> before = pool.pids();
  const auto size = [](const std::string& bytes, int x) { return bytes.size() + x; };
  auto ones = pool.imap(procession::bind(size, std::string(kLimit * 6 / 10, '1')), elements(6),
                        {.buffersize = 1});
  auto twos = pool.imap(procession::bind(size, std::string(kLimit * 6 / 10, '2')), elements(6),
                        {.buffersize = 1});
  for (std::size_t x = 0; x < 6; ++x) {
    ASSERT_EQ(ones.next(), kLimit * 6 / 10 + x);
    ASSERT_EQ(twos.next(), kLimit * 6 / 10 + x);
  }
  EXPECT_EQ(pool.pids(), before);
}

}  // namespace
}  // namespace procession::pooltest

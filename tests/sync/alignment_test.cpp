// Types that are aligned to more than a cache line: wherever a T of the user's is made, or lies in
// shared memory, it lies as it has to, in each process.

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "process/support.hpp"
#include "procession/array.hpp"
#include "procession/connection.hpp"
#include "procession/pool.hpp"
#include "procession/queue.hpp"
#include "procession/value.hpp"

namespace sync_test {
namespace {

namespace mp = procession;

/// Not trivial, so it is copied as a T, by instructions that want it aligned.
template <std::size_t Alignment>
struct alignas(Alignment) Aligned {
  double first = 1;
  double second = 2;
};

template <class T>
bool lies_well(const T* place) {
  return reinterpret_cast<std::uintptr_t>(place) % alignof(T) == 0;
}

template <class T>
bool all_lie_well(const mp::Array<T>& array, const mp::Value<T>& value) {
  return lies_well(array.data()) && lies_well(&value.unsynchronized());
}

template <class T>
void look(const mp::Array<T>& array, const mp::Value<T>& value, const mp::Queue<T>& queue) {
  if (!all_lie_well(array, value)) std::abort();
  for (T& element : array)
    element.second += element.first;
  value.update([](T& its) { its.second = its.first + 6; });
  const T item = queue.get();
  if (item.second != 5) std::abort();
  for (const T& one : queue.get_many(3))
    queue.put(one);
}

template <std::size_t Alignment>
void shared_in_every_way(mp::StartMethod method) {
  SCOPED_TRACE(Alignment);
  using T = Aligned<Alignment>;
  for (const std::size_t count : {1U, 3U, 8U, 257U}) {
    // What lies between is of any size.
    const mp::Array<char> between(100 * count + 1);
    const mp::Array<T> array(count);
    const mp::Value<T> value;
    const mp::Array<T> other(std::vector<T>{T{}, T{7, 8}, T{}});
    EXPECT_TRUE(all_lie_well(array, value));
    EXPECT_TRUE(lies_well(other.data()));
    EXPECT_EQ(other[1].second, 8);
    for (T& element : array)
      element.first = 3;
    const mp::Queue<T> queue;
    queue.put(T{4, 5});
    queue.put_many({T{5, 6}, T{6, 7}});
    EXPECT_EQ(process_test::exitcode_of(method, look<T>, array, value, queue), 0);
    for (const T& element : array)
      EXPECT_EQ(element.second, 3);
    EXPECT_EQ(value.value().second, 7);
    EXPECT_EQ(queue.get().second, 6);
  }
}

class Alignment : public process_test::EachMethod {};
PROCESSION_BY_ALL_METHODS(Alignment);

TEST_P(Alignment, IsThatOfTheTypeInEachProcess) {
  shared_in_every_way<16>(GetParam());
  shared_in_every_way<128>(GetParam());
  shared_in_every_way<256>(GetParam());
  shared_in_every_way<512>(GetParam());
  shared_in_every_way<1024>(GetParam());
  shared_in_every_way<2048>(GetParam());
  shared_in_every_way<4096>(GetParam());
}

TEST(AlignmentOf, GuardedElementsIsThatOfTheType) {
  for (const char* guard : {"1", "2"}) {
    ::setenv("PROCESSION_GUARD", guard, 1);
    shared_in_every_way<16>(mp::StartMethod::forkserver);
    shared_in_every_way<512>(mp::StartMethod::forkserver);
    shared_in_every_way<4096>(mp::StartMethod::forkserver);
    ::unsetenv("PROCESSION_GUARD");
  }
}

/// Each has memory of its own, however far its first element lies behind the start of its block.
template <std::size_t Alignment>
void neighbours() {
  SCOPED_TRACE(Alignment);
  using T = Aligned<Alignment>;
  std::vector<mp::Array<T>> arrays;
  std::vector<mp::Array<char>> between;
  std::vector<mp::Value<T>> values;
  for (std::size_t i = 0; i < 40; ++i) {
    arrays.emplace_back(i % 3 + 1);
    between.emplace_back(i * 50 + 1);
    values.emplace_back();
  }
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const auto number = static_cast<double>(i);
    for (T& element : arrays[i])
      element = T{number, -number};
    for (char& letter : between[i])
      letter = static_cast<char>(i);
    values[i].set_value(T{1000 + number, number});
  }
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const auto number = static_cast<double>(i);
    for (const T& element : arrays[i]) {
      EXPECT_EQ(element.first, number);
      EXPECT_EQ(element.second, -number);
    }
    for (const char letter : between[i])
      EXPECT_EQ(letter, static_cast<char>(i));
    EXPECT_EQ(values[i].value().first, 1000 + number);
    EXPECT_EQ(values[i].value().second, number);
  }
}

TEST(AlignmentOf, NeighboursLeavesEachItsOwnMemory) {
  for (const char* guard : {"0", "1", "2"}) {
    SCOPED_TRACE(guard);
    ::setenv("PROCESSION_GUARD", guard, 1);
    neighbours<16>();
    neighbours<512>();
    neighbours<2048>();
    neighbours<4096>();
    ::unsetenv("PROCESSION_GUARD");
  }
}

template <class T>
T made_of(int number) {
  return T{static_cast<double>(number), 3};
}

template <std::size_t Alignment>
void results_and_messages() {
  SCOPED_TRACE(Alignment);
  using T = Aligned<Alignment>;
  mp::Pool pool(2);
  for (const int count : {1, 2, 3, 50}) {
    std::vector<int> numbers(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i)
      numbers[static_cast<std::size_t>(i)] = i;
    for (const std::size_t chunksize : {std::size_t{1}, std::size_t{3}}) {
      const std::vector<T> results = pool.map(made_of<T>, numbers, {.chunksize = chunksize});
      ASSERT_EQ(results.size(), numbers.size());
      for (int i = 0; i < count; ++i) {
        EXPECT_TRUE(lies_well(&results[static_cast<std::size_t>(i)]));
        EXPECT_EQ(results[static_cast<std::size_t>(i)].first, i);
      }
    }
  }
  EXPECT_EQ(pool.apply(made_of<T>, 4).first, 4);
  auto [first, second] = mp::Pipe();
  first.send(std::vector<T>(3, T{9, 1}));
  EXPECT_EQ(second.template recv<std::vector<T>>().at(2).first, 9);
}

TEST(AlignmentOf, ResultsAndMessagesIsThatOfTheType) {
  results_and_messages<16>();
  results_and_messages<64>();
  results_and_messages<128>();
  results_and_messages<4096>();
}

}  // namespace
}  // namespace sync_test

#include "procession/queue.hpp"

#include <list>
#include <map>
#include <numeric>
#include <thread>

#include "channel/support.hpp"
#include "procession/array.hpp"
#include "procession/pool.hpp"
#include "procession/sync.hpp"
#include "procession/value.hpp"

namespace channel_test {
namespace {

namespace mp = procession;
using namespace std::chrono_literals;
using mp::Queue;
using mp::StartMethod;
using process_test::text_of;
using process_test::wait_until;

struct Named {
  std::string name;
  std::vector<Point> points;
  std::map<int, std::string> notes;
  friend bool operator==(const Named&, const Named&) = default;
};

TEST(Queue, IsFirstInFirstOut) {
  const Queue<int> queue;
  for (int i = 0; i < 10'000; ++i)
    queue.put(i);
  EXPECT_EQ(queue.size(), 10'000U);
  for (int i = 0; i < 10'000; ++i)
    ASSERT_EQ(queue.get(), i);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.try_get(), std::nullopt);
}

TEST(Queue, TakesWhateverCanBeSent) {
  const Queue<Named> named;
  const Named item{"a name", {{1, 2.5}, {3, 4.5}}, {{7, "seven"}}};
  named.put(item);
  EXPECT_EQ(named.get(), item);
  const Queue<std::optional<std::string>> maybe;
  maybe.put("text");
  maybe.put(std::nullopt);
  EXPECT_EQ(maybe.get(), "text");
  EXPECT_EQ(maybe.get(), std::nullopt);
  const Queue<Point> points;
  points.put({1, 2});
  EXPECT_EQ(points.get(), (Point{1, 2}));
  const Queue<mp::Function<int(int)>> functions;
  functions.put([](int x) { return 3 * x; });
  EXPECT_EQ(functions.get()(5), 15);
  const Queue<std::string> strings;
  strings.put("");
  EXPECT_EQ(strings.get(), "");
}

TEST(Queue, TakesItemsOfAnySizeInOrder) {
  const Queue<std::string> queue;
  std::vector<std::string> items;
  for (std::size_t size : {0U, 1U, 7U, 8U, 9U, 500U, 503U, 504U, 505U, 512U, 513U, 4000U, 4096U,
                           70'000U, 3U, 1'000'000U, 20'000'000U, 2U}) {
    items.emplace_back(size, static_cast<char>('a' + items.size()));
  }
  for (int round = 0; round < 3; ++round) {
    for (const std::string& item : items)
      queue.put(item);
    for (const std::string& item : items)
      ASSERT_EQ(queue.get(), item);
  }
}

TEST(Pains, Pain16_SizeIsExactAndEmptyDoesNotLie) {
  const Queue<int> queue(3);
  EXPECT_TRUE(queue.empty());
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(queue.size(), i);
    EXPECT_FALSE(queue.full());
    queue.put(1);
    EXPECT_FALSE(queue.empty());
  }
  EXPECT_TRUE(queue.full());
  EXPECT_FALSE(queue.try_put(2));
  EXPECT_THROW(queue.put(2, 1ms), mp::Full);
  EXPECT_EQ(queue.size(), 3U);
  queue.get();
  EXPECT_TRUE(queue.try_put(2));
  EXPECT_FALSE(Queue<int>().full());
}

TEST(Queue, TimesOutWhenThereIsNothing) {
  const Queue<int> queue;
  EXPECT_NE(text_of<mp::Empty>([&] { queue.get(1ms); }).find("none has come"), std::string::npos);
  EXPECT_THROW(queue.get(0ns), mp::Empty);
  EXPECT_THROW(queue.get(-1ns), mp::Empty);
  EXPECT_THROW(queue.get_many(5, 1ms), mp::Empty);
}

TEST(Queue, MovesManyAtATime) {
  const Queue<int> queue(100);
  std::vector<int> numbers(10'000);
  std::iota(numbers.begin(), numbers.end(), 0);
  std::thread producer([&] { queue.put_many(numbers); });
  std::vector<int> got;
  while (got.size() < numbers.size()) {
    const auto some = queue.get_many(64);
    ASSERT_FALSE(some.empty());
    ASSERT_LE(some.size(), 64U);
    got.insert(got.end(), some.begin(), some.end());
  }
  producer.join();
  EXPECT_EQ(got, numbers);
  EXPECT_TRUE(queue.get_many(0).empty());
  const Queue<std::string> strings;
  const std::list<std::string> mixed{"small", std::string(5000, 'x'), "small again", ""};
  strings.put_many(mixed);
  std::list<std::string> back;
  while (back.size() < 4) {
    for (const std::string& item : strings.get_many(10))
      back.push_back(item);
  }
  EXPECT_EQ(back, mixed);
}

TEST(Queue, ShutDownEndsProducersAndConsumers) {
  const Queue<int> queue(2);
  queue.put(1);
  queue.put(2);
  std::thread waiting([&] { EXPECT_THROW(queue.put(3), mp::ShutDown); });
  const Queue<int> empty;
  std::thread hungry([&] { EXPECT_THROW(empty.get(), mp::ShutDown); });
  std::this_thread::sleep_for(5ms);
  queue.shutdown();
  empty.shutdown();
  waiting.join();
  hungry.join();
  EXPECT_THROW(queue.put(4), mp::ShutDown);
  EXPECT_THROW(static_cast<void>(queue.try_put(4)), mp::ShutDown);
  std::vector<int> left;
  for (const int item : queue)
    left.push_back(item);
  EXPECT_EQ(left, (std::vector{1, 2}));
  EXPECT_THROW(queue.get(), mp::ShutDown);
}

TEST(Queue, OfJobsThatNameTheQueueForTheirAnswer) {
  struct Job {
    int number = 0;
    Queue<int> reply;
  };
  const Queue<Job> jobs;
  mp::Process worker(
      [](const Queue<Job>& from) {
        for (const Job& job : from)
          job.reply.put(job.number * 2);
      },
      jobs);
  worker.start();
  for (int i = 0; i < 20; ++i) {
    const Queue<int> reply;  // made when the worker ran already
    jobs.put({i, reply});
    EXPECT_EQ(reply.get(), 2 * i);
  }
  jobs.shutdown();
  worker.join();
  EXPECT_EQ(worker.exitcode(), 0);
}

TEST(Queue, LeavesNothingBehindInTheHeap) {
  process_test::exitcode_of(StartMethod::forkserver, [] {});
  const auto before = mp::heap::audit();
  {
    const Queue<Queue<std::string>> outer;
    for (int i = 0; i < 50; ++i) {
      const Queue<std::string> inner;
      inner.put(std::string(100'000, 'x'));
      outer.put(inner);
    }
    EXPECT_EQ(outer.get().get().size(), 100'000U);
  }
  const auto after = mp::heap::audit();
  EXPECT_EQ(after.blocks, before.blocks);
  EXPECT_EQ(after.holds, before.holds);
}

TEST(Queue, AProducerThatWaitsForRoomHasNoMemoryYet) {
  constexpr std::size_t kLarge = std::size_t{8} << 20;
  const Queue<std::string> queue(1);
  queue.put("before");
  const auto before = mp::heap::audit();
  std::thread thread([&] { queue.put(std::string(kLarge, 'x')); });
  std::this_thread::sleep_for(20ms);
  EXPECT_LT(mp::heap::audit().in_use, before.in_use + kLarge);
  EXPECT_EQ(queue.get(), "before");
  EXPECT_EQ(queue.get().size(), kLarge);
  thread.join();
  queue.put("before");
  EXPECT_THROW(queue.put(std::string(kLarge, 'x'), 1ms), mp::Full);
}

TEST(Queue, SurvivesAFullHeap) {
  if (mp::heap::exists()) GTEST_SKIP() << "needs a process of its own, with a small heap";
  mp::heap::set_reserve(std::uint64_t{64} << 20);
  const Queue<std::string> queue;
  queue.put("before");
  std::vector<mp::Array<std::byte>> fill;
  for (std::size_t size = std::size_t{1} << 24; size > 32;) {
    try {
      fill.emplace_back(size);
    } catch (const mp::OutOfMemory&) {
      size /= 2;
    }
  }
  std::vector<mp::heap::Block> fill_of_the_library;
  for (std::size_t size = std::size_t{1} << 24; size > 32;) {
    try {
      fill_of_the_library.emplace_back(size);
    } catch (const mp::OutOfMemory&) {
      size /= 2;
    }
  }
  EXPECT_THROW(queue.put(std::string(10'000, 'x')), mp::OutOfMemory);
  EXPECT_THROW(
      {
        for (int i = 0; i < 1000; ++i)
          queue.put("a small one");  // until the ring has to grow
      },
      mp::OutOfMemory);
  fill.clear();
  fill_of_the_library.clear();
  queue.put("after");
  EXPECT_EQ(queue.get(), "before");
  std::string last;
  while (!queue.empty())
    last = queue.get();
  EXPECT_EQ(last, "after");
}

TEST(Queue, OfAKilledProducerIsWaitedForUntilAnotherComes) {
  const Queue<int> queue;
  mp::Process producer(
      [](const Queue<int>& q) {
        q.put(1);
        process_test::sleep_for_ever();
      },
      queue);
  producer.start();
  EXPECT_EQ(queue.get(), 1);
  producer.kill();
  producer.join();
  EXPECT_THROW(queue.get(2ms), mp::Empty);
  mp::Process other([](const Queue<int>& q) { q.put(2); }, queue);
  other.start();
  EXPECT_EQ(queue.get(), 2);
  other.join();
  queue.shutdown();
  EXPECT_THROW(queue.get(), mp::ShutDown);
}

// ------------------------------------------------------------------------- between processes

class QueueBy : public testing::TestWithParam<StartMethod> {};

constexpr int kItems = 3000;

void produce_numbers(const Queue<std::pair<int, int>>& queue, int id) {
  for (int i = 0; i < kItems; ++i)
    queue.put({id, i});
}

void check_order(const Queue<std::pair<int, int>>& queue, const mp::Array<std::uint8_t>& seen) {
  std::map<int, int> last;
  for (const auto& [id, number] : queue) {
    if (last.contains(id) && last[id] >= number) std::abort();
    last[id] = number;
    ++seen[static_cast<std::size_t>(id * kItems + number)];
  }
}

TEST_P(QueueBy, EachItemArrivesOnceAndInItsProducersOrder) {
  for (const std::size_t maxsize : {0U, 1U, 50U}) {
    const Queue<std::pair<int, int>> queue(maxsize);
    const mp::Array<std::uint8_t> seen(3 * kItems);
    std::vector<mp::Process> producers;
    std::vector<mp::Process> consumers;
    for (int id = 0; id < 3; ++id) {
      producers.emplace_back(mp::ProcessOptions{.start_method = GetParam()}, produce_numbers, queue,
                             id);
      consumers.emplace_back(mp::ProcessOptions{.start_method = GetParam()}, check_order, queue,
                             seen);
    }
    for (auto& process : producers)
      process.start();
    for (auto& process : consumers)
      process.start();
    for (auto& process : producers)
      process.join();
    queue.shutdown();
    for (auto& process : consumers) {
      process.join();
      EXPECT_EQ(process.exitcode(), 0);
    }
    EXPECT_EQ(std::ranges::count(seen, 1), 3 * kItems);
  }
}

TEST_P(QueueBy, Pain15_ProcessesAreJoinedBeforeTheQueueIsDrained) {
  const Queue<std::string> queue;
  mp::Process process(
      {.start_method = GetParam()},
      [](const Queue<std::string>& q) {
        for (int i = 0; i < 100; ++i)
          q.put(std::string(10'000, 'x'));
      },
      queue);
  process.start();
  process.join();
  EXPECT_EQ(queue.size(), 100U);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(queue.get().size(), 10'000U);
}

TEST_P(QueueBy, JoinableWaitsUntilAllIsDone) {
  const mp::JoinableQueue<int> queue;
  const mp::Value<int> sum(0);
  mp::Process worker(
      {.start_method = GetParam()},
      [](const mp::JoinableQueue<int>& q, const mp::Value<int>& s) {
        for (const int item : q) {
          s += item;
          q.task_done();
        }
      },
      queue, sum);
  worker.start();
  for (int i = 1; i <= 100; ++i)
    queue.put(i);
  EXPECT_TRUE(queue.join());
  EXPECT_EQ(sum.value(), 5050);
  queue.shutdown();
  worker.join();
  EXPECT_THROW(queue.task_done(), mp::ProcessError);
}

INSTANTIATE_TEST_SUITE_P(All, QueueBy,
                         testing::Values(StartMethod::forkserver, StartMethod::spawn,
                                         StartMethod::fork, StartMethod::thread),
                         [](const auto& test) { return mp::to_string(test.param); });

TEST(JoinableQueue, TimesOut) {
  const mp::JoinableQueue<int> queue;
  EXPECT_TRUE(queue.join(0ns));
  queue.put(1);
  EXPECT_FALSE(queue.join(1ms));
  queue.get();
  EXPECT_FALSE(queue.join(1ms));
  queue.task_done();
  EXPECT_TRUE(queue.join());
}

TEST(SimpleQueue, PutsAndGets) {
  const mp::SimpleQueue<std::string> queue;
  EXPECT_TRUE(queue.empty());
  mp::Process process([](const mp::SimpleQueue<std::string>& q) { q.put("from a child"); }, queue);
  process.start();
  EXPECT_EQ(queue.get(), "from a child");
  process.join();
}

TEST(Queue, IsAnArgumentOfTasks) {
  const Queue<int> queue;
  mp::Pool pool(2);
  pool.map([](const std::pair<Queue<int>, int>& each) { each.first.put(each.second); },
           std::vector<std::pair<Queue<int>, int>>{{queue, 1}, {queue, 2}, {queue, 3}});
  int sum = 0;
  for (int i = 0; i < 3; ++i)
    sum += queue.get();
  EXPECT_EQ(sum, 6);
}

}  // namespace
}  // namespace channel_test

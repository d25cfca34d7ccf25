// The last handle of a named block is often not one in a variable, but one in a message, a task, a
// result or an object. Whoever drops that takes the name away, there and then.

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "process/names.hpp"
#include "procession/connection.hpp"
#include "procession/event.hpp"
#include "procession/executor.hpp"
#include "procession/manager.hpp"
#include "procession/pool.hpp"
#include "procession/process.hpp"
#include "procession/queue.hpp"
#include "procession/shareable_list.hpp"
#include "procession/threading.hpp"
#include "shared/support.hpp"
#include "support/kill_step.hpp"

namespace shared_test {
namespace {

using mp::SharedMemory;

/// `keep` gets the only handle of a block and returns something that drops it.
void expect_gone_with(const std::string& what,
                      const std::function<std::function<void()>(SharedMemory)>& keep) {
  const std::string name = fresh_name(what);
  const std::function<void()> let_go = keep(SharedMemory::create(64, name));
  EXPECT_TRUE(name_exists(name)) << what << ": the name is there while the block is held";
  let_go();
  EXPECT_FALSE(name_exists(name)) << what;
}

/// The object is the only one that has the block, and is dropped later.
template <class Object>
std::function<void()> dropped_later(Object object) {
  auto kept = std::make_shared<std::optional<Object>>(std::move(object));
  return [kept] { kept->reset(); };
}

// ------------------------------------------------------------------------------------ messages

TEST(LastHold, InAQueue) {
  expect_gone_with("queue", [](SharedMemory memory) {
    mp::Queue<SharedMemory> queue;
    queue.put(memory);
    return dropped_later(std::move(queue));
  });
}

TEST(LastHold, InAQueueThatIsShutDown) {
  expect_gone_with("shutdown", [](SharedMemory memory) {
    mp::Queue<SharedMemory> queue;
    queue.put(memory);
    queue.shutdown();
    return dropped_later(std::move(queue));
  });
}

TEST(LastHold, InAQueueInAQueue) {
  expect_gone_with("nested", [](SharedMemory memory) {
    mp::Queue<mp::Queue<SharedMemory>> outer;
    const mp::Queue<SharedMemory> inner;
    inner.put(memory);
    outer.put(inner);
    return dropped_later(std::move(outer));
  });
}

TEST(LastHold, InAnItemThatIsReceivedAndDropped) {
  expect_gone_with("received", [](SharedMemory memory) {
    mp::Queue<std::vector<SharedMemory>> queue;
    queue.put({memory});
    memory.close();
    return [queue] { static_cast<void>(queue.get()); };
  });
}

TEST(LastHold, InAPipe) {
  expect_gone_with("pipe", [](SharedMemory memory) {
    auto pipe = mp::Pipe();
    pipe.first.send(memory);
    return dropped_later(std::move(pipe));
  });
}

TEST(LastHold, InTheListOfAnUndeliveredMessage) {
  const std::string name = fresh_name("list");
  {
    auto pipe = mp::Pipe();
    pipe.first.send(mp::ShareableList({1, 2.5, "text"}, name));
    EXPECT_TRUE(name_exists(name));
  }
  EXPECT_FALSE(name_exists(name));
}

TEST(LastHold, InTheArgumentOfAProcessThatIsNeverStarted) {
  expect_gone_with("argument", [](SharedMemory memory) {
    mp::Process process([](const SharedMemory&) {}, memory);
    return dropped_later(std::move(process));
  });
}

void kill_self_with(const mp::Queue<int>& ready, const std::string& name) {
  const mp::Queue<SharedMemory> own;
  own.put(SharedMemory::create(64, name));
  ready.put(1);
  process_test::sleep_for_ever();
}

TEST(LastHold, InAQueueOfAKilledProcess) {
  const std::string name = fresh_name("killed");
  const mp::Queue<int> ready;
  mp::Process process(kill_self_with, ready, name);
  process.start();
  ready.get();
  EXPECT_TRUE(name_exists(name));
  process.kill();
  process.join();
  EXPECT_FALSE(name_exists(name));
}

// ------------------------------------------------------------------------------ pools, executors

void take(const SharedMemory& /*unused*/) {}
SharedMemory make(const std::string& name) { return SharedMemory::create(64, name); }
struct Events {
  mp::Event begun;
  mp::Event go;
  mp::Event made;
};
SharedMemory make_late(const Events& events, const std::string& late, const std::string& name) {
  if (name != late) return make(name);
  events.begun.set();
  events.go.wait();
  SharedMemory memory = make(name);
  events.made.set();
  return memory;
}
void sleep_beside(const SharedMemory& /*unused*/) { process_test::sleep_for_ever(); }

/// Of pools of processes and of threads.
template <class PoolType>
class LastHoldInA : public testing::Test {};
using Pools = testing::Types<mp::Pool, mp::ThreadPool>;
class PoolNames {
 public:
  template <class T>
  static std::string GetName(int /*unused*/) {
    return std::is_same_v<T, mp::Pool> ? "Pool" : "ThreadPool";
  }
};
TYPED_TEST_SUITE(LastHoldInA, Pools, PoolNames);

TYPED_TEST(LastHoldInA, ResultThatIsNeverRead) {
  const std::string name = fresh_name("unread");
  TypeParam pool(1);
  {
    const auto result = pool.apply_async(make, name);
    result.wait();
    EXPECT_TRUE(name_exists(name));
  }
  EXPECT_EQ(pool.apply([] { return 1; }), 1);  // the next task is what a slot is emptied for
  wait_until([&] { return !name_exists(name); });
}

TYPED_TEST(LastHoldInA, ResultOfAStreamThatIsLetGo) {
  const std::string first = fresh_name("stream1");
  const std::string second = fresh_name("stream2");
  TypeParam pool(1);
  {
    auto results = pool.imap(make, std::vector{first, second});
    static_cast<void>(results.next());
    wait_until([&] { return name_exists(second); });
  }
  wait_until([&] { return !name_exists(first) && !name_exists(second); });
}

TYPED_TEST(LastHoldInA, ResultOfATaskThatRanOnWhenItsStreamWasLetGo) {
  const std::string first = fresh_name("stream1");
  const std::string second = fresh_name("stream2");
  TypeParam pool(1);
  const Events events;
  {
    auto results = pool.imap(mp::bind(make_late, events, second), std::vector{first, second});
    static_cast<void>(results.next());
    events.begun.wait();
  }
  events.go.set();
  events.made.wait();
  wait_until([&] { return !name_exists(first) && !name_exists(second); });
}

TYPED_TEST(LastHoldInA, TaskOfAClosedPool) {
  const std::string name = fresh_name("done");
  TypeParam pool(1);
  pool.apply(take, SharedMemory::create(64, name));
  pool.close();
  pool.join();
  EXPECT_FALSE(name_exists(name));
}

TEST(LastHold, InATaskOfATerminatedPool) {
  const std::string running = fresh_name("running");
  const std::string waiting = fresh_name("waiting");
  {
    mp::Pool pool(1);
    const auto one = pool.apply_async(sleep_beside, SharedMemory::create(64, running));
    const auto other = pool.apply_async(take, SharedMemory::create(64, waiting));
    EXPECT_TRUE(name_exists(running) && name_exists(waiting));
    pool.terminate();
    pool.join();
  }
  EXPECT_FALSE(name_exists(running));
  EXPECT_FALSE(name_exists(waiting));
}

TEST(LastHold, InACallOfAnExecutorThatIsCancelled) {
  const std::string name = fresh_name("cancelled");
  mp::ProcessPoolExecutor executor(1);
  const auto busy = executor.submit(process_test::sleep_for_ever);
  {
    const auto future = executor.submit(take, SharedMemory::create(64, name));
    EXPECT_TRUE(name_exists(name));
    future.cancel();
  }
  busy.cancel();
  executor.shutdown();
  EXPECT_FALSE(name_exists(name));
}

// ------------------------------------------------------------------------------------ managers

TEST(LastHold, InAnObjectOfAManager) {
  const std::string name = fresh_name("manager");
  {
    mp::Manager manager;
    const auto list = manager.list<SharedMemory>();
    list.append(SharedMemory::create(64, name));
    EXPECT_TRUE(name_exists(name));
    list.clear();
    wait_until([&] { return !name_exists(name); });
    list.append(SharedMemory::create(64, name));
    EXPECT_TRUE(name_exists(name));
  }
  EXPECT_FALSE(name_exists(name));
}

// --------------------------------------------------------------------------------- killed droppers

#ifndef NDEBUG
void die_dropping(std::size_t step, const std::string& name) {
  std::optional<mp::Queue<SharedMemory>> queue(std::in_place);
  queue->put(SharedMemory::create(64, name));
  kill_step::arm(step);
  queue.reset();
  kill_step::disarm();
}

TEST(LastHold, OfAProcessThatIsKilledWhileItDropsIt) {
  const std::string name = fresh_name("step");
  std::size_t step = 0;
  bool killed = true;
  while (killed && !HasFailure()) {
    mp::Process process(die_dropping, ++step, name);
    process.start();
    process.join();
    killed = process.exitcode() == -SIGKILL;
    EXPECT_EQ(process.exitcode(), killed ? -SIGKILL : 0);
    EXPECT_FALSE(name_exists(name)) << "killed at step " << step;
  }
  EXPECT_GT(step, 20U);
}
#endif

// ---------------------------------------------------------------------------------------- many

// Each looks at the entries that its own bucket has, however many there are.
TEST(LastHold, OfEachOfManyTakesALookOrTwo) {
  constexpr std::uint64_t kBlocks = 800;
  const auto looked = [before = mp::process::entries_looked_at()] {
    return mp::process::entries_looked_at() - before;
  };
  std::vector<SharedMemory> blocks;
  for (std::uint64_t i = 0; i < kBlocks; ++i) {
    blocks.push_back(SharedMemory::create(8));
    static_cast<void>(SharedMemory::attach(blocks.back().name()));
  }
  const mp::Queue<SharedMemory> queue;
  for (std::uint64_t i = 0; i < kBlocks; i += 8) {
    queue.put(blocks[i]);
    static_cast<void>(queue.get());
  }
  EXPECT_LE(looked(), 2 * kBlocks);
  const std::string first = blocks.front().name();
  blocks.clear();
  EXPECT_FALSE(name_exists(first));
  EXPECT_LE(looked(), 5 * kBlocks);
}

// Two processes and several threads drop last holds at once: none waits for another one's removal
// for good, and no name is left to nobody.
TEST(LastHold, DroppedBySeveralAtOnce) {
  const auto work = [](const std::string& prefix) {
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 3; ++thread) {
      threads.emplace_back([&prefix, thread] {
        for (int round = 0; round < 60; ++round) {
          const mp::Queue<SharedMemory> queue;
          queue.put(SharedMemory::create(
              8, prefix + std::to_string(thread) + "_" + std::to_string(round)));
        }
      });
    }
    for (std::thread& thread : threads)
      thread.join();
  };
  const std::string prefix = fresh_name("several");
  mp::Process process(work, prefix + "_child_");
  process.start();
  work(prefix + "_parent_");
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
  wait_until([&] {
    for (const auto& file : std::filesystem::directory_iterator("/dev/shm")) {
      if (file.path().filename().string().starts_with(prefix)) return false;
    }
    return true;
  });
}

}  // namespace
}  // namespace shared_test

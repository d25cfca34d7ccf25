// Producers that are killed inside a put: once their death is known, or somebody has seen the queue
// without their item, it is there or never will be. Consumers too: what a dead one has taken is not
// in anybody's way.

#include <signal.h>

#include <array>
#include <random>
#include <string>
#include <vector>

#include "channel/support.hpp"
#include "procession/event.hpp"
#include "procession/queue.hpp"
#include "support/kill_step.hpp"
#include "support/setting.hpp"

namespace channel_test {
namespace {

namespace mp = procession;
using namespace std::chrono_literals;

/// Small ones lie in the ring, large ones and those that name an event in blocks.
struct Late {
  std::string text;
  std::vector<mp::Event> events;
};
using LateQueue = mp::JoinableQueue<Late>;

Late large(char name) { return {std::string(3'000, name), {}}; }

/// What the queue has in it, all taken off; until it is empty, or shut down.
std::size_t drained(const LateQueue& queue) {
  std::size_t count = 0;
  try {
    while (queue.try_get())
      ++count;
  } catch (const mp::ShutDown&) {
  }
  return count;
}

/// Somebody else puts an item; false: the queue is full, or was shut down.
bool put_other(const LateQueue& queue) {
  try {
    return queue.try_put(large('x'));
  } catch (const mp::ShutDown&) {
    return false;
  }
}

// ------------------------------------------------------------------------- ways to look at a queue

/// One way to look at a queue.
struct Look {
  const char* name;
  bool takes;  ///< the items that it sees
  std::size_t (*count)(const LateQueue&);
};

template <class Take>
std::size_t until_empty(const Take& take) {
  std::size_t count = 0;
  try {
    for (;;)
      count += take();
  } catch (const mp::Empty&) {
    return count;
  } catch (const mp::ShutDown&) {
    return count;
  }
}

constexpr std::array<Look, 8> kLooks{{
    {"size", false, [](const LateQueue& queue) { return queue.size(); }},
    {"empty", false, [](const LateQueue& queue) { return queue.empty() ? 0 : queue.size(); }},
    {"full", false,
     [](const LateQueue& queue) {
       static_cast<void>(queue.full());
       return queue.size();
     }},
    {"join", false,
     [](const LateQueue& queue) {
       std::size_t undone = 0;
       for (; !queue.join(0s); ++undone)
         queue.task_done();
       return undone;
     }},
    {"try_get", true, drained},
    {"get", true,
     [](const LateQueue& queue) { return until_empty([&] { return queue.get(1us), 1; }); }},
    {"get_many", true,
     [](const LateQueue& queue) {
       return until_empty([&] { return queue.get_many(2, 0s).size(); });
     }},
    {"shutdown", true,
     [](const LateQueue& queue) {
       queue.shutdown();
       return until_empty([&] { return queue.get(), 1; });
     }},
}};

/// Looks, and expects that nothing comes later, whoever puts then.
void expect_settled(const LateQueue& queue, const Look& look) {
  const std::size_t seen = look.count(queue);
  const std::size_t left = look.takes ? 0 : seen;
  EXPECT_EQ(queue.size(), left);
  const bool full = queue.full();
  const std::size_t others = put_other(queue) ? 1 : 0;
  EXPECT_FALSE(full && others == 1);
  EXPECT_EQ(queue.size(), left + others);
  EXPECT_EQ(drained(queue), left + others) << "of which " << others << " was put later";
}

#ifndef NDEBUG

// ----------------------------------------------------------------------------------- at each step

using Script = void (*)(const LateQueue&, std::size_t);

/// Kills `script` at each of its steps, each time with a new queue for `most` items, with one in
/// it, and looks in each way.
void look_after_each_step(Script script, std::size_t most) {
  settle_in();
  std::size_t step = 1;
  for (bool killed = true; killed && !testing::Test::HasFailure();
       step += mp::kSanitized ? 11 : 1) {
    for (const Look& look : kLooks) {
      SCOPED_TRACE(std::string(look.name) + " after step " + std::to_string(step));
      const LateQueue queue(most);
      queue.put(large('b'));
      killed =
          process_test::exitcode_of(mp::StartMethod::forkserver, script, queue, step) == -SIGKILL;
      expect_settled(queue, look);
    }
  }
  std::printf("%zu steps\n", step);
}

TEST(QueueKilledAtEachStep, AndWhatAProducerPutIsThereOrNeverWillBe) {
  const auto script = [](const LateQueue& queue, std::size_t step) {
    const Late item = large('l');
    const Late named{"n", {mp::Event()}};
    kill_step::arm(step);
    queue.put(item);
    static_cast<void>(queue.try_put(named));
    queue.put_many({item, named});
    kill_step::disarm();
  };
  look_after_each_step(script, 100);
}

TEST(QueueKilledAtEachStep, AndWhatAProducerPutAsTheLastIsThereOrNeverWillBe) {
  const auto script = [](const LateQueue& queue, std::size_t step) {
    const Late item = large('l');
    kill_step::arm(step);
    static_cast<void>(queue.try_put(item));
    queue.shutdown();
    kill_step::disarm();
  };
  look_after_each_step(script, 2);
}

/// What it has taken has made room.
TEST(QueueKilledAtEachStep, AndWhatAConsumerTookIsInNobodysWay) {
  const auto script = [](const LateQueue& queue, std::size_t step) {
    kill_step::arm(step);
    static_cast<void>(queue.get());
    kill_step::disarm();
  };
  settle_in();
  std::size_t step = 1;
  for (bool killed = true; killed && !HasFailure(); ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    const LateQueue queue(1);
    queue.put(large('b'));
    killed =
        process_test::exitcode_of(mp::StartMethod::forkserver, script, queue, step) == -SIGKILL;
    const bool taken = queue.empty();
    EXPECT_EQ(queue.full(), !taken);
    // Who waits for room finds it too.
    bool put = false;
    try {
      queue.put(large('x'), taken ? 10s : 0s);
      put = true;
    } catch (const mp::Full&) {
    }
    EXPECT_EQ(put, taken);
    EXPECT_EQ(queue.size(), 1);
    EXPECT_EQ(queue.try_get().value().text[0], put ? 'x' : 'b');
  }
  std::printf("%zu steps\n", step);
}

#endif

// ---------------------------------------------------------------------------- at any instruction

void put_for_ever(const LateQueue& queue, const mp::Event& begun, bool waits) {
  const Late item = large('l');
  begun.set();
  for (;;) {
    if (waits) {
      queue.put(item);
    } else {
      static_cast<void>(queue.try_put(item));
    }
  }
}

/// Whether an item came after somebody had seen that there was none more.
bool comes_late(const Look& look, bool waits, std::chrono::microseconds after) {
  const LateQueue queue(100);
  const mp::Event begun;
  mp::Process producer =
      process_test::started(mp::StartMethod::forkserver, put_for_ever, queue, begun, waits);
  begun.wait();
  const auto end = std::chrono::steady_clock::now() + after;
  while (std::chrono::steady_clock::now() < end) {
    if (queue.try_get()) queue.task_done();
  }
  producer.kill();
  producer.join();
  const std::size_t seen = look.count(queue);
  const std::size_t left = look.takes ? 0 : seen;
  return drained(queue) + (put_other(queue) ? drained(queue) - 1 : 0) != left;
}

TEST(QueueWithKilledProducers, HasNoItemThatComesLate) {
  const std::uint64_t seed = setting("PROCESSION_TORTURE_SEED", std::random_device()());
  const std::uint64_t rounds = setting("PROCESSION_TORTURE_KILLS", mp::kSanitized ? 60 : 300);
  std::printf("PROCESSION_TORTURE_SEED=%llu PROCESSION_TORTURE_KILLS=%llu\n",
              static_cast<unsigned long long>(seed), static_cast<unsigned long long>(rounds));
  std::mt19937_64 random(seed);
  std::size_t late = 0;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    const Look& look = kLooks[random() % kLooks.size()];
    const bool waits = random() % 2 == 0;
    late += comes_late(look, waits, std::chrono::microseconds(random() % 1000)) ? 1 : 0;
  }
  EXPECT_EQ(late, 0) << "of " << rounds;
}

}  // namespace
}  // namespace channel_test

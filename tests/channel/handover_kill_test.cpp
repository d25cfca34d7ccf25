// Producers and consumers that are stopped, or killed, over an item that is handed over.

#include <signal.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>

#include "channel/handover_support.hpp"
#include "procession/event.hpp"

namespace channel_test {
namespace {

namespace mp = procession;
using namespace std::chrono_literals;

/// A process that is stopped, to the end of the scope. Once in a while that is while it has a mutex
/// of the queue or the heap, and others wait: it goes on then, after a second.
class Stopped {
 public:
  explicit Stopped(const mp::Process& process) : pid_(process.pid()) {
    ::kill(pid_, SIGSTOP);
    thread_ = std::thread([this] {
      if (!over_.wait(1s)) {
        ++others_waited;
        ::kill(pid_, SIGCONT);
      }
    });
  }
  Stopped(const Stopped&) = delete;
  Stopped& operator=(const Stopped&) = delete;
  ~Stopped() {
    over_.set();
    thread_.join();
    ::kill(pid_, SIGCONT);
  }

  static inline std::atomic<int> others_waited{0};

 private:
  const int pid_;
  mp::Event over_;
  std::thread thread_;
};

class HandoverStop : public testing::Test {
 protected:
  HandoverStop() { Stopped::others_waited = 0; }
  ~HandoverStop() override { EXPECT_LE(Stopped::others_waited, 3); }
};

TEST_F(HandoverStop, OfAProducerHoldsNobodyUp) {
  const ByteQueue queue(1);
  mp::Process producer = process_test::started(
      mp::StartMethod::forkserver,
      [](const ByteQueue& out) {
        for (std::size_t i = 0;; i = (i + 1) % 100)
          out.put(numbered(0, i));
      },
      queue);
  std::size_t next = 0;
  const auto take = [&](const Bytes& bytes) {
    ASSERT_TRUE(bytes == numbered(0, next));
    next = (next + 1) % 100;
  };
  for (int round = 0; round < 30 && !HasFatalFailure(); ++round) {
    for (int i = 0; i < 3; ++i)
      take(queue.get());
    std::this_thread::sleep_for(std::chrono::microseconds(37 * round));
    const Stopped stopped(producer);
    while (const std::optional<Bytes> item = queue.try_get())
      take(*item);
    try {
      take(queue.get(1ms));  // if it goes on by now
    } catch (const mp::Empty&) {
    }
    // Among what others put.
    std::thread other([&] { queue.put(numbered(1, 1)); });
    for (Bytes item = queue.get(); item != numbered(1, 1); item = queue.get())
      take(item);
    other.join();
  }
  producer.kill();
}

TEST_F(HandoverStop, OfAConsumerHoldsNobodyUp) {
  const ByteQueue queue;
  const mp::Array<std::uint8_t> received(400);
  mp::Process consumer =
      process_test::started(mp::StartMethod::forkserver, consume_large, queue, received);
  std::size_t number = 0;
  for (; number < 60; ++number) {
    queue.put(numbered(0, number));
    if (number % 3 != 2) continue;
    std::this_thread::sleep_for(std::chrono::microseconds(29 * number));
    const Stopped stopped(consumer);
    queue.put(numbered(0, ++number));
    queue.put(numbered(0, ++number), 1ms);
  }
  queue.shutdown();
  consumer.join();
  EXPECT_EQ(consumer.exitcode(), 0);
  for (std::size_t i = 0; i < number; ++i)
    EXPECT_EQ(received[200 + i], 1) << i;
}

#ifndef NDEBUG

void put_large_and_die(const ByteQueue& queue, std::size_t step) {
  const Bytes item = noise(kItemSize, 3);
  kill_step::arm(step);
  queue.put(item);
  kill_step::disarm();
}

void get_large_and_die(const ByteQueue& queue, std::size_t step) {
  kill_step::arm(step);
  (void)queue.get();
  kill_step::disarm();
}

/// Another item goes through, whoever died.
void expect_handover(const ByteQueue& queue) {
  std::thread thread([&] { queue.put(noise(kItemSize, 4)); });
  EXPECT_TRUE(queue.get() == noise(kItemSize, 4));
  thread.join();
  EXPECT_TRUE(queue.empty());
}

TEST(HandoverKill, OfAProducerLosesItsItemAtMost) {
  const Bytes its = noise(kItemSize, 3);
  at_steps([&](std::size_t step) {
    SCOPED_TRACE("step " + std::to_string(step));
    const ByteQueue queue;
    mp::Process process({}, put_large_and_die, queue, step);
    process.start();
    std::size_t got = 0;
    const auto take = [&](const Bytes& item) {
      EXPECT_TRUE(item == its);
      ++got;
    };
    while (process.is_alive()) {
      try {
        take(queue.get(3ms));
      } catch (const mp::Empty&) {
      }
    }
    // What is there when its end is known is there, and nothing comes later.
    while (const std::optional<Bytes> item = queue.try_get())
      take(*item);
    expect_handover(queue);
    queue.put(Bytes(1));
    EXPECT_EQ(queue.get().size(), 1);
    EXPECT_TRUE(queue.empty());
    const bool killed = process.exitcode() == -SIGKILL;
    EXPECT_TRUE(got == 1 || (killed && got == 0)) << got;
    return killed;
  });
}

TEST(HandoverKill, OfAConsumerLosesOneItemAtMost) {
  at_steps([](std::size_t step) {
    const ByteQueue queue;
    mp::Process process({}, get_large_and_die, queue, step);
    process.start();
    queue.put(noise(kItemSize, 5));
    queue.put(noise(kItemSize, 6));
    process.join();
    const bool killed = process.exitcode() == -SIGKILL;
    const std::size_t left = queue.size();
    EXPECT_TRUE(left == 1 || (killed && left == 2)) << "step " << step;
    if (left == 2) {
      EXPECT_TRUE(queue.get() == noise(kItemSize, 5)) << "step " << step;
    }
    EXPECT_TRUE(queue.get() == noise(kItemSize, 6)) << "step " << step;
    expect_handover(queue);
    return killed;
  });
}

#endif

}  // namespace
}  // namespace channel_test

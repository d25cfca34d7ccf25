// Messages of so many bytes that sender and receiver copy them at the same time.

#include <poll.h>

#include <atomic>
#include <thread>

#include "channel/relay.hpp"
#include "channel/relay_support.hpp"
#include "heap/support.hpp"

namespace channel_test {
namespace {

namespace mp = procession;
using namespace std::chrono_literals;
using mp::Connection;
using mp::channel::kRelayLeast;

class Relayed : public process_test::EachMethod {};
PROCESSION_BY_ALL_METHODS(Relayed);

TEST_P(Relayed, BytesArriveWhoeverComesFirst) {
  auto [mine, its] = mp::Pipe();
  mp::Process process = process_test::started(
      GetParam(),
      [](const Connection& connection) {
        for (int round = 0; round < 2; ++round) {
          for (const std::size_t size : sizes()) {
            connection.send_bytes(noise(size, 1));
            connection.send(size);  // what comes behind is not taken for it
            if (round == 1) connection.recv<int>();
          }
        }
      },
      its);
  its.close();
  for (const std::size_t size : sizes()) {
    ASSERT_TRUE(mine.recv_bytes() == noise(size, 1)) << size;
    ASSERT_EQ(mine.recv<std::size_t>(), size);
  }
  Bytes room(sizes().back());
  for (const std::size_t size : sizes()) {
    std::this_thread::sleep_for(5ms);  // longer than a sender waits for somebody
    ASSERT_EQ(mine.recv_bytes_into(room), size);
    const Bytes expected = noise(size, 1);
    ASSERT_TRUE(std::equal(expected.begin(), expected.end(), room.begin())) << size;
    ASSERT_EQ(mine.recv<std::size_t>(), size);
    mine.send(0);
  }
  process.join();
}

TEST(Relay, PutsAsideWhatNobodyReceives) {
  auto [receiver, sender] = mp::Pipe(false);
  const Bytes first = noise(kRelayLeast, 1);
  const Bytes second = noise(2 * kRelayLeast + 7, 2);
  sender.send_bytes(first);
  sender.send_bytes(second);
  EXPECT_TRUE(receiver.poll());
  sender.close();
  EXPECT_TRUE(receiver.recv_bytes() == first);
  EXPECT_TRUE(receiver.recv_bytes() == second);
  EXPECT_THROW((void)receiver.recv_bytes(), mp::EndOfFile);
}

TEST(Relay, NeedsNoMemoryForTheMessage) {
  mp::heap::with_new_heap("32M", [] {
    constexpr std::size_t kMessage = std::size_t{24} << 20;
    auto [receiver, sender] = mp::Pipe(false);
    const auto taken = mp::heap::Block::for_users(std::size_t{16} << 20);
    std::thread thread([end = sender] { end.send_bytes(noise(kMessage, 7)); });
    EXPECT_TRUE(receiver.recv_bytes() == noise(kMessage, 7));
    thread.join();
    EXPECT_THROW(sender.send(noise(kMessage, 7)), mp::OutOfMemory) << "which is not relayed";
    EXPECT_THROW(sender.send_bytes(Bytes(std::size_t{40} << 20)), mp::OutOfMemory);
  });
}

TEST(Relay, AWrongTypeIsToldAndTheNextMessageArrives) {
  auto [receiver, sender] = mp::Pipe(false);
  std::thread thread([end = sender] {
    end.send_bytes(Bytes(3 * kRelayLeast));
    end.send(1);
    end.send_bytes(Bytes(3 * kRelayLeast));
    end.send(2);
  });
  EXPECT_THROW((void)receiver.recv<int>(), mp::TypeMismatch);
  EXPECT_EQ(receiver.recv<int>(), 1);
  try {
    (void)receiver.recv_bytes(100);
    ADD_FAILURE() << "it was longer than that";
  } catch (const mp::BufferTooShort& error) {
    EXPECT_EQ(error.message().size(), 3 * kRelayLeast);
  }
  EXPECT_EQ(receiver.recv<int>(), 2);
  thread.join();
}

TEST(Relay, ReceiversOfOneEndEachGetWholeMessages) {
  constexpr int kEach = 6;
  auto [mine, its] = mp::Pipe();
  std::atomic<int> received{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&, end = its, i] {
      for (int j = 0; j < kEach; ++j)
        end.send_bytes(Bytes(kRelayLeast + 1000, static_cast<std::byte>(10 * i + j)));
    });
    threads.emplace_back([&, end = mine] {
      for (int j = 0; j < kEach; ++j) {
        const Bytes bytes = end.recv_bytes();
        if (bytes == Bytes(kRelayLeast + 1000, bytes[0])) ++received;
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(received, 2 * kEach);
}

TEST(Relay, ACloseEndsTheWaitForAReceiver) {
  auto [receiver, sender] = mp::Pipe(false);
  while (mp::heap::audit().in_use < (std::size_t{12} << 20))
    sender.send_bytes(Bytes(kRelayLeast));  // that is all for which there is room
  std::thread thread([&] {
    std::this_thread::sleep_for(20ms);
    sender.close();
  });
  EXPECT_THROW(
      {
        for (;;)
          sender.send_bytes(Bytes(kRelayLeast));
      },
      mp::ProcessError);
  thread.join();
}

/// A process that has sent a message, which it still has to give to a receiver: there is no memory
/// to spill it. Killed then.
void send_and_be_killed(const Connection& receiver, const Connection& sender) {
  mp::Process process(
      {.start_method = mp::StartMethod::fork},
      [](const Connection& end) { end.send_bytes(noise(std::size_t{5} << 20, 1)); }, sender);
  process.start();
  EXPECT_TRUE(receiver.poll({}));
  process.kill();
  process.join();
}

TEST(RelayKill, OfSendersLeavesNothingToWaitForButWhatOthersSent) {
  for (const bool with_message : {false, true}) {
    mp::heap::with_new_heap("32M", [with_message] {
      auto [receiver, sender] = mp::Pipe(false);
      const auto taken = mp::heap::Block::for_users(std::size_t{28} << 20);
      process_test::exitcode_of(mp::StartMethod::fork, [] {});  // what is made once is made now
      const auto before = mp::heap::audit();
      for (int i = 0; i < 3; ++i)
        send_and_be_killed(receiver, sender);
      if (with_message) sender.send(77);
      EXPECT_EQ(receiver.poll(), with_message);
      if (with_message) {
        EXPECT_EQ(receiver.recv<int>(), 77);
      }
      EXPECT_FALSE(receiver.poll());
      EXPECT_TRUE(mp::wait({receiver}, 0ms).empty());
      EXPECT_EQ(mp::heap::audit().blocks, before.blocks);
    });
  }
}

#ifndef NDEBUG

void send_and_die(const Connection& end, std::size_t step) {
  const Bytes bytes = noise(kItemSize, 3);
  kill_step::arm(step);
  end.send_bytes(bytes);
  kill_step::disarm();
}

void receive_and_die(const Connection& end, std::size_t step) {
  kill_step::arm(step);
  (void)end.recv_bytes();
  kill_step::disarm();
}

TEST(RelayKill, OfASenderLosesItsMessageAtMost) {
  at_steps([](std::size_t step) {
    auto [receiver, sender] = mp::Pipe(false);
    mp::Process process({}, send_and_die, sender, step);
    process.start();
    sender.close();
    try {
      EXPECT_TRUE(receiver.recv_bytes() == noise(kItemSize, 3)) << "step " << step;
      EXPECT_THROW((void)receiver.recv_bytes(), mp::EndOfFile);
    } catch (const mp::EndOfFile&) {
      EXPECT_NE(step, 0U);
    }
    process.join();
    return process.exitcode() == -SIGKILL;
  });
}

TEST(RelayKill, OfASenderDoesNotEndThePipeForOthers) {
  at_steps([](std::size_t step) {
    auto [receiver, sender] = mp::Pipe(false);
    mp::Process process({}, send_and_die, sender, step);
    process.start();
    process.join();
    std::thread thread([end = sender] { end.send_bytes(noise(kItemSize, 4)); });
    Bytes bytes = receiver.recv_bytes();
    const bool killed = process.exitcode() == -SIGKILL;
    if (!killed || bytes == noise(kItemSize, 3)) bytes = receiver.recv_bytes();
    EXPECT_TRUE(bytes == noise(kItemSize, 4)) << "step " << step;
    thread.join();
    return killed;
  });
}

bool is_readable(int descriptor) {
  pollfd one{descriptor, POLLIN, 0};
  return ::poll(&one, 1, 0) != 0;
}

TEST(RelayKill, OfASenderIsKnownToWhoWaitsFromThenOn) {
  bool watched = false;
  at_steps([&](std::size_t step) {
    auto [receiver, sender] = mp::Pipe(false);
    watched = !watched;
    const int descriptor = watched ? receiver.fileno() : -1;
    mp::Process process({}, send_and_die, sender, step);
    process.start();
    process.join();
    const bool ready = receiver.poll();
    EXPECT_EQ(mp::wait({receiver}, 0ms).size(), ready ? 1U : 0U);
    if (watched) {
      EXPECT_EQ(is_readable(descriptor), ready);
    }
    const Bytes marker(5);
    sender.send_bytes(marker);
    const Bytes first = receiver.recv_bytes();
    EXPECT_TRUE(first == (ready ? noise(kItemSize, 3) : marker)) << "step " << step;
    return process.exitcode() == -SIGKILL;
  });
}

TEST(RelayKill, OfAReceiverLosesOneMessageAtMost) {
  at_steps([](std::size_t step) {
    auto [receiver, sender] = mp::Pipe(false);
    mp::Process process({}, receive_and_die, receiver, step);
    process.start();
    sender.send_bytes(noise(kItemSize, 5));
    sender.send_bytes(noise(kItemSize, 6));
    process.join();
    const bool killed = process.exitcode() == -SIGKILL;
    Bytes bytes = receiver.recv_bytes();
    if (killed && bytes == noise(kItemSize, 5)) bytes = receiver.recv_bytes();
    EXPECT_TRUE(bytes == noise(kItemSize, 6)) << "step " << step;
    return killed;
  });
}

#endif

}  // namespace
}  // namespace channel_test

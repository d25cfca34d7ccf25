// What two processes say to each other through a pipe.

#include "procession/connection.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <thread>

#include "channel/support.hpp"
#include "process/proc_files.hpp"
#include "procession/pool.hpp"
#include "procession/queue.hpp"

namespace channel_test {
namespace {

namespace mp = procession;
using namespace std::chrono_literals;
using mp::Connection;
using process_test::text_of;

class Connected : public process_test::EachMethod {};
PROCESSION_BY_ALL_METHODS(Connected);

std::vector<std::byte> pattern(std::size_t size, int seed = 0) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::byte>(i * 31 + i / 251 + static_cast<std::size_t>(seed));
  }
  return bytes;
}

void echo_words(const Connection& connection) {
  try {
    for (;;)
      connection.send(connection.recv<std::string>() + "!");
  } catch (const mp::EndOfFile&) {
    // As it should be.
  }
}

TEST_P(Connected, ValuesGoThereAndBack) {
  auto [mine, its] = mp::Pipe();
  mp::Process process = process_test::started(
      GetParam(),
      [](const Connection& connection) {
        const auto point = connection.recv<Point>();
        connection.send(std::map<std::string, Point>{{"twice", {2 * point.x, 2 * point.y}}});
        connection.send(std::optional<int>());
        connection.send("text");
      },
      its);
  its.close();
  mine.send(Point{1, 2.5});
  using Map = std::map<std::string, Point>;
  EXPECT_EQ(mine.recv<Map>(), (Map{{"twice", {2, 5}}}));
  EXPECT_EQ(mine.recv<std::optional<int>>(), std::nullopt);
  EXPECT_EQ(mine.recv<std::string>(), "text");
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
}

TEST_P(Connected, TheEndOfAProcessIsTheEndOfItsMessages) {
  auto [mine, its] = mp::Pipe();
  mp::Process process = process_test::started(
      GetParam(),
      [](const Connection& connection) {
        connection.send(1);
        connection.send(2);
        connection.close();
      },
      its);
  its.close();
  EXPECT_EQ(mine.recv<int>(), 1);
  EXPECT_EQ(mine.recv<int>(), 2);
  EXPECT_THROW(mine.recv<int>(), mp::EndOfFile);
  EXPECT_TRUE(mine.poll());
  EXPECT_THROW(mine.send(3), mp::BrokenPipe);
  process.join();
}

TEST_P(Connected, AlternateThousandsOfTimes) {
  auto [mine, its] = mp::Pipe();
  mp::Process process = process_test::started(GetParam(), echo_words, its);
  its.close();
  for (int i = 0; i < 5'000; ++i) {
    const std::string word = std::to_string(i);
    mine.send(word);
    ASSERT_EQ(mine.recv<std::string>(), word + "!");
  }
  mine.close();
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
}

TEST_P(Connected, BytesOfAnySizeArriveInOrder) {
  auto [receiver, sender] = mp::Pipe(false);
  const std::vector<std::size_t> sizes{0,    1,    63,    64,    65,     2048,    4095,
                                       4096, 4097, 65535, 65536, 65537,  100'000, 10'000'000,
                                       0,    7,    3'000, 3'500, 70'000, 200'000, 1'000};
  mp::Process process = process_test::started(
      GetParam(),
      [](const Connection& connection, const std::vector<std::size_t>& sent) {
        for (int round = 0; round < 3; ++round) {
          for (const std::size_t size : sent)
            connection.send_bytes(pattern(size, round));
        }
      },
      sender, sizes);
  sender.close();
  for (int round = 0; round < 3; ++round) {
    for (const std::size_t size : sizes)
      ASSERT_TRUE(receiver.recv_bytes() == pattern(size, round)) << size;
  }
  EXPECT_THROW((void)receiver.recv_bytes(), mp::EndOfFile);
  process.join();
}

TEST_P(Connected, TravelAsElementsOfAQueueToAProcessThatRuns) {
  const mp::Queue<Connection> queue;
  mp::Process process = process_test::started(
      GetParam(),
      [](const mp::Queue<Connection>& connections) {
        for (const Connection& connection : connections) {
          connection.send(connection.recv<int>() + 1);
          connection.close();  // or it would stay until the next one has come
        }
      },
      queue);
  for (int i = 0; i < 50; ++i) {
    auto [mine, its] = mp::Pipe();
    queue.put(its);
    its.close();
    mine.send(i);
    ASSERT_EQ(mine.recv<int>(), i + 1);
    ASSERT_THROW(mine.recv<int>(), mp::EndOfFile) << "it was let go of by the other process";
  }
  queue.shutdown();
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
}

TEST_P(Connected, TravelThroughConnections) {
  auto [mine, its] = mp::Pipe();
  mp::Process process = process_test::started(
      GetParam(),
      [](const Connection& connection) {
        auto [inner, outer] = mp::Pipe();
        connection.send(outer);
        outer.close();
        inner.send(std::string("through the second"));
        inner.recv<int>();
      },
      its);
  its.close();
  const auto second = mine.recv<Connection>();
  EXPECT_EQ(second.recv<std::string>(), "through the second");
  second.send(1);
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
}

TEST(Connection, ArrivesInATaskOfAPool) {
  auto [mine, its] = mp::Pipe();
  mp::Pool pool(2);
  auto result = pool.apply_async(
      [](const Connection& connection) { return connection.recv<int>() * 2; }, its);
  its.close();
  mine.send(21);
  EXPECT_EQ(result.get(), 42);
}

TEST(Connection, SaysWhatWasSentAndWhatWasAskedFor) {
  auto [first, second] = mp::Pipe();
  first.send(std::vector{1.5});
  first.send(7);
  const std::string text = text_of<mp::TypeMismatch>([&] { second.recv<std::string>(); });
  EXPECT_NE(text.find("string"), std::string::npos) << text;
  EXPECT_NE(text.find("vector<double>"), std::string::npos) << text;
  EXPECT_EQ(second.recv<int>(), 7);
  first.send_bytes(pattern(3));
  EXPECT_NE(text_of<mp::TypeMismatch>([&] { second.recv<int>(); }).find("bytes"),
            std::string::npos);
  first.send(1);
  EXPECT_THROW((void)second.recv_bytes(), mp::TypeMismatch);
  second.send(2);
  EXPECT_EQ(first.recv<int>(), 2);
}

TEST(Connection, OfAMessageThatIsTooLongNothingIsLost) {
  auto [first, second] = mp::Pipe();
  for (const std::size_t size : {100U, 100'000U}) {
    const auto sent = pattern(size);
    for (int i = 0; i < 2; ++i)
      first.send_bytes(sent);
    std::vector<std::byte> room(99);
    try {
      second.recv_bytes_into(room);
      ADD_FAILURE();
    } catch (const mp::BufferTooShort& error) {
      EXPECT_TRUE(std::ranges::equal(error.message(), sent));
    }
    EXPECT_THROW((void)second.recv_bytes(99), mp::BufferTooShort);
  }
  first.send_bytes(pattern(99));
  std::vector<std::byte> room(100);
  EXPECT_EQ(second.recv_bytes_into(room), 99U);
  room.resize(99);
  EXPECT_TRUE(room == pattern(99));
}

TEST(Connection, OfASimplexPipeHasADirection) {
  auto [receiver, sender] = mp::Pipe(false);
  EXPECT_TRUE(receiver.readable());
  EXPECT_FALSE(receiver.writable());
  EXPECT_FALSE(sender.readable());
  EXPECT_TRUE(sender.writable());
  EXPECT_NE(text_of<mp::ProcessError>([&] { receiver.send(1); }).find("second of Pipe(false)"),
            std::string::npos);
  EXPECT_NE(text_of<mp::ProcessError>([&] { sender.recv<int>(); }).find("first of Pipe(false)"),
            std::string::npos);
  EXPECT_THROW((void)sender.poll(), mp::ProcessError);
  sender.send(1);
  EXPECT_EQ(receiver.recv<int>(), 1);
}

TEST(Connection, CannotBeUsedOnceItIsClosed) {
  auto [first, second] = mp::Pipe();
  const Connection copy = first;
  first.send(5);
  EXPECT_FALSE(copy.closed());
  first.close();
  first.close();
  EXPECT_TRUE(copy.closed());
  EXPECT_THROW(copy.send(1), mp::ProcessError);
  EXPECT_THROW(copy.recv<int>(), mp::ProcessError);
  EXPECT_THROW((void)copy.poll(), mp::ProcessError);
  EXPECT_THROW((void)copy.fileno(), mp::ProcessError);
  EXPECT_EQ(second.recv<int>(), 5) << "what was sent before arrives";
  EXPECT_THROW(second.recv<int>(), mp::EndOfFile);
  EXPECT_THROW(second.send(1), mp::BrokenPipe);
  const Connection none;
  EXPECT_TRUE(none.closed());
  EXPECT_THROW(none.send(1), mp::ProcessError);
}

TEST(Connection, EndsTheWaitOfAnotherThreadWhenItIsClosed) {
  auto [first, second] = mp::Pipe();
  std::thread waiter([&] { EXPECT_THROW(first.recv<int>(), mp::ProcessError); });
  std::this_thread::sleep_for(50ms);
  first.close();
  waiter.join();
}

TEST(Connection, IsTheSameForManySendersAndReceivers) {
  auto [first, second] = mp::Pipe();
  constexpr int kEach = 2'000;
  std::vector<std::atomic<int>> seen(3 * kEach);
  std::vector<std::thread> threads;
  for (int sender = 0; sender < 3; ++sender) {
    threads.emplace_back([&, sender] {
      for (int i = 0; i < kEach; ++i) {
        first.send(std::vector<int>(static_cast<std::size_t>(i % 300 + 1), sender * kEach + i));
      }
    });
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        const auto numbers = second.recv<std::vector<int>>();
        EXPECT_EQ(std::accumulate(numbers.begin(), numbers.end(), 0),
                  static_cast<int>(numbers.size()) * numbers.front());
        ++seen[static_cast<std::size_t>(numbers.front())];
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  for (const auto& times : seen)
    ASSERT_EQ(times, 1);
}

TEST(Connection, ASenderThatIsFarAheadWaitsForRoom) {
  auto [receiver, sender] = mp::Pipe(false);
  std::atomic<int> sent{0};
  std::thread thread([&] {
    for (int i = 0; i < 100; ++i) {
      sender.send_bytes(pattern(3'000, i));
      ++sent;
    }
  });
  process_test::wait_until([&] { return sent >= 10; });
  std::this_thread::sleep_for(20ms);
  EXPECT_LT(sent, 25) << "64 KiB of room";
  for (int i = 0; i < 100; ++i)
    ASSERT_TRUE(receiver.recv_bytes() == pattern(3'000, i));
  thread.join();
}

TEST(Connection, ASenderThatWaitsForRoomHasNoMemoryYet) {
  constexpr std::size_t kLarge = std::size_t{12} << 20;  // there is room for one of them
  auto [receiver, sender] = mp::Pipe(false);
  sender.send(std::string(kLarge, 'a'));
  const auto before = mp::heap::audit();
  std::thread thread([&] { sender.send(std::string(kLarge, 'b')); });
  std::this_thread::sleep_for(20ms);
  EXPECT_LT(mp::heap::audit().in_use, before.in_use + kLarge);
  EXPECT_EQ(receiver.recv<std::string>().front(), 'a');
  EXPECT_EQ(receiver.recv<std::string>().front(), 'b');
  thread.join();
}

TEST(Connection, LeavesNoMemoryAndNoDescriptor) {
  settle_in();
  const auto before = mp::heap::audit();
  const std::size_t open = process_test::open_descriptors().size();
  for (int i = 0; i < 20; ++i) {
    auto [mine, its] = mp::Pipe();
    auto [other, unread] = mp::Pipe();
    mine.send(std::string(100'000, 'x'));
    other.send(its);  // a connection in a message that nobody will read
    its.send(1);
  }
  mp::heap::settle();
  const auto after = mp::heap::audit();
  EXPECT_EQ(after.blocks, before.blocks);
  EXPECT_EQ(after.holds, before.holds);
  EXPECT_EQ(process_test::open_descriptors().size(), open);
}

TEST(Connection, GigabytesGoThroughInOneMessage) {
  if (mp::kSanitized) GTEST_SKIP() << "needs more memory than a sanitizer leaves";
  constexpr std::size_t kSize = std::size_t{1} << 30;
  auto [receiver, sender] = mp::Pipe(false);
  mp::Process process(
      {},
      [](const Connection& connection) {
        std::vector<std::byte> bytes(kSize, std::byte{7});
        bytes.back() = std::byte{9};
        connection.send_bytes(bytes);
      },
      sender);
  process.start();
  sender.close();
  const std::vector<std::byte> bytes = receiver.recv_bytes();
  ASSERT_EQ(bytes.size(), kSize);
  EXPECT_EQ(bytes.front(), std::byte{7});
  EXPECT_EQ(bytes[kSize / 2], std::byte{7});
  EXPECT_EQ(bytes.back(), std::byte{9});
  process.join();
}

TEST(Connection, MoreThanMemoryIsAnExceptionAtTheSender) {
  auto [first, second] = mp::Pipe();
  const std::byte somewhere{};
  const std::span<const std::byte> enormous(&somewhere, std::size_t{1} << 50);
  EXPECT_THROW(first.send_bytes(enormous), mp::OutOfMemory);
  first.send(1);
  EXPECT_EQ(second.recv<int>(), 1);
}

}  // namespace
}  // namespace channel_test

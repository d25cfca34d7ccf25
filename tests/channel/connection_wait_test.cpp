// Waiting for messages: poll(), the user's own loop over fileno(), and wait().

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <thread>

#include "process/support.hpp"
#include "procession/connection.hpp"
#include "procession/event.hpp"

namespace channel_test {
namespace {

namespace mp = procession;
using namespace std::chrono_literals;
using mp::Connection;
using process_test::text_of;
using Indices = std::vector<std::size_t>;

class Waiting : public process_test::EachMethod {};
PROCESSION_BY_ALL_METHODS(Waiting);

bool is_readable(int descriptor, int milliseconds = 0) {
  pollfd entry{descriptor, POLLIN, 0};
  return ::poll(&entry, 1, milliseconds) == 1;
}

TEST(Poll, SaysWhetherThereIsAMessage) {
  auto [first, second] = mp::Pipe();
  EXPECT_FALSE(second.poll());
  EXPECT_FALSE(second.poll(1ms));
  first.send(1);
  EXPECT_TRUE(second.poll());
  EXPECT_TRUE(second.poll(std::nullopt));
  EXPECT_TRUE(second.poll(1h));
  EXPECT_EQ(second.recv<int>(), 1);
  EXPECT_FALSE(second.poll());
  EXPECT_FALSE(first.poll());
  EXPECT_FALSE(first.poll(-1ns));
  second.close();
  EXPECT_TRUE(first.poll()) << "the end of file";
}

TEST_P(Waiting, PollEndsWhenAMessageComes) {
  auto [mine, its] = mp::Pipe();
  mp::Process process = process_test::started(
      GetParam(),
      [](const Connection& connection) {
        for (int i = 0; i < 20; ++i) {
          connection.recv<int>();
          std::this_thread::sleep_for(std::chrono::milliseconds(i % 5));
          connection.send(i);
        }
      },
      its);
  its.close();
  for (int i = 0; i < 20; ++i) {
    mine.send(i);
    ASSERT_TRUE(mine.poll(1h));
    ASSERT_EQ(mine.recv<int>(), i);
  }
  ASSERT_TRUE(mine.poll(1h));
  EXPECT_THROW(mine.recv<int>(), mp::EndOfFile);
  process.join();
}

TEST(Fileno, IsReadableWhileThereIsAMessage) {
  auto [first, second] = mp::Pipe();
  first.send(0);  // before anybody asked
  const int descriptor = second.fileno();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(is_readable(descriptor)) << i;
    first.send(i + 1);
    ASSERT_EQ(second.recv<int>(), i);
    ASSERT_TRUE(is_readable(descriptor)) << "one is left, " << i;
    if (i % 2 == 0) continue;
    ASSERT_EQ(second.recv<int>(), i + 1);
    ASSERT_FALSE(is_readable(descriptor)) << i;
    first.send(i + 1);
  }
  EXPECT_EQ(second.recv<int>(), 100);
  EXPECT_FALSE(is_readable(descriptor));
  first.close();
  EXPECT_TRUE(is_readable(descriptor)) << "the end of file";
}

TEST_P(Waiting, FilenoServesALoopOverEpoll) {
  constexpr int kEach = 500;
  const int loop = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<Connection> connections;
  std::vector<mp::Process> processes;
  for (std::uint32_t i = 0; i < 3; ++i) {
    auto [mine, its] = mp::Pipe(false);
    processes.push_back(process_test::started(
        GetParam(),
        [](const Connection& connection) {
          for (int number = 0; number < kEach; ++number) {
            connection.send(number);
            if (number % 50 == 0) std::this_thread::sleep_for(1ms);
          }
        },
        its));
    its.close();
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = i;
    ASSERT_EQ(::epoll_ctl(loop, EPOLL_CTL_ADD, mine.fileno(), &event), 0);
    connections.push_back(mine);
  }
  std::array<int, 3> next{};
  for (int ended = 0; ended < 3;) {
    epoll_event event{};
    if (::epoll_wait(loop, &event, 1, -1) != 1) continue;
    const std::size_t index = event.data.u32;
    const Connection& connection = connections[index];
    if (!connection.poll()) continue;
    try {
      ASSERT_EQ(connection.recv<int>(), next[index]);
      ++next[index];
    } catch (const mp::EndOfFile&) {
      ::epoll_ctl(loop, EPOLL_CTL_DEL, connection.fileno(), nullptr);
      ++ended;
    }
  }
  ::close(loop);
  for (const int received : next)
    EXPECT_EQ(received, kEach);
  for (mp::Process& process : processes)
    process.join();
}

TEST_P(Waiting, WaitTellsAllThatAreReady) {
  auto [first, first_end] = mp::Pipe();
  auto [second, second_end] = mp::Pipe();
  const mp::Event go;
  mp::Process process =
      process_test::started(GetParam(), [](const mp::Event& event) { event.wait(); }, go);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const std::array<mp::Waitable, 4> all{first, second, process.sentinel(), ends[0]};
  EXPECT_EQ(mp::wait(all, 0ns), Indices{});
  EXPECT_EQ(mp::wait(all, 5ms), Indices{});
  second_end.send(1);
  EXPECT_EQ(mp::wait(all), (Indices{1}));
  EXPECT_EQ(::write(ends[1], "x", 1), 1);
  EXPECT_EQ(mp::wait(all), (Indices{1, 3}));
  go.set();
  process.join();
  EXPECT_EQ(mp::wait(all), (Indices{1, 2, 3}));
  first_end.close();
  EXPECT_EQ(mp::wait(all), (Indices{0, 1, 2, 3}));
  EXPECT_EQ(second.recv<int>(), 1);
  EXPECT_EQ(mp::wait(all), (Indices{0, 2, 3}));
  EXPECT_EQ(mp::wait({second}, 0ns), Indices{});
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_P(Waiting, WaitEndsWhenAMessageOrAProcessEnds) {
  auto [mine, its] = mp::Pipe();
  mp::Process process = process_test::started(
      GetParam(),
      [](const Connection& connection) {
        for (int i = 0; i < 10; ++i) {
          std::this_thread::sleep_for(3ms);
          connection.send(i);
        }
        connection.recv<int>();
      },
      its);
  its.close();
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(mp::wait({mine, process.sentinel()}), (Indices{0}));
    ASSERT_EQ(mine.recv<int>(), i);
  }
  mine.send(0);
  const Indices ready = mp::wait({process.sentinel()});
  EXPECT_EQ(ready, (Indices{0}));
  process.join();
}

TEST(Wait, TakesARangeOfConnections) {
  std::vector<Connection> mine;
  std::vector<Connection> its;
  for (int i = 0; i < 3; ++i) {
    auto [first, second] = mp::Pipe();
    mine.push_back(first);
    its.push_back(second);
  }
  EXPECT_EQ(mp::wait(mine, 1ms), Indices{});
  its[1].send(1);
  EXPECT_EQ(mp::wait(mine), (Indices{1}));
}

TEST(Wait, RefusesWhatItCannotWaitFor) {
  auto [first, second] = mp::Pipe();
  EXPECT_EQ(mp::wait({}), Indices{});
  EXPECT_TRUE(mp::wait({first}, -1ns).empty());
  EXPECT_NE(text_of<std::invalid_argument>([] { (void)mp::wait({-1}); }).find("-1"),
            std::string::npos);
  first.close();
  EXPECT_THROW((void)mp::wait({first}), mp::ProcessError);
}

TEST_P(Waiting, AnAwaitedSenderThatIsKilledIsTheEndOfFile) {
  if (GetParam() == mp::StartMethod::thread) GTEST_SKIP() << "a thread cannot be killed";
  for (int round = 0; round < 10; ++round) {
    auto [mine, its] = mp::Pipe();
    mp::Process process = process_test::started(
        GetParam(),
        [](const Connection& connection) {
          connection.send(1);
          process_test::sleep_for_ever();
        },
        its);
    its.close();
    EXPECT_EQ(mine.recv<int>(), 1);
    std::thread killer([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(round));
      process.kill();
    });
    if (round % 2 == 0) {
      EXPECT_EQ(mp::wait({mine}), (Indices{0}));
    }
    EXPECT_THROW(mine.recv<int>(), mp::EndOfFile);
    killer.join();
    EXPECT_THROW(mine.send(1), mp::BrokenPipe);
    process.join();
  }
}

TEST_P(Waiting, ASenderThatWaitsForRoomSeesTheEndOfItsReceiver) {
  if (GetParam() == mp::StartMethod::thread) GTEST_SKIP() << "a thread cannot be killed";
  auto [mine, its] = mp::Pipe();
  mp::Process process = process_test::started(
      GetParam(), [](const Connection&) { process_test::sleep_for_ever(); }, its);
  its.close();
  std::atomic<int> sent{0};
  std::thread sender([&] {
    EXPECT_THROW(
        {
          for (;; ++sent)
            mine.send(std::string(2'000, 'x'));
        },
        mp::BrokenPipe);
  });
  process_test::wait_until([&] { return sent >= 25; });
  std::this_thread::sleep_for(20ms);
  process.kill();
  sender.join();
  process.join();
}

std::atomic<int> alarms{0};

TEST(Connection, ASignalHandlerThatRunsMeanwhileDoesNotBreakAWait) {
  struct sigaction action{};
  action.sa_handler = [](int) { ++alarms; };  // without SA_RESTART
  struct sigaction old{};
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &old), 0);
  auto [first, second] = mp::Pipe();
  std::atomic<int> stage{0};
  std::thread waiter([&, mine = second] {
    EXPECT_EQ(mine.recv<int>(), 1);
    stage = 1;
    EXPECT_TRUE(mine.poll(std::nullopt));
    EXPECT_EQ(mine.recv<int>(), 2);
    stage = 2;
    EXPECT_EQ(mp::wait({mine}), (Indices{0}));
    stage = 3;
  });
  for (int next = 1; next <= 3; ++next) {
    const int before = alarms;
    for (int i = 0; i < 5; ++i) {
      std::this_thread::sleep_for(2ms);
      ::pthread_kill(waiter.native_handle(), SIGUSR1);
      process_test::wait_until([&] { return alarms > before + i; });
    }
    EXPECT_EQ(stage, next - 1);
    first.send(next);
    process_test::wait_until([&] { return stage == next; });
  }
  waiter.join();
  ::sigaction(SIGUSR1, &old, nullptr);
}

}  // namespace
}  // namespace channel_test

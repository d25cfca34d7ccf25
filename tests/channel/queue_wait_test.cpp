// What waiting costs, what large messages cost, and what ends a wait.

#include <signal.h>
#include <sys/resource.h>

#include <chrono>
#include <string>
#include <thread>

#include "process/support.hpp"
#include "procession/array.hpp"
#include "procession/connection.hpp"
#include "procession/queue.hpp"

namespace channel_test {
namespace {

namespace mp = procession;
using namespace std::chrono_literals;

/// Microseconds of processor time that this process has spent.
long spent() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto microseconds = [](const timeval& time) {
    return time.tv_sec * 1'000'000 + time.tv_usec;
  };
  return microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
}

/// Whether ten seconds of `wait` cost next to nothing. What the machine's other work adds is not
/// the waiter's doing: the best of three counts.
template <class Wait>
int exit_code_of(Wait wait) {
  for (int attempt = 0; attempt < 3; ++attempt) {
    const long before = spent();
    wait();
    const long microseconds = spent() - before;
    std::printf("%ld us of processor time in 10 s\n", microseconds);
    if (microseconds < (process_test::kSanitized ? 10'000 : 1000)) return 0;
  }
  return 1;
}

TEST(Queue, ABlockedGetBurnsNoProcessorTime) {
  const mp::Queue<int> waits;
  const mp::Queue<int> ends;
  mp::Process process(
      [](const mp::Queue<int>& begun, const mp::Queue<int>& end) {
        const int code = exit_code_of([&] {
          begun.put(0);
          end.get();
        });
        begun.shutdown();
        std::exit(code);
      },
      waits, ends);
  process.start();
  for ([[maybe_unused]] const int wait : waits) {
    std::this_thread::sleep_for(10s);
    ends.put(0);
  }
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
}

TEST(Connection, ABlockedRecvBurnsNoProcessorTime) {
  const auto ends = mp::Pipe();
  mp::Process process(
      [](const mp::Connection& end) {
        std::exit(exit_code_of([&] {
          end.send(0);
          end.recv<int>();
        }));
      },
      ends.second);
  process.start();
  ends.second.close();
  try {
    for (;;) {
      ends.first.recv<int>();
      std::this_thread::sleep_for(10s);
      ends.first.send(0);
    }
  } catch (const mp::EndOfFile&) {
  }
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
}

void note_signal(int) {}

TEST(Queue, WaitingGoesOnAfterASignalHandler) {
  struct sigaction action{};
  action.sa_handler = note_signal;
  ASSERT_EQ(::sigaction(SIGUSR1, &action, nullptr), 0);
  const mp::Queue<int> queue;
  const pthread_t waiter = ::pthread_self();
  std::thread other([&] {
    for (int i = 0; i < 20; ++i) {
      std::this_thread::sleep_for(2ms);
      ::pthread_kill(waiter, SIGUSR1);
    }
    queue.put(5);
  });
  EXPECT_EQ(queue.get(), 5);
  other.join();
}

/// A wake-up that a killed waiter swallows does not leave the others asleep.
TEST(Queue, AKilledWaiterKeepsNobodyAsleep) {
  const mp::Queue<int> queue;
  for (int round = 0; round < 10; ++round) {
    std::vector<std::unique_ptr<mp::Process>> waiters;
    for (int i = 0; i < 2; ++i) {
      waiters.push_back(std::make_unique<mp::Process>(
          [](const mp::Queue<int>& q) { static_cast<void>(q.get()); }, queue));
      waiters.back()->start();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5 * round));
    waiters[0]->kill();
    queue.put(1);
    waiters[0]->join();
    // It may have taken it along.
    if (queue.empty() && !waiters[1]->join(1s)) queue.put(2);
    waiters[1]->join();
    EXPECT_EQ(waiters[1]->exitcode(), 0);
    while (queue.try_get()) {
    }
  }
}

TEST(Pains, Pain18_ALargeMessageIsCopiedInOnceAndIsGoneAfterwards) {
  const mp::Queue<std::string> queue;
  const std::string message(16'000'000, 'm');
  const mp::heap::Audit before = mp::heap::audit();
  queue.put(message);
  queue.put(message);
  const mp::heap::Audit with = mp::heap::audit();
  EXPECT_EQ(with.blocks, before.blocks + 2);
  EXPECT_LT(with.in_use, before.in_use + 2 * 17'000'000);
  EXPECT_EQ(queue.get(), message);
  EXPECT_EQ(queue.get(), message);
  EXPECT_EQ(mp::heap::audit().blocks, before.blocks);
  EXPECT_EQ(mp::heap::audit().in_use, before.in_use);
}

TEST(Pains, Pain18_AnArrayIsHandedOnWithoutACopy) {
  const mp::Queue<mp::Array<char>> queue;
  const mp::Array<char> array(16'000'000);
  array[array.size() - 1] = 'a';
  const mp::heap::Audit before = mp::heap::audit();
  for (int i = 0; i < 10; ++i)
    queue.put(array);
  EXPECT_LT(mp::heap::audit().in_use, before.in_use + 100'000);
  mp::Process process(
      [](const mp::Queue<mp::Array<char>>& from) {
        for (int i = 0; i < 10; ++i) {
          const mp::Array<char> same = from.get();
          ++same[same.size() - 1];
        }
      },
      queue);
  process.start();
  process.join();
  EXPECT_EQ(array[array.size() - 1], 'a' + 10);
}

}  // namespace
}  // namespace channel_test

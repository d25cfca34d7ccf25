// Processes that are killed at each step of what they do to a pipe, one step after the other.

#include <signal.h>

#include <atomic>
#include <functional>
#include <random>
#include <semaphore>
#include <thread>

#include "channel/support.hpp"
#include "support/kill_step.hpp"

#ifndef NDEBUG

namespace channel_test {
namespace {

namespace mp = procession;
using namespace std::chrono_literals;
using mp::Connection;

constexpr std::size_t kSmallMessage = 10;
constexpr std::size_t kLargeMessage = 50'000;

using Act = void (*)(const Connection&, const Connection&);

void send_small(const Connection& end, const Connection&) {
  end.send(std::string(kSmallMessage, 'k'));
}
void send_large(const Connection& end, const Connection&) {
  end.send(std::string(kLargeMessage, 'k'));
}
void send_connection(const Connection& end, const Connection& carried) { end.send(carried); }
void receive(const Connection& end, const Connection&) { (void)end.recv<std::string>(); }
void receive_connection(const Connection& end, const Connection&) { (void)end.recv<Connection>(); }
void watch(const Connection& end, const Connection&) {
  (void)end.fileno();
  (void)end.poll();
  (void)end.recv<std::string>();
}

void act_and_die(const Connection& end, const Connection& carried,
                 mp::Function<void(Connection, Connection)> act, std::size_t step) {
  kill_step::arm(step);
  act(end, carried);
  kill_step::disarm();
}

/// How the process that did `act` ended: true when it was killed.
bool killed(const Connection& end, const Connection& carried, Act act, std::size_t step) {
  mp::Process process(act_and_die, end, carried, mp::Function<void(Connection, Connection)>(act),
                      step);
  process.start();
  process.join();
  EXPECT_TRUE(process.exitcode() == 0 || process.exitcode() == -SIGKILL) << *process.exitcode();
  return process.exitcode() == -SIGKILL;
}

std::string text(char name) {
  return std::string(name % 2 == 0 ? kSmallMessage : kLargeMessage, name);
}

/// What is there, up to and with the message of `last`, by first letters.
std::string names_until(const Connection& end, char last) {
  std::string names;
  do {
    try {
      names += end.recv<std::string>().at(0);
    } catch (const mp::TypeMismatch&) {
      names += '*';
    }
  } while (names.back() != last);
  EXPECT_FALSE(end.poll());
  return names;
}

struct Case {
  const char* name;
  Act act;
  std::string before;                 // sent before it
  std::vector<std::string> received;  // what may come of it with `after` behind
};

std::vector<Case> cases() {
  return {
      {"send_small", send_small, "ab", {"abz", "abkz"}},
      {"send_large", send_large, "ab", {"abz", "abkz"}},
      {"send_connection", send_connection, "ab", {"abz", "ab*z"}},
      {"send_to_empty", send_small, "", {"z", "kz"}},
      {"receive_small", receive, "bcd", {"bcdz", "cdz"}},
      {"receive_large", receive, "cde", {"cdez", "dez"}},
      {"receive_last", receive, "b", {"bz", "z"}},
      {"receive_connection", receive_connection, "*b", {"*bz", "bz"}},
      {"watch", watch, "b", {"bz", "z"}},
  };
}

class EachStep : public testing::TestWithParam<Case> {
 public:
  static bool sends(const Case& one) { return one.received.back().size() > one.before.size() + 1; }

  /// One pipe of which processes are killed at the given steps, one after another. True when the
  /// last one was.
  static bool round(const Case& one, const std::vector<std::size_t>& steps) {
    auto [first, second] = mp::Pipe();
    auto [carried, other] = mp::Pipe();
    const std::uint64_t blocks = mp::heap::audit().blocks;
    for (const char name : one.before) {
      if (name == '*') {
        first.send(carried);
      } else {
        first.send(text(name));
      }
    }
    bool last = false;
    for (const std::size_t step : steps)
      last = killed(sends(one) ? first : second, carried, one.act, step);
    (void)second.poll();  // comes to an end, whatever it finds
    first.send(text('z'));
    const std::string names = names_until(second, 'z');
    if (steps.size() == 1) {
      EXPECT_NE(std::find(one.received.begin(), one.received.end(), names), one.received.end())
          << one.name << " killed at step " << steps[0] << " left " << names;
    }
    // The other direction, and this one from an empty pipe.
    second.send(1);
    EXPECT_EQ(first.recv<int>(), 1);
    first.send(text('a'));
    EXPECT_TRUE(second.poll(1h));
    EXPECT_EQ(second.recv<std::string>(), text('a'));
    EXPECT_EQ(mp::heap::audit().blocks, blocks) << "what lay in the pipe is gone";
    return last;
  }
};

std::string name_of(const testing::TestParamInfo<Case>& one) { return one.param.name; }

INSTANTIATE_TEST_SUITE_P(Of, EachStep, testing::ValuesIn(cases()), name_of);

TEST_P(EachStep, OfAPipeMayBeTheLastOfAProcess) {
  settle_in();
  round(GetParam(), {0});
  const auto before = mp::heap::audit();
  std::size_t step = 1;
  while (round(GetParam(), {step}) && !HasFailure())
    ++step;
  EXPECT_GT(step, 3U);
  std::printf("%zu steps\n", step - 1);
  const auto after = mp::heap::audit();
  EXPECT_EQ(after.blocks, before.blocks);
  EXPECT_EQ(after.holds, before.holds);
}

TEST(EachStepOf, ASenderMayBeFollowedByAnotherDeathInItsRepair) {
  const unsigned seed = std::random_device()();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  settle_in();
  for (const Case& one : cases()) {
    if (!EachStep::sends(one)) continue;  // a second receiver may wait for what the first one took
    for (int i = 0; i < 40 && !HasFailure(); ++i)
      EachStep::round(one, {1 + random() % 60, 1 + random() % 60});
  }
}

TEST(EachStepOf, AReceiverThatSleepsMayBeItsLast) {
  settle_in();
  const auto before = mp::heap::audit();
  std::size_t step = 1;
  for (bool was_killed = true; was_killed && !HasFailure(); ++step) {
    auto [first, second] = mp::Pipe();
    mp::Process process(act_and_die, second, second,
                        mp::Function<void(Connection, Connection)>(receive), step);
    process.start();
    process.join(3ms);
    first.send(text('a'));
    process.join();
    was_killed = process.exitcode() == -SIGKILL;
    first.send(text('z'));
    const std::string names = names_until(second, 'z');
    EXPECT_TRUE(names == "z" || (was_killed && names == "az")) << names << " at step " << step;
  }
  EXPECT_GT(step, 3U);
  const auto after = mp::heap::audit();
  EXPECT_EQ(after.blocks, before.blocks);
  EXPECT_EQ(after.holds, before.holds);
}

/// Receives one message when told to, and is gone.
struct Leaver {
  explicit Leaver(Connection its)
      : thread([this, end = std::move(its)]() mutable {
          begin.acquire();
          (void)end.recv<std::string>();
          end.close();
          gone = true;
        }) {}
  ~Leaver() {
    begin.release();
    thread.join();
  }

  std::counting_semaphore<2> begin{0};
  std::atomic<bool> gone{false};
  std::thread thread;
};

TEST(EachStepOf, ASenderMayBeTheOneAfterWhichTheReceiverIsGone) {
  static Leaver* leaver;
  std::size_t received_before_the_end = 0;
  std::size_t step = 1;
  for (bool reached = true; reached; ++step) {
    auto [mine, its] = mp::Pipe();
    Leaver other(std::move(its));
    leaver = &other;
    kill_step::left = step;
    mp::heap::testing::on_step = [] {
      if (kill_step::left == 0 || --kill_step::left != 0) return;
      leaver->begin.release();
      for (int i = 0; i < 20 && !leaver->gone; ++i)
        std::this_thread::sleep_for(1ms);
    };
    EXPECT_NO_THROW(mine.send(text('b'))) << "step " << step;
    kill_step::disarm();
    reached = kill_step::left == 0;
    received_before_the_end += other.gone ? 1 : 0;
  }
  EXPECT_GT(step, 6U);
  EXPECT_GT(received_before_the_end, 0U);
}

}  // namespace
}  // namespace channel_test

#endif

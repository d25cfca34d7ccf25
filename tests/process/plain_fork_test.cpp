// Processes that the program forks by itself beside live handles: what these named is given back,
// however the child ended, and not before it has.

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <optional>
#include <vector>

#include "heap/support.hpp"
#include "platform/copy_check.hpp"
#include "process/denial.hpp"
#include "process/program.hpp"
#include "process/record.hpp"
#include "process/support.hpp"
#include "procession/array.hpp"
#include "procession/shared_memory.hpp"
#include "procession/value.hpp"
#include "support/kill_step.hpp"

namespace process_test {
namespace {

/// What a child does before the library's handler of fork() runs in it.
enum class Early { nothing, ends, stops, closes };
Early early = Early::nothing;

// Made before init(), so it runs first.
const int registered = ::pthread_atfork(nullptr, nullptr, [] {
  if (early == Early::ends) ::_exit(0);
  if (early == Early::closes) ::close_range(3, ~0U, 0);
  if (early == Early::stops || early == Early::closes) ::raise(SIGSTOP);
});

pid_t fork_plainly(const std::function<void()>& in_child) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child != 0) return child;
  in_child();
  ::_exit(0);
}

int await_end(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) != child) {
  }
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

void await_stop(pid_t child) {
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
  ASSERT_TRUE(WIFSTOPPED(status));
}

void execute_something() { ::execl("/bin/true", "true", nullptr); }
void end_at_once() { ::_exit(0); }
void end_in_order() { std::exit(0); }
void be_killed() { ::raise(SIGKILL); }

/// The blocks that there are at the most while `round` runs again and again, beyond those before.
std::uint64_t most_blocks(const std::function<void()>& round) {
  round();
  mp::process::reap_orphans();
  const std::uint64_t before = mp::heap::audit().blocks;
  std::uint64_t most = before;
  for (int i = 0; i < 60; ++i) {
    round();
    most = std::max(most, mp::heap::audit().blocks);
  }
  return most - before;
}

// Each leaves a record and an array of three blocks: those of the last few may be there.
constexpr std::uint64_t kFew = 20;

class PlainForkThat : public testing::TestWithParam<std::pair<const char*, void (*)()>> {};

TEST_P(PlainForkThat, GivesBackWhatItsHandlesNamed) {
  EXPECT_LE(most_blocks([] {
              const mp::Array<int> array(100);
              await_end(fork_plainly(GetParam().second));
            }),
            kFew);
}

TEST_P(PlainForkThat, GivesBackNames) {
  std::optional<mp::SharedMemory> memory = mp::SharedMemory::create(64);
  const std::string path = "/dev/shm/" + memory->name();
  await_end(fork_plainly(GetParam().second));
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  memory.reset();
  EXPECT_NE(::access(path.c_str(), F_OK), 0) << "its last handle has gone";
}

INSTANTIATE_TEST_SUITE_P(Was, PlainForkThat,
                         testing::Values(std::pair("Executes", &execute_something),
                                         std::pair("EndsAtOnce", &end_at_once),
                                         std::pair("EndsInOrder", &end_in_order),
                                         std::pair("IsKilled", &be_killed)),
                         [](const auto& test) { return test.param.first; });

TEST(PlainFork, ThatIsKilledAtOnceGivesBack) {
  EXPECT_LE(most_blocks([] {
              const mp::Array<int> array(100);
              const pid_t child = fork_plainly(sleep_for_ever);
              ::kill(child, SIGKILL);
              await_end(child);
            }),
            kFew);
}

TEST(PlainFork, ThatEndsBeforeItHasBegunGivesBack) {
  early = Early::ends;
  const std::uint64_t most = most_blocks([] {
    const mp::Array<int> array(100);
    await_end(fork_plainly(sleep_for_ever));
  });
  early = Early::nothing;
  EXPECT_LE(most, kFew);
}

TEST(PlainFork, ThatFailsGivesBack) {
  const pid_t child = fork_plainly([] {
    if (!deny({{SYS_clone, EAGAIN}})) ::_exit(0);
    const std::uint64_t most = most_blocks([] {
      const mp::Array<int> array(100);
      EXPECT_EQ(::fork(), -1);
      EXPECT_EQ(errno, EAGAIN);
    });
    EXPECT_LE(most, kFew);
    std::fflush(nullptr);
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  });
  EXPECT_EQ(await_end(child), 0);
}

/// Whether the child adds to the value when it may go on, and ends well.
void expect_it_goes_on(const std::optional<mp::Value<int>>& value, pid_t child) {
  ::kill(child, SIGCONT);
  EXPECT_EQ(await_end(child), 0);
  EXPECT_EQ(value->value(), 7);
}

void add_seven(const std::optional<mp::Value<int>>& value) {
  *value += 7;
  ::_exit(0);
}

TEST(PlainFork, ThatComesLateHasWhatItWasGiven) {
  const std::optional<mp::Value<int>> value(0);
  early = Early::stops;
  const pid_t child = fork_plainly([&] { add_seven(value); });
  early = Early::nothing;
  await_stop(child);
  mp::process::reap_orphans();
  expect_it_goes_on(value, child);
}

TEST(PlainFork, ThatComesAfterItsMakersEndHasWhatItWasGiven) {
  const std::optional<mp::Value<int>> value(0);
  const Board<std::atomic<int>> grandchild;
  const pid_t maker = fork_plainly([&] {
    early = Early::stops;
    const pid_t child = fork_plainly([&] { add_seven(value); });
    int status = 0;
    ::waitpid(child, &status, WUNTRACED);
    *grandchild = child;
  });
  EXPECT_EQ(await_end(maker), 0);
  const std::uint64_t before = mp::heap::audit().blocks;
  mp::process::reap_orphans();
  EXPECT_EQ(mp::heap::audit().blocks, before - 1) << "the maker's record, and no other";
  ::kill(*grandchild, SIGCONT);
  wait_until([&] { return value->value() == 7; });
  wait_until([&] {
    mp::process::reap_orphans();
    return mp::heap::audit().blocks == before - 2;
  });
}

TEST(PlainFork, ThatLivesIsNotReaped) {
  const std::optional<mp::Value<int>> value(0);
  int go[2];
  ASSERT_EQ(::pipe(go), 0);
  const pid_t child = fork_plainly([&] {
    char byte = 0;
    if (::read(go[0], &byte, 1) == 1) add_seven(value);
    ::_exit(1);
  });
  mp::process::reap_orphans();
  EXPECT_EQ(mp::process::reap_orphans(), 1U);
  EXPECT_EQ(::write(go[1], "x", 1), 1);
  EXPECT_EQ(await_end(child), 0);
  EXPECT_EQ(value->value(), 7);
  EXPECT_EQ(mp::process::reap_orphans(), 0U);
  ::close(go[0]);
  ::close(go[1]);
}

TEST(PlainFork, ThatClosedWhatItInheritedTooEarlyEndsAndSaysWhy) {
  const CapturedStderr captured;
  const std::optional<mp::Value<int>> value(0);
  early = Early::closes;
  const pid_t child = fork_plainly([&] { add_seven(value); });
  early = Early::nothing;
  await_stop(child);
  mp::process::reap_orphans();
  ::kill(child, SIGCONT);
  EXPECT_EQ(await_end(child), mp::platform::kCopyExit);
  EXPECT_EQ(value->value(), 0);
  EXPECT_NE(captured.text().find("close descriptors after fork() has returned"), std::string::npos)
      << captured.text();
}

TEST(PlainFork, GivesBackBeforeMemoryIsSaidToBeOut) {
  const Outcome outcome = run_program("plain_fork_program", {}, {"PROCESSION_HEAP=64M"});
  EXPECT_EQ(outcome.out, "all rounds\none that was last\nin /dev/shm\n") << outcome.err;
  EXPECT_EQ(outcome.exitcode, 0) << outcome.err;
}

TEST(PlainFork, WithoutRoomForItsHoldsLetsGoOfThem) {
  mp::heap::with_new_heap("1M", [] {
    std::optional<mp::Value<int>> value(1);
    std::vector<mp::heap::Block> all;
    for (const std::size_t size : {std::size_t{10'000}, std::size_t{500}, std::size_t{64}}) {
      try {
        for (;;)
          all.emplace_back(size);
      } catch (const mp::OutOfMemory&) {
      }
    }
    EXPECT_EQ(await_end(fork_plainly([&] { value.reset(); })), 0);
    EXPECT_EQ(value->value(), 1);
  });
}

#ifndef NDEBUG

void fork_and_be_killed(const mp::Value<int>& value, std::size_t step) {
  const mp::Array<int> array(100);
  kill_step::arm(step);
  const pid_t child = fork_plainly([] {});
  value += 1;
  kill_step::disarm();
  await_end(child);
}

TEST(PlainFork, ThatIsKilledAtAnyStepWithItsMakerLeavesNothing) {
  const mp::Value<int> value(0);
  const auto round = [&](std::size_t step) {
    const auto code = exitcode_of(StartMethod::forkserver, fork_and_be_killed, value, step);
    // Where its maker was killed, nobody waits for the child.
    for (std::size_t left = 1; left != 0;) {
      left = mp::process::reap_orphans();
      std::this_thread::yield();
    }
    return code == -SIGKILL;
  };
  round(0);
  const auto before = mp::heap::audit();
  std::size_t step = 1;
  for (; round(step) && !HasFailure(); step += kSanitized ? 17 : 3) {
    const auto after = mp::heap::audit();
    EXPECT_EQ(after.blocks, before.blocks) << "step " << step;
    EXPECT_EQ(after.holds, before.holds) << "step " << step;
  }
  EXPECT_GT(step, 50U);
}

#endif

}  // namespace
}  // namespace process_test

// What a process held that has ended, and that its parent has not joined.

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>

#include "heap/heap.hpp"
#include "process/record.hpp"
#include "procession/array.hpp"
#include "procession/error.hpp"
#include "procession/event.hpp"
#include "procession/manager.hpp"
#include "procession/process.hpp"
#include "procession/queue.hpp"
#include "shared/support.hpp"
#include "support/kill_step.hpp"

namespace shared_test {
namespace {

using mp::SharedMemory;
using mp::StartMethod;

constexpr std::size_t kBytes = std::size_t{4} << 20;

enum class Way { exit_now, exit, quick_exit, abort, killed, executed, threw, returned };
constexpr Way kWays[] = {Way::exit_now, Way::exit,     Way::quick_exit, Way::abort,
                         Way::killed,   Way::executed, Way::threw,      Way::returned};

void hold_and_end(const std::string& name, Way way) {
  const mp::Array<char> array(kBytes);
  const SharedMemory memory = SharedMemory::create(64, name);
  switch (way) {
    case Way::exit_now:
      ::_exit(3);
    case Way::exit:
      std::exit(3);
    case Way::quick_exit:
      std::quick_exit(3);
    case Way::abort:
      std::abort();
    case Way::killed:
      ::raise(SIGKILL);
      return;
    case Way::executed:
      ::execl("/bin/false", "false", nullptr);
      return;
    case Way::threw:
      throw 1;
    case Way::returned:
      return;
  }
}

/// Leaves the status to whoever joins it.
void wait_for_end_of(int pid) {
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
}

std::uint64_t bytes_in_use() { return mp::heap::audit().in_use; }

class Unjoined : public testing::TestWithParam<StartMethod> {};

// Before memory is said to be lacking.
TEST_P(Unjoined, GivesMemoryBackWhenThatIsLooked) {
  for (const Way way : kWays) {
    const std::uint64_t before = bytes_in_use();
    mp::Process process({.start_method = GetParam()}, hold_and_end,
                        fresh_name("memory" + std::to_string(static_cast<int>(way))), way);
    process.start();
    wait_for_end_of(process.pid());
    mp::heap::reclaim();
    EXPECT_LT(bytes_in_use(), before + kBytes / 2) << static_cast<int>(way);
    process.join();
    EXPECT_TRUE(process.exitcode().has_value());
    EXPECT_EQ(process.exitcode() == 0, way == Way::returned) << static_cast<int>(way);
  }
}

TEST_P(Unjoined, ItsNameIsFreeAtOnce) {
  for (const Way way : kWays) {
    const std::string name = fresh_name("taken" + std::to_string(static_cast<int>(way)));
    mp::Process process({.start_method = GetParam()}, hold_and_end, name, way);
    process.start();
    wait_for_end_of(process.pid());
    EXPECT_NO_THROW(SharedMemory::create(64, name)) << static_cast<int>(way);
    process.join();
  }
}

// There are never more starts without a look than processes lived at the last one.
TEST_P(Unjoined, ItsNameGoesWhenOthersAreStarted) {
  const std::string name = fresh_name("starts");
  mp::Process process({.start_method = GetParam()}, hold_and_end, name, Way::killed);
  process.start();
  wait_for_end_of(process.pid());
  for (int i = 0; i < 8; ++i) {
    mp::Process other({.start_method = GetParam()}, [] {});
    other.start();
    other.join();
  }
  EXPECT_FALSE(name_exists(name));
  process.join();
  EXPECT_EQ(process.exitcode(), -SIGKILL);
}

// One that has executed another program has lost all that it held, though that runs.
TEST_P(Unjoined, AnotherProgramInItsPlaceHoldsNothing) {
  const std::uint64_t before = bytes_in_use();
  const mp::Queue<int> up;
  mp::Process process(
      {.start_method = GetParam()},
      [](const mp::Queue<int>& told) {
        const mp::Array<char> array(kBytes);
        told.put(1);
        ::execl("/bin/sleep", "sleep", "1000", nullptr);
      },
      up);
  process.start();
  up.get();
  while (bytes_in_use() >= before + kBytes / 2) {
    mp::heap::reclaim();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_TRUE(process.is_alive());
  process.kill();
  process.join();
  EXPECT_EQ(process.exitcode(), -SIGKILL);
}

// One that has closed all its descriptors, as programs do that become daemons, is not dead.
TEST_P(Unjoined, OneThatClosedItsDescriptorsKeepsWhatItHolds) {
  const std::uint64_t before = bytes_in_use();
  const mp::Queue<int> up;
  const mp::Event go;
  mp::Process process(
      {.start_method = GetParam()},
      [](const mp::Queue<int>& told, const mp::Event& leave) {
        const mp::Array<char> array(kBytes);
        ::close_range(3, ~0U, 0);
        told.put(1);
        leave.wait();
        for (const char each : array) {
          if (each != 0) ::_exit(1);
        }
        ::_exit(7);
      },
      up, go);
  process.start();
  up.get();
  mp::heap::reclaim();
  mp::Process([] {}).start();
  EXPECT_GE(bytes_in_use(), before + kBytes);
  mp::Array<char> other(kBytes);
  std::ranges::fill(other, 'x');
  go.set();
  process.join();
  EXPECT_EQ(process.exitcode(), 7);
}

// A call that finds the server of a manager dead.
TEST_P(Unjoined, AManagersServerGivesBackWhatItsObjectsHeld) {
  const std::string name = fresh_name("manager");
  mp::Manager manager({.start_method = GetParam()});
  const auto memories = manager.list<SharedMemory>();
  const auto arrays = manager.list<mp::Array<char>>();
  memories.append(SharedMemory::create(64, name));
  const std::uint64_t before = bytes_in_use();
  arrays.append(mp::Array<char>(kBytes));
  ::kill(manager.pid(), SIGKILL);
  wait_for_end_of(manager.pid());
  EXPECT_TRUE(name_exists(name));
  EXPECT_ANY_THROW(static_cast<void>(arrays.size()));
  EXPECT_FALSE(name_exists(name));
  EXPECT_LT(bytes_in_use(), before + kBytes / 2);
  EXPECT_THROW(static_cast<void>(arrays.size()), mp::BrokenPipe);
}

#ifndef NDEBUG
// Whoever is killed while it gives that back leaves the rest to the next one.
TEST(UnjoinedProcess, IsReapedThoughTheOneWhoReapsIsKilled) {
  const std::uint64_t before = bytes_in_use();
  const std::string name = fresh_name("steps");
  bool done = false;
  for (std::size_t step = 1; !done; ++step) {
    // Started first, for each start may look for the dead itself.
    const mp::Queue<int> dead;
    mp::Process other(
        {.start_method = StartMethod::fork},
        [](std::size_t killed_at, const mp::Queue<int>& told) {
          told.get();
          kill_step::arm(killed_at);
          mp::process::reap_orphans();
          kill_step::disarm();
        },
        step, dead);
    other.start();
    mp::Process process({.start_method = StartMethod::fork}, hold_and_end, name, Way::killed);
    process.start();
    wait_for_end_of(process.pid());
    ASSERT_TRUE(name_exists(name));
    dead.put(1);
    other.join();
    done = other.exitcode() == 0;
    mp::process::reap_orphans();
    ASSERT_LT(bytes_in_use(), before + kBytes / 2) << "step " << step;
    ASSERT_FALSE(name_exists(name)) << "step " << step;
    process.join();
    if (done) {
      EXPECT_GT(step, 10U) << "it was reaped before";
    }
  }
}
#endif

INSTANTIATE_TEST_SUITE_P(Methods, Unjoined,
                         testing::Values(StartMethod::spawn, StartMethod::forkserver,
                                         StartMethod::fork),
                         [](const auto& method) { return std::string(to_string(method.param)); });

}  // namespace
}  // namespace shared_test

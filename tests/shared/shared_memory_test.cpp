#include "procession/shared_memory.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "process/names.hpp"
#include "process/program.hpp"
#include "shared/support.hpp"

namespace shared_test {
namespace {

using mp::SharedMemory;
using mp::StartMethod;

std::string text_in(const SharedMemory& memory) {
  return reinterpret_cast<const char*>(memory.buf().data());
}
void write(const SharedMemory& memory, const std::string& text) {
  std::memcpy(memory.buf().data(), text.c_str(), text.size() + 1);
}

TEST(SharedMemory, IsZeroedAndAsLargeAsAsked) {
  const auto memory = SharedMemory::create(10'000);
  EXPECT_EQ(memory.size(), 10'000U);
  EXPECT_TRUE(std::ranges::all_of(memory.buf(), [](std::byte b) { return b == std::byte{0}; }));
  EXPECT_EQ(memory.name().substr(0, 4), "psm_");
}

TEST(SharedMemory, LosesItsNameWithTheLastHandle) {
  const std::string name = fresh_name("last");
  {
    auto memory = SharedMemory::create(64, name);
    const SharedMemory copy = memory;
    const auto other = SharedMemory::attach(name);
    memory.close();
    EXPECT_TRUE(name_exists(name));
    write(copy, "seen");
    EXPECT_EQ(text_in(other), "seen");
  }
  EXPECT_FALSE(name_exists(name));
}

class SharedMemoryBy : public testing::TestWithParam<StartMethod> {};

TEST_P(SharedMemoryBy, IsAnArgumentThatKeepsItsName) {
  std::optional<SharedMemory> memory = SharedMemory::create(64);
  const std::string name = memory->name();
  const auto result = SharedMemory::create(64);
  mp::Process process(
      {.start_method = GetParam()},
      [](const SharedMemory& from, const SharedMemory& to) { write(to, "read " + text_in(from)); },
      *memory, result);
  write(*memory, "this");
  memory.reset();
  process.start();
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
  EXPECT_EQ(text_in(result), "read this");
  process.close();
  wait_until([&] { return !name_exists(name); });
}

INSTANTIATE_TEST_SUITE_P(All, SharedMemoryBy,
                         testing::Values(StartMethod::forkserver, StartMethod::spawn,
                                         StartMethod::fork, StartMethod::thread),
                         [](const auto& test) { return mp::to_string(test.param); });

TEST(SharedMemory, UnlinkTakesTheNameAndLeavesTheMemory) {
  const std::string name = fresh_name("unlink");
  const auto memory = SharedMemory::create(64, name);
  memory.unlink();
  EXPECT_FALSE(name_exists(name));
  write(memory, "still there");
  EXPECT_EQ(text_in(memory), "still there");
  EXPECT_NE(text_of<mp::ProcessError>([&] { memory.unlink(); }).find("none of that name"),
            std::string::npos);
  // The name may be another block's from now on, and is left to it.
  {
    const auto next = SharedMemory::create(64, name);
    mp::process::sweep_names();
    EXPECT_TRUE(name_exists(name));
  }
}

TEST(SharedMemory, RefusesWhatCannotBe) {
  EXPECT_THROW(SharedMemory::create(0), std::invalid_argument);
  EXPECT_THROW(SharedMemory::create(8, ""), std::invalid_argument);
  EXPECT_THROW(SharedMemory::create(8, "a/b"), std::invalid_argument);
  EXPECT_THROW(SharedMemory::create(8, std::string(251, 'x')), std::invalid_argument);
  const std::string name = fresh_name("refused");
  EXPECT_NE(text_of<mp::ProcessError>([&] { SharedMemory::attach(name); }).find(name),
            std::string::npos);
  const auto memory = SharedMemory::create(8, name);
  EXPECT_NE(text_of<mp::ProcessError>([&] {
              SharedMemory::create(8, name);
            }).find("there is one of that name"),
            std::string::npos);
  EXPECT_NE(text_of<mp::ProcessError>([&] { SharedMemory::attach(name, 9); }).find("found 8"),
            std::string::npos);
  SharedMemory closed = memory;
  closed.close();
  closed.close();
  EXPECT_THROW(static_cast<void>(closed.buf()), mp::ProcessError);
}

TEST(SharedMemory, LargerThanTheFileSystemIsAnException) {
  EXPECT_THROW(SharedMemory::create(std::size_t{1} << 45), mp::OutOfMemory);
  mp::process::sweep_names();
}

TEST(SharedMemory, OpensInPython) {
  const auto memory = SharedMemory::create(64);
  write(memory, "hello python");
  EXPECT_EQ(python("from multiprocessing import shared_memory, resource_tracker\n"
                   "m = shared_memory.SharedMemory('" +
                   memory.name() +
                   "')\n"
                   "resource_tracker.unregister(m._name, 'shared_memory')\n"
                   "print(bytes(m.buf[:12]).decode(), m.size)\n"
                   "m.buf[:4] = b'back'\n"
                   "m.close()\n"),
            "hello python 64\n");
  EXPECT_EQ(text_in(memory), "backo python");
}

TEST(SharedMemory, MadeByPythonIsNotRemoved) {
  const std::string name = fresh_name("python");
  ASSERT_EQ(python("from multiprocessing import shared_memory, resource_tracker\n"
                   "m = shared_memory.SharedMemory('" +
                   name +
                   "', create=True, size=100)\n"
                   "m.buf[:3] = b'abc'\n"
                   "resource_tracker.unregister(m._name, 'shared_memory')\n"),
            "");
  {
    const auto memory = SharedMemory::attach(name);
    EXPECT_EQ(memory.size(), 100U);
    EXPECT_EQ(text_in(memory), "abc");
    mp::process::sweep_names();
  }
  EXPECT_TRUE(name_exists(name));
  SharedMemory::attach(name).unlink();
  EXPECT_FALSE(name_exists(name));
}

// As the header says: it takes the name of ours along, and nothing more.
TEST(SharedMemory, APythonWhoseTrackerIsNotToldTakesTheNameAlong) {
  const auto memory = SharedMemory::create(64);
  static_cast<void>(
      python("from multiprocessing import shared_memory\n"
             "m = shared_memory.SharedMemory('" +
             memory.name() +
             "')\n"
             "m.buf[:4] = b'seen'\n"));
  EXPECT_EQ(text_in(memory), "seen");
  wait_until([&] { return !name_exists(memory.name()); });
  EXPECT_THROW(memory.unlink(), mp::ProcessError);
  EXPECT_THROW(SharedMemory::attach(memory.name()), mp::ProcessError);
  EXPECT_EQ(text_in(memory), "seen");
}

// ------------------------------------------------------------------------------- killed owners

TEST(SharedMemory, OfAKilledChildGoesWhenTheChildIsJoined) {
  const std::string name = fresh_name("child");
  mp::Process child(
      [](const std::string& mine) {
        const auto memory = SharedMemory::create(64, mine);
        process_test::sleep_for_ever();
      },
      name);
  child.start();
  wait_until([&] { return name_exists(name); });
  child.kill();
  child.join();
  EXPECT_FALSE(name_exists(name));
}

/// A tree of its own, which makes blocks until it is killed.
pid_t start_maker(const std::string& prefix) {
  const std::string path = process_test::beside_tests("maker_program");
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::execl(path.c_str(), path.c_str(), prefix.c_str(), nullptr);
    ::_exit(127);
  }
  return pid;
}

std::vector<std::string> names_with(const std::string& prefix) {
  std::vector<std::string> found;
  for (int i = 0; i < 4; ++i) {
    if (const std::string name = prefix + std::to_string(i); name_exists(name)) {
      found.push_back(name);
    }
  }
  return found;
}

TEST(Pains, Pain06_NothingNamedIsLeftWhenTheWholeTreeIsKilledLong) {
  const unsigned seed = std::random_device()();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 25; ++round) {
    const std::string prefix = fresh_name("tree") + std::to_string(round) + "_";
    const pid_t maker = start_maker(prefix);
    wait_until([&] { return !names_with(prefix).empty(); });
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
    ::kill(maker, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(maker, &status, 0), maker);
    ASSERT_TRUE(WIFSIGNALED(status));
    wait_until([&] { return names_with(prefix).empty(); });
  }
}

}  // namespace
}  // namespace shared_test

// Names and files in /dev/shm that others make, take away, and make smaller; and a /dev/shm that
// has no room.

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "platform/named_memory.hpp"
#include "process/names.hpp"
#include "procession/process.hpp"
#include "procession/queue.hpp"
#include "procession/shareable_list.hpp"
#include "shared/support.hpp"
#include "support/kill_step.hpp"

namespace shared_test {
namespace {

using mp::ShareableList;
using mp::SharedMemory;

std::string path_of(const std::string& name) { return "/dev/shm/" + name; }

/// A file in /dev/shm that somebody else makes, removed at the end.
class Foreign {
 public:
  explicit Foreign(const std::string& name, std::size_t size = 64) : path_(path_of(name)) {
    make(size);
  }
  Foreign(const Foreign&) = delete;
  Foreign& operator=(const Foreign&) = delete;
  ~Foreign() { ::unlink(path_.c_str()); }

  /// Anew, after it was unlinked.
  void make(std::size_t size) const {
    const int file = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    EXPECT_GE(file, 0);
    EXPECT_EQ(::ftruncate(file, static_cast<off_t>(size)), 0);
    ::close(file);
  }
  void replace() const {
    ::unlink(path_.c_str());
    make(64);
  }
  [[nodiscard]] bool there() const { return ::access(path_.c_str(), F_OK) == 0; }

 private:
  std::string path_;
};

/// Runs `body` in a process of its own.
void in_a_process(const std::function<void()>& body) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    std::fflush(nullptr);
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

void expect_text(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

// ------------------------------------------------------------------------- another block's name

TEST(NamedHostile, AnAttachedBlockThatLostItsNameDoesNotUnlinkTheNextOne) {
  const Foreign file(fresh_name("attached"));
  const auto memory = SharedMemory::attach(fresh_name("attached"));
  file.replace();
  expect_text(text_of<mp::ProcessError>([&] { memory.unlink(); }), "another block has that name");
  EXPECT_TRUE(file.there());
  SharedMemory::attach(memory.name()).unlink();
  EXPECT_FALSE(file.there());
  expect_text(text_of<mp::ProcessError>([&] { memory.unlink(); }), "none of that name");
}

TEST(NamedHostile, AnOwnBlockThatLostItsNameDoesNotUnlinkTheNextOne) {
  const std::string name = fresh_name("own");
  {
    const auto memory = SharedMemory::create(64, name);
    memory.unlink();
    const Foreign file(name);
    expect_text(text_of<mp::ProcessError>([&] { memory.unlink(); }), "another block has that name");
    EXPECT_TRUE(file.there());
    mp::process::sweep_names();
    EXPECT_TRUE(file.there());
  }
  const auto unnamed = SharedMemory::create(64);
  unnamed.unlink();
  const Foreign file(unnamed.name());
  EXPECT_THROW(unnamed.unlink(), mp::ProcessError);
  EXPECT_TRUE(file.there());
}

TEST(NamedHostile, ALinkToTheBlockIsAnotherOne) {
  const std::string name = fresh_name("link");
  const auto memory = SharedMemory::create(64, fresh_name("linked"));
  ASSERT_EQ(::symlink(path_of(memory.name()).c_str(), path_of(name).c_str()), 0);
  EXPECT_THROW(SharedMemory::attach(name), mp::ProcessError);
  EXPECT_FALSE(mp::platform::remove_named_memory(
      name, mp::platform::named_memory_identity(memory.name()), name + "_aside"));
  EXPECT_EQ(::unlink(path_of(name).c_str()), 0) << "it is still there";
}

/// Gives the name to that file, whatever has it.
void point(const std::string& name, const std::string& file) {
  const std::string link = path_of(name) + "_link";
  ::unlink(link.c_str());
  ASSERT_EQ(::link(path_of(file).c_str(), link.c_str()), 0);
  ::rename(link.c_str(), path_of(name).c_str());
  ::unlink(link.c_str());
}

// The name is one block's and another's in turn, which changes at any instruction of who takes it
// from the first one. The second one keeps it.
TEST(NamedHostile, UnlinkTakesNoNameThatWasGivenMeanwhile) {
  const std::string name = fresh_name("race");
  const Foreign first(name + "_first");
  const Foreign second(name + "_second");
  const std::uint64_t of_first = mp::platform::named_memory_identity(name + "_first");
  const std::uint64_t of_second = mp::platform::named_memory_identity(name + "_second");
  std::atomic<int> calls = 0;
  std::atomic<bool> over = false;
  std::thread remover([&] {
    for (; !over; ++calls)
      static_cast<void>(mp::platform::remove_named_memory(name, of_first, name + "_aside"));
  });
  int lost = 0;
  for (int i = 0; i < 10'000; ++i) {
    point(name, name + "_first");
    point(name, name + "_second");
    // It may be aside for a moment.
    for (const int before = calls; mp::platform::named_memory_identity(name) != of_second;) {
      if (calls < before + 2) continue;
      lost += mp::platform::named_memory_identity(name) != of_second ? 1 : 0;
      break;
    }
  }
  over = true;
  remover.join();
  EXPECT_EQ(lost, 0);
  EXPECT_FALSE(name_exists(name + "_aside"));
  mp::platform::remove_named_memory(name);
}

TEST(NamedHostile, AnUnlinkThatWasKilledIsEndedByTheNext) {
  const std::string name = fresh_name("ended");
  const std::string aside = name + "_aside";
  const Foreign ours(aside);
  const std::uint64_t identity = mp::platform::named_memory_identity(aside);
  const Foreign other(name);
  EXPECT_TRUE(mp::platform::remove_named_memory(name, identity, aside));
  EXPECT_FALSE(ours.there());
  EXPECT_TRUE(other.there());
  // One that was taken in error gets its name back.
  ASSERT_TRUE(mp::platform::rename_named_memory(name, aside));
  EXPECT_FALSE(mp::platform::remove_named_memory(name, identity, aside));
  EXPECT_TRUE(other.there());
  EXPECT_FALSE(name_exists(aside));
  // Unless somebody has given it to a third one.
  const Foreign taken(aside);
  EXPECT_FALSE(mp::platform::remove_named_memory(name, identity, aside));
  EXPECT_TRUE(other.there());
  EXPECT_FALSE(name_exists(aside));
}

TEST(NamedHostile, WhatIsSentIsTheBlockAndNotItsName) {
  const std::string name = fresh_name("sent");
  const mp::Queue<SharedMemory> queue;
  const Foreign file(name);
  {
    const auto memory = SharedMemory::attach(name);
    queue.put(memory);
    file.replace();
    expect_text(text_of<mp::ProcessError>([&] { queue.get(); }), "another block has that name");
  }
  queue.put(SharedMemory::attach(name));
  EXPECT_EQ(queue.get().size(), 64U);
}

TEST(NamedHostile, ANameWhoseOwnerHasEndedUnseenIsFree) {
  const std::string name = fresh_name("free");
  auto memory = SharedMemory::create(64, name);
  int go[2];
  ASSERT_EQ(::pipe(go), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    char byte = 0;
    ::_exit(::read(go[0], &byte, 1) == 1 ? 0 : 1);
  }
  memory.close();
  EXPECT_TRUE(name_exists(name)) << "the child has it";
  EXPECT_THROW(SharedMemory::create(64, name), mp::ProcessError);
  ASSERT_EQ(::write(go[1], "x", 1), 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_NO_THROW(SharedMemory::create(64, name));
  EXPECT_FALSE(name_exists(name));
  ::close(go[0]);
  ::close(go[1]);
}

#ifndef NDEBUG

void unlink_and_die(const std::string& name, std::size_t step) {
  const auto memory = SharedMemory::attach(name);
  kill_step::arm(step);
  memory.unlink();
  kill_step::disarm();
}

/// The names of that block but for this one.
std::string other_names(std::uint64_t identity, const std::string& name) {
  std::string all;
  for (const auto& entry : std::filesystem::directory_iterator("/dev/shm")) {
    const std::string found = entry.path().filename().string();
    if (found != name && mp::platform::named_memory_identity(found) == identity) all += found + " ";
  }
  return all;
}

// Of another tree's block: no other name of it is left behind, whatever was begun.
TEST(NamedHostile, AnUnlinkThatIsKilledLeavesNoOtherName) {
  const std::string name = fresh_name("killed");
  bool killed = true;
  for (std::size_t step = 1; killed && !HasFailure(); step += 5) {
    const Foreign file(name);
    const std::uint64_t identity = mp::platform::named_memory_identity(name);
    mp::Process process({}, unlink_and_die, name, step);
    process.start();
    process.join();
    killed = process.exitcode() == -SIGKILL;
    EXPECT_TRUE(killed || process.exitcode() == 0) << "step " << step;
    EXPECT_TRUE(killed || !file.there());
    EXPECT_EQ(other_names(identity, name), "") << "step " << step;
  }
}

#endif

// --------------------------------------------------------------------- files that are no memory

TEST(NamedHostile, WhatIsNoMemoryIsSaidToBeNone) {
  const std::string name = fresh_name("other");
  ASSERT_EQ(::mkfifo(path_of(name).c_str(), 0600), 0);
  expect_text(text_of<mp::ProcessError>([&] { SharedMemory::attach(name); }), "is no memory");
  ::unlink(path_of(name).c_str());
  ASSERT_EQ(::mkdir(path_of(name).c_str(), 0700), 0);
  expect_text(text_of<mp::ProcessError>([&] { SharedMemory::attach(name); }), name);
  ::rmdir(path_of(name).c_str());
}

TEST(NamedHostile, AnEmptyBlockIsAnErrorThatSaysSo) {
  const std::string name = fresh_name("empty");
  const Foreign file(name, 0);
  for (const auto& attach : {std::function<void()>([&] { SharedMemory::attach(name); }),
                             std::function<void()>([&] { SharedMemory::attach(name, 64); }),
                             std::function<void()>([&] { ShareableList::attach(name); })}) {
    expect_text(text_of<mp::ProcessError>(attach), "found it empty");
  }
  EXPECT_TRUE(file.there());
}

TEST(NamedHostile, ABlockThatNoProcessCanMapIsAnError) {
  const std::string name = fresh_name("huge");
  const Foreign file(name, std::size_t{1} << 62);
  expect_text(text_of<mp::OutOfMemory>([&] { SharedMemory::attach(name); }), "address space");
}

TEST(NamedHostile, AListWhoseBlockWasMadeSmallerIsAnError) {
  const ShareableList list({1, 2.5, "some text"});
  for (const off_t left : {90, 8, 0}) {
    ASSERT_EQ(::truncate(path_of(list.shm().name()).c_str(), left), 0);
    EXPECT_THROW(static_cast<void>(list.get(2)), mp::DecodeError) << left;
    EXPECT_THROW(static_cast<void>(list.size()), mp::DecodeError) << left;
    EXPECT_THROW(static_cast<void>(list.items()), mp::DecodeError) << left;
    EXPECT_THROW(list.set(0, 5), mp::DecodeError) << left;
    EXPECT_THROW(ShareableList::attach(list.shm().name()), mp::ProcessError) << left;
  }
}

// ------------------------------------------------------------------------------- without room

/// Runs `body` in a process for which /dev/shm is a file system of its own.
void with_own_shm(const char* options, const std::function<void()>& body) {
  in_a_process([&] {
    if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
      std::puts("no namespace of mounts to be had: left out");
      return;
    }
    ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    if (::mount("tmpfs", "/dev/shm", "tmpfs", 0, options) != 0) {
      std::puts("no mount to be had: left out");
      return;
    }
    body();
  });
}

std::string names_in_shm() {
  std::string all;
  for (const auto& entry : std::filesystem::directory_iterator("/dev/shm"))
    all += entry.path().filename().string() + " ";
  return all;
}

TEST(NamedHostile, WithoutInodesIsALackOfMemoryThatSaysSo) {
  with_own_shm("size=1m,nr_inodes=3", [] {  // of which one is the folder's
    const auto first = SharedMemory::create(64, "first");
    {
      const auto second = SharedMemory::create(64);
      expect_text(text_of<mp::OutOfMemory>([] { SharedMemory::create(64, "third"); }), "inode");
      expect_text(text_of<mp::OutOfMemory>([] { ShareableList({1}); }), "inode");
    }
    EXPECT_EQ(names_in_shm(), "first ");
    EXPECT_EQ(SharedMemory::create(64, "third").size(), 64U);
  });
}

TEST(NamedHostile, WithoutRoomIsALackOfMemoryAndTakesNone) {
  with_own_shm("size=1m", [] {
    const auto first = SharedMemory::create(900'000);
    expect_text(text_of<mp::OutOfMemory>([] { SharedMemory::create(500'000, "next"); }), "is full");
    EXPECT_EQ(names_in_shm(), first.name() + " ");
    EXPECT_EQ(SharedMemory::create(100'000, "next").size(), 100'000U);
  });
}

TEST(NamedHostile, WithoutLimitsOfTheFileSystemLargeSizesAreALackOfMemory) {
  with_own_shm("size=0", [] {  // as much as one likes
    for (const int bits : {62, 63}) {
      const std::size_t size = std::size_t{1} << bits;
      expect_text(text_of<mp::OutOfMemory>([&] { SharedMemory::create(size); }),
                  std::to_string(size));
    }
    expect_text(text_of<mp::OutOfMemory>([] { SharedMemory::create(~std::size_t{0}); }),
                "18446744073709551615");
    EXPECT_EQ(names_in_shm(), "");
  });
}

TEST(NamedHostile, WhatOnlyTheDeadHaveIsGivenBackBeforeThereIsNoRoom) {
  with_own_shm("size=1m", [] {
    auto first = SharedMemory::create(900'000);
    int go[2];
    ASSERT_EQ(::pipe(go), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      char byte = 0;
      ::_exit(::read(go[0], &byte, 1) == 1 ? 0 : 1);
    }
    first.close();
    ASSERT_EQ(::write(go[1], "x", 1), 1);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(SharedMemory::create(900'000).size(), 900'000U);
  });
}

TEST(NamedHostile, ALimitOfFileSizesIsALackOfMemoryAndNoSignal) {
  in_a_process([] {
    const auto before = SharedMemory::create(64);  // the heap is there, and its janitor
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = 100'000;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    expect_text(text_of<mp::OutOfMemory>([] { SharedMemory::create(100'001); }), "ulimit -f");
    expect_text(text_of<mp::OutOfMemory>([] { SharedMemory::create(100'001, "some_name"); }),
                "'some_name'");
    EXPECT_EQ(SharedMemory::create(100'000).size(), 100'000U);
  });
}

}  // namespace
}  // namespace shared_test

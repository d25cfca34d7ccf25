#include <fcntl.h>
#include <sys/resource.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "heap/reserve.hpp"
#include "platform/memory.hpp"
#include "procession/error.hpp"
#include "support.hpp"

namespace procession::heap {
namespace {

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Reserve, IsReadWithSuffixes) {
  EXPECT_EQ(parse_reserve("1048576", "x"), kMebi);
  EXPECT_EQ(parse_reserve("512K", "x"), kMebi / 2);
  EXPECT_EQ(parse_reserve("3m", "x"), 3 * kMebi);
  EXPECT_EQ(parse_reserve("2G", "x"), 2048 * kMebi);
  EXPECT_EQ(parse_reserve("1T", "x"), 1024 * 1024 * kMebi);
  for (const char* bad : {"", "x", "-1", "1.5G", "10 G", "5GB", "0", "12", "99999999999999999999",
                          "99999999999999T"}) {
    EXPECT_THROW(parse_reserve(bad, "x"), ProcessError) << bad;
  }
}

TEST(Reserve, BadTextOfTheEnvironmentIsShown) {
  with_new_heap("lots", [] {
    const std::string text = message_of([] { ensure(); });
    EXPECT_NE(text.find("'lots'"), std::string::npos) << text;
    EXPECT_NE(text.find("PROCESSION_HEAP"), std::string::npos) << text;
    EXPECT_FALSE(exists());
  });
}

TEST(Reserve, CanBeSetBeforeButNotAfter) {
  with_new_heap("", [] {
    set_reserve(32 * kMebi);
    ensure();
    EXPECT_EQ(audit().reserve, 32 * kMebi);
    EXPECT_THROW(set_reserve(64 * kMebi), ProcessError);
  });
}

TEST(Reserve, IsTheMachinesMemoryByDefault) {
  if (kSanitized) GTEST_SKIP();
  with_new_heap("", [] {
    ensure();
    EXPECT_GE(audit().reserve, platform::physical_memory());
    EXPECT_LT(platform::file_memory(descriptor()), kMebi) << "and takes none";
  });
}

TEST(Reserve, LeavesHalfOfALimitedAddressSpace) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer maps terabytes";
  with_new_heap("", [] {
    const rlimit limit{512 * kMebi, 512 * kMebi};
    ASSERT_EQ(::setrlimit(RLIMIT_AS, &limit), 0);
    ensure();
    EXPECT_LE(2 * audit().reserve, 256 * kMebi);
    EXPECT_GE(2 * audit().reserve, 128 * kMebi);
    const std::vector<char> others(100 * kMebi);
    EXPECT_NO_THROW(Block(10 * kMebi));
  });
}

TEST(Reserve, TooLittleAddressSpaceIsAnException) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer maps terabytes";
  with_new_heap("", [] {
    const std::uint64_t used = 1024 * kMebi - [] {
      const rlimit limit{1024 * kMebi, RLIM_INFINITY};
      EXPECT_EQ(::setrlimit(RLIMIT_AS, &limit), 0);
      return platform::address_space_left();
    }();
    const rlimit limit{used + 300 * kKibi, RLIM_INFINITY};
    ASSERT_EQ(::setrlimit(RLIMIT_AS, &limit), 0);
    const std::string text = message_of([] { ensure(); });
    EXPECT_NE(text.find("RLIMIT_AS"), std::string::npos) << text;
  });
}

TEST(Reserve, StaysBelowTheLimitOfFileSizes) {
  with_new_heap("", [] {
    const rlimit limit{40 * kMebi, 40 * kMebi};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    ensure();
    EXPECT_EQ(audit().reserve, 16 * kMebi) << "for each region, and something to keep them apart";
    for (const Region region : {Region::library, Region::users}) {
      Block block(12 * kMebi, false, region);
      std::memset(block.data(), 1, block.size());
    }
  });
}

TEST(Reserve, SaysWhatIsLeftUnderALimitThatIsTooLow) {
  with_new_heap("", [] {
    const rlimit limit{100'000, 100'000};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    const std::string text = message_of([] { ensure(); });
    EXPECT_NE(text.find("RLIMIT_FSIZE"), std::string::npos) << text;
    EXPECT_NE(text.find("needs 262144"), std::string::npos) << text;
  });
}

TEST(Adopt, MapsTheSameHeap) {
  ensure();
  const HoldId hold_id = allocate(100, self(), true);
  *at<int>(target(hold_id)) = 41;
  const int heap = descriptor();
  EXPECT_TRUE((::fcntl(heap, F_GETFD) & FD_CLOEXEC) != 0);
  EXPECT_EQ(join(fork_child([&] {
              testing::forget();
              adopt(heap);
              EXPECT_TRUE(exists());
              EXPECT_EQ(self(), 0U);
              EXPECT_GE(descriptor(), 16) << "out of the way of standard descriptors";
              EXPECT_THROW(adopt(heap), ProcessError);
              ++*at<int>(target(hold_id));
              drop(hold(target(hold_id), root()));
            })),
            0);
  EXPECT_EQ(*at<int>(target(hold_id)), 42);
  drop(hold_id);
  audit();
}

TEST(Adopt, RefusesWhatIsNoHeap) {
  EXPECT_EQ(join(fork_child([] {
              testing::forget();
              EXPECT_NE(message_of([] { adopt(-1); }).find("closed"), std::string::npos);
              EXPECT_NE(message_of([] { adopt(987); }).find("descriptor 987"), std::string::npos);
              int ends[2];
              ASSERT_EQ(::pipe(ends), 0);
              EXPECT_THROW(adopt(ends[0]), ProcessError);
              const auto file = platform::create_memory_file("other", kMebi);
              EXPECT_NE(message_of([&] { adopt(file.get()); }).find("no such heap"),
                        std::string::npos);
              EXPECT_FALSE(exists());
            })),
            0);
}

TEST(Adopt, NeedsRoomForAllOfIt) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer maps terabytes";
  with_new_heap("1G", [] {
    ensure();
    const int heap = descriptor();
    testing::forget();
    const rlimit limit{1024 * kMebi, 1024 * kMebi};
    ASSERT_EQ(::setrlimit(RLIMIT_AS, &limit), 0);
    const std::string text = message_of([&] { adopt(heap); });
    EXPECT_NE(text.find("RLIMIT_AS"), std::string::npos) << text;
  });
}

TEST(Ensure, ByManyThreadsMakesOneHeap) {
  with_new_heap("64M", [] {
    std::vector<std::thread> threads;
    std::vector<int> found(8);
    for (int& one : found) {
      threads.emplace_back([&one] {
        ensure();
        static_cast<void>(Block(100).release());
        one = descriptor();
      });
    }
    for (std::thread& thread : threads)
      thread.join();
    for (const int one : found)
      EXPECT_EQ(one, descriptor());
    EXPECT_EQ(audit().blocks, found.size() + 1);
  });
}

TEST(Alive, FollowsTheProcess) {
  ensure();
  const HoldId record = allocate(kRecordBytes, root(), true);
  EXPECT_TRUE(alive(self()));
  EXPECT_FALSE(alive(target(record)));
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = fork_child([&] {
    set_self(target(record));
    mark_alive(self());
    EXPECT_EQ(::write(ready[1], "x", 1), 1);
    for (;;)
      ::pause();
  });
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_TRUE(alive(target(record)));
  EXPECT_THROW(mark_alive(target(record)), ProcessError);
  EXPECT_EQ(::kill(child, SIGKILL), 0);
  EXPECT_EQ(join(child), -SIGKILL);
  EXPECT_FALSE(alive(target(record)));
  drop(record);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(Heap, LeavesNothingInTheFileSystem) {
  ensure();
  static_cast<void>(Block(kMebi));
  for (const auto& entry : std::filesystem::directory_iterator("/dev/shm")) {
    EXPECT_EQ(entry.path().string().find("procession"), std::string::npos) << entry.path();
  }
}

}  // namespace
}  // namespace procession::heap

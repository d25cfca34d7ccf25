#include "platform/mutex.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

namespace procession::platform {
namespace {

class Shared : public ::testing::Test {
 protected:
  void SetUp() override {
    memory_ = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory_, MAP_FAILED);
    std::memset(memory_, 0xEE, 4096);
    mutex().init();
  }
  void TearDown() override { ::munmap(memory_, 4096); }

  RobustMutex& mutex() { return *static_cast<RobustMutex*>(memory_); }

  /// A child that takes the mutex and is killed.
  void die_with_it() {
    const pid_t child = ::fork();
    if (child == 0) {
      static_cast<void>(mutex().lock());
      ::raise(SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
  }

  void* memory_ = nullptr;
};

TEST_F(Shared, MutexExcludes) {
  long count = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 10'000; ++n) {
        const LockResult result = mutex().lock();
        EXPECT_TRUE(result.acquired && !result.previous_owner_died);
        ++count;
        mutex().unlock();
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(count, 40'000);
}

TEST_F(Shared, MutexIsOwnedByThoseWhoLive) {
  EXPECT_FALSE(mutex().owned());
  std::thread([&] {
    ASSERT_TRUE(mutex().lock().acquired);
    EXPECT_TRUE(mutex().owned());
    mutex().unlock();
    EXPECT_FALSE(mutex().owned());
    ASSERT_TRUE(mutex().lock().acquired);
  }).join();
  EXPECT_FALSE(mutex().owned()) << "the thread ended with it";
  const LockResult result = mutex().lock();
  EXPECT_TRUE(result.acquired && result.previous_owner_died);
  EXPECT_TRUE(mutex().owned());
  mutex().make_consistent();
  mutex().unlock();
  die_with_it();
  EXPECT_FALSE(mutex().owned());
}

TEST_F(Shared, MutexTryLockDoesNotWait) {
  ASSERT_TRUE(mutex().lock().acquired);
  std::thread([&] { EXPECT_FALSE(mutex().try_lock().acquired); }).join();
  mutex().unlock();
  EXPECT_TRUE(mutex().try_lock().acquired);
  mutex().unlock();
}

TEST_F(Shared, MutexOfADeadOwnerIsInheritedOnce) {
  die_with_it();
  LockResult result = mutex().lock();
  EXPECT_TRUE(result.acquired);
  EXPECT_TRUE(result.previous_owner_died);
  mutex().make_consistent();
  mutex().unlock();
  result = mutex().try_lock();
  EXPECT_TRUE(result.acquired);
  EXPECT_FALSE(result.previous_owner_died);
  mutex().unlock();
}

// One was woken and killed, and another one took the lock in passing: its unlock wakes nobody.
TEST_F(Shared, MutexIsGotThoughTheWakeUpWasLost) {
  ASSERT_TRUE(mutex().lock().acquired);
  const auto word = [&] {
    return std::atomic_ref<std::uint32_t>(*static_cast<std::uint32_t*>(memory_));
  };
  std::thread waiter([&] {
    EXPECT_TRUE(mutex().lock().acquired);
    mutex().unlock();
  });
  constexpr std::uint32_t kWaiters = 0x80000000;  // FUTEX_WAITERS
  while ((word() & kWaiters) == 0)
    std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  word() &= ~kWaiters;
  mutex().unlock();
  waiter.join();
}

TEST_F(Shared, MutexThatNobodyRepairedIsLost) {
  die_with_it();
  EXPECT_TRUE(mutex().lock().acquired);
  mutex().unlock();
  EXPECT_FALSE(mutex().lock().acquired);
}

}  // namespace
}  // namespace procession::platform

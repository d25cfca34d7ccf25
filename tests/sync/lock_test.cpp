#include "procession/lock.hpp"

#include <signal.h>

#include <mutex>
#include <random>

#include "process/support.hpp"
#include "procession/array.hpp"
#include "procession/value.hpp"

namespace sync_test {
namespace {

namespace mp = procession;
using namespace std::chrono_literals;
using mp::StartMethod;
using process_test::sleep_for_ever;
using process_test::text_of;
using process_test::wait_until;

class LockBy : public testing::TestWithParam<StartMethod> {};

void add_in_steps(const mp::Lock& lock, const mp::Array<long>& numbers) {
  for (int i = 0; i < 2000; ++i) {
    const std::scoped_lock guard(lock);
    const long seen = numbers[0];
    numbers[1] = i;
    numbers[0] = seen + 1;
  }
}

TEST_P(LockBy, ExcludesTheOthers) {
  const mp::Lock lock;
  const mp::Array<long> numbers(2);
  std::vector<mp::Process> processes;
  for (int i = 0; i < 4; ++i) {
    processes.emplace_back(mp::ProcessOptions{.start_method = GetParam()}, add_in_steps, lock,
                           numbers);
    processes.back().start();
  }
  for (mp::Process& process : processes)
    process.join();
  EXPECT_EQ(numbers[0], 8000);
  EXPECT_TRUE(lock.try_lock());
  EXPECT_FALSE(lock.owner_died());
  lock.unlock();
}

void lock_and_go(const mp::Lock& lock) { lock.lock(); }

TEST_P(LockBy, PassesOnWhenItsOwnerEndsAndSaysSo) {
  const mp::Lock lock;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(process_test::exitcode_of(GetParam(), lock_and_go, lock), 0);
    lock.lock();
    EXPECT_TRUE(lock.owner_died());
    lock.unlock();
    lock.lock();
    EXPECT_FALSE(lock.owner_died());
    lock.unlock();
  }
}

INSTANTIATE_TEST_SUITE_P(All, LockBy,
                         testing::Values(StartMethod::forkserver, StartMethod::spawn,
                                         StartMethod::fork, StartMethod::thread),
                         [](const auto& test) { return mp::to_string(test.param); });

TEST(Lock, TimesOutWhileAnotherHasIt) {
  const mp::Lock lock;
  const mp::Array<int> there(1);
  mp::Process owner(
      [](const mp::Lock& mine, const mp::Array<int>& flag) {
        mine.lock();
        std::atomic_ref<int>(flag[0]).store(1);
        sleep_for_ever();
      },
      lock, there);
  owner.start();
  wait_until([&] { return std::atomic_ref(there[0]) == 1; });
  EXPECT_FALSE(lock.try_lock());
  EXPECT_FALSE(lock.try_lock_for(20ms));
  EXPECT_NE(text_of<mp::ProcessError>([&] { lock.unlock(); }).find("another thread or process"),
            std::string::npos);
  EXPECT_THROW(static_cast<void>(lock.owner_died()), mp::ProcessError);
  EXPECT_FALSE(lock.try_lock_for(-1ns));
  owner.kill();
  lock.lock();  // waits for the death
  EXPECT_TRUE(lock.owner_died());
  lock.unlock();
}

TEST(Lock, RefusesWhatWouldHang) {
  const mp::Lock lock;
  EXPECT_NE(text_of<mp::ProcessError>([&] { lock.unlock(); }).find("nobody has locked"),
            std::string::npos);
  lock.lock();
  EXPECT_NE(text_of<mp::ProcessError>([&] { lock.lock(); }).find("use an RLock"),
            std::string::npos);
  EXPECT_THROW(static_cast<void>(lock.try_lock_for(1ms)), mp::ProcessError);
  EXPECT_FALSE(lock.try_lock()) << "it waits for nothing, as Python's acquire(False)";
  lock.unlock();
}

TEST(Lock, OfANewThreadIsNotThatOfADeadOne) {
  const mp::Lock lock;
  for (int i = 0; i < 5; ++i) {
    std::thread([&] { lock.lock(); }).join();  // the next thread may lie where this one lay
    std::thread([&] {
      lock.lock();
      EXPECT_TRUE(lock.owner_died());
      lock.unlock();
    }).join();
  }
}

TEST(Lock, DroppedWhileItIsLockedHarmsNobody) {
  for (int i = 0; i < 20; ++i) {
    const mp::Lock lost;
    lost.lock();
  }
  for (int i = 0; i < 100; ++i) {
    const mp::Lock lock;
    const std::scoped_lock guard(lock);
  }
}

TEST(RLock, CountsItsLevels) {
  const mp::RLock lock;
  lock.lock();
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
  std::thread([&] { EXPECT_FALSE(lock.try_lock()); }).join();
  lock.unlock();
  std::thread([&] {
    EXPECT_TRUE(lock.try_lock());
    lock.unlock();
  }).join();
  EXPECT_THROW(lock.unlock(), mp::ProcessError);
}

TEST(RLock, OfADeadOwnerStartsAtOneLevel) {
  const mp::RLock lock;
  mp::Process owner(
      [](const mp::RLock& mine) {
        mine.lock();
        mine.lock();
      },
      lock);
  owner.start();
  owner.join();
  lock.lock();
  EXPECT_TRUE(lock.owner_died());
  lock.unlock();
  EXPECT_THROW(lock.unlock(), mp::ProcessError);
}

// ------------------------------------------------------------------------------------------ kills

struct Pair {
  long first;
  long second;
};

void change_pair(const mp::Lock& lock, const mp::Array<Pair>& pair) {
  for (;;) {
    const std::scoped_lock guard(lock);
    if (lock.owner_died()) pair[0].second = pair[0].first;
    if (pair[0].first != pair[0].second) std::abort();
    ++pair[0].first;
    ++pair[0].second;
  }
}

TEST(Pains, Pain02_ALockOutlivesItsKilledHoldersLong) {
  const unsigned seed = std::random_device()();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  const mp::Lock lock;
  const mp::Array<Pair> pair(1);
  std::vector<std::unique_ptr<mp::Process>> processes(3);
  for (int round = 0; round < 150; ++round) {
    auto& process = processes[random() % processes.size()];
    if (process != nullptr) {
      process->kill();
      process->join();
      EXPECT_EQ(process->exitcode(), -SIGKILL);
    }
    process = std::make_unique<mp::Process>(change_pair, lock, pair);
    process->start();
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 2000));
    const std::scoped_lock guard(lock);
    if (lock.owner_died()) pair[0].second = pair[0].first;
    ASSERT_EQ(pair[0].first, pair[0].second);
  }
  for (auto& process : processes) {
    if (process != nullptr) process->kill();
  }
}

// ----------------------------------------------------------------------------------- Value, Array

class ValueBy : public testing::TestWithParam<StartMethod> {};

void count_up(const mp::Value<long>& value, int times) {
  for (int i = 0; i < times; ++i)
    ++value;
}

TEST_P(ValueBy, CountsExactly) {
  const mp::Value<long> value(5);
  std::vector<mp::Process> processes;
  for (int i = 0; i < 3; ++i) {
    processes.emplace_back(mp::ProcessOptions{.start_method = GetParam()}, count_up, value, 3000);
    processes.back().start();
  }
  for (mp::Process& process : processes)
    process.join();
  EXPECT_EQ(value.value(), 9005);
}

INSTANTIATE_TEST_SUITE_P(All, ValueBy,
                         testing::Values(StartMethod::forkserver, StartMethod::spawn,
                                         StartMethod::fork, StartMethod::thread),
                         [](const auto& test) { return mp::to_string(test.param); });

TEST(Value, HasTheOperatorsOfANumber) {
  const mp::Value<int> value(10);
  EXPECT_EQ(value += 5, 15);
  EXPECT_EQ(value -= 1, 14);
  EXPECT_EQ(++value, 15);
  EXPECT_EQ(value++, 15);
  EXPECT_EQ(--value, 15);
  EXPECT_EQ(value--, 15);
  EXPECT_EQ(value.update([](int v) { return v * 2; }), 28);
  EXPECT_EQ(value.update([](int& v) { v += 2; }), 30);
  value.set_value(3);
  EXPECT_EQ(value.unsynchronized(), 3);
  EXPECT_THROW(value.update([](int) -> int { throw std::runtime_error("no"); }),
               std::runtime_error);
  EXPECT_EQ(value.value(), 3);
}

TEST(Value, SharesItsLock) {
  const mp::Value<int> value(0);
  const mp::RLock lock = value.get_lock();
  const std::scoped_lock guard(lock);
  ++value;  // this thread has it already
  std::thread([&] { EXPECT_FALSE(value.get_lock().try_lock()); }).join();
}

struct Large {
  std::array<std::uint64_t, 512> words;
};

void write_large(const mp::Value<Large>& value) {
  for (std::uint64_t n = 0;; ++n) {
    Large next;
    next.words.fill(n);
    value.set_value(next);
  }
}

TEST(Value, IsNeverTornByAKillLong) {
  const unsigned seed = std::random_device()();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  const mp::Value<Large> value;
  for (int round = 0; round < 150; ++round) {
    mp::Process writer(write_large, value);
    writer.start();
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 2000));
    writer.kill();
    writer.join();
    const Large found = value.value();
    for (const std::uint64_t word : found.words)
      ASSERT_EQ(word, found.words[0]);
  }
}

TEST(Array, IsZeroedAndTakesRanges) {
  const mp::Array<int> zeros(1000);
  EXPECT_EQ(std::ranges::count(zeros, 0), 1000);
  const mp::Array<int> listed{3, 1, 2};
  std::ranges::sort(listed);
  EXPECT_EQ(std::vector<int>(listed.begin(), listed.end()), (std::vector{1, 2, 3}));
  const std::vector<int> source{5, 6};
  const mp::Array<double> copied(source);
  EXPECT_EQ(copied[1], 6.0);
  const std::span<double> span = copied;
  EXPECT_EQ(span.size(), 2U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(copied.data()) % 64, 0U);
  EXPECT_TRUE(mp::Array<int>().empty());
  EXPECT_THROW(static_cast<void>(mp::Array<int>().get_lock()), mp::ProcessError);
  const mp::Array<int> none(0);
  EXPECT_EQ(none.size(), 0U);
}

TEST(Array, IsTheSameMemoryInAnotherProcess) {
  const mp::Array<int> array{1, 2, 3};
  mp::Process process(
      [](const mp::Array<int>& a) {
        const mp::RLock lock = a.get_lock();
        const std::scoped_lock guard(lock);
        for (int& element : a)
          element *= 2;
      },
      array);
  process.start();
  process.join();
  EXPECT_EQ(array[2], 6);
}

TEST(Pains, Pain22_OutOfMemoryIsAnExceptionAtAllocation) {
  EXPECT_THROW(mp::Array<char>(std::size_t{1} << 50), mp::OutOfMemory);
  EXPECT_THROW(mp::Array<double>(std::size_t{1} << 62), mp::OutOfMemory);
  const mp::Array<char> works(100);
  works[99] = 1;
}

}  // namespace
}  // namespace sync_test

// Many clients that call at once, which one thread of the server answers.

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "manager/support.hpp"

namespace manager_test {
namespace {

using namespace std::chrono_literals;
using process_test::Board;
using process_test::board;
using process_test::sleep_for_ever;

struct CrowdSigns {
  std::atomic<int> stuck;
  std::atomic<int> go;
  std::atomic<int> ready;
};

class Sequence {
 public:
  int next() { return ++count_; }
  void wait_for(std::uint64_t place) const {
    ++board<CrowdSigns>(place).stuck;
    wait_until([&] { return board<CrowdSigns>(place).go != 0; });
  }

 private:
  int count_ = 0;
};

using SequenceProxy = mp::Proxy<Sequence>;

void call_often(const SequenceProxy& counter, int times) {
  for (int n = 0; n < times; ++n)
    counter.call<&Sequence::next>();
}

/// Threads that call a counter as fast as they can, many more than there are processors for, to the
/// end of the scope.
class Callers {
 public:
  static unsigned number() { return 6 * std::max(2U, std::thread::hardware_concurrency()); }

  explicit Callers(const SequenceProxy& counter) : calls_(number()) {
    for (std::atomic<int>& calls : calls_) {
      threads_.emplace_back([this, &calls, counter] {
        while (!over_) {
          counter.call<&Sequence::next>();
          ++calls;
        }
      });
    }
    await_progress();
  }
  Callers(const Callers&) = delete;
  Callers& operator=(const Callers&) = delete;
  ~Callers() {
    over_ = true;
    for (std::thread& thread : threads_)
      thread.join();
  }

  /// Returns when every one of them has made so many more calls.
  void await_progress() {
    for (std::atomic<int>& calls : calls_) {
      const int before = calls;
      wait_until([&] { return calls > before + 100; });
    }
  }

 private:
  std::vector<std::atomic<int>> calls_;
  std::atomic<bool> over_{false};
  std::vector<std::thread> threads_;
};

class InACrowd : public Managed {};
PROCESSION_BY_ALL_METHODS(InACrowd);

TEST_P(InACrowd, ASlowCallHoldsUpNobodyElse) {
  constexpr int kSlow = 4;
  const mp::Manager manager = make_manager();
  const Board<CrowdSigns> signs;
  Callers callers(manager.create<Sequence>());
  std::vector<std::thread> slow;
  for (int i = 0; i < kSlow; ++i) {
    slow.emplace_back([&, counter = manager.create<Sequence>()] {
      // So that whoever answers the others answers the slow call too.
      call_often(counter, 200);
      counter.call<&Sequence::wait_for>(signs.place());
      call_often(counter, 200);
    });
    wait_until([&] { return signs->stuck == i + 1; });
    callers.await_progress();
  }
  signs->go = 1;
  for (std::thread& thread : slow)
    thread.join();
  callers.await_progress();
}

TEST_P(InACrowd, EachIsAnsweredForItself) {
  const mp::Manager manager = make_manager();
  const auto lock = manager.rlock();
  const auto value = manager.value<int>(0);
  Callers callers(manager.create<Sequence>());
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, counter = manager.create<Sequence>()] {
      for (int n = 1; n <= 20; ++n) {
        call_often(counter, 9);
        // Who waits for it may be answered by a thread that is another session's afterwards. A lock
        // that took it for another caller's would refuse.
        lock.lock();
        lock.lock();
        value.set_value(value.value() + 1);
        lock.unlock();
        lock.unlock();
        EXPECT_EQ(counter.call<&Sequence::next>(), 10 * n);
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(value.value(), 8 * 20);
}

TEST_P(InACrowd, TheLockOfAKilledOwnerIsFree) {
  const mp::Manager manager = make_manager();
  const Board<CrowdSigns> signs;
  const auto lock = manager.lock();
  const auto counter = manager.create<Sequence>();
  Callers callers(counter);
  mp::Process process = started(
      GetParam() == StartMethod::spawn ? StartMethod::spawn : StartMethod::forkserver,
      [](const mp::LockProxy& shared, const SequenceProxy& called, std::uint64_t place) {
        call_often(called, 200);
        shared.lock();
        board<CrowdSigns>(place).ready = 1;
        for (;;)
          called.call<&Sequence::next>();
      },
      lock, counter, signs.place());
  wait_until([&] { return signs->ready == 1; });
  EXPECT_FALSE(lock.try_lock());
  process.kill();
  process.join();
  lock.lock();
  EXPECT_TRUE(lock.owner_died());
  lock.unlock();
  callers.await_progress();
}

}  // namespace
}  // namespace manager_test

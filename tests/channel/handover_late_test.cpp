// A consumer that has taken an offer and stands still, at one step after the other, until its
// producer has withdrawn it and put the item as ever; or is about to withdraw it, and is late.

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "channel/handover.hpp"
#include "channel/handover_support.hpp"
#include "heap/testing.hpp"
#include "platform/cpu.hpp"

#ifndef NDEBUG

namespace channel_test {
namespace {

namespace mp = procession;
using namespace std::chrono_literals;

/// Calls a function at each step of the thread that makes it, to the end of the scope.
class AtEachStep {
 public:
  explicit AtEachStep(std::function<void()> call) : call_(std::move(call)) {
    mine_ = &call_;
    mp::heap::testing::on_step = [] {
      if (mine_ != nullptr) (*mine_)();
    };
  }
  AtEachStep(const AtEachStep&) = delete;
  AtEachStep& operator=(const AtEachStep&) = delete;
  ~AtEachStep() { mine_ = nullptr; }

 private:
  static inline thread_local std::function<void()>* mine_ = nullptr;

  std::function<void()> call_;
};

enum class Result { stood_still, handed_over, neither };

/// Puts an item for a consumer that stands still at the `step`th step with the offer in its hands,
/// if it gets there. `again`: when it goes on, somebody else has got that item, and another one is
/// put, which may be offered too.
Result round(std::size_t step, bool again) {
  const ByteQueue queue;
  mp::channel::QueueObject& object = object_of(queue);
  std::atomic<bool> stood_still{false};
  std::atomic<bool> go_on{false};
  std::optional<Bytes> got;
  std::thread consumer([&] {
    const AtEachStep hook([&, steps = std::size_t{0}]() mutable {
      if (mp::channel::offer_of(object).state() != mp::channel::Offer::taken || ++steps != step)
        return;
      stood_still = true;
      while (!go_on)
        std::this_thread::sleep_for(100us);
    });
    got = queue.get();
  });
  std::this_thread::sleep_for(1ms);  // it waits by then
  queue.put(numbered(0, 1));
  const bool next = again && stood_still;
  if (next) {
    EXPECT_TRUE(queue.try_get() == numbered(0, 1));
    object.pause = 0;
    go_on = true;
    queue.put(numbered(0, 2));
  }
  go_on = true;
  consumer.join();
  EXPECT_TRUE(got == numbered(0, next ? 2 : 1));
  EXPECT_TRUE(queue.empty());
  if (stood_still) return Result::stood_still;
  return mp::channel::offer_of(object).count() == 1 ? Result::handed_over : Result::neither;
}

void a_late_consumer_lets_go(bool again) {
  if (mp::platform::usable_cpus() < 2) GTEST_SKIP() << "nothing is handed over on one processor";
  std::size_t step = 1;
  for (bool at_end = false; !at_end && !testing::Test::HasFailure();) {
    SCOPED_TRACE("step " + std::to_string(step));
    switch (round(step, again)) {
      case Result::stood_still:
        step += procession::kSanitized ? 3 : 1;
        break;
      case Result::handed_over:
        at_end = true;
        break;
      case Result::neither:
        break;  // one of them was late: once more
    }
  }
  EXPECT_GT(step, 2 * kItemSize / mp::channel::kRelayPiece);
}

TEST(Handover, IsNotEndedByAConsumerWhoseOfferWasWithdrawn) { a_late_consumer_lets_go(false); }

TEST(Handover, IsNotEndedByAConsumerWhoIsAsLateAsTheNextOne) { a_late_consumer_lets_go(true); }

/// Whether a producer that has waited long enough came as far as to withdraw an offer, and the
/// consumer got it all the same.
bool withdrawn_too_late() {
  const ByteQueue queue;
  mp::channel::QueueObject& object = object_of(queue);
  const auto taken = [&] {
    return mp::channel::offer_of(object).state() == mp::channel::Offer::taken;
  };
  std::atomic<bool> all_read{false};
  std::atomic<bool> withdrawing{false};
  std::atomic<bool> over{false};
  std::thread consumer([&] {
    const AtEachStep hook([&, steps = std::size_t{0}]() mutable {
      // At the first two steps it is not in its place yet, and the window may go.
      if (all_read || !taken() || ++steps <= 2) return;
      const auto& handover =
          *mp::heap::at<mp::channel::Handover>(mp::heap::target(object.handover));
      if (handover.window.read != handover.size) return;
      all_read = true;
      while (!withdrawing && taken())
        std::this_thread::sleep_for(100us);
    });
    EXPECT_TRUE(queue.get() == numbered(0, 1));
    over = true;
  });
  std::this_thread::sleep_for(1ms);
  {
    const AtEachStep hook([&] {
      if (!all_read || withdrawing || !taken()) return;
      withdrawing = true;
      while (!over)
        std::this_thread::sleep_for(100us);
    });
    queue.put(numbered(0, 1));
  }
  consumer.join();
  EXPECT_TRUE(queue.empty());
  return withdrawing;
}

TEST(Handover, IsNotPutBesidesByAProducerThatWithdrawsTooLate) {
  if (mp::platform::usable_cpus() < 2) GTEST_SKIP() << "nothing is handed over on one processor";
  for (int times = 0; times < 5 && !HasFailure();)
    times += withdrawn_too_late() ? 1 : 0;
}

void put_and_die(const mp::JoinableQueue<Bytes>& queue, std::size_t step) {
  const Bytes item = numbered(0, 1);
  kill_step::arm(step);
  queue.put(item);
  kill_step::disarm();
}

/// A producer is killed at its `step`th step, and a consumer that has read all of its item stands
/// still until that is known. Whether it came to that; if not, `killed` says whether it was killed.
bool killed_with_all_read(std::size_t step, bool& killed) {
  const mp::JoinableQueue<Bytes> queue;
  mp::channel::QueueObject& object = object_of(queue);
  std::atomic<bool> all_read{false};
  std::atomic<bool> go_on{false};
  Bytes got;
  std::thread consumer([&] {
    const AtEachStep hook([&, steps = std::size_t{0}]() mutable {
      if (all_read || mp::channel::offer_of(object).state() != mp::channel::Offer::taken) return;
      if (++steps <= 2) return;  // it is not in its place yet
      const auto& handover =
          *mp::heap::at<mp::channel::Handover>(mp::heap::target(object.handover));
      if (handover.window.read != handover.size) return;
      all_read = true;
      while (!go_on)
        std::this_thread::sleep_for(100us);
    });
    got = queue.get();
  });
  std::this_thread::sleep_for(1ms);  // it waits by then
  mp::Process producer({}, put_and_die, queue, step);
  producer.start();
  producer.join();
  killed = producer.exitcode() == -SIGKILL;
  const bool all_done = queue.join(0s);
  const bool caught = killed && all_read && all_done;
  go_on = true;
  queue.put(Bytes(1));
  consumer.join();
  // Whoever has seen that nothing was left to be done has seen that the item was not put.
  EXPECT_TRUE(!caught || got.size() == 1);
  return caught;
}

TEST(Handover, IsNotCountedAfterItsProducersEndIsKnown) {
  if (mp::platform::usable_cpus() < 2) GTEST_SKIP() << "nothing is handed over on one processor";
  int caught = 0;
  at_steps([&](std::size_t step) {
    SCOPED_TRACE("step " + std::to_string(step));
    bool killed = false;
    caught += killed_with_all_read(step, killed) ? 1 : 0;
    return killed;
  });
  std::printf("%d times\n", caught);
}

}  // namespace
}  // namespace channel_test

#endif

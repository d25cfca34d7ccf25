// A consumer that has taken an offer and stands still, at one step after the other, until its
// producer has withdrawn it and put the item as ever.

#include <atomic>
#include <functional>
#include <optional>
#include <thread>

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
  explicit AtEachStep(std::function<void()> call) {
    call_ = std::move(call);
    mp::heap::testing::on_step = [] {
      if (call_) call_();
    };
  }
  AtEachStep(const AtEachStep&) = delete;
  AtEachStep& operator=(const AtEachStep&) = delete;
  ~AtEachStep() {
    mp::heap::testing::on_step = nullptr;
    call_ = nullptr;
  }

 private:
  static inline thread_local std::function<void()> call_;
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

}  // namespace
}  // namespace channel_test

#endif

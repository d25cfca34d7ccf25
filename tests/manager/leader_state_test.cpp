// A client that falls asleep wakes the one that the leader of a crowd has answered and left asleep.

#include "manager/leader_state.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <tuple>

#include "channel/transport.hpp"
#include "manager/wire.hpp"
#include "process/support.hpp"
#include "support/kill_step.hpp"

namespace manager_test {
namespace {

namespace mp = procession;
using namespace std::chrono_literals;
using mp::manager::LeaderState;
using process_test::Board;

/// A client that dozes until it has a reply.
class Dozing {
 public:
  Dozing() {
    std::tie(mine_, its_) = mp::detail::make_pipe(true);
    thread_ = std::thread([this] { mine_->doze(1h, [this] { asleep_ = true; }); });
    process_test::wait_until([this] { return asleep_.load(); });
  }
  Dozing(const Dozing&) = delete;
  Dozing& operator=(const Dozing&) = delete;
  ~Dozing() { thread_.join(); }

  /// Answers it, and leaves it to the next one that falls asleep to wake it.
  void answer(LeaderState& lead) {
    mp::detail::MessageBuilder reply(its_);
    mp::encode(reply, 1);
    mp::detail::send_value(its_, reply, mp::manager::kReplyPrint, mp::manager::kReplyName);
    mp::sync::EventCount* const word = its_->begin_nudge();
    ASSERT_NE(word, nullptr);
    lead.appoint(*word);
    EXPECT_EQ(its_->begin_nudge(), nullptr) << "to be woken twice";
  }

 private:
  mp::detail::TransportPtr mine_;
  mp::detail::TransportPtr its_;
  std::atomic<bool> asleep_{false};
  std::thread thread_;
};

TEST(LeaderState, AClientThatFallsAsleepWakesTheOneThatWasAnswered) {
  const Board<LeaderState> lead;
  Dozing held;
  held.answer(*lead);
  EXPECT_TRUE(lead->has_next());
  const auto [mine, its] = mp::detail::make_pipe(true);
  mp::manager::ReplyWait reply_wait;
  reply_wait.await(*lead, *mine);  // no leader is awake, so it sleeps at once
  EXPECT_FALSE(lead->has_next());
}

#ifndef NDEBUG
TEST(LeaderState, AClientThatIsKilledOverAWakeUpLosesNoReply) {
  const Board<LeaderState> lead;
  Dozing held;
  held.answer(*lead);
  mp::Process killed(
      [](std::uint64_t place) {
        kill_step::arm(1);
        process_test::board<LeaderState>(place).wake_next();
      },
      lead.place());
  killed.start();
  killed.join();
  EXPECT_EQ(killed.exitcode(), -SIGKILL);
  EXPECT_FALSE(lead->has_next());
  // The held one's sleep ends by itself: else its destructor would wait for ever.
}
#endif

}  // namespace
}  // namespace manager_test

// Those that are ended together have one grace together.

#include "process/grace.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace process_test {
namespace {

namespace mp = procession;
using Log = std::vector<std::string>;

/// A child that heeds SIGTERM, or does not.
class FakeChild {
 public:
  FakeChild(Log& log, bool heeds, bool closed) : log_(log), heeds_(heeds), closed_(closed) {}

  void signal(mp::platform::Signal signal) {
    if (closed_) throw mp::ProcessError("closed");
    const bool kills = signal == mp::platform::Signal::kill;
    ended_ = ended_ || kills || heeds_;
    log_.emplace_back(kills ? "kill" : "terminate");
  }
  bool join(mp::Timeout timeout) {
    if (closed_) throw mp::ProcessError("closed");
    EXPECT_TRUE(timeout || ended_) << "it would wait for ever";
    log_.emplace_back(timeout ? "wait" : "join");
    if (timeout) waits.push_back(*timeout);
    return ended_;
  }

  std::vector<mp::Duration> waits;

 private:
  Log& log_;
  bool heeds_;
  bool closed_;
  bool ended_ = false;
};

TEST(Grace, IsOneForAll) {
  Log log;
  std::vector<std::shared_ptr<FakeChild>> children;
  for (const bool heeds : {false, true, false, false}) {
    children.push_back(std::make_shared<FakeChild>(log, heeds, false));
  }
  mp::process::terminate_all(children);
  const mp::platform::Deadline grace(std::chrono::hours(1));
  mp::process::join_terminated(children, grace);
  EXPECT_EQ(log, (Log{"terminate", "terminate", "terminate", "terminate", "wait", "wait", "wait",
                      "wait", "kill", "kill", "kill", "join", "join", "join", "join"}));
  mp::Duration before = std::chrono::hours(1);
  for (const auto& child : children) {
    ASSERT_EQ(child->waits.size(), 1U);
    EXPECT_LT(child->waits[0], before) << "it has what the others have left";
    before = child->waits[0];
  }
}

TEST(Grace, IsNotLostOverOneThatIsClosedMeanwhile) {
  Log log;
  std::vector<std::shared_ptr<FakeChild>> children{std::make_shared<FakeChild>(log, false, true),
                                                   std::make_shared<FakeChild>(log, false, false)};
  mp::process::terminate_all(children);
  mp::process::join_terminated(children, mp::platform::Deadline(mp::Duration::zero()));
  EXPECT_EQ(log, (Log{"terminate", "wait", "kill", "join"}));
}

}  // namespace
}  // namespace process_test

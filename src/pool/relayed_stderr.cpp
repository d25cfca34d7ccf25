#include "pool/relayed_stderr.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "platform/deadline.hpp"
#include "platform/report.hpp"
#include "platform/streams.hpp"

namespace procession::pool {

namespace {

constexpr std::chrono::seconds kMost{2};
constexpr std::chrono::microseconds kFirstPause{10};
constexpr std::chrono::microseconds kLongestPause{1000};

}  // namespace

RelayedStderr::RelayedStderr(const Shared& shared, const WorkerSlot& worker_slot)
    : worker_slot_(worker_slot) {
  if (shared.on_threads == 0) {
    pipe_ = platform::pipe_of(platform::kStandardError);
    platform::has_used_stderr();
  }
}

void RelayedStderr::settle() noexcept {
  if (pipe_ && platform::has_used_stderr()) {
    wait();
  }
}

void RelayedStderr::wait() const noexcept {
  const platform::Deadline last{Timeout(kMost)};
  std::chrono::microseconds pause = kFirstPause;
  // A task may have put something else in its place. In this order: see relay_stderr.
  while (platform::pipe_of(platform::kStandardError) == pipe_ &&
         (platform::bytes_in_pipe(platform::kStandardError) != 0 ||
          worker_slot_.stderr_taken.load() != 0) &&
         !last.passed()) {
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, kLongestPause);
  }
}

}  // namespace procession::pool

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "platform/memory.hpp"
#include "platform/spawn.hpp"
#include "pool/core.hpp"
#include "pool/supervisor.hpp"
#include "pool/time_passed.hpp"
#include "pool/worker.hpp"
#include "procession/error.hpp"
#include "procession/exception.hpp"

// Elements that may run only so long, and use only so much memory. The worker writes down when each
// began; the supervisor looks when the first of them may be over its time. Memory it looks at all
// the while that tasks run.
namespace procession::detail {

using namespace pool;

namespace {

using Clock = std::chrono::steady_clock;

std::uint64_t ticks(Clock::time_point time) {
  return static_cast<std::uint64_t>(Duration(time.time_since_epoch()).count());
}

}  // namespace

Failure time_passed(const Task& task, std::size_t index, int pid) {
  const Duration limit = *task.job->timeout();
  const bool thread = task.job->pool()->on_threads();
  const std::string text =
      (task.job->is_map() ? "element " + std::to_string(index) + " of a map" : "a task") +
      " ran longer than its time-out of " + platform::to_text(limit) + " in process " +
      std::to_string(pid) +
      (thread ? ", on a thread, which runs on until the task ends"
              : ", which was killed and replaced") +
      "; give it longer, or find out what it waits for";
  BufferEncoder encoder;
  encode_exception(encoder, std::make_exception_ptr(TimeoutError(text)));
  return {encoder.bytes(), {index, pid}};
}

/// A task with a limit was published: the supervisor has to look when it may be over it.
void PoolCore::look_within(Duration time) {
  const Clock::time_point due = platform::moment_in(time);
  if (due < next_look_) {
    next_look_ = due;
    nudge_supervisor();
  }
}

Timeout PoolCore::check_limits() {
  const std::unique_lock guard(mutex_, std::try_to_lock);
  if (!guard) {
    return kFeedEvery;  // somebody else is at it, and must not be held up
  }
  if (next_look_ == Clock::time_point::max()) {
    return std::nullopt;
  }
  Timeout sleep;
  bool taken_back = false;
  const auto sleep_at_most = [&](Duration most) { sleep = std::min(sleep.value_or(most), most); };
  for (const std::uint32_t number : order_) {
    if (tasks_[number].job->timeout()) {
      sleep_at_most(check_clock(number));
    }
    if (shared_.most_memory != 0) {
      check_memory(number);
      sleep_at_most(kMemoryLooks);
    }
    if (is_several(tasks_[number])) {
      taken_back = take_back(number) || taken_back;
      sleep_at_most(kHeldUpLooks);
    }
  }
  next_look_ = sleep ? platform::moment_in(*sleep) : Clock::time_point::max();
  if (taken_back) {
    feed();
  }
  return sleep;
}

/// How long until the element that the slot's worker is at, or the next one, can be over its time.
Duration PoolCore::check_clock(std::uint32_t number) {
  Slot& slot = shared_.slots[number];
  Task& task = tasks_[number];
  const Duration limit = *task.job->timeout();
  const std::uint32_t state = slot.state.load(std::memory_order_acquire);
  std::uint64_t started = slot.clock.load(std::memory_order_acquire);
  if (phase_of(state) != Slot::claimed || started == 0 || (started & kExpired) != 0) {
    return limit;
  }
  const std::size_t done = progress_count(slot.progress.load(std::memory_order_acquire));
  const std::uint64_t now = ticks(Clock::now());
  const Duration run{now > started ? now - started : 0};
  if (run < limit) {
    return limit - run;
  }
  if (!slot.clock.compare_exchange_strong(started, started | kExpired)) {
    return limit;  // it has ended in time after all
  }
  ++task.expired;
  // A worker that this process may not kill is like a thread; it ends itself when it can.
  const bool killed = !on_threads() && workers_.kill(worker_of(state));
  if (!killed && !task.job->ended()) {
    task.told = true;
    const std::size_t index = task.first() + done;
    task.job->fail(*task.chunk, index, time_passed(task, index, platform::process_id()));
    wake_waiters();
  }
  return limit;
}

/// Where a worker has got no further with its several chunks since the last look, one takes longer
/// than was thought: those that it has not begun are for other workers. Whether there were any.
bool PoolCore::take_back(std::uint32_t number) {
  Slot& slot = shared_.slots[number];
  Task& task = tasks_[number];
  const std::uint32_t state = slot.state.load(std::memory_order_acquire);
  const std::size_t done = progress_count(slot.progress.load(std::memory_order_acquire));
  if (phase_of(state) != Slot::claimed || std::exchange(task.seen, done) != done) {
    return false;
  }
  std::uint64_t share = slot.share.load();
  do {
    if (share_begun(share) == 0 || share_begun(share) >= share_all(share)) {
      return false;
    }
  } while (
      !slot.share.compare_exchange_weak(share, share_word(share_begun(share), share_begun(share))));
  const auto begun = static_cast<std::uint32_t>(share_begun(share));
  ChunkSizer& sizer = task.job->sizer();
  sizer.begun -= task.count - begun;
  sizer.under_way -= task.count - begun;
  if (!task.job->ended()) {
    run_from(task, begun, 0);
  }
  task.count = begun;
  return true;
}

void PoolCore::check_memory(std::uint32_t number) {
  Slot& slot = shared_.slots[number];
  std::uint32_t state = slot.state.load();
  if (phase_of(state) != Slot::claimed || (state & kDoomed) != 0) {
    return;
  }
  const std::uint32_t worker_slot = worker_of(state);
  const int pid = workers_.pid(worker_slot);
  const std::uint64_t used = pid != 0 ? own_memory(shared_.worker_slots[worker_slot], pid) : 0;
  if (used <= shared_.most_memory) {
    return;
  }
  while (!slot.state.compare_exchange_weak(state, state | kDoomed)) {
    if (phase_of(state) != Slot::claimed) {
      return;  // the task has ended; the worker looks for itself
    }
  }
  workers_.kill(worker_slot, "it had " + std::to_string(used) +
                                 " bytes of memory, more than max_memory_per_child admits: " +
                                 std::to_string(shared_.most_memory));
}

}  // namespace procession::detail

#include <algorithm>
#include <iterator>
#include <utility>

#include "pool/callbacks.hpp"
#include "pool/completion_thread.hpp"
#include "pool/core.hpp"
#include "pool/ring.hpp"
#include "process/log_delivery.hpp"
#include "procession/error.hpp"

// What is called at the end of a job, and the end that its caller wants.
namespace procession::detail {

using namespace pool;

void PoolCore::on_end(Job& job, std::function<void()> hook) {
  {
    const std::lock_guard guard(mutex_);
    if (!job.ended()) {
      check_here();
      tell_of_end(job);
    }
    if (!job.ended()) {
      if (!job.has_hooks()) {
        ++telling_;
      }
      job.add_hook(std::move(hook));
      return;
    }
  }
  hook();
}

/// Sees to it that the completion thread hears of the end of each of the job's tasks.
void PoolCore::tell_of_end(Job& job) {
  const heap::Offset bell = start_completion_thread();
  if (shared_.bell == 0) {
    // The workers may outlive this process by a moment, and the bell with them.
    static_cast<void>(heap::hold(bell, block_.offset()));
    shared_.bell = bell;
  }
  std::size_t left = job.work().slots;
  bool ended = false;
  for (auto place = order_.rbegin(); left != 0 && place != order_.rend(); ++place) {
    if (tasks_[*place].job.get() == &job) {
      const Slot::Phase phase = phase_of(shared_.slots[*place].state.fetch_or(kTells));
      ended = ended || phase == Slot::done || phase == Slot::lost;
      --left;
    }
  }
  if (ended) {
    move_on();
  }
}

bool PoolCore::runs_unheard() const {
  return std::any_of(order_.begin(), order_.end(), [&](std::uint32_t number) {
    return tasks_[number].job != nullptr && tasks_[number].job->ended();
  });
}

void PoolCore::call_soon(std::vector<std::function<void()>> hooks) {
  --telling_;
  std::move(hooks.begin(), hooks.end(), std::back_inserter(hooks_));
  wake_completion_thread();
}

std::vector<std::function<void()>> PoolCore::take_hooks() {
  const std::lock_guard guard(mutex_);
  if (telling_ != 0 || unheard_) {
    move_on();
    unheard_ = unheard_ && runs_unheard();
  }
  calling_ = !hooks_.empty();
  return std::exchange(hooks_, {});
}

void PoolCore::hooks_called() {
  const std::lock_guard guard(mutex_);
  calling_ = false;
  called_.notify_all();
}

void PoolCore::finish_calls() {
  {
    std::unique_lock guard(mutex_);
    called_.wait(guard, [&] { return hooks_.empty() && !calling_; });
  }
  finish_callbacks(*this);
  process::finish_deliveries();
}

bool PoolCore::cancel(Job& job) {
  const std::lock_guard guard(mutex_);
  if (job.ended()) {
    return false;
  }
  check_here();
  move_on();
  if (job.ended() || (on_threads() && is_claimed(job))) {
    return false;
  }
  std::vector<std::uint32_t> slots;
  std::copy_if(order_.begin(), order_.end(), std::back_inserter(slots),
               [&](std::uint32_t number) { return tasks_[number].job.get() == &job; });
  for (const std::uint32_t number : slots) {
    if (!withdraw(number) && !job.is_map()) {
      return false;
    }
  }
  std::erase_if(backlog_, [&](const Task& task) { return task.job.get() == &job; });
  job.cancel(std::make_exception_ptr(
      Cancelled("the task was cancelled before it had ended; cancel() was called on its result")));
  wake_waiters();
  move_on();
  pass_over_cancelled(shared_);
  return true;
}

/// Whether a worker is at one of the job's tasks; a thread, there, cannot be stopped by anybody.
bool PoolCore::is_claimed(const Job& job) const {
  return std::any_of(order_.begin(), order_.end(), [&](std::uint32_t number) {
    return tasks_[number].job.get() == &job &&
           phase_of(shared_.slots[number].state.load()) == Slot::claimed;
  });
}

/// No worker begins it, and the one that has begun it ends. False when it has ended, or a thread
/// has begun it.
bool PoolCore::withdraw(std::uint32_t number) {
  Slot& slot = shared_.slots[number];
  std::uint32_t state = slot.state.load();
  for (;;) {
    const Slot::Phase phase = phase_of(state);
    if (phase != Slot::ready && (phase != Slot::claimed || on_threads())) {
      return false;
    }
    const std::uint32_t wanted =
        phase == Slot::ready ? with_phase(state, Slot::lost, 0) : state | kDoomed;
    if (slot.state.compare_exchange_weak(state, wanted)) {
      break;
    }
  }
  if (phase_of(state) == Slot::claimed) {
    workers_.kill(worker_of(state));
  }
  return true;
}

}  // namespace procession::detail

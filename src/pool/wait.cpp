#include <algorithm>
#include <memory>

#include "platform/backoff.hpp"
#include "platform/futex.hpp"
#include "platform/own_mutex.hpp"
#include "pool/core.hpp"
#include "pool/ring.hpp"
#include "sync/adaptive_spin.hpp"

// How a caller waits for the end of its tasks.
namespace procession::detail {

using namespace pool;

bool PoolCore::look(Job& job) {
  const std::lock_guard guard(mutex_);
  if (!job.ended()) {
    check_here();
    move_on();
  }
  return job.ended();
}

Failure PoolCore::failure(Job& job) {
  const std::lock_guard guard(mutex_);
  return job.failure();
}

bool PoolCore::finish(Job& job, const platform::Deadline& deadline) {
  std::unique_lock guard(mutex_);
  if (!wait_for(&job, deadline, guard)) {
    return false;
  }
  if (job.failure()) job.failure().rethrow_unlocked(guard);
  return true;
}

std::vector<Piece> PoolCore::pieces(Job& job) {
  const std::lock_guard guard(mutex_);
  return job.pieces();
}

bool PoolCore::wait(Job& job, const platform::Deadline& deadline) {
  std::unique_lock guard(mutex_);
  return wait_for(&job, deadline, guard);
}

/// Waits for one job, or for all.
bool PoolCore::wait_for(const Job* job, const platform::Deadline& deadline,
                        std::unique_lock<platform::OwnMutex>& guard) {
  const auto ended = [&] {
    return job != nullptr ? job->ended() : order_.empty() && backlog_.empty();
  };
  if (job != nullptr && job->ended() && job->progress() == nullptr) {
    return true;
  }
  std::size_t told = 0;
  platform::Backoff backoff;
  ++waiters_;
  const auto leave = [&](void* /*unused*/) { --waiters_; };
  const std::unique_ptr<void, decltype(leave)> left(this, leave);
  for (;;) {
    check_here();  // again: a progress callback may have forked
    move_on();
    if (job != nullptr && job->progress() != nullptr && job->total() - job->left() != told) {
      told = job->total() - job->left();
      guard.unlock();
      platform::expect_unlocked("a progress callback");
      try {
        (*job->progress())(told, job->total());
      } catch (...) {
        guard.lock();  // for what is undone on the way out
        throw;
      }
      guard.lock();
      continue;
    }
    if (ended()) {
      return true;
    }
    if (deadline.passed()) {
      return false;
    }
    const std::uint32_t number = slot_to_sleep_on(job);
    Slot& slot = shared_.slots[number];
    // Another thread may collect the task meanwhile and give its slot to one that takes long.
    const std::uint32_t generation = generation_of(slot.state.load());
    guard.unlock();
    if (!sync::spin_at(&shared_).spin([&] { return !under_way(slot, generation); })) {
      std::uint32_t state = slot.state.load();
      if (under_way(state, generation) &&
          ((state & kSleeps) != 0 || slot.state.compare_exchange_strong(state, state | kSleeps))) {
        call_workers_for_all(shared_);
        platform::futex_wait(slot.state.word(), state | kSleeps, backoff.next(deadline.left()));
      }
    }
    guard.lock();
  }
}

/// Something has ended that no worker tells of.
void PoolCore::wake_waiters() {
  wake_watchers();
  if (waiters_ == 0) {
    return;
  }
  for (const std::uint32_t number : order_) {
    Slot& slot = shared_.slots[number];
    // Changed first, so that nobody falls asleep on it any more.
    slot.state.fetch_add(kGeneration);
    platform::futex_wake_all(slot.state.word());
  }
}

std::uint32_t PoolCore::slot_to_sleep_on(const Job* job) const {
  // Tasks end about in the order in which they began: who needs all of them sleeps on the last, and
  // is woken once; who wants to hear of progress sleeps on the first.
  if (job != nullptr && job->progress() != nullptr) {
    const auto first = std::find_if(order_.begin(), order_.end(),
                                    [&](auto slot) { return tasks_[slot].job.get() == job; });
    return first != order_.end() ? *first : order_.front();
  }
  if (job != nullptr && job->work().slots != 0 && tasks_[job->work().last_slot].job.get() == job) {
    return job->work().last_slot;
  }
  const auto last = std::find_if(order_.rbegin(), order_.rend(), [&](auto slot) {
    return job == nullptr || tasks_[slot].job.get() == job;
  });
  return last != order_.rend() ? *last : order_.back();
}

}  // namespace procession::detail

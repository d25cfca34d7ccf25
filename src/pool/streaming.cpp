#include <algorithm>
#include <exception>

#include "platform/backoff.hpp"
#include "platform/futex.hpp"
#include "pool/core.hpp"
#include "pool/ring.hpp"
#include "pool/supervisor.hpp"
#include "procession/error.hpp"
#include "sync/adaptive_spin.hpp"

// What a pool does for jobs whose elements come and go (stream.hpp).
namespace procession::detail {

using namespace pool;

namespace {

/// A task of which the end is waited for.
struct Watched {
  const Slot* slot;
  std::uint32_t generation;  ///< another thread may give the slot to a task that takes long
};

bool one_ended(const std::vector<Watched>& watched) {
  return std::any_of(watched.begin(), watched.end(),
                     [](const Watched& one) { return !under_way(*one.slot, one.generation); });
}

/// Tasks of the job, or of any, such that none has ended while all of these are under way: tasks
/// are claimed in order, so the first that ends is among the first, as many as there are workers.
std::vector<Watched> first_tasks(const std::deque<std::uint32_t>& order, const Shared& shared,
                                 const std::vector<Task>& tasks, const Job* job) {
  std::vector<Watched> watched;
  for (const std::uint32_t number : order) {
    if (watched.size() == shared.worker_slots_used) {
      break;
    }
    if (job == nullptr || tasks[number].job.get() == job) {
      const Slot& slot = shared.slots[number];
      watched.push_back({&slot, generation_of(slot.state.load())});
    }
  }
  return watched;
}

}  // namespace

void PoolCore::open_stream(HeldChunks& held) try {
  const std::lock_guard guard(mutex_);
  check_here();
  if (stage_ == Stage::closed) {
    refuse_task();
  }
  streams_.push_back(&held);
} catch (...) {
  throw;  // see submit_single
}

void PoolCore::watch(HeldChunks& held) {
  const std::lock_guard guard(mutex_);
  held.watch(true);
  if (!disowned_) {
    feed_later();
  }
}

void PoolCore::hand_over(HeldChunks& held) try {
  const std::lock_guard guard(mutex_);
  check_here();
  held.watch(false);
  if (!take_held(held)) {
    throw ProcessError(
        std::string(for_executor_ ? "the executor was shut down" : "the pool was joined") +
        " before all results were asked for, and takes no more elements from the range; read a "
        "ResultRange to its end before " +
        (for_executor_ ? "shutdown()" : "join()"));
  }
  if (backlog_.empty()) {
    return;
  }
  if (lacks_workers_) {
    want_workers();
  }
  feed_backlog();
} catch (...) {
  throw;  // see submit_single
}

/// Puts into the backlog what a stream's reader holds. False when the pool takes it no longer.
bool PoolCore::take_held(HeldChunks& held) {
  if (held.size() == 0) {
    return true;
  }
  const JobPtr& job = held.job();
  if (!admit(*job)) {
    held.take_each([](const auto&) {});  // the job has told its reader
    return true;
  }
  if (joining_) {
    return false;
  }
  const bool outlived = job->timeout().has_value();
  held.take_each([&](std::shared_ptr<StreamChunk>& chunk) {
    backlog_.push_back({job, chunk.get(), 0, static_cast<std::uint32_t>(chunk->count), 0, 0,
                        outlived ? chunk : nullptr});
    try {
      job->adopt(std::move(chunk));
    } catch (...) {  // no memory
      backlog_.pop_back();
      throw;
    }
  });
  return true;
}

std::size_t PoolCore::drop(HeldChunks& held) noexcept {
  const std::lock_guard guard(mutex_);
  const std::size_t held_still = held.size();
  held.take_each([](const auto&) {});
  return held_still;
}

std::vector<std::shared_ptr<StreamChunk>> PoolCore::await_chunks(
    Job& job, const platform::Deadline& deadline) try {
  platform::Backoff backoff;
  std::unique_lock guard(mutex_);
  for (;;) {
    check_here();
    move_on();
    std::vector<std::shared_ptr<StreamChunk>> ended = job.take_ended();
    if (!ended.empty() || (!job.failure() && deadline.passed())) {
      return ended;
    }
    if (job.failure()) job.failure().rethrow_unlocked(guard);
    std::vector<Watched> watched = first_tasks(order_, shared_, tasks_, &job);
    if (watched.empty()) {
      watched = first_tasks(order_, shared_, tasks_, nullptr);  // the job's own wait for a slot
    }
    guard.unlock();
    if (!sync::spin_at(&shared_.ends).spin([&] { return one_ended(watched); })) {
      // A worker looks for watchers after the end of its task; this looks for ends after becoming
      // one. One of the two sees the other.
      shared_.watchers.fetch_add(1);
      const std::uint32_t seen = shared_.ends.load();
      if (!one_ended(watched)) {
        call_workers_for_all(shared_);
        platform::futex_wait(shared_.ends.word(), seen, backoff.next(deadline.left()));
      }
      shared_.watchers.fetch_sub(1);
    }
    guard.lock();
  }
} catch (...) {
  throw;  // see submit_single
}

/// Nobody wants what is left of the job: what waits is dropped, and so is the result of what runs,
/// as soon as that has ended.
void PoolCore::abandon(HeldChunks& held) noexcept {
  const std::lock_guard guard(mutex_);
  std::erase(streams_, &held);
  held.take_each([](const auto&) {});
  Job& job = *held.job();
  if (job.ended() || disowned_) {
    return;
  }
  for (const std::uint32_t number : order_) {
    if (tasks_[number].job.get() == &job) {
      heap::Stepped<std::uint32_t>& word = shared_.slots[number].state;
      std::uint32_t state = word.load();
      while (phase_of(state) == Slot::ready &&
             !word.compare_exchange_weak(state, with_phase(state, Slot::lost, 0))) {
      }
      platform::futex_wake_all(word.word());
    }
  }
  std::erase_if(backlog_, [&](const Task& task) { return task.job.get() == &job; });
  job.fail_rest(std::make_exception_ptr(Cancelled("the results were let go")));
  move_on();
  unheard_ = runs_unheard();
  if (unheard_) {
    try {
      tell_of_end(job);
    } catch (const std::exception&) {
      // Without a thread that hears of it, its results go with the next call.
    }
  }
  pass_over_cancelled(shared_);
}

void PoolCore::wake_watchers() {
  shared_.ends.fetch_add(1);
  platform::futex_wake_all(shared_.ends.word());
}

}  // namespace procession::detail

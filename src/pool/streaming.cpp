#include <algorithm>

#include "platform/futex.hpp"
#include "platform/naps.hpp"
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
    if (watched.size() == shared.seats_used) {
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

void PoolCore::open_stream() try {
  const std::lock_guard guard(mutex_);
  check_here();
  if (stage_ == Stage::closed) {
    refuse_task();
  }
  ++streams_;
} catch (...) {
  throw;  // see submit_single
}

void PoolCore::submit_chunk(const JobPtr& job, std::shared_ptr<StreamChunk> chunk, bool now) try {
  const std::lock_guard guard(mutex_);
  check_here();
  if (!admit(*job)) {
    return;
  }
  if (joining_) {
    throw ProcessError(
        std::string(for_executor_ ? "the executor was shut down" : "the pool was joined") +
        " before all results were asked for, and takes no more elements from the range; read a "
        "ResultRange to its end before " +
        (for_executor_ ? "shutdown()" : "join()"));
  }
  const bool outlived = job->timeout().has_value();
  Task task{job,
            chunk.get(),
            0,
            static_cast<std::uint32_t>(chunk->count),
            0,
            0,
            outlived ? chunk : nullptr};
  job->adopt(std::move(chunk));
  backlog_.push_back(std::move(task));
  if (lacks_workers_) {
    want_workers();
  }
  if (now || order_.size() < crew_.size()) {
    feed_backlog();
  } else {
    feed_later();
  }
} catch (...) {
  throw;  // see submit_single
}

void PoolCore::hand_over() try {
  const std::lock_guard guard(mutex_);
  if (!backlog_.empty()) {
    feed_backlog();
  }
} catch (...) {
  throw;  // see submit_single
}

std::vector<std::shared_ptr<StreamChunk>> PoolCore::await_chunks(
    Job& job, const platform::Deadline& deadline) try {
  platform::Naps naps;
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
        platform::futex_wait(shared_.ends.word(), seen, naps.next(deadline.left()));
      }
      shared_.watchers.fetch_sub(1);
    }
    guard.lock();
  }
} catch (...) {
  throw;  // see submit_single
}

/// Nobody wants what is left of the job: what waits is dropped, what runs ends unheard.
void PoolCore::abandon(Job& job) noexcept {
  const std::lock_guard guard(mutex_);
  --streams_;
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
  pass_over_cancelled(shared_);
}

void PoolCore::wake_watchers() {
  shared_.ends.fetch_add(1);
  platform::futex_wake_all(shared_.ends.word());
}

}  // namespace procession::detail

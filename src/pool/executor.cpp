#include <algorithm>
#include <string>

#include "platform/futex.hpp"
#include "pool/core.hpp"
#include "pool/ring.hpp"
#include "procession/error.hpp"
#include "procession/exception.hpp"

// What executors and their futures ask of a pool, beyond what its own face does.
namespace procession::detail {

using namespace pool;

bool PoolCore::running(Job& job) {
  const std::lock_guard guard(mutex_);
  if (!job.ended()) {
    move_on();
  }
  return !job.ended() && is_claimed(job);
}

void PoolCore::cancel_waiting() {
  const std::lock_guard guard(mutex_);
  move_on();
  std::vector<JobPtr> jobs;
  for (const std::uint32_t number : order_) {
    std::atomic<std::uint32_t>& word = shared_.slots[number].state;
    std::uint32_t state = word.load();
    while (phase_of(state) == Slot::ready) {
      if (word.compare_exchange_weak(state, with_phase(state, Slot::lost, 0))) {
        jobs.push_back(tasks_[number].job);
        platform::futex_wake_all(word);
        break;
      }
    }
  }
  for (Task& task : backlog_) {
    jobs.push_back(std::move(task.job));
  }
  backlog_.clear();
  for (const JobPtr& job : jobs) {
    job->fail_rest(std::make_exception_ptr(
        Cancelled("the call was cancelled before it had begun: its executor was shut down with "
                  "cancel_futures")));
  }
  move_on();
  pass_over_cancelled(shared_);
  wake_watchers();
}

void PoolCore::kill() noexcept {
  {
    const std::lock_guard guard(mutex_);
    stage_ = Stage::terminated;
  }
  stop(Shared::abandon);
  for (std::uint32_t seat = 0; seat < size() && !on_threads(); ++seat) {
    try {
      crew_.kill(seat);
    } catch (...) {
      // One that this process cannot signal: terminate() has the last word.
    }
  }
  terminate();
}

namespace {

/// Whether this process cancelled it; a call may also let such an exception pass.
bool is_cancellation(const std::exception_ptr& failure) {
  if (failure == nullptr || remote_trace(failure) != nullptr) {
    return false;
  }
  try {
    std::rethrow_exception(failure);
  } catch (const Cancelled&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace

void finish_pool(PoolPtr& pool) noexcept {
  if (pool != nullptr) {
    if (!pool->disowned()) {
      pool->close();
    }
    end_pool(pool);
  }
}

std::exception_ptr future_exception(const JobPtr& job, Timeout timeout) {
  if (!wait_job(job, timeout)) {
    throw TimeoutError("the exception of a call was asked for within " +
                       platform::to_text(*timeout) +
                       ", and the call had not ended; it goes on: ask again, or give it longer");
  }
  std::exception_ptr failure = job_failure(job);
  if (is_cancellation(failure)) {
    std::rethrow_exception(failure);
  }
  return failure;
}

bool job_running(const JobPtr& job) { return job->pool()->running(*job); }

bool job_cancelled(const JobPtr& job) {
  return job_ready(job) && is_cancellation(job_failure(job));
}

}  // namespace procession::detail

#include <algorithm>
#include <string>

#include "platform/futex.hpp"
#include "pool/core.hpp"
#include "pool/ring.hpp"
#include "process/uncaught.hpp"
#include "procession/error.hpp"
#include "procession/exception.hpp"

// What executors and their futures ask of a pool, beyond what its own face does.
namespace procession::detail {

using namespace pool;

void PoolCore::serve_executor() {
  const std::lock_guard guard(mutex_);
  for_executor_ = true;
}

/// How texts name it.
std::string PoolCore::called() const { return for_executor_ ? "an executor" : "a pool"; }

void PoolCore::refuse_task() const {
  process::note_told_of_end();
  if (stage_ == Stage::terminated) {
    throw ProcessError(given_too_late());
  }
  throw ProcessError(
      "a task was given to " + called() +
      (for_executor_ ? " that was shut down; submit before shutdown(), or make another executor"
                     : " that is closed; submit before close(), or make another pool"));
}

/// Of a task that comes after the workers were ended.
std::string PoolCore::given_too_late() const {
  if (with_program_) {
    return "a task was given to " + called() +
           " that has ended with the program, after main() or in exit(), before the static objects "
           "that were made before init() are destroyed; let static objects that use it be made "
           "after init(), in a function, or use it in main()";
  }
  return "a task was given to " + called() +
         (for_executor_ ? " whose workers were ended by " + std::string(ended_by_) +
                              "; submit before that, or make another executor"
                        : " that was terminated; submit before terminate(), or make another pool");
}

/// Of a task that was there when the workers were ended.
std::string PoolCore::ended_too_early() const {
  if (with_program_) {
    return "the program ended, and " + called() +
           " with it, before this call had ended; wait for results in main()";
  }
  return for_executor_
             ? "the workers of the executor were ended by " + std::string(ended_by_) +
                   " before this call had ended; call shutdown() to let the calls of an executor "
                   "end"
             : "the pool was terminated before this task had ended; close() and join() a pool to "
               "let its tasks end";
}

bool PoolCore::running(Job& job) {
  const std::lock_guard guard(mutex_);
  if (!job.ended()) {
    check_here();
    move_on();
  }
  return !job.ended() && is_claimed(job);
}

/// Takes all tasks back that no worker has begun; their jobs.
std::vector<JobPtr> PoolCore::withdraw_waiting() {
  std::vector<JobPtr> jobs;
  for (const std::uint32_t number : order_) {
    heap::Stepped<std::uint32_t>& word = shared_.slots[number].state;
    std::uint32_t state = word.load();
    while (phase_of(state) == Slot::ready) {
      if (word.compare_exchange_weak(state, with_phase(state, Slot::lost, 0))) {
        jobs.push_back(tasks_[number].job);
        platform::futex_wake_all(word.word());
        break;
      }
    }
  }
  for (Task& task : backlog_) {
    jobs.push_back(std::move(task.job));
  }
  backlog_.clear();
  return jobs;
}

void PoolCore::cancel_waiting() {
  const std::lock_guard guard(mutex_);
  check_here();
  move_on();
  for (const JobPtr& job : withdraw_waiting()) {
    job->fail_rest(std::make_exception_ptr(
        Cancelled("the call was cancelled before it had begun: its executor was shut down with "
                  "cancel_futures")));
  }
  move_on();
  pass_over_cancelled(shared_);
  wake_watchers();
}

void PoolCore::kill() noexcept {
  if (disowned_) {
    return;
  }
  {
    const std::lock_guard guard(mutex_);
    stage_ = Stage::terminated;
    ended_by_ = "kill_workers()";
  }
  stop(Shared::abandon);
  for (std::uint32_t worker_slot = 0; worker_slot < size() && !on_threads(); ++worker_slot) {
    try {
      workers_.kill(worker_slot);
    } catch (...) {
      // Without memory for it: the end of the workers has the last word.
    }
  }
  end_workers("kill_workers()");
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

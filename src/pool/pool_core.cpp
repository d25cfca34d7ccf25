#include "procession/detail/pool_core.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "pool/callbacks.hpp"
#include "pool/core.hpp"
#include "pool/slabs.hpp"
#include "pool/supervisor.hpp"
#include "process/uncaught.hpp"
#include "procession/detail/task_run.hpp"
#include "procession/error.hpp"

namespace procession::detail {

static_assert(TaskRun::kCountBits == pool::kProgressCountBits);
static_assert(TaskRun::kThrew == pool::kProgressThrew);
static_assert(TaskBuilder::kInline == pool::kInlineTask);

namespace {

PoolCore& named(const PoolPtr& pool) {
  if (pool == nullptr) {
    process::note_told_of_end();  // or that of a static one, beside which this thread goes on
    throw ProcessError(
        "this pool or executor was moved from, or destroyed, and has no workers; use the one it "
        "was moved to, or let it live longer");
  }
  return *pool;
}

void check_addresses(const PoolPtr& pool, const Encoder& encoder) {
  if (!named(pool).on_threads()) {
    refuse_noted_address(encoder, "the function of a task");
  }
}

}  // namespace

void check_submission(const PoolPtr& pool, const Encoder& encoder) {
  named(pool).check_open();
  check_addresses(pool, encoder);
}

void check_timeout(Timeout timeout) {
  if (timeout && *timeout <= Duration::zero()) {
    throw std::invalid_argument(
        "a time-out of 0 or less was asked for, in which no task can run; give more than 0, or "
        "leave it empty for no limit");
  }
}

PoolPtr make_pool(PoolSettings settings) {
  auto pool = std::make_shared<PoolCore>(std::move(settings));
  try {
    pool->open();
  } catch (...) {
    pool->terminate();
    pool::leave_unsupervised(*pool);
    throw;
  }
  return pool;
}

StartMethod only_threads(std::optional<StartMethod> asked) {
  if (asked.value_or(StartMethod::thread) != StartMethod::thread) {
    throw std::invalid_argument(
        std::string("a ThreadPool was asked to start its workers by ") + to_string(*asked) +
        "; its workers are threads: make a Pool, or leave start_method empty");
  }
  return StartMethod::thread;
}

JobPtr submit_single(const PoolPtr& pool, TaskBuilder& task, const JobSettings& settings) {
  check_addresses(pool, task);
  check_timeout(settings.timeout);
  auto job = std::allocate_shared<Job>(pool::SlabAllocator<Job>(), pool, task, settings);
  pool->submit_single(job);
  return job;
}

JobPtr begin_map(const PoolPtr& pool, TaskBuilder& call, std::size_t total, JobSettings settings) {
  check_submission(pool, call);
  check_timeout(settings.timeout);
  if (total > kMostMapped) {
    throw std::invalid_argument("asked to map a range of " + std::to_string(total) +
                                " elements, which are all kept in memory; the most is " +
                                std::to_string(kMostMapped) +
                                ": use imap, which takes them as their results are asked for");
  }
  settings.chunksize = std::min(settings.chunksize, pool::kMostInChunk);
  auto job = std::make_shared<Job>(pool, total, std::move(settings));
  job->take_call(call);
  return job;
}

std::size_t chunk_size(const PoolPtr& pool, std::size_t total, std::size_t asked) {
  // Encoded together only; workers are given parts of it. The first ones shall not wait until all
  // is encoded.
  const std::size_t shares = kPartsForEach * pool->size();
  const std::size_t share = (total + shares - 1) / shares;
  const std::size_t chunk = std::clamp<std::size_t>(asked, 1, pool::kMostInChunk);
  const std::size_t chunks = std::clamp<std::size_t>(share / chunk, 1, pool::kMostInChunk / chunk);
  return asked == 0 ? std::clamp<std::size_t>(share, 1, pool::kMostInChunk) : chunks * chunk;
}

void submit_chunk(const JobPtr& job, TaskBuilder& items, std::size_t first, std::size_t count) {
  MapChunk& chunk = job->add_chunk(first, count);
  chunk.stride = items.stride();
  chunk.grain = items.grain();
  chunk.marks = items.take_marks();
  chunk.items.take(items);
  job->pool()->submit({job, &chunk, 0, static_cast<std::uint32_t>(count)});
}

void close_pool(const PoolPtr& pool) { named(pool).close(); }
void terminate_pool(const PoolPtr& pool) { named(pool).terminate(); }
void kill_pool(const PoolPtr& pool) { named(pool).kill(); }
void serve_executor(const PoolPtr& pool) { pool->serve_executor(); }

void shut_down(const PoolPtr& pool, bool wait, bool cancel_waiting) {
  named(pool).close();
  if (cancel_waiting) {
    pool->cancel_waiting();
  }
  if (wait) {
    pool->join();
  }
}

void join_pool(const PoolPtr& pool) { named(pool).join(); }
std::size_t pool_size(const PoolPtr& pool) { return named(pool).size(); }
std::vector<int> pool_pids(const PoolPtr& pool) { return named(pool).pids(); }

void end_pool(PoolPtr& pool) noexcept {
  if (pool != nullptr) {
    pool->end();
    pool->forget_exceptions();
    pool.reset();
  }
}

bool wait_job(const JobPtr& job, Timeout timeout) {
  const platform::Deadline deadline(timeout);
  return job->pool()->wait(*job, deadline);
}

bool job_ready(const JobPtr& job) { return job->pool()->look(*job); }

std::exception_ptr job_failure(const JobPtr& job) {
  if (!job_ready(job)) {
    throw ProcessError(
        "a result was asked whether it is successful before it was ready; wait() for it first");
  }
  return job->pool()->failure(*job).get();
}

void on_job_end(const JobPtr& job, std::function<void()> hook) {
  job->pool()->on_end(*job, std::move(hook));
}

void post_callback(const JobPtr& job, std::function<void()> callback) {
  pool::post_callback(job->pool(), std::move(callback));
}

void call_at_job_end(const JobPtr& job, std::function<void()> callback) {
  if (job_ready(job)) {
    pool::run_callback(callback);
    return;
  }
  pool::prepare_callbacks();
  on_job_end(job, [pool = job->pool(), callback = std::move(callback)]() mutable {
    pool::post_callback(pool, std::move(callback));
  });
}

bool cancel_job(const JobPtr& job) { return job->pool()->cancel(*job); }

bool job_is_map(const JobPtr& job) { return job->is_map(); }

void finish_job(const JobPtr& job, Timeout timeout) {
  const platform::Deadline deadline(timeout);
  if (!job->is_map() && job->ended()) {
    if (job->failure()) {
      job->failure().rethrow();
    }
    return;
  }
  if (!job->pool()->finish(*job, deadline)) {
    throw TimeoutError("a result was asked for within " + platform::to_text(*timeout) +
                       " and was not ready; the task goes on: ask again, or give it longer");
  }
}

std::span<const std::byte> finished_result(const JobPtr& job) { return job->result(); }

std::vector<Piece> finished_pieces(const JobPtr& job) { return job->pool()->pieces(*job); }

}  // namespace procession::detail

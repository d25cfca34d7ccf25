#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "procession/callable.hpp"
#include "procession/context.hpp"
#include "procession/detail/payload_builder.hpp"
#include "procession/timeout.hpp"

/// What the templates of pool.hpp need of the compiled pool floor.
namespace procession::detail {

class PoolCore;
class Job;
struct JobAccess;
using PoolPtr = std::shared_ptr<PoolCore>;
using JobPtr = std::shared_ptr<Job>;

/// Bytes on their way to a worker.
class TaskBuilder final : public PayloadBuilder {
 public:
  static constexpr std::size_t kInline = 136;

  explicit TaskBuilder(std::size_t expected = 0) : PayloadBuilder(inline_, expected) {}

  /// Where elements begin, so that the pool may divide them among workers as it sees fit: each
  /// takes so many bytes.
  void set_stride(std::size_t bytes) { stride_ = bytes; }
  /// The next of elements of different sizes begins here. Every `grain()`-th is enough.
  void mark() { marks_.push_back(size()); }
  /// How many elements from mark to mark where `count` are to be written: `chunksize` unless 0, but
  /// not more than there are.
  std::size_t set_grain(std::size_t count, std::size_t chunksize) {
    constexpr std::size_t kMostMarks = 1024;
    grain_ = chunksize != 0 ? (chunksize < count ? chunksize : count)
                            : (count + kMostMarks - 1) / kMostMarks;
    return grain_;
  }

  [[nodiscard]] std::size_t stride() const { return stride_; }
  [[nodiscard]] std::size_t grain() const { return grain_; }
  std::vector<std::uint64_t> take_marks() { return std::move(marks_); }

 private:
  std::size_t stride_ = 0;
  std::size_t grain_ = 0;
  std::vector<std::uint64_t> marks_;
  alignas(8) std::byte inline_[kInline];
};

struct PoolSettings {
  std::size_t processes = 0;
  Function<void()> initializer;
  std::optional<std::size_t> max_tasks_per_child;
  std::optional<int> start_method;
  std::optional<std::size_t> max_memory_per_child;  ///< bytes
};

struct JobSettings {
  unsigned retries = 0;
  std::function<void(std::size_t, std::size_t)> progress;
  Timeout timeout;         ///< for each element, from its start
  bool divisible = false;  ///< the pool decides how many elements a worker is handed at a time
  /// Of a divisible job: elements which one worker runs without a break, and for which the function
  /// is decoded anew unless calls do not change it. 0: as many as it is handed.
  std::size_t chunksize = 0;
};

/// Results of neighbouring elements, encoded one after another.
struct Piece {
  std::size_t first;
  std::size_t count;
  std::span<const std::byte> bytes;
};

PoolPtr make_pool(PoolSettings settings);
/// The method of a ThreadPool. Throws `std::invalid_argument` when another one was asked for.
StartMethod only_threads(std::optional<StartMethod> asked);
/// `settings.progress` is not looked at.
JobPtr submit_single(const PoolPtr& pool, TaskBuilder& task, const JobSettings& settings = {});
/// A map keeps its elements in memory, until they are run, and its results: of more than so many no
/// machine could.
inline constexpr std::size_t kMostMapped = std::size_t{1} << 40;
/// A job of `total` elements that share the function in `call`; its chunks follow. Throws
/// std::invalid_argument for more than `kMostMapped`.
JobPtr begin_map(const PoolPtr& pool, TaskBuilder& call, std::size_t total, JobSettings settings);
/// How many of `total` elements to encode together where the caller asked for chunks of `asked`, 0:
/// of any size. The pool divides them among workers.
std::size_t chunk_size(const PoolPtr& pool, std::size_t total, std::size_t asked);
void submit_chunk(const JobPtr& job, TaskBuilder& items, std::size_t first, std::size_t count);

void close_pool(const PoolPtr& pool);
void terminate_pool(const PoolPtr& pool);
void join_pool(const PoolPtr& pool);
/// Says that it is an executor's, of which its errors are to speak.
void serve_executor(const PoolPtr& pool);
/// What `shutdown` of an executor does, and its destructor. Null, of the latter: nothing.
void shut_down(const PoolPtr& pool, bool wait, bool cancel_waiting);
void finish_pool(PoolPtr& pool) noexcept;
/// terminate_pool() without SIGTERM before.
void kill_pool(const PoolPtr& pool);
/// What ~Pool does. Null: nothing.
void end_pool(PoolPtr& pool) noexcept;
std::size_t pool_size(const PoolPtr& pool);
std::vector<int> pool_pids(const PoolPtr& pool);

/// True when the job has ended, false when the time-out passes first.
bool wait_job(const JobPtr& job, Timeout timeout);
bool job_ready(const JobPtr& job);
/// Of an ended job: its first failure in the order of its elements, if it failed.
std::exception_ptr job_failure(const JobPtr& job);
/// Calls the hook once when the job has ended, however it ends: in a thread of the library's own
/// that serves all pools of this process, where it must not wait and must not throw; before this
/// returns when it has ended already. What such a hook may do: take a mutex for a moment, notify a
/// condition variable, `post_callback`.
void on_job_end(const JobPtr& job, std::function<void()> hook);
/// Calls the callback in the thread for callbacks (see AsyncResult::then), after those that were
/// posted before. What it throws is written to the log. ~Pool and Pool::join wait for it.
void post_callback(const JobPtr& job, std::function<void()> callback);
/// Both: what AsyncResult::then does. At once and here when the job has ended.
void call_at_job_end(const JobPtr& job, std::function<void()> callback);
/// Waits for the job: what it failed with, if it did. Throws `Cancelled` when it was cancelled, and
/// `TimeoutError`.
std::exception_ptr future_exception(const JobPtr& job, Timeout timeout);
/// Whether a worker is at it.
bool job_running(const JobPtr& job);
/// Whether it has ended by having been cancelled, by itself or with its pool.
bool job_cancelled(const JobPtr& job);
/// See AsyncResult::cancel.
bool cancel_job(const JobPtr& job);
/// Whether it is a map, rather than a single call that may return a vector all the same.
bool job_is_map(const JobPtr& job);
/// Waits for a job. Throws its failure, or `TimeoutError`.
void finish_job(const JobPtr& job, Timeout timeout);
/// After that, of a single call: its result, which lasts as long as the job.
std::span<const std::byte> finished_result(const JobPtr& job);
/// The same of a map: its results in the order of its elements.
std::vector<Piece> finished_pieces(const JobPtr& job);

}  // namespace procession::detail

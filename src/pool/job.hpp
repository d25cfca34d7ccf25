#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "heap/heap.hpp"
#include "pool/layout.hpp"
#include "procession/detail/pool_core.hpp"

namespace procession::detail {

/// Bytes in this process's memory while they are few, else in a block of the shared heap.
struct JobBytes {
  heap::Block block;
  std::size_t size = 0;
  std::byte in_place[pool::kInlineTask];

  /// Takes what was drafted.
  void take(TaskDraft& draft) {
    size = draft.size();
    if (const heap::Ticket ticket = draft.release(); ticket != 0) {
      block = heap::Block::own(ticket);
    } else {
      std::memcpy(in_place, draft.bytes().data(), size);
    }
  }
  /// To be read by any number of tasks, each from the same place.
  void into_heap() {
    if (!block) {
      block = heap::Block(size);
      std::memcpy(block.data(), in_place, size);
    }
  }
  [[nodiscard]] std::span<const std::byte> bytes() const {
    return {block ? block.data() : in_place, size};
  }
};

/// What ended of a job.
struct Results {
  std::size_t first = 0;
  std::size_t count = 0;
  std::size_t size = 0;
  heap::Block block;
  std::byte in_place[pool::kInlineResult];

  [[nodiscard]] std::span<const std::byte> bytes() const {
    return {block ? block.data() : in_place, size};
  }
};

/// Neighbouring elements that were encoded together.
struct Chunk {
  std::size_t first = 0;
  std::size_t count = 0;
  std::size_t left = 0;  ///< elements that have not ended
  JobBytes items;
  std::size_t stride = 0;            ///< bytes of each element; 0: they differ
  std::size_t grain = 0;             ///< elements from mark to mark; 0: there are none
  std::vector<std::uint64_t> marks;  ///< at which byte each grain begins

  /// Some of its elements as a worker is given them.
  struct Range {
    std::size_t begin;  ///< bytes
    std::size_t end;    ///< bytes
    std::size_t skip;   ///< elements at `begin` that are not meant
  };
  [[nodiscard]] Range range(std::size_t first, std::size_t elements) const;

  // Of a stream's job, what ended of it.
  std::vector<Results> results;
  std::vector<std::pair<std::size_t, std::exception_ptr>> failures;  ///< by element
  std::size_t place = 0;                                             ///< among those of the job

  /// In the child of a fork: the blocks are the parent's, who gives them back.
  void disown() noexcept;
};

/// Into how many parts for each worker the elements of a divisible job are encoded. As CPython.
inline constexpr std::size_t kPartsForEach = 4;

/// How fast the elements of a job are.
struct Pace {
  std::size_t begun = 0;      ///< elements that workers were given
  std::size_t under_way = 0;  ///< those of them in tasks that have not ended
  std::size_t tasks = 0;      ///< given to workers
  std::size_t measured = 0;   ///< elements
  double nanoseconds = 0;     ///< that these took

  /// How many elements, at least 1, the next task is to have, of `total` in all; 0: the workers
  /// have enough for now, of which `slots` tasks.
  [[nodiscard]] std::size_t next(std::size_t total, std::size_t workers, std::size_t slots) const;
  /// A task has told how long it took.
  void measure(std::size_t elements, Duration time);
};

/// One call, or one map: what was submitted together and is waited for together. All but the
/// constants is guarded by the mutex of its pool. It knows nothing of rings and workers: what ended
/// is told to it, what is to be run is asked of its chunks.
class Job {
 public:
  Job(PoolPtr pool, std::size_t total, JobSettings settings)
      : pool_(std::move(pool)), total_(total), left_(total), settings_(std::move(settings)) {}
  /// Of a stream: elements come and go while it is open.
  Job(PoolPtr pool, JobSettings settings) : Job(std::move(pool), 1, std::move(settings)) {
    streamed_ = true;
  }
  ~Job();
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  [[nodiscard]] const PoolPtr& pool() const { return pool_; }
  [[nodiscard]] std::size_t total() const { return total_; }
  [[nodiscard]] bool divisible() const { return settings_.divisible; }
  [[nodiscard]] unsigned retries() const { return settings_.retries; }
  [[nodiscard]] Timeout timeout() const { return settings_.timeout; }
  [[nodiscard]] const auto& progress() const { return settings_.progress; }
  [[nodiscard]] std::size_t left() const { return left_; }
  [[nodiscard]] bool ended() const { return left_ == 0; }
  [[nodiscard]] bool is_map() const { return call_.size != 0; }

  /// The function that all chunks share; of no bytes for a single call, whose one chunk holds all.
  JobBytes& call() { return call_; }
  Chunk& add_chunk(std::size_t first, std::size_t count);
  /// The same for a stream.
  Chunk& adopt(std::shared_ptr<Chunk> chunk);
  /// Of a stream: the chunks that have ended since the last call.
  std::vector<std::shared_ptr<Chunk>> take_ended();

  void succeed(Chunk& chunk, Results results);
  void fail(Chunk& chunk, std::size_t index, std::exception_ptr cause);
  /// The failure of an element that has ended already, or is ended otherwise.
  void note_failure(Chunk& chunk, std::size_t index, std::exception_ptr cause);
  /// Elements that ended behind one that failed: how does not matter.
  void dismiss(Chunk& chunk, std::size_t count) { end_elements(chunk, count); }
  /// Everything that has not ended fails with this.
  void fail_rest(const std::exception_ptr& cause);
  /// The same, and what has failed before does not count.
  void cancel(const std::exception_ptr& cause);

  /// To be called once when the job has ended, which it has not yet.
  void add_hook(std::function<void()> hook) { hooks_.push_back(std::move(hook)); }
  [[nodiscard]] bool has_hooks() const { return !hooks_.empty(); }
  Pace pace;  ///< kept by the pool
  /// The same for jobs of the same function, most likely.
  [[nodiscard]] std::size_t pace_key() const { return pace_key_; }
  /// The function that all chunks share is complete.
  void seal_call();
  /// Of how many slots its tasks have; kept by the pool.
  std::size_t slots = 0;

  [[nodiscard]] const std::exception_ptr& failure() const { return failure_; }
  [[nodiscard]] std::vector<Piece> pieces();

 private:
  void end_elements(Chunk& chunk, std::size_t count);
  void note_end();

  const PoolPtr pool_;
  const std::size_t total_;
  std::size_t left_;
  const JobSettings settings_;
  bool streamed_ = false;
  JobBytes call_;
  std::size_t pace_key_ = 0;
  std::vector<std::shared_ptr<Chunk>> chunks_;
  std::vector<std::shared_ptr<Chunk>> ended_;  ///< of a stream
  std::vector<Results> results_;
  std::exception_ptr failure_;
  std::size_t failed_index_ = 0;
  std::vector<std::function<void()>> hooks_;
};

/// Elements of one chunk that a worker is to run in one go.
struct Task {
  JobPtr job;
  Chunk* chunk = nullptr;
  std::size_t skip = 0;   ///< elements of the chunk in front
  std::size_t count = 0;  ///< elements to run
  unsigned lost = 0;      ///< how many workers died over the first of them
  /// Elements that ran too long. By a worker process at most one, which was then killed; threads
  /// run on, and the elements have failed already.
  std::size_t expired = 0;
  /// Of a stream, whose reader lets a chunk go once it has ended, though a thread be at it still.
  std::shared_ptr<Chunk> kept = {};
};

}  // namespace procession::detail

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "heap/heap.hpp"
#include "pool/failure.hpp"
#include "pool/layout.hpp"
#include "pool/thread_throws.hpp"
#include "procession/detail/pool_core.hpp"

namespace procession::detail {

/// Bytes in this process's memory while they are few, else in a block of the shared heap.
struct JobBytes {
  static constexpr std::size_t kNear = 72;  ///< a call of a function with an int or two

  heap::Block block;
  std::size_t size = 0;
  std::unique_ptr<std::byte[]> far;  ///< what is too large for `near`
  std::byte near[kNear];

  /// Takes what was built.
  void take(TaskBuilder& builder) {
    size = builder.size();
    if (const heap::HoldId hold_id = builder.release(); hold_id != 0) {
      block = heap::Block::own(hold_id);
      return;
    }
    if (size > kNear) {
      far.reset(new std::byte[size]);
    }
    std::memcpy(in_place(), builder.bytes().data(), size);
  }
  /// To be read by any number of tasks, each from the same place.
  void into_heap() {
    if (!block) {
      block = heap::Block::for_users(size);
      std::memcpy(block.data(), in_place(), size);
    }
  }
  /// Where they are unless they are in the block.
  [[nodiscard]] std::byte* in_place() { return far != nullptr ? far.get() : near; }
  [[nodiscard]] const std::byte* in_place() const { return far != nullptr ? far.get() : near; }
  [[nodiscard]] std::span<const std::byte> bytes() const {
    return {block ? block.data() : in_place(), size};
  }
};

/// What ended of a job.
struct Results {
  std::size_t first = 0;
  std::size_t count = 0;
  std::size_t size = 0;
  heap::Block block;
  std::byte in_place[pool::kInlineResult];
  pool::ThreadThrows as_thrown;  ///< of threads: what has no bytes that would do

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
};

/// Of a map: elements of which workers are given some at a time.
struct MapChunk : Chunk {
  std::size_t stride = 0;            ///< bytes of each element; 0: they differ
  std::size_t grain = 0;             ///< elements from mark to mark
  std::vector<std::uint64_t> marks;  ///< at which byte each grain begins

  /// Some of its elements as a worker is given them.
  struct Range {
    std::size_t begin;  ///< bytes
    std::size_t end;    ///< bytes
    std::size_t skip;   ///< elements at `begin` that are not meant
  };
  [[nodiscard]] Range range(std::size_t from, std::size_t elements) const;
};

/// Of a stream's job.
struct StreamChunk : Chunk {
  // What ended of it.
  std::vector<Results> results;
  std::vector<std::pair<std::size_t, Failure>> failures;  ///< by element
  std::size_t place = 0;                                  ///< among those of the job

  /// In the child of a fork: the blocks are the parent's, who gives them back.
  void disown() noexcept;
};

/// Into how many parts for each worker the elements of a divisible job are encoded. As CPython.
inline constexpr std::size_t kPartsForEach = 4;

/// How fast the elements of a job are.
struct ChunkSizer {
  std::size_t begun = 0;      ///< elements that workers were given
  std::size_t under_way = 0;  ///< those of them in tasks that have not ended
  std::size_t tasks = 0;      ///< given to workers
  double decoding = 0;        ///< nanoseconds for what is decoded for each of them
  std::size_t measured = 0;   ///< elements
  double nanoseconds = 0;     ///< that these took

  /// How many elements, at least 1, the next task is to have, of `total` in all; 0: the workers
  /// have enough for now, of which `slots` tasks.
  [[nodiscard]] std::size_t next(std::size_t total, std::size_t workers, std::size_t slots) const;
  /// The same where elements are run in chunks of so many, of which a worker is to be handed only
  /// as many as take next to no time.
  [[nodiscard]] std::size_t next_chunks(std::size_t chunksize, std::size_t workers,
                                        std::size_t slots) const;
  /// A task has told how long it took.
  void measure(std::size_t elements, const pool::TaskTime& time);
};

/// One call, or one map: what was submitted together and is waited for together. All but the
/// constants is guarded by the mutex of its pool. It knows nothing of rings and workers: what ended
/// is told to it, what is to be run is asked of its chunks. Of single calls that have ended there
/// may be millions whose results are still to be read, so they keep nothing else.
class Job {
 public:
  /// A single call.
  Job(PoolPtr pool, TaskBuilder& task, const JobSettings& settings);
  /// A map of so many elements.
  Job(PoolPtr pool, std::size_t total, JobSettings settings);
  /// A stream: elements come and go while it is open.
  Job(PoolPtr pool, JobSettings settings);
  ~Job();
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  [[nodiscard]] const PoolPtr& pool() const { return pool_; }
  [[nodiscard]] std::size_t total() const { return is_map() ? many_->total : 1; }
  [[nodiscard]] unsigned retries() const { return work().retries; }
  [[nodiscard]] Timeout timeout() const { return work().timeout; }
  [[nodiscard]] std::size_t left() const { return left_.load(std::memory_order_relaxed); }
  /// Also without the mutex; then what became of a single call may be read without it.
  [[nodiscard]] bool ended() const { return left_.load(std::memory_order_acquire) == 0; }

  /// A map, or the part of one that a stream is.
  [[nodiscard]] bool is_map() const { return many_ != nullptr; }
  /// Of a map: whether the pool decides how many elements a worker is handed at a time.
  [[nodiscard]] bool divisible() const { return is_map() && many_->settings.divisible; }
  /// Of a map: see JobSettings.
  [[nodiscard]] std::size_t chunksize() const { return many_->settings.chunksize; }
  /// Null unless somebody wants to hear of it.
  [[nodiscard]] const std::function<void(std::size_t, std::size_t)>* progress() const {
    return is_map() && many_->settings.progress ? &many_->settings.progress : nullptr;
  }
  /// Of a map: the function that all chunks share.
  JobBytes& call() { return many_->call; }
  /// What was drafted of it. Throws OutOfMemory.
  void take_call(TaskBuilder& call);
  /// Of a map: the number of the job where workers may keep its function (pool::Slot::job); 0: it
  /// has none yet. Kept by the pool.
  std::uint64_t& number() { return many_->number; }
  [[nodiscard]] bool has_handles() const { return many_->has_handles; }
  /// Of a map: how fast its elements are; kept by the pool.
  ChunkSizer& sizer() { return many_->sizer; }
  /// The same for jobs of the same function, most likely.
  [[nodiscard]] std::size_t sizer_key() const { return many_->sizer_key; }

  /// The chunk of a single call.
  Chunk& only() { return call_->chunk; }
  MapChunk& add_chunk(std::size_t first, std::size_t count);
  /// The same for a stream.
  void adopt(std::shared_ptr<StreamChunk>&& chunk);
  /// Of a stream: the chunks that have ended since the last call.
  std::vector<std::shared_ptr<StreamChunk>> take_ended();

  void succeed(Chunk& chunk, Results results);
  /// The same of a single call whose result is in the slot: `size` of these bytes.
  void succeed(Chunk& only, const std::byte (&in_place)[pool::kInlineResult], std::size_t size);
  void fail(Chunk& chunk, std::size_t index, Failure cause);
  /// The failure of an element that has ended already, or is ended otherwise.
  void note_failure(Chunk& chunk, std::size_t index, Failure cause);
  /// Elements that ended behind one that failed: how does not matter.
  void dismiss(Chunk& chunk, std::size_t count) { end_elements(chunk, count); }
  /// Everything that has not ended fails with this.
  void fail_rest(const Failure& cause);
  /// The same, and what has failed before does not count.
  void cancel(const Failure& cause);

  /// To be called once when the job has ended, which it has not yet.
  void add_hook(std::function<void()> hook) const;
  [[nodiscard]] bool has_hooks() const { return !work().hooks.empty(); }

  /// What is there until a single call has ended well, and of others always.
  struct Work {
    unsigned retries = 0;
    Timeout timeout = {};
    std::vector<std::function<void()>> hooks = {};
    // Kept by the pool:
    std::uint32_t slots = 0;      ///< how many its tasks have
    std::uint32_t last_slot = 0;  ///< the one that was given last
  };
  [[nodiscard]] Work& work() const { return is_map() ? many_->work : call_->work; }

  [[nodiscard]] const Failure& failure() const { return failure_; }
  /// Of a single call that has ended well.
  [[nodiscard]] std::span<const std::byte> result() const {
    return {block_ ? block_.data() : in_place_, size_};
  }
  /// Of a map that has.
  [[nodiscard]] std::vector<Piece> pieces();

 private:
  struct Call {
    Work work;
    Chunk chunk;

    // Used again, so that those of a stream of calls stay in the caches.
    static void* operator new(std::size_t size);
    static void operator delete(void* memory) noexcept;
  };
  struct Many {
    Work work;
    const std::size_t total;
    JobSettings settings;
    const bool streamed;
    JobBytes call;
    ChunkSizer sizer;
    std::size_t sizer_key = 0;
    std::uint64_t number = 0;
    bool has_handles = false;  ///< the function came with some
    std::size_t failed_index = 0;
    std::vector<std::unique_ptr<MapChunk>> chunks;
    std::vector<std::shared_ptr<StreamChunk>> open;   ///< of a stream: those that have not ended
    std::vector<std::shared_ptr<StreamChunk>> ended;  ///< of a stream
    std::vector<Results> results;
  };

  static std::unique_ptr<Many> make_many(std::size_t total, JobSettings settings, bool streamed);
  [[nodiscard]] bool streamed() const { return many_ != nullptr && many_->streamed; }
  /// Those that were never called; null: none.
  std::vector<std::function<void()>>* hooks_left() noexcept;
  void end_elements(Chunk& chunk, std::size_t count);
  void end_chunk(Chunk& chunk);
  void note_end();
  void set_left(std::size_t left) { left_.store(left, std::memory_order_release); }

  const PoolPtr pool_;
  std::atomic<std::size_t> left_;
  Failure failure_;
  std::unique_ptr<Call> call_;        ///< of a single call that has not ended well
  const std::unique_ptr<Many> many_;  ///< of others
  // The result of a single call.
  heap::Block block_;
  std::size_t size_ = 0;
  std::byte in_place_[pool::kInlineResult];
};

/// Elements of one chunk that a worker is to run in one go.
struct Task {
  JobPtr job;
  Chunk* chunk = nullptr;
  std::uint32_t skip = 0;   ///< elements of the chunk in front
  std::uint32_t count = 0;  ///< elements to run
  unsigned lost = 0;        ///< how many workers died over the first of them
  /// Elements that ran too long. By a worker process at most one, which was then killed; threads
  /// run on, and the elements have failed already.
  std::uint32_t expired = 0;
  /// Of a stream with a time-out, whose reader lets a chunk go once it has ended, though a thread
  /// be at it still. Else null: the job keeps a chunk until it has ended.
  std::shared_ptr<StreamChunk> kept = {};
  /// One ran out of time in a worker that cannot be killed, and its job was told so.
  bool told = false;
  /// Of several chunks: how many elements had ended when it was looked at whether one of them holds
  /// up the others.
  std::size_t seen = std::numeric_limits<std::size_t>::max();

  /// The number of its first element in the job.
  [[nodiscard]] std::size_t first() const { return chunk->first + skip; }
};

}  // namespace procession::detail

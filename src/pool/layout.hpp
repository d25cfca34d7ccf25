#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "heap/heap.hpp"
#include "heap/stepped.hpp"
#include "platform/prefetch.hpp"

// What a pool and its workers share: one block of the shared heap, held by the pool's owner. Any
// worker may be killed at any instruction; whatever it leaves here, the others go on, and the owner
// can tell which task it was running.
namespace procession::pool {

inline constexpr std::size_t kMostWorkers = 1024;
inline constexpr std::size_t kMaskWords = kMostWorkers / 64;
/// Tasks that are published at a time. More wait in the owner's own memory.
inline constexpr std::size_t kSlots = 1024;
/// Positions of the ring: at least twice the slots, so that a position which a killed worker left
/// behind never meets the one that is written.
inline constexpr std::size_t kRing = 2 * kSlots;
inline constexpr std::size_t kInlineTask = 136;
inline constexpr std::size_t kInlineResult = 24;

/// A task from its publication to the collection of its outcome, written by the owner but where
/// noted.
struct alignas(64) Slot {
  enum Phase : std::uint32_t {
    empty,
    ready,    ///< published, and nobody's
    claimed,  ///< a worker is running it: the one in the state
    done,     ///< the worker has ended it
    lost,     ///< the worker died over it, or it was cancelled before any had it; set by the owner
  };

  /// Bits 0-3 Phase, 4 somebody of the owner's sleeps on it, 5 somebody is to be told of its end by
  /// the bell, 6 the owner is killing the worker over it, 7 its elements are timed, 8-19 worker,
  /// 20-31 generation. One compare-and-swap from `ready` to `claimed` is the whole claim: there is
  /// no instruction at which a task was taken and its taker is not on record.
  heap::Stepped<std::uint32_t> state;

  /// Bytes of what follows the results, written by the worker when the first element throws: its
  /// process id and the number of the element, both as a u32, then the exception. The elements
  /// behind that one have no results. 0: none threw.
  std::uint32_t error_size;
  std::uint32_t skip;        ///< elements at the front of `items` that are done already
  std::uint32_t count;       ///< elements to run after those
  heap::Offset call;         ///< block with the encoded function; 0: at the front of `items`
  std::uint64_t call_size;   ///< bytes
  heap::Offset items;        ///< block with the encoded arguments; 0: in `inline_items`
  std::uint64_t items_size;  ///< bytes

  // Written by the worker.
  /// The results so far: bits 0-23 how many elements, 24-62 how many bytes, 63 whether an element
  /// among these has thrown and its exception is there. One store for each element, so that what
  /// was finished before a death is never lost and never run twice.
  heap::Stepped<std::uint64_t> progress;
  /// When the element that runs began, of a timed task: nanoseconds of the monotonic clock; 0: none
  /// runs. The owner swaps in the same with kExpired when that was too long ago, the worker 0 when
  /// the element has ended, and each sees who was first: what ended in time is never called late,
  /// and a worker that is killed for one element has not begun the next. Once a task that is
  /// measured is done: kExpired and what TaskTime makes of it.
  heap::Stepped<std::uint64_t> clock;
  heap::HoldId result;  ///< block with the results, held by the pool's block; 0: in `inline_result`

  /// Of a task of several chunks: bits 0-31 how many elements the worker has begun chunks of,
  /// 32-63 how many there are. The worker adds a chunk before it begins it; the owner takes back
  /// what was not begun by making the second number the first.
  heap::Stepped<std::uint64_t> share;
  /// Elements of each chunk, all in the slot but perhaps the last. 0: the task is one chunk.
  std::uint32_t chunksize;
  std::uint32_t measured;  ///< 1: the worker is to write into `clock` how long the task took
  /// Which job it is of whose function may be kept for its next task (kept_calls.hpp): a number
  /// that this pool gives once, with kHasHandles. 0: none.
  std::uint64_t job;

  // A small task and its result lie in three cache lines.
  std::byte inline_result[kInlineResult];
  std::byte inline_items[kInlineTask];
};
static_assert(sizeof(Slot) == 256);

/// How many slots before one is looked at its lines are asked for, which another process has.
inline constexpr std::size_t kAhead = 4;
inline void fetch_small_task(const Slot& slot) {
  platform::prefetch_for_write(&slot.state);
  platform::prefetch_for_write(&slot.result);
  platform::prefetch_for_write(&slot.inline_items[8]);
}

inline std::uint64_t share_word(std::size_t begun, std::size_t all) {
  return static_cast<std::uint64_t>(all) << 32 | begun;
}
inline std::size_t share_begun(std::uint64_t word) { return word & 0xffffffff; }
inline std::size_t share_all(std::uint64_t word) { return word >> 32; }

inline constexpr std::uint64_t kExpired = std::uint64_t{1} << 63;

/// In the number of a job: its function came with handles, perhaps of what somebody waits to see
/// closed.
inline constexpr std::uint64_t kHasHandles = 1;
inline std::uint64_t job_number(std::uint64_t count, bool has_handles) {
  return count << 1 | (has_handles ? kHasHandles : 0);
}

/// What a measured task took. As a word: bits 0-39 nanoseconds of the elements, 40-62 microseconds
/// of `decoding`; more than there is room for is the most there is.
struct TaskTime {
  std::uint64_t elements;  ///< nanoseconds
  std::uint64_t decoding;  ///< nanoseconds for what is decoded for each task of the job

  static constexpr std::uint64_t kMostElements = (std::uint64_t{1} << 40) - 1;
  static constexpr std::uint64_t kMostDecoding = (std::uint64_t{1} << 23) - 1;

  [[nodiscard]] std::uint64_t word() const {
    return std::min(elements, kMostElements) | std::min(decoding / 1000, kMostDecoding) << 40;
  }
  static TaskTime of(std::uint64_t word) {
    return {word & kMostElements, (word >> 40 & kMostDecoding) * 1000};
  }
};

inline constexpr std::uint32_t kPhaseMask = 0xf;
inline constexpr std::uint32_t kSleeps = 1U << 4;
inline constexpr std::uint32_t kTells = 1U << 5;
inline constexpr std::uint32_t kDoomed = 1U << 6;
inline constexpr std::uint32_t kTimed = 1U << 7;
inline constexpr std::uint32_t kGeneration = 1U << 20;

inline Slot::Phase phase_of(std::uint32_t state) {
  return static_cast<Slot::Phase>(state & kPhaseMask);
}
inline std::uint32_t generation_of(std::uint32_t state) { return state & ~(kGeneration - 1); }
/// Whether the task of that generation has neither ended nor made room for another one.
inline bool under_way(std::uint32_t state, std::uint32_t generation) {
  const Slot::Phase phase = phase_of(state);
  return (phase == Slot::ready || phase == Slot::claimed) && generation_of(state) == generation;
}
inline bool under_way(const Slot& slot, std::uint32_t generation) {
  return under_way(slot.state.load(), generation);
}
inline std::uint32_t worker_of(std::uint32_t state) { return state >> 8 & 0xfff; }
inline std::uint32_t with_phase(std::uint32_t state, Slot::Phase phase, std::uint32_t worker) {
  return (state & ~(kPhaseMask | 0xfffU << 8)) | phase | worker << 8;
}

inline constexpr unsigned kProgressCountBits = 24;
inline constexpr std::size_t kMostInChunk = (std::size_t{1} << kProgressCountBits) - 1;
inline std::uint64_t progress_word(std::size_t count, std::size_t bytes) {
  return static_cast<std::uint64_t>(bytes) << kProgressCountBits | count;
}
inline std::size_t progress_count(std::uint64_t word) { return word & kMostInChunk; }
inline constexpr std::uint64_t kProgressThrew = std::uint64_t{1} << 63;
inline std::size_t progress_bytes(std::uint64_t word) {
  return (word & ~kProgressThrew) >> kProgressCountBits;
}

/// One worker's place; the next worker in it is started when what the last one left was dealt with.
struct alignas(64) WorkerSlot {
  heap::Stepped<std::uint32_t>
      wake;  ///< the worker sleeps on it while its parked bit is set; changed to wake it
  heap::Stepped<std::uint32_t> ready;  ///< 1: its initializer has returned
  /// Bytes of memory that a fork gave the worker, which are not its own. Before its first task.
  heap::Stepped<std::uint64_t> inherited;
  /// 1: the owner may have read what the worker wrote to stderr, and not yet written it on.
  heap::Stepped<std::uint32_t> stderr_taken;
};

/// A set of workers; a bit set or cleared twice is no harm, so a killed worker cannot spoil it.
struct WorkerBits {
  heap::Stepped<std::uint64_t> words[kMaskWords];
};

/// The jobs that have not ended of which workers may keep the function. The owner writes it; where
/// it is full, a job is not in it, which is as if it had ended.
struct KeptJobs {
  static constexpr std::size_t kMost = 31;

  heap::Stepped<std::uint64_t> ended;         ///< how many were in it; changed after `alive`
  heap::Stepped<std::uint64_t> alive[kMost];  ///< by number; 0: none
};

struct Shared {
  enum Stop : std::uint32_t {
    run,
    leave,    ///< when there are no more tasks
    abandon,  ///< before the next task
  };

  std::uint32_t worker_slots_used;  ///< constant
  std::uint32_t spinners_most;      ///< constant: how many idle workers may spin at a time
  std::uint32_t on_threads;         ///< constant: 1 when the workers are threads of the owner
  std::uint32_t forked;             ///< constant: 1 when they are forks of the owner
  std::uint64_t
      most_tasks;  ///< constant: after so many chunks a worker makes room for a new one; 0: never
  std::uint64_t most_memory;  ///< constant: a worker that has more bytes after a task makes room
                              ///< too; 0: no limit
  heap::Offset initializer;   ///< constant: block with an encoded call; 0: none
  std::uint64_t initializer_size;     ///< constant
  heap::Stepped<std::uint32_t> stop;  ///< Stop
  /// Block with the exception of an initializer, behind its size as a u64; held by this block. 0:
  /// none.
  heap::HoldId failure;
  /// Block with a sync::EventCount on which the owner's completion thread sleeps (completion
  /// thread.hpp); held by this block, and there before any slot has kTells.
  heap::Offset bell;
  /// How many threads of the owner wait for the end of any task: a worker that ends one then
  /// changes `ends`, on which they sleep.
  heap::Stepped<std::uint32_t> watchers;
  /// 1: tasks end so soon that a worker more than there are processors beside the owner's would
  /// rather keep the owner from handing out the next ones. The owner's.
  heap::Stepped<std::uint32_t> short_tasks;
  heap::Stepped<std::uint32_t> ends;

  /// Position of the next task to be claimed. Behind the truth where a claimer has not moved it on
  /// yet: whoever finds a claimed task at it does.
  alignas(64) heap::Stepped<std::uint64_t> head;
  /// Position of the next task to be published. The owner's, who then looks at the set beside it.
  alignas(64) heap::Stepped<std::uint64_t> tail;
  WorkerBits spinning;            ///< those that look for a task
  alignas(64) WorkerBits parked;  ///< those that sleep or are about to
  /// Those that are to be woken when a job ends, because they keep what is to be given back then.
  WorkerBits keeping;
  alignas(64) KeptJobs kept_jobs;
  /// Bits 0-15 the slot, 16-63 the position, which tells an old entry from the one that is looked
  /// for.
  alignas(64) heap::Stepped<std::uint64_t> ring[kRing];
  Slot slots[kSlots];
  WorkerSlot worker_slots[1];  ///< worker_slots_used of them
};

}  // namespace procession::pool

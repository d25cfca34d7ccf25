#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>

#include "pool/core.hpp"
#include "pool/kept_calls.hpp"
#include "pool/ring.hpp"
#include "pool/supervisor.hpp"
#include "procession/error.hpp"

// From a task to a slot.
namespace procession::detail {

using namespace pool;

void PoolCore::submit_single(const JobPtr& job) try {
  std::unique_lock guard(mutex_);
  check_open_here(guard);
  backlog_.push_back({job, &job->only(), 0, 1});
  if (lacks_workers_) {
    want_workers();
  }
  // Where workers have enough to do, handing over many at a time costs less.
  if (had_enough_ && backlog_.size() % kTogether != 0) {
    feed_later();
    return;
  }
  feed_backlog();
} catch (...) {
  // Whoever catches nothing ends in std::terminate(), and may sleep there while the process ends
  // (uncaught.hpp): the mutex has been given back here.
  throw;
}

void PoolCore::submit(Task task) try {
  const std::lock_guard guard(mutex_);
  check_here();
  if (!admit(*task.job)) {
    return;
  }
  if (stage_ == Stage::closed) {
    // Between the check and here. The workers may have left.
    refuse_task();
  }
  backlog_.push_back(std::move(task));
  if (lacks_workers_) {
    want_workers();
  }
  feed_backlog();
} catch (...) {
  throw;  // see submit_single
}

/// Whether a pool that is not closed can run its tasks; where not, the job fails, or has failed.
bool PoolCore::admit(Job& job) {
  if (job.ended()) {
    return false;
  }
  if (broken_) {
    job.fail_rest(broken_);
    return false;
  }
  if (stage_ == Stage::terminated) {
    job.fail_rest(std::make_exception_ptr(Cancelled(given_too_late())));
    return false;
  }
  return true;
}

/// Moves on what was put into the backlog.
void PoolCore::feed_backlog() {
  if (free_.empty() && tasks_.size() == kSlots) {
    collect_ended();
  }
  feed();
}

Timeout PoolCore::pump() {
  const std::unique_lock guard(mutex_, std::try_to_lock);
  if (!guard) {
    return kFeedEvery;  // somebody else is at it
  }
  for (HeldChunks* const held : streams_) {
    if (held->watched()) {
      held_back_lately_ = true;
      held->note_look();
      take_held(*held);
    }
  }
  if (!backlog_.empty()) {
    move_on();
  }
  check_short_tasks();
  // Where tasks were held back lately there will be more, and to be called for each costs more than
  // to look.
  held_back_ = std::exchange(held_back_lately_, false) || !backlog_.empty() ||
               (shared_.short_tasks != 0 && may_have_tasks(shared_));
  if (!held_back_) {
    return std::nullopt;
  }
  if (backlog_.empty()) {
    return kFeedEvery;
  }
  // Workers that have enough for now have it for longer than a wait for a slot may take.
  return backlog_.front().job->divisible() && backlog_.front().job->sizer().measured != 0 &&
                 !order_.empty() && order_.size() < kSlots
             ? kDivideEvery
             : kFeedEvery;
}

/// Calls all workers to short tasks that wait where none was claimed since the last look, because
/// those that are awake are at tasks that take long, or none was published: the owner may be
/// asleep.
void PoolCore::check_short_tasks() {
  const std::uint64_t head = shared_.head.load();
  const std::uint64_t tail = shared_.tail.load();
  const bool stuck = std::exchange(seen_head_, head) == head;
  const bool at_rest = std::exchange(seen_tail_, tail) == tail;
  if (shared_.short_tasks != 0 && head != tail && (stuck || at_rest)) {
    shared_.short_tasks = stuck ? 0 : 1;
    call_workers_for_all(shared_);
  }
}

void PoolCore::move_on() {
  collect_ended();
  feed();
}

void PoolCore::feed() {
  std::uint32_t fed = 0;
  const auto hand_over = [&](void* /*unused*/) {
    if (fed == 0) {
      return;
    }
    publish(shared_, fed);
    if (!call_workers(shared_, fed)) {
      feed_later();
    }
  };
  // What is in slots is published even if there was no memory for the next.
  std::unique_ptr<void, decltype(hand_over)> enlisted(this, hand_over);
  const std::size_t most = room(shared_);
  while (!backlog_.empty() && !broken_ && fed < most) {
    Task& front = backlog_.front();
    const std::size_t count = next_count(front);
    if (count == 0) {
      break;
    }
    if (count < front.count) {
      Task part = front;
      part.count = static_cast<std::uint32_t>(count);
      if (!put(part, fed)) {
        break;
      }
      front.skip += part.count;
      front.count -= part.count;
      front.lost = 0;  // that was of the first element
    } else {
      if (!put(front, fed)) {
        break;
      }
      backlog_.pop_front();
    }
    ++fed;
  }
  enlisted.reset();
  had_enough_ = order_.size() >= kEnough;
  if (!backlog_.empty()) {
    feed_later();
  }
}

/// Tasks wait to be given to workers: should nobody else do so, the supervisor will.
void PoolCore::feed_later() {
  held_back_lately_ = true;
  if (!held_back_) {
    // It looks again and again until there are none.
    held_back_ = true;
    nudge_supervisor();
  }
}

/// How many of the task's elements to hand to a worker now.
std::size_t PoolCore::next_count(const Task& task) const {
  Job& job = *task.job;
  if (!job.divisible()) {
    return task.count;
  }
  const std::size_t chunksize = job.chunksize();
  if (chunksize != 0) {
    // What is left of a chunk of which a part has ended.
    const std::size_t rest = chunksize - task.skip % chunksize;
    if (rest != chunksize || task.lost != 0 || !hands_out_several(job)) {
      return std::min<std::size_t>(task.count, rest);
    }
  } else if (task.lost != 0) {
    return task.count;
  }
  ChunkSizer& sizer = job.sizer();
  if (sizer.tasks == 0) {
    const KnownTaskTime& known = known_times_[job.sizer_key() % known_times_.size()];
    if (known.key == job.sizer_key()) {
      sizer.measured = 1;
      sizer.nanoseconds = known.each;
      sizer.decoding = known.decoding;
    }
  }
  return std::min<std::size_t>(
      task.count, chunksize != 0 ? sizer.next_chunks(chunksize, workers_.size(), job.work().slots)
                                 : sizer.next(job.total(), workers_.size(), job.work().slots));
}

/// Whether a worker may be handed several of the chunks that were asked for at a time. It looks at
/// its limits between tasks, and at time-outs of threads too.
bool PoolCore::hands_out_several(const Job& job) const {
  return shared_.most_tasks == 0 && shared_.most_memory == 0 && !job.timeout();
}

/// Whether the task is several of the chunks that were asked for.
bool PoolCore::is_several(const Task& task) {
  return task.job->divisible() && task.job->chunksize() != 0 && task.count > task.job->chunksize();
}

/// By which workers know the function of a map or a stream again.
std::uint64_t PoolCore::number_of(Job& job) {
  if (job.number() == 0 && !job.ended()) {
    job.number() = job_number(++jobs_, job.has_handles());
    begin_kept(shared_, job.number());
  }
  return job.number();
}

void PoolCore::function_ended(std::uint64_t number) { end_kept(shared_, number); }

/// Puts a task into a slot and enlists it behind `before` others. False when all slots are in use.
bool PoolCore::put(Task& task, std::uint32_t before) {
  if (free_.empty()) {
    if (tasks_.size() == kSlots) {
      return false;
    }
    free_.push_back(static_cast<std::uint32_t>(tasks_.size()));
    tasks_.emplace_back();
  }
  const std::uint32_t number = free_.back();
  free_.pop_back();
  if (free_.size() > kAhead) {
    fetch_small_task(shared_.slots[free_[free_.size() - 1 - kAhead]]);
  }
  Slot& slot = shared_.slots[number];
  Job& job = *task.job;
  const JobBytes& items = task.chunk->items;
  MapChunk::Range range{0, items.size, task.skip};
  if (job.divisible()) {
    range = static_cast<const MapChunk*>(task.chunk)->range(task.skip, task.count);
  }
  slot.call = job.is_map() ? job.call().block.offset() : 0;
  slot.call_size = job.is_map() ? job.call().size : 0;
  slot.job = job.is_map() ? number_of(job) : 0;
  slot.items = items.block ? items.block.offset() + range.begin : 0;
  slot.items_size = range.end - range.begin;
  if (!items.block) {
    std::memcpy(slot.inline_items, items.in_place() + range.begin, slot.items_size);
  }
  slot.skip = static_cast<std::uint32_t>(range.skip);
  slot.count = task.count;
  slot.chunksize = 0;
  if (is_several(task)) {
    slot.chunksize = static_cast<std::uint32_t>(job.chunksize());
    slot.share.store(share_word(0, task.count), std::memory_order_relaxed);
    look_within(kHeldUpLooks);
  }
  slot.progress.store(0, std::memory_order_relaxed);
  slot.clock.store(0, std::memory_order_relaxed);
  slot.result = 0;
  slot.error_size = 0;
  slot.measured = job.divisible() ? 1 : 0;
  const std::uint32_t state = slot.state.load(std::memory_order_relaxed);
  slot.state.store((generation_of(state) + kGeneration) | Slot::ready |
                       (job.has_hooks() ? kTells : 0) | (job.timeout() ? kTimed : 0),
                   std::memory_order_release);
  if (job.timeout()) {
    look_within(*job.timeout());
  }
  if (shared_.most_memory != 0) {
    look_within(kMemoryLooks);
  }
  ++job.work().slots;
  job.work().last_slot = number;
  if (job.divisible()) {
    ChunkSizer& sizer = job.sizer();
    sizer.begun += task.count;
    sizer.under_way += task.count;
    ++sizer.tasks;
  }
  tasks_[number] = std::move(task);
  order_.push_back(number);
  enlist(shared_, number, before);
  return true;
}

}  // namespace procession::detail

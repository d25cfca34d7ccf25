#include <algorithm>
#include <cstring>
#include <utility>

#include "pool/core.hpp"
#include "pool/ring.hpp"
#include "pool/supervisor.hpp"
#include "procession/error.hpp"

// From a task to a slot.
namespace procession::detail {

using namespace pool;

void PoolCore::submit(Task task) {
  const std::lock_guard guard(mutex_);
  if (!admit(*task.job)) {
    return;
  }
  if (stage_ == Stage::closed) {
    // Between the check and here. The workers may have left.
    throw ProcessError(
        "the pool was closed while a task was being submitted; submit before close()");
  }
  backlog_.push_back(std::move(task));
  feed_backlog();
}

/// Whether a pool that is not closed can run its tasks; where not, the job fails.
bool PoolCore::admit(Job& job) {
  if (broken_ != nullptr) {
    job.fail_rest(broken_);
    return false;
  }
  if (stage_ == Stage::terminated) {
    job.fail_rest(std::make_exception_ptr(
        Cancelled("a task was given to a pool that was terminated; make a new pool, or submit "
                  "before terminate()")));
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
  const std::lock_guard guard(mutex_);
  if (!backlog_.empty()) {
    move_on();
  }
  held_back_ = !backlog_.empty();
  if (!held_back_) {
    return std::nullopt;
  }
  // Workers that have enough for now have it for longer than a wait for a slot may take.
  return backlog_.front().job->pace.measured != 0 && !order_.empty() && order_.size() < kSlots
             ? kDivideEvery
             : kFeedEvery;
}

void PoolCore::move_on() {
  collect_ended();
  feed();
}

void PoolCore::feed() {
  std::uint32_t fed = 0;
  while (!backlog_.empty() && broken_ == nullptr) {
    Task& front = backlog_.front();
    const std::size_t count = next_count(front);
    if (count == 0) {
      break;
    }
    if (count < front.count) {
      Task part = front;
      part.count = count;
      if (!put(part)) {
        break;
      }
      front.skip += count;
      front.count -= count;
    } else {
      if (!put(front)) {
        break;
      }
      backlog_.pop_front();
    }
    ++fed;
  }
  if (fed != 0) {
    call_workers(shared_, fed);
  }
  if (!backlog_.empty() && !held_back_) {
    // It looks again and again until there are none.
    held_back_ = true;
    nudge_supervisor();
  }
}

/// How many of the task's elements to hand to a worker now.
std::size_t PoolCore::next_count(const Task& task) const {
  Job& job = *task.job;
  if (!job.divisible() || task.lost != 0) {
    return task.count;
  }
  if (job.pace.tasks == 0) {
    const KnownPace& known = paces_[job.pace_key() % paces_.size()];
    if (known.key == job.pace_key()) {
      job.pace.measured = 1;
      job.pace.nanoseconds = known.each;
    }
  }
  return std::min(task.count, job.pace.next(job.total(), crew_.size(), job.slots));
}

/// Puts a task into a slot and publishes it. False when all slots are in use.
bool PoolCore::put(Task& task) {
  if (!has_room(shared_)) {
    return false;
  }
  if (free_.empty()) {
    if (tasks_.size() == kSlots) {
      return false;
    }
    free_.push_back(static_cast<std::uint32_t>(tasks_.size()));
    tasks_.emplace_back();
  }
  const std::uint32_t number = free_.back();
  free_.pop_back();
  Slot& slot = shared_.slots[number];
  const JobBytes& call = task.job->call();
  const JobBytes& items = task.chunk->items;
  slot.call = call.size != 0 ? call.block.offset() : 0;
  slot.call_size = call.size;
  const Chunk::Range range = task.chunk->range(task.skip, task.count);
  slot.items = items.block ? items.block.offset() + range.begin : 0;
  slot.items_size = range.end - range.begin;
  if (!items.block) {
    std::memcpy(slot.inline_items, items.in_place + range.begin, slot.items_size);
  }
  slot.skip = static_cast<std::uint32_t>(range.skip);
  slot.count = static_cast<std::uint32_t>(task.count);
  slot.progress.store(0, std::memory_order_relaxed);
  slot.clock.store(0, std::memory_order_relaxed);
  slot.result = 0;
  slot.error_size = 0;
  slot.state.store((generation_of(slot.state.load()) + kGeneration) | Slot::ready |
                   (task.job->has_hooks() ? kTells : 0) | (task.job->timeout() ? kTimed : 0));
  if (task.job->timeout()) {
    look_within(*task.job->timeout());
  }
  if (shared_.most_memory != 0) {
    look_within(kMemoryLooks);
  }
  ++task.job->slots;
  if (task.job->divisible()) {
    Pace& pace = task.job->pace;
    pace.begun += task.count;
    pace.under_way += task.count;
    ++pace.tasks;
  }
  tasks_[number] = std::move(task);
  order_.push_back(number);
  publish(shared_, number);
  return true;
}

}  // namespace procession::detail

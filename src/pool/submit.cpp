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
  if (broken_ != nullptr) {
    task.job->fail_rest(broken_);
    return;
  }
  if (stage_ == Stage::terminated) {
    task.job->fail_rest(
        std::make_exception_ptr(Cancelled("the pool was terminated while the task was submitted")));
    return;
  }
  if (stage_ == Stage::closed) {
    // Between the check and here. The workers may have left.
    throw ProcessError(
        "the pool was closed while a task was being submitted; submit before close()");
  }
  backlog_.push_back(std::move(task));
  if (free_.empty() && tasks_.size() == kSlots) {
    collect_ended();
  }
  feed();
  if (backlog_.size() == 1) {
    nudge_supervisor();
  }
}

bool PoolCore::pump() {
  const std::lock_guard guard(mutex_);
  if (!backlog_.empty()) {
    move_on();
  }
  return !backlog_.empty();
}

void PoolCore::move_on() {
  collect_ended();
  feed();
}

void PoolCore::feed() {
  std::uint32_t fed = 0;
  while (!backlog_.empty() && broken_ == nullptr && put(backlog_.front())) {
    backlog_.pop_front();
    ++fed;
  }
  if (fed != 0) {
    call_workers(shared_, fed);
  }
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
  slot.items = items.block.offset();
  slot.items_size = items.size;
  if (!items.block) {
    std::memcpy(slot.inline_items, items.in_place, items.size);
  }
  slot.skip = static_cast<std::uint32_t>(task.skip);
  slot.count = static_cast<std::uint32_t>(task.count);
  slot.progress.store(0, std::memory_order_relaxed);
  slot.clock.store(0, std::memory_order_relaxed);
  slot.result = 0;
  slot.error_size = 0;
  slot.state.store((generation_of(slot.state.load()) + kGeneration) | Slot::ready |
                   (task.job->has_hooks() ? kTells : 0) | (task.job->timeout() ? kTimed : 0));
  if (task.job->timeout()) {
    watch_clock(*task.job->timeout());
  }
  ++task.job->slots;
  tasks_[number] = std::move(task);
  order_.push_back(number);
  publish(shared_, number);
  return true;
}

}  // namespace procession::detail

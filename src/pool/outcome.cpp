#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "log/log.hpp"
#include "platform/futex.hpp"
#include "platform/spawn.hpp"
#include "pool/core.hpp"
#include "pool/ring.hpp"
#include "pool/thread_throws.hpp"
#include "pool/time_passed.hpp"
#include "pool/worker_bits.hpp"
#include "procession/error.hpp"
#include "procession/exception.hpp"

// From a slot to the outcome of its task, and what is done about each outcome.
namespace procession::detail {

using namespace pool;

void PoolCore::collect_ended() {
  // Tasks are claimed in the order of their publication: behind the first that nobody has claimed,
  // none has ended.
  std::vector<std::uint32_t> running;
  while (!order_.empty()) {
    const std::uint32_t number = order_.front();
    if (order_.size() > kAhead) {
      fetch_small_task(shared_.slots[order_[kAhead]]);
    }
    const Slot::Phase phase = phase_of(shared_.slots[number].state.load(std::memory_order_acquire));
    if (phase == Slot::ready) {
      break;
    }
    order_.pop_front();
    if (phase == Slot::claimed) {
      running.push_back(number);
    } else {
      collect(number);
      ++collected_;
    }
  }
  if (!running.empty()) {
    order_.insert(order_.begin(), running.begin(), running.end());
  }
  if (collected_ >= kShortTaskLooks) {
    const auto now = std::chrono::steady_clock::now();
    shared_.short_tasks = now - collected_since_ < collected_ * kShortTask ? 1 : 0;
    collected_since_ = now;
    collected_ = 0;
  }
}

void PoolCore::collect(std::uint32_t number) {
  Slot& slot = shared_.slots[number];
  const Task task = std::exchange(tasks_[number], {});
  --task.job->work().slots;
  if (task.job->divisible()) {
    note_task_time(task, slot);
  }
  const std::uint32_t state = slot.state.load();
  const std::uint64_t progress = slot.progress.load();
  const std::size_t done = progress_count(progress);
  if (!task.job->is_map() && phase_of(state) == Slot::done && done == 1 && slot.error_size == 0 &&
      slot.result == 0 && !task.job->ended() && task.expired == 0) {
    // What nearly all single calls come to, without the steps on the way.
    task.job->succeed(*task.chunk, slot.inline_result, progress_bytes(progress));
    make_free(number, state);
    return;
  }

  Results results;
  results.first = task.first();
  results.count = done;
  results.size = progress_bytes(progress);
  if (on_threads()) {
    results.as_thrown = take_thrown(slot);
  }
  // A worker may have been killed over handing over a block, which then is not there.
  const heap::HoldId block =
      phase_of(state) == Slot::done ? slot.result : heap::settled(slot.result);
  if (block != 0) {
    heap::move(block, heap::self());
    results.block = heap::Block::own(block);
  } else {
    std::memcpy(results.in_place, slot.inline_result, kInlineResult);
  }
  if (!task.job->ended()) {
    const bool orderly = phase_of(state) == Slot::done;
    std::size_t over = done;
    const bool threw = orderly ? slot.error_size != 0 : (progress & kProgressThrew) != 0;
    if (threw) {
      const std::byte* const bytes = results.block ? results.block.data() : results.in_place;
      Thrown thrown = read_exception(task, done, {bytes + results.size, slot.error_size}, results);
      task.job->note_failure(*task.chunk, task.first() + thrown.element, std::move(thrown.cause));
      results.count = thrown.element;
      // The whole task may have thrown behind that, over elements that cannot be read.
      over += orderly && done < task.count ? 1 : 0;
    }
    if (on_threads() && task.expired != 0) {
      results.count = 0;
      task.job->dismiss(*task.chunk, over - task.expired);
    } else {
      task.job->dismiss(*task.chunk, over - results.count);
    }
    if (over < task.count && orderly) {
      run_from(task, over, 0);
    } else if (over < task.count) {
      settle_loss(task, over, ended_[worker_of(state)]);
    }
    task.job->succeed(*task.chunk, std::move(results));
  }
  make_free(number, state);
}

/// The slot's task has been collected, in this state.
void PoolCore::make_free(std::uint32_t number, std::uint32_t state) {
  Slot& slot = shared_.slots[number];
  slot.result = 0;
  slot.state.store(generation_of(state), std::memory_order_release);
  if ((state & kSleeps) != 0) {
    // The worker wakes who sleeps, unless it was killed between the end of the task and that.
    platform::futex_wake_all(slot.state.word());
  }
  free_.push_back(number);
}

void PoolCore::note_task_time(const Task& task, const Slot& slot) {
  ChunkSizer& sizer = task.job->sizer();
  sizer.under_way -= task.count;
  if (phase_of(slot.state.load()) == Slot::done) {
    TaskTime time = TaskTime::of(slot.clock.load() & ~kExpired);
    if (task.job->chunksize() != 0) {
      // Of chunks that the caller chose, what is decoded for each is part of it.
      time = {time.elements + time.decoding, 0};
    }
    sizer.measure(task.count, time);
    known_times_[task.job->sizer_key() % known_times_.size()] = {
        task.job->sizer_key(), sizer.nanoseconds / static_cast<double>(sizer.measured),
        sizer.decoding};
  }
}

PoolCore::Thrown PoolCore::read_exception(const Task& task, std::size_t done,
                                          std::span<const std::byte> bytes,
                                          const Results& results) const {
  Decoder decoder(bytes);
  const auto origin = decode<std::uint32_t>(decoder);
  // Of these there are results, and no more, whatever was written into their memory.
  const std::size_t failed = std::min<std::size_t>(decode<std::uint32_t>(decoder), done);
  if (Failure thrown = thrown_of(results.as_thrown, origin)) {
    return {failed, std::move(thrown)};
  }
  try {
    const int pid = on_threads() ? platform::process_id() : static_cast<int>(origin);
    return {failed, Failure(decoder.take(decoder.remaining()), {task.first() + failed, pid},
                            results.block ? results.block.offset() : 0)};
  } catch (...) {
    return {failed, std::current_exception()};
  }
}

void PoolCore::settle_loss(const Task& task, std::size_t done, const Ended& worker) {
  // Which elements the worker had finished is on record, and which one it died over: the others
  // still run, once.
  const unsigned lost = (done == 0 ? task.lost : 0) + 1;
  if (lost <= task.job->retries()) {
    run_from(task, done, lost);
    return;
  }
  const std::size_t index = task.first() + done;
  if (!task.told) {
    task.job->fail(*task.chunk, index,
                   task.expired != 0 ? time_passed(task, index, worker.pid)
                                     : Failure(std::make_exception_ptr(WorkerLost(
                                           worker.pid, worker.exitcode, index, worker.over_memory,
                                           worker.last_lines, lost))));
  }
  run_from(task, done + 1, 0);
}

void PoolCore::run_from(const Task& task, std::size_t skip, unsigned lost) {
  if (skip < task.count) {
    const auto done = static_cast<std::uint32_t>(skip);
    backlog_.push_front(
        {task.job, task.chunk, task.skip + done, task.count - done, lost, 0, task.kept});
  }
}

void PoolCore::worker_ended(std::uint32_t worker_slot) {
  const std::optional<Ended> ended = workers_.take_ended(worker_slot);
  if (!ended) {
    return;
  }
  {
    if (ended->exitcode != 0) {
      log::write(LogLevel::warning, "lost pool worker " + std::to_string(ended->pid) + ", " +
                                        exit_text(ended->exitcode));
    }
    const std::lock_guard guard(mutex_);
    ended_[worker_slot] = *ended;
    erase(shared_.parked, worker_slot);
    erase(shared_.spinning, worker_slot);
    erase(shared_.keeping, worker_slot);
    if (stage_ == Stage::terminated) {
      return;  // what it was running is cancelled, not lost
    }
    std::vector<std::uint32_t> lost;
    for (const std::uint32_t number : order_) {
      Slot& slot = shared_.slots[number];
      std::uint32_t state = slot.state.load();
      if (phase_of(state) != Slot::claimed || worker_of(state) != worker_slot) {
        continue;
      }
      while (!slot.state.compare_exchange_weak(state, with_phase(state, Slot::lost, worker_slot))) {
      }
      if ((state & kSleeps) != 0) {
        platform::futex_wake_all(slot.state.word());
      }
      lost.push_back(number);
    }
    // Now, while it is known how this worker ended: one before it may not have been claimed yet,
    // behind which `collect_ended` does not look, and the worker slot's next worker may end before
    // it is.
    for (const std::uint32_t number : lost) {
      std::erase(order_, number);
      collect(number);
    }
    judge_early_end(worker_slot, *ended);
    shared_.worker_slots[worker_slot].ready = 0;
    move_on();
    wake_watchers();
    if (ended->exitcode != 0) {
      // It may have been about to wake another one, which is in no set any more.
      wake_all_workers(shared_);
    } else if (may_have_tasks(shared_)) {
      // It may have been called for a task that it did not live to claim.
      wake_workers(shared_, shared_.worker_slots_used);
    }
  }
  fill_worker_slots();
}

}  // namespace procession::detail

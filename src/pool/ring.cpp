#include "pool/ring.hpp"

#include <algorithm>

#include "platform/backoff.hpp"
#include "platform/futex.hpp"
#include "pool/worker_bits.hpp"
#include "sync/adaptive_spin.hpp"

namespace procession::pool {

namespace {

std::uint64_t entry(std::uint64_t position, std::uint32_t slot) { return position << 16 | slot; }

/// Whether those that are awake are as many as short tasks need.
bool enough_awake(const Shared& shared) {
  return shared.short_tasks.load(std::memory_order_relaxed) != 0 &&
         shared.worker_slots_used - count(shared.parked, shared.worker_slots_used) >=
             std::max(shared.spinners_most, 1U);
}

bool stops(const Shared& shared) { return shared.stop.load() != Shared::run; }

/// Looks for a while whether `there()` is true, if not too many do. False when it was not.
template <class There>
bool spin_for_task(Shared& shared, std::uint32_t worker, const There& there) {
  insert(shared.spinning, worker);
  if (count(shared.spinning, shared.worker_slots_used) > shared.spinners_most) {
    erase(shared.spinning, worker);
    return false;
  }
  const bool found = sync::spin_at(&shared.spinning).spin(there);
  if (!found) {
    erase(shared.spinning, worker);
  }
  return found;
}

}  // namespace

void enlist(Shared& shared, std::uint32_t slot, std::uint32_t before) {
  const std::uint64_t position = shared.tail.load(std::memory_order_relaxed) + before;
  shared.ring[position % kRing].store(entry(position, slot), std::memory_order_release);
}

void publish(Shared& shared, std::uint32_t tasks) {
  shared.tail.store(shared.tail.load(std::memory_order_relaxed) + tasks);
}

std::optional<std::uint32_t> claim(Shared& shared, std::uint32_t worker) {
  for (;;) {
    std::uint64_t position = shared.head.load();
    const std::uint64_t tail = shared.tail.load();
    if (position == tail) {
      return std::nullopt;
    }
    const std::uint64_t found = shared.ring[position % kRing].load(std::memory_order_acquire);
    if (found >> 16 != position) {
      continue;  // the head has moved on since
    }
    const auto number = static_cast<std::uint32_t>(found & 0xffff);
    Slot& slot = shared.slots[number];
    // A slot that is ready was never claimed in its present use. Should it have come round to a
    // later position meanwhile, this claims the later task, whose entry will then be passed over as
    // this one would have been.
    std::uint32_t state = slot.state.load();
    bool mine = false;
    while (phase_of(state) == Slot::ready && !mine) {
      mine = slot.state.compare_exchange_weak(state, with_phase(state, Slot::claimed, worker));
    }
    if (position + kAhead < tail) {
      const std::uint64_t ahead =
          shared.ring[(position + kAhead) % kRing].load(std::memory_order_relaxed);
      fetch_small_task(shared.slots[ahead % kSlots]);
    }
    shared.head.compare_exchange_strong(position, position + 1);
    if (mine) {
      return number;
    }
  }
}

void pass_over_cancelled(Shared& shared) {
  for (;;) {
    std::uint64_t position = shared.head.load();
    if (position == shared.tail.load()) {
      return;
    }
    const std::uint64_t found = shared.ring[position % kRing].load(std::memory_order_acquire);
    if (found >> 16 == position &&
        phase_of(shared.slots[found & 0xffff].state.load()) == Slot::ready) {
      return;
    }
    shared.head.compare_exchange_strong(position, position + 1);
  }
}

bool wait_for_task(Shared& shared, std::uint32_t worker, bool spin,
                   std::optional<std::uint64_t> ended) {
  const auto there = [&] {
    return may_have_tasks(shared) || stops(shared) ||
           (ended && shared.kept_jobs.ended.load() != *ended);
  };
  if (spin && spin_for_task(shared, worker, there)) {
    return true;
  }
  WorkerSlot& worker_slot = shared.worker_slots[worker];
  platform::Backoff backoff;
  for (bool looks = true; looks;) {
    const std::uint32_t seen = worker_slot.wake.load();
    // Each time: who took it out of the set may have been killed before it woke this worker.
    insert(shared.parked, worker);
    // Whoever publishes looks at the set after publishing; this looks for tasks after joining the
    // set. One of the two sees the other.
    looks = !there() && platform::futex_nap(worker_slot.wake.word(), seen, backoff.next()) ==
                            platform::WaitResult::timed_out;
  }
  erase(shared.parked, worker);
  return false;
}

void wake_worker(Shared& shared, std::uint32_t worker) {
  WorkerSlot& worker_slot = shared.worker_slots[worker];
  worker_slot.wake.fetch_add(1);
  platform::futex_wake(worker_slot.wake.word(), 1);
}

void wake_workers(Shared& shared, std::uint32_t most) {
  for (std::uint32_t woken = 0; woken < most; ++woken) {
    const std::uint32_t worker = take_any(shared.parked, shared.worker_slots_used);
    if (worker == shared.worker_slots_used) {
      return;
    }
    wake_worker(shared, worker);
  }
}

void wake_all_workers(Shared& shared) {
  for (std::uint32_t worker = 0; worker < shared.worker_slots_used; ++worker) {
    wake_worker(shared, worker);
  }
}

bool call_workers(Shared& shared, std::uint32_t tasks) {
  const std::uint32_t looking = count(shared.spinning, shared.worker_slots_used);
  if (tasks <= looking) {
    return true;
  }
  if (enough_awake(shared)) {
    return false;
  }
  wake_workers(shared, tasks - looking);
  return true;
}

void call_workers_for_all(Shared& shared) {
  const std::uint64_t waiting = shared.tail.load() - shared.head.load();
  const std::uint32_t looking = count(shared.spinning, shared.worker_slots_used);
  if (waiting > looking) {
    wake_workers(shared, static_cast<std::uint32_t>(waiting - looking));
  }
}

void pass_the_call_on(Shared& shared) {
  if (may_have_tasks(shared) && count(shared.spinning, shared.worker_slots_used) == 0 &&
      !enough_awake(shared)) {
    wake_workers(shared, 1);
  }
}

void leave_the_call(Shared& shared) {
  if (may_have_tasks(shared)) {
    wake_workers(shared, 1);
  }
}

}  // namespace procession::pool

#include "pool/worker.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <optional>

#include "codec/exception_types.hpp"
#include "platform/copy_check.hpp"
#include "platform/futex.hpp"
#include "platform/memory.hpp"
#include "platform/signals.hpp"
#include "platform/spawn.hpp"
#include "platform/streams.hpp"
#include "platform/wait.hpp"
#include "pool/kept_calls.hpp"
#include "pool/layout.hpp"
#include "pool/relayed_stderr.hpp"
#include "pool/result_encoder.hpp"
#include "pool/ring.hpp"
#include "pool/thread_throws.hpp"
#include "pool/worker_bits.hpp"
#include "process/user_code.hpp"
#include "procession/callable.hpp"
#include "procession/detail/task_run.hpp"
#include "procession/exception.hpp"
#include "sync/event_count.hpp"

namespace procession::pool {

namespace {

constexpr const char* kTask = "a task of a pool";
constexpr const char* kInitializer = "the initializer of a pool";

/// Whether the streams of this process are the workers' own. Threads have those of the owner.
bool own_streams(const Shared& shared) noexcept { return shared.on_threads == 0; }

/// False when it threw; the exception is then with the pool.
bool initialize(heap::Offset pool, Shared& shared, const platform::CopyCheck& check) {
  if (shared.initializer == 0) {
    return true;
  }
  try {
    Decoder decoder({heap::at(shared.initializer), shared.initializer_size});
    detail::run_encoded_call(decoder);
    process::leave_user_code(check, kInitializer, own_streams(shared));
    return true;
  } catch (...) {
    process::leave_user_code(check, kInitializer, own_streams(shared));
    const std::exception_ptr thrown = std::current_exception();
    if (shared.on_threads != 0 && !detail::keeps_its_type(thrown)) {
      keep_thrown(shared, thrown);
    }
    BufferEncoder bytes;
    encode_exception(bytes, thrown);
    heap::Block block(bytes.size() + sizeof(std::uint64_t));
    // The size travels in the block, so that one store tells all.
    *reinterpret_cast<std::uint64_t*>(block.data()) = bytes.size();
    std::memcpy(block.data() + sizeof(std::uint64_t), bytes.bytes().data(), bytes.size());
    if (heap::move_if(block.hold_id(), pool, &shared.failure, 0, block.hold_id())) {
      static_cast<void>(block.release());
    }
    return false;
  }
}

std::uint64_t nanoseconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(Duration(now).count());
}

/// The owner's signal is on its way, and must not hit what comes next.
[[noreturn]] void end_at_once() {
  for (;;) {
    platform::send_signal_to(platform::process_id(), platform::Signal::kill);
  }
}

struct SlotRun : detail::TaskRun {
  SlotRun(ResultEncoder& encoder, Slot& of, bool is_on_thread, const platform::CopyCheck& check)
      : TaskRun{encoder, of.progress.word(), of.skip, of.count, write_exception, write_outcome},
        results(encoder),
        slot(of),
        on_thread(is_on_thread) {
    mark = &check.mark();
    original = check.original();
    end_copy = []() noexcept { platform::end_copy(kTask); };
  }

  /// What precedes the exception that is being handled: the process, or of a thread the number by
  /// which the owner finds it as it was thrown; 0: only its bytes, which keep its type.
  [[nodiscard]] std::uint32_t origin() const {
    if (!on_thread) {
      return static_cast<std::uint32_t>(platform::process_id());
    }
    const std::exception_ptr thrown = std::current_exception();
    return detail::keeps_its_type(thrown) ? 0 : keep_thrown(slot, thrown);
  }

  /// Puts the exception behind the results that are there.
  static void write_exception(TaskRun& run) {
    auto& self = static_cast<SlotRun&>(run);
    const std::size_t size = progress_bytes(run.progress);
    self.results.cut(size);
    encode(self.results, self.origin());
    encode(self.results, static_cast<std::uint32_t>(run.done));
    encode_exception(self.results, std::current_exception());
    self.slot.error_size = static_cast<std::uint32_t>(self.results.size() - size);
    heap::testing::step();
  }

  /// What elements print is out before they count, of a worker that may be killed then.
  void print() {
    const platform::HeldText held = platform::held_text();
    held_begin = held.begin;
    held_end = held.end;
    write_out = platform::flush_streams;
  }

  /// From now on the elements are timed.
  void time() {
    start_clock = [](TaskRun& run) { static_cast<SlotRun&>(run).slot.clock = nanoseconds(); };
    stop_clock = [](TaskRun& run) {
      auto& self = static_cast<SlotRun&>(run);
      if ((self.slot.clock.exchange(0) & kExpired) != 0 && !self.on_thread) {
        end_at_once();
      }
    };
  }

  /// Puts the exception behind the outcomes that are there.
  static void write_outcome(TaskRun& run) {
    auto& self = static_cast<SlotRun&>(run);
    self.results.cut(progress_bytes(run.progress));
    encode(self.results, detail::OutcomeKind::exception);
    encode(self.results, self.origin());
    encode_exception(self.results, std::current_exception());
  }

  ResultEncoder& results;
  Slot& slot;
  bool on_thread;
};

/// `kept`: where the function stays for the next chunk; null: nowhere.
void run_chunk(const Slot& slot, Decoder& items, SlotRun& run, KeptCalls::Call* kept) {
  if (kept != nullptr && kept->target != nullptr) {
    Decoder nothing({});
    kept->entry(nothing, items, run);
  } else {
    Decoder call({heap::at(slot.call), slot.call_size});
    auto* const entry = detail::decode_entry<detail::TaskEntry>(call);
    if (kept != nullptr) {
      kept->entry = entry;
    }
    entry(call, items, run);
  }
  run.skip = 0;
}

/// How many elements the next of several chunks has; 0: there are no more, or the owner has taken
/// them back.
std::size_t begin_chunk(Slot& slot) {
  const std::uint64_t share = slot.share.fetch_add(slot.chunksize);
  const std::size_t begun = share_begun(share);
  const std::size_t all = share_all(share);
  return begun < all ? std::min<std::size_t>(slot.chunksize, all - begun) : 0;
}

void run_task(heap::Offset pool, const Shared& shared, Slot& slot, KeptCalls& calls,
              RelayedStderr& its_stderr, const platform::CopyCheck& check) {
  ResultEncoder out(pool, slot);
  SlotRun run(out, slot, shared.on_threads != 0, check);
  if (own_streams(shared)) {
    run.print();
  }
  if ((slot.state.load(std::memory_order_relaxed) & kTimed) != 0) {
    run.time();
  }
  KeptCalls::Call* const kept = calls.turn_to(slot.job);
  if (kept != nullptr) {
    run.kept = &kept->target;
  }
  if (slot.measured != 0) {
    run.now = nanoseconds;
  }
  const std::uint64_t began = slot.measured != 0 ? nanoseconds() : 0;
  try {
    const std::span<const std::byte> bytes(
        slot.items != 0 ? heap::at(slot.items) : slot.inline_items, slot.items_size);
    Decoder items(bytes);
    if (slot.call == 0) {
      detail::decode_entry<detail::TaskEntry>(items)(items, items, run);
    } else if (slot.chunksize == 0) {
      run_chunk(slot, items, run, kept);
    } else {
      while ((run.count = begin_chunk(slot)) != 0) {
        run_chunk(slot, items, run, kept);
      }
    }
  } catch (...) {
    run.failed_one();
  }
  // Once more: the task may have given the streams other buffers, and what threw has printed too.
  process::leave_user_code(check, kTask, own_streams(shared));
  its_stderr.settle();
  if (slot.measured != 0) {
    const TaskTime time{nanoseconds() - began - run.decoding, run.decoding_again};
    slot.clock = kExpired | time.word();
  }
}

/// What the owner asked for in the state that the slot had until now.
void tell_owner(Shared& shared, const Slot& slot, std::uint32_t state) {
  if ((state & kSleeps) != 0) {
    platform::futex_wake_all(slot.state.word());
  }
  if ((state & kTells) != 0) {
    heap::at<sync::EventCount>(shared.bell)->wake_one();
  }
  if (shared.watchers.load() != 0) {
    shared.ends.fetch_add(1);
    platform::futex_wake_all(shared.ends.word());
  }
  if ((state & kDoomed) != 0) {
    end_at_once();
  }
}

}  // namespace

std::uint64_t own_memory(const WorkerSlot& worker_slot, int pid) noexcept {
  const std::uint64_t all = platform::private_memory(pid);
  return all - std::min<std::uint64_t>(all, worker_slot.inherited);
}

void work(heap::Offset pool, std::uint32_t number) {
  Shared& shared = *heap::at<Shared>(pool);
  WorkerSlot& worker_slot = shared.worker_slots[number];
  if (shared.on_threads == 0) {
    // Ctrl-C is for the process that owns the pool to answer.
    platform::ignore_interrupts();
  }
  if (shared.most_memory != 0 && shared.forked != 0) {
    worker_slot.inherited = platform::private_memory(platform::process_id());
  }
  const platform::CopyCheck check;
  RelayedStderr its_stderr(shared, worker_slot);
  if (!initialize(pool, shared, check)) {
    return;
  }
  worker_slot.ready = 1;
  KeptCalls calls(shared);
  bool looking = false;  // this worker is in the set of those that do
  for (std::uint64_t ended = 0; shared.most_tasks == 0 || ended < shared.most_tasks;) {
    if (shared.stop == Shared::abandon) {
      return;
    }
    const std::optional<std::uint32_t> claimed = claim(shared, number);
    if (!claimed) {
      if (shared.stop == Shared::leave) {
        return;
      }
      calls.drop_ended();
      const bool keeps = calls.is_heavy();
      if (keeps) {
        insert(shared.keeping, number);
      }
      // One that has just begun sleeps at once: its owner is busy starting the others.
      looking = wait_for_task(shared, number, ended != 0,
                              keeps ? std::optional(calls.seen()) : std::nullopt);
      if (keeps) {
        erase(shared.keeping, number);
      }
      continue;
    }
    if (looking) {
      erase(shared.spinning, number);
      looking = false;
    }
    pass_the_call_on(shared);
    Slot& slot = shared.slots[*claimed];
    run_task(pool, shared, slot, calls, its_stderr, check);
    ++ended;
    if (!may_have_tasks(shared)) {
      // Before the owner hears of it: it may have the next task at once, and need not wake another
      // worker for it.
      insert(shared.spinning, number);
      looking = true;
    }
    static_assert(Slot::done == (Slot::claimed | 1));
    tell_owner(shared, slot, slot.state.fetch_or(1));
    const auto has_too_much = [&] {
      return own_memory(worker_slot, platform::process_id()) > shared.most_memory;
    };
    // What is kept of functions is the worker's own, but it can do without.
    if (shared.most_memory != 0 && has_too_much() && (!calls.drop_all() || has_too_much())) {
      break;
    }
  }
  // It retires, and its end may take a while: nobody is to count on it for the tasks that wait.
  erase(shared.spinning, number);
  leave_the_call(shared);
}

}  // namespace procession::pool

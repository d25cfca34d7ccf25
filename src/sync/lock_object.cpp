#include "sync/lock_object.hpp"

#include <string>

#include "heap/root_words.hpp"
#include "heap/testing.hpp"
#include "procession/error.hpp"

namespace procession::sync {

namespace {

using heap::testing::step;

/// The number of this thread among all threads of the tree that ever locked something. A process
/// id, a thread id or the place of a process's record may be used again, and a lock that was a dead
/// thread's would then seem to be this one's.
std::uint64_t this_thread() noexcept {
  struct Number {
    std::uint64_t number;
    std::uint32_t self;
  };
  thread_local constinit Number here{0, 0};  // one: to find it costs as much as the rest
  Number& mine = here;
  const std::uint32_t now = heap::internal::selves.load(std::memory_order_relaxed);
  if (mine.number == 0 || mine.self != now) [[unlikely]] {
    mine.self = now;
    mine.number =
        std::atomic_ref(heap::at<heap::RootWords>(heap::root())->threads).fetch_add(1) + 1;
  }
  return mine.number;
}

void note_owner(LockObject& lock, std::uint64_t owner, bool previous_died) noexcept {
  if (previous_died) {
    lock.mutex.make_consistent();
    step();
    lock.previous_died.store(1, std::memory_order_relaxed);
  }
  step();
  lock.owner_thread.store(owner, std::memory_order_relaxed);
  step();
  lock.owner.store(heap::self(), std::memory_order_relaxed);
  step();
  lock.depth = 1;
  step();
}

[[noreturn]] void throw_deadlock(const char* what) {
  throw ProcessError(std::string(what) +
                     " was to be locked by the thread that has it already, which would wait for "
                     "itself in vain; unlock it first, or use an RLock");
}

/// Another time by its owner.
void acquire_again(LockObject& lock, const char* what) {
  if (lock.header.kind != static_cast<std::uint64_t>(Kind::rlock)) throw_deadlock(what);
  ++lock.depth;
  step();
}

/// `attempt` is one at the mutex. False when it failed.
template <class Attempt>
bool acquire_by(LockObject& lock, const char* what, const Attempt& attempt) {
  const std::uint64_t self = this_thread();
  if (lock.owner_thread.load(std::memory_order_relaxed) == self) [[unlikely]] {
    acquire_again(lock, what);
    return true;
  }
  const platform::LockResult result = attempt();
  if (result.acquired) note_owner(lock, self, result.previous_owner_died);
  return result.acquired;
}

}  // namespace

heap::Offset make_lock_for(heap::Offset holder) {
  heap::Block block(sizeof(LockObject), true);
  auto& lock = *heap::at<LockObject>(block.offset());
  lock.header = header(Kind::rlock);
  lock.mutex.init();
  const heap::Offset offset = block.offset();
  heap::move(block.ticket(), holder);
  static_cast<void>(block.release());
  return offset;
}

bool is_owned(const LockObject& lock) noexcept {
  return lock.owner_thread.load(std::memory_order_relaxed) == this_thread();
}

void throw_not_owned(const LockObject& lock, const char* asked, const char* what) {
  throw ProcessError(
      "asked to " + std::string(asked) + " " + what + ", which " +
      (lock.owner == 0 ? "nobody has locked" : "another thread or process has locked") +
      "; only the thread that locked it can");
}

void acquire(LockObject& lock, const char* what) {
  acquire_by(lock, what, [&] { return lock.mutex.lock(); });
}

bool acquire(LockObject& lock, const platform::Deadline& deadline, const char* what) {
  return acquire_by(lock, what, [&] { return lock.mutex.lock_until(deadline); });
}

void release(LockObject& lock, const char* what) {
  if (!is_owned(lock)) throw_not_owned(lock, "unlock", what);
  if (--lock.depth != 0) return;
  step();
  lock.owner.store(0, std::memory_order_relaxed);
  step();
  lock.owner_thread.store(0, std::memory_order_relaxed);
  step();
  if (lock.previous_died.load(std::memory_order_relaxed) != 0) [[unlikely]] {
    lock.previous_died.store(0, std::memory_order_relaxed);
    step();
  }
  lock.mutex.unlock();
  step();
}

std::uint32_t release_fully(LockObject& lock, const char* what) {
  if (!is_owned(lock)) throw_not_owned(lock, "wait with", what);
  const std::uint32_t depth = lock.depth;
  lock.depth = 1;
  release(lock, what);
  return depth;
}

void restore(LockObject& lock, std::uint32_t depth, const char* what) {
  acquire(lock, what);
  lock.depth = depth;
}

}  // namespace procession::sync

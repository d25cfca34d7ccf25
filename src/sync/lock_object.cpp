#include "sync/lock_object.hpp"

#include <string>

#include "heap/root_words.hpp"
#include "procession/error.hpp"

namespace procession::sync {

namespace {

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

[[noreturn]] void throw_deadlock(const char* what) {
  throw ProcessError(std::string(what) +
                     " was to be locked by the thread that has it already, which would wait for "
                     "itself in vain; unlock it first, or use an RLock");
}

/// `attempt` is one at the mutex. False when it failed.
template <class Attempt>
bool acquire_by(LockObject& lock, const char* what, const Attempt& attempt) {
  const bool recursive = lock.header.kind == static_cast<std::uint64_t>(Kind::rlock);
  const Locked result = LockOn<System>(lock, this_thread()).acquire(recursive, attempt);
  if (result == Locked::deadlock) [[unlikely]]
    throw_deadlock(what);
  return result == Locked::yes;
}

}  // namespace

heap::Offset make_lock_for(heap::Offset holder) {
  heap::Block block(sizeof(LockObject), true);
  auto& lock = *heap::at<LockObject>(block.offset());
  lock.header = header(Kind::rlock);
  lock.mutex.init();
  const heap::Offset offset = block.offset();
  heap::move(block.hold_id(), holder);
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
  LockOn<System>::release(lock);
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

#include "procession/lock.hpp"

#include "sync/lock_access.hpp"

namespace procession::detail {

Handle make_lock(bool recursive) {
  return sync::make_object<sync::LockObject>(
      sync::header(recursive ? sync::Kind::rlock : sync::Kind::lock),
      [](sync::LockObject& lock, heap::Offset) { lock.mutex.init(); });
}

void decode_lock(Decoder& decoder, Handle& handle, bool recursive) {
  handle = Handle::decode(decoder, sync::header(recursive ? sync::Kind::rlock : sync::Kind::lock),
                          recursive ? "an RLock" : "a Lock");
}

void LockHandle::lock() const { sync::acquire(LockAccess::object(*this), what_); }

bool LockHandle::try_lock() const {
  sync::LockObject& lock = LockAccess::object(*this);
  const bool plain = lock.header.kind == static_cast<std::uint64_t>(sync::Kind::lock);
  if (plain && sync::is_owned(lock)) return false;
  return sync::acquire(lock, platform::Deadline(Duration::zero()), what_);
}

bool LockHandle::try_lock_for(Timeout timeout) const {
  return sync::acquire(LockAccess::object(*this), platform::Deadline(timeout), what_);
}

void LockHandle::unlock() const { sync::release(LockAccess::object(*this), what_); }

bool LockHandle::owner_died() const {
  const sync::LockObject& lock = LockAccess::object(*this);
  if (!sync::is_owned(lock)) sync::throw_not_owned(lock, "look at the last owner of", what_);
  return lock.previous_died.load(std::memory_order_relaxed) != 0;
}

}  // namespace procession::detail

#include "procession/value.hpp"

#include <cstring>

#include "heap/testing.hpp"
#include "sync/lock_access.hpp"
#include "sync/object.hpp"

namespace procession::detail {

namespace {

/// Followed by the value, at a multiple of 64, and behind that by room for the old value.
struct alignas(64) ValueObject {
  ObjectHeader header;
  heap::Offset lock;                    ///< an RLock's block, which this block holds
  std::uint64_t size;                   ///< bytes of the value
  std::atomic<std::uint32_t> changing;  ///< the old value is in its room, and counts
};

std::size_t rounded(std::size_t size) { return (size + 63) / 64 * 64; }

std::byte* value_of(ValueObject& object) {
  return reinterpret_cast<std::byte*>(&object) + sizeof(ValueObject);
}
std::byte* old_value_of(ValueObject& object) { return value_of(object) + rounded(object.size); }

sync::LockObject& lock_of(const ValueObject& object) {
  return *heap::at<sync::LockObject>(object.lock);
}

}  // namespace

ValueCore::ValueCore(std::size_t size, std::uint64_t fingerprint, const void* initial)
    : handle_(sync::make_object<ValueObject>(
          sync::header(sync::Kind::value, fingerprint),
          [&](ValueObject& made, heap::Offset offset) {
            made.size = size;
            made.lock = sync::make_lock_for(offset);
            std::memcpy(value_of(made), initial, size);
          },
          2 * rounded(size))) {}

void ValueCore::decode(Decoder& decoder, std::uint64_t fingerprint) {
  handle_ = Handle::decode(decoder, sync::header(sync::Kind::value, fingerprint), kWhat);
}

RLock ValueCore::lock() const {
  return LockAccess::own_rlock(heap::hold(handle_.object<ValueObject>(kWhat).lock, heap::self()));
}

void* ValueCore::place() const { return value_of(handle_.object<ValueObject>(kWhat)); }

ValueCore::Guard::Guard(const ValueCore& value)
    : object_(&value.handle_.object<ValueObject>(kWhat)), place_(value.place()) {
  auto& object = *static_cast<ValueObject*>(object_);
  sync::acquire(lock_of(object), kWhat);
  if (object.changing.load(std::memory_order_relaxed) != 0) {
    std::memcpy(place_, old_value_of(object), object.size);
    heap::testing::step();
    object.changing.store(0, std::memory_order_release);
    heap::testing::step();
  }
}

ValueCore::Guard::~Guard() { sync::release(lock_of(*static_cast<ValueObject*>(object_)), kWhat); }

void ValueCore::Guard::replace(const void* bytes) {
  auto& object = *static_cast<ValueObject*>(object_);
  std::memcpy(old_value_of(object), place_, object.size);
  heap::testing::step();
  object.changing.store(1, std::memory_order_release);
  heap::testing::step();
  std::atomic_signal_fence(std::memory_order_seq_cst);
  std::memcpy(place_, bytes, object.size);
  heap::testing::step();
  object.changing.store(0, std::memory_order_release);
  heap::testing::step();
}

}  // namespace procession::detail

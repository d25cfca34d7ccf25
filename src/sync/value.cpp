#include "procession/value.hpp"

#include <cstring>

#include "heap/elements.hpp"
#include "heap/testing.hpp"
#include "sync/lock_access.hpp"
#include "sync/object.hpp"

namespace procession::detail {

namespace {

/// Followed by room for the old value.
struct alignas(64) ValueObject {
  ObjectHeader header;
  heap::Offset lock;                    ///< an RLock's block, which this block holds
  heap::Elements value;                 ///< in a block that this block holds
  std::atomic<std::uint32_t> changing;  ///< the old value is in its room, and counts
};

std::byte* old_value_of(ValueObject& object) {
  return reinterpret_cast<std::byte*>(&object) + sizeof(ValueObject);
}

sync::LockObject& lock_of(const ValueObject& object) {
  return *heap::at<sync::LockObject>(object.lock);
}

}  // namespace

ValueCore::ValueCore(ElementShape shape, std::uint64_t fingerprint, const void* initial)
    : handle_(sync::make_object<ValueObject>(
          sync::header(sync::Kind::value, fingerprint),
          [&](ValueObject& made, heap::Offset offset) {
            made.lock = sync::make_lock_for(offset);
            made.value = heap::make_elements(shape.size, shape.alignment, offset);
            std::memcpy(heap::at(made.value.first), initial, shape.size);
          },
          shape.size)) {
  find();
}

void ValueCore::find() {
  if (handle_.address() == nullptr) return;  // it is to be decoded
  place_ = heap::map_elements(handle_.object<ValueObject>(kWhat).value).first;
}

void ValueCore::decode(Decoder& decoder, std::uint64_t fingerprint) {
  handle_ = Handle::decode(decoder, sync::header(sync::Kind::value, fingerprint), kWhat);
  find();
}

RLock ValueCore::lock() const {
  return LockAccess::own_rlock(heap::hold(handle_.object<ValueObject>(kWhat).lock, heap::self()));
}

void* ValueCore::place() const {
  static_cast<void>(handle_.object<ValueObject>(kWhat));
  return place_;
}

ValueCore::Guard::Guard(const ValueCore& value)
    : object_(&value.handle_.object<ValueObject>(kWhat)), place_(value.place()) {
  auto& object = *static_cast<ValueObject*>(object_);
  sync::acquire(lock_of(object), kWhat);
  if (object.changing.load(std::memory_order_relaxed) != 0) {
    std::memcpy(place_, old_value_of(object), object.value.bytes);
    heap::testing::step();
    object.changing.store(0, std::memory_order_release);
    heap::testing::step();
  }
}

ValueCore::Guard::~Guard() { sync::release(lock_of(*static_cast<ValueObject*>(object_)), kWhat); }

void ValueCore::Guard::replace(const void* bytes) {
  auto& object = *static_cast<ValueObject*>(object_);
  std::memcpy(old_value_of(object), place_, object.value.bytes);
  heap::testing::step();
  object.changing.store(1, std::memory_order_release);
  heap::testing::step();
  std::atomic_signal_fence(std::memory_order_seq_cst);
  std::memcpy(place_, bytes, object.value.bytes);
  heap::testing::step();
  object.changing.store(0, std::memory_order_release);
  heap::testing::step();
}

}  // namespace procession::detail

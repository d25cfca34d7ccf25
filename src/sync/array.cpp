#include "procession/array.hpp"

#include <limits>
#include <string>

#include "procession/error.hpp"
#include "sync/lock_access.hpp"
#include "sync/object.hpp"

namespace procession::detail {

namespace {

/// Followed by the elements.
struct alignas(64) ArrayObject {
  ObjectHeader header;
  heap::Offset lock;  ///< an RLock's block, which this block holds
  std::uint64_t count;
};

}  // namespace

ArrayCore::ArrayCore(std::size_t count, std::size_t element_size, std::uint64_t fingerprint) {
  if (count > std::numeric_limits<std::size_t>::max() / 2 / element_size) {
    throw OutOfMemory("an Array of " + std::to_string(count) + " elements of " +
                      std::to_string(element_size) +
                      " bytes was asked for: no machine has as much memory");
  }
  handle_ = sync::make_object<ArrayObject>(
      sync::header(sync::Kind::array, fingerprint),
      [&](ArrayObject& made, heap::Offset offset) {
        made.count = count;
        made.lock = sync::make_lock_for(offset);
      },
      count * element_size);
  find();
}

void ArrayCore::find() {
  auto& object = handle_.object<ArrayObject>(kWhat);
  size_ = object.count;
  data_ = size_ == 0 ? nullptr : &object + 1;
}

void ArrayCore::decode(Decoder& decoder, std::uint64_t fingerprint) {
  handle_ = Handle::decode(decoder, sync::header(sync::Kind::array, fingerprint), kWhat);
  find();
}

RLock ArrayCore::lock() const {
  return LockAccess::own_rlock(heap::hold(handle_.object<ArrayObject>(kWhat).lock, heap::self()));
}

}  // namespace procession::detail

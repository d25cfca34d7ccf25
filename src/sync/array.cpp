#include "procession/array.hpp"

#include <limits>
#include <string>
#include <utility>

#include "heap/elements.hpp"
#include "procession/error.hpp"
#include "sync/lock_access.hpp"
#include "sync/object.hpp"

namespace procession::detail {

namespace {

struct ArrayObject {
  ObjectHeader header;
  heap::Offset lock;  ///< an RLock's block, which this block holds
  std::uint64_t count;
  heap::Elements elements;  ///< in a block that this block holds
};

}  // namespace

ArrayCore::ArrayCore(std::size_t count, ElementShape shape, std::uint64_t fingerprint) {
  if (count > std::numeric_limits<std::size_t>::max() / 2 / shape.size) {
    throw OutOfMemory("an Array of " + std::to_string(count) + " elements of " +
                      std::to_string(shape.size) +
                      " bytes was asked for: no machine has as much memory");
  }
  handle_ = sync::make_object<ArrayObject>(
      sync::header(sync::Kind::array, fingerprint), [&](ArrayObject& made, heap::Offset offset) {
        made.count = count;
        made.lock = sync::make_lock_for(offset);
        made.elements = heap::make_elements(count * shape.size, shape.alignment, offset,
                                            heap::guard_from_environment());
      });
  find();
}

void ArrayCore::find() {
  if (handle_.address() == nullptr) return;  // it is to be decoded
  const auto& object = handle_.object<ArrayObject>(kWhat);
  heap::ElementsHere here = heap::map_elements(object.elements);
  size_ = object.count;
  data_ = here.first;
  mapping_ = std::move(here.mapping);
}

void ArrayCore::decode(Decoder& decoder, std::uint64_t fingerprint) {
  handle_ = Handle::decode(decoder, sync::header(sync::Kind::array, fingerprint), kWhat);
  find();
}

RLock ArrayCore::lock() const {
  return LockAccess::own_rlock(heap::hold(handle_.object<ArrayObject>(kWhat).lock, heap::self()));
}

}  // namespace procession::detail

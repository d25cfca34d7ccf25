#pragma once

#include <atomic>
#include <cstddef>

#include "heap/heap.hpp"
#include "procession/detail/handle.hpp"

namespace procession::sync {

/// Tells the kinds of shared objects apart in memory that is damaged, too.
enum class Kind : std::uint64_t {
  lock = 0x6b63'6f6c | detail::kLockable,
  rlock = 0x6b63'6f72 | detail::kLockable,
  semaphore = 0x616d'6573,
  bounded_semaphore = 0x6d65'7362,
  event = 0x746e'7665,
  condition = 0x646e'6f63,
  barrier = 0x7272'6162,
  value = 0x756c'6176,
  array = 0x7961'7272,
};

constexpr detail::ObjectHeader header(Kind kind, std::uint64_t fingerprint = 0) {
  return {static_cast<std::uint64_t>(kind), fingerprint};
}

/// A new object, zeroed but for its header, held by this process. `prepare` gets it before anyone
/// else can see it, and its offset. Makes a handle that names nothing where one is to be decoded.
template <class T, class Prepare>
detail::Handle make_object(detail::ObjectHeader header, Prepare prepare,
                           std::size_t extra_bytes = 0) {
  if (detail::vacant_handles()) return {};
  heap::Block block(sizeof(T) + extra_bytes, true);
  T& object = *heap::at<T>(block.offset());
  object.header = header;
  prepare(object, block.offset());
  return detail::Handle::own(block.release());
}

}  // namespace procession::sync

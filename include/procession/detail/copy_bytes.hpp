#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace procession::detail {

/// Copies so many bytes at a time: a larger memcpy may use instructions that are made for memory
/// which nobody reads soon, and another processor reads what is encoded several times more slowly.
inline constexpr std::size_t kCopyPiece = std::size_t{64} * 1024;

/// memcpy in pieces of kCopyPiece.
inline void copy_bytes(void* to, const void* from, std::size_t size) {
  if (size <= kCopyPiece) [[likely]] {
    std::memcpy(to, from, size);
    return;
  }
  auto* out = static_cast<std::byte*>(to);
  const auto* in = static_cast<const std::byte*>(from);
  for (; size > kCopyPiece; size -= kCopyPiece, in += kCopyPiece, out += kCopyPiece) {
    std::memcpy(out, in, kCopyPiece);
  }
  std::memcpy(out, in, size);
}

/// `to.assign(from, from + count)` of elements of one byte each, in such pieces.
template <class Container>
void assign_bytes(Container& to, const typename Container::value_type* from, std::size_t count) {
  if (count <= kCopyPiece) {
    to.assign(from, from + count);
    return;
  }
  to.clear();
  to.reserve(count);
  for (std::size_t piece = 0; count != 0; count -= piece, from += piece) {
    piece = std::min(kCopyPiece, count);
    to.insert(to.end(), from, from + piece);
  }
}

}  // namespace procession::detail

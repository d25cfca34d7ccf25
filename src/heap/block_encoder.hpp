#pragma once

#include <cstddef>

#include "heap/heap.hpp"
#include "procession/codec.hpp"
#include "procession/detail/attachments.hpp"

namespace procession::heap {

/// Encodes straight into a block of the shared heap, which others can then decode in place. When
/// the block is full the value moves to one twice as large, so a good first guess saves copying.
/// The block is held by `self()` until it is taken, and then holds what is named in it. Not
/// thread-safe.
class BlockEncoder : public Encoder {
 public:
  /// `expected` bytes of room to begin with; 0: no block before the first write. `reserved` bytes
  /// in front stay free for a header of the caller's: they are not part of `size()` and `bytes()`.
  /// Throws OutOfMemory, here and in every write.
  explicit BlockEncoder(std::size_t expected = 0, std::size_t reserved = 0);

  /// The block with what was written, which begins at byte `reserved` (its length is `size()`: ask
  /// before). There is one even if nothing was written. The encoder is empty afterwards.
  Block take();

  void attach(std::uint64_t block) override { attachments_.add(block); }

 private:
  void grow(std::size_t at_least) override;
  void enlarge(std::size_t room);

  Block block_;
  detail::Attachments attachments_;
  std::size_t reserved_;
};

}  // namespace procession::heap

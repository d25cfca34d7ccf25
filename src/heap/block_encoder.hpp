#pragma once

#include <cstddef>

#include "heap/heap.hpp"
#include "procession/codec.hpp"
#include "procession/detail/attachments.hpp"

namespace procession::heap {

/// Encodes straight into a block of the shared heap, which others can then decode in place. When
/// the block is full the value moves to one twice as large, so a good first guess saves copying.
/// The block is held by `self()` until it is taken, and then holds what is named in it. It lies in
/// the users' region, since users' code writes to it, unless all that is encoded is the library's.
/// Not thread-safe.
class BlockEncoder : public Encoder {
 public:
  /// `expected` bytes of room to begin with; 0: no block before the first write. Throws
  /// OutOfMemory, here and in every write.
  explicit BlockEncoder(std::size_t expected = 0, Region region = Region::users);

  /// The block with what was written (its length is `size()`: ask before). There is one even if
  /// nothing was written. The encoder is empty afterwards.
  Block take();
  /// The same in a block of the library's region, for what is read again and again as long as
  /// something lives that must go on working, whoever writes what into users' memory.
  Block take_for_keeps();

  void attach(std::uint64_t block) override { attachments_.add(block); }

 private:
  void grow(std::size_t at_least) override;
  void enlarge(std::size_t room);

  Block block_;
  detail::Attachments attachments_;
  Region region_;
};

}  // namespace procession::heap

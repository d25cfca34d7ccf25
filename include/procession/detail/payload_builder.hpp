#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "procession/codec.hpp"
#include "procession/detail/attachments.hpp"

namespace procession::detail {

/// Bytes on their way to another process: in place while they are few, else in a block of the
/// shared heap, which is held by this process. Not thread-safe.
class PayloadBuilder : public Encoder {
 public:
  ~PayloadBuilder() override;

  /// Whether the bytes are in place and nothing is attached to them.
  [[nodiscard]] bool in_place() const { return hold_id_ == 0 && attachments_.empty(); }
  /// Whether the bytes name blocks of the shared heap, handles among them. Until release().
  [[nodiscard]] bool has_attachments() const { return !attachments_.empty(); }

  /// The hold on the block (its id in the shared heap), which the caller now has to drop or move;
  /// 0 when the bytes are in place. What was attached is held by the block from then on. Throws
  /// OutOfMemory.
  std::uint64_t release();

  void attach(std::uint64_t block) override { attachments_.add(block); }

 protected:
  /// `expected` bytes are made room for at once. Throws OutOfMemory, here and in every write.
  PayloadBuilder(std::span<std::byte> in_place, std::size_t expected);

  void grow(std::size_t at_least) override;

 private:
  std::uint64_t hold_id_ = 0;
  Attachments attachments_;
};

}  // namespace procession::detail

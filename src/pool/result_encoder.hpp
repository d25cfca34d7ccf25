#pragma once

#include <vector>

#include "pool/layout.hpp"
#include "procession/codec.hpp"

namespace procession::pool {

/// Where a worker writes the results of a task: into the slot while they are few, then into a block
/// that the pool holds and the slot names, so that what is finished is the owner's whenever the
/// worker is killed.
class ResultEncoder final : public Encoder {
 public:
  ResultEncoder(heap::Offset pool, Slot& slot)
      : Encoder(slot.inline_result, slot.inline_result + kInlineResult), pool_(pool), slot_(slot) {}

  /// Forgets everything from `size` on.
  void cut(std::size_t size) { cursor_ = begin_ + size; }

  /// The block of the results holds it: there is one from then on.
  void attach(std::uint64_t block) override;

 private:
  void grow(std::size_t at_least) override;

  heap::Offset pool_;
  std::vector<heap::Offset> attached_;
  Slot& slot_;
};

}  // namespace procession::pool

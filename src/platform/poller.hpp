#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "platform/deadline.hpp"
#include "platform/descriptor.hpp"

namespace procession::platform {

/// A changing set of descriptors that are watched together. Itself a descriptor, readable as long
/// as one of them is ready.
class Poller {
 public:
  enum class For { reading, writing };

  Poller();

  /// `tag` is what `wait` calls it.
  void add(int descriptor, std::uint64_t tag, For what = For::reading);
  void change(int descriptor, std::uint64_t tag, For what);
  void remove(int descriptor) noexcept;

  /// Tags of those that are ready, as many as fit. None when the deadline passes first.
  [[nodiscard]] std::size_t wait(std::span<std::uint64_t> tags, const Deadline& deadline) const;

  [[nodiscard]] int descriptor() const { return set_.get(); }

 private:
  Descriptor set_;
};

}  // namespace procession::platform

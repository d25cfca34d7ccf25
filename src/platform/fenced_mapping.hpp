#pragma once

#include <cstddef>
#include <cstdint>

namespace procession::platform {

/// So many bytes on either side of such a mapping, rounded to pages, can be accessed by nobody.
inline constexpr std::uint64_t kFence = std::uint64_t{256} << 20;

/// Pages of a file, mapped shared for reading and writing, that users get a pointer into. They lie
/// amid addresses without access: who writes past an end, or takes an index that is wrong by up to
/// `kFence` bytes, is ended by a signal and reaches nothing else. Where the address space of this
/// process is limited (RLIMIT_AS) the fences take a thousandth of what is left of it, and a page at
/// least. Takes up to three of the process's mappings.
class FencedMapping {
 public:
  /// None.
  FencedMapping() noexcept = default;
  /// `size` bytes from `offset` on, a multiple of the page size. None when there is no room.
  FencedMapping(int descriptor, std::uint64_t offset, std::uint64_t size) noexcept;
  FencedMapping(FencedMapping&& other) noexcept;
  FencedMapping& operator=(FencedMapping&& other) noexcept;
  ~FencedMapping();

  explicit operator bool() const noexcept { return base_ != nullptr; }
  [[nodiscard]] std::byte* first() const noexcept { return base_ + fence_; }

 private:
  std::uint64_t fence_ = 0;
  std::uint64_t all_ = 0;  ///< bytes, with the fences
  std::byte* base_ = nullptr;
};

}  // namespace procession::platform

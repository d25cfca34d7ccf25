// Messages on a stream of bytes, as CPython's multiprocessing.connection writes them: a signed
// 32-bit length, then so many bytes; a length above 0x7fffffff is sent as -1 and an unsigned 64-bit
// one. All in network order. Nothing here knows where the bytes come from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace procession::channel {

/// What goes ahead of a message of `length` bytes.
class FrameHead {
 public:
  explicit FrameHead(std::uint64_t length) noexcept;
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {bytes_.data(), size_}; }

  static constexpr std::size_t kMost = 12;

 private:
  std::array<std::byte, kMost> bytes_{};
  std::size_t size_;
};

/// Reads what goes ahead of a message. Never asks for a byte more than that, so what follows stays
/// where it is.
class LengthReader {
 public:
  /// Lengths above `most` are refused.
  explicit LengthReader(std::uint64_t most) noexcept : most_(most) {}

  /// Where the next bytes go; empty when it is complete.
  [[nodiscard]] std::span<std::byte> room() noexcept {
    return {bytes_ + filled_, wanted_ - filled_};
  }
  /// So many bytes were put there. Throws DecodeError for a length that cannot be, or is refused.
  void filled(std::size_t bytes);

  [[nodiscard]] bool begun() const noexcept { return filled_ != 0; }
  [[nodiscard]] bool complete() const noexcept { return filled_ == wanted_; }
  [[nodiscard]] std::uint64_t length() const noexcept { return length_; }
  /// As they came.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {bytes_, filled_}; }

 private:
  std::byte bytes_[FrameHead::kMost];
  std::size_t filled_ = 0;
  std::size_t wanted_ = 4;
  std::uint64_t length_ = 0;
  std::uint64_t most_;
};

/// Takes a message of a known length into memory that grows with what has arrived: a length alone
/// costs its sender nothing, and must not cost the receiver memory.
class BodyReader {
 public:
  /// Bytes that a mere length may make room for. Until they are touched, which is when they arrive,
  /// they cost address space and no memory.
  static constexpr std::uint64_t kAtFirst = std::uint64_t{1} << 20;

  explicit BodyReader(std::uint64_t length, std::uint64_t at_first = kAtFirst);

  /// Where the next bytes go; empty when it is complete. Throws std::bad_alloc.
  std::span<std::byte> room();
  void filled(std::size_t bytes) noexcept { filled_ += bytes; }

  [[nodiscard]] bool complete() const noexcept { return filled_ == length_; }
  std::vector<std::byte> take() noexcept { return std::move(bytes_); }

 private:
  std::uint64_t length_;
  std::size_t filled_ = 0;
  std::vector<std::byte> bytes_;
};

}  // namespace procession::channel

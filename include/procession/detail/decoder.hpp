#pragma once

#include <cstddef>
#include <span>

#include "procession/detail/copy_bytes.hpp"

namespace procession {

namespace detail {
class Nesting;
[[noreturn]] void throw_truncated(std::size_t needed, std::size_t remaining);
[[noreturn]] void throw_untrusted(const char* what);
}  // namespace detail

/// Where a value's bytes come from: the receiving end of the codec.
///
/// Handed to `decode` functions, which call `procession::decode(decoder, part)` for each part of
/// their value, or `read` and `take` for bytes of their own. It looks at the bytes, never owns
/// them, and never trusts them: whatever they are, decoding ends in a value or in `DecodeError`.
///
/// Not thread-safe: one thread at a time uses a decoder.
class Decoder {
 public:
  /// Decodes `bytes`, which must outlive the decoder.
  explicit Decoder(std::span<const std::byte> bytes)
      : cursor_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// Copies the next `size` bytes to `data`, which may be null when `size` is 0.
  /// Throws `DecodeError` when fewer remain, and has then read nothing.
  void read(void* data, std::size_t size) {
    const std::byte* const begin = skip(size);
    if (size != 0) {
      detail::copy_bytes(data, begin, size);
    }
  }

  /// The next `size` bytes, where they lie. Throws `DecodeError` when fewer remain.
  std::span<const std::byte> take(std::size_t size) { return {skip(size), size}; }

  /// The number of bytes not read yet. Compare a length with it before allocating what the length
  /// asks for.
  std::size_t remaining() const { return static_cast<std::size_t>(end_ - cursor_); }

  /// Throws `DecodeError` unless everything was read: call it after the last value of a message.
  void expect_end() const;

  /// The descriptors that were passed to this process with the bytes, numbered as the encoder did;
  /// -1 where one was taken. They must outlive the decoder.
  void set_passed(std::span<int> descriptors) { passed_ = descriptors; }

  /// One of them, which the caller now has to close. Throws `DecodeError` when there is none of
  /// that number.
  int take_passed(std::size_t number);

  /// The bytes come from another program, which may be hostile: from now on they name neither code
  /// nor what the processes of this tree share.
  void set_untrusted() noexcept { untrusted_ = true; }

  /// Throws `DecodeError`, which says that `what` was asked for, after `set_untrusted`.
  void refuse_untrusted(const char* what) const {
    if (untrusted_) {
      detail::throw_untrusted(what);
    }
  }

 private:
  friend class detail::Nesting;

  const std::byte* skip(std::size_t size) {
    if (size > remaining()) {
      detail::throw_truncated(size, remaining());
    }
    const std::byte* const begin = cursor_;
    cursor_ += size;
    return begin;
  }

  const std::byte* cursor_;
  const std::byte* end_;
  std::span<int> passed_;
  std::size_t depth_ = 0;
  bool untrusted_ = false;
};

}  // namespace procession

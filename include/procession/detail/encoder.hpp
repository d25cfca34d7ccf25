#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "procession/detail/copy_bytes.hpp"
#include "procession/detail/requirements.hpp"

namespace procession {

namespace detail {
class Nesting;
}

/// Where a value's bytes go: the sending end of the codec.
///
/// Handed to `encode` functions, which call `procession::encode(encoder, part)` for each part of
/// their value, or `write` for bytes of their own. Abstract: a derived class says where the bytes
/// live (private memory, a block of shared memory) and how to make room. `write` into room that is
/// there costs a comparison and a copy.
///
/// Not thread-safe: one thread at a time uses an encoder.
class Encoder {
 public:
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  virtual ~Encoder() = default;

  /// Appends `size` bytes from `data`, which may be null when `size` is 0.
  /// Throws what the derived class does when there is no more room (`std::bad_alloc`, a
  /// `ProcessError`).
  void write(const void* data, std::size_t size) {
    if (size > static_cast<std::size_t>(end_ - cursor_)) {
      grow(size);
    }
    if (size != 0) {
      detail::copy_bytes(cursor_, data, size);
      cursor_ += size;
    }
  }

  /// Appends `size` bytes with unspecified contents and returns where they begin, for the caller to
  /// fill before anything else is written. Throws as `write` does.
  std::byte* extend(std::size_t size) {
    if (size > static_cast<std::size_t>(end_ - cursor_)) {
      grow(size);
    }
    std::byte* const begin = cursor_;
    cursor_ += size;
    return begin;
  }

  /// The number of bytes written so far.
  std::size_t size() const { return static_cast<std::size_t>(cursor_ - begin_); }

  /// The bytes written so far. Valid until the next write.
  std::span<const std::byte> bytes() const { return {begin_, size()}; }

  /// Records that what was written holds an address of this process, such as a closure that
  /// captured a reference. The first one noted is kept. Whether that matters is for the owner of
  /// the encoder to say: it does not where the bytes stay in this process or go to a fork of it.
  void note_address(const void* address) {
    if (noted_address_ == nullptr) {
      noted_address_ = address;
    }
  }

  /// The first address noted; null when there was none.
  const void* noted_address() const { return noted_address_; }

  /// Records that what was written names the block at this offset of the shared heap, which the
  /// message is to hold until it has been read. Throws `ProcessError` where bytes do not go to a
  /// process of this tree, as here; `OutOfMemory`.
  virtual void attach(std::uint64_t block);

  /// Records that what was written names code of this build. Throws `ProcessError` where the bytes
  /// go to another program; does nothing elsewhere, as here.
  virtual void name_code() {}

  /// Takes along a duplicate of an open descriptor, where the bytes go to a process that is about
  /// to be started and can be given it: the number by which its decoder knows it (see
  /// `Decoder::take_passed`). Empty elsewhere, as here. Throws `ProcessError`.
  virtual std::optional<std::size_t> pass_descriptor(int descriptor);

 protected:
  Encoder() = default;
  Encoder(std::byte* begin, std::byte* end) : begin_(begin), cursor_(begin), end_(end) {}

  /// Makes room for at least `at_least` more bytes after `cursor_`, moving `begin_`, `cursor_` and
  /// `end_` along with what is written, or throws and leaves everything as it was.
  virtual void grow(std::size_t at_least) = 0;

  /// Forgets what was written and noted, and keeps the room.
  void rewind() {
    cursor_ = begin_;
    noted_address_ = nullptr;
  }

  std::byte* begin_ = nullptr;
  std::byte* cursor_ = nullptr;
  std::byte* end_ = nullptr;

 private:
  friend class detail::Nesting;

  const void* noted_address_ = nullptr;
  std::size_t depth_ = 0;
};

/// An encoder into private memory that grows as needed, by doubling.
class BufferEncoder final : public Encoder {
 public:
  BufferEncoder() = default;
  ~BufferEncoder() override;

  /// Makes room for `size` bytes in all, to spare the steps on the way. Throws `std::bad_alloc`.
  void reserve(std::size_t size);

  /// A copy of the bytes written so far; the encoder is empty afterwards and keeps its memory for
  /// the next use.
  std::vector<std::byte> take();

  /// Forgets what was written and noted, and keeps the memory.
  void clear() { rewind(); }

 private:
  void grow(std::size_t at_least) override;
};

}  // namespace procession

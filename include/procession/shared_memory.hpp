#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "procession/codec.hpp"

namespace procession {

namespace detail {
class NamedBlock;
}

/// A block of memory with a name, which any process of this machine and user can open, a Python
/// program's `multiprocessing.shared_memory.SharedMemory(name)` too, and the other way round.
///
///     auto shm = mp::SharedMemory::create(4096, "frames");
///     std::memcpy(shm.buf().data(), frame, size);
///
/// A handle: copies name the same block, and it can be sent. What this process tree made loses its
/// name when the last handle in it is gone, or the tree ends, also by SIGKILL; a block that others
/// made is left to them. Within a tree an Array does the same with less to clean up.
///
/// Distinct objects may be used by distinct threads; what is in the memory is for the program to
/// guard. Python: `multiprocessing.shared_memory.SharedMemory`.
class SharedMemory {
 public:
  /// Names nothing, as after `close()`.
  SharedMemory() = default;

  /// A new block of `size` bytes, all zero, readable by this user only. Without a name it gets a
  /// random one. Throws `std::invalid_argument` for a size of 0 and a name that is empty, longer
  /// than 250 characters or has a slash; `ProcessError` when there is one of that name;
  /// `OutOfMemory` when /dev/shm is full; `NotInitialized` without `init()`.
  static SharedMemory create(std::size_t size, const std::optional<std::string>& name = {});

  /// Opens the block of that name. Throws `ProcessError` when there is none, or when it has less
  /// than `at_least` bytes.
  static SharedMemory attach(const std::string& name, std::size_t at_least = 0);

  /// The memory. Throws `ProcessError` after `close()`. So do the others but `close()`.
  [[nodiscard]] std::span<std::byte> buf() const;
  /// The name, without a slash in front, as Python shows it.
  [[nodiscard]] const std::string& name() const;
  /// Bytes.
  [[nodiscard]] std::size_t size() const;

  /// Lets go of the memory; copies of this object keep it. A second call does nothing.
  void close() noexcept { block_.reset(); }

  /// Takes the name away now; those who have the block keep it. Throws `ProcessError` when it has
  /// no name any more.
  void unlink() const;

  /// Sends the name, and holds the block meanwhile if this tree made it.
  friend void encode(Encoder& encoder, const SharedMemory& memory) { memory.write(encoder); }
  /// Opens what was named. Throws `ProcessError` when it has lost its name meanwhile.
  friend void decode(Decoder& decoder, SharedMemory& memory) { memory.read(decoder); }

 private:
  explicit SharedMemory(std::shared_ptr<detail::NamedBlock> block) : block_(std::move(block)) {}

  void write(Encoder& encoder) const;
  void read(Decoder& decoder);
  [[nodiscard]] detail::NamedBlock& block() const;

  std::shared_ptr<detail::NamedBlock> block_;
};

}  // namespace procession

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

class ShareableList;

/// A block of memory with a name, which any process of this machine and user can open, a Python
/// program's `multiprocessing.shared_memory.SharedMemory(name)` too, and the other way round.
///
///     auto shm = mp::SharedMemory::create(4096, "frames");
///     std::memcpy(shm.buf().data(), frame, size);
///
/// A handle: copies name the same block, and it can be sent. What this process tree made loses its
/// name when the last handle in it is gone, or the tree ends, also by SIGKILL; handles in messages,
/// tasks and results that nobody has received count until those are dropped. A block that others
/// made is left to them. A process that has ended or executed something else has no handles any
/// more, whether it was joined or not. Of one that nobody has joined, or can (the program forked it
/// by itself, or it is a daemon of a process that was killed) that is seen a little later: by who
/// wants the name or lacks memory, when some more processes were started or one fails, and when a
/// call finds the server of its manager dead. Within a tree an Array does the same with less to
/// clean up.
///
/// *Beside Python.* A Python program up to 3.12 that attaches to a block, too, has its *resource
/// tracker* remove the name when it ends, with a warning of a "leaked shared_memory object". Those
/// who have the block keep it, but nobody else can attach to it, it cannot be sent to a process
/// that does not have it, and `unlink()` throws. So let Python (3.13) attach with
/// `SharedMemory(name, track=False)`, or up to 3.12 say after it has attached
///
///     resource_tracker.unregister(shm._name, "shared_memory")
///
/// (`from multiprocessing import resource_tracker`), and not call `unlink()`. The other way round,
/// what Python made lives as long as Python says. Python also makes blocks whose memory is not
/// taken before it is written to: where /dev/shm is full by then, who writes is ended by SIGBUS.
/// Blocks that are made here have their memory from the start.
///
/// *Writing past an end.* The memory lies by itself in the address space, with 256 MiB on either
/// side that nobody can access: who writes past an end of it, or takes an index that is wrong by up
/// to so much, is ended by SIGSEGV, and reaches nothing of the library's or of another block. (The
/// rest of its last page can be written, and is nobody's.) Where the address space of the process
/// is limited (`ulimit -v`) there is less, a page at least.
///
/// *What others do.* Whoever may open a block may write anything into it at any time, and may make
/// it smaller: to touch what is gone by then ends a process by SIGBUS, as with every mapped file.
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
  /// `OutOfMemory` when /dev/shm has not so much room, or no inode for one file more, or a limit
  /// (RLIMIT_FSIZE, and 2^63) forbids it; `NotInitialized` without `init()`.
  static SharedMemory create(std::size_t size, const std::optional<std::string>& name = {});

  /// Opens the block of that name. Throws `ProcessError` when there is none, when it has less than
  /// `at_least` bytes, and when it is empty, as a block of Python's is for a moment before it has
  /// its size; `OutOfMemory` when this process has no room to map it.
  static SharedMemory attach(const std::string& name, std::size_t at_least = 0);

  /// The memory. Throws `ProcessError` after `close()`. So do the others but `close()`.
  [[nodiscard]] std::span<std::byte> buf() const;
  /// The name, without a slash in front, as Python shows it.
  [[nodiscard]] const std::string& name() const;
  /// Bytes.
  [[nodiscard]] std::size_t size() const;

  /// Lets go of the memory; copies of this object keep it. A second call does nothing.
  void close() noexcept { block_.reset(); }

  /// Takes the name away now; those who have the block keep it. Throws `ProcessError` when the
  /// block has no name any more; another block that was given the name meanwhile keeps it.
  void unlink() const;

  /// Sends the name, and holds the block meanwhile if this tree made it.
  friend void encode(Encoder& encoder, const SharedMemory& memory) { memory.write(encoder); }
  /// Opens what was named. Throws `ProcessError` when it has lost its name meanwhile, also where
  /// another block has that by now.
  friend void decode(Decoder& decoder, SharedMemory& memory) { memory.read(decoder); }

 private:
  friend class ShareableList;

  explicit SharedMemory(std::shared_ptr<detail::NamedBlock> block) : block_(std::move(block)) {}

  void write(Encoder& encoder) const;
  void read(Decoder& decoder);
  [[nodiscard]] detail::NamedBlock& block() const;
  /// As `buf`, without what somebody has cut off meanwhile.
  [[nodiscard]] std::span<std::byte> bytes_now() const;

  std::shared_ptr<detail::NamedBlock> block_;
};

}  // namespace procession

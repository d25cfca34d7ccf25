// The shared heap of a process tree.
//
// One sparse memory file, created by the tree's first process and mapped by every other one, holds
// everything that processes share. Mappings lie at different addresses, so everything is named by
// its *offset* from the start of the heap (0: none).
//
// Memory comes in *blocks*. A block lives as long as someone *holds* it. A hold belongs to an
// owner, which is a block too: the record of a process, a queue, a message, or the root of the
// heap, which always lives. When the last hold on a block is dropped, the block is given back, and
// with it every hold that it owned. That is how the death of a process returns what it held, and
// how a message that is thrown away drops the handles inside it:
//
//     Block message(4096);                         // held by this process
//     ... fill message.data() ...
//     heap::move(message.release(), queue);        // now held by the queue
//
// Every function is thread-safe and process-safe, except where it says otherwise, and SIGKILL at
// any instruction of any of them leaves a heap in which the call either happened or did not. None
// may be called from a signal handler. Blocks that hold each other in a circle, which nobody else
// holds, are given back too, though not at once (circles.hpp).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace procession::heap {

/// Bytes from the start of the heap to the payload of a block, or to a word in one; 0: none.
using Offset = std::uint64_t;

/// Names one hold on a block (the offset of its record); 0: none. Valid in every process of the
/// tree, until it is dropped or its owner is given back.
using HoldId = std::uint64_t;

/// Where a block lies. What users can get a pointer to lies apart from all that the library reads
/// and trusts, with memory in between that nobody can access: a stray write to the one, however
/// long, forwards or backwards, does not reach the other.
enum class Region : std::uint8_t {
  library,  ///< objects with locks, lengths, names of other blocks: headers lie between payloads
  users,    ///< plain bytes. *What is read from there may be anything at any time*: it is read
            ///< once, checked, and never names anything by itself
};

namespace internal {
inline constinit std::atomic<std::byte*> base{nullptr};    // of this process's mapping
inline constinit std::atomic<std::uint64_t> size{0};       // bytes that are mapped there
inline constinit std::atomic<std::uint64_t> users{~0ULL};  // where the users' region begins
/// Makes what is in use of the users' region by now accessible to this process.
void reach() noexcept;
inline constinit std::atomic<std::uint32_t> selves{0};  // how often `set_self` was called
}  // namespace internal

// ---------------------------------------------------------------------------- one heap per tree

/// Bytes of payload in the record block that `ensure` makes for the tree's first process.
inline constexpr std::size_t kRecordBytes = 512;

/// Bytes of payload in the root block: words through which the floors above find what the whole
/// tree shares. Zero in a new heap.
inline constexpr std::size_t kRootBytes = 512;

/// Defined by the floor that starts processes, where that is part of the program: adopts the heap
/// of the tree where a constructor of a static object needs it before init() in a process that the
/// library started. `ensure` calls it first.
[[gnu::weak]] void adopt_before_main();

/// Defined there too: gives back what processes held that have ended without anybody to see it.
/// Whether there were some. Takes no lock but the heap's, and no memory.
[[gnu::weak]] bool reap_dead_processes() noexcept;

/// Creates the heap unless this process has one. Its size is PROCESSION_HEAP from the environment
/// (bytes, or with a suffix K, M, G or T), or what `set_reserve` said, or the machine's memory: so
/// much for what the library needs, and so much again for what users write. It is halved until the
/// address space and RLIMIT_FSIZE admit that. Also makes a record block for this
/// process (see `self`) and marks it alive. Throws ProcessError when PROCESSION_HEAP is not a size,
/// and OutOfMemory when not even 16 MiB can be mapped.
void ensure();

/// The size of the heap that `ensure` will create, in bytes, see there. Only address space is
/// reserved: memory is used as blocks are. Throws ProcessError when the heap exists already.
void set_reserve(std::uint64_t bytes);

/// Maps the heap of the process tree, of which `fd` is a descriptor that this process inherited
/// and now leaves to the heap. For the start of a child, while it has a single thread. Throws
/// ProcessError when `fd` is no heap, one of another version of the library, or cannot be mapped.
void adopt(int fd);

/// Whether this process has created or adopted a heap.
bool exists() noexcept;

/// The descriptor of the heap, which exists (close-on-exec), to be handed to children. Do not close
/// it, nor any duplicate of it in a process that is marked alive: closing *any* descriptor of a
/// file gives up all its record locks (see `mark_alive`). Throws ProcessError where the program has
/// closed it with all others, and the number may be that of another file. To allocate and to give
/// back go on working there.
int descriptor();

// --------------------------------------------------------------------------- offsets and pointers

/// The address of `offset` in this process. For 0: nullptr. Checks nothing.
template <class T = std::byte>
T* at(Offset offset) noexcept {
  if (offset == 0) return nullptr;
  if (offset >= internal::users.load(std::memory_order_relaxed)) [[unlikely]]
    internal::reach();
  return reinterpret_cast<T*>(internal::base.load(std::memory_order_acquire) + offset);
}

/// Whether `address` points into this process's mapping of the heap.
inline bool contains(const void* address) noexcept {
  const auto start = reinterpret_cast<std::uintptr_t>(internal::base.load());
  const auto place = reinterpret_cast<std::uintptr_t>(address);
  return start != 0 && place >= start && place - start < internal::size.load();
}

/// The offset of an address in the heap; for nullptr: 0. Checks nothing else.
inline Offset offset_of(const void* address) noexcept {
  if (address == nullptr) return 0;
  return static_cast<Offset>(static_cast<const std::byte*>(address) -
                             internal::base.load(std::memory_order_acquire));
}

/// Whether an offset lies in that region.
inline bool is_in(Offset offset, Region region) noexcept {
  return (offset >= internal::users.load(std::memory_order_relaxed)) == (region == Region::users);
}

// ------------------------------------------------------------------------------- blocks and holds

/// Throws OutOfMemory, as `allocate` does, for what the heap could never hold.
void expect_possible(std::size_t bytes);

/// A new block of at least `bytes` bytes (at a multiple of 64; of 256 in the users' region), with
/// one hold on it that belongs to `owner`. The payload is uninitialised unless `zeroed`. Memory is
/// really there: writing to it never ends in SIGBUS. A caller that is killed before it published
/// the hold leaks the block until `owner` goes, so: allocate to `self()`, then `move`. Throws
/// OutOfMemory when the reserve, the machine or its control group has no room left; ProcessError
/// when there is no such owner.
[[nodiscard]] HoldId allocate(std::size_t bytes, Offset owner, bool zeroed = false,
                              Region region = Region::library);

/// The block that is held by the hold of this id.
Offset target(HoldId hold_id) noexcept;

/// The owner of the hold of this id.
Offset owner(HoldId hold_id) noexcept;

/// Usable bytes of a block, at least what was asked for.
std::size_t capacity(Offset block) noexcept;

/// One more hold on `block`, for `owner`. The caller sees to it that the block is held by someone
/// throughout the call; if `block` was read from where anybody may have written, it is another
/// block in use at worst. Throws ProcessError when `block` or `owner` is no block in use, for
/// certain, whatever lies there; and OutOfMemory when there is no room for the record of a hold.
[[nodiscard]] HoldId hold(Offset block, Offset owner);

/// Gives back what nobody will ever use: what processes held that have ended without anybody to see
/// it, and blocks that hold each other in a circle. Whether there was something. Done before memory
/// is said to be out; for others who lack something that blocks of the heap stand for, such as
/// files. Takes long.
bool reclaim() noexcept;

/// Says that a message holds blocks, by which a circle may be closed. Now and then it takes as long
/// as a look for circles.
void note_link() noexcept;

/// Gives a hold back, and with the last one the block, and all that it held. True when it was the
/// last one: of several processes that drop theirs at once, one is told so. 0 is ignored. Ends the
/// program with a message when there is no such hold: it was dropped before.
bool drop(HoldId hold_id) noexcept;

/// The same for a hold that this process made or took over and keeps in private memory. In the
/// child of a fork, which has a copy of that memory, it does nothing where the hold is the
/// parent's.
bool drop_own(HoldId hold_id) noexcept;

/// How many holds there are on `block`, which the caller sees to it is in use.
std::uint64_t holds_on(Offset block) noexcept;

/// Whoever lets a block go, and however, what it stands for outside of the heap, such as the name
/// of a file, is to go too: from now on the last hold on `block` is not dropped, but goes to
/// `queue`, a block that lives as long as the heap and is the same one in all calls, and
/// `finalize_blocks` is called. That is done again whenever somebody drops a hold, while there are
/// holds in the queue.
void finalize(Offset block, Offset queue);

/// Defined by who calls `finalize`: ends what the blocks in the queue stand for. Called by any
/// thread, whatever locks it has, so it waits for none.
[[gnu::weak]] void finalize_blocks() noexcept;

/// The first of the holds that belong to `owner`, which is in use. 0: it has none.
HoldId first_hold_of(Offset owner) noexcept;

/// Drops every hold that belongs to `owner`, which others may go on to hold, as long as `*word` is
/// `expected` and `mark` is `expected_mark`, looked at as by `move_if`. Any number of processes may
/// do it side by side, and who is killed over it leaves the rest to the next one.
void drop_holds_of(Offset owner, const std::uint64_t& word, std::uint64_t expected,
                   const std::uint32_t& mark, std::uint32_t expected_mark) noexcept;

/// Drops a hold of the queue, and if there is no other one on the block, the block.
void drop_finalized(HoldId hold_id) noexcept;

/// Calls `visit` for each block that `finalize` was called for, when every other process has ended.
void for_each_finalized(void (*visit)(Offset block)) noexcept;

/// Undoes what a process that was killed inside a call had begun. Whoever looks at a word that
/// `move` stores, to repair what a dead process left, calls this first.
void settle() noexcept;

/// What `word`, which lies in the heap and which `move` stores, is when no other call on the heap
/// is under way or unfinished: not what a killed process had begun to make of it.
std::uint64_t settled(const std::uint64_t& word) noexcept;

/// What a word of the heap is just now: perhaps not for good.
inline std::uint64_t glance(std::uint64_t& word) noexcept {
  return std::atomic_ref(word).load(std::memory_order_acquire);
}

/// Hands a hold to another owner; its id stays the same. Throws ProcessError when there is no
/// such owner.
void move(HoldId hold_id, Offset new_owner);

/// The same, and stores `value` into `*word`, which lies in the heap, as part of it: after a
/// SIGKILL either both happened or neither. Another process that reads `*word` without a lock may
/// see `value` before that is decided; such readers act on it with `move_if`.
void move(HoldId hold_id, Offset new_owner, std::uint64_t* word, std::uint64_t value);

/// The same, if `*word` is `expected`, which is looked at when no other call on the heap is under
/// way or unfinished. False, and nothing done, if it is not.
bool move_if(HoldId hold_id, Offset new_owner, std::uint64_t* word, std::uint64_t expected,
             std::uint64_t value);
/// The same, if `mark` is `expected_mark` besides: where ids of holds are used again, the word
/// alone does not tell one block from the next at its place.
bool move_if(HoldId hold_id, Offset new_owner, std::uint64_t* word, std::uint64_t expected,
             std::uint64_t value, const std::uint32_t& mark, std::uint32_t expected_mark);

/// The block that always lives and owns what belongs to the whole tree. Its `kRootBytes` of payload
/// belong to the floors above.
Offset root() noexcept;

/// The record block of this process: the owner of what this process itself holds. The tree's first
/// process gets it from `ensure`; a child is told by `set_self`. 0: none yet. The record may only
/// be dropped when the process is dead, or holds nothing and never will again.
Offset self() noexcept;

/// Says which block is this process's record. For the start of a child (after `fork` too, which
/// inherits the parent's), while it has a single thread.
void set_self(Offset record) noexcept;

// ------------------------------------------------------------------------------------ who is alive

/// Tells the tree that the process with this record block is alive, from now until its end, however
/// it ends: a lock on one byte of the heap's file, which the kernel takes back. Not inherited by
/// `fork`: each child calls it for its own record. Throws ProcessError when it cannot be locked.
void mark_alive(Offset record);

/// Whether the process that called `mark_alive` with this record still runs. True for `self()`.
bool alive(Offset record);

// ------------------------------------------------------------------------------------------- audit

/// What is in the heap, in both regions. Bytes count headers too. committed >= in_use + free.
struct Audit {
  std::uint64_t blocks = 0;     // in use, without the records of holds
  std::uint64_t in_use = 0;     // bytes in use, including the records of holds
  std::uint64_t free = 0;       // bytes in free blocks
  std::uint64_t committed = 0;  // bytes that have been in use at some time
  std::uint64_t reserve = 0;    // bytes that each region may grow to
  std::uint64_t holds = 0;      // on all blocks
};

/// Walks the whole heap, checks that every block is in exactly one state and that all counts and
/// lists agree, and adds up. Slow, and everyone else waits. Throws ProcessError that says what is
/// wrong when the heap is damaged.
Audit audit();

// ------------------------------------------------------------------------------------------- Block

/// A block that this process holds, and gives back at the end of the scope. Move-only, not
/// thread-safe, like std::unique_ptr.
class Block {
 public:
  Block() noexcept = default;
  /// A new block held by `self()`. Creates the heap if need be. Throws as `allocate` does.
  explicit Block(std::size_t bytes, bool zeroed = false, Region region = Region::library);
  /// The same in the users' region.
  static Block for_users(std::size_t bytes, bool zeroed = false) {
    return Block(bytes, zeroed, Region::users);
  }
  Block(Block&& other) noexcept : hold_id_(std::exchange(other.hold_id_, 0)) {}
  Block& operator=(Block&& other) noexcept {
    drop_own(std::exchange(hold_id_, std::exchange(other.hold_id_, 0)));
    return *this;
  }
  ~Block() { drop_own(hold_id_); }

  /// Takes over a hold that belongs to `self()`.
  static Block own(HoldId hold_id) noexcept {
    Block block;
    block.hold_id_ = hold_id;
    return block;
  }

  explicit operator bool() const noexcept { return hold_id_ != 0; }
  HoldId hold_id() const noexcept { return hold_id_; }
  Offset offset() const noexcept { return target(hold_id_); }
  std::byte* data() const noexcept { return at<std::byte>(offset()); }
  /// Usable bytes, at least what was asked for.
  std::size_t size() const noexcept { return hold_id_ == 0 ? 0 : capacity(offset()); }
  std::span<std::byte> bytes() const noexcept { return {data(), size()}; }
  /// Leaves the hold to the caller, who now has to drop or move it.
  [[nodiscard]] HoldId release() noexcept { return std::exchange(hold_id_, 0); }

 private:
  HoldId hold_id_ = 0;
};

}  // namespace procession::heap

// What lies where in the shared heap, bit by bit. Everything that changes is a 64-bit word, and is
// changed under the heap's mutex, by a Transaction.
//
// The file has two *regions*, with nothing that can be accessed in front of, between and behind
// them, so that no overrun of what users write can reach what the library reads:
//
//     |  library's region   | headers of the users' blocks | marks | no access |  users' region  |
//     0                     Header::shadow                                     Header::users
//
//     library's region:
//     +--------+------------+-------+-------+-------+-- ... --+------------------------------+
//     | Header | root block | block | block | block |         | the frontier: never used yet |
//     +--------+------------+-------+-------+-------+-- ... --+------------------------------+
//
// Blocks lie wall to wall from `RegionState::first` to `RegionState::frontier`. Each has a
// BlockHeader of 64 bytes. *Offsets of blocks are those of payloads.*
//
// In the library's region the header lies in front of its payload, which is at a multiple of 64. A
// *mark*, one bit for each 64 bytes, tells where blocks begin, since what lies in payloads may look
// like a header.
//
// Payloads in the users' region lie wall to wall, at multiples of 256. The header of the one at
// `block` lies at `shadow + (block - users) / 4`: every place has a header of its own, and nothing
// else is there, so whatever says `used` there belongs to a block in use.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "heap/heap.hpp"
#include "heap/size_class.hpp"
#include "platform/mutex.hpp"

namespace procession::heap {

using Word = std::uint64_t;

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t step) noexcept {
  return (value + step - 1) / step * step;
}

/// Words are read without the mutex too (sizes of blocks, targets of hold ids). It orders the rest.
inline Word load(const Word& word) noexcept {
  return std::atomic_ref<Word>(const_cast<Word&>(word)).load(std::memory_order_relaxed);
}

/// What a block is used for. The values are unlikely in memory that was overwritten by accident.
enum class State : std::uint8_t {
  free = 0xF1,      // on the free list of its class
  used = 0xA2,      // someone holds it
  deferred = 0xD3,  // nobody does, but it holds others, which are dropped one by one
  record = 0xB4,    // the record of a hold, one that did not fit into the header of its target
};

/// One hold: a member of the doubly linked list of what its owner holds, which starts at the
/// owner's `first_held`. A hold id is the offset of a record.
struct HoldRecord {
  Word target;  // the block that is held
  Word owner;   // the block that holds it; 0: this record is not in use
  Word next;    // hold id; 0: the last one
  Word prev;    // hold id; 0: the first one
};

/// What the heap knows of a block.
///
///     state   bits 0-7   State
///             bit  8     sparse: the whole pages inside the payload may be holes of the file
///             bit  9     finalized: the last hold on it goes to the finalization queue
///             bits 16-63 size of the payload, in units of its region
///     link    the next block on the same free list or on the list of deferred ones; 0: the last
///     holds   how many holds there are on this block
///     first   the first hold that this block owns (a hold id)
///     hold    room for the record of one hold: in a used block, one of the holds on it; in a
///             record, which has no payload, the hold that it is the record of
///
/// In a free block everything but `state` and `link` is without meaning.
struct BlockHeader {
  Word state;
  Word link;
  Word holds;
  Word first;
  HoldRecord hold;
};
static_assert(sizeof(BlockHeader) == 64);

inline constexpr Word kSparse = 0x100;
inline constexpr Word kFinalized = 0x200;

constexpr Word state_word(State state, std::uint64_t units, bool sparse) noexcept {
  return static_cast<Word>(state) | (sparse ? kSparse : 0) | units << 16;
}

/// A word of an undo log: where, and what was there before.
struct LogEntry {
  Word offset;
  Word value;
};

inline constexpr std::size_t kLogEntries = 384;  // the longest transaction empties all free lists
inline constexpr std::size_t kRootPayload = 512;
inline constexpr Word kMagic = 0x7061'6548'6372'5004;  // the low byte is the version of the layout

/// One of the two regions.
struct alignas(64) RegionState {
  Word first;      // where its first block begins, or will. Constant
  Word end;        // how far it may grow. Constant
  Word frontier;   // the end of the last block
  Word committed;  // memory is there below this, but inside sparse blocks. Not logged.

  alignas(64) Word free[kClasses];  // the list of free blocks by class
};

inline constexpr std::size_t kRegions = 2;

struct Header {
  // Written once.
  alignas(64) Word magic;
  Word reserve;  // bytes that each region may grow to
  Word size;     // bytes of the whole file
  Word shadow;   // where the headers of users' blocks begin
  Word marks;    // where the marks begin
  Word users;    // where the users' region begins
  Word record;   // the record block of the process that created the heap

  platform::RobustMutexLine mutex;

  alignas(64) Word deferred;  // the list of blocks that are to be released
  Word rebuilding;            // see rebuild.cpp: the block at which it goes on; 0: none under way
  Word idle;                  // bytes of large free blocks that are not sparse
  Word links;                 // since it was last looked for circles, see circles.hpp. Not logged
  Word links_limit;           // when so many there are, or the regions take so many bytes, it is
  Word extent_limit;          // looked for them again. Not logged
  Word finalization;          // the block to which last holds go, see finalization.cpp. 0: none yet

  alignas(64) Word log_count;  // entries that are to be undone; 0: no transaction is under way
  LogEntry log[kLogEntries];

  RegionState regions[kRegions];  // by Region

  alignas(64) BlockHeader root;
  std::byte root_payload[kRootPayload];
};
static_assert(kRegions * kClasses + 8 <= kLogEntries);

inline constexpr Offset kRoot = offsetof(Header, root_payload);
inline constexpr Offset kFirstBlock =
    ((sizeof(Header) + 4095) / 4096 + 1) * 4096 + sizeof(BlockHeader);

// ------------------------------------------------------------------------------- the two regions

/// Bytes of a unit, in which sizes of blocks are counted.
constexpr std::uint64_t unit_of(Region region) noexcept {
  return region == Region::users ? 4 * kUnit : kUnit;
}
/// Bytes between the end of a block and the next one.
constexpr std::uint64_t gap_of(Region region) noexcept {
  return region == Region::users ? 0 : sizeof(BlockHeader);
}
/// In which region an offset lies.
inline Region region_of(const Header& heap, Offset offset) noexcept {
  return offset >= heap.users ? Region::users : Region::library;
}
inline RegionState& state_of(Header& heap, Region region) noexcept {
  return heap.regions[static_cast<std::size_t>(region)];
}
inline const RegionState& state_of(const Header& heap, Region region) noexcept {
  return heap.regions[static_cast<std::size_t>(region)];
}

// ------------------------------------------------------------------------ from offsets to places

inline std::byte* place(Header& heap, Offset offset) noexcept {
  return reinterpret_cast<std::byte*>(&heap) + offset;
}
/// Where the header of a block lies.
inline Offset header_of(const Header& heap, Offset block) noexcept {
  if (block >= heap.users) return heap.shadow + (block - heap.users) / 4;
  return block - sizeof(BlockHeader);
}
inline BlockHeader& block_at(Header& heap, Offset block) noexcept {
  return *reinterpret_cast<BlockHeader*>(place(heap, header_of(heap, block)));
}
inline HoldRecord& record_at(Header& heap, HoldId hold_id) noexcept {
  return *reinterpret_cast<HoldRecord*>(place(heap, hold_id));
}

/// The block in whose header the record of a hold lies, and the other way round.
inline Offset block_of(const Header& heap, HoldId hold_id) noexcept {
  const Offset header = hold_id - offsetof(BlockHeader, hold);
  if (header >= heap.shadow) return heap.users + (header - heap.shadow) * 4;
  return header + sizeof(BlockHeader);
}
inline HoldId hold_id_in(const Header& heap, Offset block) noexcept {
  return header_of(heap, block) + offsetof(BlockHeader, hold);
}

/// The word with the mark of a block of the library's region, and the mark in it.
inline Word& mark_word(Header& heap, Offset block) noexcept {
  return *reinterpret_cast<Word*>(place(heap, heap.marks + block / kUnit / 64 * sizeof(Word)));
}
constexpr Word mark_bit(Offset block) noexcept { return Word{1} << block / kUnit % 64; }
inline bool is_marked(Header& heap, Offset block) noexcept {
  return (load(mark_word(heap, block)) & mark_bit(block)) != 0;
}

inline State state_of(const BlockHeader& block) noexcept {
  return static_cast<State>(load(block.state) & 0xFF);
}
inline bool is_sparse(const BlockHeader& block) noexcept {
  return (load(block.state) & kSparse) != 0;
}
inline bool is_finalized(const BlockHeader& block) noexcept {
  return (load(block.state) & kFinalized) != 0;
}
inline std::uint64_t units_of(const BlockHeader& block) noexcept { return load(block.state) >> 16; }
/// Bytes of a block's payload.
inline std::uint64_t bytes_of(Header& heap, Offset block) noexcept {
  return units_of(block_at(heap, block)) * unit_of(region_of(heap, block));
}
/// The block behind `block`.
inline Offset next_block(Header& heap, Offset block) noexcept {
  const Region region = region_of(heap, block);
  return block + units_of(block_at(heap, block)) * unit_of(region) + gap_of(region);
}
/// Where the next block of the region will begin: behind all that there are.
inline Offset end_of_blocks(const Header& heap, Region region) noexcept {
  return load(state_of(heap, region).frontier) + gap_of(region);
}

/// Whether `block` can be the offset of a block at all.
inline bool plausible(Header& heap, Offset block) noexcept {
  if (block >= heap.users) {
    return block % unit_of(Region::users) == 0 &&
           block < load(state_of(heap, Region::users).frontier);
  }
  return block % kUnit == 0 &&
         ((block >= kFirstBlock && block < end_of_blocks(heap, Region::library)) || block == kRoot);
}

/// Whether a block begins at `block`, be it in use or free. For any offset, whatever its source.
inline bool is_block(Header& heap, Offset block) noexcept {
  return plausible(heap, block) &&
         (block >= heap.users || block == kRoot || is_marked(heap, block));
}

}  // namespace procession::heap

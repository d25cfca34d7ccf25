// What lies where in the shared heap, bit by bit. Everything that changes is a 64-bit word, and is
// changed under the heap's mutex, by a Transaction.
//
//     +--------+------------+-------+-------+-------+-- ... --+------------------------------+
//     | Header | root block | block | block | block |         | the frontier: never used yet |
//     +--------+------------+-------+-------+-------+-- ... --+------------------------------+
//
// Blocks lie wall to wall from `Header::first` to `Header::frontier`. Each is a BlockHeader of 64
// bytes, with a payload at a multiple of 64 behind it. *Offsets of blocks are those of payloads.*
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "heap/size_class.hpp"
#include "platform/mutex.hpp"

namespace procession::heap {

using Word = std::uint64_t;
using Offset = std::uint64_t;
using Ticket = std::uint64_t;

/// Words are read without the mutex too (sizes of blocks, targets of tickets). It orders the rest.
inline Word load(const Word& word) noexcept {
  return std::atomic_ref<Word>(const_cast<Word&>(word)).load(std::memory_order_relaxed);
}

/// What a block is used for. The values are unlikely in memory that was overwritten by accident.
enum class State : std::uint8_t {
  free = 0xF1,    // on the free list of its class
  used = 0xA2,    // someone holds it
  zombie = 0xD3,  // nobody does, but it holds others, which are dropped one by one
  record = 0xB4,  // the record of a hold, one that did not fit into the header of its target
};

/// One hold: a member of the doubly linked list of what its owner holds, which starts at the
/// owner's `first_held`. A ticket is the offset of a record.
struct HoldRecord {
  Word target;  // the block that is held
  Word owner;   // the block that holds it; 0: this record is not in use
  Word next;    // ticket; 0: the last one
  Word prev;    // ticket; 0: the first one
};

/// In front of every payload.
///
///     state   bits 0-7   State
///             bit  8     sparse: the whole pages inside the payload may be holes of the file
///             bits 16-63 size of the payload, in units of 64 bytes
///     link    the next block on the same free list or on the list of zombies; 0: the last
///     holds   how many holds there are on this block
///     first   the first hold that this block owns (a ticket)
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

constexpr Word state_word(State state, std::uint64_t units, bool sparse) noexcept {
  return static_cast<Word>(state) | (sparse ? kSparse : 0) | units << 16;
}

/// A word of an undo log: where, and what was there before.
struct LogEntry {
  Word offset;
  Word value;
};

inline constexpr std::size_t kLogEntries = 256;  // the longest transaction empties all free lists
inline constexpr std::size_t kRootPayload = 512;
inline constexpr Word kMagic = 0x7061'6548'6372'5001;  // the low byte is the version of the layout

struct Header {
  // Written once.
  alignas(64) Word magic;
  Word reserve;  // bytes that are mapped
  Word first;    // the first block
  Word record;   // the record block of the process that created the heap

  platform::RobustMutexLine mutex;

  alignas(64) Word frontier;  // the end of the last block
  Word zombies;               // the list of zombies
  Word rebuilding;            // see rebuild.cpp: the block at which it goes on; 0: none under way
  Word idle;                  // bytes of large free blocks that are not sparse
  Word committed;             // memory is there below this, but inside sparse blocks. Not logged.

  alignas(64) Word log_count;  // entries that are to be undone; 0: no transaction is under way
  LogEntry log[kLogEntries];

  alignas(64) Word free[kClasses];  // the list of free blocks by class

  alignas(64) BlockHeader root;
  std::byte root_payload[kRootPayload];
};
static_assert(kClasses + 8 <= kLogEntries);

inline constexpr Offset kRoot = offsetof(Header, root_payload);
inline constexpr Offset kFirstBlock =
    ((sizeof(Header) + 4095) / 4096 + 1) * 4096 + sizeof(BlockHeader);

// ------------------------------------------------------------------------ from offsets to places

inline std::byte* place(Header& heap, Offset offset) noexcept {
  return reinterpret_cast<std::byte*>(&heap) + offset;
}
inline BlockHeader& block_at(Header& heap, Offset block) noexcept {
  return *reinterpret_cast<BlockHeader*>(place(heap, block - sizeof(BlockHeader)));
}
inline HoldRecord& record_at(Header& heap, Ticket ticket) noexcept {
  return *reinterpret_cast<HoldRecord*>(place(heap, ticket));
}

/// The block in whose header the record of a hold lies, and the other way round.
constexpr Offset block_of(Ticket ticket) noexcept {
  return ticket - offsetof(BlockHeader, hold) + sizeof(BlockHeader);
}
constexpr Ticket ticket_in(Offset block) noexcept {
  return block - sizeof(BlockHeader) + offsetof(BlockHeader, hold);
}

inline State state_of(const BlockHeader& block) noexcept {
  return static_cast<State>(load(block.state) & 0xFF);
}
inline bool is_sparse(const BlockHeader& block) noexcept {
  return (load(block.state) & kSparse) != 0;
}
inline std::uint64_t units_of(const BlockHeader& block) noexcept { return load(block.state) >> 16; }
/// The block behind `block`: past its payload and the next header.
inline Offset next_block(Header& heap, Offset block) noexcept {
  return block + units_of(block_at(heap, block)) * kUnit + sizeof(BlockHeader);
}

/// Whether `block` can be the offset of a block at all.
inline bool plausible(Header& heap, Offset block) noexcept {
  return block % kUnit == 0 &&
         ((block >= kFirstBlock && block - sizeof(BlockHeader) < load(heap.frontier)) ||
          block == kRoot);
}

}  // namespace procession::heap

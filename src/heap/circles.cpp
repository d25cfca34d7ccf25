#include "heap/circles.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "heap/deferred_release.hpp"
#include "heap/heap.hpp"
#include "heap/mapping.hpp"
#include "heap/transaction.hpp"

namespace procession::heap {
namespace {

/// After so many links it is looked for circles at the least; and no sooner than after a number in
/// proportion to the blocks that there were, so that a link costs no more than some hundred
/// nanoseconds on average, and that what waits to be found is a small part of all.
constexpr Word kLinks = 64;
constexpr Word kLinksForEachInUse = 8;
constexpr Word kBlocksForEachLink = 16;
/// Or when the regions grow beyond twice what was in use, and so much. They do not shrink; so from
/// then on whenever they grow.
constexpr std::uint64_t kGrowth = std::uint64_t{64} << 20;

/// A bit for each block, in private memory that is taken only as far as bits are set.
class Marks {
 public:
  explicit Marks(const Header& heap)
      : users_(heap.users),
        of_library_(make(end_of_blocks(heap, Region::library) / unit_of(Region::library))),
        of_users_(
            make((end_of_blocks(heap, Region::users) - heap.users) / unit_of(Region::users))) {}

  [[nodiscard]] bool has(Offset block) const { return (word(block) & bit(block)) != 0; }
  void set(Offset block) { word(block) |= bit(block); }

 private:
  struct Free {
    void operator()(Word* words) const { std::free(words); }
  };
  using Words = std::unique_ptr<Word[], Free>;

  static Words make(std::uint64_t bits) {
    Words words(static_cast<Word*>(std::calloc(bits / 64 + 1, sizeof(Word))));
    if (words == nullptr) throw std::bad_alloc();
    return words;
  }
  [[nodiscard]] std::uint64_t index(Offset block) const {
    return block >= users_ ? (block - users_) / unit_of(Region::users)
                           : block / unit_of(Region::library);
  }
  [[nodiscard]] Word& word(Offset block) const {
    return (block >= users_ ? of_users_ : of_library_)[index(block) / 64];
  }
  [[nodiscard]] Word bit(Offset block) const { return Word{1} << index(block) % 64; }

  Offset users_;
  Words of_library_;
  Words of_users_;
};

std::uint64_t extent(const Header& heap) noexcept {
  return load(state_of(heap, Region::library).frontier) +
         load(state_of(heap, Region::users).frontier) - heap.users;
}

/// One look, under the mutex.
class Search {
 public:
  explicit Search(Header& heap) : heap_(heap), marks_(heap) {
    add(kRoot);
    // What these hold is about to be dropped.
    for (Offset block = load(heap.deferred); block != 0; block = load(block_at(heap, block).link))
      add(block);
    while (!open_.empty()) {
      const Offset owner = open_.back();
      open_.pop_back();
      for (HoldId hold_id = load(block_at(heap, owner).first); hold_id != 0;
           hold_id = load(record_at(heap, hold_id).next)) {
        add(load(record_at(heap, hold_id).target));
      }
    }
  }

  /// The blocks in use that were not reached.
  std::vector<Offset> unreached() {
    std::vector<Offset> found;
    for (const Region region : {Region::library, Region::users}) {
      const Offset end = end_of_blocks(heap_, region);
      for (Offset block = load(state_of(heap_, region).first); block < end;
           block = next_block(heap_, block)) {
        ++blocks_;
        if (state_of(block_at(heap_, block)) == State::used && !marks_.has(block)) {
          found.push_back(block);
        }
      }
    }
    return found;
  }

  [[nodiscard]] Word links_until_next() const {
    return kLinks + std::max(kLinksForEachInUse * reached_, blocks_ / kBlocksForEachLink);
  }
  [[nodiscard]] std::uint64_t extent_until_next() const {
    return std::max(2 * bytes_ + kGrowth, extent(heap_) + 1);
  }

 private:
  void add(Offset block) {
    if (marks_.has(block)) return;
    marks_.set(block);
    ++reached_;
    bytes_ += bytes_of(heap_, block);
    open_.push_back(block);
  }

  Header& heap_;
  Marks marks_;
  std::vector<Offset> open_;
  Word reached_ = 0;
  std::uint64_t bytes_ = 0;  // in what was reached
  Word blocks_ = 0;
};

/// Hints, which no transaction needs.
void hint(Word& word, Word value) noexcept {
  std::atomic_ref<Word>(word).store(value, std::memory_order_relaxed);
}

/// Drops, one by one, all that a block holds. It may be given back meanwhile, by another one's
/// drop. Adds what is left to be decommitted.
void drop_all_of(Header& heap, Offset block, std::vector<HoldId>& dirty) noexcept {
  BlockHeader& header = block_at(heap, block);
  while (state_of(header) == State::used && load(header.first) != 0) {
    Transaction change(heap);
    const PendingWork pending = drop_hold(change, load(header.first), false);
    change.commit();
    // There is room for each: no more of them are given back than were found.
    if (const HoldId hold_id = settle(heap, pending); hold_id != 0) dirty.push_back(hold_id);
  }
}

}  // namespace

bool collect_circles(Header& heap) noexcept {
  std::vector<Offset> found;
  std::vector<HoldId> dirty;
  try {
    const Guard guard(heap);
    hint(heap.links, 0);
    Search search(heap);
    found = search.unreached();
    hint(heap.links_limit, search.links_until_next());
    hint(heap.extent_limit, search.extent_until_next());
    // Each of them is held by another one of them, so with all that they hold they are gone. Who
    // is killed in between leaves fewer of them.
    dirty.reserve(found.size());
    for (const Offset block : found)
      drop_all_of(heap, block, dirty);
  } catch (const std::bad_alloc&) {
    return false;
  }
  if (found.empty()) return false;
  for (const HoldId hold_id : dirty)
    decommit(heap, hold_id);
  release_deferred(heap);
  return true;
}

void note_link() noexcept {
  Header& heap = header();
  const Word links = std::atomic_ref<Word>(heap.links).fetch_add(1, std::memory_order_relaxed);
  if (links >= load(heap.links_limit) || extent(heap) >= load(heap.extent_limit)) [[unlikely]]
    collect_circles(heap);
}

}  // namespace procession::heap

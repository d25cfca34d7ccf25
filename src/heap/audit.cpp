// Counts and checks everything that the heap says about itself.

#include <algorithm>
#include <bit>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "heap/allocator.hpp"
#include "heap/deferred_release.hpp"
#include "heap/heap.hpp"
#include "heap/mapping.hpp"
#include "heap/transaction.hpp"
#include "procession/error.hpp"

namespace procession::heap {
namespace {

class Auditor {
 public:
  explicit Auditor(Header& heap) : heap_(heap) {}

  Audit run() {
    check(load(heap_.log_count) == 0, "an unfinished transaction", 0);
    check(load(heap_.rebuilding) == 0, "an unfinished rebuild", 0);
    for (const Region region : {Region::library, Region::users}) {
      walk_blocks(region);
      walk_free_lists(region);
      check_memory(region);
    }
    check(idle_ == load(heap_.idle), "a wrong count of idle bytes", 0);
    check_marks();
    walk_deferred();
    check_holds_of(kRoot);
    for (const Offset owner : owners_)
      check_holds_of(owner);
    for (const auto& [block, count] : counted_) {
      const Word said = load(block_at(heap_, block).holds);
      check(count == said, "a wrong count of holds", block);
    }
    check(records_seen_ == records_, "a hold that no owner lists", 0);
    audit_.reserve = load(heap_.reserve);
    return audit_;
  }

 private:
  static void check(bool good, const char* what, Offset where) {
    if (good) return;
    throw ProcessError("the shared heap is damaged: it has " + std::string(what) + " (block " +
                       std::to_string(where) +
                       "); did something write past the end of an object of the library?");
  }

  void check_memory(Region region) {
    const RegionState& state = state_of(heap_, region);
    const std::uint64_t committed = load(state.committed);
    check(load(state.frontier) <= committed, "blocks without memory", load(state.frontier));
    audit_.committed += committed - (region == Region::users ? load(state.first) : 0);
    if (region == Region::users) audit_.committed += (committed - load(state.first)) / 4;
  }

  /// There is a mark for each block of the library's region, and for nothing else there.
  void check_marks() {
    const Offset end = end_of_blocks(heap_, Region::library);
    std::uint64_t found = 0;
    for (Offset word = 0; word < end; word += kUnit * 64) {
      const Word all = load(mark_word(heap_, word));
      found += static_cast<std::uint64_t>(std::popcount(all));
      if (end - word < kUnit * 64) {
        check(all >> (end - word) / kUnit == 0, "a mark of a block behind the last", word);
      }
    }
    check(found == marked_, "a mark of a block that is none", 0);
  }

  void walk_blocks(Region region) {
    free_.clear();
    const Offset end = end_of_blocks(heap_, region);
    Offset block = load(state_of(heap_, region).first);
    while (block < end) {
      visit(block);
      block = next_block(heap_, block);
    }
    check(block == end, "a block that reaches beyond the last", block);
  }

  void visit(Offset block) {
    const BlockHeader& header = block_at(heap_, block);
    const std::uint64_t bytes = bytes_of(heap_, block) + sizeof(BlockHeader);
    if (region_of(heap_, block) == Region::library) {
      check(is_marked(heap_, block), "a block without a mark", block);
      ++marked_;
    } else {
      check(units_of(header) != 0, "a users' block without a payload", block);
    }
    switch (state_of(header)) {
      case State::free:
        audit_.free += bytes;
        free_.push_back(block);
        if (!is_sparse(header) && bytes > kLarge) idle_ += bytes - sizeof(BlockHeader);
        return;
      case State::record:
        audit_.in_use += bytes;
        ++records_;
        check(units_of(header) == 0, "the record of a hold with a payload", block);
        return;
      case State::used:
        audit_.in_use += bytes;
        ++audit_.blocks;
        owners_.push_back(block);
        counted_.emplace(block, 0);
        if (load(header.hold.owner) != 0) ++records_;
        check(load(header.holds) != 0, "a block in use that nobody holds", block);
        return;
      case State::deferred:  // since the last ones were released, or for a moment
        audit_.in_use += bytes;
        owners_.push_back(block);
        deferred_.push_back(block);
        check(load(header.holds) == 0, "a block to be released that somebody holds", block);
        return;
    }
    check(false, "a block in no known state", block);
  }

  void walk_free_lists(Region region) {
    std::vector<Offset> listed;
    for (std::size_t index = 0; index < kClasses; ++index) {
      for (Offset block = load(state_of(heap_, region).free[index]); block != 0;
           block = load(block_at(heap_, block).link)) {
        check(plausible(heap_, block) && region_of(heap_, block) == region &&
                  listed.size() <= free_.size(),
              "a broken free list", block);
        check(floor_class(units_of(block_at(heap_, block))) == index,
              "a block on the free list of another size", block);
        listed.push_back(block);
      }
    }
    check_same(std::move(listed), free_, "a free block that is on no list, or on two");
  }

  void walk_deferred() {
    std::vector<Offset> listed;
    for (Offset block = load(heap_.deferred); block != 0;
         block = load(block_at(heap_, block).link)) {
      check(plausible(heap_, block) && listed.size() <= deferred_.size(),
            "a broken list of blocks to be released", block);
      listed.push_back(block);
    }
    check_same(std::move(listed), deferred_,
               "a block to be released that is on no list, or on two");
  }

  static void check_same(std::vector<Offset> listed, const std::vector<Offset>& found,
                         const char* what) {
    std::sort(listed.begin(), listed.end());
    check(listed == found, what, 0);
  }

  void check_holds_of(Offset owner) {
    HoldId prev = 0;
    for (HoldId hold_id = load(block_at(heap_, owner).first); hold_id != 0;) {
      const Offset place = block_of(heap_, hold_id);
      check(plausible(heap_, place) && place != kRoot, "a broken list of holds", owner);
      const HoldRecord& record = record_at(heap_, hold_id);
      check(load(record.owner) == owner, "a hold on the list of another owner", place);
      check(load(record.prev) == prev, "a list of holds that is not linked well", place);
      const auto target = counted_.find(load(record.target));
      check(target != counted_.end() || load(record.target) == kRoot, "a hold on no block", place);
      if (place != load(record.target)) {
        check(state_of(block_at(heap_, place)) == State::record, "a hold in a wrong place", place);
      }
      ++records_seen_;
      if (target != counted_.end()) ++target->second;
      ++audit_.holds;
      prev = hold_id;
      hold_id = load(record.next);
    }
  }

  Header& heap_;
  Audit audit_;
  std::uint64_t idle_ = 0;
  std::uint64_t records_ = 0;
  std::uint64_t records_seen_ = 0;
  std::uint64_t marked_ = 0;  // blocks of the library's region
  std::vector<Offset> free_;  // of one region, in the order of offsets
  std::vector<Offset> deferred_;
  std::vector<Offset> owners_;  // blocks in use, and those to be released
  std::unordered_map<Offset, Word> counted_;
};

}  // namespace

Audit audit() {
  Header& heap = ensured_header();
  release_deferred(heap);
  const Guard guard(heap);
  return Auditor(heap).run();
}

}  // namespace procession::heap

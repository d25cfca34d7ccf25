#include "heap/transaction.hpp"

#include <cstdlib>

#include "heap/rebuild.hpp"
#include "platform/report.hpp"

namespace procession::heap {
namespace {

void put_back(Word& word, Word value) noexcept {
  testing::step();
  std::atomic_signal_fence(std::memory_order_seq_cst);
  std::atomic_ref<Word>(word).store(value, std::memory_order_release);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  testing::step();
}

}  // namespace

void undo(Header& heap) noexcept {
  for (Word i = load(heap.log_count); i > 0; --i) {
    const LogEntry& entry = heap.log[i - 1];
    put_back(*reinterpret_cast<Word*>(place(heap, load(entry.offset))), load(entry.value));
  }
  put_back(heap.log_count, 0);
}

void Guard::recover(platform::LockResult result) noexcept {
  if (!result.acquired) {
    platform::write_to_stderr("procession: the mutex of the shared heap is beyond repair\n");
    std::abort();
  }
  undo(heap_);
  finish_rebuild(heap_);
  heap_.mutex.make_consistent();
}

}  // namespace procession::heap

// Changes to shared words that happen together or not at all, whatever instruction a SIGKILL hits.
//
// The old value of each word goes into a log in the heap before the new one is stored. To commit is
// to set the number of log entries to 0, with one store. When the mutex tells that its last owner
// died, the next one puts the old values back, last first; doing that twice does no harm, so it may
// die as well.
//
// Only the order in which *this* processor's stores are seen after its process was killed matters,
// and a killed process has made exactly those before the instruction at which it stopped. So it is
// the compiler that must keep the order: hence atomic stores and signal fences.
#pragma once

#include <atomic>
#include <cassert>

#include "heap/layout.hpp"
#include "heap/testing.hpp"

namespace procession::heap {

/// The heap's mutex, held for a scope. Repairs the heap when the previous owner died.
class Guard {
 public:
  explicit Guard(Header& heap) noexcept : heap_(heap) {
    const platform::LockResult result = heap.mutex.lock();
    if (!result.acquired || result.previous_owner_died) [[unlikely]]
      recover(result);
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() { heap_.mutex.unlock(); }

 private:
  void recover(platform::LockResult result) noexcept;

  Header& heap_;
};

/// Undoes what an unfinished transaction did. Under the mutex.
void undo(Header& heap) noexcept;

/// One transaction. Made under the mutex; undone at the end of the scope unless committed.
class Transaction {
 public:
  explicit Transaction(Header& heap) noexcept : heap_(heap) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction() {
    if (count_ != 0) undo(heap_);
  }

  Header& heap() const noexcept { return heap_; }

  /// Stores `value`.
  void set(Word& word, Word value) noexcept {
    assert(count_ < kLogEntries);
    LogEntry& entry = heap_.log[count_];
    store(entry.offset, static_cast<Word>(reinterpret_cast<std::byte*>(&word) -
                                          reinterpret_cast<std::byte*>(&heap_)));
    store(entry.value, load(word));
    store(heap_.log_count, ++count_);
    store(word, value);
  }

  /// Stores `value` into a word that has no meaning before the transaction commits, and none after
  /// it is undone: nothing to remember.
  void prepare(Word& word, Word value) noexcept { store(word, value); }

  void commit() noexcept {
    store(heap_.log_count, 0);
    count_ = 0;
  }

 private:
  static void store(Word& word, Word value) noexcept {
    testing::step();
    std::atomic_signal_fence(std::memory_order_seq_cst);
    std::atomic_ref<Word>(word).store(value, std::memory_order_release);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    testing::step();
  }

  Header& heap_;
  Word count_ = 0;
};

}  // namespace procession::heap

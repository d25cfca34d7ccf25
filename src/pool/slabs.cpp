#include "pool/slabs.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>

#include "platform/prefetch.hpp"

namespace procession::pool {

namespace {

/// A large piece. Each object has before it the address of the piece that it lies in.
struct Slab {
  static constexpr std::size_t kBytes = std::size_t{16} * 1024;

  /// Objects that were not given back; while a thread takes from it, kOpen more.
  std::atomic<std::uint32_t> live;
  alignas(8) std::byte bytes[kBytes - sizeof(std::uint64_t)];

  static constexpr std::uint32_t kOpen = 1U << 31;

  void drop(std::uint32_t count) noexcept {
    if (live.fetch_sub(count, std::memory_order_acq_rel) == count) {
      ::operator delete(this);
    }
  }
};
static_assert(sizeof(Slab) <= Slab::kBytes);

constexpr std::size_t kHeader = sizeof(Slab*);

/// From which a thread takes, and what it has given back to one of late.
class OpenSlab {
 public:
  ~OpenSlab() {
    close();
    drop_returned();
    ended_ = true;  // a later destructor of this thread may take or give back more
  }
  void* take(std::size_t size) {
    const std::size_t whole = whole_of(size);
    if (slab_ == nullptr || used_ + whole > sizeof slab_->bytes) {
      close();
      slab_ = new (::operator new(sizeof(Slab))) Slab;
      slab_->live.store(Slab::kOpen, std::memory_order_relaxed);
    }
    std::byte* const place = slab_->bytes + used_;
    used_ += whole;
    ++taken_;
    // The next atomic operation would wait for every store to memory that is not in the caches.
    platform::prefetch_for_write(slab_->bytes + std::min(used_ + kAhead, sizeof slab_->bytes - 1));
    platform::prefetch_for_write(slab_->bytes +
                                 std::min(used_ + kAhead + 64, sizeof slab_->bytes - 1));
    new (place) Slab*(slab_);
    if (ended_) {
      close();
    }
    return place + kHeader;
  }
  /// Takes back what was taken last, so that the same memory is used again and again where one
  /// object is needed at a time.
  bool take_back(const Slab* slab, const void* memory, std::size_t size) noexcept {
    const std::size_t whole = whole_of(size);
    if (slab != slab_ || memory != slab_->bytes + used_ - whole + kHeader) {
      return false;
    }
    used_ -= whole;
    --taken_;
    return true;
  }
  /// Counts those that are given back one after another to the same piece, so that there is one
  /// atomic operation for all.
  void give_back(Slab* slab) noexcept {
    if (slab != returned_to_) {
      drop_returned();
      returned_to_ = slab;
    }
    ++returned_;
    if (ended_) {
      drop_returned();
    }
  }

 private:
  static constexpr std::size_t kAhead = 512;

  static std::size_t whole_of(std::size_t size) { return kHeader + ((size + 7) & ~std::size_t{7}); }
  /// What is taken is counted here only, until no more is.
  void close() noexcept {
    if (slab_ != nullptr) {
      slab_->drop(Slab::kOpen - taken_);
    }
    slab_ = nullptr;
    used_ = 0;
    taken_ = 0;
  }

  void drop_returned() noexcept {
    if (returned_to_ != nullptr) {
      returned_to_->drop(returned_);
    }
    returned_to_ = nullptr;
    returned_ = 0;
  }

  Slab* slab_ = nullptr;
  Slab* returned_to_ = nullptr;
  std::uint32_t returned_ = 0;
  std::size_t used_ = 0;
  std::uint32_t taken_ = 0;
  bool ended_ = false;
};

thread_local OpenSlab open_slab;

// The sanitizer would not see that an object in a slab is used after it was given back.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kInSlabs = false;
#else
constexpr bool kInSlabs = true;
#endif

}  // namespace

void* take_from_slab(std::size_t size) {
  return kInSlabs ? open_slab.take(size) : ::operator new(size);
}

void give_back_to_slab(void* memory, std::size_t size) noexcept {
  if constexpr (!kInSlabs) {
    ::operator delete(memory);
    return;
  }
  Slab* slab = nullptr;
  std::memcpy(&slab, static_cast<std::byte*>(memory) - kHeader, kHeader);
  if (!open_slab.take_back(slab, memory, size)) {
    open_slab.give_back(slab);
  }
}

}  // namespace procession::pool

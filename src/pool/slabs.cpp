#include "pool/slabs.hpp"

#include <atomic>
#include <cstdint>
#include <new>

namespace procession::pool {

namespace {

/// A large piece. Each object has before it the address of the piece that it lies in.
struct Slab {
  static constexpr std::size_t kBytes = std::size_t{16} * 1024;

  /// Objects that were not given back; while a thread takes from it, kOpen more.
  std::atomic<std::uint32_t> live;
  std::byte bytes[kBytes - sizeof(std::uint64_t)];

  static constexpr std::uint32_t kOpen = 1U << 31;

  void drop(std::uint32_t count) noexcept {
    if (live.fetch_sub(count, std::memory_order_acq_rel) == count) {
      ::operator delete(this);
    }
  }
};
static_assert(sizeof(Slab) <= Slab::kBytes);

/// From which a thread takes.
class OpenSlab {
 public:
  ~OpenSlab() {
    close();
    ended_ = true;  // a later destructor of this thread may take more
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
    new (place) Slab*(slab_);
    if (ended_) {
      close();
    }
    return place + sizeof(Slab*);
  }
  /// Takes back what was taken last, so that the same memory is used again and again where one
  /// object is needed at a time.
  bool take_back(const Slab* slab, const void* memory, std::size_t size) noexcept {
    const std::size_t whole = whole_of(size);
    if (slab != slab_ || memory != slab_->bytes + used_ - whole + sizeof(Slab*)) {
      return false;
    }
    used_ -= whole;
    --taken_;
    return true;
  }

 private:
  static std::size_t whole_of(std::size_t size) {
    return sizeof(Slab*) + ((size + 7) & ~std::size_t{7});
  }
  /// What is taken is counted here only, until no more is.
  void close() noexcept {
    if (slab_ != nullptr) {
      slab_->drop(Slab::kOpen - taken_);
    }
    slab_ = nullptr;
    used_ = 0;
    taken_ = 0;
  }

  Slab* slab_ = nullptr;
  std::size_t used_ = 0;
  std::uint32_t taken_ = 0;
  bool ended_ = false;
};

thread_local OpenSlab open_slab;

}  // namespace

void* take_from_slab(std::size_t size) { return open_slab.take(size); }

void give_back_to_slab(void* memory, std::size_t size) noexcept {
  Slab* slab = nullptr;
  __builtin_memcpy(&slab, static_cast<std::byte*>(memory) - sizeof slab, sizeof slab);
  if (!open_slab.take_back(slab, memory, size)) {
    slab->drop(1);
  }
}

}  // namespace procession::pool

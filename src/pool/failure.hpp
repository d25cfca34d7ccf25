#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <utility>

#include "procession/error.hpp"

namespace procession::detail {

/// Why a task failed: an exception of the library's own, or the bytes of one that a worker has
/// sent. Those become an exception when somebody asks for it, and nobody before: that runs code of
/// the user's, constructors and `decode` functions, which may call the pool. So it is never done
/// with a mutex of the library. Copies share what was decoded. Thread-safe.
class Failure {
 public:
  /// None.
  Failure() noexcept = default;
  Failure(std::exception_ptr cause);  // NOLINT(*-explicit-*): it is one
  /// What encode_exception() wrote, copied, and where it came from. What is attached to the bytes
  /// lives in `block` of the shared heap, 0: nothing is; it is held as long as this. Throws
  /// OutOfMemory.
  Failure(std::span<const std::byte> bytes, const RemoteOrigin& origin, std::uint64_t block = 0);

  Failure(const Failure& other) noexcept : state_(other.state_) {
    if (state_ != nullptr) share();
  }
  Failure(Failure&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  Failure& operator=(Failure other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~Failure() {
    if (state_ != nullptr) let_go();
  }

  explicit operator bool() const noexcept { return state_ != nullptr; }

  /// The exception; null: there is none. What cannot be decoded is a DecodeError.
  [[nodiscard]] std::exception_ptr get() const;
  [[noreturn]] void rethrow() const { std::rethrow_exception(get()); }
  /// The same with `guard`, under which alone this object may be looked at, unlocked before.
  template <class Guard>
  [[noreturn]] void rethrow_unlocked(Guard& guard) const {
    Failure kept;
    kept = *this;
    guard.unlock();
    kept.rethrow();
  }

  /// In the child of a fork: the block is the parent's, who gives it back.
  void disown() const noexcept;

 private:
  struct State;

  void share() const noexcept;
  void let_go() noexcept;

  /// One pointer, since each of millions of calls has room for it.
  State* state_ = nullptr;
};

}  // namespace procession::detail

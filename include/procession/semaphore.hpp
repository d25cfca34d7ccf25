#pragma once

#include <cstdint>

#include "procession/codec.hpp"
#include "procession/detail/handle.hpp"
#include "procession/timeout.hpp"

namespace procession {

namespace detail {

/// What the two semaphores have in common. A handle.
class SemaphoreHandle {
 public:
  /// Waits until there is a permit and takes it.
  void acquire() const;
  /// Takes a permit if there is one; whether it did.
  [[nodiscard]] bool try_acquire() const;
  /// Waits so long at most; whether it got one.
  [[nodiscard]] bool try_acquire_for(Timeout timeout) const;
  /// Gives `n` permits. Throws `ProcessError` when there would be more than a BoundedSemaphore was
  /// made with, or more than 4,294,967,295; `std::invalid_argument` for less than 1.
  void release(std::int64_t n = 1) const;
  /// How many permits there are at this moment.
  [[nodiscard]] std::uint32_t value() const;

 protected:
  SemaphoreHandle(std::int64_t value, bool bounded);
  void decode(Decoder& decoder, bool bounded);

  Handle handle_;
};

}  // namespace detail

/// A number of permits that processes take and give. A permit has no owner: what a killed process
/// had taken is not given back, so where that matters use a Lock. A handle; every member may be
/// called from any thread of any process. Python: `multiprocessing.Semaphore`.
class Semaphore : public detail::SemaphoreHandle {
 public:
  /// With so many permits. Throws `std::invalid_argument` for a negative number and for more than
  /// 4,294,967,295; `OutOfMemory`.
  explicit Semaphore(std::int64_t value = 1) : SemaphoreHandle(value, false) {}

  /// Sends the handle.
  friend void encode(Encoder& encoder, const Semaphore& semaphore) {
    semaphore.handle_.encode(encoder, "a Semaphore");
  }
  /// Receives it.
  friend void decode(Decoder& decoder, Semaphore& semaphore) {
    semaphore.SemaphoreHandle::decode(decoder, false);
  }
};

/// The same, which refuses more permits than it was made with. Python:
/// `multiprocessing.BoundedSemaphore`.
class BoundedSemaphore : public detail::SemaphoreHandle {
 public:
  /// With so many permits. Throws as that of Semaphore.
  explicit BoundedSemaphore(std::int64_t value = 1) : SemaphoreHandle(value, true) {}

  /// Sends the handle.
  friend void encode(Encoder& encoder, const BoundedSemaphore& semaphore) {
    semaphore.handle_.encode(encoder, "a BoundedSemaphore");
  }
  /// Receives it.
  friend void decode(Decoder& decoder, BoundedSemaphore& semaphore) {
    semaphore.SemaphoreHandle::decode(decoder, true);
  }
};

template <>
inline constexpr bool detail::kIsHandle<Semaphore> = true;
template <>
inline constexpr bool detail::kIsHandle<BoundedSemaphore> = true;

}  // namespace procession

#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <ratio>

#include "procession/detail/requirements.hpp"

namespace procession {

class Decoder;
class Encoder;

/// The unit of every length of time in this library: nanoseconds.
using Duration = std::chrono::nanoseconds;

/// How long a call may wait. Empty, which is the default, waits for ever; zero does not wait, but
/// polls. Any length of time makes one, also of floating point: `500ms`, `0.5s`. What is too long
/// to be counted in nanoseconds, some 292 years, waits for ever: `hours::max()`, infinity. A
/// negative one polls. Measured against the monotonic clock. A value; can be sent. Python:
/// `timeout=None`, `timeout=0`, `timeout=0.5`.
class Timeout {
 public:
  /// Waits for ever.
  constexpr Timeout() noexcept = default;
  /// The same.
  constexpr Timeout(std::nullopt_t) noexcept {}  // NOLINT(*-explicit-*): as std::optional

  /// Waits for `time`, rounded down to nanoseconds, but no less than one of them where `time` is
  /// positive. Throws `std::invalid_argument` for one that is not a number.
  template <class Rep, class Period>
    requires std::floating_point<Rep>
  constexpr Timeout(std::chrono::duration<Rep, Period> time)  // NOLINT(*-explicit-*)
      : time_(from_real(static_cast<long double>(time.count()) * kNanoseconds<Period>)) {}
  /// The same of a whole number of any unit.
  template <class Rep, class Period>
    requires std::integral<Rep>
  constexpr Timeout(std::chrono::duration<Rep, Period> time)  // NOLINT(*-explicit-*)
      : time_(from_whole<Period>(time.count())) {}
  /// The length that is there; where none is, waits for ever.
  template <class Rep, class Period>
  constexpr Timeout(const std::optional<std::chrono::duration<Rep, Period>>& time)  // NOLINT
      : Timeout(time ? Timeout(*time) : Timeout()) {}

  /// Whether there is a length: false when it waits for ever.
  [[nodiscard]] constexpr bool has_value() const noexcept { return time_.has_value(); }
  /// The same.
  constexpr explicit operator bool() const noexcept { return time_.has_value(); }
  /// The length, never negative. There must be one.
  constexpr const Duration& operator*() const noexcept { return *time_; }
  /// Members of the length. There must be one.
  constexpr const Duration* operator->() const noexcept { return &*time_; }
  /// The length. Throws `std::bad_optional_access` when it waits for ever.
  [[nodiscard]] constexpr const Duration& value() const { return time_.value(); }
  /// The length, or `other` when it waits for ever.
  [[nodiscard]] constexpr Duration value_or(Duration other) const noexcept {
    return time_.value_or(other);
  }

  /// Whether both wait equally long.
  friend constexpr bool operator==(const Timeout&, const Timeout&) noexcept = default;

  /// Sends it.
  friend void encode(Encoder& encoder, const Timeout& timeout);
  /// Receives it.
  friend void decode(Decoder& decoder, Timeout& timeout);

 private:
  template <class Period>
  static constexpr long double kNanoseconds =
      static_cast<long double>(Period::num) / static_cast<long double>(Period::den) * 1e9L;

  /// So many seconds can be counted in nanoseconds.
  static constexpr std::intmax_t kSecondsInAll =
      std::chrono::duration_cast<std::chrono::seconds>(Duration::max()).count();

  /// Throws std::invalid_argument; apart, so that its text is not compiled everywhere.
  [[noreturn]] static void refuse_no_number();

  static constexpr std::optional<Duration> from_real(long double nanoseconds) {
    if (nanoseconds != nanoseconds) refuse_no_number();
    if (nanoseconds <= 0) return Duration::zero();
    if (nanoseconds >= 9223372036854775807.0L) return std::nullopt;
    const Duration whole(static_cast<Duration::rep>(nanoseconds));
    return whole == Duration::zero() ? Duration(1) : whole;
  }

  template <class Period, class Rep>
  static constexpr std::optional<Duration> from_whole(Rep count) {
    if (count <= 0) return Duration::zero();
    const auto many = static_cast<std::uintmax_t>(count);
    if constexpr (Period::den == 1 ? Period::num <= kSecondsInAll
                                   : Duration::period::den % Period::den == 0 &&
                                         Period::num <= kSecondsInAll / Duration::period::den) {
      constexpr auto kFactor =
          static_cast<std::uintmax_t>(Period::num * (Duration::period::den / Period::den));
      if (many > static_cast<std::uintmax_t>(Duration::max().count()) / kFactor)
        return std::nullopt;
      return Duration(static_cast<Duration::rep>(many * kFactor));
    } else {
      return from_real(static_cast<long double>(many) * kNanoseconds<Period>);
    }
  }

  std::optional<Duration> time_;
};

}  // namespace procession

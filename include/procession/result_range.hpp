#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "procession/detail/stream_core.hpp"
#include "procession/error.hpp"
#include "procession/timeout.hpp"

namespace procession {

namespace detail {
class PoolMembers;
}

/// The results of a function for the elements of a range, one after another while they are made:
/// what `Pool::imap` and `Pool::imap_unordered` return.
///
///     for (const Picture& picture : pool.imap(scale, files)) show(picture);
///
/// The elements are taken from their range by the thread that asks for results, in `next()` and
/// `begin()` and `++`, and no further ahead than `MapOptions::buffersize` of them: the range may be
/// infinite, and memory does not grow with it. A range that was passed as an lvalue has to live as
/// long as this object.
///
/// An exception of an element is thrown at that element's turn, and the next call goes on behind
/// it. One that is thrown by the range, or while an element is encoded, comes when all before it
/// have been had, and is the end. From a pool that is closed the results go on; once it was joined,
/// those of the elements that had been taken by then can still be had, and then `ProcessError` is
/// thrown. Terminated, it throws `Cancelled` for each element that was taken from the range and had
/// not ended, once more if the range may have others, and has no next one then; likewise where the
/// pool cannot go on for another reason.
///
/// Movable, not copyable. Destruction waits for nothing: what runs ends unheard, what waits is
/// dropped. One thread at a time may use it. Python: the iterator that `Pool.imap` returns, whose
/// look-ahead has no bound.
template <class R>
class ResultRange {
 public:
  /// What the iterator gives: the results, and `std::monostate` of functions without any.
  using value_type = std::conditional_t<std::is_void_v<R>, std::monostate, R>;

  ResultRange(ResultRange&& other) noexcept = default;
  /// Lets go what this object named before.
  ResultRange& operator=(ResultRange&& other) noexcept {
    ResultRange ended(std::move(*this));
    stream_ = std::move(other.stream_);
    current_ = std::move(other.current_);
    return *this;
  }
  ~ResultRange() { detail::end_stream(stream_); }

  /// Waits for the next result. Throws what the call threw, `StopIteration` when there is no next
  /// one, and `TimeoutError` when the time-out passes first; the next call then waits for the same
  /// one. `WorkerLost` and others as `AsyncResult::get`. The time that the range takes to give
  /// elements is not limited.
  R next(Timeout timeout = {}) {
    Decoder* const decoder = detail::next_result(stream_, timeout);
    if (decoder == nullptr) {
      detail::throw_stop_iteration();
    }
    if constexpr (!std::is_void_v<R>) {
      return read(*decoder);
    }
  }

  /// Goes through the results once; each `++` is a `next()`.
  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;        ///< read once, in order
    using difference_type = std::ptrdiff_t;                  ///< as every iterator has one
    using value_type = typename ResultRange<R>::value_type;  ///< a result

    /// The result, which may be moved from. Valid until the next `++`.
    value_type& operator*() const { return *range_->current_; }
    /// The next result. Throws as `next()` does.
    iterator& operator++() {
      range_->advance();
      return *this;
    }
    /// The same.
    void operator++(int) { ++*this; }
    /// Whether there are no more.
    bool operator==(std::default_sentinel_t /*end*/) const { return !range_->current_; }

   private:
    friend class ResultRange;
    explicit iterator(ResultRange* range) : range_(range) {}
    ResultRange* range_;
  };

  /// Waits for the next result. After an exception it may be called again, for the elements behind.
  iterator begin() {
    advance();
    return iterator(this);
  }
  /// Where there are no more.
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

 private:
  friend class detail::PoolMembers;
  explicit ResultRange(detail::StreamPtr stream) : stream_(std::move(stream)) {}

  value_type read(Decoder& decoder) {
    if constexpr (std::is_void_v<R>) {
      return {};
    } else {
      try {
        return detail::decode_stored<R>(decoder);
      } catch (...) {
        detail::spoil_results(stream_, std::current_exception());
        throw;
      }
    }
  }

  void advance() {
    current_.reset();
    if (Decoder* const decoder = detail::next_result(stream_, {})) {
      current_.emplace(read(*decoder));
    }
  }

  detail::StreamPtr stream_;
  std::optional<value_type> current_;
};

}  // namespace procession

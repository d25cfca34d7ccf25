#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>

#include "procession/detail/elements.hpp"
#include "procession/detail/pool_core.hpp"

/// What the templates of result_range.hpp need of the compiled pool floor.
namespace procession::detail {

class Stream;
using StreamPtr = std::shared_ptr<Stream>;

/// Where the elements of a stream come from.
class StreamSource {
 public:
  StreamSource() = default;
  StreamSource(const StreamSource&) = delete;
  StreamSource& operator=(const StreamSource&) = delete;
  virtual ~StreamSource() = default;

  /// Encodes the next elements, `most` of them or fewer at the end of the range, and counts them in
  /// `count`. What the range throws, or the encoding of an element, passes through; the elements
  /// before it count.
  virtual void pull(TaskBuilder& items, std::size_t most, std::size_t& count) = 0;
};

/// A range, of which the next element is asked for only when it is wanted.
template <class How, std::ranges::input_range View>
class StreamSourceOf final : public StreamSource {
 public:
  explicit StreamSourceOf(View view) : view_(std::move(view)) {}

  void pull(TaskBuilder& items, std::size_t most, std::size_t& count) override {
    for (; count < most; ++count) {
      if (!at_) {
        at_.emplace(std::ranges::begin(view_));
      } else {
        ++*at_;
      }
      if (*at_ == std::ranges::end(view_)) {
        return;
      }
      How::encode(items, **at_);
    }
  }

 private:
  View view_;
  std::optional<std::ranges::iterator_t<View>> at_;
};

/// Of a range that lasts: a view is kept, of another rvalue the elements, of an lvalue its place.
template <class How, class Range>
std::unique_ptr<StreamSource> stream_source(Range&& range) {
  if constexpr (std::ranges::viewable_range<Range>) {
    return std::make_unique<StreamSourceOf<How, std::views::all_t<Range>>>(
        std::views::all(std::forward<Range>(range)));
  } else {
    using View = std::ranges::ref_view<std::remove_reference_t<Range>>;
    return std::make_unique<StreamSourceOf<How, View>>(View(range));
  }
}

struct StreamSettings {
  bool ordered = true;
  std::size_t chunksize = 0;   ///< 0: 1
  std::size_t buffersize = 0;  ///< 0: chosen
  std::optional<std::size_t> total;
  JobSettings job;
};

/// `call` is one of EachCall::encode_for_outcomes().
StreamPtr open_stream(const PoolPtr& pool, TaskBuilder& call, std::unique_ptr<StreamSource> source,
                      StreamSettings settings);
/// The next element's result, to be read from there; null at the end. Throws what ended in its
/// place, and `TimeoutError`.
Decoder* next_result(const StreamPtr& stream, Timeout timeout);
/// The result could not be read, and with it those behind it in the same bytes.
void spoil_results(const StreamPtr& stream, std::exception_ptr cause);
[[noreturn]] void throw_stop_iteration();
/// What ~ResultRange does. Null: nothing.
void end_stream(StreamPtr& stream) noexcept;

}  // namespace procession::detail

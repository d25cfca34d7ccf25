#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>

#include "procession/detail/call.hpp"

/// What runs in a worker: the functions that templates make for each kind of task.
namespace procession::detail {

/// A task as its function sees it: which elements to run and where their results go.
struct TaskRun {
  /// Bits of `progress` that count elements; the rest counts bytes.
  static constexpr unsigned kCountBits = 24;

  Encoder& out;
  std::atomic<std::uint64_t>& progress;  ///< of the shared slot
  std::size_t skip;                      ///< elements in front that are not to be run
  std::size_t count;                     ///< elements to run after those
  std::size_t done = 0;

  /// The result that was written last is complete. One store: whatever ends this process, what was
  /// finished counts.
  void finished_one() {
    ++done;
    progress.store(static_cast<std::uint64_t>(out.size()) << kCountBits | done,
                   std::memory_order_release);
  }
};

/// `call` holds the function, `items` the elements; for a single task both are the same decoder.
using TaskEntry = void(Decoder& call, Decoder& items, TaskRun& run);

template <class F, class... T>
void run_one(Call<F, T...>& call, TaskRun& run) {
  if constexpr (std::is_void_v<CallResult<F, T...>>) {
    call();
  } else {
    encode_argument(run.out, call());
  }
  run.finished_one();
}

/// One call with its own arguments.
template <class F, class... T>
void run_single(Decoder& call, Decoder& /*items*/, TaskRun& run) {
  Call<F, T...> decoded = decode_call<F, T...>(call);
  run_one(decoded, run);
}

/// One call for each element.
template <class F, class T>
void run_each(Decoder& call, Decoder& items, TaskRun& run) {
  F target = decode_stored<F>(call);
  for (std::size_t i = 0; i < run.skip; ++i) {
    static_cast<void>(decode_stored<T>(items));
  }
  for (std::size_t i = 0; i < run.count; ++i) {
    std::tuple<T> arguments{decode_stored<T>(items)};
    if constexpr (std::is_void_v<CallResult<F, T>>) {
      invoke_stored(target, arguments);
    } else {
      encode_argument(run.out, invoke_stored(target, arguments));
    }
    run.finished_one();
  }
}

}  // namespace procession::detail

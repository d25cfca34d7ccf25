#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <tuple>
#include <type_traits>

#include "procession/detail/call.hpp"
#include "procession/detail/kept_target.hpp"

/// What runs in a worker: the functions that templates make for each kind of task.
namespace procession::detail {

/// A task as its function sees it: which elements to run and where their results go. When an
/// element throws, those behind it run all the same, but their results are of no use any more.
struct TaskRun {
  /// Bits of `progress` that count elements; the rest counts bytes, but for the last bit: an
  /// element has thrown, and its exception is behind those bytes.
  static constexpr unsigned kCountBits = 24;
  static constexpr std::uint64_t kThrew = std::uint64_t{1} << 63;
  static constexpr const char* kHoldsNothing = nullptr;
  static constexpr std::atomic<std::uint64_t> kNoMark{0};

  Encoder& out;
  std::atomic<std::uint64_t>& progress;  ///< of the shared slot
  std::size_t skip;                      ///< elements in front that are not to be run
  std::size_t count;                     ///< elements to run after those
  /// Keeps the exception that is being handled as that of element `done`.
  void (*keep_exception)(TaskRun& run);
  /// Puts it in the place of the result of element `done`, as that element's outcome.
  void (*exception_for_result)(TaskRun& run);
  /// Of a task with a time-out: called before an element runs and when it has. Null: it has none.
  void (*start_clock)(TaskRun& run) = nullptr;
  void (*stop_clock)(TaskRun& run) = nullptr;
  /// What an element printed is to be out before it counts: `write_out` is called while the two
  /// places hold different addresses, as they do while some of it is still held in this process.
  const char* const* held_begin = &kHoldsNothing;
  const char* const* held_end = &kHoldsNothing;
  void (*write_out)() noexcept = nullptr;
  /// Where the job's function stays for the next task of the job, if it may. Null: it does not.
  std::unique_ptr<KeptTarget>* kept = nullptr;
  /// Of a task that is measured: nanoseconds of a clock. Null: it is not.
  std::uint64_t (*now)() = nullptr;
  std::uint64_t decoding = 0;        ///< nanoseconds that it took to decode the function
  std::uint64_t decoding_again = 0;  ///< those of them that it takes for each task of the job
  /// A copy of this process that comes out of an element, which has called fork(), must not write
  /// what the original shares: it has another mark, and ends by `end_copy`.
  const std::atomic<std::uint64_t>* mark = &kNoMark;
  std::uint64_t original = 0;
  void (*end_copy)() noexcept = nullptr;
  std::size_t done = 0;
  bool failed = false;

  /// To be called after each call of the user's, whether it has returned or thrown.
  void end_copies() const noexcept {
    if (mark->load(std::memory_order_relaxed) != original) [[unlikely]] {
      end_copy();
    }
  }

  /// An element is about to run.
  void begin_one() {
    if (start_clock != nullptr) {
      start_clock(*this);
    }
  }

  /// An element has thrown.
  void failed_one() {
    end_copies();
    if (!failed) {
      keep_exception(*this);
      failed = true;
    }
  }

  /// The result that was written last is complete. One store: whatever ends this process, what was
  /// finished counts.
  void finished_one() {
    end_copies();  // it may be the encoding that made one
    if (*held_begin != *held_end) {
      write_out();  // on the element's time: there may be no room
    }
    if (stop_clock != nullptr) {
      stop_clock(*this);
    }
    ++done;
    const std::uint64_t before = progress.load(std::memory_order_relaxed);
    progress.store(failed ? (before + 1) | kThrew
                          : static_cast<std::uint64_t>(out.size()) << kCountBits | done,
                   std::memory_order_release);
  }
};

/// `call` holds the function, `items` the elements; for a single task both are the same decoder.
using TaskEntry = void(Decoder& call, Decoder& items, TaskRun& run);

/// Writes a result behind those that are there, unless a copy has come out of the call.
template <class R>
void write_result(TaskRun& run, const R& result) {
  run.end_copies();
  encode_argument(run.out, result);
}

template <class F, class... T>
void run_one(Call<F, T...>& call, TaskRun& run) {
  run.begin_one();
  if constexpr (std::is_void_v<CallResult<F, T...>>) {
    call();
  } else {
    write_result(run, call());
  }
  run.finished_one();
}

/// One call with its own arguments.
template <class F, class... T>
void run_single(Decoder& call, Decoder& /*items*/, TaskRun& run) {
  Call<F, T...> decoded = decode_call<F, T...>(call);
  run_one(decoded, run);
}

/// One call for each of `count` elements.
template <class F, class... T>
void run_elements(F& target, Decoder& items, TaskRun& run, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    std::tuple<T...> arguments{decode_stored<T>(items)...};
    run.begin_one();
    try {
      if constexpr (std::is_void_v<CallResult<F, T...>>) {
        invoke_stored(target, arguments);
      } else if (run.failed) {
        static_cast<void>(invoke_stored(target, arguments));
      } else {
        write_result(run, invoke_stored(target, arguments));
      }
    } catch (...) {
      run.failed_one();
    }
    run.finished_one();
  }
}

/// Whether elements and results are copied as they lie in memory.
template <class F, class... T>
inline constexpr bool kRunsBitwise =
    sizeof...(T) != 0 && ((kBitwise<T> && std::is_default_constructible_v<T>) && ...) &&
    kBitwise<std::decay_t<CallResult<F, T...>>>;

/// Copies a value out of bytes, and goes on behind it.
template <class T>
T load_next(const std::byte*& from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  from += sizeof(value);
  return value;
}

/// The same as run_elements() of elements that are not timed, several times as fast where calls are
/// short: what goes on in encoder, decoder and run is kept in registers.
template <class F, class... T>
  requires kRunsBitwise<F, T...>
void run_bitwise(F& target, Decoder& items, TaskRun& run) {
  using R = std::decay_t<CallResult<F, T...>>;
  constexpr std::size_t kBlock = 1024;
  constexpr std::size_t kEach = (sizeof(T) + ...);
  for (std::size_t left = run.count; left != 0;) {
    const std::size_t count = std::min(left, kBlock);
    std::byte* to = nullptr;
    try {
      to = run.failed ? nullptr : run.out.extend(count * sizeof(R));
    } catch (...) {
      // Some of these may have room for their results; the first that has none says so.
    }
    if (to == nullptr) {
      run_elements<F, T...>(target, items, run, left);
      return;
    }
    const std::span<const std::byte> bytes = items.take(count * kEach);
    const std::byte* from = bytes.data();
    std::uint64_t word = run.progress.load(std::memory_order_relaxed);
    const char* const* const held_begin = run.held_begin;
    const char* const* const held_end = run.held_end;
    const std::atomic<std::uint64_t>& mark = *run.mark;
    const std::uint64_t original = run.original;
    std::size_t done = 0;
    try {
      for (; done < count; ++done) {
        std::tuple<T...> arguments{load_next<T>(from)...};
        const R result = invoke_stored(target, arguments);
        if (mark.load(std::memory_order_relaxed) != original) [[unlikely]] {
          run.end_copy();
        }
        std::memcpy(to, &result, sizeof(R));
        to += sizeof(R);
        if (*held_begin != *held_end) {
          run.write_out();
        }
        word += (std::uint64_t{sizeof(R)} << TaskRun::kCountBits) + 1;
        run.progress.store(word, std::memory_order_release);
      }
      run.done += done;
    } catch (...) {
      run.done += done;
      run.failed_one();
      run.finished_one();
      Decoder rest(bytes.subspan((done + 1) * kEach));
      run_elements<F, T...>(target, rest, run, count - done - 1);
    }
    left -= count;
  }
}

/// Measures, to the end of the scope, how long it takes to decode the function: that is none of the
/// elements' time.
class DecodingTime {
 public:
  explicit DecodingTime(TaskRun& run) : run_(run), began_(run.now != nullptr ? run.now() : 0) {}
  DecodingTime(const DecodingTime&) = delete;
  DecodingTime& operator=(const DecodingTime&) = delete;
  ~DecodingTime() {
    if (run_.now != nullptr) {
      const std::uint64_t passed = run_.now() - began_;
      run_.decoding += passed;
      run_.decoding_again += passed;
    }
  }

 private:
  TaskRun& run_;
  const std::uint64_t began_;
};

/// Calls `use` with the job's function: the one that was kept, or one that is decoded now, and kept
/// where calls do not change it.
template <class F, class... T, class Use>
void with_target(Decoder& call, TaskRun& run, const Use& use) {
  // So large a closure, or the address of a function, is copied, so that it may stay in registers:
  // to load it for each call took a fifth of the time of a map over a million ints.
  constexpr std::size_t kCopied = 64;
  if constexpr (kCalledThroughConst<F, T...>) {
    if (run.kept != nullptr) {
      std::unique_ptr<KeptTarget> fresh;
      KeptTarget* target = run.kept->get();
      if (target == nullptr) {
        {
          const DecodingTime time(run);
          fresh = std::make_unique<KeptTargetOf<F>>(call);
        }
        target = fresh.get();
        if (is_unchanged_by_calls(static_cast<KeptTargetOf<F>*>(target)->target)) {
          *run.kept = std::move(fresh);
          run.decoding_again = 0;
        }
      }
      const F& found = static_cast<KeptTargetOf<F>*>(target)->target;
      if constexpr (PlainCallable<F> && sizeof(F) <= kCopied) {
        F copy = found;
        use(copy);
      } else {
        use(found);
      }
      return;
    }
  }
  F target = [&]() -> F {
    const DecodingTime time(run);
    return decode_target<F>(call);
  }();
  use(target);
}

/// Reads over the elements in front.
template <class... T>
void skip_elements(Decoder& items, const TaskRun& run) {
  for (std::size_t i = 0; i < run.skip; ++i) {
    static_cast<void>(std::tuple<T...>{decode_stored<T>(items)...});
  }
}

/// One call for each element.
template <class F, class... T>
void run_each(Decoder& call, Decoder& items, TaskRun& run) {
  with_target<F, T...>(call, run, [&]<class Target>(Target& target) {
    skip_elements<T...>(items, run);
    if constexpr (kRunsBitwise<Target, T...>) {
      constexpr std::size_t kWorthIt = 4;
      if (run.start_clock == nullptr && run.count >= kWorthIt) {
        run_bitwise<Target, T...>(target, items, run);
        return;
      }
    }
    run_elements<Target, T...>(target, items, run, run.count);
  });
}

/// What precedes each result of run_outcomes(): an exception follows, or the result.
enum class OutcomeKind : std::uint8_t { result, exception };

/// One call for each element, whose outcomes are told apart: one that throws does not spoil those
/// behind it.
template <class F, class... T>
void run_outcomes(Decoder& call, Decoder& items, TaskRun& run) {
  with_target<F, T...>(call, run, [&](auto& target) {
    skip_elements<T...>(items, run);
    for (std::size_t i = 0; i < run.count; ++i) {
      std::tuple<T...> arguments{decode_stored<T>(items)...};
      run.begin_one();
      try {
        encode(run.out, OutcomeKind::result);
        if constexpr (std::is_void_v<CallResult<F, T...>>) {
          invoke_stored(target, arguments);
        } else {
          write_result(run, invoke_stored(target, arguments));
        }
      } catch (...) {
        run.end_copies();
        run.exception_for_result(run);
      }
      run.finished_one();
    }
  });
}

}  // namespace procession::detail

// A task of a pool, encoded, decoded and run in one process.
#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>

#include "procession/callable.hpp"
#include "procession/detail/task_run.hpp"

namespace procession {

template <class F, class... Args>
void encode_task(Encoder& encoder, const F& f, const Args&... args) {
  static_assert(detail::check_task<const F&, const Args&...>());
  detail::encode_entry<&detail::run_single<std::decay_t<const F&>, detail::Kept<const Args&>...>>(
      encoder);
  detail::encode_call(encoder, f, args...);
}

/// Returns what arrives of the result; an exception passes through.
template <class F, class... Args>
auto call_as_task(const F& f, const Args&... args) {
  BufferEncoder task;
  encode_task(task, f, args...);
  BufferEncoder result;
  std::atomic<std::uint64_t> progress = 0;
  detail::TaskRun run{result, progress, 0, 1, nullptr, nullptr};
  Decoder in(task.bytes());
  detail::decode_entry<detail::TaskEntry>(in)(in, in, run);
  in.expect_end();
  Decoder out(result.bytes());
  using Result = detail::TaskResult<const F&, const Args&...>;
  if constexpr (std::is_void_v<Result>) {
    out.expect_end();
  } else {
    Result value = detail::decode_stored<Result>(out);
    out.expect_end();
    return value;
  }
}

inline int add(int a, int b) { return a + b; }

}  // namespace procession

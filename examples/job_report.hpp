// What the larger examples have in common: how long something took, what the pool was worth, and
// arguments that are numbers.

#pragma once

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string_view>
#include <system_error>

namespace job {

/// Runs it and gives its result; `seconds` is how long that took.
template <class F>
auto timed(double& seconds, F work) {
  const auto start = std::chrono::steady_clock::now();
  auto result = work();
  seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

/// Prints the times of the pool and of its serial twin; returns what the program is to return.
inline int report(std::size_t processes, double parallel, double serial, bool same) {
  std::printf("%zu processes: %.2f s\nserial: %.2f s\nspeed-up: %.2f\nsame answer: %s\n", processes,
              parallel, serial, serial / parallel, same ? "yes" : "NO");
  return same ? 0 : 1;
}

/// Whether the text is a number from 1 to `most`, which is put into `number`.
inline bool read_number(std::string_view text, std::size_t most, std::size_t& number) {
  std::size_t found = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), found);
  if (error != std::errc() || end != text.data() + text.size() || found < 1 || found > most) {
    return false;
  }
  number = found;
  return true;
}

}  // namespace job

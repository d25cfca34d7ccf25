#pragma once

#include <csetjmp>
#include <csignal>
#include <cstddef>
#include <cstdint>

/// A process that writes where it should not.
namespace scribbler {

inline sigjmp_buf turning_point;

/// Fills memory with random bytes, word by word, from there on in that direction, until it ends.
[[noreturn]] inline void run_on(volatile std::uint64_t* from, std::ptrdiff_t step,
                                std::uint64_t random) {
  for (;; from += step) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    *from = random;
  }
}

/// The same in both directions, until this process dies of it.
[[noreturn]] inline void scribble(const void* from, std::uint64_t seed) {
  // The words that `from` lies between are overwritten too.
  auto* const middle = reinterpret_cast<volatile std::uint64_t*>(
      reinterpret_cast<std::uintptr_t>(from) / alignof(std::uint64_t) * alignof(std::uint64_t));
  const std::uint64_t random = seed * 2 + 1;
  for (const int signal : {SIGSEGV, SIGBUS})
    std::signal(signal, [](int) { siglongjmp(turning_point, 1); });
  if (sigsetjmp(turning_point, 1) == 0) run_on(middle, (random & 2) != 0 ? 1 : -1, random);
  for (const int signal : {SIGSEGV, SIGBUS})
    std::signal(signal, SIG_DFL);
  run_on(middle, (random & 2) != 0 ? -1 : 1, random);
}

}  // namespace scribbler

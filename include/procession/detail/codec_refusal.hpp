#pragma once

#include <cstddef>

#include "procession/detail/codec_traits.hpp"

namespace procession {

/// A sentence that compilers print in an error.
template <std::size_t N>
struct because {
  char text[N];
  constexpr because(const char (&sentence)[N]) {  // NOLINT: implicit on purpose
    for (std::size_t i = 0; i != N; ++i) {
      text[i] = sentence[i];
    }
  }
};

/// Never defined: its use is an error, and the compiler's line names both the type and what to do about it.
template <class Type, because Reason>
struct cannot_be_sent;

}  // namespace procession

namespace procession::detail {

/// Stops the compilation with one line.
template <class T>
constexpr void refuse() {
  (void)sizeof(cannot_be_sent<T, "give it functions encode(procession::Encoder&, const T&) and "
                                 "decode(procession::Decoder&, T&) in its own namespace">);
}

}  // namespace procession::detail

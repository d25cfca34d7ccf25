#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "platform/descriptor.hpp"

namespace procession::platform {

struct Pipe {
  Descriptor out;  ///< what is written in at the other end comes out here; reading never blocks
  Descriptor in;
};

/// Throws `ProcessError`.
Pipe make_pipe();

/// What is in the pipe now, at most 64 KiB of it; empty when nobody can write into it any more.
/// "" when there is nothing.
std::optional<std::string> read_pipe(const Descriptor& out);

/// Which pipe a descriptor is an end of.
struct PipeName {
  std::uint64_t device = 0;
  std::uint64_t number = 0;

  friend bool operator==(const PipeName&, const PipeName&) = default;
};
/// Empty where it is no end of a pipe.
std::optional<PipeName> pipe_of(int descriptor) noexcept;
/// How many bytes are in the pipe that `descriptor`, either end, is of, and have not been read.
std::size_t bytes_in_pipe(int descriptor) noexcept;

}  // namespace procession::platform

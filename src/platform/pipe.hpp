#pragma once

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

}  // namespace procession::platform

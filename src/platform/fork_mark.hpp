#pragma once

#include <cstdint>

#include "platform/descriptor.hpp"

// Whether a process that was forked has come yet, may still come, or never will: between fork() and
// its first instruction in this library it has locked nothing by which others could see it, and
// whoever forked it may have ended meanwhile. So it inherits an open descriptor, of which others
// can tell, by a name, whether any process has it. The kernel closes it with the last of them.
namespace procession::platform {

/// How others find a mark.
struct ForkMarkName {
  std::uint64_t number = 0;  ///< at random; 0: there is no mark
  std::uint64_t space = 0;   ///< the kernel's number of the network namespace; 0: not known
};

struct ForkMark {
  Descriptor held;
  ForkMarkName name;
};

/// A new mark, whose name no other one has. An empty one where it cannot be had: there are no
/// descriptors left, or a sandbox forbids it.
ForkMark make_fork_mark() noexcept;

/// Whether it is certain that no process has the mark any more. False for an empty one.
bool is_gone(const ForkMarkName& mark) noexcept;

}  // namespace procession::platform

#pragma once

#include <stdexcept>
#include <string>

namespace procession::process {

/// Throws `std::invalid_argument`: `what` captured an address that means nothing in another
/// process.
[[noreturn]] inline void refuse_captured_address(const std::string& what) {
  throw std::invalid_argument(
      what +
      " captured a reference or a pointer into this process's memory, which another process "
      "cannot use; pass the value as an argument, capture it by value, or bind it with "
      "procession::bind (only the start methods 'fork' and 'thread' can keep it)");
}

}  // namespace procession::process

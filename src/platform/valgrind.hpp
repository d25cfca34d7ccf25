#pragma once

namespace procession::platform {

/// Whether this program runs under valgrind, whose tools look at all memory that is mapped, also
/// where nothing was ever written.
bool runs_under_valgrind() noexcept;

}  // namespace procession::platform

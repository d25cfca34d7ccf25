#pragma once

namespace procession::platform {

/// Writes out what C and C++ streams hold for standard output and error.
void flush_streams();

/// In the child of a fork: forgets what those hold. It is the parent's, which writes it.
void forget_unwritten();

}  // namespace procession::platform

#pragma once

namespace procession::platform {

/// Asks for a line of memory that is going to be written, which another processor may have.
inline void prefetch_for_write(const void* place) {
#if defined(__x86_64__) || defined(__i386__)
  // What __builtin_prefetch makes of it without -mprfchw leaves the line with the other one. Older
  // processors do nothing.
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(place)));
#else
  __builtin_prefetch(place, 1);
#endif
}

}  // namespace procession::platform

#pragma once

namespace procession::platform {

/// Tells the processor that this is a loop that waits for another one's store.
inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#endif
}

}  // namespace procession::platform

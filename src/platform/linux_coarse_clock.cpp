#include <time.h>

#include "platform/coarse_clock.hpp"

namespace procession::platform {

std::chrono::nanoseconds coarse_time() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace procession::platform

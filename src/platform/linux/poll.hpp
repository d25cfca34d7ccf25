// Times as Linux takes them, and the loop around ppoll. For files of this folder.
#pragma once

#include <poll.h>

#include <ctime>
#include <span>

#include "platform/deadline.hpp"

namespace procession::platform {

/// A time that is not negative, as the kernel takes it.
inline timespec timespec_of(Duration time) noexcept {
  return {.tv_sec = static_cast<time_t>(time.count() / 1'000'000'000),
          .tv_nsec = static_cast<long>(time.count() % 1'000'000'000)};
}

/// Whether any became ready before the deadline; signals do not end the wait. Throws ProcessError,
/// which says that it was to "wait for `what`", also where one of them is not open, with its index.
bool poll_until(std::span<pollfd> entries, const Deadline& deadline, const char* what);

}  // namespace procession::platform

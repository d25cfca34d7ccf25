#pragma once

#include <signal.h>

#include "platform/wait.hpp"

namespace procession::platform {

inline int number_of(Signal signal) {
  switch (signal) {
    case Signal::terminate:
      return SIGTERM;
    case Signal::kill:
      return SIGKILL;
    case Signal::interrupt:
      return SIGINT;
  }
  return SIGKILL;
}

}  // namespace procession::platform

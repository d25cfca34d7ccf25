#pragma once

#include "platform/cpu.hpp"
#include "platform/relax.hpp"

namespace procession::channel {

/// Looks for a few microseconds whether `there()`: as long as it takes another processor to serve
/// this one, and much less than it takes to fall asleep and to be woken.
template <class Condition>
bool spin_until(Condition there) {
  static const bool worth_it = platform::usable_cpus() > 1;
  constexpr int kLooks = 1500;
  for (int i = 0; worth_it && i < kLooks; ++i) {
    if (there()) {
      return true;
    }
    platform::relax();
  }
  return there();
}

}  // namespace procession::channel

#include "sync/system.hpp"

#include <algorithm>

#include "platform/futex.hpp"

namespace procession::sync {

bool System::Sleeps::sleep(Word<std::uint32_t>& word, std::uint32_t seen) noexcept {
  const Timeout left = deadline_.left();
  if (left && *left <= Duration::zero()) {
    return false;
  }
  platform::futex_wait(word, seen, backoff_.next(left));
  return true;
}

void System::wake(Word<std::uint32_t>& word, int most) noexcept {
  platform::futex_wake(word, most);
}

}  // namespace procession::sync

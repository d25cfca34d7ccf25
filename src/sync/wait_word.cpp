#include "sync/wait_word.hpp"

#include <algorithm>

namespace procession::sync {

bool Sleeper::sleep(WaitWord& word, std::uint32_t seen) noexcept {
  const Timeout left = deadline_.left();
  if (left && *left <= Duration::zero()) {
    return false;
  }
  const std::chrono::nanoseconds nap = naps_.next();
  slept_ = true;
  platform::futex_wait(word.word_, seen, left ? std::min(*left, nap) : nap);
  return true;
}

}  // namespace procession::sync

#include "sync/wait_word.hpp"

#include <algorithm>

namespace procession::sync {

namespace {
using namespace std::chrono_literals;
constexpr std::chrono::nanoseconds kFirstNap = 100ms;
constexpr std::chrono::nanoseconds kLongestNap = 5s;
}  // namespace

bool Sleeper::sleep(WaitWord& word, std::uint32_t seen) noexcept {
  const Timeout left = deadline_.left();
  if (left && *left <= Duration::zero()) {
    return false;
  }
  nap_ = nap_ == 0ns ? kFirstNap : std::min(kLongestNap, 5 * nap_);
  slept_ = true;
  platform::futex_wait(word.word_, seen, left ? std::min(*left, nap_) : nap_);
  return true;
}

}  // namespace procession::sync

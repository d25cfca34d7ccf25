#include "platform/own_mutex.hpp"

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace procession::platform {

struct own_locks::Calls {
  std::vector<std::function<void()>> all;
};

void own_locks::call_waiting() noexcept {
  // Each of them may put off others.
  while (held == 0 && waiting != nullptr) {
    const std::unique_ptr<Calls> calls(std::exchange(waiting, nullptr));
    for (const auto& call : calls->all)
      call();
  }
}

void when_unlocked(std::function<void()> call) noexcept {
  if (!has_own_lock()) {
    call();
    return;
  }
  try {
    if (own_locks::waiting == nullptr) own_locks::waiting = new own_locks::Calls;
    own_locks::waiting->all.push_back(std::move(call));
  } catch (...) {
    // As announced.
  }
}

void expect_unlocked([[maybe_unused]] const char* what) noexcept {
#ifndef NDEBUG
  if (!has_own_lock()) return;
  std::fprintf(stderr,
               "procession: %s of the user's was to be called by a thread that has %u mutex(es) of "
               "the library; it is to be called once they are given back\n",
               what, own_locks::held);
  std::abort();
#endif
}

void forget_waiting() noexcept { own_locks::waiting = nullptr; }
void forget_own_locks() noexcept { own_locks::held = 0; }

}  // namespace procession::platform

#include <pthread.h>

#include <new>
#include <utility>

#include "platform/thread_end.hpp"

namespace procession::platform {

namespace {

struct AtThreadEnd {
  void (*run)(void* object) noexcept;
  void* object;
  AtThreadEnd* before;
};

void run_all(void* latest) {
  for (auto* one = static_cast<AtThreadEnd*>(latest); one != nullptr;) {
    one->run(one->object);
    delete std::exchange(one, one->before);
  }
}

/// Whether there is a key, and which.
std::pair<bool, pthread_key_t> end_key() noexcept {
  static const std::pair<bool, pthread_key_t> made = [] {
    pthread_key_t key{};
    const bool done = ::pthread_key_create(&key, run_all) == 0;
    return std::pair(done, key);
  }();
  return made;
}

}  // namespace

void at_thread_end(void (*run)(void* object) noexcept, void* object) noexcept {
  const auto [there, key] = end_key();
  if (!there) return;
  auto* const before = static_cast<AtThreadEnd*>(::pthread_getspecific(key));
  auto* const one = new (std::nothrow) AtThreadEnd{run, object, before};
  if (one != nullptr && ::pthread_setspecific(key, one) != 0) delete one;
}

}  // namespace procession::platform

#include "process/log_delivery.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include "log/log.hpp"
#include "platform/own_mutex.hpp"
#include "process/own_thread.hpp"

namespace procession::process {

namespace {

struct Deliveries {
  platform::OwnMutex mutex;
  std::condition_variable_any changed;
  std::deque<std::function<void()>> waiting;
  bool running = false;     ///< the thread is there
  bool delivering = false;  ///< it is at one
  Deliveries* before = nullptr;
};

constinit std::atomic<Deliveries*> current{nullptr};
constinit Deliveries* inherited = nullptr;  ///< of parents by fork: known, so that nothing is lost

/// Never destroyed: the thread outlives main(). Made when it is used first, which may be before
/// main().
Deliveries& the_deliveries() {
  Deliveries* one = current.load(std::memory_order_acquire);
  if (one != nullptr) return *one;
  auto made = std::make_unique<Deliveries>();
  if (current.compare_exchange_strong(one, made.get())) return *made.release();
  return *one;
}

[[noreturn]] void run() {
  std::unique_lock guard(the_deliveries().mutex);
  for (;;) {
    the_deliveries().changed.wait(guard, [] { return !the_deliveries().waiting.empty(); });
    std::function<void()> deliver = std::move(the_deliveries().waiting.front());
    the_deliveries().waiting.pop_front();
    the_deliveries().delivering = true;
    guard.unlock();
    deliver();
    deliver = nullptr;
    guard.lock();
    the_deliveries().delivering = false;
    the_deliveries().changed.notify_all();
  }
}

}  // namespace

void deliver_later(std::function<void()> deliver) noexcept {
  try {
    const std::lock_guard guard(the_deliveries().mutex);
    the_deliveries().waiting.push_back(std::move(deliver));
    if (!the_deliveries().running) {
      start_own_thread(run, Records::here);
      the_deliveries().running = true;
    }
    the_deliveries().changed.notify_all();
  } catch (...) {
    // A record is not worth a failed job; the next one may get the thread.
  }
}

void finish_deliveries() noexcept {
  if (current.load() == nullptr || on_own_thread() || log::inside_sink()) return;
  std::unique_lock guard(the_deliveries().mutex);
  the_deliveries().changed.wait(guard, [] {
    return !the_deliveries().running ||
           (the_deliveries().waiting.empty() && !the_deliveries().delivering);
  });
}

void disown_deliveries() noexcept {
  Deliveries* const parents = current.exchange(nullptr);
  if (parents == nullptr) return;
  parents->before = inherited;
  inherited = parents;
}

}  // namespace procession::process

#include "process/log_delivery.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "log/log.hpp"
#include "platform/own_mutex.hpp"
#include "process/copy_check.hpp"
#include "process/own_thread.hpp"

namespace procession::process {

namespace {

struct Deliveries {
  platform::OwnMutex mutex;
  std::condition_variable_any changed;
  std::deque<std::function<void()>> waiting;
  bool running = false;     ///< the thread is there
  bool delivering = false;  ///< it is at one
};

// Never destroyed: the thread outlives main().
Deliveries& deliveries = *new Deliveries;

[[noreturn]] void run() {
  std::unique_lock guard(deliveries.mutex);
  for (;;) {
    deliveries.changed.wait(guard, [] { return !deliveries.waiting.empty(); });
    std::function<void()> deliver = std::move(deliveries.waiting.front());
    deliveries.waiting.pop_front();
    deliveries.delivering = true;
    guard.unlock();
    const CopyCheck check;
    deliver();
    check.end_copies("a log's sink");
    deliver = nullptr;
    guard.lock();
    deliveries.delivering = false;
    deliveries.changed.notify_all();
  }
}

}  // namespace

void deliver_later(std::function<void()> deliver) noexcept {
  try {
    const std::lock_guard guard(deliveries.mutex);
    deliveries.waiting.push_back(std::move(deliver));
    if (!deliveries.running) {
      start_own_thread(run, Records::here);
      deliveries.running = true;
    }
    deliveries.changed.notify_all();
  } catch (...) {
    // A record is not worth a failed job; the next one may get the thread.
  }
}

void finish_deliveries() noexcept {
  if (on_own_thread() || log::inside_sink()) return;
  std::unique_lock guard(deliveries.mutex);
  deliveries.changed.wait(guard, [] {
    return !deliveries.running || (deliveries.waiting.empty() && !deliveries.delivering);
  });
}

void disown_deliveries() noexcept { new (&deliveries) Deliveries; }

}  // namespace procession::process

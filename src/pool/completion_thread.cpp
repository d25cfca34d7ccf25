#include "pool/completion_thread.hpp"

#include <mutex>

#include "platform/deadline.hpp"
#include "platform/immortal.hpp"
#include "platform/own_mutex.hpp"
#include "pool/callbacks.hpp"
#include "pool/core.hpp"
#include "pool/supervisor.hpp"
#include "process/own_thread.hpp"
#include "sync/event_count.hpp"

namespace procession::pool {

namespace {

struct CompletionThread {
  platform::OwnMutex mutex;
  heap::Block bell;
  bool running = false;

  [[nodiscard]] sync::EventCount& word() const {
    return *heap::at<sync::EventCount>(bell.offset());
  }
};

// Never destroyed: the thread outlives main().
constinit platform::Immortal<CompletionThread> kept_completion;
constinit CompletionThread& completion = kept_completion.value;

/// Calls what is due. False when nothing was.
bool call_hooks() {
  bool any = false;
  visit_pools(Visitor::completion, [&](detail::PoolCore& pool) {
    auto hooks = pool.take_hooks();
    if (hooks.empty()) {
      return;
    }
    any = true;
    for (const auto& hook : hooks) {
      hook();
    }
    hooks.clear();  // what they captured goes while they still count as being called
    pool.hooks_called();
  });
  return any;
}

[[noreturn]] void run_completion_thread(sync::EventCount& bell) {
  const platform::Deadline never{Timeout{}};
  for (;;) {
    sync::Sleeper sleeper(never);
    while (!call_hooks()) {
      const std::uint32_t seen = bell.prepare();
      if (call_hooks()) {
        break;
      }
      sleeper.sleep(bell, seen);
    }
  }
}

}  // namespace

heap::Offset start_completion_thread() {
  const std::lock_guard guard(completion.mutex);
  if (!completion.running) {
    if (!completion.bell) {
      completion.bell = heap::Block(sizeof(sync::EventCount), true);
    }
    process::start_own_thread([&bell = completion.word()] { run_completion_thread(bell); });
    completion.running = true;
  }
  return completion.bell.offset();
}

void wake_completion_thread() noexcept { completion.word().wake_one(); }

void disown_completion_thread() noexcept {
  new (&completion.mutex) platform::OwnMutex;  // a thread of the parent's may have held it
  static_cast<void>(completion.bell.release());
  completion.running = false;
  disown_callbacks();
}

}  // namespace procession::pool

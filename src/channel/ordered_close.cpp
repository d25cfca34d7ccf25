#include "channel/ordered_close.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

#include "channel/transport.hpp"
#include "platform/fork_handlers.hpp"
#include "platform/spawn.hpp"

namespace procession::channel {

namespace {

using namespace std::chrono_literals;
using platform::Deadline;
using platform::Flow;

/// Enough for a host that is slow to answer. One whose program does not read what was sent may take
/// longer: then the kernel goes on by itself, and only what that program sends meanwhile is in the
/// way.
constexpr auto kCloseTimeout = 10s;
/// For all connections of a process that ends, which somebody waits for.
constexpr auto kCloseTimeoutAtEnd = 1s;
/// More than that would take descriptors from the program; the oldest is closed at once then.
constexpr std::size_t kMostClosing = 64;
/// Between two looks. Where the answer does not come with the end, the system holds it back for
/// some 40 ms.
constexpr auto kFirstNap = 1ms;
constexpr auto kLongestNap = 32ms;

struct Closing {
  platform::Descriptor socket;
  TlsPtr tls;
  Deadline deadline;
  bool ended = false;  ///< our side

  /// Goes on as far as it can without waiting. True when the socket may be closed.
  bool go_on() noexcept {
    if (!ended && (tls == nullptr || tls->end())) {
      platform::end_sending(socket.get());
      ended = true;
    }
    const Flow flow = platform::discard_incoming(socket.get());
    if (flow == Flow::lost) return true;
    return ended && (flow == Flow::ended || !platform::has_unacknowledged(socket.get()));
  }
};
using Closings = std::list<Closing>;

struct ClosingState {
  std::mutex mutex;
  Closings all;  ///< the oldest first
  bool running = false;
  bool at_end = false;
  int process = platform::process_id();
};

std::atomic<ClosingState*> known_state{nullptr};
std::atomic<void (*)(std::function<void()>)> start_thread{
    [](std::function<void()> run) { std::thread(std::move(run)).detach(); }};

/// The parent's sockets and its thread did not come along. What the fork has of the sockets would
/// keep them open.
void after_fork_in_child() noexcept {
  ClosingState& state = *known_state;
  state.all.clear();
  state.running = false;
  state.process = platform::process_id();
  state.mutex.unlock();
}

// Never destroyed: connections that are static objects go after everything else.
ClosingState& closing_state() {
  static ClosingState* const one = [] {
    auto* const made = new ClosingState;
    known_state = made;
    platform::add_fork_handlers([] { known_state.load()->mutex.lock(); },
                                [] { known_state.load()->mutex.unlock(); }, after_fork_in_child);
    return made;
  }();
  return *one;
}

void go_on_with(Closings& all) noexcept {
  std::erase_if(all, [](Closing& one) { return one.go_on() || one.deadline.passed(); });
}

void take_nap(std::chrono::milliseconds& next) {
  std::this_thread::sleep_for(next);
  next = std::min<std::chrono::milliseconds>(2 * next, kLongestNap);
}

void wait_for_all(Closings all) noexcept {
  std::chrono::milliseconds next = kFirstNap;
  const Deadline deadline(kCloseTimeoutAtEnd);
  for (go_on_with(all); !all.empty() && !deadline.passed(); go_on_with(all))
    take_nap(next);
}

void close_on() {
  std::chrono::milliseconds next = kFirstNap;
  for (;;) {
    take_nap(next);
    const std::lock_guard lock(closing_state().mutex);
    go_on_with(closing_state().all);
    if (closing_state().all.empty()) {
      closing_state().running = false;
      return;
    }
  }
}

/// What the thread has in hand, which is then waited for without it.
Closings take_all() noexcept {
  const std::lock_guard lock(closing_state().mutex);
  return std::exchange(closing_state().all, {});
}

/// Whether a thread has to be started for it; empty: it has to be waited for here.
std::optional<bool> put_aside(Closings& one) noexcept {
  const std::lock_guard lock(closing_state().mutex);
  if (closing_state().at_end) return std::nullopt;
  if (closing_state().all.size() == kMostClosing) closing_state().all.pop_front();
  closing_state().all.splice(closing_state().all.end(), one);
  return !std::exchange(closing_state().running, true);
}

void begin_closing(Closing&& closing) {
  if (closing.go_on()) return;
  Closings one;
  one.push_back(std::move(closing));
  const auto start = put_aside(one);
  if (!start) return wait_for_all(std::move(one));
  if (!*start) return;
  try {
    start_thread.load()(close_on);
  } catch (const std::exception&) {
    // There can be no more threads: whoever closes waits.
    Closings all = take_all();
    {
      const std::lock_guard lock(closing_state().mutex);
      closing_state().running = false;
    }
    wait_for_all(std::move(all));
  }
}

/// After all destructors of static objects.
[[gnu::destructor]] void at_exit() { finish_connections(); }

}  // namespace

void set_closing_thread(void (*start)(std::function<void()>)) { start_thread = start; }

void close_in_order(platform::Descriptor socket, TlsPtr tls) noexcept {
  try {
    begin_closing({std::move(socket), std::move(tls), Deadline(kCloseTimeout)});
  } catch (const std::exception&) {
    // Without memory to wait with, the kernel goes on alone.
  }
}

void finish_connections() noexcept {
  // Most processes have no connections, and end without a page more for that.
  if (known_state == nullptr && !detail::Transports::used()) return;
  if (known_state != nullptr && closing_state().process != platform::process_id()) return;
  try {
    Closings all;
    for (Unclosed& one : detail::Transports::unclosed()) {
      if (!one.part.leave()) continue;
      all.push_back({std::move(one.socket), nullptr, Deadline(kCloseTimeoutAtEnd)});
    }
    if (known_state != nullptr) {
      Closings others = take_all();
      all.splice(all.end(), others);
      const std::lock_guard lock(closing_state().mutex);
      closing_state().at_end = true;
    }
    wait_for_all(std::move(all));
  } catch (const std::exception&) {
    // Without memory the kernel ends them.
  }
}

}  // namespace procession::channel

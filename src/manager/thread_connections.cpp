#include "manager/thread_connections.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "channel/transport.hpp"
#include "platform/fork_handlers.hpp"

namespace procession::manager {

namespace {

using detail::TransportPtr;
using Connections = std::list<ThreadConnection>;

/// How many are looked at when one is made.
constexpr std::size_t kLooksAtMade = 4;

/// Those of all threads. What is taken out is destroyed without the lock.
struct All {
  std::mutex mutex;
  Connections list;
};

// Never destroyed: managers that are static objects go after everything else.
All& all() {
  static All* const one = [] {
    auto* const made = new All;
    platform::add_fork_handlers([] { all().mutex.lock(); }, [] { all().mutex.unlock(); },
                                [] { all().mutex.unlock(); });
    return made;
  }();
  return *one;
}

/// In the child of a fork they are closed, and perhaps hold nothing: so that comes first.
bool is_lost(const ThreadConnection& one) { return one.transport->closed() || one.ended(one.peer); }

template <class Predicate>
Connections take_if(Predicate wanted) noexcept {
  Connections taken;
  const std::lock_guard guard(all().mutex);
  for (auto one = all().list.begin(); one != all().list.end();) {
    const auto next = std::next(one);
    if (wanted(*one)) taken.splice(taken.end(), all().list, one);
    one = next;
  }
  return taken;
}

thread_local constinit bool thread_is_over = false;

/// The connections of one thread, which finds them without a lock. At the end of the thread they
/// go, and what still calls then, such as a destructor of another object of the thread's, has one
/// for each call.
struct Own {
  struct Known {
    Peer peer;
    std::weak_ptr<detail::Transport> transport;
  };
  std::vector<Known> known{};

  Own() = default;
  Own(const Own&) = delete;
  Own& operator=(const Own&) = delete;
  ~Own() {
    thread_is_over = true;
    take_if([this](const ThreadConnection& one) { return one.thread == this; });
  }
};

Own& own() noexcept {
  static thread_local Own one;
  return one;
}

}  // namespace

TransportPtr find_connection(Peer peer) noexcept {
  if (thread_is_over) return nullptr;
  for (const Own::Known& one : own().known) {
    if (one.peer != peer) continue;
    // It was let go of, and what has its place now is perhaps another server.
    TransportPtr transport = one.transport.lock();
    if (transport != nullptr && !transport->closed()) return transport;
  }
  return nullptr;
}

void keep_connection(Peer peer, TransportPtr transport, bool (*ended)(Peer) noexcept) {
  if (thread_is_over) return;
  auto& known = own().known;
  std::erase_if(known, [](const Own::Known& one) { return one.transport.expired(); });
  known.push_back({peer, transport});
  Connections lost;
  Connections made;
  made.push_back({std::move(transport), peer, ended, &own()});
  const std::lock_guard guard(all().mutex);
  Connections& list = all().list;
  for (std::size_t i = std::min(kLooksAtMade, list.size()); i != 0; --i) {
    Connections& to = is_lost(list.front()) ? lost : list;
    to.splice(to.end(), list, list.begin());
  }
  list.splice(list.end(), made);
}

Connections take_connections(Peer peer) noexcept {
  return take_if([peer](const ThreadConnection& one) { return one.peer == peer; });
}

void drop_lost_connections() noexcept { take_if(is_lost); }

}  // namespace procession::manager

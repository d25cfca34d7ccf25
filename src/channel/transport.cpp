#include "channel/transport.hpp"

#include <exception>
#include <mutex>
#include <optional>
#include <utility>

#include "channel/ordered_close.hpp"
#include "platform/fork_handlers.hpp"
#include "procession/error.hpp"

namespace procession::detail {

namespace {

// Never destroyed: connections that are static objects go after everything else.
std::mutex& mutex() {
  static auto* const one = new std::mutex;
  return *one;
}
std::mutex& making_mutex() {
  static auto* const one = new std::mutex;
  return *one;
}
Transport* all = nullptr;

}  // namespace

Transport::Transport(platform::Descriptor descriptor) noexcept : descriptor_(descriptor.release()) {
  Transports::add(*this);
}

Transport::~Transport() { Transports::remove(*this); }

void Transport::enter() {
  if ((state_.fetch_add(kUse) & kClosed) != 0) {
    leave();
    refuse_closed();
  }
}

void Transport::leave() noexcept {
  if (state_.fetch_sub(kUse) == (kUse | kClosed)) shut(Shut::now);
}

void Transport::close() noexcept {
  if (state_.fetch_or(kClosed) == 0) shut(Shut::now);
}

/// A copy that a fork made is no word to the other side.
void Transport::shut(Shut how) noexcept {
  const bool at_once = how == Shut::copy || closes_at_once();
  {
    std::optional<Transports::Making> making;
    if (at_once && how == Shut::now) making.emplace();
    platform::Descriptor descriptor(descriptor_.exchange(-1));
    if (!descriptor) return;
    if (!at_once) part(std::move(descriptor));
  }
  left();
}

void Transport::refuse_closed() {
  throw ProcessError(
      "asked to use a Connection that was closed, lost in the middle of a message, or moved from; "
      "use it before close(), or make a new one with Pipe() or Client()");
}

void Transports::watch_forks() noexcept {
  static std::once_flag once;
  std::call_once(once, [] {
    platform::add_fork_handlers(lock_for_fork, unlock_after_fork, after_fork_in_child);
  });
}

Transports::Making::Making() noexcept {
  watch_forks();
  making_mutex().lock();
}

Transports::Making::~Making() { making_mutex().unlock(); }

void Transports::add(Transport& transport) noexcept {
  watch_forks();
  ever_used = true;
  const std::lock_guard guard(mutex());
  transport.next_ = all;
  if (all != nullptr) all->prev_ = &transport;
  all = &transport;
}

void Transports::remove(Transport& transport) noexcept {
  const std::lock_guard guard(mutex());
  (transport.prev_ != nullptr ? transport.prev_->next_ : all) = transport.next_;
  if (transport.next_ != nullptr) transport.next_->prev_ = transport.prev_;
}

std::vector<channel::Unclosed> Transports::unclosed() noexcept {
  std::vector<channel::Unclosed> found;
  const std::lock_guard guard(mutex());
  for (Transport* one = all; one != nullptr; one = one->next_) {
    try {
      one->end(found);
    } catch (const std::exception&) {
      // Without a descriptor or memory it ends as the system ends it.
    }
  }
  return found;
}

void Transports::lock() noexcept { mutex().lock(); }
void Transports::lock_for_fork() noexcept {
  making_mutex().lock();
  lock();
  for (Transport* one = all; one != nullptr; one = one->next_)
    one->before_fork();
}
void Transports::unlock() noexcept { mutex().unlock(); }
void Transports::unlock_after_fork() noexcept {
  unlock();
  making_mutex().unlock();
}
Transport* Transports::first() noexcept { return all; }

void Transports::after_fork_in_child() noexcept {
  for (Transport* one = all; one != nullptr; one = one->next_) {
    one->inherited_ = true;
    // The calls that were under way are those of threads that did not come along.
    one->state_ &= Transport::kClosed;
    if (one->closed_in_forks_) one->state_ |= Transport::kClosed;
    if (one->closed()) one->shut(Transport::Shut::copy);
    one->forked();
  }
  unlock_after_fork();
}

}  // namespace procession::detail

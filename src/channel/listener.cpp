#include "channel/listener.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "channel/depot.hpp"
#include "log/log.hpp"
#include "platform/wait.hpp"
#include "procession/error.hpp"

namespace procession::detail {

using channel::Greeting;
using platform::Deadline;

namespace {

// Tags of the poller; a guest's is its address.
constexpr std::uint64_t kEvent = 0;
constexpr std::uint64_t kSocket = 1;

/// Between looks whether connections that were handed over have come to their end.
constexpr Duration kHandedOverLook = std::chrono::seconds(1);

/// Connections taken from the system in one go, so that others get their turn.
constexpr int kAtATime = 64;

ListenerOptions checked(ListenerOptions options) {
  channel::check_key(options.authkey);
  if (options.backlog < 0 || options.handshake_timeout == Duration::zero() ||
      options.max_handshakes == 0) {
    throw std::invalid_argument(
        "asked for a Listener with a backlog of " + std::to_string(options.backlog) +
        ", a handshake_timeout of " +
        platform::to_text(options.handshake_timeout.value_or(Duration::max())) + " and " +
        std::to_string(options.max_handshakes) +
        " handshakes at a time; the first must not be negative, the others must be positive");
  }
  return options;
}

std::string text_of(const std::optional<Address>& address) {
  return address ? to_string(*address) : "a program of this host";
}

}  // namespace

ListenerCore::ListenerCore(const Address& address, ListenerOptions options)
    : options_(checked(std::move(options))),
      socket_(platform::listen_stream(address, options_.backlog)),
      address_(platform::local_address(socket_.get())),
      file_(address_),
      event_(platform::make_event()) {
  if (options_.tls) tls_.emplace(platform::TlsContext::Side::listener, *options_.tls);
  poller_.add(event_.get(), kEvent);
  poller_.add(socket_.get(), kSocket);
}

void ListenerCore::check() const {
  if (maker_ != platform::process_id()) {
    throw ProcessError("asked to use the Listener of " + to_string(address_) +
                       " in a process that was forked from the one that made it, which goes on "
                       "with it; accept there, and give connections to other processes");
  }
  if (closed_) refuse_closed();
}

TransportPtr ListenerCore::accept(const Deadline& deadline) {
  check();
  std::unique_lock lock(mutex_, std::defer_lock);
  if (const Timeout left = deadline.left()) {
    static_cast<void>(lock.try_lock_for(*left));
  } else {
    lock.lock();
  }
  while (lock.owns_lock()) {
    check();
    if (!ready_.empty()) {
      Ready ready = std::move(ready_.front());
      ready_.pop_front();
      if (ready_.empty()) platform::clear_event(event_.get());
      if (closed_) platform::raise_event(event_.get());
      last_accepted_ = std::move(ready.address);
      return std::move(ready.connection);
    }
    std::uint64_t tag = 0;
    channel::sweep_depot_of_sent();
    const bool something = poller_.wait({&tag, 1}, until(deadline)) != 0;
    go_on();
    if (!something && ready_.empty() && deadline.passed()) break;
  }
  throw TimeoutError("asked " + to_string(address_) +
                     " to accept a connection, and no client had connected, and proved its key "
                     "where one is asked for, when the time-out passed");
}

/// Until the deadline, or the end of the first guest's time.
Deadline ListenerCore::until(const Deadline& deadline) const {
  Timeout left = deadline.left();
  // A server hands connections over, and waits for the next one while they come to their end.
  if (channel::depot_may_have_sent())
    left = std::min<Duration>(left.value_or(kHandedOverLook), kHandedOverLook);
  if (guests_.empty()) return Deadline(left);
  const Timeout guests = guests_.front().deadline.left();
  if (!guests) return Deadline(left);
  return Deadline(left ? std::min(*left, *guests) : *guests);
}

bool ListenerCore::settle() {
  if (closed_) return false;  // as who waits finds out for itself
  check();
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return false;  // a thread is in accept(), and takes what comes
  try {
    go_on();
  } catch (const ProcessError&) {
    return true;  // no descriptor is left, say: accept() tells, and whoever waits goes on
  }
  return !ready_.empty();
}

void ListenerCore::go_on() {
  drop_late();
  std::array<std::uint64_t, kAtATime> tags;
  const std::size_t count = poller_.wait(tags, Deadline(Duration::zero()));
  bool visitors = false;
  for (std::size_t i = 0; i != count && !closed_; ++i) {
    if (tags[i] == kSocket) {
      visitors = true;
    } else if (tags[i] != kEvent) {
      const auto guest = std::find_if(guests_.begin(), guests_.end(), [&](const Guest& one) {
        return reinterpret_cast<std::uint64_t>(&one) == tags[i];
      });
      if (guest != guests_.end()) go_on_with(guest);
    }
  }
  // Last: it may drop guests of which the tags speak.
  if (visitors && !closed_) welcome();
}

void ListenerCore::welcome() {
  for (int i = 0; i != kAtATime && ready_.empty(); ++i) {
    platform::Guest visitor = platform::accept_stream(socket_.get());
    if (!visitor.socket) return;
    const int socket = visitor.socket.get();
    auto tls = tls_ ? tls_->open(socket, "") : nullptr;
    guests_.push_back({Greeting(std::move(visitor.socket), std::move(tls), Greeting::Side::listener,
                                options_.authkey, options_.allow_md5),
                       std::move(visitor.address), Deadline(options_.handshake_timeout),
                       Greeting::For::reading});
    const auto guest = std::prev(guests_.end());
    poller_.add(socket, reinterpret_cast<std::uint64_t>(&*guest), guest->waits_for);
    go_on_with(guest);
    if (guests_.size() > options_.max_handshakes) {
      drop(guests_.begin(), "newer clients came, and no more can be at it at a time");
    }
  }
}

void ListenerCore::go_on_with(Guests::iterator guest) {
  try {
    if (const auto wanted = guest->greeting.go_on()) {
      if (guest->waits_for != *wanted) {
        poller_.change(guest->greeting.socket(), reinterpret_cast<std::uint64_t>(&*guest), *wanted);
        guest->waits_for = *wanted;
      }
      return;
    }
    poller_.remove(guest->greeting.socket());
    ready_.push_back({guest->greeting.finish(options_.max_frame), std::move(guest->address)});
    platform::raise_event(event_.get());
    guests_.erase(guest);
  } catch (const std::exception& error) {
    drop(guest, error.what());
  }
}

/// A client that cannot be let in is no fault of the program that listens: it is logged, and the
/// others go on.
void ListenerCore::drop(Guests::iterator guest, const char* why) noexcept {
  if (log::enabled(LogLevel::info)) {
    try {
      log::write(LogLevel::info, to_string(address_) + ": dropped a connection from " +
                                     text_of(guest->address) + ": " + why);
    } catch (const std::bad_alloc&) {
      // Then it goes unsaid.
    }
  }
  if (guest->greeting.socket() >= 0) poller_.remove(guest->greeting.socket());
  guests_.erase(guest);
}

void ListenerCore::drop_late() {
  while (!guests_.empty() && guests_.front().deadline.passed()) {
    drop(guests_.begin(), tls_ ? "it had not begun with TLS, or not proved its key, within "
                                 "handshake_timeout; does it use TLS?"
                               : "it had not proved its key within handshake_timeout");
  }
}

std::optional<Address> ListenerCore::last_accepted() {
  const std::lock_guard lock(mutex_);
  return last_accepted_;
}

void ListenerCore::close() noexcept {
  closed_ = true;
  if (maker_ != platform::process_id()) {
    // The sets of watched descriptors and the event are the parent's too, and the mutex may be that
    // of a thread which did not come along.
    socket_.reset();
    return;
  }
  // Whoever is in accept() gives the mutex up.
  platform::raise_event(event_.get());
  const std::lock_guard lock(mutex_);
  if (!socket_) return;
  file_.remove();
  poller_.remove(socket_.get());
  socket_.reset();
  while (!guests_.empty()) {
    drop(guests_.begin(), "the listener was closed");
  }
  ready_.clear();
}

void ListenerCore::refuse_closed() {
  throw ProcessError(
      "asked to use a Listener that was closed, or moved from; use it before close(), or make a "
      "new one");
}

namespace {

ListenerCore& named(const ListenerPtr& listener) {
  if (listener == nullptr) ListenerCore::refuse_closed();
  return *listener;
}

}  // namespace

ListenerPtr make_listener(const Address& address, const ListenerOptions& options) {
  return std::make_shared<ListenerCore>(address, options);
}

TransportPtr accept_connection(const ListenerPtr& listener, Timeout timeout) {
  return named(listener).accept(Deadline(timeout));
}

Address listener_address(const ListenerPtr& listener) { return named(listener).address(); }

std::optional<Address> last_accepted(const ListenerPtr& listener) {
  return named(listener).last_accepted();
}

void close_listener(const ListenerPtr& listener) noexcept {
  if (listener != nullptr) listener->close();
}

}  // namespace procession::detail

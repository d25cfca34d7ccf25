#include "channel/listener.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "channel/descriptor_broker.hpp"
#include "log/log.hpp"
#include "platform/wait.hpp"
#include "procession/error.hpp"

namespace procession::detail {

using channel::Handshake;
using platform::Deadline;

namespace {

// Tags of the poller; a client's is its address.
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
  if (lock.owns_lock()) last_drop_.clear();
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
    channel::sweep_broker_of_sent();
    const bool something = poller_.wait({&tag, 1}, until(deadline)) != 0;
    go_on();
    if (!something && ready_.empty() && deadline.passed()) break;
  }
  throw TimeoutError("asked " + to_string(address_) +
                     " to accept a connection, and no client had connected, and proved its key "
                     "where one is asked for, when the time-out passed" +
                     (lock.owns_lock() && !last_drop_.empty()
                          ? "; the last client was sent away: " + last_drop_
                          : std::string()));
}

/// Until the deadline, or the end of the first client's time.
Deadline ListenerCore::until(const Deadline& deadline) const {
  Timeout left = deadline.left();
  // A server hands connections over, and waits for the next one while they come to their end.
  if (channel::broker_may_have_sent())
    left = std::min<Duration>(left.value_or(kHandedOverLook), kHandedOverLook);
  if (pending_clients_.empty()) return Deadline(left);
  const Timeout pending = pending_clients_.front().deadline.left();
  if (!pending) return Deadline(left);
  return Deadline(left ? std::min(*left, *pending) : *pending);
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
  bool clients = false;
  for (std::size_t i = 0; i != count && !closed_; ++i) {
    if (tags[i] == kSocket) {
      clients = true;
    } else if (tags[i] != kEvent) {
      const auto client = std::find_if(pending_clients_.begin(), pending_clients_.end(),
                                       [&](const PendingClient& one) {
                                         return reinterpret_cast<std::uint64_t>(&one) == tags[i];
                                       });
      if (client != pending_clients_.end()) go_on_with(client);
    }
  }
  // Last: it may drop clients of which the tags speak.
  if (clients && !closed_) welcome();
}

void ListenerCore::welcome() {
  for (int i = 0; i != kAtATime && ready_.empty(); ++i) {
    platform::AcceptedStream accepted = platform::accept_stream(socket_.get());
    if (!accepted.socket) return;
    const int socket = accepted.socket.get();
    auto tls = tls_ ? tls_->open(socket, "") : nullptr;
    pending_clients_.push_back(
        {Handshake(std::move(accepted.socket), std::move(tls), Handshake::Side::listener,
                   options_.authkey, options_.allow_md5),
         std::move(accepted.address), Deadline(options_.handshake_timeout),
         Handshake::For::reading});
    const auto client = std::prev(pending_clients_.end());
    poller_.add(socket, reinterpret_cast<std::uint64_t>(&*client), client->waits_for);
    go_on_with(client);
    if (pending_clients_.size() > options_.max_handshakes) {
      drop(pending_clients_.begin(), "newer clients came, and no more can be at it at a time");
    }
  }
}

void ListenerCore::go_on_with(PendingClients::iterator client) {
  try {
    if (const auto wanted = client->handshake.go_on()) {
      if (client->waits_for != *wanted) {
        poller_.change(client->handshake.socket(), reinterpret_cast<std::uint64_t>(&*client),
                       *wanted);
        client->waits_for = *wanted;
      }
      return;
    }
    poller_.remove(client->handshake.socket());
    ready_.push_back({client->handshake.finish(options_.max_frame), std::move(client->address)});
    platform::raise_event(event_.get());
    pending_clients_.erase(client);
  } catch (const std::exception& error) {
    drop(client, error.what());
  }
}

/// A client that cannot be let in is no fault of the program that listens: it is logged, and the
/// others go on.
void ListenerCore::drop(PendingClients::iterator client, const char* why) noexcept {
  try {
    last_drop_ = why;
    if (log::enabled(LogLevel::info)) {
      log::write(LogLevel::info, to_string(address_) + ": dropped a connection from " +
                                     text_of(client->address) + ": " + why);
    }
  } catch (const std::bad_alloc&) {
    // Then it goes unsaid.
  }
  if (client->handshake.socket() >= 0) poller_.remove(client->handshake.socket());
  pending_clients_.erase(client);
}

void ListenerCore::drop_late() {
  while (!pending_clients_.empty() && pending_clients_.front().deadline.passed()) {
    drop(pending_clients_.begin(), tls_
                                       ? "it had not begun with TLS, or not proved its key, within "
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
  while (!pending_clients_.empty()) {
    drop(pending_clients_.begin(), "the listener was closed");
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

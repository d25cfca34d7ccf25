#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <string>

#include "channel/handshake.hpp"
#include "platform/deadline.hpp"
#include "platform/own_mutex.hpp"
#include "platform/poller.hpp"
#include "platform/spawn.hpp"
#include "platform/stream_socket.hpp"
#include "procession/detail/listener_core.hpp"

namespace procession::detail {

/// Clients prove their keys side by side, in whichever call of accept() or wait() runs, none of
/// which waits for one of them in particular: there is no thread for it.
class ListenerCore {
 public:
  ListenerCore(const Address& address, ListenerOptions options);
  ListenerCore(const ListenerCore&) = delete;
  ListenerCore& operator=(const ListenerCore&) = delete;
  ~ListenerCore() { close(); }

  TransportPtr accept(const platform::Deadline& deadline);
  [[nodiscard]] const Address& address() const noexcept { return address_; }
  std::optional<Address> last_accepted();
  void close() noexcept;
  [[nodiscard]] bool closed() const noexcept { return closed_; }

  /// Readable when `settle` has something to do. Open as long as this object is.
  [[nodiscard]] int descriptor() const noexcept { return poller_.descriptor(); }
  /// Does what can be done without waiting; whether accept() would return a connection, or throw,
  /// at once.
  bool settle();

  [[noreturn]] static void refuse_closed();

 private:
  struct PendingClient {
    channel::Handshake handshake;
    std::optional<Address> address;
    platform::Deadline deadline;
    channel::Handshake::For waits_for;
  };
  using PendingClients = std::list<PendingClient>;
  struct Ready {
    TransportPtr connection;
    std::optional<Address> address;
  };

  void check() const;
  void go_on();
  void welcome();
  void go_on_with(PendingClients::iterator client);
  void drop(PendingClients::iterator client, const char* why) noexcept;
  void drop_late();
  [[nodiscard]] platform::Deadline until(const platform::Deadline& deadline) const;

  const int maker_ = platform::process_id();
  const ListenerOptions options_;
  std::optional<platform::TlsContext> tls_;
  platform::Descriptor socket_;
  const Address address_;
  platform::SocketFile file_;
  platform::Descriptor event_;  ///< raised while there are ready ones, and for ever by close()
  platform::Poller poller_;
  std::atomic<bool> closed_{false};

  platform::OwnTimedMutex mutex_;   ///< for all below, and the poller's set
  PendingClients pending_clients_;  ///< who came first is first
  std::deque<Ready> ready_;
  std::optional<Address> last_accepted_;
  std::string last_drop_;  ///< why a client was sent away, since the present accept() began
};

}  // namespace procession::detail

#pragma once

#include <memory>
#include <optional>

#include "procession/address.hpp"
#include "procession/detail/connection_core.hpp"

// What Listener and Client of connection.hpp need of the compiled channel floor.
namespace procession::detail {

/// A socket that listens, and the clients that have not yet proved their key.
class ListenerCore;
using ListenerPtr = std::shared_ptr<ListenerCore>;

ListenerPtr make_listener(const Address& address, const ListenerOptions& options);
TransportPtr accept_connection(const ListenerPtr& listener, Timeout timeout);
Address listener_address(const ListenerPtr& listener);
std::optional<Address> last_accepted(const ListenerPtr& listener);
void close_listener(const ListenerPtr& listener) noexcept;

TransportPtr connect_to(const Address& address, const ClientOptions& options);

}  // namespace procession::detail

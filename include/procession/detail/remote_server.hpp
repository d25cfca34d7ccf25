#pragma once

#include <memory>

#include "procession/address.hpp"
#include "procession/detail/registry.hpp"

/// What ManagerServer needs of the compiled manager floor.
namespace procession::detail {

/// A server for other programs.
class RemoteServer;
using RemoteServerPtr = std::shared_ptr<RemoteServer>;

RemoteServerPtr make_remote_server(const Address& address, const AuthKey& key,
                                   ListenerOptions options);
void register_type(const RemoteServerPtr& server, RegisteredType type);
void register_function(const RemoteServerPtr& server, RegisteredFunction function);
bool knows_type(const RemoteServerPtr& server, std::uint64_t fingerprint);
Address server_address(const RemoteServerPtr& server);
void serve_remote(const RemoteServerPtr& server);
void end_remote_server(const RemoteServerPtr& server) noexcept;

}  // namespace procession::detail

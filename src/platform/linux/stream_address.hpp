#pragma once

#include <sys/socket.h>

#include <vector>

#include "procession/address.hpp"

// Addresses as the system takes them. For the files of this folder only.
namespace procession::platform {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] bool is_unix() const { return storage.ss_family == AF_UNIX; }
};

inline bool is_path(const Address& address) { return address.host.find('/') != std::string::npos; }

/// All that the address can mean, at least one, those of IPv4 first. Throws
/// `std::invalid_argument`; `ProcessError` when there is no such host.
std::vector<SocketAddress> resolve(const Address& address);

/// The other way round.
Address name_of(const SocketAddress& address);

}  // namespace procession::platform

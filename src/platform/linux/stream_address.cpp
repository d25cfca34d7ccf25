#include "platform/linux/stream_address.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

#include "platform/system_error.hpp"
#include "procession/error.hpp"

namespace procession::platform {

namespace {

SocketAddress unix_address(const Address& address) {
  SocketAddress made;
  auto& un = reinterpret_cast<sockaddr_un&>(made.storage);
  const std::string& name = address.host;
  if (name.size() >= sizeof un.sun_path || (name.size() == 1 && name[0] == '@') ||
      name.find('\0') != std::string::npos || address.port != 0) {
    throw std::invalid_argument("asked for the Unix socket '" + name + "' and port " +
                                std::to_string(address.port) + "; its name must have 1 to " +
                                std::to_string(sizeof un.sun_path - 1) +
                                " bytes, none of them zero, and it has no port");
  }
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, name.data(), name.size());
  made.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  if (name[0] == '@') {
    un.sun_path[0] = '\0';
  } else {
    ++made.size;
  }
  return made;
}

std::string text_of(int code) {
  return code == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(code);
}

}  // namespace

std::vector<SocketAddress> resolve(const Address& address) {
  if (is_path(address) || address.host.starts_with('@')) return {unix_address(address)};
  const std::string host = address.host.empty() ? "127.0.0.1" : address.host;
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code =
      ::getaddrinfo(host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (code != 0) {
    throw ProcessError("cannot find the host '" + host + "': " + text_of(code) +
                       "; an Address is {\"host\", port}, {\"/path\"} or {\"@name\"}");
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all(found, ::freeaddrinfo);
  std::vector<SocketAddress> addresses;
  std::ptrdiff_t fours = 0;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    SocketAddress made;
    std::memcpy(&made.storage, one->ai_addr, one->ai_addrlen);
    made.size = one->ai_addrlen;
    // Where a name has both kinds, Python's Listener and Client mean IPv4.
    const bool is_four = one->ai_family == AF_INET;
    addresses.insert(is_four ? addresses.begin() + fours++ : addresses.end(), made);
  }
  return addresses;
}

Address name_of(const SocketAddress& address) {
  if (address.is_unix()) {
    const auto& un = reinterpret_cast<const sockaddr_un&>(address.storage);
    const std::size_t size = address.size - offsetof(sockaddr_un, sun_path);
    if (address.size <= offsetof(sockaddr_un, sun_path)) return {};
    if (un.sun_path[0] == '\0') return {"@" + std::string(un.sun_path + 1, size - 1)};
    return {std::string(un.sun_path, ::strnlen(un.sun_path, size))};
  }
  char host[INET6_ADDRSTRLEN] = "";
  if (address.storage.ss_family == AF_INET6) {
    const auto& in = reinterpret_cast<const sockaddr_in6&>(address.storage);
    ::inet_ntop(AF_INET6, &in.sin6_addr, host, sizeof host);
    return {host, ntohs(in.sin6_port)};
  }
  const auto& in = reinterpret_cast<const sockaddr_in&>(address.storage);
  ::inet_ntop(AF_INET, &in.sin_addr, host, sizeof host);
  return {host, ntohs(in.sin_port)};
}

}  // namespace procession::platform

namespace procession {

std::string to_string(const Address& address) {
  if (platform::is_path(address) || address.host.starts_with('@')) return address.host;
  const std::string host = address.host.empty() ? "127.0.0.1" : address.host;
  return (host.find(':') != std::string::npos ? "[" + host + "]" : host) + ":" +
         std::to_string(address.port);
}

}  // namespace procession

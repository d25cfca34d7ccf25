#include "bare_network.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <vector>

namespace {

void check(bool good) {
  if (!good) std::abort();
}

/// Both ends of a connection over TCP.
struct Ends {
  int mine;
  int its;
};

Ends connect_ends() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const name = reinterpret_cast<sockaddr*>(&address);
  check(::bind(listener, name, size) == 0 && ::listen(listener, 1) == 0 &&
        ::getsockname(listener, name, &size) == 0);
  const Ends ends{::socket(AF_INET, SOCK_STREAM, 0), -1};
  check(::connect(ends.mine, name, size) == 0);
  const int its = ::accept(listener, nullptr, nullptr);
  const int one = 1;
  for (const int end : {ends.mine, its})
    check(::setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0);
  ::close(listener);
  return {ends.mine, its};
}

bool send_all(int socket, const void* bytes, std::size_t size) {
  const std::uint32_t length = htonl(static_cast<std::uint32_t>(size));
  std::size_t done = 0;
  while (done < sizeof length + size) {
    iovec parts[2] = {{const_cast<std::uint32_t*>(&length), sizeof length},
                      {const_cast<void*>(bytes), size}};
    if (done >= sizeof length) {
      parts[0].iov_len = 0;
      parts[1].iov_base = static_cast<char*>(parts[1].iov_base) + (done - sizeof length);
      parts[1].iov_len = sizeof length + size - done;
    }
    const ssize_t sent = ::writev(socket, parts, 2);
    if (sent <= 0) return false;
    done += static_cast<std::size_t>(sent);
  }
  return true;
}

bool receive_all(int socket, void* room, std::size_t size) {
  for (std::size_t done = 0; done < size;) {
    const ssize_t got = ::recv(socket, static_cast<char*>(room) + done, size - done, 0);
    if (got <= 0) return false;
    done += static_cast<std::size_t>(got);
  }
  return true;
}

/// Where the sizes are known beforehand, one call takes all.
struct Item {
  std::uint32_t length;
  std::uint64_t value;
} __attribute__((packed));

/// The end of a connection whose other end runs `serve` in a process of its own.
template <class Serve>
int served(Serve serve) {
  const Ends ends = connect_ends();
  if (::fork() == 0) {
    ::close(ends.mine);
    serve(ends.its);
    ::_exit(0);
  }
  ::close(ends.its);
  return ends.mine;
}

}  // namespace

void tcp_there_and_back(std::size_t times) {
  static const int end = served([](int socket) {
    for (Item item{}; receive_all(socket, &item, sizeof item);) {
      const std::uint64_t value = item.value;
      if (!send_all(socket, &value, sizeof value)) return;
    }
  });
  for (std::uint64_t i = 0; i < times; ++i) {
    Item item{};
    check(send_all(end, &i, sizeof i) && receive_all(end, &item, sizeof item) && item.value == i);
  }
}

void tcp_1m(std::size_t times) {
  constexpr std::size_t kBytes = std::size_t{1} << 20;
  static const int end = served([](int socket) {
    const std::vector<char> message(kBytes, 1);
    for (Item order{}; receive_all(socket, &order, sizeof order);) {
      for (std::uint64_t i = 0; i < order.value; ++i) {
        if (!send_all(socket, message.data(), message.size())) return;
      }
    }
  });
  static std::vector<char> room(kBytes);
  const std::uint64_t order = times;
  check(send_all(end, &order, sizeof order));
  for (std::size_t i = 0; i < times; ++i) {
    std::uint32_t length = 0;
    check(receive_all(end, &length, sizeof length) && receive_all(end, room.data(), room.size()));
  }
}

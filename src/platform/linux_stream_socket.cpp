#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <cerrno>
#include <string>

#include "platform/linux_poll.hpp"
#include "platform/stream_socket.hpp"
#include "platform/system_error.hpp"

namespace procession::platform {

namespace {

bool means_the_end(int code) {
  switch (code) {
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
    case ENOTCONN:
    case ESHUTDOWN:
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETRESET:
    case EHOSTDOWN:
    case ENETDOWN:
      return true;
    default:
      return false;
  }
}

Moved failed(const char* what) {
  if (errno == EAGAIN) return {Flow::none, 0};
  if (means_the_end(errno)) return {Flow::ended, 0};
  throw_system_error(what);
}

}  // namespace

void let_stream_block(int socket) {
  const int flags = ::fcntl(socket, F_GETFL);
  const timeval nap{kStreamNap.count(), 0};
  if (flags < 0 || ::fcntl(socket, F_SETFL, flags & ~O_NONBLOCK) != 0 ||
      ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &nap, sizeof nap) != 0 ||
      ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &nap, sizeof nap) != 0) {
    throw_system_error("prepare the socket of a connection");
  }
}

Moved receive_some(int socket, std::span<std::byte> room) {
  for (;;) {
    const ssize_t got = ::recv(socket, room.data(), room.size(), 0);
    if (got > 0) return {Flow::moved, static_cast<std::size_t>(got)};
    if (got == 0) return {Flow::ended, 0};
    if (errno != EINTR) return failed("receive from a connection");
  }
}

Moved receive_ready(int socket, std::span<std::byte> room) noexcept {
  const ssize_t got = ::recv(socket, room.data(), room.size(), MSG_DONTWAIT);
  if (got > 0) return {Flow::moved, static_cast<std::size_t>(got)};
  return {got == 0 ? Flow::ended : Flow::none, 0};
}

Moved send_some(int socket, std::span<const std::byte> first, std::span<const std::byte> second) {
  iovec parts[2] = {{const_cast<std::byte*>(first.data()), first.size()},
                    {const_cast<std::byte*>(second.data()), second.size()}};
  msghdr header{};
  header.msg_iov = parts;
  header.msg_iovlen = 2;
  for (;;) {
    const ssize_t sent = ::sendmsg(socket, &header, MSG_NOSIGNAL);
    if (sent >= 0) return {Flow::moved, static_cast<std::size_t>(sent)};
    if (errno != EINTR) return failed("send to a connection");
  }
}

bool wait_writable(int socket, const Deadline& deadline) {
  pollfd entry{socket, POLLOUT, 0};
  return poll_until({&entry, 1}, deadline, "a connection");
}

std::uint64_t socket_identity(int socket) {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  if (::getsockopt(socket, SOL_SOCKET, SO_COOKIE, &cookie, &size) != 0) {
    throw_system_error("tell the socket of a connection from others");
  }
  return cookie;
}

void expect_prompt_peer(int socket) noexcept {
  const auto set = [&](int option, int value) {
    ::setsockopt(socket, IPPROTO_TCP, option, &value, sizeof value);
  };
  set(TCP_KEEPIDLE, 3);
  set(TCP_KEEPINTVL, 2);
  set(TCP_KEEPCNT, 3);
  set(TCP_USER_TIMEOUT, 10'000);
}

}  // namespace procession::platform

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "platform/linux/poll.hpp"
#include "platform/stream_socket.hpp"
#include "platform/system_error.hpp"

namespace procession::platform {

namespace {

bool means_the_end(int code) { return code == EPIPE || code == ENOTCONN || code == ESHUTDOWN; }

bool means_loss(int code) {
  switch (code) {
    case ECONNRESET:
    case ECONNABORTED:
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

/// A Unix socket puts what is sent into the other side's hands at once, so nothing of it is ever
/// lost: there a reset only says that the other side has left something of ours unread.
bool can_lose(int socket) {
  int domain = 0;
  socklen_t size = sizeof domain;
  return ::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_UNIX;
}

Moved failed(int socket, const char* what) {
  const int code = errno;
  if (code == EAGAIN) return {Flow::none, 0};
  if (means_the_end(code)) return {Flow::ended, 0};
  if (!means_loss(code)) throw_system_error(what, code);
  if (!can_lose(socket)) return {Flow::ended, 0};
  return {Flow::lost, 0, ::strerrordesc_np(code)};
}

Moved receive(int socket, std::span<std::byte> room, int flags) {
  for (;;) {
    const ssize_t got = ::recv(socket, room.data(), room.size(), flags);
    if (got > 0) return {Flow::moved, static_cast<std::size_t>(got)};
    if (got == 0) return {Flow::ended, 0};
    if (errno != EINTR) return failed(socket, "receive from a connection");
  }
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

Moved receive_some(int socket, std::span<std::byte> room) { return receive(socket, room, 0); }

Moved receive_ready(int socket, std::span<std::byte> room) {
  return receive(socket, room, MSG_DONTWAIT);
}

Moved look_at(int socket, std::span<std::byte> room) {
  return receive(socket, room, MSG_DONTWAIT | MSG_PEEK);
}

std::size_t waiting_bytes(int socket) noexcept {
  int count = 0;
  return ::ioctl(socket, SIOCINQ, &count) == 0 && count > 0 ? static_cast<std::size_t>(count) : 0;
}

std::size_t kept_bytes(int socket) noexcept {
  // TCP joins pieces. A Unix socket has a buffer for each, and of the usual 208 KiB, which its
  // sender may fill, each takes more than 800 bytes.
  constexpr std::size_t kByTcp = 16384;
  constexpr std::size_t kByUnix = 200;
  return can_lose(socket) ? kByTcp : kByUnix;
}

bool is_at_end(int socket) noexcept {
  pollfd entry{socket, POLLRDHUP, 0};
  return ::poll(&entry, 1, 0) > 0;
}

Arrivals::Arrivals(int socket) : set_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!set_) throw_system_error("watch a connection");
  set_ = clear_of_standard(std::move(set_));
  // Told of each arrival once, and not as long as there is something.
  epoll_event event{EPOLLIN | EPOLLRDHUP | EPOLLET, {}};
  if (::epoll_ctl(set_.get(), EPOLL_CTL_ADD, socket, &event) != 0) {
    throw_system_error("watch a connection");
  }
}

bool Arrivals::wait(const Deadline& deadline) const {
  pollfd entry{set_.get(), POLLIN, 0};
  if (!poll_until({&entry, 1}, deadline, "a connection")) return false;
  epoll_event event{};
  static_cast<void>(::epoll_wait(set_.get(), &event, 1, 0));
  return true;
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
    if (errno != EINTR) return failed(socket, "send to a connection");
  }
}

void end_sending(int socket) noexcept { ::shutdown(socket, SHUT_WR); }

Flow discard_incoming(int socket) noexcept {
  // So much at a time that one who never stops sending does not keep the caller.
  constexpr int kPieces = 64;
  std::array<std::byte, 16384> piece;
  for (int i = 0; i != kPieces; ++i) {
    const ssize_t got = ::recv(socket, piece.data(), piece.size(), MSG_DONTWAIT);
    if (got == 0) return Flow::ended;
    if (got > 0 || errno == EINTR) continue;
    return errno == EAGAIN ? Flow::none : Flow::lost;
  }
  return Flow::moved;
}

bool has_unacknowledged(int socket) noexcept {
  int count = 0;
  // Of a Unix socket the same question tells what the other side has not received yet.
  return can_lose(socket) && ::ioctl(socket, SIOCOUTQ, &count) == 0 && count > 0;
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

bool host_is_silent(int socket) noexcept {
  constexpr unsigned kMostSilence =
      25'000;                     // ms; the same as where nothing was sent: stream_meeting.cpp
  constexpr unsigned kAsked = 5;  // some 6 s: the last answer may be an old one
  tcp_info info{};
  socklen_t size = sizeof info;
  return ::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_unacked != 0 &&
         info.tcpi_retransmits >= kAsked && info.tcpi_last_ack_recv >= kMostSilence;
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

#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>

#include "platform/socket.hpp"
#include "platform/system_error.hpp"

namespace procession::platform {

namespace {

/// Room for the descriptors of one message, aligned as the kernel wants it.
union Control {
  cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int) * kMostDescriptors)];
};

int flag_of(Waiting waiting) { return waiting == Waiting::no ? MSG_DONTWAIT : 0; }

}  // namespace

std::pair<Descriptor, Descriptor> message_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    throw_system_error("make a socket pair for the fork server");
  }
  std::pair<Descriptor, Descriptor> pair{Descriptor(ends[0]), Descriptor(ends[1])};
  return {clear_of_standard(std::move(pair.first)), clear_of_standard(std::move(pair.second))};
}

Delivery send_message(int socket, std::span<const std::byte> message,
                      std::span<const int> descriptors, Waiting waiting) {
  iovec part{const_cast<std::byte*>(message.data()), message.size()};
  Control control;
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!descriptors.empty()) {
    const std::size_t size = descriptors.size_bytes();
    header.msg_control = control.bytes;
    header.msg_controllen = CMSG_SPACE(size);
    std::memset(control.bytes, 0, header.msg_controllen);  // padding is sent too
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(&control.header), descriptors.data(), size);
  }
  for (;;) {
    if (::sendmsg(socket, &header, MSG_NOSIGNAL | flag_of(waiting)) >= 0) {
      return Delivery::done;
    }
    if (waiting == Waiting::no && (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS)) {
      return Delivery::no_room;
    }
    if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN) {
      return Delivery::peer_gone;
    }
    if (errno != EINTR) {
      throw_system_error("send a message to another process");
    }
  }
}

Received receive_message(int socket, std::span<std::byte> room, Waiting waiting, Look look) {
  iovec part{room.data(), room.size()};
  Control control;
  const int flags = MSG_CMSG_CLOEXEC | flag_of(waiting) | (look == Look::yes ? MSG_PEEK : 0);
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.bytes;
  header.msg_controllen = sizeof control;
  for (;;) {
    const ssize_t size = ::recvmsg(socket, &header, flags);
    if (size >= 0) {
      Received received{static_cast<std::size_t>(size), {}};
      for (cmsghdr* entry = CMSG_FIRSTHDR(&header); entry != nullptr;
           entry = CMSG_NXTHDR(&header, entry)) {
        if (entry->cmsg_level != SOL_SOCKET || entry->cmsg_type != SCM_RIGHTS) {
          continue;
        }
        const std::size_t count = (entry->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
          int number = -1;
          std::memcpy(&number, CMSG_DATA(entry) + i * sizeof(int), sizeof number);
          received.descriptors.emplace_back(number);
        }
      }
      return received;
    }
    if (errno == ECONNRESET || (waiting == Waiting::no && errno == EAGAIN)) {
      return {};
    }
    if (errno != EINTR) {
      throw_system_error("receive a message from another process");
    }
  }
}

}  // namespace procession::platform

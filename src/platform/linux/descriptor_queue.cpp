#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <span>

#include "platform/descriptor_queue.hpp"
#include "platform/socket.hpp"
#include "platform/system_error.hpp"

namespace procession::platform {

namespace {

/// Where the next look (MSG_PEEK) begins.
void look_from(int queue, std::size_t index) {
  const int offset = static_cast<int>(index * sizeof(QueuedTag));
  if (::setsockopt(queue, SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof offset) != 0) {
    throw_system_error("look at descriptors on their way between processes");
  }
}

}  // namespace

Descriptor make_descriptor_queue() {
  Descriptor socket =
      clear_of_standard(Descriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)));
  // No name is asked for: the kernel finds one, which nobody else can send to once it is connected.
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  socklen_t size = sizeof name;
  auto* const address = reinterpret_cast<sockaddr*>(&name);
  if (!socket || ::bind(socket.get(), address, sizeof name.sun_family) != 0 ||
      ::getsockname(socket.get(), address, &size) != 0 ||
      ::connect(socket.get(), address, size) != 0) {
    throw_system_error("make the socket in which descriptors travel between processes");
  }
  // As much room as the system admits.
  const int room = 8 << 20;
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) != 0) {
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  }
  return socket;
}

bool enqueue(int queue, const QueuedTag& tag, int descriptor) {
  return send_message(queue, std::as_bytes(std::span(&tag, 1)), std::span(&descriptor, 1),
                      Waiting::no) == Delivery::done;
}

std::optional<QueuedTag> queued_tag(int queue, std::size_t index) {
  look_from(queue, index);
  QueuedTag tag{};
  for (;;) {
    const ssize_t size = ::recv(queue, &tag, sizeof tag, MSG_PEEK | MSG_DONTWAIT);
    if (size == static_cast<ssize_t>(sizeof tag)) {
      return tag;
    }
    if (size >= 0 || errno != EINTR) {
      return std::nullopt;
    }
  }
}

Descriptor queued_descriptor(int queue, std::size_t index) {
  look_from(queue, index);
  QueuedTag tag{};
  Received received =
      receive_message(queue, std::as_writable_bytes(std::span(&tag, 1)), Waiting::no, Look::yes);
  if (received.descriptors.empty()) {
    throw_system_error("take over a descriptor that was sent to this process", EMFILE);
  }
  return clear_of_standard(std::move(received.descriptors.front()));
}

void dequeue(int queue) noexcept {
  QueuedTag tag{};
  while (::recv(queue, &tag, sizeof tag, MSG_DONTWAIT) < 0 && errno == EINTR) {
  }
}

}  // namespace procession::platform

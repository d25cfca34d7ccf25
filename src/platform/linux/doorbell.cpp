#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "platform/doorbell.hpp"
#include "platform/linux/poll.hpp"
#include "platform/system_error.hpp"

namespace procession::platform {

namespace {

constexpr char kStroke = 0x07;

bool all_strokes(const char* begin, ssize_t size) noexcept {
  return std::all_of(begin, begin + size, [](char byte) { return byte == kStroke; });
}

void limit_sleep(int socket) {
  const timeval nap{0, std::chrono::microseconds(kShortNap).count()};
  if (::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &nap, sizeof nap) != 0) {
    throw_system_error("prepare the socket of a pipe");
  }
}

Bell seen(const pollfd& entry) noexcept {
  if ((entry.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) {
    return Bell::gone;
  }
  return entry.revents != 0 ? Bell::rung : Bell::silent;
}

}  // namespace

std::pair<Descriptor, Descriptor> doorbell_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    throw_system_error("make the sockets of a pipe");
  }
  std::pair<Descriptor, Descriptor> raw{Descriptor(ends[0]), Descriptor(ends[1])};
  std::pair<Descriptor, Descriptor> pair{clear_of_standard(std::move(raw.first)),
                                         clear_of_standard(std::move(raw.second))};
  limit_sleep(pair.first.get());
  limit_sleep(pair.second.get());
  return pair;
}

bool ring_bell(int socket, unsigned strokes) noexcept {
  constexpr std::array<char, kMostBellBytes> kStrokes{kStroke, kStroke, kStroke, kStroke};
  for (;;) {
    if (::send(socket, kStrokes.data(), strokes, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 ||
        errno == EAGAIN) {
      return true;  // a bell that is full of bytes has been rung
    }
    if (errno != EINTR) {
      return false;
    }
  }
}

Bell silence_bell(int socket) noexcept {
  std::array<char, 256> bytes;
  bool foreign = false;
  for (;;) {
    const ssize_t size = ::recv(socket, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (size > 0) {
      foreign = foreign || !all_strokes(bytes.data(), size);
      if (size == static_cast<ssize_t>(bytes.size())) {
        continue;
      }
      return foreign ? Bell::foreign : Bell::silent;
    }
    if (size < 0 && errno == EINTR) {
      continue;
    }
    if (foreign) {
      return Bell::foreign;
    }
    return size < 0 && errno == EAGAIN ? Bell::silent : Bell::gone;
  }
}

Bell await_bell(int socket, unsigned bytes, std::chrono::nanoseconds nap) {
  if (nap > kShortNap) {
    const Bell bell = watch_bell(socket, Deadline(nap));
    if (bell != Bell::rung) {
      return bell;
    }
  }
  std::array<char, 16> taken;
  while (bytes != 0) {
    const std::size_t most = std::min<std::size_t>(bytes, taken.size());
    const ssize_t size = ::recv(socket, taken.data(), most, MSG_WAITALL);
    if (size == 0) {
      return Bell::gone;
    }
    if (size < 0) {
      if (errno == EINTR) {
        continue;
      }
      if (errno != EAGAIN) {
        return Bell::gone;
      }
      if ((::fcntl(socket, F_GETFL) & O_NONBLOCK) == 0) {
        return Bell::silent;
      }
      // The program made the socket one that does not wait.
      pollfd entry{socket, POLLIN, 0};
      ::poll(&entry, 1, static_cast<int>(kShortNap.count()));
      return seen(entry);
    }
    if (!all_strokes(taken.data(), size)) {
      return Bell::foreign;
    }
    bytes -= static_cast<unsigned>(size);
  }
  return Bell::rung;
}

Bell watch_bell(int socket, const Deadline& deadline) {
  pollfd entry{socket, POLLIN, 0};
  return poll_until({&entry, 1}, deadline, "a pipe") ? seen(entry) : Bell::silent;
}

bool is_abandoned(int socket) noexcept {
  pollfd entry{socket, 0, 0};
  return ::poll(&entry, 1, 0) > 0;
}

}  // namespace procession::platform

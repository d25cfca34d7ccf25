#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <utility>

#include "platform/fork_mark.hpp"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71  // Linux 5.14
#endif

// A mark is a socket with an abstract name, which lives as long as the socket does. Nobody sends
// anything to it: to connect tells whether it is there.
namespace procession::platform {

namespace {

struct MarkAddress {
  sockaddr_un name{};
  socklen_t size = 0;

  explicit MarkAddress(const ForkMarkName& mark) {
    name.sun_family = AF_UNIX;
    const int length =
        std::snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "procession-fork-%016llx",
                      static_cast<unsigned long long>(mark.number));
    size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 +
                                  static_cast<std::size_t>(length));
  }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&name); }
};

Descriptor make_mark_socket() {
  return clear_of_standard(Descriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)));
}

/// Names are looked for in one namespace only.
std::uint64_t namespace_of(int socket) noexcept {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  return ::getsockopt(socket, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

}  // namespace

ForkMark make_fork_mark() noexcept {
  ForkMark mark;
  try {
    mark.held = make_mark_socket();
    const bool named = mark.held && ::getrandom(&mark.name.number, sizeof mark.name.number, 0) ==
                                        static_cast<ssize_t>(sizeof mark.name.number);
    const MarkAddress address(mark.name);
    if (named && ::bind(mark.held.get(), address.get(), address.size) == 0) {
      mark.name.space = namespace_of(mark.held.get());
      return mark;
    }
  } catch (const std::exception&) {
    // No descriptor left but those of the standard streams.
  }
  return {};
}

bool is_gone(const ForkMarkName& mark) noexcept {
  if (mark.number == 0) return false;
  try {
    const Descriptor socket = make_mark_socket();
    const MarkAddress address(mark);
    return socket && namespace_of(socket.get()) == mark.space &&
           ::connect(socket.get(), address.get(), address.size) != 0 && errno == ECONNREFUSED;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace procession::platform

// How two programs come to have a stream socket between them.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "platform/linux/stream_address.hpp"
#include "platform/stream_socket.hpp"
#include "platform/system_error.hpp"
#include "procession/error.hpp"

namespace procession::platform {

namespace {

/// A host that is gone without a word is noticed after so many seconds of silence, and three
/// questions that it does not answer.
constexpr int kSilence = 10;
constexpr int kQuestions = 3;
constexpr int kBetweenQuestions = 5;

void set(int socket, int level, int option, int value) {
  if (::setsockopt(socket, level, option, &value, sizeof value) != 0) {
    throw_system_error("prepare a socket");
  }
}

/// Empty, and errno says why, where that cannot be: this host may have no IPv6, for one.
Descriptor open_socket(const SocketAddress& address) {
  const int made =
      ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  return made < 0 ? Descriptor() : clear_of_standard(Descriptor(made));
}

/// Small messages are to leave at once, and a vanished host is to be noticed.
void prepare(int socket, const SocketAddress& address) {
  if (address.is_unix()) return;
  set(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(socket, IPPROTO_TCP, TCP_KEEPIDLE, kSilence);
  set(socket, IPPROTO_TCP, TCP_KEEPINTVL, kBetweenQuestions);
  set(socket, IPPROTO_TCP, TCP_KEEPCNT, kQuestions);
}

[[noreturn]] void refuse_listening(const Address& address, int code) {
  std::string text = system_error_text("listen at " + to_string(address), code);
  if (code == EADDRINUSE) {
    text += is_path(address)
                ? "; a listener has that path, or one that was killed left the file behind: remove "
                  "it if nobody listens there any more"
                : "; another listener has that port: choose another, or 0 for any free one";
  }
  throw ProcessError(text);
}

[[noreturn]] void refuse_connecting(const Address& address, int code) {
  std::string text = system_error_text("connect to " + to_string(address), code);
  if (code == ECONNREFUSED || code == ENOENT) {
    text += "; nobody listens there: start the program with the ManagerServer or Listener first";
  } else if (code == EAGAIN) {
    text = "cannot connect to " + to_string(address) +
           ": its listener has as many connections waiting as it said it would; have it accept "
           "them, or give it a larger backlog";
  }
  throw ProcessError(text);
}

[[noreturn]] void refuse_waiting(const Address& address) {
  throw TimeoutError("asked to connect to " + to_string(address) +
                     ", and it had not answered when the time-out passed; is the host up, and does "
                     "a firewall let the port through?");
}

/// 0, or the code of what went wrong.
int connect_socket(int socket, const SocketAddress& to, const Deadline& deadline) {
  if (::connect(socket, to.get(), to.size) == 0) return 0;
  if (errno != EINPROGRESS && errno != EINTR) return errno;
  if (!wait_writable(socket, deadline)) return ETIMEDOUT;
  int code = 0;
  socklen_t size = sizeof code;
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &size) == 0 ? code : errno;
}

/// A listener of this host whose backlog is full is waited for: the system does not.
int connect_patiently(int socket, const SocketAddress& to, const Deadline& deadline) {
  int code = connect_socket(socket, to, deadline);
  while (code == EAGAIN && to.is_unix() && !deadline.passed()) {
    ::usleep(1000);
    code = connect_socket(socket, to, deadline);
  }
  return code;
}

/// Empty, and errno says why, where the socket cannot have that address.
Descriptor bind_socket(const SocketAddress& place) {
  Descriptor socket = open_socket(place);
  if (!socket) return socket;
  // Else the port of a listener that has ended could not be had again for a minute.
  if (!place.is_unix()) set(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (::bind(socket.get(), place.get(), place.size) == 0) return socket;
  const int code = errno;
  socket.reset();
  errno = code;
  return socket;
}

}  // namespace

Descriptor listen_stream(const Address& address, int backlog) {
  int fault = 0;
  for (const SocketAddress& place : resolve(address)) {
    Descriptor socket = bind_socket(place);
    if (socket) {
      if (::listen(socket.get(), backlog) != 0) refuse_listening(address, errno);
      return socket;
    }
    if (fault == 0) fault = errno;
    // A name may have several addresses, not all of them this host's.
    if (errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT) break;
  }
  refuse_listening(address, fault);
}

Address local_address(int socket) {
  SocketAddress address;
  address.size = sizeof address.storage;
  if (::getsockname(socket, address.get(), &address.size) != 0) {
    throw_system_error("ask where a socket listens");
  }
  return name_of(address);
}

AcceptedStream accept_stream(int listener) {
  for (;;) {
    SocketAddress peer;
    peer.size = sizeof peer.storage;
    Descriptor socket(::accept4(listener, peer.get(), &peer.size, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) {
      switch (errno) {
        case EAGAIN:
          return {};
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
        case EBADF:
        case EINVAL:
          throw_system_error("accept a connection");
        default:
          continue;  // that one was gone before it was accepted
      }
    }
    socket = clear_of_standard(std::move(socket));
    prepare(socket.get(), peer);
    Address name = name_of(peer);
    if (name.host.empty()) return {std::move(socket), std::nullopt};
    return {std::move(socket), std::move(name)};
  }
}

Descriptor connect_stream(const Address& address, const Deadline& deadline) {
  int fault = 0;  // of several, that of the address that comes first
  for (const SocketAddress& place : resolve(address)) {
    Descriptor socket = open_socket(place);
    const int code = socket ? connect_patiently(socket.get(), place, deadline) : errno;
    if (code == 0) {
      prepare(socket.get(), place);
      return socket;
    }
    if (fault == 0) fault = code;
  }
  if (fault == ETIMEDOUT) refuse_waiting(address);
  refuse_connecting(address, fault);
}

SocketFile::SocketFile(const Address& address) {
  if (!is_path(address)) return;
  const std::size_t slash = address.host.rfind('/');
  const std::string folder = address.host.substr(0, slash + 1);
  folder_ = Descriptor(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder_) {
    const int code = errno;
    ::unlink(address.host.c_str());
    throw_system_error("keep the folder of the Unix socket '" + address.host + "' open", code);
  }
  folder_ = clear_of_standard(std::move(folder_));
  const std::string name = address.host.substr(slash + 1);
  struct stat found{};
  if (::fstatat(folder_.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) return;
  name_ = name;
  device_ = found.st_dev;
  inode_ = found.st_ino;
  maker_ = ::getpid();
}

void SocketFile::remove() noexcept {
  if (name_.empty() || maker_ != ::getpid()) return;
  struct stat found{};
  if (::fstatat(folder_.get(), name_.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 &&
      S_ISSOCK(found.st_mode) && found.st_dev == device_ && found.st_ino == inode_) {
    ::unlinkat(folder_.get(), name_.c_str(), 0);
  }
  name_.clear();
  folder_.reset();
}

}  // namespace procession::platform

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "platform/deadline.hpp"
#include "platform/descriptor.hpp"
#include "procession/address.hpp"

// Sockets between programs: bytes in order, over TCP or in this host.
namespace procession::platform {

/// Listens there; the socket does not block. Throws `ProcessError`; `std::invalid_argument` for
/// what is no address.
Descriptor listen_stream(const Address& address, int backlog);

/// Where a socket listens: with the port that the system chose.
Address local_address(int socket);

struct Guest {
  Descriptor socket;
  std::optional<Address> address;  ///< empty where it has no name
};

/// Somebody who has connected; the socket does not block. An empty socket when there is nobody.
/// Throws `ProcessError`, when there are no descriptors left for example.
Guest accept_stream(int listener);

/// Connects; the socket does not block. Throws `ProcessError`; `TimeoutError`;
/// `std::invalid_argument` for what is no address.
Descriptor connect_stream(const Address& address, const Deadline& deadline);

/// From now on, calls on the socket wait, but none for longer than kStreamNap.
void let_stream_block(int socket);
inline constexpr std::chrono::seconds kStreamNap{1};

enum class Flow {
  moved,  ///< some bytes
  none,   ///< none: it would have had to wait (longer)
  ended,  ///< the other side is gone
};

struct Moved {
  Flow flow;
  std::size_t bytes;
};

/// Takes bytes that are there; waits for some unless the socket does not block. Throws
/// `ProcessError` for other faults than the other side's end.
Moved receive_some(int socket, std::span<std::byte> room);

/// The same, but never waits. What went wrong, the next call of `receive_some` tells.
Moved receive_ready(int socket, std::span<std::byte> room) noexcept;

/// Sends from two pieces, the first first, as much as there is room for.
Moved send_some(int socket, std::span<const std::byte> first, std::span<const std::byte> second);

/// Waits until bytes can be sent, or the other side is gone; false when the deadline passes first.
bool wait_writable(int socket, const Deadline& deadline);

/// A number that descriptors of the same socket share, and others do not.
std::uint64_t socket_identity(int socket);

/// The file of a Unix socket, removed at the end of the scope by the process that made it, and only
/// if it is still the same file.
class SocketFile {
 public:
  SocketFile() = default;
  /// The file at which a socket has just begun to listen; nothing for other addresses.
  explicit SocketFile(const Address& address);
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;
  ~SocketFile() { remove(); }

  void remove() noexcept;

 private:
  std::string path_;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
  int maker_ = 0;
};

/// A peer whose host has vanished is noticed some ten seconds after it was last heard of, also
/// while something sent to it is on its way; and so is one that takes nothing for so long. For
/// peers that always read what they are sent. Does nothing to a socket that is not TCP.
void expect_prompt_peer(int socket) noexcept;

}  // namespace procession::platform

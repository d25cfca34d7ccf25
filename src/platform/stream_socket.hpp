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

struct AcceptedStream {
  Descriptor socket;
  std::optional<Address> address;  ///< empty where it has no name
};

/// Somebody who has connected; the socket does not block. An empty socket when there is nobody.
/// Throws `ProcessError`, when there are no descriptors left for example.
AcceptedStream accept_stream(int listener);

/// Connects; the socket does not block. Throws `ProcessError`; `TimeoutError`;
/// `std::invalid_argument` for what is no address.
Descriptor connect_stream(const Address& address, const Deadline& deadline);

/// From now on, calls on the socket wait, but none for longer than kStreamNap.
void let_stream_block(int socket);
inline constexpr std::chrono::seconds kStreamNap{1};

enum class Flow {
  moved,  ///< some bytes
  none,   ///< none: it would have had to wait (longer)
  ended,  ///< the other side sends, or takes, nothing more, and all that it sent was received
  lost,   ///< the connection broke: what was on its way either way may never arrive
};

struct Moved {
  Flow flow;
  std::size_t bytes;
  const char* why = nullptr;  ///< of a connection that is lost: the system's words, for ever valid
};

/// Takes bytes that are there; waits for some unless the socket does not block. Throws
/// `ProcessError` for other faults than those of the connection. The system tells of a loss once,
/// and whoever asks again is told of an end.
Moved receive_some(int socket, std::span<std::byte> room);

/// Takes bytes that are there, and never waits. Throws as `receive_some`.
Moved receive_ready(int socket, std::span<std::byte> room);

/// Copies bytes that are there and leaves them where they are; never waits. Throws as
/// `receive_some`, and a loss that it tells of nobody else is told of either.
Moved look_at(int socket, std::span<std::byte> room);

/// Bytes that could be received without waiting.
std::size_t waiting_bytes(int socket) noexcept;

/// So many bytes the system keeps for who does not receive them yet, in however small pieces they
/// are sent. There may be room for no more.
std::size_t kept_bytes(int socket) noexcept;

/// Whether no more bytes will come than those that wait.
bool is_at_end(int socket) noexcept;

/// Whether the other host has not answered for 25 s though it was asked again and again to confirm
/// what was sent. The system asks nobody whether a host is there while something is unconfirmed,
/// and itself gives up after a quarter of an hour. A host whose program receives nothing does
/// answer.
bool host_is_silent(int socket) noexcept;

/// Waits until bytes have come since the call began, or the other side is gone, however many there
/// were before; false when the deadline passes first. A caller that has seen too few looks again
/// after the first time, since some may have come in between.
class Arrivals {
 public:
  explicit Arrivals(int socket);
  [[nodiscard]] bool wait(const Deadline& deadline) const;

 private:
  Descriptor set_;
};

/// Sends from two pieces, the first first, as much as there is room for.
Moved send_some(int socket, std::span<const std::byte> first, std::span<const std::byte> second);

/// Nothing more will be sent: the other side gets all that was, and then the end.
void end_sending(int socket) noexcept;

/// Drops what has come, and never waits. `moved`: there is more of it.
Flow discard_incoming(int socket) noexcept;

/// Whether the other side's host has not yet said that it has all that was sent, the end included.
/// Never where both sides are on one host without a network between: there it has it at once.
bool has_unacknowledged(int socket) noexcept;

/// Waits until bytes can be sent, or the other side is gone; false when the deadline passes first.
bool wait_writable(int socket, const Deadline& deadline);

/// A number that descriptors of the same socket share, and others do not.
std::uint64_t socket_identity(int socket);

/// The file of a Unix socket, removed at the end of the scope by the process that made it, and only
/// if it is still the same file; also where the working directory has changed since, or a folder of
/// the path has another name.
class SocketFile {
 public:
  SocketFile() = default;
  /// The file at which a socket has just begun to listen; nothing for other addresses. Throws
  /// `ProcessError` when its folder cannot be kept open, and the file has been removed then.
  explicit SocketFile(const Address& address);
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;
  ~SocketFile() { remove(); }

  void remove() noexcept;

 private:
  Descriptor folder_;
  std::string name_;  ///< in the folder; empty: there is nothing to remove
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
  int maker_ = 0;
};

/// A peer whose host has vanished is noticed some ten seconds after it was last heard of, also
/// while something sent to it is on its way; and so is one that takes nothing for so long. For
/// peers that always read what they are sent. Does nothing to a socket that is not TCP.
void expect_prompt_peer(int socket) noexcept;

}  // namespace procession::platform

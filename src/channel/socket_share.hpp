// Which processes have a socket.
//
// To end a connection is to end it for all who have its socket: so only the last one may, and the
// kernel does not tell who that is. So the socket has a block of the shared heap that is nothing
// but a name. Each process that has the socket holds it, and so does each message that brings the
// socket to a process; whoever drops the last hold ends the connection. A process that was killed
// holds it until it is reaped: till then the others only close the socket.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>

#include "procession/codec.hpp"
#include "procession/detail/handle.hpp"

namespace procession::channel {

/// This process's part in one socket. Thread-safe.
class SocketShare {
 public:
  SocketShare() = default;
  SocketShare(const SocketShare&) = delete;
  SocketShare& operator=(const SocketShare&) = delete;

  /// Of a new socket, which no other process has yet. Programs that start no processes need no
  /// shared memory for it, so it gets its name at once only where there is some.
  void begin();

  /// Gives the part up. True when nobody else has one, for certain.
  bool leave() noexcept;

  /// What is left to be done for `leave`, perhaps by who must not wait for a lock here.
  struct Part {
    detail::Handle name;
    bool counted = true;

    bool leave() noexcept { return (name.address() == nullptr || name.leave()) && counted; }
  };
  /// Empty where another thread is at it.
  std::optional<Part> try_take() noexcept;

  /// The block that names those who have the socket; 0: others may have it too.
  std::uint64_t name_of(int socket);
  /// Whether somebody has the socket that the block named when it was asked for.
  static bool is_known(std::uint64_t name, int socket) noexcept;

  /// Lets a message hold a part. `once`: it goes to a process that is about to start, which reads
  /// it once and then has it for as long as it lives.
  void encode(Encoder& encoder, bool once);
  /// This process's part, by a message.
  void decode(Decoder& decoder, bool once);

  /// This process is about to be forked: the child gets a hold on all that has a name.
  void before_fork() noexcept {
    if (!named_) uncounted_ = true;
  }
  void forked() noexcept;

 private:
  detail::Handle name();

  std::mutex mutex_;
  detail::Handle name_;  ///< empty: no other process has the socket
  std::atomic<bool> named_{false};
  std::atomic<bool> uncounted_{false};  ///< there may be processes that have it and do not hold it
};

}  // namespace procession::channel

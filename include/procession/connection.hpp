/// Messages between two processes, and waiting for several things at a time.
///
///     void child(mp::Connection connection) {
///       connection.send(std::vector{42, 43});
///     }
///
///     auto [parent_end, child_end] = mp::Pipe();
///     mp::Process process(child, child_end);
///     process.start();
///     child_end.close();  // so that the end of the child is the end of the messages
///     auto list = parent_end.recv<std::vector<int>>();
///     parent_end.recv<int>();  // throws EndOfFile once the child has ended
///
/// A connection has two ends, and each end lives as long as any process has it: as an argument of a
/// process or a task, as an element of a queue, in a struct, in a message of another connection.
/// When the last one that had it has closed it or has ended, be it by SIGKILL, the other end gets
/// what was sent before and then `EndOfFile`. An end that was sent and not received yet is had by
/// the message, also where that lies in the very pipe and nobody else has the end: then the other
/// one waits until it is closed, too. After that nobody can reach the pipe, and it goes as a queue
/// in itself does (queue.hpp), with its descriptors.
///
/// Of a connection by TCP that is so where it was closed: by `close`, by a destructor, or by the
/// end of its process where that returns from main() or its target, or calls exit(). A process that
/// is killed, or calls _exit(), while something is unread, takes with it what had not been
/// delivered: that is a `ConnectionLost` to the other side, never an `EndOfFile`.
///
/// Programs that are not of one tree, on one host or on two, meet by Listener and Client:
///
///     mp::Listener listener({"0.0.0.0", 5000}, {.authkey = key});
///     mp::Connection connection = listener.accept();
///
///     mp::Connection connection = mp::Client({"server", 5000}, {.authkey = key});
///
/// What travels there is the wire format of CPython: a `multiprocessing.connection` of Python may
/// be the other side of `send_bytes` and `recv_bytes`. Values are for programs of this library.
///
/// A child by the start method `fork` inherits what its parent has open, connections among it. Of
/// a pipe of which it is given an end as an argument, it keeps that end only.
#pragma once

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "procession/address.hpp"
#include "procession/codec.hpp"
#include "procession/detail/connection_core.hpp"
#include "procession/detail/listener_core.hpp"
#include "procession/detail/stored.hpp"
#include "procession/error.hpp"
#include "procession/timeout.hpp"

namespace procession {

/// One end of a connection. A handle: copies in a process are the same end and share its
/// descriptor, copies in other processes have one of their own. Thread-safe and process-safe:
/// messages of several senders do not mix, each is received by one receiver. SIGKILL of a process
/// loses at most the message that it was itself sending or receiving. Python:
/// `multiprocessing.connection.Connection`.
///
/// One between programs (of Listener and Client) can be passed on to processes of the tree too, but
/// one process at a time may receive from it, and one send: threads of a process are told apart,
/// processes are not. SIGKILL of a process in the middle of a message ends such a connection. One
/// of a Client without an authkey whose listener has one is closed, with an `AuthenticationError`,
/// by the call that finds the listener's challenge in place of the first message.
///
/// All members throw `ProcessError` after `close()`, where they do not say otherwise.
class Connection {
 public:
  /// Names no connection; it is as if closed. Others come from Pipe(), Listener and Client().
  Connection() = default;

  /// Sends a value of any encodable type; text and views arrive as what owns its elements
  /// (`std::string`, `std::vector`). Waits while the ring (64 KiB of small messages, 16 MiB of
  /// large ones) is full. Throws `BrokenPipe` when nobody has the other end any more;
  /// `ProcessError` at the receiving end of a simplex pipe; `OutOfMemory`; and what `encode` does.
  /// To another program, no handle and no function can be sent: `ProcessError`.
  /// Python: `send(obj)`.
  template <class T>
  void send(const T& value) const {
    using Sent = detail::Kept<const T&>;
    if constexpr (Encodable<Sent>) {
      detail::MessageBuilder builder(transport_);
      detail::encode_argument(builder, value);
      detail::send_value(transport_, builder, fingerprint<Sent>(), type_name<Sent>());
    } else {
      detail::refuse<Sent>();
    }
  }

  /// The next message, which must be a T. Waits for it. Throws `TypeMismatch` when a value of
  /// another type was sent, which is dropped: the next call gets the next message. Throws
  /// `EndOfFile` when there is no message and nobody has the other end any more; `ConnectionLost`
  /// when a connection to another program broke, so that messages may be missing; `DecodeError`
  /// when what arrived is no message (the connection is closed then) or does not decode;
  /// `ProcessError` at the sending end of a simplex pipe. Python: `recv()`.
  template <class T>
  T recv() const {
    if constexpr (Encodable<T> && std::is_default_constructible_v<T>) {
      detail::Incoming message;
      detail::receive_value(transport_, message, fingerprint<T>(), type_name<T>());
      Decoder decoder(message.bytes());
      if (message.untrusted()) decoder.set_untrusted();
      T value = procession::decode<T>(decoder);
      decoder.expect_end();
      return value;
    } else {
      detail::refuse<T>();
    }
  }

  /// Sends bytes as they are, of any number. Throws as `send`. Python: `send_bytes(buf)`.
  void send_bytes(std::span<const std::byte> bytes) const { detail::send_bytes(transport_, bytes); }

  /// The next message, which must be one of `send_bytes`. Throws as `recv`; `BufferTooShort`, which
  /// carries the message, for one of more than `maxlength` bytes, and the connection stays usable.
  /// Python: `recv_bytes(maxlength)`.
  [[nodiscard]] std::vector<std::byte> recv_bytes(
      std::optional<std::size_t> maxlength = std::nullopt) const {
    return detail::receive_bytes(transport_, maxlength);
  }

  /// The same into the caller's memory; returns the number of bytes. Throws `BufferTooShort`, which
  /// carries the message, where it does not fit. Python: `recv_bytes_into(buf)`.
  std::size_t recv_bytes_into(std::span<std::byte> buffer) const {
    return detail::receive_bytes_into(transport_, buffer);
  }

  /// Whether a receiving call would not wait: there is a message, or the end of file. Waits for it
  /// as long as the time-out says, by default not at all. A message of another program counts once
  /// it is there whole, or so much of it as the system is sure to keep: 16 KiB by TCP, 200 bytes by
  /// a Unix socket. Of an encrypted one its first byte counts. While another thread receives, what
  /// comes is that thread's. Throws `ProcessError` at the sending end of a simplex pipe. Python:
  /// `poll(timeout)`, of which a part of a message is enough.
  [[nodiscard]] bool poll(Timeout timeout = Duration::zero()) const {
    return detail::poll_connection(transport_, timeout);
  }

  /// A descriptor for poll(), epoll and their kin: readable while `poll()` would give true. At
  /// times it is readable when there is nothing, because another process took the message: ask
  /// `poll()` before a call that waits; and readable by a part of another program's message, and
  /// not readable by what was decrypted with the message before. Belongs to the connection: neither
  /// read, write nor close it. From the first call on, sending and receiving cost some system calls
  /// more. Python: `fileno()`.
  [[nodiscard]] int fileno() const { return detail::connection_descriptor(transport_); }

  /// Gives this end up, for all copies in this process; a second call does nothing. Does not wait,
  /// and all that was sent arrives: of a connection to another program that is seen to afterwards,
  /// for ten seconds at most, and at the end of the program for one second; what comes from the
  /// other side meanwhile is dropped. Calls of other threads that wait on it end with
  /// `ProcessError`, at the latest some seconds later. Python: `close()`.
  void close() const { detail::close_connection(transport_); }
  /// Whether `close` was called. Never throws. Python: `closed`.
  [[nodiscard]] bool closed() const noexcept { return detail::connection_is_closed(transport_); }

  /// Whether this end receives. Python: `readable`.
  [[nodiscard]] bool readable() const { return detail::connection_is_readable(transport_); }
  /// Whether this end sends. Python: `writable`.
  [[nodiscard]] bool writable() const { return detail::connection_is_writable(transport_); }

  /// What makes connections values that can be sent; use procession::encode and decode.
  friend void encode(Encoder& encoder, const Connection& connection) {
    detail::encode_connection(encoder, connection.transport_);
  }
  friend void decode(Decoder& decoder, Connection& connection) {
    connection.transport_ = detail::decode_connection(decoder);
  }

 private:
  friend class Waitable;
  friend class Listener;
  friend Connection Client(const Address& address, const ClientOptions& options);
  friend std::pair<Connection, Connection> Pipe(bool duplex);

  explicit Connection(detail::TransportPtr transport) noexcept : transport_(std::move(transport)) {}

  detail::TransportPtr transport_;
};

/// Two connected ends. Duplex: both send and receive; simplex: the first receives, the second
/// sends. Thread-safe. Throws `OutOfMemory`; `ProcessError` when there are no descriptors left.
/// Python: `multiprocessing.Pipe(duplex)`.
[[nodiscard]] inline std::pair<Connection, Connection> Pipe(bool duplex = true) {
  auto [first, second] = detail::make_pipe(duplex);
  return {Connection(std::move(first)), Connection(std::move(second))};
}

/// Waits for clients. Movable, not copyable; it belongs to the process that made it. Any thread may
/// call any member, but for moving and destroying. Python: `multiprocessing.connection.Listener`.
class Listener {
 public:
  /// Listens there, from now on. Throws `ProcessError` when that cannot be: the port or the path is
  /// in use, the host is not this one; `std::invalid_argument` for what is no address, for an
  /// authkey of no bytes and for options out of range. Python: `Listener(address, authkey=...)`.
  explicit Listener(const Address& address = {}, const ListenerOptions& options = {})
      : core_(detail::make_listener(address, options)) {}
  Listener(Listener&& other) noexcept = default;
  /// Closes what this object named before.
  Listener& operator=(Listener&& other) noexcept {
    Listener closed(std::move(*this));
    core_ = std::move(other.core_);
    return *this;
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  /// As `close()`.
  ~Listener() { close(); }

  /// The next client that has connected and, where there is an authkey, proved that it has it, and
  /// to which this program has proved the same. Clients are at that side by side, a slow one holds
  /// up nobody, and it goes on only while some thread is in accept() or wait(). One that does not
  /// prove the key in time, or at all, is dropped and logged (level info), and the others go on;
  /// Python ends `accept()` with `AuthenticationError`. Throws `TimeoutError` when the time-out
  /// passes first; `ProcessError` after `close()`, also
  /// of another thread meanwhile, and when there are no descriptors left. Python: `accept()`.
  [[nodiscard]] Connection accept(Timeout timeout = {}) {
    return Connection(detail::accept_connection(core_, timeout));
  }

  /// Where it listens, with the port that the system chose. Throws `ProcessError` when it was moved
  /// from. Python: `address`.
  [[nodiscard]] Address address() const { return detail::listener_address(core_); }
  /// Where the client of the last accept() had connected from; empty where that has no name, as for
  /// Unix sockets, and before the first. Throws as `address`. Python: `last_accepted`.
  [[nodiscard]] std::optional<Address> last_accepted() const {
    return detail::last_accepted(core_);
  }

  /// Listens no longer, and removes the file of a Unix socket if it is still its own. Connections
  /// that were accepted stay. A second call does nothing. Never throws. Python: `close()`.
  void close() noexcept { detail::close_listener(core_); }

 private:
  friend class Waitable;

  detail::ListenerPtr core_;
};

/// Connects to a Listener, which may be one of Python. Thread-safe. Throws `ProcessError` when
/// nobody listens there; `AuthenticationError` when either side does not prove that it has the key;
/// `EndOfFile` when the listener gave up meanwhile; `TimeoutError` when the time-out of the options
/// passes first; `std::invalid_argument` for what is no address or key. Python: `Client(address,
/// authkey=...)`.
[[nodiscard]] inline Connection Client(const Address& address, const ClientOptions& options = {}) {
  return Connection(detail::connect_to(address, options));
}

/// Something to wait for: a connection, until it has a message or its end of file; a listener,
/// until it has a connection to give; the sentinel of a process, until that has ended; any other
/// descriptor, until it is readable.
class Waitable {
 public:
  /// A connection. Never throws.
  Waitable(const Connection& connection) : what_(connection.transport_) {}  // NOLINT: as a value
  /// A listener. Never throws.
  Waitable(const Listener& listener) : what_(listener.core_) {}  // NOLINT
  /// A sentinel or another descriptor of the caller's. Never throws.
  Waitable(int descriptor) : what_(descriptor) {}  // NOLINT

 private:
  friend std::vector<std::size_t> wait(std::span<const Waitable> waitables, Timeout timeout);

  std::variant<detail::TransportPtr, detail::ListenerPtr, int> what_;
};

/// Waits until at least one is ready; the indices of all that are, in order. Empty when the
/// time-out passes first, and for an empty span at once. Thread-safe. Throws
/// `std::invalid_argument` for a negative descriptor; `ProcessError`, which tells the
/// index, for a connection, listener or descriptor that is closed. Python:
/// `multiprocessing.connection.wait(object_list, timeout)`, which returns the objects.
[[nodiscard]] std::vector<std::size_t> wait(std::span<const Waitable> waitables,
                                            Timeout timeout = {});
/// The same for a list in braces: `wait({a, b, process.sentinel()})`.
[[nodiscard]] inline std::vector<std::size_t> wait(std::initializer_list<Waitable> waitables,
                                                   Timeout timeout = {}) {
  return wait(std::span<const Waitable>(waitables.begin(), waitables.size()), timeout);
}
/// The same for a range of connections, listeners or descriptors.
template <class Range>
  requires(requires(Range& range) { Waitable(*std::begin(range)); } &&
           !std::convertible_to<Range, std::span<const Waitable>>)
[[nodiscard]] std::vector<std::size_t> wait(Range&& range, Timeout timeout = {}) {
  std::vector<Waitable> all;
  for (auto&& one : range)
    all.emplace_back(one);
  return wait(std::span<const Waitable>(all), timeout);
}

}  // namespace procession

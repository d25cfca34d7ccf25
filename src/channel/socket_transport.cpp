#include "channel/socket_transport.hpp"

#include <algorithm>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "channel/depot.hpp"
#include "channel/frame.hpp"
#include "channel/lane_sender.hpp"
#include "channel/value_frame.hpp"
#include "platform/stream_socket.hpp"
#include "platform/wait.hpp"
#include "procession/error.hpp"

namespace procession::detail {

using namespace channel;
using platform::Flow;
using platform::Moved;

namespace {

[[noreturn]] void throw_other_side_gone() {
  throw BrokenPipe(
      "asked to send to a connection whose other side is gone: it closed the connection, or its "
      "program or host has ended");
}

[[noreturn]] void throw_too_large(const Outgoing& message, std::uint64_t size, std::uint64_t most) {
  throw ProcessError("asked to send " + std::string(message.type) + " of " + std::to_string(size) +
                     " bytes to another program, which takes messages of up to " +
                     std::to_string(most) +
                     "; send less at a time, or raise max_frame in its ListenerOptions or "
                     "ClientOptions");
}

[[noreturn]] void throw_end(bool begun) {
  if (!begun) {
    throw EndOfFile(
        "asked to receive from a connection whose other side is gone: it closed the connection, or "
        "its program or host has ended, and all that it sent was received");
  }
  throw DecodeError(
      "asked to receive a message, found the end of the connection in the middle of one; the other "
      "side ended over it, or does not speak the format of multiprocessing.connection. The "
      "connection was closed");
}

/// The caller's memory, as a reader.
class RoomReader {
 public:
  explicit RoomReader(std::span<std::byte> room) noexcept : room_(room) {}
  [[nodiscard]] std::span<std::byte> room() const noexcept { return room_; }
  void filled(std::size_t bytes) noexcept { room_ = room_.subspan(bytes); }
  [[nodiscard]] bool complete() const noexcept { return room_.empty(); }

 private:
  std::span<std::byte> room_;
};

}  // namespace

/// Closes the connection when a message was begun and not ended: nobody knows any more where the
/// next one begins.
class SocketTransport::Cautious {
 public:
  explicit Cautious(Transport& transport) noexcept : transport_(transport) {}
  Cautious(const Cautious&) = delete;
  Cautious& operator=(const Cautious&) = delete;
  ~Cautious() {
    if (begun_) transport_.close();
  }
  void begin() noexcept { begun_ = true; }
  void end() noexcept { begun_ = false; }
  [[nodiscard]] bool begun() const noexcept { return begun_; }

 private:
  Transport& transport_;
  bool begun_ = false;
};

SocketTransport::SocketTransport(platform::Descriptor socket, std::uint64_t max_frame, TlsPtr tls)
    : Transport(std::move(socket)), max_frame_(max_frame), tls_(std::move(tls)) {}

void SocketTransport::send_bytes(std::span<const std::byte> bytes) {
  Outgoing message{0, {}, bytes, {}, bytes.size()};
  send(message);
}

void SocketTransport::send(Outgoing& message) {
  const Use use(*this);
  tidy();
  std::vector<std::byte> value_head;
  if (message.fingerprint != 0) write_value_head(value_head, message.fingerprint, message.type);
  const std::uint64_t size = value_head.size() + message.size;
  if (size > most_sent_) throw_too_large(message, size, most_sent_);
  const FrameHead frame(size);
  std::vector<std::byte> head(frame.bytes().begin(), frame.bytes().end());
  head.insert(head.end(), value_head.begin(), value_head.end());
  const std::lock_guard lock(sending_);
  send_all(use.descriptor(), head, message.bytes);
}

void SocketTransport::send_all(int socket, std::span<const std::byte> head,
                               std::span<const std::byte> body) {
  Cautious cautious(*this);
  while (!head.empty() || !body.empty()) {
    const Moved moved = send_some(socket, tls_, head, body);
    if (moved.flow == Flow::ended) throw_other_side_gone();
    if (moved.flow == Flow::none && closed()) refuse_closed();
    if (moved.bytes == 0) continue;
    cautious.begin();
    const std::size_t of_head = std::min(moved.bytes, head.size());
    head = head.subspan(of_head);
    body = body.subspan(moved.bytes - of_head);
  }
  cautious.end();
}

template <class Reader>
void SocketTransport::fill(int socket, Reader& reader, Cautious& cautious) {
  while (!reader.complete()) {
    const Moved moved = receive_some(socket, tls_, reader.room());
    if (moved.flow == Flow::ended) throw_end(cautious.begun());
    if (moved.flow == Flow::none && closed()) refuse_closed();
    if (moved.bytes == 0) continue;
    cautious.begin();
    reader.filled(moved.bytes);
  }
}

/// Awake at first: to be woken costs more than the way of a small message.
void SocketTransport::await_first(int socket, LengthReader& length, Cautious& cautious) {
  Moved moved{Flow::none, 0};
  spin_.spin([&] {
    moved = platform::receive_ready(socket, length.room());
    return moved.flow != Flow::none;
  });
  if (moved.flow == Flow::ended) throw_end(false);
  if (moved.bytes == 0) return;
  cautious.begin();
  length.filled(moved.bytes);
}

void SocketTransport::receive(Incoming& message) {
  const Use use(*this);
  tidy();
  const std::lock_guard lock(receiving_);
  Cautious cautious(*this);
  LengthReader length(max_frame_);
  if (tls_ == nullptr) await_first(use.descriptor(), length, cautious);
  fill(use.descriptor(), length, cautious);
  const std::span<std::byte> room = message.room();
  if (!room.empty() && length.length() <= room.size()) {
    RoomReader body(room.first(length.length()));
    fill(use.descriptor(), body, cautious);
    message.view(room.first(length.length()));
  } else {
    BodyReader body(length.length());
    fill(use.descriptor(), body, cautious);
    message.keep(body.take());
  }
  cautious.end();
  message.come_from_abroad();
  if (const auto head = read_value_head(message.bytes())) {
    message.describe(head->fingerprint, head->type);
    message.skip(head->size);
  } else {
    message.describe(0, {});
  }
}

bool SocketTransport::poll(const platform::Deadline& deadline) {
  const Use use(*this);
  tidy();
  for (;;) {
    if (buffered()) return true;
    const Timeout left = deadline.left();
    const Duration nap =
        left ? std::min<Duration>(*left, platform::kStreamNap) : Duration(platform::kStreamNap);
    if (platform::wait_readable(use.descriptor(), platform::Deadline(nap))) return true;
    if (deadline.passed()) return false;
    if (closed()) refuse_closed();
  }
}

bool SocketTransport::settle(int descriptor) {
  if (buffered()) return true;
  return platform::wait_readable(descriptor, platform::Deadline(Duration::zero()));
}

int SocketTransport::watch() {
  const Use use(*this);
  tidy();
  return use.descriptor();
}

void SocketTransport::left() noexcept { tidy(); }

void SocketTransport::forked() noexcept {
  // The threads that had them did not come along.
  new (&sending_) std::mutex;
  new (&receiving_) std::mutex;
  // Two processes must not encrypt with the same keys: it stays the parent's.
  if (tls_ != nullptr) close();
}

void SocketTransport::tidy() noexcept {
  if (parked_.load(std::memory_order_relaxed) && parked_.exchange(false)) sweep_depot();
}

void SocketTransport::encode(Encoder& encoder) {
  const Use use(*this);
  if (tls_ != nullptr) {
    throw ProcessError(
        "asked to pass an encrypted connection on to another process; it can be used by the "
        "process that made it only: connect or accept there, or pass the messages on");
  }
  procession::encode(encoder, kKind);
  procession::encode(encoder, max_frame_);
  encode_descriptor(encoder, use.descriptor());
}

TransportPtr SocketTransport::decode(Decoder& decoder) {
  const auto max_frame = procession::decode<std::uint64_t>(decoder);
  SentDescriptor sent = decode_descriptor(decoder);
  // See PipeEnd::decode.
  const std::uint64_t identity = platform::socket_identity(sent.descriptor.get());
  Transports::close_inherited([&](Transport& one) {
    auto* const other = dynamic_cast<SocketTransport*>(&one);
    return other != nullptr && !other->closed() && other->identity() == identity;
  });
  auto made = std::make_shared<SocketTransport>(std::move(sent.descriptor), max_frame);
  made->parked_ = sent.parked;
  return made;
}

std::uint64_t SocketTransport::identity() {
  const Use use(*this);
  return platform::socket_identity(use.descriptor());
}

}  // namespace procession::detail

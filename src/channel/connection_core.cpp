#include "procession/detail/connection_core.hpp"

#include <string>

#include "channel/pipe_end.hpp"
#include "channel/pipe_ring_sender.hpp"
#include "channel/socket_transport.hpp"
#include "procession/detail/copy_bytes.hpp"
#include "procession/error.hpp"

namespace procession::detail {

namespace {

constexpr std::string_view kBytes = "bytes";

Transport& named(const TransportPtr& transport) {
  if (transport == nullptr) Transport::refuse_closed();
  return *transport;
}

void check_type(const Incoming& message, std::uint64_t fingerprint, std::string_view asked) {
  if (message.fingerprint() == fingerprint) return;
  if (message.fingerprint() != 0) throw_type_mismatch(asked, message.fingerprint(), message.type());
  throw TypeMismatch(
      std::string(asked), std::string(kBytes),
      "asked to receive a value of type " + std::string(asked) +
          ", but bytes were sent: take them by recv_bytes() (this message was dropped). What "
          "Python's Connection.send() has sent is pickled: use send_bytes() there");
}

}  // namespace

std::pair<TransportPtr, TransportPtr> make_pipe(bool duplex, bool in_forks) {
  return PipeEnd::make(duplex, in_forks);
}

void send_value(const TransportPtr& transport, MessageBuilder& builder, std::uint64_t fingerprint,
                std::string_view type) {
  channel::Outgoing message{fingerprint, type, {}, {}, builder.size()};
  const std::span<const std::byte> bytes = builder.bytes();
  message.block = heap::Block::own(builder.release());
  if (!message.block) message.bytes = bytes;
  named(transport).send(message);
}

void send_bytes(const TransportPtr& transport, std::span<const std::byte> bytes) {
  named(transport).send_bytes(bytes);
}

void receive_value(const TransportPtr& transport, Incoming& message, std::uint64_t fingerprint,
                   std::string_view type) {
  named(transport).receive(message);
  check_type(message, fingerprint, type);
}

std::vector<std::byte> receive_bytes(const TransportPtr& transport,
                                     std::optional<std::size_t> most) {
  Incoming message;
  receive_value(transport, message, 0, kBytes);
  std::vector<std::byte> bytes = message.take();
  if (most && bytes.size() > *most) throw BufferTooShort(std::move(bytes), *most);
  return bytes;
}

std::size_t receive_bytes_into(const TransportPtr& transport, std::span<std::byte> room) {
  Incoming message(room);
  receive_value(transport, message, 0, kBytes);
  const std::span<const std::byte> bytes = message.bytes();
  if (bytes.size() > room.size()) throw BufferTooShort(message.take(), room.size());
  if (!bytes.empty() && bytes.data() != room.data()) {
    copy_bytes(room.data(), bytes.data(), bytes.size());
  }
  return bytes.size();
}

bool poll_connection(const TransportPtr& transport, Timeout timeout) {
  return named(transport).poll(platform::Deadline(timeout));
}

int connection_descriptor(const TransportPtr& transport) { return named(transport).watch(); }

void close_connection(const TransportPtr& transport) {
  if (transport != nullptr) transport->close();
}

bool connection_is_closed(const TransportPtr& transport) noexcept {
  return transport == nullptr || transport->closed();
}

bool connection_is_readable(const TransportPtr& transport) { return named(transport).readable(); }
bool connection_is_writable(const TransportPtr& transport) { return named(transport).writable(); }

void encode_connection(Encoder& encoder, const TransportPtr& transport) {
  named(transport).encode(encoder);
}

TransportPtr decode_connection(Decoder& decoder) {
  decoder.refuse_untrusted("a Connection");
  const auto kind = procession::decode<std::uint8_t>(decoder);
  if (kind == SocketTransport::kKind) return SocketTransport::decode(decoder);
  if (kind != PipeEnd::kKind) {
    throw DecodeError("asked to decode a Connection, found one of kind " + std::to_string(kind) +
                      ", which this library does not know; the bytes are damaged, or were encoded "
                      "as another type");
  }
  return PipeEnd::decode(decoder);
}

}  // namespace procession::detail

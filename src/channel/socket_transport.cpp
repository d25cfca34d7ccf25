#include "channel/socket_transport.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "channel/challenge.hpp"
#include "channel/descriptor_broker.hpp"
#include "channel/frame.hpp"
#include "channel/ordered_close.hpp"
#include "channel/pipe_ring_sender.hpp"
#include "channel/tls_sign.hpp"
#include "channel/value_frame.hpp"
#include "heap/heap.hpp"
#include "platform/stream_socket.hpp"
#include "platform/wait.hpp"
#include "procession/error.hpp"

namespace procession::detail {

using namespace channel;
using platform::Flow;
using platform::Moved;

namespace {

/// Bytes that a look at a message takes: small ones whole, which saves a system call.
constexpr std::size_t kLook = 64;

[[noreturn]] void throw_too_large(const Outgoing& message, std::uint64_t size, std::uint64_t most) {
  throw ProcessError("asked to send " + std::string(message.type) + " of " + std::to_string(size) +
                     " bytes to another program, which takes messages of up to " +
                     std::to_string(most) +
                     "; send less at a time, or raise max_frame in its ListenerOptions or "
                     "ClientOptions");
}

[[noreturn]] void throw_challenged() {
  throw AuthenticationError(
      "asked to use a connection without an authkey, and its listener has one and asks for the "
      "proof; give ClientOptions the listener's authkey. The connection was closed");
}

[[noreturn]] void throw_tls(TlsSign sign) {
  throw AuthenticationError(
      sign == TlsSign::hello
          ? "asked to use a connection in the clear, and the client begins with TLS; set tls in "
            "the ListenerOptions here, or leave it out of the client's options. The connection was "
            "closed"
          : "asked to use a connection in the clear, and its listener answers by TLS; set tls in "
            "ClientOptions, or leave it out of the listener's options. The connection was closed");
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

SocketTransport::SocketTransport(platform::Descriptor socket, std::uint64_t max_frame, TlsPtr tls,
                                 Proof proof)
    : Transport(std::move(socket)), max_frame_(max_frame), tls_(std::move(tls)), proof_(proof) {
  // Two processes must not encrypt with the same keys: it stays this one's.
  if (tls_ != nullptr) close_in_forks();
}

/// The end of a socket is that of all who have it: so the last one ends it.
void SocketTransport::part(platform::Descriptor socket) noexcept {
  const bool last = share_.leave();
  if (last || for_this_process_alone()) close_in_order(std::move(socket), std::move(tls_));
}

void SocketTransport::end(std::vector<Unclosed>& unclosed) {
  if (closed() || process_ != platform::process_id()) return;
  const Use use(*this);
  Unclosed one{platform::duplicate(use.descriptor()), {}};
  if (tls_ != nullptr) static_cast<void>(tls_->end());
  if (!for_this_process_alone()) {
    // Whoever shares it at this moment has another name for it.
    auto part = share_.try_take();
    if (!part) return;
    one.part = std::move(*part);
  }
  unclosed.push_back(std::move(one));
}

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
    if (moved.flow == Flow::ended || moved.flow == Flow::lost) throw_unsent(socket, moved);
    if (moved.flow == Flow::none && closed()) refuse_closed();
    if (moved.bytes == 0) continue;
    cautious.begin();
    const std::size_t of_head = std::min(moved.bytes, head.size());
    head = head.subspan(of_head);
    body = body.subspan(moved.bytes - of_head);
  }
  cautious.end();
}

/// The system tells of a loss once, be it to who sends or to who receives.
void SocketTransport::throw_unsent(int socket, const Moved& moved) {
  if (moved.flow == Flow::lost) lost_ = moved.why;
  if (proof_ == Proof::unknown && tls_ == nullptr) {
    // The listener may have taken the message for a proof, and refused it.
    std::array<std::byte, FrameHead::kMost + kLongestMessage> begin;
    const Moved seen = platform::look_at(socket, begin);
    constexpr std::size_t kHead = 4;
    const TlsSign sign = tls_sign(std::span(begin).first(seen.bytes));
    if (sign != TlsSign::none) {
      close();
      throw_tls(sign);
    }
    if (seen.bytes > kHead && is_challenge(std::span(begin).first(seen.bytes).subspan(kHead))) {
      close();
      throw_challenged();
    }
  }
  throw BrokenPipe(
      "asked to send to a connection whose other side is gone: it closed the connection, or its "
      "program or host has ended" +
      (moved.why == nullptr ? std::string() : " (" + std::string(moved.why) + ")"));
}

void SocketTransport::throw_end(bool begun, const Moved& moved) {
  if (moved.flow == Flow::lost) lost_ = moved.why;
  // An end that TLS says is one, whatever became of what this side has sent.
  const char* const why = tls_ != nullptr && moved.flow == Flow::ended ? nullptr : lost_.load();
  if (why != nullptr) {
    throw ConnectionLost(
        "asked to receive from a connection that broke: " + std::string(why) +
        "; what the other side had sent last may be missing. Its program or host ended before all "
        "was said, or the network between");
  }
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

/// The first message of a listener that wants a proof is its challenge.
void SocketTransport::check_proof(std::span<const std::byte> message) {
  if (proof_.exchange(Proof::settled) != Proof::unknown || !is_challenge(message)) return;
  close();
  throw_challenged();
}

/// What should be the length of the first message may be the begin of TLS, as what follows tells.
void SocketTransport::refuse_tls(int socket, const LengthReader& length) {
  std::array<std::byte, kTlsSignBytes> begin;
  constexpr std::size_t kHead = 4;
  std::ranges::copy(length.bytes().first(kHead), begin.begin());
  const platform::Arrivals rest(socket);
  TlsSign sign = TlsSign::none;
  for (;;) {
    const Moved seen = platform::look_at(socket, std::span(begin).subspan(kHead));
    sign = tls_sign(std::span(begin).first(kHead + seen.bytes));
    const bool all = kHead + seen.bytes == begin.size() || platform::is_at_end(socket);
    if (sign != TlsSign::none || all || seen.flow == Flow::lost || closed()) break;
    static_cast<void>(rest.wait(platform::Deadline(platform::kStreamNap)));
  }
  if (sign == TlsSign::none) return;
  if (sign == TlsSign::hello)
    static_cast<void>(platform::send_some(socket, platform::kTlsRefusal, {}));
  close();
  throw_tls(sign);
}

template <class Reader>
void SocketTransport::fill(int socket, Reader& reader, Cautious& cautious) {
  while (!reader.complete()) {
    const Moved moved = receive_some(socket, tls_, reader.room());
    if (moved.flow == Flow::ended || moved.flow == Flow::lost) throw_end(cautious.begun(), moved);
    if (moved.flow == Flow::none) {
      if (closed()) refuse_closed();
      // The other side may be what this process has sent to another one, which has ended.
      sweep_broker_of_sent();
    }
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
  if (moved.flow == Flow::ended || moved.flow == Flow::lost) throw_end(false, moved);
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
  const bool first = tls_ == nullptr && proof_.load(std::memory_order_relaxed) != Proof::settled;
  try {
    if (tls_ == nullptr) await_first(use.descriptor(), length, cautious);
    fill(use.descriptor(), length, cautious);
  } catch (const DecodeError&) {
    if (first && may_be_tls(length.bytes())) refuse_tls(use.descriptor(), length);
    throw;
  }
  if (first && may_be_tls(length.bytes())) refuse_tls(use.descriptor(), length);
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
  if (proof_.load(std::memory_order_relaxed) != Proof::settled) check_proof(message.bytes());
  message.set_untrusted();
  if (const auto head = read_value_head(message.bytes())) {
    message.describe(head->fingerprint, head->type);
    message.skip(head->size);
  } else {
    message.describe(0, {});
  }
}

/// Whether the bytes at which a message begins are those of a whole one, of one that is refused at
/// once, or of one of which there are so many that no more may fit until some are received.
bool SocketTransport::is_enough(int socket, std::span<const std::byte> begin) const {
  if (proof_ != Proof::settled && tls_sign(begin) != TlsSign::none) return true;
  LengthReader length(max_frame_);
  std::size_t head = 0;
  try {
    while (!length.complete() && head != begin.size()) {
      const std::size_t count = std::min(length.room().size(), begin.size() - head);
      std::ranges::copy(begin.subspan(head, count), length.room().begin());
      head += count;
      length.filled(count);
    }
  } catch (const DecodeError&) {
    return true;
  }
  if (!length.complete()) return false;
  const auto have = [&](std::uint64_t bytes) {
    return begin.size() >= bytes || platform::waiting_bytes(socket) >= bytes;
  };
  const std::uint64_t whole = head + length.length();
  return have(whole) ||
         (whole > platform::kept_bytes(socket) && have(platform::kept_bytes(socket)));
}

bool SocketTransport::has_message(int socket) {
  // What comes is another thread's while that receives.
  const std::unique_lock lock(receiving_, std::try_to_lock);
  if (!lock) return false;
  if (tls_ != nullptr) return tls_->ready();
  std::array<std::byte, kLook> begin;
  const Moved seen = platform::look_at(socket, begin);
  if (seen.flow == Flow::none) return false;
  if (seen.flow == Flow::lost) lost_ = seen.why;
  return seen.flow != Flow::moved || is_enough(socket, std::span(begin).first(seen.bytes)) ||
         platform::is_at_end(socket);
}

bool SocketTransport::poll(const platform::Deadline& deadline) {
  const Use use(*this);
  tidy();
  std::optional<platform::Arrivals> rest;  // of a message that has begun
  for (;;) {
    if (has_message(use.descriptor())) return true;
    if (deadline.passed()) return false;
    if (closed()) refuse_closed();
    const Timeout left = deadline.left();
    const platform::Deadline nap(left ? std::min<Duration>(*left, platform::kStreamNap)
                                      : Duration(platform::kStreamNap));
    if (rest) {
      static_cast<void>(rest->wait(nap));
    } else if (platform::wait_readable(use.descriptor(), nap)) {
      if (has_message(use.descriptor())) return true;
      rest.emplace(use.descriptor());
    } else if (platform::host_is_silent(use.descriptor())) {
      return true;  // a call to receive throws, and does not wait
    }
  }
}

bool SocketTransport::settle(int descriptor) { return has_message(descriptor); }

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
  share_.forked();
  process_ = platform::process_id();
}

void SocketTransport::tidy() noexcept {
  if (queued_.load(std::memory_order_relaxed) && queued_.exchange(false)) sweep_broker();
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
  procession::encode(encoder, static_cast<std::uint8_t>(proof_.load()));
  const std::uint64_t share = share_.name_of(use.descriptor());
  const Sending sending = encode_descriptor(encoder, use.descriptor(), share);
  share_.encode(encoder, sending == Sending::at_start);
}

TransportPtr SocketTransport::decode(Decoder& decoder) {
  const auto max_frame = procession::decode<std::uint64_t>(decoder);
  const auto proof = static_cast<Proof>(procession::decode<std::uint8_t>(decoder));
  SentDescriptor sent = decode_descriptor(decoder);
  const int socket = sent.descriptor.get();
  auto made =
      std::make_shared<SocketTransport>(std::move(sent.descriptor), max_frame, nullptr, proof);
  made->share_.decode(decoder, !sent.queued);
  // See PipeEnd::decode.
  const std::uint64_t identity = platform::socket_identity(socket);
  std::vector<SocketShare::Part> left;
  Transports::close_inherited([&](Transport& one) {
    auto* const other = dynamic_cast<SocketTransport*>(&one);
    if (other == nullptr || other->closed() || other->identity() != identity) return false;
    // Left afterwards, without the lock of all of them.
    if (auto part = other->share_.try_take()) left.push_back(std::move(*part));
    return true;
  });
  made->queued_ = sent.queued;
  return made;
}

std::uint64_t SocketTransport::identity() {
  const Use use(*this);
  return platform::socket_identity(use.descriptor());
}

}  // namespace procession::detail

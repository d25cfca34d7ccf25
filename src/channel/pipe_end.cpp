#include "channel/pipe_end.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "channel/descriptor_broker.hpp"
#include "channel/pipe_ring_receiver.hpp"
#include "channel/pipe_ring_sender.hpp"
#include "channel/relay.hpp"
#include "platform/backoff.hpp"
#include "procession/detail/copy_bytes.hpp"
#include "procession/error.hpp"
#include "sync/adaptive_spin.hpp"
#include "sync/event_count.hpp"

namespace procession::detail {

using namespace channel;
using platform::Bell;

namespace {

using namespace std::chrono_literals;

/// Who was killed leaves no note that it has gone, and to ask the kernel costs as much as a whole
/// message. So it is asked where the last time was that long ago.
constexpr std::chrono::nanoseconds kTrust = 100us;

constexpr const char* kWhat = "a Connection";

[[noreturn]] void throw_broken_pipe() {
  throw BrokenPipe(
      "asked to send to a connection whose other end nobody has any more: it was closed, or its "
      "processes have ended; what they had not received is lost");
}

}  // namespace

PipeEnd::PipeEnd(Handle handle, std::uint32_t end, platform::Descriptor descriptor)
    : Transport(std::move(descriptor)), handle_(std::move(handle)), end_(end) {}

std::pair<TransportPtr, TransportPtr> PipeEnd::make(bool duplex, bool in_forks) {
  heap::Block block(duplex ? sizeof(PipeObject) : offsetof(PipeObject, rings[1]));
  static_cast<void>(broker_socket());
  auto& pipe = *heap::at<PipeObject>(block.offset());
  pipe.header = kPipeHeader;
  pipe.duplex = duplex ? 1 : 0;
  pipe.rings[0].init();
  if (duplex) pipe.rings[1].init();
  const Handle handle = Handle::own(block.release());
  const Transports::Making making;
  auto bells = platform::doorbell_pair();
  std::pair<TransportPtr, TransportPtr> ends{
      std::make_shared<PipeEnd>(handle, 0, std::move(bells.first)),
      std::make_shared<PipeEnd>(handle, 1, std::move(bells.second))};
  if (!in_forks) {
    ends.first->close_in_forks();
    ends.second->close_in_forks();
  }
  return ends;
}

void PipeEnd::send(Outgoing& message) {
  const Use use(*this);
  if (!writable()) {
    throw ProcessError(
        "asked to send through the receiving end of a simplex pipe; send through the second of "
        "Pipe(false), or use Pipe()");
  }
  tidy();
  PipeRing& ring = outgoing();
  std::optional<BellDuty> duty;
  std::uint64_t end = 0;
  for (;;) {
    {
      const SendLock lock(ring);
      if (has_room(ring, message)) {
        duty = begin_ring(ring, use.descriptor());
        if (duty) end = put(pipe(), ring, message);
        break;
      }
    }
    wait_for_room(message, use.descriptor());
  }
  if (!duty) throw_broken_pipe();
  // Who rang the bell knows whether there is a receiver; else it is asked now, since a receiver
  // need not wait for that. One that took this message and then went is not missed.
  const bool heard = end_ring(ring, *duty, use.descriptor()) &&
                     (duty->strokes != 0 || !has_left(use.descriptor()));
  if (!heard && !was_received(ring, end)) throw_broken_pipe();
}

void PipeEnd::send_bytes(std::span<const std::byte> bytes) {
  if (bytes.size() >= kRelayLeast) return relay(bytes);
  Outgoing message{0, {}, bytes, {}, bytes.size()};
  if (bytes.size() > Incoming::kInline) {
    await_room(bytes.size());
    message.bytes = {};
    message.block = heap::Block::for_users(bytes.size());
    copy_bytes(message.block.data(), bytes.data(), bytes.size());
  }
  send(message);
}

void PipeEnd::relay(std::span<const std::byte> bytes) {
  RelaySender sender(bytes);
  Outgoing message{0, {}, {}, sender.message(), bytes.size(), true};
  send(message);
  const Use use(*this);
  sender.finish(sync::spin_at(&outgoing().room), [&] {
    if (closed()) refuse_closed();
    if (platform::is_abandoned(use.descriptor())) throw_broken_pipe();
  });
}

void PipeEnd::await_room(std::size_t size) {
  const Use use(*this);
  const Outgoing message{0, {}, {}, {}, size};
  if (writable() && !may_have_room(outgoing(), message)) wait_for_room(message, use.descriptor());
}

bool PipeEnd::has_left(int descriptor) {
  const std::uint32_t closes = outgoing().closes.load(std::memory_order_acquire);
  const std::int64_t now = std::chrono::steady_clock::now().time_since_epoch().count();
  if (closes == closes_.load(std::memory_order_relaxed) &&
      now - checked_.load(std::memory_order_relaxed) < kTrust.count()) {
    return false;
  }
  if (platform::is_abandoned(descriptor)) return true;
  closes_.store(closes, std::memory_order_relaxed);
  checked_.store(now, std::memory_order_relaxed);
  return false;
}

void PipeEnd::wait_for_room(const Outgoing& message, int descriptor) {
  PipeRing& ring = outgoing();
  const auto there = [&] { return may_have_room(ring, message); };
  if (sync::spin_at(&ring.room).spin(there)) return;
  const platform::Deadline never{Timeout()};
  sync::Sleeper sleeper(never);
  while (!there()) {
    if (platform::is_abandoned(descriptor)) throw_broken_pipe();
    if (closed()) refuse_closed();
    const std::uint32_t seen = ring.room.prepare();
    if (there()) break;
    sleeper.sleep(ring.room, seen);
    sweep_broker();
  }
  sleeper.leave(ring.room);
}

void PipeEnd::check_readable() const {
  if (!readable()) {
    throw ProcessError(
        "asked to receive from the sending end of a simplex pipe; receive from the first of "
        "Pipe(false), or use Pipe()");
  }
}

bool PipeEnd::take(Incoming& message, int descriptor) {
  const Take result = channel::take(incoming(), message, descriptor);
  if (result == Take::damaged) give_up();
  if (result != Take::relayed) return result == Take::done;
  return receive_relayed(message, sync::spin_at(&incoming().bytes), [this] {
    if (closed()) refuse_closed();
  });
}

void PipeEnd::receive(Incoming& message) {
  const Use use(*this);
  check_readable();
  tidy();
  PipeRing& ring = incoming();
  const auto there = [&] { return expect_message(ring); };
  platform::Backoff backoff(platform::kShortNap);
  for (bool slept = sleeps_at_once();;) {
    if (slept ? there() : sync::spin_at(&ring.tail).spin(there)) {
      if (take(message, use.descriptor())) return;
      continue;
    }
    slept = true;
    const Bell bell = sleep(ring, use.descriptor(), backoff.next());
    if (bell == Bell::foreign) give_up();
    if (bell == Bell::gone) {
      while (there()) {
        if (take(message, use.descriptor())) return;
      }
      throw EndOfFile(
          "asked to receive from a connection whose other end nobody has any more: it was closed, "
          "or its processes have ended, and all that they sent was received");
    }
    if (closed()) refuse_closed();
    if (bell == Bell::silent) sweep_broker();
  }
}

void PipeEnd::doze(Duration most, const std::function<void()>& before_sleep) {
  PipeRing& ring = incoming();
  const platform::Deadline deadline(most);
  sync::Sleeper sleeper(deadline);
  while (!ring.may_have_message()) {
    const std::uint32_t seen = ring.dozing.prepare();
    if (ring.may_have_message()) return;
    before_sleep();
    if (!sleeper.sleep(ring.dozing, seen)) return;
  }
}

bool PipeEnd::poll(const platform::Deadline& deadline) {
  const Use use(*this);
  check_readable();
  tidy();
  PipeRing& ring = incoming();
  bool slept = false;
  platform::Backoff backoff(platform::kShortNap);
  for (;;) {
    if (ring.may_have_message() && settle(use.descriptor())) return true;
    const Timeout left = deadline.left();
    const Duration most = slept ? backoff.next() : Duration(0);
    const Timeout nap = left ? std::min(*left, most) : most;
    switch (platform::watch_bell(use.descriptor(), platform::Deadline(nap))) {
      case Bell::silent:
        break;
      case Bell::gone:
        return true;
      default:
        if (settle(use.descriptor())) return true;
    }
    if (deadline.passed()) return false;
    if (closed()) refuse_closed();
    if (slept) sweep_broker();
    slept = slept || !sync::spin_at(&ring.tail).spin([&] { return ring.may_have_message(); });
  }
}

bool PipeEnd::settle(int descriptor) {
  if (!readable()) return platform::is_abandoned(descriptor);
  switch (settle_bell(incoming(), descriptor)) {
    case Bell::rung:
      return true;
    case Bell::foreign:
      give_up();
    default:
      return platform::is_abandoned(descriptor);
  }
}

int PipeEnd::watch() {
  const Use use(*this);
  tidy();
  if (readable()) {
    incoming().watched = 1;
    static_cast<void>(settle(use.descriptor()));
  }
  return use.descriptor();
}

void PipeEnd::give_up() {
  close();
  throw DecodeError(
      "asked to receive from a connection, found bytes that are no message of this library; the "
      "connection was closed. Something else wrote into its memory or to its descriptor");
}

void PipeEnd::left() noexcept {
  tidy();
  if (!readable()) return;
  ++incoming().closes;
  incoming().room.wake_all();
}

void PipeEnd::tidy() noexcept {
  if (queued_.load(std::memory_order_relaxed) && queued_.exchange(false)) sweep_broker();
}

void PipeEnd::encode(Encoder& encoder) {
  const Use use(*this);
  procession::encode(encoder, kKind);
  handle_.encode(encoder, kWhat);
  procession::encode(encoder, end_);
  static_cast<void>(encode_descriptor(encoder, use.descriptor()));
}

TransportPtr PipeEnd::decode(Decoder& decoder) {
  Handle handle = Handle::decode(decoder, kPipeHeader, kWhat);
  const auto end = procession::decode<std::uint32_t>(decoder);
  if (end > 1) {
    throw DecodeError("asked to decode a Connection, found end " + std::to_string(end) +
                      " of a pipe, which has two; the bytes are damaged");
  }
  // A process that was forked and is given one end has no use for what it inherited of the pipe,
  // which would only keep it from seeing the end of the other side.
  Transports::close_inherited([&](const Transport& one) {
    const auto* const other = dynamic_cast<const PipeEnd*>(&one);
    return other != nullptr && other->handle_.address() == handle.address();
  });
  SentDescriptor sent = decode_descriptor(decoder);
  auto made = std::make_shared<PipeEnd>(std::move(handle), end, std::move(sent.descriptor));
  made->queued_ = sent.queued;
  return made;
}

}  // namespace procession::detail

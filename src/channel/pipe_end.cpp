#include "channel/pipe_end.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "channel/depot.hpp"
#include "channel/lane_receiver.hpp"
#include "channel/lane_sender.hpp"
#include "channel/relay.hpp"
#include "platform/naps.hpp"
#include "procession/detail/copy_bytes.hpp"
#include "procession/error.hpp"
#include "sync/adaptive_spin.hpp"
#include "sync/wait_word.hpp"

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

std::pair<TransportPtr, TransportPtr> PipeEnd::make(bool duplex) {
  heap::Block block(duplex ? sizeof(PipeObject) : offsetof(PipeObject, lanes[1]));
  static_cast<void>(depot_descriptor());
  auto& pipe = *heap::at<PipeObject>(block.offset());
  pipe.header = kPipeHeader;
  pipe.duplex = duplex ? 1 : 0;
  pipe.lanes[0].init();
  if (duplex) pipe.lanes[1].init();
  auto bells = platform::doorbell_pair();
  const Handle handle = Handle::own(block.release());
  return {std::make_shared<PipeEnd>(handle, 0, std::move(bells.first)),
          std::make_shared<PipeEnd>(handle, 1, std::move(bells.second))};
}

void PipeEnd::send(Outgoing& message) {
  const Use use(*this);
  if (!writable()) {
    throw ProcessError(
        "asked to send through the receiving end of a simplex pipe; send through the second of "
        "Pipe(false), or use Pipe()");
  }
  tidy();
  Lane& lane = outgoing();
  std::optional<BellDuty> ring;
  std::uint64_t end = 0;
  for (;;) {
    {
      const SendLock lock(lane);
      if (has_room(lane, message)) {
        ring = begin_ring(lane, use.descriptor());
        if (ring) end = put(pipe(), lane, message);
        break;
      }
    }
    wait_for_room(message, use.descriptor());
  }
  if (!ring) throw_broken_pipe();
  // Who rang the bell knows whether there is a receiver; else it is asked now, since a receiver
  // need not wait for that. One that took this message and then went is not missed.
  const bool heard = end_ring(lane, *ring, use.descriptor()) &&
                     (ring->strokes != 0 || !has_left(use.descriptor()));
  if (!heard && !was_received(lane, end)) throw_broken_pipe();
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
  const std::uint32_t departures = outgoing().departures.load(std::memory_order_acquire);
  const std::int64_t now = std::chrono::steady_clock::now().time_since_epoch().count();
  if (departures == departures_.load(std::memory_order_relaxed) &&
      now - checked_.load(std::memory_order_relaxed) < kTrust.count()) {
    return false;
  }
  if (platform::is_abandoned(descriptor)) return true;
  departures_.store(departures, std::memory_order_relaxed);
  checked_.store(now, std::memory_order_relaxed);
  return false;
}

void PipeEnd::wait_for_room(const Outgoing& message, int descriptor) {
  Lane& lane = outgoing();
  const auto there = [&] { return may_have_room(lane, message); };
  if (sync::spin_at(&lane.room).spin(there)) return;
  const platform::Deadline never{Timeout()};
  sync::Sleeper sleeper(never);
  while (!there()) {
    if (platform::is_abandoned(descriptor)) throw_broken_pipe();
    if (closed()) refuse_closed();
    const std::uint32_t seen = lane.room.prepare();
    if (there()) break;
    sleeper.sleep(lane.room, seen);
    sweep_depot();
  }
  sleeper.leave(lane.room);
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
  return receive_relayed(message, sync::spin_at(&incoming().ring), [this] {
    if (closed()) refuse_closed();
  });
}

void PipeEnd::receive(Incoming& message) {
  const Use use(*this);
  check_readable();
  tidy();
  Lane& lane = incoming();
  const auto there = [&] { return expect_message(lane); };
  platform::Naps naps(platform::kShortNap);
  for (bool slept = sleeps_at_once();;) {
    if (slept ? there() : sync::spin_at(&lane.tail).spin(there)) {
      if (take(message, use.descriptor())) return;
      continue;
    }
    slept = true;
    const Bell bell = sleep(lane, use.descriptor(), naps.next());
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
    if (bell == Bell::silent) sweep_depot();
  }
}

void PipeEnd::doze(Duration most, const std::function<void()>& before_sleep) {
  Lane& lane = incoming();
  const platform::Deadline deadline(most);
  sync::Sleeper sleeper(deadline);
  while (!lane.may_have_message()) {
    const std::uint32_t seen = lane.dozing.prepare();
    if (lane.may_have_message()) return;
    before_sleep();
    if (!sleeper.sleep(lane.dozing, seen)) return;
  }
}

bool PipeEnd::poll(const platform::Deadline& deadline) {
  const Use use(*this);
  check_readable();
  tidy();
  Lane& lane = incoming();
  bool slept = false;
  platform::Naps naps(platform::kShortNap);
  for (;;) {
    if (lane.may_have_message() && settle(use.descriptor())) return true;
    const Timeout left = deadline.left();
    const Duration most = slept ? naps.next() : Duration(0);
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
    if (slept) sweep_depot();
    slept = slept || !sync::spin_at(&lane.tail).spin([&] { return lane.may_have_message(); });
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
  ++incoming().departures;
  incoming().room.wake_all();
}

void PipeEnd::tidy() noexcept {
  if (parked_.load(std::memory_order_relaxed) && parked_.exchange(false)) sweep_depot();
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
  made->parked_ = sent.parked;
  return made;
}

}  // namespace procession::detail

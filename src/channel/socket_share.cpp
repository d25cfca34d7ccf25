#include "channel/socket_share.hpp"

#include <cstdint>
#include <exception>
#include <new>
#include <utility>

#include "heap/heap.hpp"
#include "platform/stream_socket.hpp"

namespace procession::channel {

using detail::Handle;
using detail::ObjectHeader;

namespace {

constexpr const char* kSharedSocket = "a Connection";
constexpr ObjectHeader kNameHeader{0x656d'616e, 0};
constexpr ObjectHeader kTransferHeader{0x7265'6673'6e61'7274, 0};

struct NameObject {
  ObjectHeader header;
  std::atomic<std::uint64_t> socket;  ///< the system's number for it; 0: nobody has asked yet
};

/// In the message that a process is started with, and that it keeps: the hold that travels.
struct TransferObject {
  ObjectHeader header;
  std::atomic<heap::HoldId> hold;  ///< of this block; 0: the process has it
};

Handle make_transfer(const Handle& name) {
  heap::Block block(sizeof(TransferObject));
  auto& transfer = *new (block.data()) TransferObject{kTransferHeader, {}};
  transfer.hold = heap::hold(heap::offset_of(name.address()), block.offset());
  return Handle::own(block.release());
}

}  // namespace

void SocketShare::begin() {
  if (heap::exists()) static_cast<void>(name());
}

Handle SocketShare::name() {
  const std::lock_guard lock(mutex_);
  if (name_.address() == nullptr) {
    heap::Block block(sizeof(NameObject));
    new (block.data()) NameObject{kNameHeader, {}};
    name_ = Handle::own(block.release());
    named_ = true;
  }
  return name_;
}

std::uint64_t SocketShare::name_of(int socket) {
  const Handle mine = name();
  mine.object<NameObject>(kSharedSocket).socket = platform::socket_identity(socket);
  return uncounted_ ? 0 : heap::offset_of(mine.address());
}

bool SocketShare::is_known(std::uint64_t name, int socket) noexcept {
  try {
    const heap::Block held = heap::Block::own(heap::hold(name, heap::self()));
    const auto& found = *heap::at<NameObject>(name);
    return found.header.kind == kNameHeader.kind &&
           found.socket == platform::socket_identity(socket);
  } catch (const std::exception&) {
    return false;
  }
}

bool SocketShare::leave() noexcept {
  Part part;
  {
    const std::lock_guard lock(mutex_);
    part = {std::exchange(name_, {}), !uncounted_};
  }
  return part.leave();
}

std::optional<SocketShare::Part> SocketShare::try_take() noexcept {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return std::nullopt;
  return Part{std::exchange(name_, {}), !uncounted_.exchange(true)};
}

void SocketShare::encode(Encoder& encoder, bool once) {
  const Handle mine = name();
  procession::encode(encoder, uncounted_.load());
  (once ? make_transfer(mine) : mine).encode(encoder, kSharedSocket);
}

void SocketShare::decode(Decoder& decoder, bool once) {
  const std::lock_guard lock(mutex_);
  // Until it is certain that there is a part, the socket is others' too.
  uncounted_ = true;
  const auto uncounted = procession::decode<bool>(decoder);
  if (once) {
    const Handle transfer = Handle::decode(decoder, kTransferHeader, kSharedSocket);
    const heap::HoldId hold = transfer.object<TransferObject>(kSharedSocket).hold.exchange(0);
    if (hold == 0) return;
    heap::move(hold, heap::self());
    name_ = Handle::own(hold);
  } else {
    name_ = Handle::decode(decoder, kNameHeader, kSharedSocket);
  }
  named_ = true;
  uncounted_ = uncounted;
}

void SocketShare::forked() noexcept { new (&mutex_) std::mutex; }

}  // namespace procession::channel

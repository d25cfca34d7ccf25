#include "manager/client_liveness.hpp"

#include <cstdint>
#include <utility>

#include "heap/heap.hpp"
#include "platform/mutex.hpp"
#include "procession/codec.hpp"

namespace procession::manager {

namespace {

using detail::Handle;

constexpr const char* kMarkName = "the mark of a manager's client";

/// The thread that has it locked holds the block until it has unlocked it: the kernel may write
/// there meanwhile.
struct ClientLiveness {
  detail::ObjectHeader header;
  platform::RobustMutex alive;
};

constexpr detail::ObjectHeader kMarkHeader{0x6b72'616d, 0};

thread_local constinit bool mark_is_over = false;

/// Belongs to its thread.
class OwnMark {
 public:
  OwnMark() = default;
  OwnMark(const OwnMark&) = delete;
  OwnMark& operator=(const OwnMark&) = delete;
  ~OwnMark() {
    mark_is_over = true;
    if (!is_locked_here()) return;
    mark_.object<ClientLiveness>(kMarkName).alive.unlock();
  }

  const Handle& get() {
    if (!is_locked_here()) make();
    return mark_;
  }

 private:
  /// In the child of a fork it is the parent's.
  [[nodiscard]] bool is_locked_here() const noexcept {
    return mark_.address() != nullptr &&
           selves_ == heap::internal::selves.load(std::memory_order_relaxed);
  }

  void make() {
    heap::Block block(sizeof(ClientLiveness), true);
    auto& mark = *heap::at<ClientLiveness>(block.offset());
    mark.header = kMarkHeader;
    mark.alive.init();
    mark_ = Handle::own(block.release());
    selves_ = heap::internal::selves.load(std::memory_order_relaxed);
    static_cast<void>(mark.alive.try_lock());  // nobody else knows of it yet
  }

  Handle mark_;
  std::uint32_t selves_ = 0;
};

}  // namespace

Handle own_liveness() {
  if (mark_is_over) return {};
  static thread_local OwnMark own;
  return own.get();
}

void encode_liveness(Encoder& encoder, const Handle& mark) {
  const bool is_known = mark.address() != nullptr;
  encode(encoder, is_known);
  if (is_known) mark.encode(encoder, kMarkName);
}

Handle decode_liveness(Decoder& decoder) {
  return decode<bool>(decoder) ? Handle::decode(decoder, kMarkHeader, kMarkName) : Handle();
}

bool is_present(const Handle& mark) noexcept {
  return reinterpret_cast<const ClientLiveness*>(mark.address())->alive.owned();
}

}  // namespace procession::manager

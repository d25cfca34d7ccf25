#include "pool/failure.hpp"

#include <atomic>
#include <utility>
#include <vector>

#include "heap/heap.hpp"
#include "platform/own_mutex.hpp"
#include "procession/exception.hpp"

namespace procession::detail {

struct Failure::State {
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    const std::unique_ptr<std::exception_ptr> last(cause.load());
    if (last != nullptr) platform::discard(*last);
  }

  /// Null until somebody has asked.
  std::atomic<std::exception_ptr*> cause{nullptr};
  std::vector<std::byte> bytes;
  RemoteOrigin origin;
  heap::Block block;
};

Failure::Failure(std::exception_ptr cause) : state_(std::make_shared<State>()) {
  state_->cause = new std::exception_ptr(std::move(cause));
}

Failure::Failure(std::span<const std::byte> bytes, const RemoteOrigin& origin, std::uint64_t block)
    : state_(std::make_shared<State>()) {
  state_->bytes.assign(bytes.begin(), bytes.end());
  state_->origin = origin;
  if (block != 0) state_->block = heap::Block::own(heap::hold(block, heap::self()));
}

std::exception_ptr Failure::get() const {
  if (state_ == nullptr) return nullptr;
  if (const std::exception_ptr* const known = state_->cause.load()) return *known;
  platform::expect_unlocked("an exception");
  std::exception_ptr decoded;
  try {
    Decoder decoder(state_->bytes);
    throw_decoded(decoder, state_->origin);
  } catch (...) {
    decoded = std::current_exception();
  }
  // Several threads may come here at once, or this one again from the exception's own code: no
  // mutex is between them, and the first one's is everybody's.
  auto made = std::make_unique<std::exception_ptr>(std::move(decoded));
  std::exception_ptr* known = nullptr;
  return state_->cause.compare_exchange_strong(known, made.get()) ? *made.release() : *known;
}

void Failure::disown() const noexcept {
  if (state_ != nullptr) static_cast<void>(state_->block.release());
}

}  // namespace procession::detail

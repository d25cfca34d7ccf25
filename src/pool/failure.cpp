#include "pool/failure.hpp"

#include <atomic>
#include <memory>
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

  std::atomic<unsigned> shares{1};
  /// Null until somebody has asked.
  std::atomic<std::exception_ptr*> cause{nullptr};
  std::vector<std::byte> bytes;
  RemoteOrigin origin;
  heap::Block block;
};

Failure::Failure(std::exception_ptr cause) {
  auto state = std::make_unique<State>();
  state->cause = new std::exception_ptr(std::move(cause));
  state_ = state.release();
}

Failure::Failure(std::span<const std::byte> bytes, const RemoteOrigin& origin,
                 std::uint64_t block) {
  auto state = std::make_unique<State>();
  state->bytes.assign(bytes.begin(), bytes.end());
  state->origin = origin;
  if (block != 0) state->block = heap::Block::own(heap::hold(block, heap::self()));
  state_ = state.release();
}

void Failure::share() const noexcept { state_->shares.fetch_add(1, std::memory_order_relaxed); }

void Failure::let_go() noexcept {
  if (state_->shares.fetch_sub(1, std::memory_order_acq_rel) == 1) delete state_;
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

#include "channel/relay.hpp"

#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "heap/testing.hpp"
#include "procession/detail/copy_bytes.hpp"
#include "procession/error.hpp"

namespace procession::channel {

namespace {

using heap::testing::step;

/// From any of the states in which the other side may still be waiting.
void give_up(Relay& relay) noexcept {
  for (RelayState now : {RelayState::offered, RelayState::taken}) {
    relay.state.compare_exchange_strong(now, RelayState::given_up);
  }
  relay.filled.wake_all();
  relay.emptied.wake_all();
}

/// Waits until `there()`, or until `gone()`, which is asked now and then. False: gone.
template <class There, class Gone>
bool await(sync::EventCount& word, sync::AdaptiveSpin& spin, const There& there, const Gone& gone,
           const StillWanted& still_wanted) {
  if (spin.spin(there)) return true;
  const platform::Deadline never{Timeout()};
  sync::Sleeper sleeper(never);
  while (!there()) {
    // What it did last may have been what is waited for.
    if (gone() && !there()) return false;
    still_wanted();
    const std::uint32_t seen = word.prepare();
    if (there()) break;
    sleeper.sleep(word, seen);
  }
  sleeper.leave(word);
  return true;
}

/// For a message of so many bytes, which might have to be spilled.
heap::Block make_block(std::size_t size) {
  heap::expect_possible(size);
  return heap::Block(sizeof(Relay));
}

/// The receiver's side, to the end of the scope.
class Taking {
 public:
  explicit Taking(Relay& relay) noexcept : relay_(relay) {
    relay_.receiver.enter();
    step();
    relay_.state.compare_exchange_strong(found_, RelayState::taken);
    step();
  }
  Taking(const Taking&) = delete;
  Taking& operator=(const Taking&) = delete;
  ~Taking() {
    if (found_ == RelayState::offered && relay_.window.read != relay_.size) give_up(relay_);
    relay_.receiver.leave();
  }

  /// In which state it was.
  [[nodiscard]] RelayState found() const noexcept { return found_; }

 private:
  Relay& relay_;
  RelayState found_ = RelayState::offered;
};

/// Where a receiver puts the bytes: the caller's memory if they fit, else a vector.
class Destination {
 public:
  Destination(detail::Incoming& message, std::size_t size)
      : message_(message), in_place_(size <= message.room().size()) {
    if (!in_place_) bytes_.reserve(size);
  }

  void add(std::span<const std::byte> piece) {
    if (in_place_) {
      std::memcpy(message_.room().data() + size_, piece.data(), piece.size());
    } else {
      bytes_.insert(bytes_.end(), piece.begin(), piece.end());
    }
    size_ += piece.size();
  }

  void finish() noexcept {
    in_place_ ? message_.view(message_.room().first(size_)) : message_.keep(std::move(bytes_));
  }

 private:
  detail::Incoming& message_;
  const bool in_place_;
  std::size_t size_ = 0;
  std::vector<std::byte> bytes_;
};

}  // namespace

bool is_lost(Relay& relay) noexcept {
  RelayState state = relay.state;
  if (state == RelayState::offered && !relay.sender.occupied()) {
    step();
    // If it fails, the sender has spilled all before it went.
    relay.state.compare_exchange_strong(state, RelayState::given_up);
    step();
    state = relay.state;
  }
  return state == RelayState::given_up;
}

RelaySender::RelaySender(std::span<const std::byte> bytes)
    : bytes_(bytes), block_(make_block(bytes.size())), relay_(*heap::at<Relay>(block_.offset())) {
  relay_.size = bytes.size();
  relay_.whole = 0;
  relay_.state = RelayState::offered;
  relay_.sender.init();
  relay_.receiver.init();
  relay_.window.reset();
  new (&relay_.filled) sync::EventCount{};
  new (&relay_.emptied) sync::EventCount{};
  relay_.sender.enter();
  while (!relay_.window.has_all(bytes_) && relay_.window.has_room(bytes_))
    relay_.window.write(bytes_);
}

RelaySender::~RelaySender() {
  if (!relay_.window.has_all(bytes_)) give_up(relay_);
  step();
  relay_.sender.leave();
}

heap::Block RelaySender::message() const {
  return heap::Block::own(heap::hold(block_.offset(), heap::self()));
}

bool RelaySender::spill() {
  heap::Block whole;
  try {
    whole = heap::Block::for_users(bytes_.size());
  } catch (const OutOfMemory&) {
    return false;  // then it waits for a receiver
  }
  detail::copy_bytes(whole.data(), bytes_.data(), bytes_.size());
  heap::move(whole.hold_id(), block_.offset(), &relay_.whole, whole.hold_id());
  static_cast<void>(whole.release());
  step();
  RelayState expected = RelayState::offered;
  if (relay_.state.compare_exchange_strong(expected, RelayState::whole)) return true;
  step();
  heap::drop(relay_.whole);  // somebody has come meanwhile
  return false;
}

bool RelaySender::await_room(sync::AdaptiveSpin& spin, const StillWanted& still_wanted) {
  const auto there = [&] { return relay_.window.has_room(bytes_); };
  if (spin.spin(there)) return true;
  if (relay_.state == RelayState::offered && spill()) return false;
  const auto gone = [&] {
    return relay_.state == RelayState::given_up ||
           (relay_.state == RelayState::taken && !relay_.receiver.occupied());
  };
  return await(relay_.emptied, spin, there, gone, still_wanted);
}

void RelaySender::finish(sync::AdaptiveSpin& spin, const StillWanted& still_wanted) {
  while (!relay_.window.has_all(bytes_)) {
    if (!await_room(spin, still_wanted)) return;
    relay_.window.write(bytes_);
    relay_.filled.wake_one();
  }
}

bool receive_relayed(detail::Incoming& message, sync::AdaptiveSpin& spin,
                     const StillWanted& still_wanted) {
  Relay& relay = *heap::at<Relay>(heap::offset_of(message.bytes().data()));
  const Taking taking(relay);
  if (taking.found() == RelayState::whole) {
    message.view({heap::at(heap::target(relay.whole)), relay.size});
    return true;
  }
  if (taking.found() != RelayState::offered) return false;
  Destination destination(message, relay.size);
  while (relay.window.read != relay.size) {
    std::span<const std::byte> piece;
    const auto there = [&] { return !(piece = relay.window.next()).empty(); };
    const auto gone = [&] {
      return relay.state == RelayState::given_up || !relay.sender.occupied();
    };
    if (!await(relay.filled, spin, there, gone, still_wanted)) return false;
    destination.add(piece);
    relay.window.advance(piece.size());
    relay.emptied.wake_one();
  }
  destination.finish();
  return true;
}

}  // namespace procession::channel

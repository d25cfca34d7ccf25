#include "procession/barrier.hpp"

#include <cstddef>
#include <exception>
#include <stdexcept>
#include <string>

#include "heap/block_encoder.hpp"
#include "platform/copy_check.hpp"
#include "procession/error.hpp"
#include "sync/barrier_core.hpp"
#include "sync/barrier_failure.hpp"
#include "sync/object.hpp"

namespace procession {

namespace {

constexpr const char* kBarrier = "a Barrier";

struct BarrierObject {
  detail::ObjectHeader header;
  heap::Offset action;        ///< encoded; 0: none. The barrier's block holds it.
  std::uint64_t action_size;  ///< bytes
  sync::BarrierBody<sync::System> body;
};
using Body = sync::BarrierBody<sync::System>;
static_assert(sizeof(BarrierObject) == offsetof(BarrierObject, body) + sizeof(Body),
              "the places follow the body");

BarrierObject& barrier_of(const detail::Handle& handle) {
  return handle.object<BarrierObject>(kBarrier);
}

sync::BarrierOn<sync::System> body_of(const detail::Handle& handle) {
  return sync::BarrierOn<sync::System>(barrier_of(handle).body);
}

/// An action that this thread runs, and those within which it does.
class Acting {
 public:
  explicit Acting(const BarrierObject& barrier) : barrier_(barrier), outer_(innermost) {
    innermost = this;
  }
  Acting(const Acting&) = delete;
  Acting& operator=(const Acting&) = delete;
  ~Acting() { innermost = outer_; }

  static bool at(const BarrierObject& barrier) {
    for (const Acting* one = innermost; one != nullptr; one = one->outer_) {
      if (&one->barrier_ == &barrier) return true;
    }
    return false;
  }

 private:
  static thread_local const Acting* innermost;

  const BarrierObject& barrier_;
  const Acting* outer_;
};
thread_local const Acting* Acting::innermost = nullptr;

void run_action(const BarrierObject& barrier) {
  const Acting acting(barrier);
  Decoder decoder({heap::at(barrier.action), barrier.action_size});
  procession::decode<Function<void()>>(decoder)();
}

}  // namespace

void detail::check_parties(std::size_t parties) {
  if (parties == 0) {
    throw std::invalid_argument("a Barrier for 0 parties was asked for; nobody could wait at it");
  }
  if (parties > kMostParties) {
    throw std::invalid_argument("a Barrier for " + std::to_string(parties) +
                                " parties was asked for; it can have 1 to " +
                                std::to_string(kMostParties));
  }
}

Barrier::Barrier(std::size_t parties, Function<void()> action) {
  detail::check_parties(parties);
  heap::BlockEncoder encoder;
  if (action) {
    procession::encode(encoder, action);
    refuse_noted_address(encoder, "the action of a Barrier");
  }
  handle_ = sync::make_object<BarrierObject>(
      sync::header(sync::Kind::barrier),
      [&](BarrierObject& made, heap::Offset offset) {
        sync::BarrierOn<sync::System>(made.body).init(parties);
        if (!action) return;
        made.action_size = encoder.size();
        heap::Block block = encoder.take_for_keeps();
        made.action = block.offset();
        heap::move(block.hold_id(), offset);
        static_cast<void>(block.release());
      },
      2 * parties * sizeof(Body::Place));
}

void Barrier::read(Decoder& decoder) {
  handle_ = detail::Handle::decode(decoder, sync::header(sync::Kind::barrier), kBarrier);
}

std::size_t Barrier::wait(Timeout timeout) const {
  BarrierObject& barrier = barrier_of(handle_);
  const platform::Deadline deadline(timeout);
  if (Acting::at(barrier)) {
    throw ProcessError(
        "the action of a Barrier was to wait at that Barrier, whose parties all wait for the "
        "action; let it wait at another one");
  }
  std::exception_ptr thrown;
  const sync::BarrierWait wait = body_of(handle_).wait(deadline, barrier.action != 0, [&] {
    const platform::CopyCheck check;
    try {
      run_action(barrier);
    } catch (...) {
      thrown = std::current_exception();
    }
    check.end_copies("the action of a Barrier");
    return thrown == nullptr;
  });
  switch (wait.what) {
    case sync::BarrierWait::passed:
      break;
    case sync::BarrierWait::broken:
      sync::throw_broken(
          "broke: one of its parties was killed, gave up, or called abort(), or its action failed");
    case sync::BarrierWait::reset:
      sync::throw_reset();
    case sync::BarrierWait::timed_out:
      sync::throw_broken("broke: a time-out passed");
    case sync::BarrierWait::refused:
      sync::throw_broken("is broken");
    case sync::BarrierWait::action_failed:
      std::rethrow_exception(thrown);
  }
  return wait.before;
}

void Barrier::reset() const { body_of(handle_).reset(); }
void Barrier::abort() const { body_of(handle_).abort(); }
std::size_t Barrier::parties() const { return barrier_of(handle_).body.parties; }
std::size_t Barrier::n_waiting() const { return body_of(handle_).n_waiting(); }
bool Barrier::broken() const { return body_of(handle_).broken(); }

}  // namespace procession

#include "channel/pipe_ring.hpp"

#include <new>

namespace procession::channel {

void PipeRing::init() {
  sending.init();
  receiving.init();
  sleeper_slot.init();
  pending = pending_at = taken = 0;
  total = 0;
  seen_freed = seen_received = 0;
  left = sleeping = 0;
  bell = kSilent;
  closes = 0;
  tail = 0;
  watched = 0;
  freed = 0;
  received = 0;
  new (&room) sync::EventCount{};
  new (&dozing) sync::EventCount{};
}

std::uint32_t seal_of(const Frame& frame, std::uint64_t position) noexcept {
  std::uint64_t mixed = 0x9e3779b97f4a7c15 ^ position;
  for (const std::uint64_t word : {frame.size, frame.fingerprint, frame.hold_id, frame.total,
                                   std::uint64_t{frame.name_size}}) {
    mixed = (mixed ^ word) * 0xff51afd7ed558ccd;
    mixed ^= mixed >> 32;
  }
  return static_cast<std::uint32_t>(mixed);
}

}  // namespace procession::channel

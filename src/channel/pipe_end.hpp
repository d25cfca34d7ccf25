#pragma once

#include <atomic>
#include <cstdint>

#include "channel/pipe_ring.hpp"
#include "channel/transport.hpp"
#include "platform/doorbell.hpp"
#include "procession/detail/handle.hpp"

namespace procession::detail {

/// One end of a pipe: messages go through shared memory, and the descriptor is a doorbell.
class PipeEnd final : public Transport {
 public:
  /// What an encoded connection of this kind begins with.
  static constexpr std::uint8_t kKind = 1;

  PipeEnd(Handle handle, std::uint32_t end, platform::Descriptor descriptor);
  ~PipeEnd() override { close(); }

  /// Both ends. The child of a fork finds them closed unless they are `in_forks`.
  static std::pair<TransportPtr, TransportPtr> make(bool duplex, bool in_forks);
  static TransportPtr decode(Decoder& decoder);

  void send(channel::Outgoing& message) override;
  void send_bytes(std::span<const std::byte> bytes) override;
  void await_room(std::size_t size) override;
  void receive(Incoming& message) override;
  bool poll(const platform::Deadline& deadline) override;
  [[nodiscard]] bool glance() const noexcept override { return incoming().may_have_message(); }
  [[nodiscard]] bool peer_sleeps() const noexcept override {
    return outgoing().dozing.announced() || outgoing().bell_state() != channel::kRung;
  }
  void doze(Duration most, const std::function<void()>& before_sleep) override;
  void nudge() noexcept override { outgoing().dozing.wake_one(); }
  sync::EventCount* begin_nudge() noexcept override {
    sync::EventCount& word = outgoing().dozing;
    return word.claim_one() ? &word : nullptr;
  }
  int watch() override;
  bool settle(int descriptor) override;
  void encode(Encoder& encoder) override;
  [[nodiscard]] bool readable() const noexcept override { return end_ == 0 || pipe().duplex != 0; }
  [[nodiscard]] bool writable() const noexcept override { return end_ == 1 || pipe().duplex != 0; }

 private:
  [[nodiscard]] channel::PipeObject& pipe() const noexcept {
    return *reinterpret_cast<channel::PipeObject*>(handle_.address());
  }
  [[nodiscard]] channel::PipeRing& incoming() const noexcept { return pipe().rings[end_]; }
  [[nodiscard]] channel::PipeRing& outgoing() const noexcept { return pipe().rings[1 - end_]; }

  void left() noexcept override;
  void relay(std::span<const std::byte> bytes);
  /// False when there was none, or it was lost with its sender.
  bool take(Incoming& message, int descriptor);
  void check_readable() const;
  /// Whether nobody has the other end any more. Asks the kernel only now and then.
  [[nodiscard]] bool has_left(int descriptor);
  void wait_for_room(const channel::Outgoing& message, int descriptor);
  void tidy() noexcept;
  [[noreturn]] void give_up();

  const Handle handle_;
  const std::uint32_t end_;
  std::atomic<std::uint32_t> closes_{0};  ///< of the outgoing ring, when last checked
  std::atomic<std::int64_t> checked_{0};  ///< when that was, in nanoseconds
  std::atomic<bool> queued_{false};       ///< a copy of the descriptor may still be on its way
};

}  // namespace procession::detail

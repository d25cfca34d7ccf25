#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "procession/detail/payload_builder.hpp"
#include "procession/timeout.hpp"

/// What the templates of connection.hpp need of the compiled channel floor.
namespace procession::detail {

/// One end of a connection in this process, whatever carries its messages.
class Transport;
using TransportPtr = std::shared_ptr<Transport>;

/// A value on its way into a connection. Where that leads out of this tree of processes, it refuses
/// what means something in this tree only.
class MessageBuilder final : public PayloadBuilder {
 public:
  static constexpr std::size_t kInline = 2048;

  explicit MessageBuilder(const TransportPtr& transport);
  ~MessageBuilder() override;

  void attach(std::uint64_t block) override;
  void name_code() override;

 private:
  void grow(std::size_t at_least) override;

  Transport* const transport_;
  const bool untrusted_;
  void* memory_ = nullptr;  // private, for what leaves the tree
  alignas(8) std::byte inline_[kInline];
};

/// A message that has been taken out of a connection.
class Incoming {
 public:
  static constexpr std::size_t kInline = 4096;

  Incoming() {}  // NOLINT: the room for bytes stays as it is
  /// A message of bytes may be put into `room` if it fits.
  explicit Incoming(std::span<std::byte> room) : room_(room) {}  // NOLINT: as above
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;
  ~Incoming();

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {begin_, size_}; }
  [[nodiscard]] std::uint64_t fingerprint() const noexcept { return fingerprint_; }
  [[nodiscard]] std::string_view type() const noexcept { return {type_, type_size_}; }
  [[nodiscard]] std::span<std::byte> room() const noexcept { return room_; }
  /// Whether it comes from outside of this tree of processes.
  [[nodiscard]] bool untrusted() const noexcept { return untrusted_; }

  void describe(std::uint64_t fingerprint, std::string_view type) noexcept;
  /// At most kInline bytes.
  void fill(std::span<const std::byte> bytes) noexcept;
  /// The message begins the block of that hold, which is this process's. What was owned
  /// before is given back.
  void own(std::uint64_t hold_id, std::size_t size) noexcept;
  /// The message is these bytes.
  void keep(std::vector<std::byte> bytes) noexcept;
  /// The message lies there, in the caller's memory.
  void view(std::span<const std::byte> bytes) noexcept;
  void set_untrusted() noexcept { untrusted_ = true; }
  /// The first so many bytes are not part of the value.
  void skip(std::size_t bytes) noexcept;

  /// All bytes; moved, where that can be. Throws std::bad_alloc.
  std::vector<std::byte> take();

 private:
  const std::byte* begin_ = nullptr;
  std::size_t size_ = 0;
  std::uint64_t fingerprint_ = 0;
  std::uint64_t hold_id_ = 0;
  std::size_t type_size_ = 0;
  std::span<std::byte> room_;
  std::vector<std::byte> kept_;
  bool untrusted_ = false;
  char type_[128];
  alignas(8) std::byte inline_[kInline];
};

std::pair<TransportPtr, TransportPtr> make_pipe(bool duplex, bool in_forks = true);

void send_value(const TransportPtr& transport, MessageBuilder& builder, std::uint64_t fingerprint,
                std::string_view type);
void send_bytes(const TransportPtr& transport, std::span<const std::byte> bytes);
/// Throws TypeMismatch unless the message is of that type; it is taken all the same.
void receive_value(const TransportPtr& transport, Incoming& message, std::uint64_t fingerprint,
                   std::string_view type);
std::vector<std::byte> receive_bytes(const TransportPtr& transport,
                                     std::optional<std::size_t> most);
std::size_t receive_bytes_into(const TransportPtr& transport, std::span<std::byte> room);

bool poll_connection(const TransportPtr& transport, Timeout timeout);
int connection_descriptor(const TransportPtr& transport);
void close_connection(const TransportPtr& transport);
bool connection_is_closed(const TransportPtr& transport) noexcept;
bool connection_is_readable(const TransportPtr& transport);
bool connection_is_writable(const TransportPtr& transport);

void encode_connection(Encoder& encoder, const TransportPtr& transport);
TransportPtr decode_connection(Decoder& decoder);

}  // namespace procession::detail

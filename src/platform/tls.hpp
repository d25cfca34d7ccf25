#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "platform/stream_socket.hpp"
#include "procession/address.hpp"

struct ssl_ctx_st;

// Encryption of a stream socket, by OpenSSL.
namespace procession::platform {

/// What one side says in the clear to another that speaks TLS while this one does not, or the other
/// way round: the fatal alert "protocol version". A listener of TLS says it by itself.
inline constexpr std::array kTlsRefusal{std::byte{0x15}, std::byte{3}, std::byte{1}, std::byte{0},
                                        std::byte{2},    std::byte{2}, std::byte{70}};

/// One connection. Thread-safe; one thread at a time sends, and one receives. It must not be used
/// after a fork by both processes: they would encrypt different things alike. Abstract, so that
/// OpenSSL is linked only where a session may be opened.
class TlsSession {
 public:
  TlsSession() = default;
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;
  virtual ~TlsSession() = default;

  struct Result {
    Moved moved;
    bool for_writing;  ///< what a flow of none waits for; else for reading
  };

  /// Before all else, until it is `moved`: both sides show what they have. Never waits. Throws
  /// `AuthenticationError` when a certificate is not good.
  virtual Result greet() = 0;
  /// As the functions of stream_socket.hpp; never wait. Throw `DecodeError` for what was tampered
  /// with.
  virtual Result receive_some(std::span<std::byte> room) = 0;
  virtual Result send_some(std::span<const std::byte> first, std::span<const std::byte> second) = 0;

  /// Whether there are bytes that were taken from the socket and not yet received.
  [[nodiscard]] virtual bool pending() = 0;

  /// Whether `receive_some` would give bytes or tell of the end. Takes from the socket what is
  /// neither, such as the tickets by which a client could come back, and never waits.
  [[nodiscard]] virtual bool ready() = 0;

  /// Tells the other side that nothing more will be sent: without that word, an end is a loss.
  /// False where there is no room for it yet. True also where it cannot be said any more.
  virtual bool end() noexcept = 0;
};

/// What one side shows and demands, read from its files once. Thread-safe.
class TlsContext {
 public:
  enum class Side { listener, client };

  /// Throws `ProcessError` for files that are not there or are not what they should be;
  /// `std::invalid_argument` for a listener without a certificate.
  TlsContext(Side side, const TlsOptions& options);

  /// The socket does not block, and stays open while the session is used. `name` is what a
  /// listener's certificate must be for.
  [[nodiscard]] std::unique_ptr<TlsSession> open(int socket, const std::string& name) const;

 private:
  const Side side_;
  std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace procession::platform

#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "platform/stream_socket.hpp"
#include "procession/address.hpp"

struct ssl_ctx_st;
struct ssl_st;

// Encryption of a stream socket, by OpenSSL.
namespace procession::platform {

/// What one side shows and demands, read from its files once. Thread-safe.
class TlsContext {
 public:
  enum class Side { listener, client };

  /// Throws `ProcessError` for files that are not there or are not what they should be;
  /// `std::invalid_argument` for a listener without a certificate.
  TlsContext(Side side, const TlsOptions& options);

 private:
  friend class TlsSession;

  const Side side_;
  std::shared_ptr<ssl_ctx_st> context_;
};

/// One connection. Thread-safe; one thread at a time sends, and one receives. It must not be used
/// after a fork by both processes: they would encrypt different things alike.
class TlsSession {
 public:
  /// The socket does not block, and stays open while this is used. `name` is what a listener's
  /// certificate must be for.
  TlsSession(const TlsContext& context, int socket, const std::string& name);

  struct Result {
    Moved moved;
    bool for_writing;  ///< what a flow of none waits for; else for reading
  };

  /// Before all else, until it is `moved`: both sides show what they have. Never waits. Throws
  /// `AuthenticationError` when a certificate is not good.
  Result greet();
  /// As the functions of stream_socket.hpp; never wait. Throw `DecodeError` for what was tampered
  /// with.
  Result receive_some(std::span<std::byte> room);
  Result send_some(std::span<const std::byte> first, std::span<const std::byte> second);

  /// Whether there are bytes that were taken from the socket and not yet received.
  [[nodiscard]] bool pending();

 private:
  /// Empty for a fault, of which OpenSSL then knows more.
  std::optional<Result> faultless(int returned);
  Result result_of(int returned);

  std::mutex mutex_;
  std::shared_ptr<ssl_st> session_;
};

}  // namespace procession::platform

/// Where and how programs of different trees, or hosts, meet: what Listener and Client of
/// connection.hpp are told.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "procession/timeout.hpp"

namespace procession {

/// Where a Listener listens. Python: the `address` of `multiprocessing.connection`, a tuple or a
/// string.
///
///     {"127.0.0.1", 5000}   TCP; a host's name or number. Of a name that has addresses of both
///                           kinds, those of IPv4 come first: a listener listens at the first
///                           that this host has, a client tries one after the other. Port 0: any
///                           free one, see Listener::address(). An empty host is this one
///                           (127.0.0.1), unlike in Python; "0.0.0.0" means every network that
///                           this host is in ("::" with IPv6).
///     {"/run/jobs.sock"}    a Unix socket: a path, known by its '/'; a relative one is one of the
///                           working directory at that moment
///     {"@jobs"}             a Unix socket of Linux's abstract name space, which leaves no file
///
/// A plain value.
struct Address {
  std::string host;        ///< host, path, or '@' and a name
  std::uint16_t port = 0;  ///< of TCP only

  bool operator==(const Address&) const = default;
};

/// As a person would write it: `127.0.0.1:5000`, `/run/jobs.sock`. Throws `std::bad_alloc`.
[[nodiscard]] std::string to_string(const Address& address);

/// A secret that both sides know. Each proves to the other that it has the key, and never sends it.
///
/// What that does not do: the messages afterwards are neither encrypted nor signed. Whoever can
/// read the network reads them, and whoever can change what passes (a router, a neighbour who
/// forges addresses) can take over a connection once it is proved. It keeps out those who can only
/// connect. On a network that you do not trust, use TLS as well.
using AuthKey = std::vector<std::byte>;

/// The key that is this text, as `b"secret"` is in Python: a byte for each char. Throws
/// `std::bad_alloc`.
[[nodiscard]] inline AuthKey make_authkey(std::string_view text) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(text.data(), text.size()));
  return {bytes.begin(), bytes.end()};
}

/// The default key of this tree of processes: 32 random bytes, made when first asked for and the
/// same in every process of the tree. It is in no command line, environment or file. Thread-safe
/// and process-safe. Throws `OutOfMemory`; `ProcessError` when the system gives no random bytes.
/// Python: `current_process().authkey`.
[[nodiscard]] AuthKey current_authkey();

/// The largest message that is taken from a connection between programs, by default: 1 GiB.
inline constexpr std::uint64_t kDefaultMaxFrame = std::uint64_t{1} << 30;

/// Encryption by TLS 1.2 or newer: nobody on the way reads or changes what is sent, and the client
/// knows whom it has reached. Files are in the PEM format. The process that made an encrypted
/// connection keeps it: it can be passed to no other, and a fork has no part in it.
///
/// Where one side uses TLS and the other does not, both throw `AuthenticationError` as soon as a
/// byte tells: in Client() or accept(), or as the connection is first used. (A listener logs it.) A
/// client with a key but without TLS, at a listener with TLS, waits as that does until the time-out
/// of either, since each lets the other begin.
struct TlsOptions {
  /// File of the own certificate, and of those that lead to its authority. A listener needs one.
  std::string certificate = {};
  /// File of the private key that belongs to it.
  std::string key = {};
  /// File of the authorities that may have signed the other side's certificate. Of a client, empty
  /// means those that the system trusts. Of a listener, it means that clients need no certificate;
  /// where it is given, each of them needs one.
  std::string ca = {};
  /// Of a client: the host that the listener's certificate must be for; empty: that of the address.
  std::string server_name = {};
  /// What the private key's file is encrypted with. Where it is and this is empty, or wrong, that
  /// is a `ProcessError`: nobody is asked at the terminal. Python: `password` of
  /// `ssl.SSLContext.load_cert_chain`.
  std::string key_password = {};
};

/// How a Listener is made.
struct ListenerOptions {
  /// Clients have to prove that they know it; without one, everybody who can connect is let in.
  std::optional<AuthKey> authkey = std::nullopt;
  /// Connections that the system holds until they are accepted.
  int backlog = 128;
  /// Also let clients in that can do no better than HMAC-MD5: CPython 3.11 and older.
  bool allow_md5 = false;
  /// Bytes of the largest message that is taken; a longer one ends its connection.
  std::uint64_t max_frame = kDefaultMaxFrame;
  /// How long a client may take to prove its key, TLS included; not zero. Empty: for ever.
  Timeout handshake_timeout = std::chrono::seconds(5);
  /// Clients that may be at it at a time, at least 1. One more, and the one that has been at it for
  /// longest is dropped.
  std::size_t max_handshakes = 64;
  /// Encrypts all connections; clients then need ClientOptions::tls.
  std::optional<TlsOptions> tls = std::nullopt;
};

/// How a Client connects.
struct ClientOptions {
  /// The listener's key. With it, the listener too has to prove that it knows it.
  std::optional<AuthKey> authkey = std::nullopt;
  /// For connecting and the proof of the key together; empty: for ever.
  Timeout timeout = std::chrono::seconds(30);
  /// Also talk to a listener that can do no better than HMAC-MD5: CPython 3.11 and older.
  bool allow_md5 = false;
  /// Bytes of the largest message that is taken; a longer one ends the connection.
  std::uint64_t max_frame = kDefaultMaxFrame;
  /// Encrypts the connection, and checks the listener's certificate.
  std::optional<TlsOptions> tls = std::nullopt;
};

}  // namespace procession

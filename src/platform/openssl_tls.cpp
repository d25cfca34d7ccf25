#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <mutex>
#include <new>
#include <optional>
#include <stdexcept>
#include <vector>

#include "platform/openssl_bio.hpp"
#include "platform/openssl_pem.hpp"
#include "platform/tls.hpp"
#include "procession/error.hpp"

namespace procession::platform {

namespace {

/// A record of TLS carries at most so much.
constexpr std::size_t kRecord = 16384;

/// What became of the connection, in OpenSSL's words and what they mean. Takes the last fault.
struct Fault {
  bool of_certificate = false;
  std::string text;

  Fault() {
    const char* meaning = "the other side does not speak it, or somebody interferes";
    switch (ERR_GET_REASON(::ERR_peek_last_error())) {
      case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        of_certificate = true;
        meaning =
            "the other side asks for a certificate and was given none: name one by certificate "
            "and key of TlsOptions";
        break;
      case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        of_certificate = true;
        meaning = "the other side has no certificate, and ca of TlsOptions asks for one";
        break;
      case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
      case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
      case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
      case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
        of_certificate = true;
        meaning =
            "the other side does not take the certificate that it was given: see certificate of "
            "TlsOptions here, and ca there";
        break;
      case SSL_R_WRONG_VERSION_NUMBER:
      case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        meaning =
            "the other side does not use TLS, or no version that is used here (1.2, 1.3); set tls "
            "in the ListenerOptions and ClientOptions of both, or of neither";
        break;
      default:
        break;
    }
    text = last_tls_fault() + "; " + meaning;
  }
};

class OpenSslSession final : public TlsSession {
 public:
  OpenSslSession(SSL_CTX* context, TlsContext::Side side, int socket, const std::string& name);

  Result greet() override;
  Result receive_some(std::span<std::byte> room) override;
  Result send_some(std::span<const std::byte> first, std::span<const std::byte> second) override;
  [[nodiscard]] bool pending() override;
  [[nodiscard]] bool ready() override;
  bool end() noexcept override;

 private:
  /// Empty for a fault, of which OpenSSL then knows more. `code` is errno as the call left it.
  std::optional<Result> faultless(int returned, int code);
  Result result_of(int returned);

  std::mutex mutex_;
  const std::shared_ptr<SSL> session_;
};

OpenSslSession::OpenSslSession(SSL_CTX* context, TlsContext::Side side, int socket,
                               const std::string& name)
    : session_(::SSL_new(context), ::SSL_free) {
  SSL* const session = session_.get();
  if (session == nullptr) throw std::bad_alloc();
  BIO* const bio = make_socket_bio(socket);
  ::SSL_set_bio(session, bio, bio);
  if (side == TlsContext::Side::listener) {
    ::SSL_set_accept_state(session);
    return;
  }
  ::SSL_set_connect_state(session);
  if (::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(session), name.c_str()) != 1) {
    demand_tls(::SSL_set1_host(session, name.c_str()), "ask for the host '" + name + "'");
    SSL_set_tlsext_host_name(session, name.c_str());
  }
  ::ERR_clear_error();
}

std::optional<TlsSession::Result> OpenSslSession::faultless(int returned, int code) {
  constexpr const char* kCutOff = "TLS was cut off: the other side never said that this is the end";
  switch (::SSL_get_error(session_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
      return Result{{Flow::none, 0}, false};
    case SSL_ERROR_WANT_WRITE:
      return Result{{Flow::none, 0}, true};
    case SSL_ERROR_ZERO_RETURN:
      return Result{{Flow::ended, 0}, false};
    case SSL_ERROR_SYSCALL:
      // Of what is sent, the system says so where the other side has ended before.
      if (code == EPIPE) return Result{{Flow::ended, 0}, false};
      return Result{{Flow::lost, 0, code == 0 ? kCutOff : ::strerrordesc_np(code)}, false};
    default:
      break;
  }
  if (ERR_GET_REASON(::ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    ::ERR_clear_error();
    return Result{{Flow::lost, 0, kCutOff}, false};
  }
  return std::nullopt;
}

TlsSession::Result OpenSslSession::result_of(int returned) {
  if (const auto result = faultless(returned, errno)) return *result;
  const Fault fault;
  if (fault.of_certificate) throw AuthenticationError("asked to go on by TLS: " + fault.text);
  throw DecodeError("asked to go on with a connection by TLS, found what TLS does not allow: " +
                    fault.text);
}

TlsSession::Result OpenSslSession::greet() {
  const std::lock_guard lock(mutex_);
  ::ERR_clear_error();
  const int returned = ::SSL_do_handshake(session_.get());
  if (returned == 1) return {{Flow::moved, 0}, false};
  if (const auto result = faultless(returned, errno)) return *result;
  if (ERR_GET_REASON(::ERR_peek_last_error()) == SSL_R_WRONG_VERSION_NUMBER &&
      ::SSL_is_server(session_.get()) == 1) {
    // OpenSSL leaves who speaks in the clear without an answer, to wait for one.
    ::BIO_write(::SSL_get_wbio(session_.get()), kTlsRefusal.data(), kTlsRefusal.size());
  }
  const long verdict = ::SSL_get_verify_result(session_.get());
  throw AuthenticationError("asked to connect by TLS: " +
                            (verdict == X509_V_OK
                                 ? Fault().text
                                 : std::string("the other side's certificate is not good: ") +
                                       ::X509_verify_cert_error_string(verdict) +
                                       "; see ca and server_name of TlsOptions"));
}

TlsSession::Result OpenSslSession::receive_some(std::span<std::byte> room) {
  const std::lock_guard lock(mutex_);
  ::ERR_clear_error();
  const int got = ::SSL_read(session_.get(), room.data(),
                             static_cast<int>(std::min<std::size_t>(room.size(), INT_MAX)));
  if (got > 0) return {{Flow::moved, static_cast<std::size_t>(got)}, false};
  return result_of(got);
}

TlsSession::Result OpenSslSession::send_some(std::span<const std::byte> first,
                                             std::span<const std::byte> second) {
  std::vector<std::byte> both;
  std::span<const std::byte> record = first.empty() ? second : first;
  if (!first.empty() && !second.empty()) {
    // One record of both, where a call to send more would follow.
    both.assign(first.begin(), first.end());
    const std::size_t rest = kRecord - std::min(kRecord, first.size());
    const auto more = second.first(std::min(rest, second.size()));
    both.insert(both.end(), more.begin(), more.end());
    record = both;
  }
  const std::lock_guard lock(mutex_);
  ::ERR_clear_error();
  const int sent = ::SSL_write(session_.get(), record.data(),
                               static_cast<int>(std::min<std::size_t>(record.size(), INT_MAX)));
  if (sent > 0) return {{Flow::moved, static_cast<std::size_t>(sent)}, false};
  return result_of(sent);
}

bool OpenSslSession::pending() {
  const std::lock_guard lock(mutex_);
  return ::SSL_pending(session_.get()) > 0;
}

bool OpenSslSession::ready() {
  const std::lock_guard lock(mutex_);
  ::ERR_clear_error();
  char byte = 0;
  const int got = ::SSL_peek(session_.get(), &byte, 1);
  if (got > 0) return true;
  const auto result = faultless(got, errno);
  ::ERR_clear_error();
  return !result || result->moved.flow != Flow::none;
}

bool OpenSslSession::end() noexcept {
  const std::lock_guard lock(mutex_);
  ::ERR_clear_error();
  const int returned = ::SSL_shutdown(session_.get());
  const bool room =
      returned >= 0 || ::SSL_get_error(session_.get(), returned) != SSL_ERROR_WANT_WRITE;
  ::ERR_clear_error();
  return room;
}

}  // namespace

TlsContext::TlsContext(Side side, const TlsOptions& options) : side_(side) {
  if (options.certificate.empty() != options.key.empty() ||
      (side == Side::listener && options.certificate.empty())) {
    throw std::invalid_argument("asked for TLS with the certificate '" + options.certificate +
                                "' and the key '" + options.key +
                                "'; a listener needs both, a client both or none");
  }
  ::ERR_clear_error();
  context_.reset(
      ::SSL_CTX_new(side == Side::listener ? ::TLS_server_method() : ::TLS_client_method()),
      ::SSL_CTX_free);
  SSL_CTX* const context = context_.get();
  if (context == nullptr) throw std::bad_alloc();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Nobody comes back to a session, and a ticket would make a socket readable without a message.
  ::SSL_CTX_set_num_tickets(context, 0);
  if (!options.certificate.empty()) use_certificate(context, options);
  if (!options.ca.empty()) {
    use_authorities(context, options);
  } else if (side == Side::client) {
    demand_tls(::SSL_CTX_set_default_verify_paths(context), "use the system's authorities");
  }
  if (side == Side::client) {
    ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  } else if (!options.ca.empty()) {
    ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
}

std::unique_ptr<TlsSession> TlsContext::open(int socket, const std::string& name) const {
  return std::make_unique<OpenSslSession>(context_.get(), side_, socket, name);
}

}  // namespace procession::platform

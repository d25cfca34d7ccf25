#include "platform/openssl_pem.hpp"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/x509err.h>

#include <cerrno>
#include <cstddef>

#include "platform/descriptor.hpp"
#include "platform/system_error.hpp"
#include "procession/error.hpp"

namespace procession::platform {

std::string last_tls_fault() {
  const unsigned long code = ::ERR_peek_last_error();
  ::ERR_clear_error();
  const char* const reason = ::ERR_reason_error_string(code);
  return reason == nullptr ? "no reason is known" : reason;
}

void demand_tls(int good, const std::string& what) {
  if (good != 1) {
    throw ProcessError("cannot " + what + " for TLS: " + last_tls_fault() +
                       "; files must be in the PEM format, and a key must belong to its "
                       "certificate");
  }
}

namespace {

/// What OpenSSL asks for while it reads a key: else it would ask at the terminal.
struct Password {
  const std::string& text;
  bool asked = false;

  static int give(char* room, int size, int /*writing*/, void* data) {
    auto* const password = static_cast<Password*>(data);
    if (password == nullptr) return -1;
    password->asked = true;
    const std::string& text = password->text;
    if (text.empty() || text.size() > static_cast<std::size_t>(size)) return -1;
    return static_cast<int>(text.copy(room, text.size()));
  }
};

/// OpenSSL would say of a file that is not there that no reason is known.
void expect_file(const std::string& path, const char* what, const char* option) {
  if (Descriptor(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC))) return;
  const int code = errno;
  throw ProcessError(
      system_error_text("read the file '" + path + "' of " + what, code) + "; " + option +
      " of TlsOptions is to be the path of a file in the PEM format that this process may read");
}

void use_key(SSL_CTX* context, const TlsOptions& options) {
  Password password{options.key_password};
  ::SSL_CTX_set_default_passwd_cb_userdata(context, &password);
  const int good = ::SSL_CTX_use_PrivateKey_file(context, options.key.c_str(), SSL_FILETYPE_PEM);
  ::SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  const unsigned long fault = ::ERR_peek_last_error();
  const bool mixed_up =
      ERR_GET_LIB(fault) == ERR_LIB_X509 && ERR_GET_REASON(fault) == X509_R_KEY_VALUES_MISMATCH;
  if (good != 1 && password.asked && !mixed_up) {
    ::ERR_clear_error();
    throw ProcessError("cannot use the private key '" + options.key + "' for TLS: it is encrypted" +
                       (password.text.empty()
                            ? ", and no key_password is in the TlsOptions; give it there, or "
                              "decrypt the key by `openssl pkey`"
                            : ", and the key_password of the TlsOptions does not open it"));
  }
  demand_tls(good, "use the private key '" + options.key + "'");
}

}  // namespace

void use_certificate(SSL_CTX* context, const TlsOptions& options) {
  expect_file(options.certificate, "the certificate", "certificate");
  expect_file(options.key, "the private key", "key");
  ::SSL_CTX_set_default_passwd_cb(context, Password::give);
  demand_tls(::SSL_CTX_use_certificate_chain_file(context, options.certificate.c_str()),
             "use the certificate '" + options.certificate + "'");
  use_key(context, options);
}

void use_authorities(SSL_CTX* context, const TlsOptions& options) {
  expect_file(options.ca, "the authorities' certificates", "ca");
  demand_tls(::SSL_CTX_load_verify_locations(context, options.ca.c_str(), nullptr),
             "use the certificates of authorities '" + options.ca + "'");
}

}  // namespace procession::platform

#pragma once

#include <openssl/ssl.h>

#include <string>

#include "procession/address.hpp"

// What a context of TLS is made of, out of the user's files. For the files of this folder only.
namespace procession::platform {

/// What OpenSSL says of the last fault of this thread, which it then forgets.
std::string last_tls_fault();

/// Throws `ProcessError` unless a function of OpenSSL has returned 1: it was to do `what`.
void demand_tls(int good, const std::string& what);

/// The certificate of the options, and its key. Throws `ProcessError`, which names the file. Never
/// asks anybody for the password of a key.
void use_certificate(SSL_CTX* context, const TlsOptions& options);

/// The authorities of the options. Throws `ProcessError`, which names the file.
void use_authorities(SSL_CTX* context, const TlsOptions& options);

}  // namespace procession::platform

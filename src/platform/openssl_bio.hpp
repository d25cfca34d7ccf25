#pragma once

#include <openssl/bio.h>

namespace procession::platform {

/// A stream socket for OpenSSL, which its own kind would write to in a way that raises SIGPIPE.
/// Throws `std::bad_alloc`.
BIO* make_socket_bio(int socket);

}  // namespace procession::platform

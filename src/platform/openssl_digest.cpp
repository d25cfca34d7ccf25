#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <climits>
#include <string>

#include "platform/digest.hpp"
#include "procession/error.hpp"

namespace procession::platform {

namespace {

const EVP_MD* method_of(Digest digest) {
  switch (digest) {
    case Digest::md5:
      return ::EVP_md5();
    case Digest::sha256:
      return ::EVP_sha256();
    case Digest::sha384:
      return ::EVP_sha384();
    case Digest::sha3_256:
      return ::EVP_sha3_256();
    case Digest::sha3_384:
      return ::EVP_sha3_384();
  }
  return nullptr;
}

}  // namespace

std::vector<std::byte> hmac(Digest digest, std::span<const std::byte> key,
                            std::span<const std::byte> message) {
  const EVP_MD* const method = method_of(digest);
  std::vector<std::byte> code(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  if (key.size() > INT_MAX ||
      ::HMAC(method, key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(message.data()), message.size(),
             reinterpret_cast<unsigned char*>(code.data()), &size) == nullptr) {
    throw ProcessError(std::string("cannot prove a key by HMAC-") + ::EVP_MD_get0_name(method) +
                       ": this system's OpenSSL refuses it; its policy may forbid the digest");
  }
  code.resize(size);
  return code;
}

bool equal_secrets(std::span<const std::byte> one, std::span<const std::byte> other) noexcept {
  return one.size() == other.size() && ::CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

}  // namespace procession::platform

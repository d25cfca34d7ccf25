#include "channel/tls_sign.hpp"

namespace procession::channel {

namespace {

constexpr std::size_t kHead = 4;
constexpr unsigned kAlert = 0x15;
constexpr unsigned kHandshake = 0x16;

unsigned at(std::span<const std::byte> bytes, std::size_t index) {
  return std::to_integer<unsigned>(bytes[index]);
}

}  // namespace

bool may_be_tls(std::span<const std::byte> begin) noexcept {
  return begin.size() >= kHead && (at(begin, 0) == kAlert || at(begin, 0) == kHandshake) &&
         at(begin, 1) == 3 && at(begin, 2) <= 4;
}

TlsSign tls_sign(std::span<const std::byte> begin) noexcept {
  if (!may_be_tls(begin) || begin.size() < 6) return TlsSign::none;
  const unsigned length = at(begin, 3) << 8U | at(begin, 4);
  if (at(begin, 0) == kAlert) {
    return length == 2 && (at(begin, 5) == 1 || at(begin, 5) == 2) ? TlsSign::alert : TlsSign::none;
  }
  if (begin.size() < kTlsSignBytes) return TlsSign::none;
  const unsigned inner = at(begin, 6) << 16U | at(begin, 7) << 8U | at(begin, 8);
  return at(begin, 5) == 1 && inner + 4 == length ? TlsSign::hello : TlsSign::none;
}

}  // namespace procession::channel

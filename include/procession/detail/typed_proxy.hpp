#pragma once

#include <type_traits>
#include <utility>

#include "procession/detail/proxy_core.hpp"

namespace procession::detail {

/// What the proxies of the types that a manager knows have in common. `S` is the class of the
/// object in the server.
template <class S>
class TypedProxy {
 public:
  using Object = S;  ///< the class of the object in the server

  /// Whether both name the same object.
  friend bool operator==(const TypedProxy& a, const TypedProxy& b) noexcept {
    return a.core_ == b.core_;
  }

 protected:
  friend struct ProxyAccess;

  TypedProxy() = default;

  /// `name`: that of the method, for servers of other programs.
  template <auto kMethod, class... Args>
  auto call(const char* name, const Args&... args) const {
    static_assert((Sendable<Kept<const Args&>> && ...),
                  "procession: an element of this object cannot be sent; see codec.hpp");
    return call_method<kMethod, S>(core_, name, args...);
  }

  void encode_handle(Encoder& encoder) const { core_.encode(encoder); }
  void decode_handle(Decoder& decoder) {
    core_ = ProxyCore::decode(decoder, served_fingerprint<S>());
  }

 private:
  ProxyCore core_;
};

/// Whether P is a proxy.
template <class P>
concept ProxyClass = kIsHandle<P> && requires { typename P::Object; };

/// Makes proxies of objects that were made for them.
struct ProxyAccess {
  template <class P>
  static P make(ProxyCore core) {
    P proxy;
    proxy.core_ = std::move(core);
    return proxy;
  }
};

}  // namespace procession::detail

/// Objects that live in a manager's server, called from any process.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "procession/detail/proxy_core.hpp"
#include "procession/detail/typed_proxy.hpp"

namespace procession {

/// Names an object of class T in a manager's server, and calls its methods there.
///
///     mp::Proxy<Counter> counter = manager.create<Counter>(10);
///     int total = counter.call<&Counter::add>(3);
///
/// The object lives until its last proxy, in any process, in a message on its way, or in another
/// object of the manager's, is gone, also where a process that had it was killed. One that has a
/// proxy of itself, or of one that has a proxy of it, lives until it lets go of that (`clear()` of
/// a list, say) or the manager ends: what is in objects only their class knows. Calls on one object
/// run one after another (`concurrent_calls` says otherwise); calls on distinct objects run side by
/// side. A method must not call its own object through a proxy, which would wait for itself. What a
/// method has printed (standard output and error) is out before its caller hears of its end.
///
/// A process that is killed inside a call has made it or it never will be: what has not begun when
/// its death is known does not begin any more, and what has begun is seen by everybody who calls
/// the object later.
///
/// A handle, which can be sent anywhere within the process tree; two of the same object are equal.
/// One of an object that another program has stays with the program that got it.
/// Every member may be called from any thread of any process. Python: what the methods of a manager
/// return (`BaseProxy`).
///
/// `Proxy<>` is one of an object whose class this program does not have.
template <class T = void>
class Proxy {
 public:
  using Object = T;  ///< the class of the object in the server

  /// Names no object; Manager::create makes others.
  Proxy() = default;

  /// Calls the method with `args`, which are encoded as those of a task are, and waits for its
  /// result. What arrives by reference or is a view arrives as what owns its elements.
  /// `kMethod` is also a function whose first parameter is a `T&`. Throws what the method throws,
  /// with its type, as a task does; `BrokenPipe` when the manager's server has ended, and
  /// `EndOfFile` when it has and may have run the call; `OutOfMemory`.
  template <auto kMethod, class... Args>
  auto call(const Args&... args) const {
    using Method = detail::MethodOf<kMethod, T>;
    static_assert((detail::Sendable<detail::Kept<const Args&>> && ...),
                  "procession: an argument of this call cannot be sent; see codec.hpp");
    static_assert(detail::CallableWith<Method, detail::Kept<const Args&>...>,
                  "procession: this method of the object does not take these arguments");
    static_assert(detail::kSendableResult<detail::MethodResult<kMethod, T, Args...>>,
                  "procession: the result of this method cannot be sent; see codec.hpp");
    return detail::call_method<kMethod, T>(core_, nullptr, args...);
  }

  /// Calls a method of an object that another program has, by the name that its server registered:
  /// `p.call<int>("add", 3)`. Arguments and result must be of the very types of the method's
  /// parameters and result, without reference and const. Throws as the above; `TypeMismatch`, which
  /// names both, where they are not; `ProcessError` for a name that is not registered, and for an
  /// object of this tree, whose methods have no names.
  template <class R = void, class... Args>
  R call(std::string_view name, const Args&... args) const {
    if (core_.remote() == nullptr) detail::throw_has_no_names();
    if constexpr (detail::check_encodable<R, detail::Kept<const Args&>...>()) {
      return detail::call_remote<R>(core_.remote(), std::string(name).c_str(), args...);
    }
  }

  /// Whether both name the same object.
  friend bool operator==(const Proxy& a, const Proxy& b) noexcept = default;

  /// Sends the handle.
  friend void encode(Encoder& encoder, const Proxy& proxy) { proxy.core_.encode(encoder); }
  /// Receives it.
  friend void decode(Decoder& decoder, Proxy& proxy) {
    proxy.core_ = detail::ProxyCore::decode(decoder, detail::served_fingerprint<T>());
  }

 private:
  friend struct detail::ProxyAccess;
  detail::ProxyCore core_;
};

template <class T>
inline constexpr bool detail::kIsHandle<Proxy<T>> = true;

}  // namespace procession

/// Objects for programs of other trees, or hosts.
///
///     mp::ManagerServer server({"0.0.0.0", 5000}, key);  // one program, for other hosts too
///     server.register_type<Counter>("Counter", mp::constructor<int>(),
///                                   mp::method<&Counter::add>("add"));
///     server.share<mp::QueueProxy<std::string>>("jobs");
///     server.serve_forever();
///
///     mp::Manager manager = mp::Manager::connect({"server.example", 5000}, key);  // another one
///     auto counter = manager.get<mp::Proxy<Counter>>("Counter", 10);
///     counter.call<int>("add", 3);
///     auto jobs = manager.get<mp::QueueProxy<std::string>>("jobs");
///
/// Only what is registered can be called, by its name, and only by who has proved the key; no
/// address of code ever crosses the network. Both sides compare the types of arguments and results,
/// and `TypeMismatch` names both where they differ. See `AuthKey` for what the key does not do;
/// with `tls` in the options of both, nobody on the way reads or changes what is said.
///
/// A proxy of such an object belongs to the program that got it: it cannot be sent to another
/// process, nor be kept in an object of the server.
#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>

#include "procession/detail/remote_server.hpp"
#include "procession/detail/served_methods.hpp"
#include "procession/detail/typed_proxy.hpp"

namespace procession {

namespace detail {

template <auto kMethod>
struct MethodSpec {
  std::string name;
  template <class T>
  void add_to(RegisteredType& type) const {
    type.methods.push_back(register_method<kMethod, T>(name));
  }
};

template <class... Args>
struct ConstructorSpec {
  template <class T>
  void add_to(RegisteredType& type) const {
    type.makers.push_back(register_maker<T, Args...>());
  }
};

}  // namespace detail

/// A method for `ManagerServer::register_type`: a member function, or a function whose first
/// parameter is a `T&`, and the name by which other programs call it.
template <auto kMethod>
[[nodiscard]] detail::MethodSpec<kMethod> method(std::string name) {
  return {std::move(name)};
}

/// A constructor for `ManagerServer::register_type`: other programs make objects with such
/// arguments, of exactly these types.
template <class... Args>
[[nodiscard]] detail::ConstructorSpec<std::decay_t<Args>...> constructor() {
  return {};
}

/// A server of objects for other programs, in this process.
///
/// Each connection is served by a thread of its own: registered functions, and methods of classes
/// for which `concurrent_calls` is true, must be fit for that. The objects that a client has live
/// until its last proxy is gone, or its last connection ends. What a client thread has locked is
/// free when its connection ends; one whose host vanished is noticed within seconds. A call that
/// has not begun when its connection ends is not made. Proxies outlive a server that ends, or the
/// end of all connections, but never name anything else: they throw `ProcessError` from then on,
/// also when there is another server at that address. What is larger than the other side takes
/// (`max_frame`) is refused by a `ProcessError` where it is sent. Any thread may call any member.
/// Python: `BaseManager` with `register` and `get_server()`.
class ManagerServer {
 public:
  /// Listens there, from now on, and lets in who proves that he has `authkey`, which stands for
  /// that of the options. Throws as the constructor of Listener does.
  ManagerServer(const Address& address, const AuthKey& authkey, ListenerOptions options = {})
      : core_(detail::make_remote_server(address, authkey, std::move(options))) {}
  ManagerServer(const ManagerServer&) = delete;
  ManagerServer& operator=(const ManagerServer&) = delete;
  /// As `shutdown()`.
  ~ManagerServer() { shutdown(); }

  /// Lets other programs use a T under this name: `constructor<...>()`s by which they make one
  /// (none: the default one, if it has one) and `method<...>("name")`s that they call. Throws
  /// `std::invalid_argument` for a name that is taken; `ProcessError` once it serves. Python:
  /// `register("Name", T, exposed=[...])`.
  template <class T, class... Specs>
    requires(!detail::ProxyClass<T>)
  void register_type(std::string name, const Specs&... specs) {
    detail::RegisteredType type{
        std::move(name), detail::served_fingerprint<T>(), type_name<T>(), {}, {}};
    (specs.template add_to<T>(type), ...);
    if constexpr (std::is_default_constructible_v<T>) {
      if (type.makers.empty()) detail::ConstructorSpec<>().template add_to<T>(type);
    }
    detail::register_type(core_, std::move(type));
  }

  /// Lets other programs make a dict, list, set, queue, value or array: `P` is the class of its
  /// proxy, such as `DictProxy<std::string, int>`. Throws as the above. Python: `register("Name",
  /// dict)`.
  template <detail::ProxyClass P>
  void register_type(std::string name) {
    using S = typename P::Object;
    detail::Methods<S> methods;
    detail::list_methods(methods);
    detail::register_type(core_, {std::move(name), detail::served_fingerprint<S>(), type_name<S>(),
                                  detail::known_makers<S>(), std::move(methods.all)});
  }

  /// Lets other programs call `f` by this name, in a thread of the connection's. What it gives by
  /// `T&` or as a `std::shared_ptr<T>` they get a proxy of, always the same one of the same object;
  /// T must be registered too, and what is given by `T&` must live as long as the server. Anything
  /// else they get as a value. Throws as `register_type` does. Python: `register("name",
  /// callable=f)`.
  template <class F>
  void register_callable(std::string name, F f) {
    using Plain = decltype(std::function(f));
    detail::register_function(core_, detail::register_function(std::move(name), std::move(f),
                                                               static_cast<Plain*>(nullptr)));
  }

  /// One new object that all clients get a proxy of by this name: a queue of jobs, a dict of
  /// results. `P` is the class of the proxy. Throws as `register_type` does.
  template <detail::ProxyClass P, class... Args>
  void share(const std::string& name, const Args&... args) {
    using S = typename P::Object;
    if (!detail::knows_type(core_, detail::served_fingerprint<S>())) {
      register_type<P>(std::string(type_name<P>()));
    }
    register_callable(name, [object = std::make_shared<S>(args...)] { return object; });
  }

  /// Where it listens, with the port that the system chose.
  [[nodiscard]] Address address() const { return detail::server_address(core_); }

  /// Serves clients, until `shutdown()` in another thread. Where a client's call asked for that, it
  /// is answered before this returns, if it ends within ten seconds. While there are no descriptors
  /// or threads for more of them, that is logged (level warning), and newcomers wait. Python:
  /// `get_server().serve_forever()`.
  void serve_forever() { detail::serve_remote(core_); }

  /// Listens no longer, and ends all connections; that of a call which asks for it, by a method or
  /// a registered function, when the caller has the answer. A second call does nothing. Never
  /// throws.
  void shutdown() noexcept { detail::end_remote_server(core_); }

 private:
  detail::RemoteServerPtr core_;
};

}  // namespace procession

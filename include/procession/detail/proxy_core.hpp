#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "procession/callable.hpp"
#include "procession/detail/connection_core.hpp"
#include "procession/detail/handle.hpp"
#include "procession/detail/remote_call.hpp"
#include "procession/detail/served.hpp"
#include "procession/exception.hpp"

/// What the templates of proxies need of the compiled manager floor.
namespace procession::detail {

/// Names an object in a server, of this tree of processes or of another program. A handle.
class ProxyCore {
 public:
  /// Names nothing.
  ProxyCore() = default;
  explicit ProxyCore(Handle handle) noexcept : handle_(std::move(handle)) {}
  explicit ProxyCore(RemoteRefPtr remote) noexcept : remote_(std::move(remote)) {}

  [[nodiscard]] const Handle& handle() const noexcept { return handle_; }
  /// Null for an object of this tree.
  [[nodiscard]] const RemoteRefPtr& remote() const noexcept { return remote_; }

  void encode(Encoder& encoder) const;
  static ProxyCore decode(Decoder& decoder, std::uint64_t fingerprint);

  friend bool operator==(const ProxyCore& a, const ProxyCore& b) noexcept {
    return a.handle_.address() == b.handle_.address() && same_object(a.remote_, b.remote_);
  }

 private:
  Handle handle_;
  RemoteRefPtr remote_;
};

/// A request to a server of this process tree on its way, and the reply. Not thread-safe.
class LocalCall {
 public:
  /// To call the object. Throws ProcessError for a proxy that names none.
  explicit LocalCall(const ProxyCore& object);
  /// To have the server make an object, or count those it has.
  enum class Control { make, count };
  LocalCall(const Handle& manager, Control what);

  Encoder& request() noexcept { return builder_; }
  /// Sends it, waits, and gives the result. Throws what was thrown there; BrokenPipe or EndOfFile
  /// when the server has ended.
  Decoder& make();

 private:
  std::byte* manager_;
  TransportPtr pipe_;
  MessageBuilder builder_;
  Incoming reply_;
  std::optional<Decoder> result_;
};

/// Reads the object that was made.
ProxyCore made_object(Decoder& reply, std::uint64_t fingerprint);

/// Calls the method: in this tree by its place in the program, elsewhere by `name`, if it has one.
template <auto kMethod, class T, class... Args>
MethodResult<kMethod, T, Args...> call_method(const ProxyCore& object, const char* name,
                                              const Args&... args) {
  using R = MethodResult<kMethod, T, Args...>;
  if (object.remote() != nullptr) {
    return call_remote<R>(object.remote(), name, args...);
  }
  LocalCall call(object);
  encode_entry<&serve_call<kMethod, T, Kept<const Args&>...>>(call.request());
  (encode_argument(call.request(), args), ...);
  refuse_noted_address(call.request(), "an argument of a call");
  Decoder& result = call.make();
  if constexpr (!std::is_void_v<R>) {
    return decode_stored<R>(result);
  }
}

/// Has the server make a T.
template <class T, class... Args>
ProxyCore make_served(const Handle& manager, const Args&... args) {
  LocalCall call(manager, LocalCall::Control::make);
  encode_entry<&serve_make<T, Kept<const Args&>...>>(call.request());
  (encode_argument(call.request(), args), ...);
  refuse_noted_address(call.request(), "an argument of a constructor");
  return made_object(call.make(), served_fingerprint<T>());
}

}  // namespace procession::detail

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "procession/callable.hpp"
#include "procession/detail/connection_core.hpp"
#include "procession/detail/handle.hpp"
#include "procession/detail/served.hpp"
#include "procession/exception.hpp"

/// What the templates of proxies need of the compiled manager floor.
namespace procession::detail {

/// Names an object in a server. A handle.
class ProxyCore {
 public:
  /// Names nothing.
  ProxyCore() = default;
  explicit ProxyCore(Handle handle) noexcept : handle_(std::move(handle)) {}

  [[nodiscard]] const Handle& handle() const noexcept { return handle_; }

  void encode(Encoder& encoder) const;
  static ProxyCore decode(Decoder& decoder, std::uint64_t fingerprint);

  friend bool operator==(const ProxyCore& a, const ProxyCore& b) noexcept {
    return a.handle_.address() == b.handle_.address();
  }

 private:
  Handle handle_;
};

/// A request to a server of this process tree on its way, and the reply. Not thread-safe.
class LocalCall {
 public:
  /// To call the object. Throws ProcessError for a proxy that names none.
  explicit LocalCall(const ProxyCore& object);
  /// To have the server make an object, or count those it has.
  enum class Control { make, count };
  LocalCall(const Handle& manager, Control what);

  Encoder& request() noexcept { return draft_; }
  /// Sends it, waits, and gives the result. Throws what was thrown there; BrokenPipe or EndOfFile
  /// when the server has ended.
  Decoder& make();

 private:
  std::byte* manager_;
  MessageDraft draft_;
  Incoming reply_;
  std::optional<Decoder> result_;
};

/// Reads the object that was made.
ProxyCore made_object(Decoder& reply, std::uint64_t fingerprint);

/// Calls the method: in this tree by its place in the program, elsewhere by `name`, if it has one.
template <auto kMethod, class T, class... Args>
MethodResult<kMethod, T, Args...> call_method(const ProxyCore& object,
                                              [[maybe_unused]] const char* name,
                                              const Args&... args) {
  using R = MethodResult<kMethod, T, Args...>;
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

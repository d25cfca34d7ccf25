#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "procession/address.hpp"
#include "procession/callable.hpp"
#include "procession/detail/connection_core.hpp"
#include "procession/detail/fingerprint.hpp"

namespace procession::manager {
enum class RemoteRequest : std::uint8_t;
}

// Calls of objects that another program has. There they are found by name, and both sides compare
// the types.
namespace procession::detail {

/// What is known of a type to compare it with another program's.
struct TypeMark {
  std::uint64_t fingerprint = 0;  ///< 0: void, or any
  std::string_view name = "void";
};

template <class T>
constexpr TypeMark mark_of() {
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return {procession::fingerprint<T>(), type_name<T>()};
  }
}

/// A program's connections to a server of another one.
class RemoteClient;
using RemoteClientPtr = std::shared_ptr<RemoteClient>;
/// An object of such a server, which is told when the last of these has gone.
class RemoteRef;
using RemoteRefPtr = std::shared_ptr<RemoteRef>;

RemoteClientPtr connect_manager(const Address& address, const AuthKey& key, ClientOptions options);
/// Whether both name the same object of the same client.
bool same_object(const RemoteRefPtr& a, const RemoteRefPtr& b) noexcept;
Address remote_address(const RemoteClientPtr& client);
void disconnect_manager(const RemoteClientPtr& client) noexcept;
std::size_t count_remote(const RemoteClientPtr& client);

/// A request to such a server on its way, and the reply. Not thread-safe.
class RemoteCall {
 public:
  /// To call a method. `name` may be null, for one that has none: throws ProcessError.
  RemoteCall(const RemoteRefPtr& object, const char* name, TypeMark arguments, TypeMark result);
  /// To call a function of that name, or to make an object of the type of that name. The result is
  /// a value, or an object whose type has `fingerprint` (0: any).
  RemoteCall(const RemoteClientPtr& client, std::string_view name, TypeMark arguments,
             TypeMark value);
  struct Object {
    std::uint64_t fingerprint;
    std::string_view type;
  };
  RemoteCall(const RemoteClientPtr& client, std::string_view name, TypeMark arguments,
             Object object);

  RemoteCall(const RemoteCall&) = delete;
  RemoteCall& operator=(const RemoteCall&) = delete;
  ~RemoteCall();

  Encoder& request() noexcept { return builder_; }
  /// As that of LocalCall. Throws ProcessError, too, for a request that is larger than what the
  /// server takes.
  Decoder& make();
  /// The object that was asked for.
  RemoteRefPtr make_object();

 private:
  friend std::size_t count_remote(const RemoteClientPtr& client);

  explicit RemoteCall(RemoteClientPtr client);
  void begin(manager::RemoteRequest what);

  RemoteClientPtr client_;
  TransportPtr connection_;
  MessageBuilder builder_;
  Incoming reply_;
  std::optional<Decoder> result_;
  /// Of what the client has no more, and the server is told by this request.
  std::vector<std::uint64_t> given_back_;
  std::uint64_t reference_ = 0;  ///< to the object that is asked for; 0: none
  bool is_sent_ = false;         ///< the server may have the request
  bool is_answered_ = false;     ///< it had it
};

[[noreturn]] void throw_not_for_untrusted();
[[noreturn]] void throw_has_no_names();

/// The types of all arguments as one.
template <class... Args>
constexpr TypeMark arguments_mark() {
  return mark_of<std::tuple<Kept<const Args&>...>>();
}

/// Calls a method of a remote object by its name.
template <class R, class... Args>
R call_remote(const RemoteRefPtr& object, const char* name, const Args&... args) {
  if constexpr ((Encodable<Kept<const Args&>> && ...) && (std::is_void_v<R> || Encodable<R>)) {
    RemoteCall call(object, name, arguments_mark<Args...>(), mark_of<R>());
    (encode_argument(call.request(), args), ...);
    Decoder& result = call.make();
    if constexpr (!std::is_void_v<R>) {
      R value = decode_stored<R>(result);
      result.expect_end();
      return value;
    }
  } else {
    throw_not_for_untrusted();
  }
}

[[noreturn]] void throw_not_remote(std::string_view what);
[[noreturn]] void throw_not_local(std::string_view what);

/// The value that the function of that name gives.
template <class R, class... Args>
R value_of(const RemoteClientPtr& client, std::string_view name, const Args&... args) {
  if constexpr ((Encodable<Kept<const Args&>> && ...) && (std::is_void_v<R> || Encodable<R>)) {
    RemoteCall call(client, name, arguments_mark<Args...>(), mark_of<R>());
    (encode_argument(call.request(), args), ...);
    Decoder& result = call.make();
    if constexpr (!std::is_void_v<R>) {
      return decode_stored<R>(result);
    }
  } else {
    throw_not_for_untrusted();
  }
}

/// The object of class S (void: any) that the function of that name gives, or a new one.
template <class S, class... Args>
RemoteRefPtr remote_object(const RemoteClientPtr& client, std::string_view name,
                           const Args&... args) {
  if constexpr ((Encodable<Kept<const Args&>> && ...)) {
    RemoteCall::Object wanted{0, "any"};
    if constexpr (!std::is_void_v<S>) {
      wanted = {Fingerprint::of(type_name<S>(), 0), type_name<S>()};
    }
    RemoteCall call(client, name, arguments_mark<Args...>(), wanted);
    (encode_argument(call.request(), args), ...);
    return call.make_object();
  } else {
    throw_not_for_untrusted();
  }
}

}  // namespace procession::detail

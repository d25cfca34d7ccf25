/// What is known of a type of exceptions that can be sent: how it is recognised, written, and
/// rebuilt. Only functions, no templates, are seen by the code that sends them.
#pragma once

#include <atomic>
#include <concepts>
#include <exception>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "procession/codec.hpp"
#include "procession/error.hpp"

namespace procession::detail {

/// Name of a type as a person would write it: no `__cxx11`, and `std::string` by that name.
std::string readable_name(const std::type_info& type);

// Never defined: a use is an error whose one line has the reason and the type. See
// register_exception().
template <class E>
struct registered_exception_must_be_a_class;
template <class E>
struct registered_exception_must_not_be_final;  // what is thrown at the receiver derives from it
template <class E>
struct registered_exception_must_not_derive_from_RemoteTrace;  // all that arrive are one already
template <class E>
struct registered_exception_must_be_copyable;
template <class E>
struct registered_exception_needs_encode_and_decode_or_a_constructor_from_string;

struct ExceptionType {
  std::string_view name;  // what it is called in a message; lives for ever

  const std::type_info& (*id)();
  bool (*is_type)(const std::type_info& thrown);

  // Whether it is what std::throw_with_nested() makes of an object of this type. That class has no
  // name; it is found out by making one.
  bool (*is_nested)(const std::exception_ptr& error, const std::type_info& thrown);

  // False when `error` is not of this type. Throws what the type's own encode() throws.
  bool (*write)(Encoder& out, const std::exception_ptr& error);

  // `cause`: what is nested in it, or null. Throws what the type's own decode() throws.
  std::exception_ptr (*rebuild)(Decoder& in, const RemoteTrace& trace,
                                const std::exception_ptr& cause);
};

/// Adds a type under `name`, or its readable name where that is empty; true. Throws
/// std::invalid_argument when the name or the type is taken. Lock-free, so that a process forked
/// while another thread is in here can still use it.
bool announce_exception(const ExceptionType& type, std::string name);

/// What is thrown at the receiver of an E.
template <class E>
class Received : public E, public RemoteTrace {
 public:
  Received(E&& thrown, const RemoteTrace& trace) : E(std::move(thrown)), RemoteTrace(trace) {}
};

template <std::derived_from<std::exception> E>
class Received<E> : public E, public RemoteTrace {
 public:
  Received(E&& thrown, const RemoteTrace& trace) : E(std::move(thrown)), RemoteTrace(trace) {}

  // Many a standard type cannot be given its text, or adds to the one it is given.
  [[nodiscard]] const char* what() const noexcept override { return text().c_str(); }
};

/// As std::throw_with_nested() makes it. To be constructed while the cause is being handled.
template <class Base>
class WithCause : public Base, public std::nested_exception {
 public:
  using Base::Base;
};

/// Throws and catches a new object, so that it is never copied.
template <class Object, class... Args>
std::exception_ptr stored(Args&&... args) {
  try {
    throw Object(std::forward<Args>(args)...);
  } catch (const Object&) {
    return std::current_exception();
  }
}

template <class E>
concept SentByFields = std::default_initializable<E> && Encodable<E>;

template <class E>
concept SentByText = std::constructible_from<E, const std::string&>;

template <class E>
struct FieldsForm {
  static void write(Encoder& out, const E& error) { procession::encode(out, error); }
  static E read(Decoder& in, const std::string& /*text*/) {
    E error{};
    procession::decode(in, error);
    return error;
  }
};

template <class E>
struct TextForm {
  static void write(Encoder& /*out*/, const E& /*error*/) {}
  static E read(Decoder& /*in*/, const std::string& text) { return E(text); }
};

template <class E>
constexpr bool kHasOwnCause = std::is_base_of_v<std::nested_exception, E>;

template <class E>
using ReceivedWithCause = std::conditional_t<kHasOwnCause<E>, Received<E>, WithCause<Received<E>>>;

template <class E>
bool is_thrown_type(const std::type_info& thrown) {
  return thrown == typeid(E) || thrown == typeid(Received<E>) ||
         thrown == typeid(ReceivedWithCause<E>);
}

// The type that std::throw_with_nested() makes of an E, null while not known. Found out by making
// one of the E in `error`. libstdc++ has another type for `const E`.
template <class E>
const std::type_info* nested_type(const std::exception_ptr& error) {
  static std::atomic<const std::type_info*> made{nullptr};
  if (made.load() != nullptr) return made.load();
  try {
    std::rethrow_exception(error);
  } catch (const std::remove_const_t<E>& sample) {
    try {
      if constexpr (std::is_const_v<E>) {
        std::throw_with_nested(sample);
      } else {
        std::throw_with_nested(E(sample));
      }
    } catch (const std::nested_exception& nested) {
      made = &typeid(nested);
    } catch (...) {  // it cannot be copied: not now, perhaps the next time
    }
  } catch (...) {  // of another type
  }
  return made.load();
}

template <class E>
bool is_nested_type(const std::exception_ptr& error, const std::type_info& thrown) {
  if constexpr (kHasOwnCause<E>) {
    return false;
  } else {
    const std::type_info* const plain = nested_type<E>(error);
    if (plain == nullptr) return false;
    const std::type_info* const constant = nested_type<const E>(error);
    return *plain == thrown || (constant != nullptr && *constant == thrown);
  }
}

template <class E, class Form>
bool write_exception(Encoder& out, const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const E& thrown) {
    Form::write(out, thrown);
    return true;
  } catch (...) {
    return false;
  }
}

template <class E, class Form>
std::exception_ptr rebuild_exception(Decoder& in, const RemoteTrace& trace,
                                     const std::exception_ptr& cause) {
  if (!cause) return stored<Received<E>>(Form::read(in, trace.text()), trace);
  try {
    std::rethrow_exception(cause);
  } catch (...) {  // std::nested_exception takes what is being handled
    return stored<ReceivedWithCause<E>>(Form::read(in, trace.text()), trace);
  }
}

template <class E, class Form>
constexpr ExceptionType describe_type(std::string_view name = {}) {
  return {.name = name,
          .id = []() -> const std::type_info& { return typeid(E); },
          .is_type = is_thrown_type<E>,
          .is_nested = is_nested_type<E>,
          .write = write_exception<E, Form>,
          .rebuild = rebuild_exception<E, Form>};
}

}  // namespace procession::detail

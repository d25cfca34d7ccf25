/// Exceptions that travel between processes.
///
/// What a task throws reaches its caller with its type when that type is one of the standard
/// library's, one of error.hpp, or announced with register_exception(); every other exception
/// arrives as RemoteError. Whatever arrives is a RemoteTrace as well, with the type, text and place
/// of what was thrown, and std::rethrow_if_nested() finds the exceptions nested in it.
///
/// In pools of threads there is nothing to be sent: an exception that would arrive as RemoteError
/// arrives as it was thrown, the same object, and is no RemoteTrace; all others as above.
///
/// The type must match exactly: an object of a class derived from an announced one arrives as
/// RemoteError under its own name rather than cut down to its base.
///
///     struct NoSuchRow { std::string table; std::int64_t id; };
///     inline const bool no_such_row_known = procession::register_exception<NoSuchRow>();
#pragma once

#include <cstddef>
#include <exception>
#include <string>
#include <type_traits>
#include <utility>

#include "procession/codec.hpp"
#include "procession/detail/exception_type.hpp"
#include "procession/error.hpp"

namespace procession {

/// Announces the exception type E, so that it arrives with its type. Must be done in the process
/// that throws and in the one that catches: at namespace scope as above, or before init().
///
/// E is sent with all its fields when it is encodable (a plain aggregate, or a type with functions
/// encode and decode of its own) and has a default constructor; otherwise E must have a
/// constructor from std::string, which is given what(), and that is all that is sent. E must be
/// copyable and not be final: what is thrown at the receiver is derived from it. Handles (a Lock, a
/// Queue) and descriptors do not travel in exceptions: an E that has one arrives as RemoteError.
///
/// `name` is what E is called between the processes; empty for the name of the type. Returns true.
/// Throws std::invalid_argument when the name is another type's or E has another name already.
/// Any thread may call it at any time; it takes no lock. A shared library that announced a type
/// must stay loaded. No counterpart in Python, where an exception is found by its module and name.
template <class E>
bool register_exception(std::string name = {}) {
  if constexpr (!std::is_class_v<E> || std::is_const_v<E> || std::is_volatile_v<E>) {
    (void)sizeof(detail::registered_exception_must_be_a_class<E>);
  } else if constexpr (std::is_final_v<E>) {
    (void)sizeof(detail::registered_exception_must_not_be_final<E>);
  } else if constexpr (std::is_base_of_v<RemoteTrace, E>) {
    (void)sizeof(detail::registered_exception_must_not_derive_from_RemoteTrace<E>);
  } else if constexpr (!std::is_copy_constructible_v<E>) {
    (void)sizeof(detail::registered_exception_must_be_copyable<E>);
  } else if constexpr (detail::SentByFields<E>) {
    return detail::announce_exception(detail::describe_type<E, detail::FieldsForm<E>>(),
                                      std::move(name));
  } else if constexpr (detail::SentByText<E>) {
    return detail::announce_exception(detail::describe_type<E, detail::TextForm<E>>(),
                                      std::move(name));
  } else {
    (void)sizeof(
        detail::registered_exception_needs_encode_and_decode_or_a_constructor_from_string<E>);
  }
  return false;
}

/// Appends the exception to `out`: any exception, with its type, its text, its fields where the
/// type is known, and the exceptions nested in it (the 64 outermost). What cannot be encoded, such
/// as one whose own encode() throws, is sent as its type and text. A null pointer is encoded too.
/// Throws what `out` throws when there is no room, std::bad_alloc included.
void encode_exception(Encoder& out, const std::exception_ptr& error);

/// The exception that encode_exception() wrote, or a null pointer if that was given one. `origin`
/// is where it came from. Throws DecodeError when the bytes are not such an encoding.
[[nodiscard]] std::exception_ptr decode_exception(Decoder& in, const RemoteOrigin& origin);

/// Throws the exception that encode_exception() wrote. Throws DecodeError when the bytes are not
/// such an encoding, or that of a null pointer.
[[noreturn]] void throw_decoded(Decoder& in, const RemoteOrigin& origin);

}  // namespace procession

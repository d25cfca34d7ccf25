// The types of exceptions that can be sent: those built in, and those announced.
#pragma once

#include <exception>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <typeinfo>

#include "procession/detail/exception_type.hpp"

namespace procession::detail {

// Of the standard library and of error.hpp.
std::span<const ExceptionType> standard_exception_types();
std::span<const ExceptionType> own_exception_types();

// nullptr: not known here.
const ExceptionType* find_exception_type(std::string_view name) noexcept;

// By the exact type of the object; nullptr: not known here.
const ExceptionType* find_exception_type(const std::exception_ptr& error,
                                         const std::type_info& thrown);

// The dynamic type of the object. `error` must not be null.
const std::type_info& thrown_type(const std::exception_ptr& error) noexcept;

// Whether encode_exception() would keep the type of it and of all that is nested in it, or it has
// come from elsewhere already.
bool keeps_its_type(const std::exception_ptr& error);

// what(), or the value of a number or string that was thrown; empty when there is nothing to say.
std::string thrown_text(const std::exception_ptr& error);

// Whether it is a std::nested_exception, and what is nested in it; null: nothing.
bool is_nested(const std::exception_ptr& error) noexcept;
std::exception_ptr thrown_cause(const std::exception_ptr& error) noexcept;

// Makes the text of an object built anew that of the one that was sent, for what catches it by
// value.
template <class E>
E with_text(E error, const std::string& text) {
  static_cast<std::runtime_error&>(error) = std::runtime_error(text);
  return error;
}

// An exception that has nothing but its text.
template <class E>
constexpr ExceptionType text_type(std::string_view name) {
  return describe_type<E, TextForm<E>>(name);
}

}  // namespace procession::detail

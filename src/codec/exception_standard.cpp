// How the exceptions of the standard library are sent.
#include <any>
#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <future>
#include <ios>
#include <memory>
#include <new>
#include <optional>
#include <regex>
#include <stdexcept>
#include <system_error>
#include <typeinfo>
#include <variant>

#include "error_category.hpp"
#include "exception_types.hpp"

namespace procession::detail {
namespace {

// For types that have nothing but a type; what() of Received says the text.
template <class E>
struct EmptyForm {
  static void write(Encoder& /*out*/, const E& /*error*/) {}
  static E read(Decoder& /*in*/, const std::string& /*text*/) { return E(); }
};

void write_code(Encoder& out, const std::error_code& code) {
  procession::encode(out, std::int32_t{code.value()});
  procession::encode(out, std::string(code.category().name()));
}

std::error_code read_code(Decoder& in) {
  const auto value = decode<std::int32_t>(in);
  return {value, error_category(decode<std::string>(in))};
}

// std::system_error and std::ios_base::failure.
template <class E>
struct SystemForm {
  static void write(Encoder& out, const E& error) { write_code(out, error.code()); }
  static std::system_error make(const std::error_code& code, const std::system_error*) {
    return std::system_error(code);
  }
  static std::ios_base::failure make(const std::error_code& code, const std::ios_base::failure*) {
    return std::ios_base::failure(std::string(), code);
  }
  static E read(Decoder& in, const std::string& text) {
    return with_text(make(read_code(in), static_cast<const E*>(nullptr)), text);
  }
};

struct FilesystemForm {
  using Error = std::filesystem::filesystem_error;

  static void write(Encoder& out, const Error& error) {
    write_code(out, error.code());
    // What the constructor was given, out of "given: message of the code".
    std::string given = error.std::system_error::what();
    const std::string message = ": " + error.code().message();
    if (given.ends_with(message)) given.resize(given.size() - message.size());
    procession::encode(out, given);
    procession::encode(out, error.path1().string());
    procession::encode(out, error.path2().string());
  }

  static Error read(Decoder& in, const std::string& /*text*/) {
    const std::error_code code = read_code(in);
    const auto given = decode<std::string>(in);
    const auto path1 = decode<std::string>(in);
    const auto path2 = decode<std::string>(in);
    if (!path2.empty()) return Error(given, path1, path2, code);
    return path1.empty() ? Error(given, code) : Error(given, path1, code);
  }
};

// std::future_error and std::regex_error, which are made from a number.
template <class E, class Code>
struct CodeForm {
  static std::int32_t number(const std::error_code& code) { return code.value(); }
  static std::int32_t number(std::regex_constants::error_type code) {
    return static_cast<std::int32_t>(code);
  }
  static void write(Encoder& out, const E& error) { procession::encode(out, number(error.code())); }
  static E read(Decoder& in, const std::string& /*text*/) {
    return E(static_cast<Code>(decode<std::int32_t>(in)));
  }
};

template <class E>
constexpr ExceptionType empty_type(std::string_view name) {
  return describe_type<E, EmptyForm<E>>(name);
}

// libstdc++'s streams throw an undocumented class derived from std::ios_base::failure.
constexpr ExceptionType failure_type() {
  auto type = describe_type<std::ios_base::failure, SystemForm<std::ios_base::failure>>(
      "std::ios_base::failure");
  type.is_type = [](const std::type_info& thrown) {
    return is_thrown_type<std::ios_base::failure>(thrown) ||
           std::strcmp(thrown.name(), "St13__ios_failure") == 0;
  };
  return type;
}

constexpr std::array kStandardTypes{
    empty_type<std::exception>("std::exception"),
    text_type<std::logic_error>("std::logic_error"),
    text_type<std::invalid_argument>("std::invalid_argument"),
    text_type<std::domain_error>("std::domain_error"),
    text_type<std::length_error>("std::length_error"),
    text_type<std::out_of_range>("std::out_of_range"),
    text_type<std::runtime_error>("std::runtime_error"),
    text_type<std::range_error>("std::range_error"),
    text_type<std::overflow_error>("std::overflow_error"),
    text_type<std::underflow_error>("std::underflow_error"),
    describe_type<std::system_error, SystemForm<std::system_error>>("std::system_error"),
    failure_type(),
    describe_type<std::filesystem::filesystem_error, FilesystemForm>(
        "std::filesystem::filesystem_error"),
    describe_type<std::future_error, CodeForm<std::future_error, std::future_errc>>(
        "std::future_error"),
    describe_type<std::regex_error, CodeForm<std::regex_error, std::regex_constants::error_type>>(
        "std::regex_error"),
    empty_type<std::bad_alloc>("std::bad_alloc"),
    empty_type<std::bad_array_new_length>("std::bad_array_new_length"),
    empty_type<std::bad_cast>("std::bad_cast"),
    empty_type<std::bad_any_cast>("std::bad_any_cast"),
    empty_type<std::bad_typeid>("std::bad_typeid"),
    empty_type<std::bad_exception>("std::bad_exception"),
    empty_type<std::bad_weak_ptr>("std::bad_weak_ptr"),
    empty_type<std::bad_function_call>("std::bad_function_call"),
    empty_type<std::bad_optional_access>("std::bad_optional_access"),
    empty_type<std::bad_variant_access>("std::bad_variant_access"),
};

}  // namespace

std::span<const ExceptionType> standard_exception_types() { return kStandardTypes; }

}  // namespace procession::detail

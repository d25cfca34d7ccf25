// What can be said of an exception of whatever type.
#include <array>
#include <cstdlib>
#include <system_error>

#if __has_include(<cxxabi.h>)
#include <cxxabi.h>
#define PROCESSION_HAS_CXXABI
#endif

#include "exception_types.hpp"

namespace procession::detail {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

std::string text_or_empty(const char* text) { return text == nullptr ? "" : text; }

}  // namespace

std::string readable_name(const std::type_info& type) {
  std::string name = type.name();
#ifdef PROCESSION_HAS_CXXABI
  int status = 0;
  char* const demangled = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  if (demangled != nullptr) name = demangled;
  std::free(demangled);
#endif
  replace_all(name, "__cxx11::", "");
  replace_all(name, "[abi:cxx11]", "");
  replace_all(name, "std::basic_string<char, std::char_traits<char>, std::allocator<char> >",
              "std::string");
  return name;
}

const std::type_info& thrown_type(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& thrown) {
    return typeid(thrown);
  } catch (...) {
#ifdef PROCESSION_HAS_CXXABI
    const std::type_info* type = abi::__cxa_current_exception_type();
    if (type != nullptr) return *type;
#endif
    return typeid(void);  // an exception of another language
  }
}

std::string thrown_text(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& thrown) {
    return text_or_empty(thrown.what());
  } catch (const std::string& thrown) {
    return thrown;
  } catch (const std::string_view& thrown) {
    return std::string(thrown);
  } catch (const char* thrown) {
    return text_or_empty(thrown);
  } catch (const std::error_code& thrown) {
    return thrown.message();
  } catch (bool thrown) {
    return thrown ? "true" : "false";
  } catch (char thrown) {
    return {thrown};
  } catch (int thrown) {
    return std::to_string(thrown);
  } catch (unsigned thrown) {
    return std::to_string(thrown);
  } catch (long thrown) {
    return std::to_string(thrown);
  } catch (unsigned long thrown) {
    return std::to_string(thrown);
  } catch (long long thrown) {
    return std::to_string(thrown);
  } catch (unsigned long long thrown) {
    return std::to_string(thrown);
  } catch (double thrown) {
    return std::to_string(thrown);
  } catch (...) {
    return {};
  }
}

bool is_nested(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const std::nested_exception&) {
    return true;
  } catch (...) {
    return false;
  }
}

std::exception_ptr thrown_cause(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const std::nested_exception& thrown) {
    return thrown.nested_ptr();
  } catch (...) {
    return nullptr;
  }
}

}  // namespace procession::detail

// Each exception of the standard library arrives as what it was.
#include <gtest/gtest.h>

#include <any>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <system_error>
#include <typeinfo>
#include <variant>

#include "exception_support.hpp"

namespace {

using namespace exception_test;

// The very type, its text and its trace; also when it passes on through a second process, and when
// its receiver keeps a copy.
template <class E>
void expect_itself(const std::exception_ptr& error, const std::string& type) {
  SCOPED_TRACE(type);
  std::string text;
  try {
    std::rethrow_exception(error);
  } catch (const E& original) {
    text = original.what();
  }
  for (const auto& arrived : {sent(error), sent(sent(error))}) {
    try {
      std::rethrow_exception(arrived);
    } catch (const E& thrown) {
      EXPECT_EQ(typeid(thrown), typeid(mp::detail::Received<E>));
      EXPECT_EQ(thrown.what(), text);
      const mp::RemoteTrace* const trace = mp::remote_trace(thrown);
      ASSERT_NE(trace, nullptr);
      EXPECT_EQ(trace->type(), type);
      EXPECT_EQ(trace->text(), text);
      EXPECT_EQ(trace->task_index(), 7U);
      EXPECT_EQ(trace->pid(), 4321);
    } catch (...) {
      FAIL() << "arrived as " << mp::remote_trace(arrived)->type();
    }
  }
}

template <class E>
void expect_text_type(const std::string& type) {
  const auto error = thrown_by([] { throw E("the text"); });
  expect_itself<E>(error, type);
  // A copy as E alone has the text too.
  expect_arrives<E>(error, [](const E& thrown, const auto*) {
    const E copy = thrown;
    EXPECT_STREQ(copy.what(), "the text");
  });
}

TEST(ExceptionStandard, TypesWithAText) {
  expect_text_type<std::logic_error>("std::logic_error");
  expect_text_type<std::invalid_argument>("std::invalid_argument");
  expect_text_type<std::domain_error>("std::domain_error");
  expect_text_type<std::length_error>("std::length_error");
  expect_text_type<std::out_of_range>("std::out_of_range");
  expect_text_type<std::runtime_error>("std::runtime_error");
  expect_text_type<std::range_error>("std::range_error");
  expect_text_type<std::overflow_error>("std::overflow_error");
  expect_text_type<std::underflow_error>("std::underflow_error");
}

TEST(ExceptionStandard, TypesWithNothingElse) {
  const auto check = []<class E>(E error, const std::string& type) {
    expect_itself<E>(std::make_exception_ptr(error), type);
  };
  check(std::exception(), "std::exception");
  check(std::bad_alloc(), "std::bad_alloc");
  check(std::bad_array_new_length(), "std::bad_array_new_length");
  check(std::bad_cast(), "std::bad_cast");
  check(std::bad_any_cast(), "std::bad_any_cast");
  check(std::bad_typeid(), "std::bad_typeid");
  check(std::bad_exception(), "std::bad_exception");
  check(std::bad_weak_ptr(), "std::bad_weak_ptr");
  check(std::bad_function_call(), "std::bad_function_call");
  check(std::bad_optional_access(), "std::bad_optional_access");
  check(std::bad_variant_access(), "std::bad_variant_access");
}

TEST(ExceptionStandard, WhatTheLibraryItselfThrows) {
  expect_itself<std::bad_variant_access>(
      thrown_by([] { std::get<int>(std::variant<int, char>('x')); }), "std::bad_variant_access");
  expect_itself<std::out_of_range>(thrown_by([] { std::string().at(3); }), "std::out_of_range");
  expect_itself<std::invalid_argument>(thrown_by([] { static_cast<void>(std::stoi("x")); }),
                                       "std::invalid_argument");
  expect_itself<std::bad_function_call>(thrown_by([] { std::function<void()>()(); }),
                                        "std::bad_function_call");
  expect_itself<std::bad_any_cast>(thrown_by([] { std::any_cast<int>(std::any('x')); }),
                                   "std::bad_any_cast");
  const auto error = thrown_by([] {
    std::ifstream file;
    file.exceptions(std::ios::failbit);
    file.open("/no/such/file");
  });
  // Thrown as a class of libstdc++ that is derived from it.
  expect_arrives<std::ios_base::failure>(error, [&](const auto& thrown, const auto* trace) {
    EXPECT_EQ(thrown.code(), std::io_errc::stream);
    EXPECT_EQ(trace->type(), "std::ios_base::failure");
  });
}

TEST(ExceptionStandard, SystemErrorKeepsItsCode) {
  for (const std::error_category* category :
       {&std::generic_category(), &std::system_category(), &std::iostream_category()}) {
    const std::error_code code(ENOENT, *category);
    for (const auto& original : {std::system_error(code, "opening x"), std::system_error(code),
                                 std::system_error(code, "")}) {
      const auto error = std::make_exception_ptr(original);
      expect_itself<std::system_error>(error, "std::system_error");
      expect_arrives<std::system_error>(error, [&](const auto& thrown, const auto*) {
        EXPECT_EQ(thrown.code(), code);
        const std::system_error copy = thrown;
        EXPECT_STREQ(copy.what(), original.what());
      });
    }
  }
}

class OddCategory : public std::error_category {
 public:
  const char* name() const noexcept override { return "odd"; }
  std::string message(int) const override { return "something odd"; }
};

const OddCategory odd;

std::exception_ptr odd_error() {
  return std::make_exception_ptr(std::system_error({-3, odd}, "asking"));
}

// Before any other test: the number of names is limited, and there is a test that goes to the
// limit.
const std::exception_ptr name_is_known = sent(odd_error());

TEST(ExceptionStandard, SystemErrorOfAnotherCategoryKeepsItsName) {
  const auto error = odd_error();
  expect_itself<std::system_error>(error, "std::system_error");
  std::error_code first;
  expect_arrives<std::system_error>(error, [&](const auto& thrown, const auto*) {
    EXPECT_EQ(thrown.code().value(), -3);
    EXPECT_STREQ(thrown.code().category().name(), "odd");
    first = thrown.code();
  });
  expect_arrives<std::system_error>(
      error, [&](const auto& thrown, const auto*) { EXPECT_EQ(thrown.code(), first); });
}

TEST(ExceptionStandard, FilesystemErrorKeepsItsPaths) {
  namespace fs = std::filesystem;
  const auto code = std::make_error_code(std::errc::permission_denied);
  for (const auto& original :
       {fs::filesystem_error("moving", "from", "to", code),
        fs::filesystem_error("reading", "a\nb", code), fs::filesystem_error("", code)}) {
    const auto error = std::make_exception_ptr(original);
    expect_itself<fs::filesystem_error>(error, "std::filesystem::filesystem_error");
    expect_arrives<fs::filesystem_error>(error, [&](const auto& thrown, const auto*) {
      EXPECT_EQ(thrown.code(), code);
      EXPECT_EQ(thrown.path1(), original.path1());
      EXPECT_EQ(thrown.path2(), original.path2());
      const fs::filesystem_error copy = thrown;
      EXPECT_STREQ(copy.what(), original.what());
    });
  }
}

TEST(ExceptionStandard, FutureAndRegexErrorsKeepTheirCodes) {
  const auto future_error =
      std::make_exception_ptr(std::future_error(std::future_errc::broken_promise));
  expect_itself<std::future_error>(future_error, "std::future_error");
  expect_arrives<std::future_error>(future_error, [](const auto& thrown, const auto*) {
    EXPECT_EQ(thrown.code(), std::future_errc::broken_promise);
  });
  const auto regex_error =
      std::make_exception_ptr(std::regex_error(std::regex_constants::error_paren));
  expect_itself<std::regex_error>(regex_error, "std::regex_error");
  expect_arrives<std::regex_error>(regex_error, [](const auto& thrown, const auto*) {
    EXPECT_EQ(thrown.code(), std::regex_constants::error_paren);
  });
}

TEST(ExceptionStandard, NullArrivesAsNull) {
  EXPECT_EQ(sent(nullptr), nullptr);
  const auto bytes = to_bytes(nullptr);
  mp::Decoder in(bytes);
  EXPECT_THROW(mp::throw_decoded(in, kOrigin), mp::DecodeError);
}

TEST(ExceptionStandard, ThrowDecodedThrowsIt) {
  const auto bytes = to_bytes(std::make_exception_ptr(std::domain_error("no")));
  mp::Decoder in(bytes);
  EXPECT_THROW(mp::throw_decoded(in, kOrigin), std::domain_error);
}

TEST(ExceptionStandard, WhatWasThrownHereHasNoTrace) {
  EXPECT_EQ(mp::remote_trace(std::runtime_error("here")), nullptr);
  EXPECT_EQ(mp::remote_trace(std::make_exception_ptr(1)), nullptr);
  EXPECT_EQ(mp::remote_trace(std::exception_ptr()), nullptr);
}

}  // namespace

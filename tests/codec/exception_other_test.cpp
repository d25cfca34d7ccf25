// Exceptions whose type cannot be had at the receiver, and those nested in others.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <typeinfo>

#include "exception_support.hpp"

namespace {

using namespace exception_test;

void expect_remote(const std::exception_ptr& error, const std::string& type,
                   const std::string& text) {
  SCOPED_TRACE(type);
  expect_arrives<mp::RemoteError>(error, [&](const auto& thrown, const auto* trace) {
    EXPECT_EQ(thrown.type(), type);
    EXPECT_EQ(thrown.text(), text);
    EXPECT_EQ(thrown.task_index(), 7U);
    EXPECT_EQ(thrown.pid(), 4321);
    EXPECT_EQ(trace, &thrown);
    EXPECT_EQ(std::string(thrown.what()).find(text.empty() ? type : type + ": " + text), 0U);
  });
}

struct Unknown : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct NullText : std::exception {
  const char* what() const noexcept override { return nullptr; }
};

struct NotAnException {
  int value = 0;
};

struct ThrowingCopy : std::runtime_error {
  using std::runtime_error::runtime_error;
  ThrowingCopy(const ThrowingCopy& other) : std::runtime_error(other) {
    throw std::logic_error("must not be copied");
  }
  ThrowingCopy& operator=(const ThrowingCopy&) = default;
};

struct Left : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct Right : std::logic_error {
  using std::logic_error::logic_error;
};
struct Ambiguous : Left, Right {
  Ambiguous() : Left("left"), Right("right") {}
};

struct PrivatelyDerived : private std::runtime_error {
  PrivatelyDerived() : std::runtime_error("hidden") {}
};

TEST(ExceptionOther, ValuesThatAreNoExceptions) {
  expect_remote(std::make_exception_ptr(42), "int", "42");
  expect_remote(thrown_by([] { throw "text"; }), "char const*", "text");
  expect_remote(thrown_by([] { throw static_cast<const char*>(nullptr); }), "char const*", "");
  expect_remote(thrown_by([] { throw std::string("text"); }), "std::string", "text");
  expect_remote(thrown_by([] { throw -1L; }), "long", "-1");
  expect_remote(thrown_by([] { throw true; }), "bool", "true");
  expect_remote(thrown_by([] { throw 'x'; }), "char", "x");
  expect_remote(thrown_by([] { throw NotAnException{}; }), "(anonymous namespace)::NotAnException",
                "");
  expect_remote(thrown_by([] { throw nullptr; }), "decltype(nullptr)", "");
}

TEST(ExceptionOther, TypesNotAnnouncedAreNotCutDownToTheirBase) {
  expect_remote(std::make_exception_ptr(Unknown("odd")), "(anonymous namespace)::Unknown", "odd");
  expect_remote(std::make_exception_ptr(NullText()), "(anonymous namespace)::NullText", "");
}

TEST(ExceptionOther, TypesWithBasesThatCannotBeReached) {
  expect_remote(thrown_by([] { throw Ambiguous(); }), "(anonymous namespace)::Ambiguous", "");
  expect_remote(thrown_by([] { throw PrivatelyDerived(); }),
                "(anonymous namespace)::PrivatelyDerived", "");
}

TEST(ExceptionOther, CopiesThatThrowAreNotMade) {
  expect_remote(thrown_by([] { throw ThrowingCopy("once"); }),
                "(anonymous namespace)::ThrowingCopy", "once");
}

template <class F>
std::exception_ptr nest(const std::exception_ptr& inner, F throw_outer) {
  return thrown_by([&] {
    try {
      std::rethrow_exception(inner);
    } catch (...) {
      throw_outer();
    }
  });
}

std::exception_ptr cause(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& outer) {
    return thrown_by([&] { std::rethrow_if_nested(outer); });
  }
}

TEST(ExceptionNested, ChainIsRebuilt) {
  const auto error = nest(nest(std::make_exception_ptr(Unknown("deepest")),
                               [] { std::throw_with_nested(std::out_of_range("middle")); }),
                          [] { std::throw_with_nested(mp::KeyError("outer")); });
  for (const auto& arrived : {sent(error), sent(sent(error))}) {
    const auto middle = cause(arrived);
    ASSERT_NE(middle, nullptr);
    const auto deepest = cause(middle);
    ASSERT_NE(deepest, nullptr);
    EXPECT_EQ(cause(deepest), nullptr);

    EXPECT_EQ(mp::remote_trace(arrived)->type(), "procession::KeyError");
    EXPECT_EQ(mp::remote_trace(middle)->type(), "std::out_of_range");
    EXPECT_EQ(mp::remote_trace(middle)->pid(), 4321);
    EXPECT_THROW(std::rethrow_exception(arrived), mp::KeyError);
    EXPECT_THROW(std::rethrow_exception(middle), std::out_of_range);
    try {
      std::rethrow_exception(deepest);
    } catch (const mp::RemoteError& thrown) {
      EXPECT_EQ(thrown.text(), "deepest");
      EXPECT_EQ(thrown.type(), "(anonymous namespace)::Unknown");
    }
  }
}

struct WithACause : std::runtime_error, std::nested_exception {
  using std::runtime_error::runtime_error;
};

TEST(ExceptionNested, TypeNotAnnouncedKeepsItsCause) {
  const auto error =
      nest(std::make_exception_ptr(std::range_error("inner")), [] { throw WithACause("outer"); });
  const auto arrived = sent(sent(error));
  EXPECT_EQ(mp::remote_trace(arrived)->text(), "outer");
  EXPECT_EQ(mp::remote_trace(arrived)->type(), "(anonymous namespace)::WithACause");
  EXPECT_THROW(std::rethrow_exception(arrived), mp::RemoteError);
  ASSERT_NE(cause(arrived), nullptr);
  EXPECT_THROW(std::rethrow_exception(cause(arrived)), std::range_error);
}

TEST(ExceptionNested, NotAnExceptionInside) {
  const auto error =
      nest(std::make_exception_ptr(5), [] { std::throw_with_nested(std::logic_error("outer")); });
  const auto arrived = sent(error);
  EXPECT_THROW(std::rethrow_exception(arrived), std::logic_error);
  EXPECT_EQ(mp::remote_trace(cause(arrived))->text(), "5");
}

// libstdc++ makes an object of another type of a const lvalue.
TEST(ExceptionNested, MadeFromAnyKindOfValue) {
  const auto check = [](auto throw_outer) {
    const auto arrived = sent(nest(std::make_exception_ptr(5), throw_outer));
    EXPECT_THROW(std::rethrow_exception(arrived), std::domain_error);
    EXPECT_EQ(mp::remote_trace(arrived)->type(), "std::domain_error");
    EXPECT_NE(cause(arrived), nullptr);
  };
  const std::domain_error constant("constant");
  std::domain_error variable("variable");
  check([&] { std::throw_with_nested(constant); });
  check([&] { std::throw_with_nested(variable); });
  check([&] { std::throw_with_nested(std::move(variable)); });
}

// Nothing was being handled: std::rethrow_if_nested() would end the program.
TEST(ExceptionNested, NestedWithoutACauseArrivesPlain) {
  const auto error = thrown_by([] { std::throw_with_nested(std::logic_error("alone")); });
  const auto arrived = sent(error);
  EXPECT_THROW(std::rethrow_exception(arrived), std::logic_error);
  EXPECT_EQ(cause(arrived), nullptr);
}

TEST(ExceptionNested, OnlyTheOutermostOfAVeryDeepChainAreSent) {
  auto error = std::make_exception_ptr(std::runtime_error("0"));
  for (int level = 1; level < 200; ++level) {
    error = nest(error, [&] { std::throw_with_nested(std::runtime_error(std::to_string(level))); });
  }
  int levels = 0;
  std::string text;
  for (auto at = sent(error); at; at = cause(at)) {
    ++levels;
    text = mp::remote_trace(at)->text();
  }
  EXPECT_EQ(levels, 64);
  EXPECT_EQ(text, "136");
}

}  // namespace

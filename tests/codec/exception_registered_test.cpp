// Exceptions of a program's own types.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "exception_support.hpp"

namespace app {

namespace mp = procession;

struct NoSuchRow {
  std::string table;
  std::int64_t id = 0;
  std::vector<std::string> tables;
};
inline const bool no_such_row_known = mp::register_exception<NoSuchRow>();

struct Text : std::invalid_argument {
  explicit Text(const std::string& text) : std::invalid_argument("app: " + text) {}
};
inline const bool text_known = mp::register_exception<Text>("app/text");

class Hooked : public std::runtime_error {
 public:
  Hooked() : std::runtime_error("hooked") {}
  explicit Hooked(int code) : std::runtime_error("code " + std::to_string(code)), code_(code) {}
  int code() const { return code_; }
  friend void encode(mp::Encoder& out, const Hooked& error) { mp::encode(out, error.code_); }
  friend void decode(mp::Decoder& in, Hooked& error) { error = Hooked(mp::decode<int>(in)); }

 private:
  int code_ = 0;
};
inline const bool hooked_known = mp::register_exception<Hooked>();

struct Derived : Text {
  using Text::Text;
};

// encode() refuses.
struct Unwilling : std::runtime_error {
  Unwilling() : std::runtime_error("unwilling") {}
  friend void encode(mp::Encoder& out, const Unwilling&) {
    mp::encode(out, 12);
    throw 1;
  }
  friend void decode(mp::Decoder&, Unwilling&) {}
};
inline const bool unwilling_known = mp::register_exception<Unwilling>();

// decode() refuses.
struct Unreadable : std::runtime_error {
  Unreadable() : std::runtime_error("unreadable") {}
  friend void encode(mp::Encoder& out, const Unreadable&) { mp::encode(out, 12); }
  friend void decode(mp::Decoder&, Unreadable&) { throw 1; }
};
inline const bool unreadable_known = mp::register_exception<Unreadable>();

// Reads more than was written, or less.
template <int kRead>
struct Careless : std::runtime_error {
  Careless() : std::runtime_error("careless") {}
  friend void encode(mp::Encoder& out, const Careless&) { mp::encode(out, std::uint32_t{12}); }
  friend void decode(mp::Decoder& in, Careless&) {
    for (int i = 0; i < kRead; ++i)
      mp::decode<std::uint8_t>(in);
  }
};
inline const bool careless_known =
    mp::register_exception<Careless<3>>() && mp::register_exception<Careless<5>>();

// The constructor throws when told to.
bool refuse = false;
struct Picky : std::runtime_error {
  explicit Picky(const std::string& text) : std::runtime_error(text) {
    if (refuse) throw std::bad_alloc();
  }
};
inline const bool picky_known = mp::register_exception<Picky>();

struct OwnCause : std::runtime_error, std::nested_exception {
  explicit OwnCause(const std::string& text) : std::runtime_error(text) {}
};
inline const bool own_cause_known = mp::register_exception<OwnCause>();

struct ThrowingCopy : std::runtime_error {
  explicit ThrowingCopy(const std::string& text) : std::runtime_error(text) {}
  ThrowingCopy(const ThrowingCopy& other) : std::runtime_error(other) { throw 1; }
  ThrowingCopy& operator=(const ThrowingCopy&) = default;
};
inline const bool throwing_copy_known = mp::register_exception<ThrowingCopy>();

}  // namespace app

namespace {

using namespace exception_test;

TEST(ExceptionRegistered, AggregateKeepsItsFields) {
  const app::NoSuchRow original{.table = "users", .id = -5, .tables = {"a", "b"}};
  expect_arrives<app::NoSuchRow>(sent(std::make_exception_ptr(original)),
                                 [](const auto& thrown, const auto* trace) {
                                   EXPECT_EQ(thrown.table, "users");
                                   EXPECT_EQ(thrown.id, -5);
                                   EXPECT_EQ(thrown.tables.size(), 2U);
                                   ASSERT_NE(trace, nullptr);
                                   EXPECT_EQ(trace->type(), "app::NoSuchRow");
                                   EXPECT_EQ(trace->pid(), 4321);
                                 });
  EXPECT_THROW(std::rethrow_exception(sent(std::make_exception_ptr(original))), mp::RemoteTrace);
}

TEST(ExceptionRegistered, TextArrivesAsItWas) {
  for (const auto& error :
       {std::make_exception_ptr(app::Text("x")), sent(std::make_exception_ptr(app::Text("x")))}) {
    expect_arrives<app::Text>(error, [](const auto& thrown, const auto* trace) {
      EXPECT_STREQ(thrown.what(), "app: x");
      EXPECT_EQ(trace->type(), "app::Text");
    });
    EXPECT_THROW(std::rethrow_exception(sent(error)), std::invalid_argument);
  }
}

TEST(ExceptionRegistered, HooksAreUsed) {
  expect_arrives<app::Hooked>(std::make_exception_ptr(app::Hooked(17)),
                              [](const auto& thrown, const auto*) {
                                EXPECT_EQ(thrown.code(), 17);
                                EXPECT_STREQ(thrown.what(), "code 17");
                              });
}

TEST(ExceptionRegistered, DerivedTypeIsNotCutDown) {
  expect_arrives<mp::RemoteError>(std::make_exception_ptr(app::Derived("y")),
                                  [](const auto& thrown, const auto*) {
                                    EXPECT_EQ(thrown.type(), "app::Derived");
                                    EXPECT_EQ(thrown.text(), "app: y");
                                  });
}

TEST(ExceptionRegistered, WhatCannotBeSentArrivesAsTypeAndText) {
  const auto check = [](const std::exception_ptr& error, const std::string& type,
                        const std::string& text) {
    expect_arrives<mp::RemoteError>(error, [&](const auto& thrown, const auto*) {
      EXPECT_EQ(thrown.type(), type);
      EXPECT_EQ(thrown.text(), text);
    });
  };
  check(std::make_exception_ptr(app::Unwilling()), "app::Unwilling", "unwilling");
  check(std::make_exception_ptr(app::Unreadable()), "app::Unreadable", "unreadable");
  app::refuse = false;
  const auto picky = std::make_exception_ptr(app::Picky("picky"));
  app::refuse = true;
  check(picky, "app::Picky", "picky");
  app::refuse = false;
  EXPECT_THROW(std::rethrow_exception(sent(picky)), app::Picky);
  check(thrown_by([] { throw app::ThrowingCopy("copy"); }), "app::ThrowingCopy", "copy");
}

TEST(ExceptionRegistered, FieldsOfAnotherLengthAreRefused) {
  EXPECT_THROW(sent(std::make_exception_ptr(app::Careless<3>())), mp::DecodeError);
  EXPECT_THROW(sent(std::make_exception_ptr(app::Careless<5>())), mp::DecodeError);
}

TEST(ExceptionRegistered, NestedOnes) {
  const auto check = [](auto throw_outer, auto is_outer) {
    const auto error = sent(sent(thrown_by([&] {
      try {
        throw app::Hooked(3);
      } catch (...) {
        throw_outer();
      }
    })));
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& outer) {
      EXPECT_TRUE(is_outer(outer)) << mp::remote_trace(outer)->type();
      EXPECT_THROW(std::rethrow_if_nested(outer), app::Hooked);
    }
  };
  check([] { std::throw_with_nested(app::Text("outer")); },
        [](const auto& outer) { return dynamic_cast<const app::Text*>(&outer) != nullptr; });
  check([] { throw app::OwnCause("outer"); },
        [](const auto& outer) { return dynamic_cast<const app::OwnCause*>(&outer) != nullptr; });
}

TEST(ExceptionRegistered, AgainIsHarmlessAndOtherwiseRefused) {
  EXPECT_TRUE(mp::register_exception<app::NoSuchRow>());
  EXPECT_TRUE(mp::register_exception<app::NoSuchRow>("app::NoSuchRow"));
  EXPECT_TRUE(mp::register_exception<app::Text>());
  EXPECT_TRUE(mp::register_exception<std::runtime_error>());
  EXPECT_TRUE(mp::register_exception<mp::KeyError>());
  EXPECT_THROW(mp::register_exception<app::NoSuchRow>("another"), std::invalid_argument);
  try {
    mp::register_exception<app::Derived>("app/text");
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(),
                 "register_exception: app::Derived was to be announced as 'app/text', but "
                 "app::Text is known as 'app/text'; give each type one name, the same in every "
                 "place");
  }
}

template <int>
struct Numbered {
  int value = 0;
};

template <int... kNumbers>
void announce_all(std::integer_sequence<int, kNumbers...>) {
  (mp::register_exception<Numbered<kNumbers>>(), ...);
}

TEST(ExceptionRegistered, FromManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([] { announce_all(std::make_integer_sequence<int, 50>()); });
  }
  for (auto& thread : threads)
    thread.join();
  EXPECT_THROW(std::rethrow_exception(sent(std::make_exception_ptr(Numbered<49>{3}))),
               Numbered<49>);
}

}  // namespace

// bind and Function: called, copied, sent.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "procession/callable.hpp"
#include "procession/error.hpp"
#include "task_support.hpp"

namespace procession {
namespace {

struct Handler {
  std::string name;
  Function<int(int)> run;
};

template <class T>
T there_and_back(const T& value) {
  BufferEncoder encoder;
  encode(encoder, value);
  Decoder decoder(encoder.bytes());
  T decoded = decode<T>(decoder);
  decoder.expect_end();
  return decoded;
}

TEST(Bind, PassesBoundArgumentsFirst) {
  const auto minus = bind([](int a, int b, int c) { return 100 * a + 10 * b + c; }, 1, 2);
  EXPECT_EQ(minus(3), 123);
  EXPECT_EQ(bind(minus, 4)(), 124);
  EXPECT_EQ(bind(bind(bind(add), 1), 2)(), 3);
}

TEST(Bind, PassesLvalues) {
  auto count = bind([](int& n) { return ++n; }, 1);
  EXPECT_EQ(count(), 2);
  EXPECT_EQ(count(), 3);
}

TEST(Bind, KeepsTextAndCallables) {
  const auto joined =
      bind([](const std::string& a, auto f, int x) { return a + std::to_string(f(x)); },
           "n=", bind(add, 5));
  EXPECT_EQ(joined(1), "n=6");
  const Function<std::string(int)> function = joined;
  EXPECT_EQ(there_and_back(function)(2), "n=7");
}

TEST(Bind, HoldsWhatCannotBeCopied) {
  auto owner = procession::bind([](const std::unique_ptr<int>& p, int x) { return *p + x; },
                                std::make_unique<int>(40));
  EXPECT_EQ(owner(2), 42);
  EXPECT_EQ(call_as_task(owner, 3), 43);
}

TEST(Function, IsEmptyByDefault) {
  const Function<int(int)> empty;
  EXPECT_FALSE(empty);
  EXPECT_TRUE(empty == nullptr);
  EXPECT_THROW(empty(1), std::bad_function_call);
  EXPECT_FALSE(there_and_back(empty));
  int (*const null)(int) = nullptr;
  EXPECT_FALSE(Function<int(int)>(null));
  EXPECT_FALSE(Function<long(int)>(empty));
  EXPECT_FALSE(Function<int(int)>(nullptr));
}

TEST(Function, HoldsAnyCallable) {
  std::vector<Function<int(int)>> all;
  const std::array<int, 40> large = {1, 2, 3};
  all.emplace_back([](int x) { return x; });
  all.emplace_back([n = 5](int x) { return x + n; });
  all.emplace_back(bind(add, 7));
  all.emplace_back([large](int x) { return x + large[2]; });
  all.emplace_back(Function<int(int)>(bind(add, 8)));
  all.emplace_back(Function<long(long)>([](long x) { return 2 * x; }));
  all.emplace_back();
  const auto decoded = there_and_back(all);
  ASSERT_EQ(decoded.size(), all.size());
  for (std::size_t i = 0; i + 1 != all.size(); ++i) {
    EXPECT_EQ(decoded[i](100), all[i](100)) << i;
  }
  EXPECT_FALSE(decoded.back());
}

TEST(Function, CopiesAreIndependent) {
  const Function<int()> one = [n = 0]() mutable { return ++n; };
  Function<int()> two = one;
  EXPECT_EQ(one(), 1);
  EXPECT_EQ(one(), 2);
  EXPECT_EQ(two(), 1);
  Function<int()> three = std::move(two);
  EXPECT_FALSE(two);  // NOLINT: that is what is tested
  EXPECT_EQ(three(), 2);
  three = one;
  EXPECT_EQ(three(), 3);
  three = *&three;
  EXPECT_EQ(three(), 4);
  three = nullptr;
  EXPECT_FALSE(three);
}

TEST(Function, LargeStatesAreCopiedToo) {
  const auto text = std::string(100, 'x');
  Function<std::size_t()> one = procession::bind(
      [](const std::string& a, const std::string& b) { return a.size() + b.size(); }, text, text);
  const Function<std::size_t()> two = one;
  one = [] { return std::size_t{0}; };
  EXPECT_EQ(two(), 200U);
  EXPECT_EQ(there_and_back(two)(), 200U);
}

TEST(Function, TravelsWithItsState) {
  const Function<int()> counter = [n = 0]() mutable { return ++n; };
  counter();
  EXPECT_EQ(there_and_back(counter)(), 2);
}

TEST(Function, IsAFieldOfAStruct) {
  const Handler handler = there_and_back(Handler{"adds", bind(add, 1)});
  EXPECT_EQ(handler.name, "adds");
  EXPECT_EQ(handler.run(1), 2);
}

TEST(Function, OfFunctionOfFunction) {
  const Function<int(int)> inner = bind(add, 1);
  const Function<int(int)> middle =
      bind([](const Function<int(int)>& f, int x) { return 2 * f(x); }, inner);
  const Function<int(Function<int(int)>)> outer = bind(
      [](int x, const Function<int(int)>& a, const Function<int(int)>& b) { return a(x) + b(x); },
      10, middle);
  EXPECT_EQ(there_and_back(outer)(there_and_back(inner)), 33);
}

TEST(Function, NestingHasALimit) {
  Function<int(int)> deep = bind(add, 1);
  for (int i = 0; i != 10'000; ++i) {
    deep = bind([](const Function<int(int)>&, int x) { return x; }, std::move(deep));
    if (i == 20) {
      EXPECT_EQ(there_and_back(deep)(1), 1);
    }
  }
  BufferEncoder encoder;
  EXPECT_ANY_THROW(encode(encoder, deep));
}

TEST(Function, AnotherSignatureIsRefused) {
  BufferEncoder encoder;
  encode(encoder, Function<int(int)>(bind(add, 1)));
  Decoder decoder(encoder.bytes());
  EXPECT_THROW(decode<Function<long(int)>>(decoder), DecodeError);
}

TEST(Function, DamagedBytesAreRefused) {
  BufferEncoder encoder;
  encode(encoder,
         Function<std::size_t()>(bind([](const std::string& s) { return s.size(); }, "text")));
  const auto bytes = encoder.take();
  for (std::size_t size = 0; size != bytes.size(); ++size) {
    Decoder decoder(std::span<const std::byte>(bytes).first(size));
    EXPECT_THROW(decode<Function<std::size_t()>>(decoder), DecodeError) << size;
  }
  for (std::size_t at = 0; at != bytes.size(); ++at) {
    for (unsigned bit = 0; bit != 8; ++bit) {
      auto damaged = bytes;
      damaged[at] ^= static_cast<std::byte>(1U << bit);
      Decoder decoder(damaged);
      try {
        decode<Function<std::size_t()>>(decoder);
      } catch (const ProcessError&) {
        continue;
      }
    }
  }
}

TEST(Function, IsDeducedFromAFunction) {
  const Function function = add;
  EXPECT_EQ(function(1, 2), 3);
}

}  // namespace
}  // namespace procession

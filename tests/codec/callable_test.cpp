// Calls there and back: encoded, decoded and made in one process.
#include "procession/callable.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "procession/error.hpp"
#include "task_support.hpp"

namespace procession {
namespace {

std::string seen;  // what the last call was given

int add_noexcept(int a, int b) noexcept { return a + b; }
void see_text(const std::string& text) { seen = text; }

template <class F, class... Args>
void call_as_process(const F& f, const Args&... args) {
  BufferEncoder encoder;
  detail::encode_process_call(encoder, f, args...);
  Decoder decoder(encoder.bytes());
  detail::run_encoded_call(decoder);
  decoder.expect_end();
}

struct Job {
  int id = 0;
  std::string name;
  std::vector<double> weights;
};

struct Scale {  // a function object that is an aggregate
  int factor = 1;
  int operator()(int x) const { return factor * x; }
};

struct Table {  // one that only the codec can send
  std::map<std::string, int> values;
  int operator()(const std::string& key) const { return values.at(key); }
};

TEST(Callable, Functions) {
  EXPECT_EQ(call_as_task(add, 3, 4), 7);
  EXPECT_EQ(call_as_task(&add, 3, 4), 7);
  EXPECT_EQ(call_as_task(add_noexcept, 3, 4), 7);
  EXPECT_EQ(call_as_task(&add_noexcept, 3, 4), 7);
}

TEST(Callable, ClosuresAndFunctionObjects) {
  EXPECT_EQ(call_as_task([](int x) { return x * x; }, 5), 25);
  const int factor = 3;
  const double shift = 0.5;
  EXPECT_EQ(call_as_task([=](int x) { return factor * x + shift; }, 5), 15.5);
  EXPECT_EQ(call_as_task([](auto x, auto y) { return x + y; }, std::string("a"), "b"), "ab");
  EXPECT_EQ(call_as_task(Scale{4}, 5), 20);
  EXPECT_EQ(call_as_task(Table{{{"one", 1}, {"two", 2}}}, "two"), 2);
  EXPECT_EQ(call_as_task(std::plus<>(), 1, 2), 3);
}

TEST(Callable, AMutableClosureTravelsWithItsState) {
  auto counter = [n = 0]() mutable { return ++n; };
  counter();
  counter();
  EXPECT_EQ(call_as_task(counter), 3);
  EXPECT_EQ(call_as_task(counter), 3);
}

TEST(Callable, ParametersBindToLvalues) {
  call_as_process([](int& x) { x = 2; }, 1);
  call_as_process([](const Job& job) { seen = job.name; }, Job{1, "const&", {}});
  EXPECT_EQ(seen, "const&");
  call_as_process([](Job& job) { seen = job.name += "!"; }, Job{1, "&", {1.5}});
  EXPECT_EQ(seen, "&!");
  call_as_process([](Job job) { seen = job.name; }, Job{1, "value", {1.5}});
  EXPECT_EQ(seen, "value");
}

TEST(Callable, MoveOnlyArgumentsAreMovedOnlyWhereTheyMustBe) {
  const auto seven = std::make_unique<int>(7);
  EXPECT_EQ(call_as_task([](const std::unique_ptr<int>& p) { return *p; }, seven), 7);
  EXPECT_EQ(call_as_task([](std::unique_ptr<int>& p) { return *p; }, seven), 7);
  EXPECT_EQ(call_as_task([](std::unique_ptr<int> p) { return *p; }, seven), 7);
  EXPECT_EQ(call_as_task(
                [](std::unique_ptr<int> p, std::unique_ptr<int>& q, int& n) { return *p + *q + n; },
                seven, seven, 1),
            15);
  EXPECT_EQ(
      call_as_task([](std::string&& s, int& n) { return s.size() + static_cast<unsigned>(n); },
                   "abc", 1),
      4U);
}

TEST(Callable, TextArrivesAsAString) {
  const char* const pointer = "pointer";
  call_as_process(see_text, "literal");
  EXPECT_EQ(seen, "literal");
  call_as_process(see_text, pointer);
  EXPECT_EQ(seen, "pointer");
  call_as_process(see_text, std::string_view("view"));
  EXPECT_EQ(seen, "view");
  call_as_process([](std::string_view text) { seen = text; }, "to a view");
  EXPECT_EQ(seen, "to a view");
  EXPECT_THROW(call_as_process(see_text, static_cast<const char*>(nullptr)), std::invalid_argument);
  char buffer[16] = "short";
  call_as_process(see_text, buffer);
  EXPECT_EQ(seen, "short");
}

TEST(Callable, SpansArraysAndListsArriveAsVectors) {
  const auto sum = [](std::span<const int> values) {
    int total = 0;
    for (const int value : values) {
      total += value;
    }
    return total;
  };
  int array[] = {1, 2, 3};
  EXPECT_EQ(call_as_task(sum, array), 6);
  EXPECT_EQ(call_as_task(sum, std::span(array)), 6);
  EXPECT_EQ(call_as_task(sum, std::span<const int, 3>(array)), 6);
  const std::initializer_list<int> list = {4, 5};
  EXPECT_EQ(call_as_task(sum, list), 9);
  EXPECT_EQ(call_as_task(sum, std::array{4, 5}), 9);
}

TEST(Callable, CallablesAreArguments) {
  const auto apply = [](auto f, int x) { return f(x); };
  EXPECT_EQ(call_as_task(apply, [](int x) { return x + 1; }, 1), 2);
  int n = 5;
  EXPECT_EQ(call_as_task(apply, [=](int x) { return x + n; }, 1), 6);
  EXPECT_EQ(call_as_task([](int (*f)(int, int)) { return f(1, 2); }, add), 3);
  EXPECT_EQ(call_as_task(apply, bind(add, 10), 1), 11);
  EXPECT_EQ(call_as_task(apply, Function<int(int)>(Scale{7}), 1), 7);
  EXPECT_EQ(
      call_as_task([](int (*f)(int)) { return f == nullptr; }, static_cast<int (*)(int)>(nullptr)),
      true);
}

TEST(Callable, ResultsAreKeptAsArgumentsAre) {
  EXPECT_EQ(call_as_task([] { return "text"; }), "text");
  EXPECT_EQ(call_as_task([](const Job& job) -> const std::string& { return job.name; },
                         Job{1, "by reference", {}}),
            "by reference");
  EXPECT_EQ(*call_as_task([] { return std::make_unique<int>(3); }), 3);
  EXPECT_EQ(call_as_task([] { return Function<int(int)>(Scale{2}); })(4), 8);
  EXPECT_EQ(call_as_task([](int k) { return [k](int x) { return k * x; }; }, 3)(5), 15);
  call_as_task([] {});
}

TEST(Callable, ExceptionsPassThrough) {
  EXPECT_THROW(call_as_process([] { throw std::out_of_range("far"); }), std::out_of_range);
  EXPECT_THROW(call_as_task([]() -> int { throw 3; }), int);
}

TEST(Callable, ANullTargetIsRefusedWhenItIsSubmitted) {
  BufferEncoder encoder;
  void (*const null)() = nullptr;
  EXPECT_THROW(detail::encode_process_call(encoder, null), std::invalid_argument);
  EXPECT_THROW(detail::encode_process_call(encoder, Function<void()>()), std::invalid_argument);
}

TEST(Callable, ATaskIsNoProcessCall) {
  BufferEncoder encoder;
  encode_task(encoder, add, 1, 2);
  Decoder decoder(encoder.bytes());
  EXPECT_THROW(detail::run_encoded_call(decoder), DecodeError);
}

static_assert(Callable<decltype(add)> && Callable<decltype(&add)> && Callable<Scale> &&
              Callable<Table> && Callable<Function<void()>>);
static_assert(!Callable<int> && !Callable<Job> && !Callable<std::string> && !Callable<int Job::*> &&
              !Callable<std::function<void()>>);

}  // namespace
}  // namespace procession

// Which closures are noted as holding an address of this process.
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "platform/address.hpp"
#include "procession/callable.hpp"

namespace procession {
namespace {

int twice(int value) { return 2 * value; }

template <class F>
const void* noted(const F& closure) {
  BufferEncoder encoder;
  detail::encode_stored(encoder, closure);
  return encoder.noted_address();
}

// Leaves pointers on the stack, for padding to be made of.
[[gnu::noinline]] void make_stack_dirty() {
  const void* volatile words[256];
  for (auto& word : words) {
    word = const_cast<const void*>(static_cast<volatile void*>(&words));
  }
}

TEST(Closure, AReferenceIsNoted) {
  int x = 1;
  EXPECT_EQ(noted([&x] { return x; }), &x);
  EXPECT_EQ(noted([&] { return ++x; }), &x);
}

TEST(Closure, APointerIsNoted) {
  const auto on_heap = std::make_unique<int>(1);
  EXPECT_EQ(noted([p = on_heap.get()] { return *p; }), on_heap.get());
  int local = 1;
  EXPECT_EQ(noted([n = 3, p = &local] { return *p + n; }), &local);
}

struct Counter {
  int count = 3;
  auto reader() {
    return [this] { return count; };
  }
};

TEST(Closure, ThisIsNoted) {
  Counter counter;
  EXPECT_EQ(noted(counter.reader()), &counter);
}

TEST(Closure, AFunctionPointerInsideIsNoted) {
  const auto function = &std::strlen;
  EXPECT_NE(noted([function] { return function("x"); }), nullptr);
}

TEST(Closure, AViewOfTextIsNoted) {
  const std::string text = "long enough to lie on the heap, whatever the library does";
  EXPECT_NE(noted([view = std::string_view(text)] { return view.size(); }), nullptr);
  int x = 1;
  EXPECT_EQ(noted([r = std::ref(x)] { return r.get(); }), &x);
}

TEST(Closure, AnAddressInAClosureInAClosureIsNoted) {
  int x = 1;
  const auto inner = [&x] { return x; };
  EXPECT_EQ(noted([inner, d = 1.5] { return inner() + d; }), &x);
  EXPECT_EQ(noted(bind([inner](int y) { return inner() + y; }, 4)), &x);
  BufferEncoder encoder;
  encode(encoder, Function<int()>(inner));
  EXPECT_EQ(encoder.noted_address(), &x);
}

TEST(Closure, NullPointersAndSharedMemoryAreNotNoted) {
  const int* const null = nullptr;
  EXPECT_EQ(noted([null] { return null == nullptr; }), nullptr);
  static int shared[64] = {};
  platform::declare_shared_range(shared, sizeof(shared));
  EXPECT_EQ(noted([p = &shared[1]] { return *p; }), nullptr);
}

TEST(Closure, NumbersAreNotNoted) {
  for (int i = 0; i != 10'000; ++i) {
    make_stack_dirty();
    const int n = i * 7919;
    const double d = i * 1.5 - 3;
    const bool b = i % 2 == 0;
    const auto word = reinterpret_cast<std::uintptr_t>(&n);  // a number is a number
    ASSERT_EQ(noted([n] { return n; }), nullptr) << i;
    ASSERT_EQ(noted([d, n] { return d + n; }), nullptr) << i;
    ASSERT_EQ(noted([b, n] { return b ? n : 0; }), nullptr) << i;
    ASSERT_EQ(noted([b, d] { return b ? d : 0; }), nullptr) << i;
    ASSERT_EQ(noted([n, d, b] { return b ? d : n; }), nullptr) << i;
    ASSERT_EQ(noted([word, b] { return b ? word : 0; }), nullptr) << i;
    ASSERT_EQ(noted([t = std::chrono::nanoseconds(i), b] { return b ? t : -t; }), nullptr) << i;
  }
}

#if __has_builtin(__builtin_clear_padding)
TEST(Closure, PaddingBesideAPointerIsNotTakenForOne) {
  for (int i = 0; i != 10'000; ++i) {
    make_stack_dirty();
    const bool b = i % 2 == 0;
    const int* const null = nullptr;
    ASSERT_EQ(noted([b, null] { return b && null == nullptr; }), nullptr) << i;
  }
}
#endif

TEST(Closure, WhatWasNotedIsRefusedWithAdvice) {
  int x = 1;
  BufferEncoder encoder;
  EXPECT_NO_THROW(refuse_noted_address(encoder, "cannot do it"));
  detail::encode_process_call(encoder, [&x](int y) { x = y; }, 2);
  try {
    refuse_noted_address(encoder, "cannot start a process by spawn");
    FAIL();
  } catch (const std::invalid_argument& error) {
    const std::string text = error.what();
    EXPECT_EQ(text.find("cannot start a process by spawn: "), 0U) << text;
    EXPECT_NE(text.find("procession::bind"), std::string::npos) << text;
  }
}

TEST(Closure, FunctionsThemselvesAreNotNoted) {
  EXPECT_EQ(noted(&twice), nullptr);
  EXPECT_EQ(noted([](int x) { return x; }), nullptr);
}

}  // namespace
}  // namespace procession

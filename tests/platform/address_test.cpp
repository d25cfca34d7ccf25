#include "platform/address.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <bit>
#include <cerrno>
#include <limits>
#include <memory>
#include <random>
#include <thread>

namespace procession::platform {
namespace {

int some_function() { return 1; }
int some_variable = 1;

bool is_private(const volatile void* pointer) {
  return is_private_address(reinterpret_cast<std::uintptr_t>(pointer));
}

// Where a program is not position-independent, its own addresses pass for numbers.
bool position_independent() {
  return reinterpret_cast<std::uintptr_t>(&some_variable) > std::numeric_limits<unsigned>::max();
}

TEST(Address, StackHeapAndImagesAreOfThisProcess) {
  int local = 0;
  EXPECT_TRUE(is_private(&local));
  std::thread([] {
    int of_thread = 0;
    EXPECT_TRUE(is_private(&of_thread));
  }).join();
  EXPECT_TRUE(is_private(reinterpret_cast<void*>(&::mmap)));
  if (position_independent()) {
    const auto small = std::make_unique<int>();
    const auto large = std::make_unique<std::byte[]>(std::size_t{1} << 22);
    EXPECT_TRUE(is_private(small.get()));
    EXPECT_TRUE(is_private(large.get() + (1 << 21)));
    EXPECT_TRUE(is_private(&some_variable));
    EXPECT_TRUE(is_private(reinterpret_cast<void*>(&some_function)));
  }
}

TEST(Address, NumbersAreNone) {
  for (const std::uintptr_t value :
       {std::uintptr_t{0}, std::uintptr_t{1}, std::uintptr_t{65536}, std::uintptr_t{4'194'304},
        std::uintptr_t{0xffffffff}, std::uintptr_t{5'000'000'000},
        std::uintptr_t{1'000'000'000'000}, ~std::uintptr_t{0},
        std::uintptr_t{1'700'000'000'000'000'000}}) {
    EXPECT_FALSE(is_private_address(value)) << value;
  }
  for (const double value : {1.0, -1.0, 3.141592653589793, 1e-9, 1e300, 0.1, 1e-300}) {
    EXPECT_FALSE(is_private_address(std::bit_cast<std::uintptr_t>(value))) << value;
  }
  std::mt19937 random(7);
  for (int i = 0; i != 10'000; ++i) {
    const std::uintptr_t two_ints = (std::uintptr_t{random() % 20'000} << 32) | random();
    EXPECT_FALSE(is_private_address(two_ints)) << two_ints;
  }
}

TEST(Address, WhatIsNotMappedIsNone) {
  constexpr std::size_t kSize = std::size_t{1} << 16;
  void* const memory = ::mmap(nullptr, kSize, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  EXPECT_TRUE(is_private(memory));
  ::munmap(memory, kSize);
  errno = 5;
  EXPECT_FALSE(is_private(memory));
  EXPECT_EQ(errno, 5);
}

TEST(Address, DeclaredSharedMemoryIsNone) {
  constexpr std::size_t kSize = std::size_t{1} << 16;
  void* const memory = ::mmap(nullptr, kSize, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  auto* const bytes = static_cast<std::byte*>(memory);
  declare_shared_range(bytes, kSize / 2);
  EXPECT_FALSE(is_private(bytes));
  EXPECT_FALSE(is_private(bytes + kSize / 2 - 1));
  EXPECT_TRUE(is_private(bytes + kSize / 2));
}

}  // namespace
}  // namespace procession::platform

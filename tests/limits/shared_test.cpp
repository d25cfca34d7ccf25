// Numbers at their limits in arrays, shared memory and lists in it.

#include <cstdlib>
#include <functional>
#include <ranges>

#include "support.hpp"

namespace limits_test {
namespace {

// What asks for all memory is to get it of a small heap.
const int small_heap = ::setenv("PROCESSION_HEAP", "256M", 0);

struct Kilobyte {
  char bytes[1024];
};

template <class T>
std::function<bool()> array_of(std::size_t n) {
  return [n] { return mp::Array<T>(n).size() == n; };
}

TEST(SharedLimits, Arrays) {
  run({
      {"Array(0)", Comes::works, {}, array_of<int>(0)},
      {"Array(1)", Comes::works, {}, array_of<char>(1)},
      {"Array(2^40 chars)", Comes::no_memory, {"1099511627"}, array_of<char>(std::size_t{1} << 40)},
      {"Array(2^54 kilobytes)",
       Comes::no_memory,
       {"18014398509481984 elements", "1024"},
       array_of<Kilobyte>(std::size_t{1} << 54)},
      {"Array(2^54+1 kilobytes)",
       Comes::no_memory,
       {"18014398509481985 elements"},
       array_of<Kilobyte>((std::size_t{1} << 54) + 1)},
      {"Array(2^62 ints)",
       Comes::no_memory,
       {"4611686018427387904"},
       array_of<int>(std::size_t{1} << 62)},
      {"Array(2^63-1 chars)", Comes::no_memory, {"9223372036854775"}, array_of<char>(kMost / 2)},
      {"Array(2^63 chars)",
       Comes::no_memory,
       {"9223372036854775808"},
       array_of<char>(std::size_t{1} << 63)},
      {"Array(2^64-1 chars)", Comes::no_memory, {"18446744073709551615"}, array_of<char>(kMost)},
      {"Array(2^64-1 ints)", Comes::no_memory, {"18446744073709551615"}, array_of<int>(kMost)},
      {"Array of 2^64-1 numbers",
       Comes::no_memory,
       {"18446744073709551615"},
       [] {
         return mp::Array<std::uint64_t>(std::views::iota(std::uint64_t{0}, ~std::uint64_t{0}))
             .empty();
       }},
      {"an array after all that", Comes::works, {}, [] { return mp::Array<int>({1, 2})[1] == 2; }},
  });
}

TEST(SharedLimits, SharedMemory) {
  const auto make = [](std::size_t size) {
    return [size] {
      const mp::SharedMemory memory = mp::SharedMemory::create(size);
      return memory.size() == size && memory.buf().size() == size;
    };
  };
  run({
      {"SharedMemory(0)", Comes::invalid, {"0 bytes", "one byte at least"}, make(0)},
      {"SharedMemory(1)", Comes::works, {}, make(1)},
      {"SharedMemory(2^50)", Comes::no_memory, {"1125899906842624"}, make(std::size_t{1} << 50)},
      {"SharedMemory(2^50) with a name",
       Comes::no_memory,
       {"1125899906842624", "'procession-limits'"},
       [] {
         return mp::SharedMemory::create(std::size_t{1} << 50, "procession-limits").size() == 0;
       }},
      {"SharedMemory(2^63-1)", Comes::no_memory, {"9223372036854775807"}, make(kMost / 2)},
      {"SharedMemory(2^63)", Comes::no_memory, {"9223372036854775808"}, make(std::size_t{1} << 63)},
      {"SharedMemory(2^64-1)", Comes::no_memory, {"18446744073709551615"}, make(kMost)},
      {"attach of at least 2^64-1",
       Comes::refused,
       {"18446744073709551615"},
       [] {
         const mp::SharedMemory made = mp::SharedMemory::create(10);
         return mp::SharedMemory::attach(made.name(), kMost).size() == 10;
       }},
  });
}

TEST(SharedLimits, ShareableLists) {
  const mp::ShareableList list({std::int64_t{1}, 2.0, std::string("three")});
  const mp::ShareableList none(std::vector<mp::ShareableList::Item>{});
  constexpr std::ptrdiff_t kLeast = std::numeric_limits<std::ptrdiff_t>::min();
  constexpr std::ptrdiff_t kGreatest = std::numeric_limits<std::ptrdiff_t>::max();
  const auto get = [&](std::ptrdiff_t index) {
    return [&, index] { return list.get(index).index() != std::variant_npos; };
  };
  run({
      {"get(0)", Comes::works, {}, get(0)},
      {"get(2)", Comes::works, {}, get(2)},
      {"get(-3)", Comes::works, {}, get(-3)},
      {"get(3)", Comes::out_of_range, {"item 3", "of 3"}, get(3)},
      {"get(-4)", Comes::out_of_range, {"item -4", "of 3"}, get(-4)},
      {"get(least)", Comes::out_of_range, {"-9223372036854775808"}, get(kLeast)},
      {"get(most)", Comes::out_of_range, {"9223372036854775807"}, get(kGreatest)},
      {"get(0) of none",
       Comes::out_of_range,
       {"item 0", "of 0"},
       [&] { return none.get(0).index() == 0; }},
      {"get(-1) of none",
       Comes::out_of_range,
       {"item -1", "of 0"},
       [&] { return none.get(-1).index() == 0; }},
      {"set(least)",
       Comes::out_of_range,
       {"-9223372036854775808"},
       [&] {
         list.set(kLeast, 2.0);
         return false;
       }},
      {"a text of 10,000,000",
       Comes::invalid,
       {"10000000", "10,000,000"},
       [] { return mp::ShareableList({std::string(10'000'000, 'x')}).size() == 1; }},
  });
}

}  // namespace
}  // namespace limits_test

// PROCESSION_GUARD: a page without access beside each array.

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <optional>
#include <string>

#include "process/support.hpp"
#include "procession/array.hpp"
#include "procession/queue.hpp"
#include "support/sanitized.hpp"

namespace sync_test {
namespace {

namespace mp = procession;

/// PROCESSION_GUARD, to the end of the scope.
class GuardVariable {
 public:
  explicit GuardVariable(const char* value) { ::setenv("PROCESSION_GUARD", value, 1); }
  GuardVariable(const GuardVariable&) = delete;
  GuardVariable& operator=(const GuardVariable&) = delete;
  ~GuardVariable() { ::unsetenv("PROCESSION_GUARD"); }
};

void write_at(const mp::Array<char>& array, std::ptrdiff_t index) {
  *static_cast<volatile char*>(array.data() + index) = 'x';
}

/// Of the heap's file, accessible.
std::size_t mappings() {
  std::ifstream file("/proc/self/maps");
  std::size_t count = 0;
  for (std::string line; std::getline(file, line);)
    count += line.find(" rw-s ") != std::string::npos &&
             line.find("procession-heap") != std::string::npos;
  return count;
}

class GuardBy : public process_test::EachMethod {
 protected:
  /// Whether a process that writes there dies of it.
  static bool dies(const mp::Array<char>& array, std::ptrdiff_t index) {
    const std::optional<int> code = process_test::exitcode_of(GetParam(), write_at, array, index);
    EXPECT_TRUE(code == 0 || code == -SIGSEGV || mp::kSanitized) << code.value_or(-1);
    return code != 0;
  }
};

TEST_P(GuardBy, OneCatchesAWriteBehindTheLastElement) {
  const GuardVariable guard("1");
  for (const std::ptrdiff_t size : {1, 10, 4'096, 5'000}) {
    const mp::Array<char> array(static_cast<std::size_t>(size));
    EXPECT_FALSE(dies(array, 0));
    EXPECT_FALSE(dies(array, size - 1));
    EXPECT_TRUE(dies(array, size));
    EXPECT_EQ(array[0], 'x') << "it is the same memory there";
    EXPECT_EQ(array[array.size() - 1], 'x');
  }
}

TEST_P(GuardBy, TwoCatchesAWriteBeforeTheFirstElement) {
  const GuardVariable guard("2");
  for (const std::ptrdiff_t size : {1, 10, 4'096, 5'000}) {
    const mp::Array<char> array(static_cast<std::size_t>(size));
    EXPECT_FALSE(dies(array, 0));
    EXPECT_FALSE(dies(array, size - 1));
    EXPECT_TRUE(dies(array, -1));
  }
}

PROCESSION_BY_PROCESS_METHODS(GuardBy);

TEST(Guard, GoesWithTheLastHandle) {
  const GuardVariable guard("1");
  std::size_t before = 0;
  for (int i = 0; i < 100; ++i) {
    std::optional<mp::Array<int>> array(std::in_place, 1'000);
    std::iota(array->begin(), array->end(), i);
    const mp::Array<int> copy = *array;
    array.reset();
    EXPECT_EQ(copy[999], i + 999);
    EXPECT_GT(mappings(), before);
    const mp::Queue<mp::Array<int>> queue;
    queue.put(copy);
    const mp::Array<int> again = queue.get();
    EXPECT_NE(again.data(), copy.data());
    EXPECT_EQ(again[5], i + 5);
    // The first round makes what stays: the users' memory that this process has access to.
    if (i == 0) before = mappings() - 2;
  }
  EXPECT_EQ(mappings(), before);
}

TEST(Guard, HoldsForArraysWithElementsOnly) {
  const GuardVariable guard("1");
  const mp::Array<int> none(0);
  EXPECT_EQ(none.data(), nullptr);
  EXPECT_TRUE(none.empty());
}

TEST(Guard, SaysWhatItMayBe) {
  const GuardVariable guard("yes");
  const std::string text =
      process_test::text_of<mp::ProcessError>([] { static_cast<void>(mp::Array<int>(1)); });
  EXPECT_NE(text.find("PROCESSION_GUARD is 'yes'"), std::string::npos) << text;
  EXPECT_NE(text.find("1 for a page without access behind"), std::string::npos) << text;
  const GuardVariable off("0");
  EXPECT_EQ(mp::Array<int>(1)[0], 0);
}

}  // namespace
}  // namespace sync_test

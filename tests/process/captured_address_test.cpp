#include <atomic>
#include <string>

#include "process/support.hpp"

// Closures that captured an address of this process.
namespace process_test {
namespace {

using Captured = EachMethod;
PROCESSION_BY_ALL_METHODS(Captured);

bool is_refused(StartMethod method) {
  return method == StartMethod::forkserver || method == StartMethod::spawn;
}

TEST_P(Captured, AReferenceIsRefusedAtStartOrKept) {
  const Board<std::atomic<int>> seen;
  int on_the_stack = 42;
  int& captured = on_the_stack;
  mp::Process process(
      {.name = "closure", .start_method = GetParam()},
      [&captured](std::uint64_t place) { board<std::atomic<int>>(place) = captured; },
      seen.place());
  if (!is_refused(GetParam())) {
    process.start();
    process.join();
    EXPECT_EQ(process.exitcode(), 0);
    EXPECT_EQ(*seen, 42);
    return;
  }
  const std::string text = text_of<std::invalid_argument>([&] { process.start(); });
  EXPECT_NE(text.find("'closure'"), std::string::npos) << text;
  EXPECT_NE(text.find("captured a reference or a pointer"), std::string::npos) << text;
  EXPECT_NE(text.find("capture it by value"), std::string::npos) << text;
  EXPECT_EQ(process.pid(), 0);
  EXPECT_FALSE(process.is_alive());
}

TEST_P(Captured, AnAddressInBoundArgumentsIsRefusedToo) {
  static int global = 7;
  int* const pointer = &global;
  mp::Process process({.start_method = GetParam()}, mp::bind([pointer] { *pointer = 8; }));
  if (is_refused(GetParam())) {
    EXPECT_THROW(process.start(), std::invalid_argument);
  } else {
    process.start();
    process.join();
    EXPECT_EQ(process.exitcode(), 0);
    EXPECT_EQ(global, GetParam() == StartMethod::thread ? 8 : 7);
    global = 7;
  }
}

TEST(CapturedByPreload, IsRefused) {
  int on_the_stack = 0;
  const std::string text = text_of<std::invalid_argument>(
      [&] { mp::set_forkserver_preload([&on_the_stack] { ++on_the_stack; }); });
  EXPECT_NE(text.find("set_forkserver_preload"), std::string::npos) << text;
}

}  // namespace
}  // namespace process_test

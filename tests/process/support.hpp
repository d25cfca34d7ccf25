#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>

#include "heap/heap.hpp"
#include "procession/error.hpp"
#include "procession/process.hpp"
#include "support/sanitized.hpp"

// What the tests of processes share.
namespace process_test {

namespace mp = procession;

using mp::kSanitized;
using mp::StartMethod;

/// A zeroed T in the shared heap, which a child finds by its place. Declare it before the processes
/// that use it.
template <class T>
class Board {
 public:
  [[nodiscard]] std::uint64_t place() const { return block_.offset(); }
  T& operator*() const { return *mp::heap::at<T>(block_.offset()); }
  T* operator->() const { return &**this; }

 private:
  mp::heap::Block block_{sizeof(T), true};
};

/// The same T, in any process of the tree.
template <class T>
T& board(std::uint64_t place) {
  return *mp::heap::at<T>(place);
}

/// Waits for as long as it takes; the watchdog knows when it takes too long.
template <class Condition>
void wait_until(Condition condition) {
  while (!condition()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

/// What a test and its children tell each other.
struct Flags {
  std::atomic<int> up;     ///< how many children have come so far
  std::atomic<bool> go;    ///< they may go on
  std::atomic<bool> done;  ///< one did
  char text[512];          ///< what one has to say
};

inline void wait_for_go(std::uint64_t place) {
  auto& flags = board<Flags>(place);
  ++flags.up;
  wait_until([&] { return flags.go.load(); });
  flags.done = true;
}

[[noreturn]] inline void sleep_for_ever() {
  for (;;) {
    ::pause();
  }
}

template <class F, class... Args>
mp::Process started(StartMethod method, F f, const Args&... args) {
  mp::Process process({.start_method = method}, f, args...);
  process.start();
  return process;
}

template <class F, class... Args>
std::optional<int> exitcode_of(StartMethod method, F f, const Args&... args) {
  mp::Process process = started(method, f, args...);
  EXPECT_TRUE(process.join());
  return process.exitcode();
}

/// The text of the E that `call` throws.
template <class E, class F>
std::string text_of(F call) {
  try {
    call();
  } catch (const E& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "it threw another type, with the text: " << error.what();
    return {};
  }
  ADD_FAILURE() << "it threw nothing";
  return {};
}

inline std::string method_name(const testing::TestParamInfo<StartMethod>& info) {
  return mp::to_string(info.param);
}

using EachMethod = testing::TestWithParam<StartMethod>;

}  // namespace process_test

/// Every test of `suite` (an alias of EachMethod, or a class derived from it) by each start method.
#define PROCESSION_BY_ALL_METHODS(suite)                                                       \
  INSTANTIATE_TEST_SUITE_P(                                                                    \
      By, suite,                                                                               \
      testing::Values(process_test::StartMethod::forkserver, process_test::StartMethod::spawn, \
                      process_test::StartMethod::fork, process_test::StartMethod::thread),     \
      process_test::method_name)

/// The same without `thread`, which makes no process.
#define PROCESSION_BY_PROCESS_METHODS(suite)                                                   \
  INSTANTIATE_TEST_SUITE_P(                                                                    \
      By, suite,                                                                               \
      testing::Values(process_test::StartMethod::forkserver, process_test::StartMethod::spawn, \
                      process_test::StartMethod::fork),                                        \
      process_test::method_name)
